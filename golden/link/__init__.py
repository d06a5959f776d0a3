"""Packets from the host, answered word for word as the RTL does."""
