"""Test `Products`: run a scenario with physics behind every tile."""

import copy
from pathlib import Path
from typing import Any

import cocotb
from cocotb.clock import Clock
from cocotb.triggers import FallingEdge

from hw.machine.interfaces import InstructionReply, InstructionRequest
from sim.bridge import Bridge
from sim.packing import pack_fields, unpack, unpack_fields, unpack_word
from sim.signals import read_bits, read_flag, write_bits, write_flag
from sim.testbench import testbench
from sim.tile_counters import unpack_counters
from spec.counters import TILE_COUNTERS
from spec.isa import ErrorCode, Space
from tests.support.products import COUNTS, PORTS, Done, Outcome, Product, Scenario


class Host:
    """Act at falling edges, as the host and the sequencer would."""

    def __init__(self, dut: Any, scenario: Scenario):
        self.dut, self.scenario, self.config = dut, scenario, scenario.config
        self.edge = FallingEdge(dut.clk)

    async def run(self) -> Outcome:
        dut, scenario = self.dut, self.scenario
        Clock(dut.clk, 10, "ns").start()
        for name in ("port__request__valid", "port__reply__ready", "control__aborting"):
            getattr(dut, name).value = 0
        for name in (*PORTS.values(), "vector"):
            for member in ("read__en", "write__en") if name == "vector" else ("read", "write"):
                getattr(dut, f"{name}__{member}").value = 0
        dut.rst.value = 1
        await self.edge
        await self.edge
        dut.rst.value = 0
        bridges = [
            Bridge(dut, copy.deepcopy(analog), f"tiles__{t}__analog")
            for t, analog in enumerate(scenario.analogs)
        ]
        for bridge in bridges:
            cocotb.start_soon(bridge.run())
        for space, address, words in scenario.writes:
            for i, word in enumerate(words.tolist()):
                await self._write(space, address + i, word)
        step = sum(s << i * self.config.step_bits for i, s in enumerate(scenario.steps))
        dut.control__step.value = step
        outcome = Outcome([], [], [], [])
        for product in scenario.products:
            outcome.cycles.append(await self._multiply(product, outcome))
        outcome.conductances = [bridge.analog.array.g_s for bridge in bridges]
        return outcome

    async def _write(self, space: Space, address: int, word: int) -> None:
        dut = self.dut
        if space is Space.VECTOR:
            dut.vector__write__en.value = 1
            dut.vector__write__mask.value = 1
            dut.vector__write__address.value = address
            dut.vector__write__data.value = word
            await self.edge
            dut.vector__write__en.value = 0
            return
        name = PORTS[space]
        getattr(dut, f"{name}__address").value = address
        getattr(dut, f"{name}__data").value = word
        getattr(dut, f"{name}__write").value = 1
        await self.edge
        getattr(dut, f"{name}__write").value = 0

    async def _multiply(self, product: Product, outcome: Outcome) -> int:
        dut = self.dut
        write_bits(dut.port__request__payload, pack_fields(InstructionRequest, product.request))
        assert read_flag(dut.port__request__ready)
        write_flag(dut.port__request__valid, 1)
        before = self._counters()
        await self.edge
        write_flag(dut.port__request__valid, 0)
        cycles = 1
        while not read_flag(dut.port__reply__valid):
            write_flag(dut.control__aborting, product.aborts(cycles))
            cycles += 1
            assert cycles < 2_000_000, "no reply"
            await self.edge
        reply = unpack_fields(InstructionReply(self.config), read_bits(dut.port__reply__payload))
        write_flag(dut.port__reply__ready, 1)
        await self.edge
        write_flag(dut.port__reply__ready, 0)
        for _ in range(4):
            await self.edge
        counters = self._counters()
        outcome.counters.append(
            [{n: a[n] - b[n] for n in a} for a, b in zip(counters, before, strict=True)]
        )
        tiles = [{c.name: a[c.name] for c in TILE_COUNTERS if not c.timed} for a in counters]
        counts = {name: reply[name] for name in COUNTS}
        vector = await self._read_vector()
        holdings = await self._read_holdings()
        outcome.done.append(Done(ErrorCode(reply["code"]), counts, vector, holdings, tiles))
        return cycles

    def _counters(self) -> list[dict[str, int]]:
        ports = (f"tiles__{t}__counters" for t in range(self.config.machine.tiles))
        return [unpack_counters(read_bits(getattr(self.dut, port))) for port in ports]

    async def _read_vector(self) -> list[int]:
        dut, config = self.dut, self.config
        words: list[int] = []
        dut.vector__read__en.value = 1
        for address in range(0, config.machine.vector_words, config.machine.lanes):
            dut.vector__read__address.value = address
            await self.edge
            words += (
                unpack(read_bits(dut.vector__read__data), config.machine.lanes).astype(int).tolist()
            )
        dut.vector__read__en.value = 0
        return words

    async def _read_holdings(self) -> list[int]:
        words = []
        self.dut.holdings__read.value = 1
        for address in range(2 * self.config.machine.tiles):
            self.dut.holdings__address.value = address
            await self.edge
            words.append(unpack_word(read_bits(self.dut.holdings__value)))
        self.dut.holdings__read.value = 0
        return words


@testbench
async def multiply(dut: Any, scenario: Scenario, _: Path) -> Outcome:
    """Run a scenario."""
    return await Host(dut, scenario).run()
