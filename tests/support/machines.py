"""Machines of the model that hold a program, and what is in them."""

import numpy as np

from golden.machine.machine import Machine
from ohmulator.compiler.words import from_words, to_words
from spec.assembly import assemble
from spec.isa import (
    Space,
)
from spec.load import load
from tests.support.configs import MACHINE

SMALL = MACHINE.replace(adc_bits=4, accumulator_bits=8, lanes=4, program_words=48)
"""A chip on which everything clips and saturates now and then."""


LOOPS = load(
    "solver",
    rows=4,
    columns=4,
    adcs=2,
    slices=2,
    tiles=2,
    matrices=3,
    vector_words=256,
    program_words=48,
    weight_words=64,
    pulse_limit=20,
    invertible=True,
)
"""A chip that solves."""

LOSSLESS = SMALL.replace(adc_bits=9, accumulator_bits=0)


def machine_with(text: str, config=LOSSLESS, **vectors: list[int]) -> Machine:
    """Return a machine with a program and vectors, given by name and address: v8=[...]."""
    machine = Machine(config)
    machine.write(Space.PROGRAM, 0, np.array(assemble(text), "<u8").view("<u4"))
    for name, values in vectors.items():
        machine.write(Space.VECTOR, int(name[1:]), to_words(np.array(values)))
    return machine


def vector(machine: Machine, address: int, count: int) -> list[int]:
    return from_words(machine.read(Space.VECTOR, address, count)).tolist()


def scalar(machine: Machine, number: int) -> int:
    return int(machine.read(Space.SCALAR, 2 * number, 2).view("<i8")[0])


def state(machine: Machine) -> list[list[int]]:
    spaces = [machine.memories.spaces[space].tolist() for space in Space]
    return [*spaces, machine.counters()]


def set_matrix(machine: Machine, number: int, weights, address: int = 0, tile: int = 0) -> None:
    array = np.array(weights)
    machine.write(Space.WEIGHT, address, to_words(array))
    words = np.array([*array.shape, address, tile], np.uint32)
    machine.write(Space.DESCRIPTOR, 4 * number, words)


OPERANDS = """
        SET s0, {d}
        SET s1, {a}
        SET s2, {b}
        SET s3, {c}
        SET s4, {n}
"""
