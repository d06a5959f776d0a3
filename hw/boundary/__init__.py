"""The analogue boundary: its signature, and the macro behind it on an ASIC."""
