"""The tiles of the chip, each on its streams."""

from amaranth.hdl import Array, Cat, Module, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from hw.boundary.analog import AnalogPort
from hw.common.counters import TileCounters
from hw.common.direction import by_direction
from hw.common.ranges import index
from hw.common.signature import ParameterSignature
from hw.converter.dac import VectorLayout
from hw.inverse.interfaces import AnswerLayout, EquationLayout
from hw.tile.shift_add import ResultsLayout
from hw.tile.tile import Tile
from hw.tile.write_verify import TargetLayout
from spec.config import ChipConfig

TILE_VECTORS = 4
"""Most vectors inside a tile: driven, converted, and one each in its registers of codes and of
results."""


class TilePort(ParameterSignature):
    """Ports of one tile that leave the product unit.

    Members
    -------
    analog : Out, `AnalogPort`
    hold : In, 1
    counters : Out, `TileCounters`
        As in `hw.tile.tile.Tile`.
    """

    def __init__(self, config: ChipConfig):
        super().__init__(
            {
                "analog": Out(AnalogPort(config)),
                "hold": In(1),
                "counters": Out(TileCounters(config)),
            },
            config=config,
        )


class TileBank(wiring.Component):
    """Multiply on all tiles at a time, or program one.

    Members
    -------
    transposed : In, 1
        Stays while vectors are under way.
    vectors : In, `tiles` x stream of `VectorLayout`
    results : Out, `tiles` x stream of `ResultsLayout`
    quiet : Out, 1
        No vector is under way in any tile, or waits for one.
    programmed : In, `index(tiles)`
        Tile that is programmed; it stays until `done`.
    targets : In, stream of `TargetLayout`
    done : Out, 1
        The last target taken is programmed, or given up.
    inverting : In, `index(tiles)`
        Tile that solves; it stays until the answer.
    equations : In, stream of `EquationLayout`
    answers : Out, stream of `AnswerLayout`
        These three are there if tiles are `invertible`.
    tiles : Out, `tiles` x `TilePort`
    """

    def __init__(self, config: ChipConfig):
        self.config = config
        tiles = config.machine.tiles
        loops = {
            "inverting": In(index(tiles)),
            "equations": In(stream.Signature(EquationLayout(config))),
            "answers": Out(stream.Signature(AnswerLayout(config))),
        }
        super().__init__(
            {
                **(loops if config.machine.invertible else {}),
                "transposed": In(1),
                "vectors": In(stream.Signature(VectorLayout(config))).array(tiles),
                "results": Out(stream.Signature(ResultsLayout(config))).array(tiles),
                "quiet": Out(1),
                "programmed": In(index(tiles)),
                "targets": In(stream.Signature(TargetLayout(config))),
                "done": Out(1),
                "tiles": Out(TilePort(config)).array(tiles),
            }
        )

    def elaborate(self, platform):
        config, targets = self.config, self.targets
        m = Module()
        groups = by_direction(config, self.transposed, lambda direction: direction.groups)
        quiet = []
        ready = []
        done = []
        for t, port in enumerate(self.tiles):
            m.submodules[f"tile_{t}"] = tile = Tile(config)
            connect(m, flipped(self.vectors[t]), tile.vectors)
            connect(m, tile.results, flipped(self.results[t]))
            connect(m, tile.analog, flipped(port.analog))
            m.d.comb += [
                tile.hold.eq(port.hold),
                port.counters.eq(tile.counters),
                tile.targets.payload.eq(targets.payload),
                tile.targets.valid.eq(targets.valid & (self.programmed == t)),
                tile.outcomes.ready.eq(1),
            ]
            ready.append(tile.targets.ready)
            done.append(tile.outcomes.valid)
            if config.machine.invertible:
                self._connect_loop(m, tile, t)

            under_way = Signal(range(TILE_VECTORS + 1), name=f"under_way_{t}")
            begins = tile.vectors.valid & tile.vectors.ready
            last = tile.results.payload.group == groups - 1
            ends = tile.results.valid & tile.results.ready & last
            m.d.sync += under_way.eq(under_way + begins - ends)
            quiet.append(~tile.vectors.valid & (under_way == 0))
        m.d.comb += [
            self.quiet.eq(Cat(quiet).all()),
            targets.ready.eq(Array(ready)[self.programmed]),
            self.done.eq(Array(done)[self.programmed]),
        ]
        return m

    def _connect_loop(self, m: Module, tile: Tile, number: int) -> None:
        """Hand systems on to a tile while it is the one that solves."""
        m.d.comb += tile.equations.payload.eq(self.equations.payload)
        with m.If(self.inverting == number):
            m.d.comb += [
                tile.equations.valid.eq(self.equations.valid),
                self.equations.ready.eq(tile.equations.ready),
                self.answers.payload.eq(tile.answers.payload),
                self.answers.valid.eq(tile.answers.valid),
                tile.answers.ready.eq(self.answers.ready),
            ]
