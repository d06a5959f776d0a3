"""Packets: responder, and the carriers on a serial line and on AXI."""
