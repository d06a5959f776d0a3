"""What `make` targets run: one file for each."""
