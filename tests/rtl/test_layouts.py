"""Fields of structures are as wide as their largest value, where sizes are powers of two."""

import pytest
from amaranth.hdl import Shape

from hw.boundary.analog import CellLayout
from hw.converter.adc import CodesLayout
from hw.converter.dac import PlaneLayout, VectorLayout
from hw.link.command_receiver import CommandLayout, StoreLayout
from hw.link.interfaces import CommandWord, PlaceLayout, ReplyWord, WriteLayout
from hw.machine.interfaces import InstructionReply, InstructionRequest
from hw.machine.operand_walk import OperandLayout
from hw.machine.scheduler import BatchLayout, BlockLayout, RoundLayout
from hw.machine.sequencer import TraceLayout
from hw.machine.sum_walk import BeatLayout, SumLayout
from hw.tile.shift_add import ResultsLayout
from hw.tile.write_verify import OutcomeLayout, TargetLayout
from hw.top.trace import CountersLayout
from tests.support.configs import chip

CONFIG = chip(
    rows=8,
    columns=16,
    adcs=4,
    slices=2,
    cell_bits=2,
    input_bits=4,
    dac_bits=2,
    adc_bits=7,
    tiles=4,
    lanes=4,
    vector_words=64,
    program_words=32,
    weight_words=128,
    matrices=8,
    pulse_bits=5,
    pulse_limit=31,
)

# One of eight ADCs has codes of 7 bits; one of 16 lines, inputs of 4; a step has 2.
WIDTHS = {
    CellLayout: {"slice": 1, "row": 3, "adc": 2, "group": 2, "side": 1},
    CodesLayout: {"code": 8 * 7, "beyond": 8, "group": 2, "plane": 6, "step": 2 * 2},
    PlaneLayout: {"first": 1, "last": 1, "transposed": 1, "single": 1, "group": 2},
    VectorLayout: {"x": 16 * 4, "step": 2 * 2, "transposed": 1},
    ResultsLayout: {"sums": 4 * CONFIG.result_bits, "group": 2},
    TargetLayout: {"cell": 9, "level": 2, "reads": 1},
    OutcomeLayout: {"success": 1, "code": 7, "pulses": 5},
    OperandLayout: {"targets": 4, "mask": 4, "last": 1, "counts": 1},
    BlockLayout: {"number": 32, "tile": 2, "top": 6, "left": 6},
    # Blocks are none to four.
    BatchLayout: {"first": 46, "last": 46, "blocks": 3, "active": 4, "starts": 4 * 6},
    RoundLayout: {
        "transposed": 1,
        "rows": 7,
        "columns": 7,
        "count": 7,
        "source": 6,
        "destination": 6,
        "shift": 6,
        "batch": 46 + 46 + 3 + 4 + 24,
    },
    SumLayout: {"finished": 1, "destination": 6, "store": 6, "mask": 4},
    BeatLayout: {"first": 1, "last": 1, "resumed": 1, "sum": 17},
    InstructionReply: {
        "code": 8,
        "scalar": 64,
        "saturations": 7,
        "input_clips": 6,
        "reprograms": 8,
    },
    CountersLayout: {"chip": 6 * 64, "tiles": 4 * 10 * 64},
}
FIXED = {
    "CommandWord": (CommandWord, {"data": 32, "last": 1, "damaged": 1}),
    "ReplyWord": (ReplyWord, {"data": 32, "last": 1}),
    "PlaceLayout": (PlaceLayout, {"space": 3, "address": 32}),
    "WriteLayout": (WriteLayout, {"space": 3, "address": 32, "data": 32}),
    # Of up to 261 words, at which it stops counting.
    "CommandLayout": (
        CommandLayout,
        {"header": 32, "length": 32, "arguments": 96, "words": 9, "damaged": 1, "unfit": 1},
    ),
    "StoreLayout": (StoreLayout(64), {"en": 1, "index": 6, "word": 32}),
    "InstructionRequest": (
        InstructionRequest,
        {"opcode": 8, **dict.fromkeys("dabcn", 64), "immediate": 32},
    ),
    "TraceLayout": (
        TraceLayout,
        {"finished": 1, "pc": 32, "code": 8, "halves": 2, "number": 4, "scalar": 64},
    ),
}


def widths(layout):
    return {name: Shape.cast(field.shape).width for name, field in layout}


@pytest.mark.parametrize("layout", WIDTHS, ids=lambda layout: layout.__name__)
def test_fields_that_depend_on_the_configuration(layout):
    assert widths(layout(CONFIG)) == WIDTHS[layout]


@pytest.mark.parametrize("name", FIXED)
def test_fields_that_do_not(name):
    layout, wanted = FIXED[name]
    assert widths(layout) == wanted
