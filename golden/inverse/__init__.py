"""Inversion: an array in the closed loop of op-amps, and what its converters make of it."""
