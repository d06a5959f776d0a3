"""Results of the tiles, summed over blocks and rounded once, to the vector memory.

Tiles finish a vector at about the same time, and their results are then taken a few columns at a
time. For each such piece the row blocks at hand are added up, and, where a column block reaches
over several rounds, what a memory holds of the ones before.

Of a transposed product the results are rows, and the blocks to be added up stand further apart:
each adds itself to what the memory holds of the row.
"""

from amaranth.hdl import Array, Cat, Const, Module, Mux, Signal, signed
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from hw.common.arithmetic import tree_sum
from hw.common.direction import by_direction
from hw.machine.scheduler import BlockLayout, NextBlock
from hw.machine.vector_memory import VectorMemory, WritePort
from hw.tile.shift_add import ResultsLayout
from spec.config import ChipConfig
from spec.isa import RIGHT_SHIFTS, WORD_RANGE


class ResultBuffer(wiring.Component):
    """Put the groups of a product into the order of the columns or, transposed, of the rows.

    Members
    -------
    transposed : In, 1
    results : In, stream of `ResultsLayout`
    full : Out, 1
        A whole product is there.
    words : Out, `lanes` x signed(result_bits)
        The next of its results.
    shift, free : In, 1
        Go on to the results behind these; forget the product.
    discard : In, 1
        Take results, and forget them.
    """

    def __init__(self, config: ChipConfig):
        self.config = config
        super().__init__(
            {
                "transposed": In(1),
                "results": In(stream.Signature(ResultsLayout(config))),
                "full": Out(1),
                "words": Out(data.ArrayLayout(signed(config.result_bits), config.machine.lanes)),
                "shift": In(1),
                "free": In(1),
                "discard": In(1),
            }
        )

    def elaborate(self, platform):
        config, results = self.config, self.results
        m = Module()
        directions = config.directions
        beats = -(-max(direction.outputs for direction in directions) // config.machine.lanes)
        ordered = Signal(data.ArrayLayout(signed(config.result_bits), beats * config.machine.lanes))
        # All groups but the last wait here, so that the product before can leave meanwhile.
        sums = data.ArrayLayout(signed(config.result_bits), config.converter.adcs)
        most = max(direction.groups for direction in directions)
        waiting = [Signal(sums, name=f"group_{g}") for g in range(most - 1)]

        groups = by_direction(config, self.transposed, lambda direction: direction.groups)
        last = results.payload.group == groups - 1
        m.d.comb += results.ready.eq(~last | ~self.full | self.discard)
        for i in range(config.machine.lanes):
            m.d.comb += self.words[i].eq(ordered[i])
        with m.If(self.shift):
            rest = ordered.as_value()[config.machine.lanes * config.result_bits :]
            m.d.sync += ordered.eq(rest)
        with m.If(self.free):
            m.d.sync += self.full.eq(0)
        with m.If(results.valid & results.ready):
            for g, group in enumerate(waiting):
                with m.If(results.payload.group == g):
                    m.d.sync += group.eq(results.payload.sums)
            with m.If(last):
                m.d.sync += self.full.eq(1)
                for transposed, direction in enumerate(directions):
                    with m.If(self.transposed == transposed):
                        for output in range(direction.outputs):
                            a, g = divmod(output, direction.groups)
                            group = [*waiting[: direction.groups - 1], results.payload.sums][g]
                            m.d.sync += ordered[output].eq(group[a])
        with m.If(self.discard):
            m.d.sync += self.full.eq(0)
        return m


class PartialSums(wiring.Component):
    """Sum up the products of a round.

    All inputs but `stop` stay while `busy`.

    Members
    -------
    start : In, 1
    stop : In, 1
        Discard results, and end.
    busy : Out, 1
    transposed : In, 1
        Whether the product is one with the transposed matrix.
    rows, columns, count, address : In
        Shape of the matrix, number of vectors, and where the first result goes.
    shift : In
        By how much sums are shifted right.
    first, blocks : In
        First block of the round, and how many there are.
    results : In, `tiles` x stream of `ResultsLayout`
    write : Out, `WritePort`
    saturations : Out
        Words that are clamped in this cycle.
    """

    def __init__(self, config: ChipConfig):
        self.config = config
        extent = range(config.machine.vector_words + 1)
        super().__init__(
            {
                "start": In(1),
                "stop": In(1),
                "busy": Out(1),
                "transposed": In(1),
                "rows": In(extent),
                "columns": In(extent),
                "count": In(extent),
                "address": In(range(config.machine.vector_words)),
                "shift": In(range(RIGHT_SHIFTS[1] + 1)),
                "first": In(BlockLayout(config)),
                "blocks": In(range(config.machine.tiles + 1)),
                "results": In(stream.Signature(ResultsLayout(config))).array(config.machine.tiles),
                "write": Out(WritePort(config)),
                "saturations": Out(range(config.machine.lanes + 1)),
            }
        )

    def elaborate(self, platform):
        config = self.config
        m = Module()
        lanes = config.machine.lanes
        place = range(config.machine.vector_words)
        transposed = self.transposed
        most = max(direction.outputs for direction in config.directions)
        last_beat = (-(-most // lanes) - 1) * lanes

        buffers = []
        for t, results in enumerate(self.results):
            m.submodules[f"buffer_{t}"] = buffer = ResultBuffer(config)
            connect(m, flipped(results), buffer.results)
            m.d.comb += [buffer.discard.eq(self.stop), buffer.transposed.eq(transposed)]
            buffers.append(buffer)
        # Unfinished sums, vector by vector: of the one column block that has any, or of all rows.
        m.submodules.memory = memory = VectorMemory(config, config.partial_bits)

        # First stage: which `lanes` results of which tile. From a `segment` on, the blocks of one
        # column block are visited once for each beat; transposed, a block is a segment of its own.
        left = Signal(range(config.machine.vector_words + 1))
        block, segment = Signal(BlockLayout(config)), Signal(BlockLayout(config))
        position, segment_position = (
            Signal(range(max(2, config.machine.tiles)), name=name)
            for name in ("position", "segment_position")
        )
        offset = Signal(range(last_beat + 1))
        output, store = Signal(place), Signal(place)
        m.submodules.next_block = after = NextBlock(config)
        m.d.comb += [
            after.rows.eq(self.rows),
            after.columns.eq(self.columns),
            after.block.eq(block),
        ]

        # Of the results: where those of the block start, how many it and the matrix have.
        start, length = Signal(place), Signal(range(config.machine.vector_words + 1))
        size = by_direction(config, transposed, lambda direction: direction.outputs)
        m.d.comb += [
            start.eq(Mux(transposed, block.top, block.left)),
            length.eq(Mux(transposed, self.rows, self.columns)),
        ]
        stage = data.StructLayout(
            {"valid": 1, "finished": 1, "output": place, "store": place, "mask": lanes}
        )
        adding, added, rounding = (
            Signal(stage, name=name) for name in ("adding", "added", "rounding")
        )
        taking, stored = Signal(), Signal(place)
        first_of_segment = transposed | (position == segment_position)
        last_of_round = position == self.blocks - 1
        last_of_segment = transposed | after.bottom | last_of_round
        last_of_block = (offset + lanes >= size) | (start + offset + lanes >= length)
        finished = Mux(transposed, after.rightmost, after.bottom)
        resumed = first_of_segment & (Mux(transposed, block.left, block.top) != 0)
        # The sum before is on its way into the memory.
        early = Signal()
        m.d.comb += [
            stored.eq(store + offset + Mux(transposed, block.top, 0)),
            early.eq(
                resumed
                & Cat(s.valid & ~s.finished & (s.store == stored) for s in (adding, added)).any()
            ),
            taking.eq(
                (left != 0)
                & ~self.stop
                & ~early
                & Array(buffer.full for buffer in buffers)[block.tile]
            ),
        ]
        for t, buffer in enumerate(buffers):
            here = taking & (block.tile == t)
            m.d.comb += [buffer.shift.eq(here), buffer.free.eq(here & last_of_block)]
        m.d.comb += [
            memory.read.en.eq(taking & resumed),
            memory.read.address.eq(stored),
        ]

        def begin(at, number):
            return [
                block.eq(at),
                segment.eq(at),
                position.eq(number),
                segment_position.eq(number),
                offset.eq(0),
            ]

        # Unfinished are the sums of all rows, or never more than a column block.
        narrow = ~transposed & (self.columns > config.array.columns)
        stride = Mux(narrow, config.array.columns, length)
        with m.If(taking):
            with m.If(~last_of_segment):
                m.d.sync += [block.eq(after.next), position.eq(position + 1)]
            with m.Elif(~last_of_block):
                m.d.sync += [
                    block.eq(segment),
                    position.eq(segment_position),
                    offset.eq(offset + lanes),
                ]
            with m.Elif(~last_of_round):
                m.d.sync += begin(after.next, position + 1)
            with m.Else():
                m.d.sync += [
                    *begin(self.first, 0),
                    left.eq(left - 1),
                    output.eq(output + length),
                    store.eq(store + stride),
                ]
        with m.Elif(self.start):
            m.d.sync += [
                *begin(self.first, 0),
                left.eq(self.count),
                output.eq(self.address),
                store.eq(0),
            ]
        with m.If(self.stop):
            m.d.sync += left.eq(0)

        # Second stage: add.
        adds, first, resume = Signal(), Signal(), Signal()
        terms = Signal(buffers[0].words.shape())
        m.d.sync += [
            adds.eq(taking),
            first.eq(first_of_segment),
            resume.eq(resumed),
            terms.eq(Array(buffer.words.as_value() for buffer in buffers)[block.tile]),
            adding.valid.eq(taking & last_of_segment),
            adding.finished.eq(finished),
            adding.output.eq(output + start + offset),
            adding.store.eq(stored),
        ]
        for i in range(lanes):
            word = offset + i
            m.d.sync += adding.mask[i].eq((word < size) & (start + word < length))
        sums = Signal(data.ArrayLayout(signed(config.partial_bits), lanes))
        with m.If(adds):
            for total, term, before in zip(sums, terms, memory.read.data, strict=True):
                base = Mux(first, Mux(resume, before, Const(0, signed(1))), total)
                m.d.sync += total.eq(base + term)

        # Third stage: keep what is unfinished; shift the rest, but for the last bit.
        m.d.sync += added.eq(adding)
        shifted = Signal(data.ArrayLayout(signed(config.partial_bits + 1), lanes))
        m.d.comb += [
            memory.write.en.eq(added.valid & ~added.finished),
            memory.write.address.eq(added.store),
            memory.write.mask.eq(added.mask),
            memory.write.data.eq(sums),
        ]
        for total, value in zip(sums, shifted, strict=True):
            m.d.sync += value.eq((total << 1) >> self.shift)

        # Fourth stage: round, saturate and write.
        m.d.sync += [rounding.eq(added), rounding.valid.eq(added.valid & added.finished)]
        m.d.comb += [
            self.write.en.eq(rounding.valid),
            self.write.address.eq(rounding.output),
            self.write.mask.eq(rounding.mask),
        ]
        low, high = WORD_RANGE
        clamped = []
        for value, word, used in zip(shifted, self.write.data, rounding.mask, strict=True):
            rounded = Signal(signed(config.partial_bits + 1))
            m.d.comb += rounded.eq((value + 1) >> 1)
            above, below = rounded > high, rounded < low
            m.d.comb += word.eq(Mux(above, high, Mux(below, low, rounded)))
            clamped.append(used & (above | below))
        with m.If(rounding.valid):
            m.d.comb += self.saturations.eq(tree_sum(clamped))

        m.d.comb += self.busy.eq((left != 0) | adds | adding.valid | added.valid | rounding.valid)
        return m
