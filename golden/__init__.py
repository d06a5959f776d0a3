"""Reference model of the chip in NumPy: integers where it is digital, SI units where analogue."""
