"""The host's API on the model: what it returns, what it refuses, and how it survives a bad link."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from golden.link.responder import Responder
from golden.machine.machine import Machine
from ohmulator.host.carrier import MAX_FRAME_BYTES, ModelCarrier, SerialCarrier
from ohmulator.host.errors import LinkError, MismatchError, ProgramError, RefusedError
from ohmulator.host.framing import Deframer, encode
from ohmulator.host.host import Host
from spec.assembly import assemble
from spec.errors import UserError
from spec.isa import ErrorCode, Space
from spec.packet import MAX_WORDS, identity
from tests.support.configs import TWO_TILES

CONFIG = TWO_TILES.replace(rows=4, columns=4, vector_words=1024, matrices=2)


@pytest.fixture
def machine() -> Machine:
    return Machine(CONFIG)


@pytest.fixture
def chip(machine: Machine) -> Host:
    return Host(ModelCarrier(machine), CONFIG)


def load(chip: Host, text: str) -> None:
    program = np.array(assemble(text), "<u8")
    chip.write(Space.PROGRAM, 0, program.view("<u4"))


@given(
    st.integers(0, 1023),
    st.lists(st.integers(-(1 << 31), (1 << 32) - 1), min_size=1, max_size=600),
)
def test_words_come_back_or_are_refused(address, words):
    chip = Host(ModelCarrier(Machine(CONFIG)), CONFIG)
    if address + len(words) <= CONFIG.machine.vector_words:
        chip.write(Space.VECTOR, address, words)
        read = chip.read(Space.VECTOR, address, len(words))
        np.testing.assert_array_equal(read, np.array(words) % (1 << 32))
    else:
        with pytest.raises(RefusedError, match=r"of the VECTOR space: words outside"):
            chip.write(Space.VECTOR, address, words)


def test_a_program_runs_and_its_counters_count(chip):
    load(chip, "set s0, 5\nset s1, 7\nadd s2, s0, s1\nhalt")
    with chip:
        chip.run()
        assert chip.read(Space.SCALAR, 4, 2).tolist() == [12, 0]
        counters = chip.counters()
    assert counters["instructions"] == 4
    assert counters["tile1.drives"] == 0
    assert "cycles" not in counters, "a model has none"


def test_the_end_of_a_program_is_told(chip):
    load(chip, "set s0, 5\nload s1, s0, 100000\nhalt")
    with pytest.raises(ProgramError, match=r"stopped at instruction 1: .*\(ADDRESS\)") as caught:
        chip.run()
    assert (caught.value.code, caught.value.pc) == (ErrorCode.ADDRESS, 1)


def test_an_endless_loop_is_aborted(chip):
    load(chip, "here: jump here")
    with pytest.raises(ProgramError, match=r"\(ABORTED\)"):
        chip.run(timeout_s=0)
    chip.start()
    assert chip.status().running
    with pytest.raises(RefusedError, match=r"refused to read 1 words at 0 .* \(BUSY\)"):
        chip.read(Space.VECTOR, 0, 1)
    chip.abort()
    assert not chip.status().running
    assert chip.read(Space.VECTOR, 0, 1).tolist() == [0]


@pytest.mark.parametrize(
    "changes, message",
    [
        ({"rows": 8}, "the chip has rows = 4 and the configuration 8"),
        ({"tiles": 3}, "the chip has tiles = 2 and the configuration 3"),
        ({"pulse_limit": 9}, f"the chip has the hardware {CONFIG.hardware}, and the configuration"),
    ],
)
def test_another_chip_is_refused(machine, changes, message):
    with pytest.raises(MismatchError, match=message):
        Host(ModelCarrier(machine), CONFIG.replace(**changes))


@pytest.mark.parametrize(
    "at, word, message",
    [
        (0, 0x4F484D56, "no Ohmulator chip: its identity starts with 0x4f484d56 instead of 0x4f48"),
        (1, 7, "the chip speaks version 7 of the protocol and this host version 1"),
    ],
)
def test_another_protocol_is_refused(machine, at, word, message):
    carrier = ModelCarrier(machine)
    carrier._responder.identity[at] = word
    with pytest.raises(MismatchError, match=message):
        Host(carrier, CONFIG)


@pytest.mark.parametrize(
    "words, message",
    [
        ([1 << 32], "words must be integers of -2147483648 to 4294967295, not 4294967296"),
        ([1.5], r"words must be a list of integers, not float64 of shape \(1,\)"),
        ([[1]], r"words must be a list of integers, not int64 of shape \(1, 1\)"),
    ],
)
def test_words_are_named_when_refused(chip, words, message):
    with pytest.raises(UserError, match=message):
        chip.write(Space.VECTOR, 0, words)


class BadLink:
    """A serial line to a model that loses and damages what it carries.

    Parameters
    ----------
    faults
        What happens to commands and replies in turn: "lost", "damaged" or "" each, and nothing
        when they are used up.
    """

    def __init__(self, machine: Machine, faults: Sequence[str]):
        self._responder = Responder(machine, identity(machine.config))
        self._faults = iter(faults)
        self._to_host = bytearray()
        self.written = 0

    def write(self, data: bytes) -> None:
        self.written += 1
        for frame in Deframer().feed(self._pass(data)):
            reply = self._responder.respond(frame.words, damaged=frame.damaged)
            self._to_host += self._pass(encode(reply))

    def _pass(self, data: bytes) -> bytes:
        match next(self._faults, ""):
            case "lost":
                return b""
            case "damaged":
                return data[:3] + bytes([data[3] ^ 1]) + data[4:]
        return data

    def read(self, timeout_s: float) -> bytes:
        data = bytes(self._to_host)
        self._to_host.clear()
        return data

    def close(self) -> None:
        pass


@given(st.lists(st.sampled_from(["", "lost", "damaged"]), max_size=40))
def test_everything_is_done_once_on_a_bad_link(faults):
    machine = Machine(CONFIG)
    line = BadLink(machine, faults)
    chip = Host(SerialCarrier(line), CONFIG, retries=len(faults))
    words = np.arange(600, dtype=np.uint32)
    load(chip, "addi s3, s3, 1\nhalt")
    for _ in range(3):
        chip.start()
        machine.step()
        machine.step()
        chip.write(Space.VECTOR, 5, words)
        np.testing.assert_array_equal(chip.read(Space.VECTOR, 5, 600), words)
    assert chip.read(Space.SCALAR, 6, 2).tolist() == [3, 0], "a program ran twice or never"


def test_a_dead_link_is_given_up():
    line = BadLink(Machine(CONFIG), ["lost"] * 99)
    with pytest.raises(LinkError, match=r"did not answer IDENTIFY, sent 3 times: nothing came"):
        Host(SerialCarrier(line), CONFIG, retries=2)
    assert line.written == 3


def test_a_line_of_noise_is_given_up():
    class Noise(BadLink):
        def read(self, timeout_s: float) -> bytes:
            return bytes([0x55]) * MAX_WORDS

    assert SerialCarrier(Noise(Machine(CONFIG), [])).receive(1.0) is None
    assert MAX_FRAME_BYTES > 4 * 2 * MAX_WORDS
