"""Order in which the words of the vectors of a round are read.

    product:             each vector - each row block of the round    - each beat
    transposed product:  each vector - each column block of the round - each beat

Tiles that share a block of the vector get it in one pass.
"""

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from hw.common.direction import by_direction
from hw.common.ranges import index, vector_address, vector_extent
from hw.machine.scheduler import RoundPort
from spec.config import ChipConfig


class OperandLayout(data.StructLayout):
    """Beat of a vector on its way to the tiles.

    `targets`, a bit for each tile that it goes to; `mask`, a bit for each lane that is an input of
    the block, the others are 0; `last`, 1 bit: nothing of the vector is still to come for these
    tiles; `counts`, 1 bit: its clips are counted.
    """

    def __init__(self, config: ChipConfig):
        super().__init__(
            {
                "targets": config.machine.tiles,
                "mask": config.machine.lanes,
                "last": 1,
                "counts": 1,
            }
        )


class OperandWalk(wiring.Component):
    """Walk over the vectors of a round.

    Members
    -------
    run : In, `RoundPort`
        Ends at once when it is stopped.
    beats : Out, stream of `OperandLayout`
        The beat that waits when the round is stopped is to be taken in that cycle, and dropped.
        Clips are counted of the column block 0 alone or, transposed, of the row block 0, so that
        each counts once.
    address : Out, `vector_address`
        Address of the beat.
    begins : Out, 1
        The beat is the first for its tiles.
    """

    def __init__(self, config: ChipConfig):
        self.config = config
        super().__init__(
            {
                "run": In(RoundPort(config)),
                "beats": Out(stream.Signature(OperandLayout(config))),
                "address": Out(vector_address(config)),
                "begins": Out(1),
            }
        )

    def elaborate(self, platform):
        config, run, beat = self.config, self.run, self.beats.payload
        round_ = run.round
        batch, transposed = round_.batch, round_.transposed
        lanes = config.machine.lanes
        last_offset = (-(-config.drive_lines // lanes) - 1) * lanes
        m = Module()

        # Vectors to come, and where the present one begins.
        left = Signal(vector_extent(config))
        origin = Signal(vector_address(config))
        # Index in the vector of the first input of the block, and in the block of that of the beat.
        start = Signal(vector_address(config))
        offset = Signal(range(last_offset + 1))
        # Number of the block within the round.
        position = Signal(index(config.machine.tiles))
        counting = Signal()

        lines = by_direction(config, transposed, lambda direction: direction.inputs)
        length = Signal(vector_extent(config))
        first_start = Signal(vector_address(config))
        m.d.comb += [
            length.eq(Mux(transposed, round_.columns, round_.rows)),
            first_start.eq(Mux(transposed, batch.first.left, batch.first.top)),
            run.busy.eq(left != 0),
            self.beats.valid.eq(run.busy),
            self.address.eq(origin + start + offset),
            self.begins.eq(offset == 0),
            beat.targets.eq(
                Cat(active & (batch.starts[t] == start) for t, active in enumerate(batch.active))
            ),
            beat.last.eq(offset == last_offset),
            beat.counts.eq(counting),
        ]
        for lane in range(lanes):
            place = offset + lane
            m.d.comb += beat.mask[lane].eq((place < lines) & (start + place < length))

        # Row blocks come over and over, and the round may begin with any; column blocks in order.
        beyond = start + lines
        wraps = beyond >= length
        following = Signal(vector_address(config))
        m.d.comb += following.eq(Mux(wraps, 0, beyond))
        finished = Mux(
            transposed,
            start == batch.last.left,
            (position == batch.blocks - 1) | (following == first_start),
        )
        begin = [
            position.eq(0),
            start.eq(first_start),
            counting.eq(Mux(transposed, batch.first.top, batch.first.left) == 0),
        ]
        with m.If(self.beats.valid & self.beats.ready):
            m.d.sync += offset.eq(offset + lanes)
            with m.If(beat.last):
                m.d.sync += [
                    offset.eq(0),
                    position.eq(position + 1),
                    start.eq(following),
                    counting.eq(transposed | (counting & ~wraps)),
                ]
                with m.If(finished):
                    m.d.sync += [left.eq(left - 1), origin.eq(origin + length), *begin]
        with m.Elif(run.start):
            m.d.sync += [left.eq(round_.count), origin.eq(round_.source), *begin]
        with m.If(run.stop):
            m.d.sync += [left.eq(0), offset.eq(0)]
        return m
