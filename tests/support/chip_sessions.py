"""Sessions of a host with a simulated chip; they run inside the simulator."""

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
from hypothesis import HealthCheck, Phase, given, settings
from numpy.typing import NDArray

from golden.machine.machine import vector_unit
from ohmulator.compiler import compile_matrix, multiply
from ohmulator.compiler import load as load_matrix
from ohmulator.host.errors import MismatchError, ProgramError, RefusedError
from ohmulator.host.host import Host
from ohmulator.host.tb_chip import SimulatedChip
from sim.lockstep import LockstepError
from spec.assembly import assemble, disassemble
from spec.isa import SCALARS, WORD_BITS, ErrorCode, Opcode, Space
from spec.packet import HEADER, Packet, packet, space_words, unpack
from tests.support.programs import Scenario, scenarios

LIMIT = 25
"""Instructions of a program that are followed at most."""


def prepare(chip: SimulatedChip, scenario: Scenario) -> None:
    """Reset the chip, and bring all of its memories to what the scenario says; the rest of them
    to anything, as at power-up.
    """
    chip.reset()
    rng = np.random.default_rng(scenario.seed)
    for space in (Space.PROGRAM, Space.SCALAR, Space.DESCRIPTOR):
        words = rng.integers(0, 1 << WORD_BITS, space_words(chip.config, space))
        chip.host.write(space, 0, words)
    for write in scenario.writes():
        chip.host.write(*write)


def random_programs(chip: SimulatedChip, examples: int) -> tuple[str, int]:
    """Follow random programs; return the first difference, shrunk to a small program, and how many
    instructions were followed.
    """
    total = 0
    last: list[int] = []

    @given(scenarios(chip.config))
    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate, Phase.shrink],
    )
    def follow(scenario: Scenario) -> None:
        nonlocal total
        last[:] = scenario.program
        prepare(chip, scenario)
        seen = chip.lockstep
        try:
            chip.follow(LIMIT)
            for space in (Space.VECTOR, Space.SCALAR, Space.DESCRIPTOR, Space.HOLDING):
                # The carrier compares what comes with the model.
                chip.host.read(space, 0, len(seen.model.memories.spaces[space]))
            chip.host.counters()
        finally:
            total += seen.instructions

    try:
        follow()
    except LockstepError as error:
        notes = getattr(error, "__notes__", [])
        return "\n".join([str(error), "  program", disassemble(last), *notes]), total
    return "", total


def load(chip: SimulatedChip, program: str, scalars: dict[int, int] | None = None) -> None:
    """Write a program, and scalars by number; the others become 0."""
    chip.host.write(Space.PROGRAM, 0, np.array(assemble(program), "<u8").view("<u4"))
    values = np.zeros(SCALARS, "<i8")
    for number, value in (scalars or {}).items():
        values[number] = value
    chip.host.write(Space.SCALAR, 0, values.view("<u4"))


def every_opcode(chip: SimulatedChip, _: None) -> set[Opcode]:
    """Run every instruction once without a fault; return those that were met."""
    rng = np.random.default_rng(3)
    chip.host.write(Space.VECTOR, 0, rng.integers(-99, 100, chip.config.machine.vector_words))
    chip.host.write(Space.WEIGHT, 0, rng.integers(-7, 8, 30))
    chip.host.write(Space.DESCRIPTOR, 0, [3, 2, 7, 1])
    lines = [
        "SET s6, 1",
        "STEP s6, 0",
        "MVM s2, s1, s4, s5, 0",
        "MVM_T s2, s1, s4, s5, 0",
        "VADD s2, s1, s3, s5",
        "VSUB s2, s1, s3, s5",
        "VMAX s2, s1, s3, s5",
        "VSHIFT s2, s1, s4, s5",
        "VSCALE s2, s1, s7, s4, s5",
        "VCLAMP s2, s1, s7, s4, s5",
        "VRELU s2, s1, s5",
        "VMAXMAG s8, s1, s5",
        "VDOT s9, s1, s3, s5",
        "LOAD s10, s1, 3",
        "STORE s1, s9, 90",
        "ADD s11, s9, s10",
        "SUB s11, s11, s8",
        "ADDI s11, s11, -7",
        "SETH s11, 123",
        "loop: LOOP s5, loop",
    ]
    for branch in ("BEQ", "BNE", "BLT", "BGE"):
        for i, first in enumerate(("s7", "s4")):
            label = f"{branch}{i}"
            lines += [f"{branch} {first}, s4, {label}", "ADDI s11, s11, 1", f"{label}:"]
    lines += ["JUMP end", "end: HALT"]
    load(chip, "\n".join(lines), {1: 3, 2: 90, 3: 31, 4: 2, 5: 3, 7: -9})
    chip.host.run()
    chip.host.read(Space.VECTOR, 0, chip.config.machine.vector_words)
    chip.host.read(Space.SCALAR, 0, 2 * SCALARS)
    return chip.lockstep.opcodes


def short(chip: SimulatedChip, examples: int) -> tuple[set[Opcode], tuple[str, int]]:
    """Run every instruction, and follow a few random programs."""
    return every_opcode(chip, None), random_programs(chip, examples)


def break_model() -> None:
    """Make the vector unit of the model err by one."""
    right = vector_unit.map_words

    def wrong(*arguments: Any) -> Any:
        words, saturations = right(*arguments)
        return words ^ 1, saturations

    vector_unit.map_words = wrong


def wrong_model(chip: SimulatedChip, _: None) -> tuple[str, int]:
    """Follow random programs beside a model that is wrong."""
    break_model()
    return random_programs(chip, 60)


def wrong_run(chip: SimulatedChip, _: None) -> str:
    """Run a program to its end beside a model that is wrong; return what stops it."""
    break_model()
    try:
        every_opcode(chip, None)
    except LockstepError as error:
        return str(error)
    return ""


def wrong_product(chip: SimulatedChip, transposed: bool) -> str:
    """Multiply beside a model that errs in the third result of vector 1; return what is said."""
    program = compile_matrix(chip.config, np.ones((5, 3), int), tile=1)
    load_matrix(chip.host, program)
    right = vector_unit.round_shift

    def wrong(sums: NDArray[Any], shift: int) -> NDArray[Any]:
        words = right(sums, shift).copy()
        words[1, 2] += 1
        return words

    vector_unit.round_shift = wrong
    try:
        vectors = np.ones((2, 3 if transposed else 5), int)
        multiply(chip.host, program, vectors, transposed=transposed)
    except LockstepError as error:
        return str(error)
    return ""


def products(chip: SimulatedChip, shapes: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Multiply by matrices set into the arrays directly, and by their transposes; return wrong
    words of each against NumPy.

    Results of three vectors each are compared with the model as well.
    """
    rng = np.random.default_rng(11)
    wrong = []
    for rows, columns in shapes:
        low, high = chip.config.weight_range
        weights = rng.integers(low, high + 1, (rows, columns))
        low, high = chip.config.input_range
        program = compile_matrix(chip.config, weights, tile=1)
        load_matrix(chip.host, program, chip.set_tile)
        found = []
        for factor in (weights, weights.T):
            vectors = rng.integers(low, high + 1, (3, len(factor)))
            results = multiply(chip.host, program, vectors, transposed=factor is not weights)
            found.append(int((results != vectors @ factor).sum()))
        wrong.append((found[0], found[1]))
    counters = chip.host.counters()
    assert counters["reprograms"] == 0
    assert all(counters[f"tile{t}.drives"] for t in range(chip.config.machine.tiles))
    return wrong


def reprogramming(chip: SimulatedChip, shape: tuple[int, int]) -> dict[str, int]:
    """Multiply by a matrix that the tiles cannot hold at once; return the counters."""
    rng = np.random.default_rng(12)
    program = compile_matrix(chip.config, rng.integers(-60, 61, shape), shift=3, tile=1)
    load_matrix(chip.host, program)
    multiply(chip.host, program, rng.integers(-40, 40, (5, shape[0])))
    multiply(chip.host, program, rng.integers(-40, 40, (5, shape[1])), transposed=True)
    return chip.host.counters()


def aborts(chip: SimulatedChip, delays: range) -> int:
    """Abort products of either direction at many times, the programming of their tiles included;
    return how often one was under way.
    """
    host, config = chip.host, chip.config
    rng = np.random.default_rng(8)
    program = compile_matrix(config, rng.integers(-60, 61, (5, 3)), shift=1)
    load_matrix(host, program)
    under_way = 0
    for delay, transposed in zip(delays, itertools.cycle([False, True])):
        vectors = rng.integers(-30, 31, (3, program.weights.shape[transposed]))
        # The tiles forget the matrix.
        host.write(*program.writes[-1])
        host.write(Space.SCALAR, 0, [3, 0])
        host.start(program.transposed_start if transposed else 0)
        chip.carrier.wait(lambda: False, delay)
        host.abort()
        under_way += host.status().code is ErrorCode.ABORTED
        host.read(Space.VECTOR, 0, config.machine.vector_words)
        host.write(*program.writes[-1])
        multiply(host, program, vectors, transposed=transposed)
        host.counters()
    return under_way


def bad_input(chip: SimulatedChip, _: None) -> list[tuple[str, str, bool]]:
    """Do what is wrong; return of each what it was, the answer, and whether the chip is as it was
    and multiplies right after it.
    """
    config, host = chip.config, chip.host
    rng = np.random.default_rng(5)
    answers: list[tuple[str, str, bool]] = []
    weights = rng.integers(-3, 4, (2, 3))
    vectors = rng.integers(-9, 10, (2, 2))
    program = compile_matrix(config, weights)
    load_matrix(host, program, chip.set_tile)
    first = multiply(host, program, vectors)

    def state() -> list[Any]:
        return [host.read(space, 0, space_words(config, space)).tolist() for space in Space]

    def fine() -> bool:
        # Not all packets came from this host.
        host.identify()
        host.write(Space.PROGRAM, 0, program.writes[0][2])
        return np.array_equal(multiply(host, program, vectors), first)

    def note(what: str, answer: str, before: list[Any]) -> None:
        same = state() == before
        answers.append((what, answer, same and fine()))

    programs = {
        "unknown opcode": [0x99 << 56],
        "address": assemble(f"LOAD s1, s0, {config.machine.vector_words}"),
        "off its end": assemble(f"JUMP {config.machine.program_words - 1}"),
        "matrix that is not loaded": assemble("MVM s0, s0, s0, s0, 1"),
    }
    host.write(
        Space.PROGRAM, 2 * (config.machine.program_words - 1), to_halves(assemble("SET s0, 0"))
    )
    for what, words in programs.items():
        host.write(Space.SCALAR, 0, [0] * 2 * SCALARS)
        host.write(Space.PROGRAM, 0, to_halves(words))
        before = state()
        try:
            host.run()
        except ProgramError as error:
            note(what, error.code.name, before)

    host.write(Space.PROGRAM, 0, to_halves(assemble("here: JUMP here")))
    before = state()
    host.start()
    answers.append(("read while running", refusal(host.read, Space.VECTOR, 0, 1), True))
    host.abort()
    note("endless loop", host.status().code.name, before)

    for what, words in {
        "shorter than its header says": packet(Packet.WRITE, 201, [0, 0, 1, 2])[:-1],
        "longer than its header says": [*packet(Packet.WRITE, 202, [0, 0, 1]), 9],
        "unknown type": packet(0x33, 203),
        "unknown space": packet(Packet.READ, 204, [9, 0, 1]),
        "outside of the space": packet(Packet.READ, 205, [0, config.machine.vector_words, 1]),
        "weight out of range": packet(Packet.WRITE, 206, [Space.WEIGHT, 0, 61]),
        "holding of no matrix": packet(
            Packet.WRITE, 207, [Space.HOLDING, 1, config.machine.matrices + 1]
        ),
        "no magic": [0, 0],
    }.items():
        before = state()
        chip.carrier.send(words)
        reply = chip.carrier.receive(1e-3)
        assert reply
        header = unpack(HEADER, reply.words[0])
        assert header["sequence"] == unpack(HEADER, words[0])["sequence"]
        note(what, ErrorCode(header["code"]).name, before)

    for change in ({"rows": 2 * config.array.rows}, {"clock_hz": 2 * config.machine.clock_hz}):
        before = state()
        try:
            Host(chip.carrier, config.replace(**change), timeout_s=1e-3)
        except MismatchError as error:
            note("another chip", str(error), before)
    return answers


def to_halves(words: list[int]) -> NDArray[np.uint32]:
    return np.array(words, "<u8").view("<u4")


def refusal(call: Callable[..., Any], *arguments: Any) -> str:
    try:
        call(*arguments)
    except RefusedError as error:
        return error.code.name
    return "no refusal"
