"""Sessions of a host with a chip as stimuli: commands with pauses, for a bench without feedback.

Nothing is known of the replies when the commands are made, so pauses are what a program usually
takes. Products run on tiles that are told to hold their matrix; what is converted and verified
there depends on comparators whose answers are those of the bench.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import hypothesis
import numpy as np
from hypothesis import HealthCheck, Phase, given, settings

from golden.machine.scheduler import blocks
from hw.link.serial_line import divisor
from ohmulator.compiler.matrix import to_words
from ohmulator.host.framing import Deframer, encode
from spec.config import ChipConfig
from spec.counters import CHIP_COUNTERS
from spec.framing import BAUD
from spec.instruction import Instruction
from spec.isa import DESCRIPTOR_FIELDS, HOLDING_FIELDS, SCALARS, ErrorCode, Opcode, Space
from spec.packet import (
    ERROR,
    HEADER,
    HEADER_WORDS,
    IDENTITY,
    MAX_WORDS,
    REPLY,
    STATUS_WORDS,
    Packet,
    packet,
    space_words,
    unpack,
)
from tests.support.programs import Scenario, scenarios

WORDS = 60
"""Most words of a write of arbitrary length on a fast link."""


@dataclass(frozen=True)
class Frame:
    """A packet, the cycles without one before it, and whether it is damaged on its line."""

    words: list[int]
    pause: int = 0
    damaged: bool = False


class Sessions:
    """Make up commands of a host, without end.

    Parameters
    ----------
    config
        The chip.
    rng
        Source of all that is random.
    patience
        Cycles that no program is waited for longer.
    words
        Most words that are written or read where their number is arbitrary.
    """

    def __init__(self, config: ChipConfig, rng: np.random.Generator, patience: int, words: int):
        self.config, self.rng, self.patience, self.words = config, rng, patience, words
        self._sequence = 0
        # Cycles of a pulse and the read behind it.
        self._read = config.pulse_cycles + config.settle_cycles + config.conversion_cycles + 6

    def frames(self) -> Iterator[Frame]:
        """Yield commands; one in eight is damaged, cut, repeated or makes no sense."""
        last: list[int] = packet(Packet.IDENTIFY, 0)
        for frame in self._sensible():
            match int(self.rng.integers(0, 40)):
                case 0:
                    yield Frame(last)
                case 1:
                    words = list(frame.words)
                    words[self.rng.integers(len(words))] ^= 1 << int(self.rng.integers(32))
                    yield Frame(words)
                case 2:
                    yield Frame(frame.words[: self.rng.integers(1, len(frame.words) + 1)])
                case 3:
                    yield Frame(self.rng.integers(0, 1 << 32, self.rng.integers(1, 6)).tolist())
                case 4:
                    yield Frame(frame.words, damaged=True)
            yield frame
            last = frame.words

    def _sensible(self) -> Iterator[Frame]:
        yield self._command(Packet.IDENTIFY)
        # A product comes at once, however few cycles there are.
        yield from self._multiply()
        for scenario in _draw_scenarios(self.config, int(self.rng.integers(1 << 30))):
            match int(self.rng.integers(0, 6)):
                case 0 | 1:
                    yield from self._multiply()
                case 2:
                    yield from self._program_tile()
                case 3:
                    yield from self._write_vectors()
                    yield from self._read_anything()
                case _:
                    yield from self._run_scenario(scenario)
            yield self._command(Packet.COUNTERS)

    def _command(self, kind: Packet, *payload: int, pause: int = 0) -> Frame:
        self._sequence = (self._sequence + 1) % 256
        return Frame(packet(kind, self._sequence, [int(word) for word in payload]), pause)

    def _write(self, space: Space, address: int, words: Sequence[int] | np.ndarray) -> list[Frame]:
        return [
            self._command(Packet.WRITE, space, address + at, *words[at : at + MAX_WORDS])
            for at in range(0, len(words), MAX_WORDS)
        ]

    def _write_vectors(self) -> Iterator[Frame]:
        """Write words of all magnitudes somewhere, and weights, of which few are out of range."""
        count = int(self.rng.integers(1, self.words + 1))
        bits = self.rng.integers(1, 32, count)
        words = to_words(self.rng.integers(-1 << bits, 1 << bits))
        yield from self._write(Space.VECTOR, self._address(Space.VECTOR, count), words)
        low, high = self.config.weight_range
        beyond = int(self.rng.random() < 0.1)
        weights = to_words(self.rng.integers(low - beyond, high + beyond + 1, count))
        yield from self._write(Space.WEIGHT, self._address(Space.WEIGHT, count), weights)

    def _read_anything(self) -> Iterator[Frame]:
        for space in Space:
            count = int(self.rng.integers(1, self.words // 4 + 2))
            address = self._address(space, count)
            yield self._command(Packet.READ, space, address, count)

    def _address(self, space: Space, count: int) -> int:
        """Return an address, often at an end of the space, rarely beyond."""
        size = space_words(self.config, space)
        last = max(0, size - count)
        return int(self.rng.choice([0, last, last + 1, self.rng.integers(last + 1)]))

    def _run(self, pc: int, cycles: float) -> Iterator[Frame]:
        """Run a program and wait for it; or not, and abort it."""
        yield self._command(Packet.RUN, pc)
        yield self._command(Packet.STATUS)
        if self.rng.random() < 0.2 or cycles > self.patience:
            pause = int(self.rng.integers(0, min(cycles, self.patience)))
            yield self._command(Packet.ABORT, pause=pause)
        else:
            # Ends what is endless.
            yield self._command(Packet.STATUS, pause=int(cycles))
            yield self._command(Packet.ABORT)
        # The cell that is being programmed comes to its end.
        pulses = self.config.programming.pulse_limit
        yield self._command(Packet.STATUS, pause=int(self.rng.integers(2)) * pulses * self._read)

    def _run_scenario(self, scenario: Scenario) -> Iterator[Frame]:
        yield from self._write(Space.SCALAR, 0, self.rng.integers(0, 1 << 32, 2 * SCALARS))
        for space, address, words in scenario.writes():
            if space in (Space.PROGRAM, Space.DESCRIPTOR):
                yield from self._write(space, address, words)
        # Products find their tiles programmed, by whatever the holdings say.
        for tile in range(self.config.machine.tiles):
            yield from self._hold(tile, 0, int(self.rng.integers(self.config.machine.matrices)))
        start = 2 * int(self.rng.integers(len(scenario.program) // 2 + 1))
        yield from self._run(start, 60 * len(scenario.program) + 500)
        yield self._command(Packet.READ, Space.SCALAR, 0, 2 * SCALARS)
        yield from self._read_anything()

    def _hold(self, tile: int, block: int, matrix: int) -> list[Frame]:
        return self._write(Space.HOLDING, tile * len(HOLDING_FIELDS), [block, matrix + 1])

    def _multiply(self) -> Iterator[Frame]:
        """Multiply a few vectors by a matrix that the tiles are said to hold."""
        config, array = self.config, self.config.array
        # As many blocks as there are tiles at most, and vectors that fit.
        down = int(self.rng.integers(1, config.machine.tiles + 1))
        across = int(self.rng.integers(1, config.machine.tiles // down + 1))
        rows = array.rows * down - int(self.rng.integers(array.rows))
        columns = array.columns * across - int(self.rng.integers(array.columns))
        transposed = config.transposable and bool(self.rng.integers(2))
        direction = config.direction(transposed)
        cycles = config.planes * max(
            direction.plane_cycles, direction.groups * config.converter.adc_bits
        )
        most = min(config.machine.vector_words // (rows + columns), 1 + self.patience // cycles, 9)
        if not most:
            return
        count = int(self.rng.integers(1, most + 1))
        matrix = int(self.rng.integers(config.machine.matrices))
        first = int(self.rng.integers(config.machine.tiles))
        yield from self._describe(matrix, rows, columns, first)
        for block in blocks(config, rows, columns, first):
            yield from self._hold(block.tile, block.number, matrix)
        inputs = count * (columns if transposed else rows)
        bits = int(self.rng.integers(1, config.converter.input_bits + 2))
        vectors = to_words(self.rng.integers(-1 << bits - 1, 1 << bits - 1, inputs))
        yield from self._write(Space.VECTOR, 0, vectors)
        opcode = Opcode.MVM_T if transposed else Opcode.MVM
        yield from self._start(opcode, matrix, count, inputs, 2.5 * (count + 2) * cycles + 500)
        outputs = min(MAX_WORDS, count * (rows if transposed else columns))
        yield self._command(Packet.READ, Space.VECTOR, inputs, outputs)

    def _program_tile(self) -> Iterator[Frame]:
        """Multiply by a matrix that no tile holds."""
        config, array = self.config, self.config.array
        matrix = int(self.rng.integers(config.machine.matrices))
        first = int(self.rng.integers(config.machine.tiles))
        yield from self._describe(matrix, array.rows, array.columns, first)
        cells = 2 * array.rows * array.columns * array.slices
        pulses = config.programming.pulse_limit
        # Most cells are given up: comparators that answer at random rarely find a code.
        cycles = cells * pulses * self._read
        yield from self._start(Opcode.MVM, matrix, 1, array.rows, cycles)
        yield self._command(Packet.READ, Space.HOLDING, 0, 2 * config.machine.tiles)

    def _describe(self, matrix: int, rows: int, columns: int, first: int) -> list[Frame]:
        address = matrix * len(DESCRIPTOR_FIELDS)
        return self._write(Space.DESCRIPTOR, address, [rows, columns, 0, first])

    def _start(
        self, opcode: Opcode, matrix: int, count: int, results: int, cycles: float
    ) -> Iterator[Frame]:
        step = int(self.rng.integers(1 << self.config.step_bits))
        shift = int(self.rng.integers(0, 12))
        program = [
            *(
                Instruction(Opcode.SET, d=d, immediate=value)
                for d, value in enumerate([count, 0, results, shift, step])
            ),
            *(Instruction(Opcode.STEP, a=4, immediate=s) for s in range(self.config.steps)),
            Instruction(opcode, d=2, a=1, c=3, n=0, immediate=matrix),
            Instruction(Opcode.HALT),
        ]
        words = np.array([instruction.encode() for instruction in program], "<u8").view("<u4")
        yield from self._write(Space.PROGRAM, 0, words)
        yield from self._run(0, cycles)


def _draw_scenarios(config: ChipConfig, seed: int) -> Iterator[Scenario]:
    while True:
        found: list[Scenario] = []

        @hypothesis.seed(seed)
        @settings(
            max_examples=60,
            deadline=None,
            database=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(scenarios(config))
        def collect(scenario: Scenario) -> None:
            found.append(scenario)  # noqa: B023

        collect()
        yield from found
        seed += 1


def stream_rows(config: ChipConfig, rng: np.random.Generator, cycles: int) -> list[int]:
    """Return pause, data and last of each transfer on AXI4-Stream, enough for some cycles."""
    rows: list[int] = []
    spent = 0
    for frame in Sessions(config, rng, max(2000, cycles // 8), WORDS).frames():
        for i, word in enumerate(frame.words):
            rows += [0 if i else frame.pause, word, int(i == len(frame.words) - 1)]
        spent += frame.pause + len(frame.words)
        if spent > cycles:
            break
    return rows


def serial_durations(config: ChipConfig, rng: np.random.Generator, cycles: int) -> list[int]:
    """Return for how many cycles a serial line is high, low, high, ..., for some cycles."""
    bit = divisor(config.machine.clock_hz, BAUD)
    runs: list[list[int]] = [[1, 20 * bit]]

    def drive(level: int, duration: int) -> None:
        if runs[-1][0] == level:
            runs[-1][1] += duration
        else:
            runs.append([level, duration])

    for frame in Sessions(config, rng, max(2000, cycles // 8), 8).frames():
        drive(1, frame.pause + int(rng.integers(0, bit)))
        for byte in _on_line(frame, rng):
            stop = int(rng.random() > 0.0002)
            for level in [0, *(byte >> i & 1 for i in range(8)), stop]:
                drive(level, bit)
            if not stop:
                drive(1, 2 * bit)
        match int(rng.integers(0, 40)):
            case 0:
                drive(0, 12 * bit)
                drive(1, 2 * bit)
            case 1:
                drive(1, bit)
                drive(0, bit // 3)
                drive(1, bit)
        if rng.random() < 0.9:
            # The reply, which is not waited for now and then.
            drive(1, 11 * bit * (4 * _reply_words(config, frame.words) + 8))
        if sum(duration for _, duration in runs) > cycles:
            break
    drive(1, 1)
    drive(0, 12 * bit)
    return [duration for _, duration in runs]


def _on_line(frame: Frame, rng: np.random.Generator) -> bytes:
    line = bytearray(encode(frame.words))
    if frame.damaged:
        line[rng.integers(len(line))] ^= 1 << int(rng.integers(8))
    return bytes(line)


def _reply_words(config: ChipConfig, words: list[int]) -> int:
    """Return about how many words answer a command."""
    match unpack(HEADER, words[0])["type"]:
        case Packet.READ:
            return HEADER_WORDS + min(MAX_WORDS, words[-1])
        case Packet.IDENTIFY | Packet.STATUS:
            return HEADER_WORDS + max(len(IDENTITY), STATUS_WORDS)
        case Packet.COUNTERS:
            return HEADER_WORDS + 2 * (
                len(CHIP_COUNTERS) + config.machine.tiles * len(config.machine.tile_counters)
            )
    return HEADER_WORDS


def summary(config: ChipConfig, folder: Path) -> str:
    """Return what a chip replied, from the logs of a bench: types, errors, last counters."""
    packets: list[list[int]] = []
    for path in folder.glob("*m_axis*.log"):
        words: list[int] = []
        for word, last in np.fromfile(path, "<u4").reshape(-1, 2).tolist():
            words.append(word)
            if last:
                packets.append(words)
                words = []
    for path in folder.glob("*tx.durations"):
        line = _bytes(np.fromfile(path, "<u4").tolist(), divisor(config.machine.clock_hz, BAUD))
        packets += [frame.words for frame in Deframer().feed(line) if not frame.damaged]
    names = [counter.name for counter in CHIP_COUNTERS]
    for tile in range(config.machine.tiles):
        names += [f"tile{tile}.{counter.name}" for counter in config.machine.tile_counters]
    kinds: Counter[str] = Counter()
    counters: list[int] = []
    for words in packets:
        header = unpack(HEADER, words[0])
        if header["type"] == ERROR:
            kinds[f"error {ErrorCode(header['code']).name}"] += 1
        else:
            kinds[Packet(header["type"] - REPLY).name] += 1
        # A reset in a reply joins what it left of that to the next one.
        if header["type"] == REPLY + Packet.COUNTERS and len(words) == 2 + 2 * len(names):
            counters = words[2:]
        if header["type"] == REPLY + Packet.STATUS:
            kinds[f"ended {ErrorCode(words[2] >> 1 & 0xFF).name}"] += not words[2] & 1
    lines = ["replies " + ", ".join(f"{name} {n}" for name, n in sorted(kinds.items()))]
    if counters:
        values = zip(names, np.array(counters, "<u4").view("<u8").tolist(), strict=True)
        lines.append("counters " + ", ".join(f"{name} {value}" for name, value in values))
    return "\n".join(lines)


def _bytes(durations: list[int], bit: int) -> bytes:
    """Return the bytes on a serial line that was high, low, high, ... for some cycles each."""
    level = np.repeat(np.arange(len(durations)) % 2 == 0, durations)
    found = bytearray()
    at = 0
    while at < len(level):
        if level[at]:
            at += int(np.argmin(level[at:])) or len(level)
            continue
        samples = level[at + bit // 2 :: bit][:10]
        if len(samples) < 10:
            break
        found.append(sum(int(high) << i for i, high in enumerate(samples[1:9])))
        at += 9 * bit + bit // 2
    return bytes(found)
