"""Setting up, finding programs, and writing files."""
