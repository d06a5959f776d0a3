"""What several blocks are built from."""
