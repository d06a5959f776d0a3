"""Order in which the results of a round are added up.

    product:             each vector - each column block - each beat - its row blocks in the round
    transposed product:  each vector - each block        - each beat

The blocks whose results are added up in one go are a segment: those of one column block or, of a
transposed product, a single one.
"""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from hw.common.direction import by_direction
from hw.common.ranges import index, vector_address, vector_extent
from hw.machine.scheduler import BlockLayout, NextBlock, RoundPort
from spec.config import ChipConfig


class SumLayout(data.StructLayout):
    """Place of a beat of sums.

    `finished`, 1 bit: no block is still to be added; `destination`, address in the vector memory;
    `store`, address in the memory of unfinished sums; `mask`, a bit for each lane that is an
    output.
    """

    def __init__(self, config: ChipConfig):
        super().__init__(
            {
                "finished": 1,
                "destination": vector_address(config),
                "store": vector_address(config),
                "mask": config.machine.lanes,
            }
        )


class BeatLayout(data.StructLayout):
    """Beat of results that is to be added.

    `first` and `last` of its segment, 1 bit each; `resumed`, 1 bit: it is the first, and blocks of
    earlier segments have left a sum in the memory; `sum`, the `SumLayout` of what it is added to.
    """

    def __init__(self, config: ChipConfig):
        super().__init__({"first": 1, "last": 1, "resumed": 1, "sum": SumLayout(config)})


class SumWalk(wiring.Component):
    """Walk over the results of a round.

    Members
    -------
    run : In, `RoundPort`
        Ends at once when it is stopped.
    beats : Out, stream of `BeatLayout`
        The beat that waits when the round is stopped is to be taken in that cycle, and dropped.
    tile : Out, `index(tiles)`
        Tile whose results the beat is of.
    leaves : Out, 1
        The beat is the last that this tile has of the vector.
    """

    def __init__(self, config: ChipConfig):
        self.config = config
        super().__init__(
            {
                "run": In(RoundPort(config)),
                "beats": Out(stream.Signature(BeatLayout(config))),
                "tile": Out(index(config.machine.tiles)),
                "leaves": Out(1),
            }
        )

    def elaborate(self, platform):
        config, run, beat = self.config, self.run, self.beats.payload
        round_ = run.round
        lanes = config.machine.lanes
        transposed = round_.transposed
        m = Module()

        # Vectors to come, and where results and unfinished sums of the present one begin.
        left = Signal(vector_extent(config))
        results = Signal(vector_address(config))
        stored = Signal(vector_address(config))
        # Present block with its position in the round, those that its segment begins with, and
        # the index within the block of the first output of the beat.
        place = data.StructLayout(
            {"block": BlockLayout(config), "position": index(config.machine.tiles)}
        )
        here = Signal(place)
        segment = Signal(place)
        beats = -(-max(direction.outputs for direction in config.directions) // lanes)
        offset = Signal(range((beats - 1) * lanes + 1))

        m.submodules.next_block = after = NextBlock(config)
        following = Signal(place)
        beginning = Signal(place)
        m.d.comb += [
            after.rows.eq(round_.rows),
            after.columns.eq(round_.columns),
            after.block.eq(here.block),
            following.block.eq(after.next),
            following.position.eq(here.position + 1),
            beginning.block.eq(round_.batch.first),
        ]

        # Outputs of a tile and of the matrix, and the first one of the block.
        size = by_direction(config, transposed, lambda direction: direction.outputs)
        length = Signal(vector_extent(config))
        start = Signal(vector_address(config))
        last_of_round = here.position == round_.batch.blocks - 1
        m.d.comb += [
            length.eq(Mux(transposed, round_.rows, round_.columns)),
            start.eq(Mux(transposed, here.block.top, here.block.left)),
            run.busy.eq(left != 0),
            self.beats.valid.eq(run.busy),
            self.tile.eq(here.block.tile),
            self.leaves.eq((offset + lanes >= size) | (start + offset + lanes >= length)),
            beat.first.eq(transposed | (here.position == segment.position)),
            beat.last.eq(transposed | after.bottom | last_of_round),
            beat.resumed.eq(beat.first & (Mux(transposed, here.block.left, here.block.top) != 0)),
            beat.sum.finished.eq(Mux(transposed, after.rightmost, after.bottom)),
            beat.sum.destination.eq(results + start + offset),
            beat.sum.store.eq(stored + offset + Mux(transposed, here.block.top, 0)),
        ]
        for lane in range(lanes):
            output = offset + lane
            m.d.comb += beat.sum.mask[lane].eq((output < size) & (start + output < length))

        # Sums are unfinished of all rows, or never of more than one column block.
        narrow = ~transposed & (round_.columns > config.array.columns)
        begin = [here.eq(beginning), segment.eq(beginning), offset.eq(0)]
        with m.If(self.beats.valid & self.beats.ready):
            with m.If(~beat.last):
                m.d.sync += here.eq(following)
            with m.Elif(~self.leaves):
                m.d.sync += [here.eq(segment), offset.eq(offset + lanes)]
            with m.Elif(~last_of_round):
                m.d.sync += [here.eq(following), segment.eq(following), offset.eq(0)]
            with m.Else():
                m.d.sync += [
                    *begin,
                    left.eq(left - 1),
                    results.eq(results + length),
                    stored.eq(stored + Mux(narrow, config.array.columns, length)),
                ]
        with m.Elif(run.start):
            m.d.sync += [
                *begin,
                left.eq(round_.count),
                results.eq(round_.destination),
                stored.eq(0),
            ]
        with m.If(run.stop):
            m.d.sync += left.eq(0)
        return m
