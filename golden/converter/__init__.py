"""DACs and ADCs with their errors, and measurements of them."""
