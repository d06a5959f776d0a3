"""The machine's definitions: instructions, spaces, counters and error codes.

Model, RTL, compiler, host and the reference document all derive from these definitions.

State that a program sees: a vector memory of 32-bit signed words; the scalars s0 to s15, 64 bits
signed; the ADC steps; the program counter. RUN sets the program counter and resets the ADC steps
to `ChipConfig.forward.covering_step`, with which no exact sum of an MVM clips; everything else is
as the host or the last program left it.

An instruction names up to five scalars (`d`, `a`, `b`, `c`, `n`) and has a 32-bit immediate. A
vector is a scalar that holds the address of its first word, and `n`, the scalar that holds its
length; any address will do. Rules for all instructions:

- Whether an instruction ends in an error is decided before it starts. One that does changes
  nothing, not even a counter; the machine stops, and says the error code and the program counter.
  If several codes apply it says the lowest.
- Where a value does not fit, it is clamped to the nearest that does and counted in `saturations`:
  once a word or scalar.
- Rounding is to the nearest, halves up: x >> k stands for floor((x + 2^(k-1)) / 2^k) of the exact
  x, and for x itself if k is 0.
- Words that are read or written must lie inside the vector memory, all of a vector, and its length
  must not be negative; else ADDRESS. A destination may begin where a source begins; otherwise the
  two must not overlap; else OVERLAP.
- Jump targets are addresses of 32 bits without sign. PROGRAM_COUNTER is the error of fetching from
  one that is not in the program memory, be it a jump target or the end. HALT leaves the program
  counter at itself.
- ABORT may end an instruction midway: its destination then is written in part, and a tile that was
  being programmed holds nothing known.
- UNSETTLED alone comes midway: the systems before are solved and counted, and the tile stays
  programmed.
"""

import enum
from dataclasses import dataclass
from typing import NamedTuple

SCALARS = 16
SCALAR_BITS = 64
WORD_BITS = 32
"""Of the vector memory, of the immediate, and of every transfer with the host."""
WORD_RANGE = -(1 << (WORD_BITS - 1)), (1 << (WORD_BITS - 1)) - 1
SCALAR_RANGE = -(1 << (SCALAR_BITS - 1)), (1 << (SCALAR_BITS - 1)) - 1
RIGHT_SHIFTS = 0, 63
"""Amounts by which a product may be shifted right."""
SHIFTS = -31, 63
"""Amounts of VSHIFT: to the left where negative."""


class Field(NamedTuple):
    """Bits of an instruction or item of the memories."""

    name: str
    width: int
    summary: str
    signed: bool = False

    @property
    def range(self) -> tuple[int, int]:
        """Smallest and largest value."""
        if self.signed:
            return -(1 << (self.width - 1)), (1 << (self.width - 1)) - 1
        return 0, (1 << self.width) - 1


INSTRUCTION_FIELDS = (
    Field("immediate", 32, "a number, signed", signed=True),
    Field("n", 4, "scalar: a length"),
    Field("c", 4, "scalar: an operand"),
    Field("b", 4, "scalar: an operand, or the address of a source"),
    Field("a", 4, "scalar: an operand, or the address of a source"),
    Field("d", 4, "scalar: a result, or the address of a destination"),
    Field("zero", 4, "0"),
    Field("opcode", 8, "operation"),
)
"""An instruction, least significant field first."""
INSTRUCTION_BITS = sum(field.width for field in INSTRUCTION_FIELDS)

DESCRIPTOR_FIELDS = (
    Field("rows", 32, "length of the vectors that it multiplies; transposed, of the results"),
    Field("columns", 32, "length of the results; transposed, of the vectors"),
    Field("weights", 32, "address in the weight memory of W[0, 0]"),
    Field("tile", 32, "number of the tile of block 0"),
)
"""A matrix descriptor. Weights stand row by row."""

HOLDING_FIELDS = (
    Field("block", 32, "number of a block"),
    Field("matrix", 32, "number of its matrix plus 1, or 0: nothing known"),
)
"""What a tile holds."""


class Described(enum.IntEnum):
    """Numbers with a `summary` each."""

    summary: str

    def __new__(cls, value: int, summary: str = "") -> "Described":
        member = int.__new__(cls, value)
        member._value_ = value
        member.summary = summary
        return member


class ErrorCode(Described):
    """Why a program stopped or a request was refused."""

    NONE = 0, "no error"
    # Errors of instructions. Of several, the lowest is the one reported.
    PROGRAM_COUNTER = 1, "program counter outside of the program memory"
    ILLEGAL = (
        2,
        "unknown opcode or operation, or a field that the instruction does not use is not 0",
    )
    OPERAND = 3, "operand out of the range that the instruction or operation allows"
    MATRIX = 4, "no such descriptor, or its shape, its vectors or its tile cannot be"
    ADDRESS = 5, "words outside of the memory, or a negative length"
    OVERLAP = 6, "destination overlaps a source"
    WEIGHTS = 7, "matrix must be programmed, but its weights are not inside the weight memory"
    UNSETTLED = 8, "a loop has not settled within its bound"
    # Ends that are no error of an instruction.
    ABORTED = 16, "stopped by ABORT"
    # Refused requests; nothing has changed.
    BUSY = 32, "not while a program runs"
    TYPE = 33, "unknown type of packet"
    SPACE = 34, "unknown space"
    RANGE = 35, "words outside of the space"
    VALUE = 36, "word that the space cannot hold"
    LENGTH = 37, "payload shorter or longer than its packet needs"
    HEADER = 38, "no packet: wrong magic, or a code in a command"
    CRC = 39, "packet arrived damaged: send it again"


class Space(Described):
    """Spaces that the host reads and writes, in words of 32 bits, addressed by word.

    Wider items take several words, the least significant first.
    """

    VECTOR = 0, "vector memory"
    PROGRAM = 1, "program memory, 2 words an instruction"
    SCALAR = 2, "scalars, 2 words each"
    WEIGHT = 3, "weight memory, a signed weight a word; one out of range is refused"
    DESCRIPTOR = 4, "matrix descriptors, 4 words each, empty (rows = 0) after reset"
    """A write to a descriptor makes all tiles forget the blocks of its matrix: write weights first,
    it after them."""
    HOLDING = 5, "what each tile holds, 2 words each"
    """The host writes it when it has set conductances by other means than programming."""


class Immediate(enum.Enum):
    """Tell what the immediate of an instruction says."""

    NONE = "unused"
    VALUE = "signed number"
    TARGET = "address of an instruction"
    MATRIX = "number of a matrix"
    STEP = "index of an ADC step: a slice's, or last that of the unit column"


class Opcode(enum.IntEnum):
    """Numbers of the operations; `OPERATIONS` describes them.

    All others are illegal. So is 0, so that a program stops where it runs into empty memory.
    """

    HALT = 0x01
    JUMP = 0x02
    BEQ = 0x03
    BNE = 0x04
    BLT = 0x05
    BGE = 0x06
    LOOP = 0x07

    SET = 0x10
    SETH = 0x11
    ADD = 0x12
    SUB = 0x13
    ADDI = 0x14
    LOAD = 0x15
    STORE = 0x16

    VADD = 0x20
    VSUB = 0x21
    VMAX = 0x22
    VSHIFT = 0x23
    VSCALE = 0x24
    VCLAMP = 0x25
    VRELU = 0x26
    VMAXMAG = 0x27
    VDOT = 0x28

    STEP = 0x30
    MVM = 0x31
    MVM_T = 0x32
    INV = 0x33


PRODUCTS = Opcode.MVM, Opcode.MVM_T
"""Products of matrices with vectors, which the tiles make."""

TILE_OPCODES = *PRODUCTS, Opcode.INV
"""What the tiles execute."""

ANSWER_WORDS = 3
"""Words of an answer of INV besides its codes: exponent, ADC step, and whether it saturated."""


@dataclass(frozen=True, kw_only=True)
class Operation:
    """Describe what an opcode does.

    Attributes
    ----------
    semantics
        What it does. V[x] is the word of the vector memory at address x; i runs from 0 to n - 1.
    scalars
        Fields in use, in the order of the assembler; the others must be 0.
    immediate
        What the immediate says; last in the assembler.
    sources, destination
        Which of the fields are vectors, read and written.
    limits
        Operands allowed; else OPERAND.
    base_cycles, beat_cycles
        Duration from fetch to fetch: base_cycles + beat_cycles * ceil(n / lanes).
    """

    semantics: str
    scalars: str = ""
    immediate: Immediate = Immediate.NONE
    sources: str = ""
    destination: str = ""
    limits: str = ""
    base_cycles: int = 4
    beat_cycles: int = 0


def _branch(condition: str) -> Operation:
    return Operation(
        semantics=f"Go on at the target if {condition}.", scalars="ab", immediate=Immediate.TARGET
    )


def _vector(
    semantics: str, scalars: str, sources: str, destination: str = "", limits: str = ""
) -> Operation:
    return Operation(
        semantics=semantics,
        scalars=scalars,
        sources=sources,
        destination=destination,
        limits=limits,
        base_cycles=15,
        beat_cycles=len(sources),
    )


def _product(semantics: str) -> Operation:
    return Operation(
        semantics=semantics,
        scalars="dacn",
        immediate=Immediate.MATRIX,
        sources="a",
        destination="d",
        limits=f"c: {RIGHT_SHIFTS[0]} to {RIGHT_SHIFTS[1]}",
    )


OPERATIONS = {
    Opcode.HALT: Operation(semantics="Stop without an error."),
    Opcode.JUMP: Operation(semantics="Go on at the target.", immediate=Immediate.TARGET),
    Opcode.BEQ: _branch("a = b"),
    Opcode.BNE: _branch("a is not b"),
    Opcode.BLT: _branch("a < b"),
    Opcode.BGE: _branch("a >= b"),
    Opcode.LOOP: Operation(
        semantics="d := max(d - 1, 0); go on at the target unless d is 0 now.",
        scalars="d",
        immediate=Immediate.TARGET,
    ),
    Opcode.SET: Operation(semantics="d := immediate.", scalars="d", immediate=Immediate.VALUE),
    Opcode.SETH: Operation(
        semantics="d := immediate 2^32 + (d mod 2^32).", scalars="d", immediate=Immediate.VALUE
    ),
    Opcode.ADD: Operation(semantics="d := a + b, saturated to 64 bits.", scalars="dab"),
    Opcode.SUB: Operation(semantics="d := a - b, saturated to 64 bits.", scalars="dab"),
    Opcode.ADDI: Operation(
        semantics="d := a + immediate, saturated to 64 bits.",
        scalars="da",
        immediate=Immediate.VALUE,
    ),
    Opcode.LOAD: Operation(
        semantics="d := V[a + immediate].",
        scalars="da",
        immediate=Immediate.VALUE,
        base_cycles=5,
    ),
    Opcode.STORE: Operation(
        semantics="V[a + immediate] := b, saturated to 32 bits.",
        scalars="ab",
        immediate=Immediate.VALUE,
    ),
    Opcode.VADD: _vector("V[d+i] := V[a+i] + V[b+i], saturated to 32 bits.", "dabn", "ab", "d"),
    Opcode.VSUB: _vector("V[d+i] := V[a+i] - V[b+i], saturated to 32 bits.", "dabn", "ab", "d"),
    Opcode.VMAX: _vector("V[d+i] := max(V[a+i], V[b+i]).", "dabn", "ab", "d"),
    Opcode.VSHIFT: _vector(
        "V[d+i] := V[a+i] >> c, or V[a+i] 2^-c where c is negative; saturated to 32 bits.",
        "dacn",
        "a",
        "d",
        f"c: {SHIFTS[0]} to {SHIFTS[1]}",
    ),
    Opcode.VSCALE: _vector(
        "V[d+i] := (V[a+i] b) >> c, saturated to 32 bits.",
        "dabcn",
        "a",
        "d",
        f"b: 32 bits signed; c: {RIGHT_SHIFTS[0]} to {RIGHT_SHIFTS[1]}",
    ),
    Opcode.VCLAMP: _vector(
        "V[d+i] := min(max(V[a+i], b), c). Counts nothing.",
        "dabcn",
        "a",
        "d",
        "b, c: 32 bits signed, b <= c",
    ),
    Opcode.VRELU: _vector("V[d+i] := max(V[a+i], 0).", "dan", "a", "d"),
    Opcode.VMAXMAG: _vector(
        "d := smallest e >= 0 with -2^e <= V[a+i] < 2^e for all i, the block exponent; 0 if n = 0.",
        "dan",
        "a",
    ),
    Opcode.VDOT: _vector(
        "d := sum of all V[a+i] V[b+i], exact, then saturated to 64 bits.", "dabn", "ab"
    ),
    Opcode.STEP: Operation(
        semantics="ADC step [immediate] := a, as log2 in units, for the products of this run.",
        scalars="a",
        immediate=Immediate.STEP,
        limits="immediate: one of the tile's steps; a: what `step_bits` hold",
    ),
    Opcode.MVM: _product(
        "Multiply n vectors by a matrix W [rows, columns] of any shape: V[d + k columns + j] := "
        "(sum over r of W[r, j] V[a + k rows + r]) >> c, saturated to 32 bits, for k = 0 to n - 1. "
        "The vectors have n rows and n columns words, and may not overlap at all. An input beyond "
        "`input_range` is clamped to it and counted in `input_clips`, once, however many tiles it "
        "goes to. Tiles that lack a block are programmed, also if n is 0."
    ),
    Opcode.MVM_T: _product(
        "Multiply by the transposed matrix, on the same cells: as MVM, but V[d + k rows + r] := "
        "(sum over j of W[r, j] V[a + k columns + j]) >> c; the vectors have n columns and n rows "
        "words. Chips of the offset mapping do not know this opcode: ILLEGAL. No exact sum clips "
        "from the ADC step `ChipConfig.transposed.covering_step` on, which is coarser than the one "
        "that RUN sets where a tile has many more columns than rows."
    ),
    Opcode.INV: Operation(
        semantics="Solve n systems (W + F) x = v, as well as a loop of op-amps can, around the "
        "array of the top slice of the tile of a matrix, [m, m] and not larger than a tile. W is "
        "what that slice holds, in levels of a cell; F is diagonal, of as many feedback codes as "
        "a tile has rows, from V[b] on, each 2^-`feedback_fraction_bits` levels; one outside of "
        "its range is clamped to it and counted in `input_clips`. For k = 0 to n - 1, v stands "
        f"from V[a + k m] on, and the answer, m + {ANSWER_WORDS} words, from V[d + k (m + "
        f"{ANSWER_WORDS})] on: m codes; the exponent e, with which x = codes 2^e; the ADC step of "
        "the codes; and 1 if an op-amp saturated, else 0. The vector is scaled by a power of two "
        "to the range of the DACs. The first conversion is at ADC step c, or at the one of the "
        "vector before; the held values are converted again at another step where a code clips, "
        "or all leave half of the range unused. The destination may not overlap a source at all. "
        "A tile that lacks the matrix is programmed. Chips that are not `invertible` do not know "
        "this opcode: ILLEGAL.",
        scalars="dabcn",
        immediate=Immediate.MATRIX,
        sources="ab",
        destination="d",
        limits="c: 0 to `inv_steps` - 1",
    ),
}


class MachineError(Exception):
    """An instruction cannot be executed, or a request is refused; nothing has changed.

    `pc` is the address of the instruction, if it is one.
    """

    def __init__(self, code: ErrorCode, pc: int | None = None):
        super().__init__(code.summary + ("" if pc is None else f", at instruction {pc}"))
        self.code = code
        self.pc = pc
