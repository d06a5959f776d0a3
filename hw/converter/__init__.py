"""The digital side of DACs and ADCs."""
