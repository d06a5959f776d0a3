"""The digital periphery in Amaranth: everything between a stream of vectors and the array."""
