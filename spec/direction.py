"""Direction of a product through an array."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Direction:
    """Describe a product from word lines to columns or, transposed, from columns to word lines.

    Attributes
    ----------
    inputs, outputs
        Length of the vectors and of the results.
    groups
        Outputs that share an ADC, converted one after the other: ADC a serves the adjacent outputs
        a * groups onwards, as far as there are any.
    covering_step
        Smallest ADC step, as log2 in units, with which no exact sum clips.
    plane_cycles
        Cycles from one sample to the next in steady state: conversion or settling, the longer.
    latency_cycles
        Cycles from accepting a vector to offering the last of its results, nothing else running.
    """

    inputs: int
    outputs: int
    groups: int
    covering_step: int
    plane_cycles: int
    latency_cycles: int
