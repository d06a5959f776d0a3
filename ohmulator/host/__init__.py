"""The host's side: one API to a chip, whatever the chip is and whatever carries the packets."""
