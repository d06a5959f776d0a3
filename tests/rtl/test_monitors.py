"""Monitors find what breaks the rule of streams, in any component; tests cannot do without them."""

from pathlib import Path

import pytest
from amaranth.hdl import Module, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import Out, connect, flipped

from hw.link.axi import AxiStream
from tests.support.amaranth_bench import Bench
from tests.support.monitors import Monitored, handshakes, simulator
from tests.support.simulation import Simulation

TESTS = Path(__file__).parents[1]


class Restless(wiring.Component):
    """Offers what changes, or is withdrawn, in the cycle 5."""

    def __init__(self, changes: str):
        self.changes = changes
        super().__init__({"o": Out(stream.Signature(8)), "axi": Out(AxiStream())})

    def elaborate(self, platform):
        m = Module()
        cycle = Signal(8)
        late = cycle >= 5
        values = {name: late if self.changes == name else 0 for name in ("payload", "last")}
        valid = ~late if self.changes == "valid" else 1
        m.d.sync += cycle.eq(cycle + 1)
        m.d.comb += [
            self.o.valid.eq(valid),
            self.o.payload.eq(values["payload"]),
            self.axi.tvalid.eq(valid),
            self.axi.tlast.eq(values["last"]),
        ]
        return m


class Outside(wiring.Component):
    def __init__(self, changes: str):
        self.changes = changes
        super().__init__({"o": Out(stream.Signature(8))})

    def elaborate(self, platform):
        m = Module()
        m.submodules.inside = inside = Restless(self.changes)
        connect(m, inside.o, flipped(self.o))
        return m


async def wait(ctx):
    for _ in range(10):
        await ctx.tick()


def by_bench(design):
    bench = Bench(design, 20)
    bench.sim.add_testbench(wait)
    bench.run()


def by_simulation(design):
    Simulation(design).run(wait)


@pytest.mark.parametrize("run", [by_bench, by_simulation])
@pytest.mark.parametrize(
    "changes, stream_, words",
    [
        ("payload", r"design(\.inside)?\.o", "payload changed while it waited"),
        ("valid", r"design(\.inside)?\.o", "valid fell before the transfer"),
        ("last", r"design\.inside\.axi\.t", "payload changed while it waited"),
    ],
)
def test_a_broken_stream_ends_any_simulation(changes, stream_, words, run):
    with pytest.raises(AssertionError, match=f"{stream_}: {words}"):
        run(Outside(changes))
    run(Outside("nothing"))


def test_all_streams_are_watched():
    design = Monitored(Outside("nothing"))
    by_bench(design)
    assert design.watched == ["design.o", "design.inside.o", "design.inside.axi.t"]
    names = ["awaddr", "awprot", "awvalid", "awready", "wdata", "wready", "wvalid", "rst"]
    assert [*handshakes(names)] == [
        ("awvalid", "awready", ["awaddr", "awprot"]),
        ("wvalid", "wready", ["wdata"]),
    ]


def test_nothing_is_simulated_without_monitors():
    mentions = {
        str(path.relative_to(TESTS))
        for path in TESTS.rglob("*.py")
        if "amaranth.sim" in path.read_text(encoding="utf-8") and path != Path(__file__)
    }
    assert mentions == {"support/monitors.py"}
    assert simulator.__module__ == "tests.support.monitors"
