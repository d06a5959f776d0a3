"""The sequencer with the vector unit in RTL, in lockstep with the model."""

import pytest
from hypothesis import given, settings

from golden.machine.machine import Machine
from spec.instruction import Instruction
from spec.isa import SCALAR_RANGE, WORD_RANGE, ErrorCode, Opcode
from tests.support.programs import scenarios
from tests.support.sequencer import CONFIG, LIMIT, UNTIMED, bench, check, model_of


@given(scenarios(CONFIG))
@settings(deadline=None, max_examples=25)
def test_random_programs(scenario):
    model = Machine(CONFIG)
    for write in scenario.writes():
        model.write(*write)
    bench().run(lambda ctx: bench().lockstep(ctx, model, 60))


EDGES = [*SCALAR_RANGE, *WORD_RANGE, -1, 0, 1, 1 << 32]


def set_scalar(number: int, value: int) -> list[Instruction]:
    high, low = divmod(value, 1 << 32)
    low -= (low >> 31) << 32
    return [
        Instruction(Opcode.SET, d=number, immediate=low),
        Instruction(Opcode.SETH, d=number, immediate=high),
    ]


@pytest.mark.parametrize("first", EDGES)
@pytest.mark.parametrize("half", [0, 1])
def test_scalars_at_their_ends(first, half):
    """All pairs of values. The program counter tells whether a branch is taken."""
    program = set_scalar(1, first)

    def branch(opcode: Opcode, **scalars: int) -> None:
        program.append(Instruction(opcode, **scalars, immediate=len(program) + 2))
        program.append(Instruction(Opcode.ADDI, d=5, a=1, immediate=WORD_RANGE[half]))

    for second in EDGES[half::2]:
        program += set_scalar(2, second)
        program += [Instruction(opcode, d=3, a=1, b=2) for opcode in (Opcode.ADD, Opcode.SUB)]
        for opcode in (Opcode.BEQ, Opcode.BNE, Opcode.BLT, Opcode.BGE):
            branch(opcode, a=1, b=2)
        branch(Opcode.LOOP, d=3)
        program.append(Instruction(Opcode.STORE, a=4, b=3, immediate=5))
    check([instruction.encode() for instruction in program])


@pytest.mark.parametrize("address", [0, 1, 127, 128, -1, 1 << 32, SCALAR_RANGE[0], SCALAR_RANGE[1]])
def test_addresses_of_single_words(address):
    program = []
    for immediate in (0, 1, -1, 127):
        program += [
            Instruction(Opcode.LOAD, d=2, a=1, immediate=immediate),
            Instruction(Opcode.STORE, a=1, b=3, immediate=immediate),
            Instruction(Opcode.LOAD, d=4, a=1, immediate=immediate),
        ]
    check([instruction.encode() for instruction in program], {1: address, 3: -99})


def test_loops():
    text = """
            SET s1, 3
    outer:  SET s2, 4
    inner:  VADD s3, s4, s5, s6
            ADDI s3, s3, 1
            LOOP s2, inner
            LOOP s1, outer
            HALT
    """
    model = check(text, {3: 64, 4: 3, 5: 31, 6: 5})
    assert model.chip_counters["instructions"] == 1 + 3 * (1 + 4 * 3 + 1) + 1


@pytest.mark.parametrize(
    "pc", [CONFIG.machine.program_words, CONFIG.machine.program_words + 1, (1 << 32) - 1]
)
def test_a_program_counter_outside_of_the_memory(pc):
    jump = Instruction(Opcode.JUMP, immediate=pc - ((pc >> 31) << 32)).encode()
    assert check([jump]).status.code is ErrorCode.PROGRAM_COUNTER
    running_off = [Instruction(Opcode.SET, d=1, immediate=i).encode() for i in range(64)]
    assert check(running_off).status.code is ErrorCode.PROGRAM_COUNTER
    model = model_of([])

    async def job(ctx):
        await bench().start(ctx, pc)
        model.start(pc)
        await bench().instruction(ctx, model.step())
        assert bench().state(ctx) == (False, ErrorCode.PROGRAM_COUNTER, pc)

    bench().run(job)


def test_every_opcode_and_every_unused_field():
    """All opcodes there are not are illegal, and all that are with a bit set that they ignore."""
    words = [code << 56 for code in range(256) if code not in list(Opcode)]
    for opcode in Opcode:
        words += [opcode << 56 | 1 << bit for bit in (0, 31, 32, 36, 40, 44, 48, 52, 55)]
    size = CONFIG.machine.program_words
    for start in range(0, len(words), size):
        check(words[start : start + size], limit=2 * size)


def test_adc_steps_are_those_of_the_run():
    top = CONFIG.step_range[1]
    program = [Instruction(Opcode.STEP, a=a, immediate=i) for a in (1, 2) for i in (-1, 0, 1, 2)]
    program += [Instruction(Opcode.STEP, a=a, immediate=0) for a in (3, 4, 5)]
    words = [instruction.encode() for instruction in program]
    check(words, {1: 0, 2: top, 3: top + 1, 4: -1, 5: 1 << 40})


ENDLESS = """
    again:  VSCALE s1, s2, s3, s4, s5
            VDOT s6, s1, s2, s5
            STORE s7, s6, 3
            LOAD s8, s7, 3
            ADDI s9, s9, 1
            JUMP again
"""


def test_abort_at_any_time():
    """An endless loop is aborted at every cycle, and goes on each time where it stopped."""
    this, model = bench(), model_of(ENDLESS, {1: 40, 2: 7, 3: -77, 4: 3, 5: 9, 7: 90})

    async def job(ctx):
        await this.load(ctx, model)
        for delay in range(100):
            model.start(model.status.pc)
            await this.start(ctx, model.status.pc)
            ended = 0
            for cycle in range(LIMIT):
                ctx.set(this.dut.control.abort, cycle == delay)
                finished = ctx.get(this.dut.trace.finished)
                if finished and ctx.get(this.dut.trace.code) == ErrorCode.ABORTED:
                    model.abort()
                elif finished:
                    model.step()
                    ended += cycle > delay
                await ctx.tick()
                if not this.state(ctx)[0]:
                    break
            assert ended <= 1
            assert this.state(ctx) == (False, ErrorCode.ABORTED, model.status.pc)
        await this.check_memories(ctx, model)

    this.run(job)
    assert model.chip_counters["instructions"] > 100


@pytest.mark.parametrize("delay", range(6))
def test_what_ends_by_itself_is_not_aborted(delay):
    """An abort that comes while the last instruction runs, or later, changes nothing."""
    this, model = bench(), model_of("SET s1, 5\nHALT")

    async def job(ctx):
        await this.load(ctx, model)
        await this.start(ctx, 1)
        for cycle in range(9):
            ctx.set(this.dut.control.abort, cycle == delay)
            await ctx.tick()
        assert this.state(ctx) == (False, ErrorCode.NONE, 1)
        await this.start(ctx, 0)
        await ctx.tick().repeat(8)
        assert this.state(ctx) == (False, ErrorCode.NONE, 1)

    this.run(job)


def test_a_product_may_end_by_abort():
    """Its counts are added all the same."""
    this, model = bench(), model_of("MVM s0, s0, s0, s0, 0\nHALT")

    async def job(ctx):
        await this.load(ctx, model)
        product = this.dut.product
        before = this.counters(ctx)
        await this.start(ctx, 0)
        while not ctx.get(product.request.valid):
            await ctx.tick()
        ctx.set(product.request.ready, 1)
        await ctx.tick()
        ctx.set(product.request.ready, 0)
        await this.abort(ctx)
        for _ in range(9):
            assert ctx.get(this.dut.aborting) and this.state(ctx)[0]
            await ctx.tick()
        counts = {"saturations": 2, "input_clips": 3, "reprograms": 4}
        ctx.set(product.reply.payload, {"code": ErrorCode.ABORTED, "scalar": 1, **counts})
        ctx.set(product.reply.valid, 1)
        await ctx.tick()
        ctx.set(product.reply.valid, 0)
        assert this.state(ctx) == (False, ErrorCode.ABORTED, 0)
        await ctx.tick().repeat(2)
        after = this.counters(ctx)
        assert not ctx.get(this.dut.aborting)
        assert {name: after[name] - before[name] for name in UNTIMED} == {
            "instructions": 0,
            **counts,
        }
        await this.check_memories(ctx, model)

    this.run(job)


def test_clock_cycles_are_counted():
    this, model = bench(), model_of("SET s5, 3\nVRELU s1, s1, s5\nHALT")

    async def job(ctx):
        await this.load(ctx, model)
        before = this.counters(ctx)
        await this.start(ctx, 0)
        await ctx.tick().repeat(49)
        after = this.counters(ctx)
        assert after["cycles"] - before["cycles"] == 50
        assert after["busy_cycles"] - before["busy_cycles"] == 4 + (15 + 2) + 4

    this.run(job)
