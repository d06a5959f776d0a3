"""Addresses, words and times of a host at their ends."""

import numpy as np
import pytest

from golden.machine.machine import Machine
from ohmulator.host import Host, LinkError, ModelCarrier, ProgramError
from ohmulator.host import device_host as host_module
from ohmulator.host.arguments import checked_place, checked_words
from spec.assembly import assemble
from spec.errors import UserError
from spec.isa import Space
from tests.support.replies import CONFIG

TOP = (1 << 32) - 1


@pytest.mark.parametrize("count", [0, 1, 5])
def test_addresses_reach_to_the_last_with_all_words(count):
    last = TOP + 1 - count
    for address in (0, last):
        assert checked_place(Space, Space.WEIGHT, address, count) == (Space.WEIGHT, address)
    for address in (-1, last + 1):
        with pytest.raises(UserError, match=f"address must be an integer of 0 to {last}, not"):
            checked_place(Space, Space.WEIGHT, address, count)
    assert checked_place(Space, np.int8(3), 0, 1) == (Space.WEIGHT, 0)
    for space in (6, -1, "WEIGHT", 3.0, None, True):
        with pytest.raises(UserError, match=r"space must be one of VECTOR, PROGRAM, .* not"):
            checked_place(Space, space, 0, 1)


def test_words_are_of_32_bits_signed_or_not():
    for words in ([-(1 << 31), TOP], np.array([0, 255], np.uint8), [], range(3), [TOP, 0]):
        assert checked_words(words).tolist() == list(words)
    for word in (-(1 << 31) - 1, TOP + 1, 1 << 70):
        with pytest.raises(
            UserError, match=rf"words must be integers of -2147483648 to {TOP}, not"
        ):
            checked_words([0, word])
    for words in (3, [[1]], [[[1]]], [1.0], [True], ["1"], [1, None]):
        with pytest.raises(UserError, match="words must be a list of integers, not"):
            checked_words(words)
    with pytest.raises(UserError, match="not one of lists"):
        checked_words([[1], [1, 2]])


class Clock:
    """A clock that begins anywhere, and goes on by a second each time that it is looked at."""

    def __init__(self, monkeypatch):
        self.now = 5000.0
        monkeypatch.setattr(host_module.time, "monotonic", self.look)

    def look(self):
        self.now += 1.0
        return self.now


@pytest.fixture
def endless(monkeypatch):
    """Return a host whose chip runs a program that does not end, and what came of aborts."""
    machine = Machine(CONFIG)
    host = Host(ModelCarrier(machine, 1), CONFIG)
    host.write(Space.PROGRAM, 0, np.array(assemble("JUMP 0"), "<u8").view("<u4"))
    Clock(monkeypatch)
    host.looked = 0
    status = host.status

    def count():
        host.looked += 1
        return status()

    host.status = count
    return host, machine


@pytest.mark.parametrize(("timeout_s", "looks"), [(0, 1), (1, 1), (3, 3), (3.5, 4)])
def test_a_wait_ends_when_its_time_is_over(endless, timeout_s, looks):
    host, _ = endless
    host.start()
    host.looked = 0
    assert host._wait(timeout_s) is False
    assert host.looked == looks


def test_a_run_that_takes_too_long_is_aborted(endless):
    host, machine = endless
    with pytest.raises(ProgramError, match="ABORT"):
        host.run(timeout_s=2)
    assert not machine.status.running
    for bad in (-1e-9, 1e6 + 1):
        with pytest.raises(UserError, match=r"timeout_s must be a number of 0 to 1e\+06 seconds"):
            host.run(timeout_s=bad)


def test_an_abort_waits_ten_seconds(endless, monkeypatch):
    host, machine = endless
    host.start()
    monkeypatch.setattr(machine, "abort", lambda: None)
    host.looked = 0
    with pytest.raises(LinkError, match="the program did not stop when aborted: reset the chip"):
        host.abort()
    assert host.looked == 10


def test_programs_start_at_any_word(endless):
    host, machine = endless
    for pc in (-1, TOP + 1):
        with pytest.raises(UserError, match=f"pc must be an integer of 0 to {TOP}, not"):
            host.start(pc)
        with pytest.raises(UserError, match="pc must be"):
            host.run(pc)
    host.start(TOP)
    assert host.status().pc == TOP
    host.start(0)
    assert machine.status.running


def test_counts_of_words_reach_to_32_bits():
    host = Host(ModelCarrier(Machine(CONFIG)), CONFIG)
    assert host.read(Space.VECTOR, 0, 0).tolist() == []
    for count in (-1, TOP + 1):
        with pytest.raises(UserError, match=f"count must be an integer of 0 to {TOP}, not"):
            host.read(Space.VECTOR, 0, count)


def test_all_of_several_writes_must_be_kept():
    host = Host(ModelCarrier(Machine(CONFIG)), CONFIG)
    first, second = ((Space.VECTOR, at, np.arange(2)) for at in (0, 4))
    host.put([first])
    assert host.keeps([first]) and not host.keeps([first, second])
    host.put([second])
    assert host.keeps([first, second]) and host.keeps([])
    host.write(Space.HOLDING, 0, [0])
    assert not host.keeps([first])
