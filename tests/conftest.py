"""Hypothesis without a stopwatch: machines are slow, and no example depends on time."""

from hypothesis import settings

settings.register_profile("ohmulator", deadline=None)
settings.load_profile("ohmulator")
