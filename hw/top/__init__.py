"""Top levels of the chip."""
