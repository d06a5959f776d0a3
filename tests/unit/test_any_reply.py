"""Any reply, and any bytes, end in a value or an error of the link."""

import contextlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ohmulator import Chip
from ohmulator.host import (
    Frame,
    Host,
    LinkError,
    MismatchError,
    ProgramError,
    RefusedError,
    SerialCarrier,
)
from ohmulator.host import host as host_module
from ohmulator.host.framing import MAX_FRAME_BYTES, Deframer, encode
from spec.framing import FLAG
from spec.isa import ErrorCode, Space
from spec.packet import ERROR, HEADER, HEADER_WORDS, REPLY, Packet, packet, unpack
from tests.support.replies import CONFIG, Altered

words = st.integers(0, (1 << 32) - 1) | st.integers(0, 12)
odd = st.integers() | st.sampled_from([1.5, None, "x", np.float64("nan"), 10**5000, -(1 << 40)])


@st.composite
def alterations(draw):
    """Draw what becomes of a reply, given the command: frames, most of them nearly right."""
    payload = draw(st.none() | st.lists(words, max_size=40))
    fields = draw(
        st.fixed_dictionaries(
            {},
            optional={
                "type": st.sampled_from([ERROR, *(REPLY + kind for kind in Packet)])
                | st.integers(0, 255),
                "code": st.sampled_from([int(code) for code in ErrorCode]) | st.integers(0, 255),
                "sequence": st.integers(0, 255),
                "magic": st.integers(0, 255),
            },
        )
    )
    changes = draw(st.dictionaries(st.integers(0, 12), words | odd, max_size=3))
    length = draw(st.none() | words | odd)
    damaged = draw(st.integers(0, 9)) == 0
    copies = draw(st.sampled_from([1, 1, 1, 0, 2, 20]))

    def alter(reply):
        header = unpack(HEADER, reply[0]) | fields
        body = reply[HEADER_WORDS:] if payload is None else payload
        new = packet(header["type"], header["sequence"], body, header["code"])
        new[0] = new[0] & 0x00FFFFFF | header["magic"] << 24
        if length is not None:
            new[1] = length
        for at, word in changes.items():
            if at < len(new):
                new[at] = word
        return [Frame(new, damaged)] * copies

    return alter


ERRORS = LinkError, MismatchError, RefusedError, ProgramError

LONGEST = 1000
"""Replies after which a chip falls silent: one may run its program for ever."""


def use_everything(host):
    """Use a host in every way; each call ends in a value or one of `ERRORS`."""
    for use in (
        host.identify,
        host.status,
        host.counters,
        host.check,
        host.abort,
        host.start,
        lambda: host.write(Space.VECTOR, 0, range(300)),
        lambda: host.read(Space.VECTOR, 0, 256),
        lambda: host.run(timeout_s=0),
    ):
        try:
            use()
        except ERRORS as error:
            assert str(error) and "\n" not in str(error) and len(str(error)) < 400


@pytest.fixture(scope="module")
def impatient():
    """Let hosts give up chips at once that do not stop when aborted."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(host_module, "ABORT_S", 0.0)
        yield


@pytest.mark.usefixtures("impatient")
@settings(deadline=None, max_examples=200)
@given(st.lists(st.none() | alterations(), min_size=1, max_size=20), st.booleans())
def test_any_reply_ends_in_a_value_or_an_error_of_the_link(alterations, at_once):
    turns = 0

    def alter(command, reply):
        nonlocal turns
        turns += 1
        if turns > LONGEST:
            return []
        change = alterations[turns % len(alterations)] if turns > 1 or at_once else None
        return [Frame(reply, False)] if change is None else change(reply)

    with contextlib.suppress(*ERRORS):
        use_everything(Host(Altered(alter), CONFIG, retries=1))
    with contextlib.suppress(*ERRORS), Chip(CONFIG, carrier=Altered(alter)) as chip:
        chip.matrix([[1, 2]]).multiply([3])


@settings(deadline=None)
@given(st.lists(st.binary(max_size=60) | st.lists(words, max_size=9), max_size=30))
def test_any_bytes_of_a_serial_line_end_in_a_value_or_an_error_of_the_link(pieces):
    class Line:
        def __init__(self):
            self.pieces = iter(pieces)

        def write(self, data):
            pass

        def read(self, timeout_s):
            piece = next(self.pieces, b"")
            return piece if isinstance(piece, bytes) else encode(piece)

        def close(self):
            pass

    with pytest.raises((LinkError, MismatchError, RefusedError)):
        Host(SerialCarrier(Line()), CONFIG, retries=3)


def test_noise_does_not_fill_the_memory():
    deframer = Deframer()
    for _ in range(5):
        assert deframer.feed(bytes(MAX_FRAME_BYTES)) == []
    assert len(deframer._body) <= MAX_FRAME_BYTES + 1
    (frame,) = deframer.feed([FLAG])
    assert frame.damaged
    assert deframer.feed(encode([1, 2])) == [Frame([1, 2], False)]
