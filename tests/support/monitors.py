"""Monitors of streams: what is valid stays, and does not change, until it is taken.

`simulator` is the only way in which tests make Amaranth's simulator: it watches every stream of
every component of a design, however deep inside. Under cocotb, `sim.streams` watches those of the
top level.
"""

import random
from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from amaranth.hdl import (
    Assert,
    Cat,
    ClockDomain,
    Const,
    Elaboratable,
    Fragment,
    Module,
    ResetSignal,
    Signal,
    Value,
)
from amaranth.lib import wiring
from amaranth.sim import Simulator


class Handshake(NamedTuple):
    """Names of the signals of a stream, all payload told apart (`tdata`, `tlast`)."""

    valid: str
    ready: str
    payload: list[str]


def handshakes(names: Iterable[str]) -> Iterator[Handshake]:
    """Yield the streams among the signals of an interface, of Amaranth's form or of AXI's."""
    known = sorted(names)
    for valid in known:
        prefix = valid.removesuffix("valid")
        ready = f"{prefix}ready"
        if prefix != valid and ready in known:
            payload = [name for name in known if name.startswith(prefix)]
            yield Handshake(valid, ready, [name for name in payload if name not in (valid, ready)])


class Monitored(Elaboratable):
    """A design beside monitors of all its streams, in a clock domain `sync` that may be given.

    Attributes
    ----------
    watched
        Names of the streams, once elaborated.
    """

    def __init__(self, design: Any, sync: ClockDomain | None = None):
        self._design, self._sync = design, sync
        self.watched: list[str] = []

    def elaborate(self, platform: Any) -> Module:
        m = Module()
        if self._sync:
            m.domains.sync = self._sync
        fragment = Fragment.get(self._design, platform)
        scramble(fragment, random.Random(0))
        m.submodules.design = Elaborated(fragment)
        for name, component in components(fragment, "design"):
            groups: dict[tuple, dict[str, Value]] = defaultdict(dict)
            for path, _, value in component.signature.flatten(component):
                groups[path[:-1]][str(path[-1])] = Value.cast(value)
            for path, signals in groups.items():
                for valid, ready, payload in handshakes(signals):
                    stream = ".".join([name, *map(str, path), valid.removesuffix("valid")])
                    parts = Cat(signals[each] for each in payload)
                    self._watch(m, stream.rstrip("."), signals[valid], signals[ready], parts)
        return m

    def _watch(self, m: Module, name: str, valid: Value, ready: Value, payload: Value) -> None:
        if isinstance(ready, Const):
            return
        self.watched.append(name)
        waits = Signal()
        waited = Signal(len(payload))
        free = ~waits | ResetSignal(allow_reset_less=True)
        m.d.sync += [
            waits.eq(valid & ~ready),
            waited.eq(payload),
            Assert(free | valid, f"{name}: valid fell before the transfer"),
            Assert(free | (payload == waited), f"{name}: payload changed while it waited"),
        ]


class Elaborated(Elaboratable):
    """A fragment as a submodule."""

    def __init__(self, fragment: Fragment):
        self._fragment = fragment

    def elaborate(self, platform: Any) -> Fragment:
        return self._fragment


def components(fragment: Fragment, name: str) -> Iterator[tuple[str, wiring.Component]]:
    """Yield the components that a fragment was made from, and their names, outermost first."""
    for origin in fragment.origins or ():
        if isinstance(origin, wiring.Component):
            yield name, origin
    for number, (part, label, *_) in enumerate(fragment.subfragments):
        yield from components(part, f"{name}.{label or number}")


def scramble(fragment: Fragment, rng: random.Random) -> None:
    """Let each register without reset begin with anything, as on an ASIC."""
    for domain, statements in fragment.statements.items():
        for signal in statements._lhs_signals() if domain != "comb" else ():
            if signal.reset_less:
                signal._init = Const(rng.getrandbits(len(signal)), signal.shape()).value
    for part, *_ in fragment.subfragments:
        scramble(part, rng)


def simulator(design: Any, sync: ClockDomain | None = None) -> Simulator:
    """Return a simulator of a design, which a stream that breaks its rule ends."""
    return Simulator(Monitored(design, sync))
