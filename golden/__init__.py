"""Reference model of the chip: NumPy, integers on the digital side, SI units on the analogue side."""
