"""The path of an inversion: from the words of a system to the codes of its solution."""
