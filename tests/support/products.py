"""Products on the chip's tiles, in RTL and in the model: one description, run by both."""

import copy
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from amaranth.hdl import Module
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from golden.machine.machine import Machine
from golden.machine.programmer import set_directly, write_verify
from golden.machine.scheduler import block_weights, blocks
from golden.tile.analog import Analog
from golden.tile.tile import Tile
from hw.boundary.analog import step_layout
from hw.common.word_port import WordPort
from hw.machine.interfaces import InstructionPort
from hw.machine.product_unit import ProductUnit
from hw.machine.tile_bank import TilePort
from hw.machine.vector_memory import ReadPort, VectorMemory, WritePort, share
from ohmulator.compiler.words import to_words
from spec.config import ChipConfig
from spec.instruction import Instruction
from spec.isa import ErrorCode, MachineError, Opcode, Space


class Products(wiring.Component):
    """The product unit with a vector memory, which the host may use while nothing runs."""

    def __init__(self, config: ChipConfig):
        self.config = config
        control = wiring.Signature({"aborting": Out(1), "step": Out(step_layout(config))})
        vector = wiring.Signature({"read": Out(ReadPort(config)), "write": Out(WritePort(config))})
        super().__init__(
            {
                "port": In(InstructionPort(config)),
                "control": In(control),
                "vector": In(vector),
                "descriptors": In(WordPort()),
                "holdings": In(WordPort()),
                "weights": In(WordPort()),
                "tiles": Out(TilePort(config)).array(config.machine.tiles),
            }
        )

    def elaborate(self, platform):
        m = Module()
        m.submodules.products = products = ProductUnit(self.config)
        m.submodules.memory = memory = VectorMemory(self.config)
        share(m, memory, [products, self.vector])
        for name in ("port", "descriptors", "holdings", "weights"):
            connect(m, flipped(getattr(self, name)), getattr(products, name))
        for outer, inner in zip(self.tiles, products.tiles, strict=True):
            connect(m, inner, flipped(outer))
        m.d.comb += [
            products.aborting.eq(self.control.aborting),
            products.step.eq(self.control.step),
        ]
        return m


@dataclass(frozen=True)
class Product:
    """A product, and from which cycle on it is aborted, if so."""

    matrix: int
    d: int
    a: int
    shift: int = 0
    count: int = 1
    abort_at: int | None = None
    opcode: Opcode = Opcode.MVM

    @property
    def request(self) -> dict[str, int]:
        """Fields of the `hw.machine.interfaces.InstructionRequest`."""
        return {"opcode": self.opcode, "immediate": self.matrix, **self.operands}

    @property
    def operands(self) -> dict[str, int]:
        return {"d": self.d, "a": self.a, "c": self.shift, "n": self.count}

    def aborts(self, cycle: int) -> bool:
        """Tell whether the chip is aborting in a cycle after the request."""
        return self.abort_at is not None and cycle >= self.abort_at


@dataclass
class Done:
    """Hold what came of a product: reply, and state after it."""

    code: ErrorCode
    counts: dict[str, int]
    vector: list[int]
    holdings: list[int]
    tiles: list[dict[str, int]]


@dataclass
class Outcome:
    """Hold what the RTL did with a scenario.

    That is, of each product, what came of it, cycles from request to reply, and what that added to
    the counters of each tile; and conductances of each tile at the end.
    """

    done: list[Done]
    cycles: list[int]
    counters: list[list[dict[str, int]]]
    conductances: list[np.ndarray]


COUNTS = "saturations", "input_clips", "reprograms"
PORTS = {Space.DESCRIPTOR: "descriptors", Space.HOLDING: "holdings", Space.WEIGHT: "weights"}


@dataclass
class Scenario:
    """A chip in some state, and products for it.

    Attributes
    ----------
    writes
        Of the host, before the products.
    analogs
        Behind each tile at first.
    steps
        ADC steps.
    """

    config: ChipConfig
    products: list[Product]
    writes: list[tuple[Space, int, np.ndarray]]
    analogs: list[Analog]
    steps: list[int]

    def machine(self) -> Machine:
        """Return the model in the state before the products."""
        # Blocks that are held need no programming.
        programmer = write_verify if self.config.verifiable else set_directly
        machine = Machine(self.config, programmer)
        machine.tiles[:] = [Tile(self.config, copy.deepcopy(analog)) for analog in self.analogs]
        for space, address, words in self.writes:
            machine.write(space, address, words)
        return machine

    def expected(self) -> tuple[list[Done], Machine]:
        """Run the products on the model; it cannot abort them."""
        machine = self.machine()
        return [run_on_model(machine, product, self.steps) for product in self.products], machine


def run_on_model(machine: Machine, product: Product, steps: Sequence[int]) -> Done:
    counters = dict(machine.chip_counters)
    program = [Instruction(Opcode.STEP, a=4 + i, immediate=i) for i in range(len(steps))]
    program += [
        Instruction(product.opcode, d=0, a=1, c=2, n=3, immediate=product.matrix),
        Instruction(Opcode.HALT),
    ]
    words = np.array([instruction.encode() for instruction in program], "<u8").view("<u4")
    machine.write(Space.PROGRAM, 0, words)
    scalars = np.array([*product.operands.values(), *steps], "<i8").view("<u4")
    machine.write(Space.SCALAR, 0, scalars)
    code = ErrorCode.NONE
    try:
        machine.run()
    except MachineError as error:
        code = error.code
    return Done(
        code,
        {name: machine.chip_counters[name] - counters[name] for name in COUNTS},
        machine.read(Space.VECTOR, 0, machine.config.machine.vector_words).view("<i4").tolist(),
        machine.read(Space.HOLDING, 0, 2 * machine.config.machine.tiles).tolist(),
        copy.deepcopy(machine.tile_counters),
    )


@dataclass
class Setting:
    """Matrices and vectors of a scenario, put together one by one."""

    config: ChipConfig
    vector: np.ndarray = field(init=False)
    writes: list[tuple[Space, int, np.ndarray]] = field(default_factory=list)
    analogs: list[Analog] = field(init=False)

    def __post_init__(self) -> None:
        self.vector = np.zeros(self.config.machine.vector_words, np.int64)
        self.analogs = [tile.analog for tile in Machine(self.config).tiles]
        self._weights = 0

    def add(
        self, number: int, weights: np.ndarray, first: int = 0, *, resident: bool = False
    ) -> None:
        """Add a matrix to the weight memory; `resident`: and to the tiles, as if by a miracle."""
        config = self.config
        self.writes.append((Space.WEIGHT, self._weights, to_words(weights.ravel())))
        descriptor = np.array([*weights.shape, self._weights, first])
        self.writes.append((Space.DESCRIPTOR, 4 * number, to_words(descriptor)))
        self._weights += weights.size
        if resident:
            for block in list(blocks(config, *weights.shape, first))[: config.machine.tiles]:
                part = block_weights(config, weights, block)
                self.analogs[block.tile] = Analog.programmed(config, part)
                words = np.array([block.number, number + 1])
                self.writes.append((Space.HOLDING, 2 * block.tile, to_words(words)))

    def scenario(self, products: list[Product], steps: Sequence[int] | None = None) -> Scenario:
        config = self.config
        return Scenario(
            config,
            products,
            [*self.writes, (Space.VECTOR, 0, to_words(self.vector))],
            self.analogs,
            list(steps or [config.forward.covering_step] * config.steps),
        )
