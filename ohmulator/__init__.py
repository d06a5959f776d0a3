"""Analogue in-memory computing on a chip that is simulated, proven and, one day, real."""
