"""Definitions that every side is built from: configuration, instructions, packets, registers."""
