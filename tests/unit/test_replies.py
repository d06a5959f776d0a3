"""Replies that no chip would send: each ends in a value, or in an error that says what came."""

import contextlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from golden.machine.machine import Machine
from ohmulator import Chip
from ohmulator.host import (
    Frame,
    Host,
    LinkError,
    MismatchError,
    ModelCarrier,
    ProgramError,
    RefusedError,
    SerialCarrier,
)
from ohmulator.host import host as host_module
from ohmulator.host.framing import MAX_FRAME_BYTES, Deframer, encode
from spec.framing import FLAG
from spec.isa import ErrorCode, Space
from spec.load import load
from spec.packet import ERROR, HEADER, HEADER_WORDS, IDENTITY_MAGIC, REPLY, Packet, packet, unpack

CONFIG = load(
    "digits",
    rows=2,
    columns=2,
    adcs=1,
    tiles=1,
    vector_words=256,
    program_words=64,
    weight_words=16,
)


class Altered:
    """A carrier to a model that alters replies.

    Parameters
    ----------
    alter
        Gets the words of a command and of its reply, and returns the frames that come.
    """

    def __init__(self, alter):
        self.inner = ModelCarrier(Machine(CONFIG))
        self.alter = alter
        self.frames = []

    def send(self, words):
        self.inner.send(words)
        self.frames += self.alter(list(words), self.inner.receive(0).words)

    def receive(self, timeout_s):
        return self.frames.pop(0) if self.frames else None

    def close(self):
        pass


def answering(kind, alter):
    """Return a host that has been let in, and gets altered replies to a kind of command."""
    good = [True]

    def of_kind(command, reply):
        if good[0] or unpack(HEADER, command[0])["type"] != kind:
            return [Frame(reply, False)]
        return [Frame(alter(reply), False)]

    host = Host(Altered(of_kind), CONFIG, retries=1)
    good[0] = False
    return host


def with_payload(*payload):
    """Return what puts another payload into a reply."""
    return lambda reply: [reply[0], len(payload), *payload]


def refusing(code):
    """Return what makes a refusal of a reply."""
    return lambda reply: packet(ERROR, unpack(HEADER, reply[0])["sequence"], code=code)


def with_state(state):
    return lambda reply: [*reply[:HEADER_WORDS], state, *reply[HEADER_WORDS + 1 :]]


def read(host):
    return host.read(Space.VECTOR, 4, 2)


VERSION = "which version 1 of the protocol does not have: use the release that the chip was made"


@pytest.mark.parametrize(
    "kind, alter, use, error, message",
    [
        (
            Packet.READ,
            refusing(99),
            read,
            MismatchError,
            "the chip refused to read 2 words at 4 of the VECTOR space with error code 99, "
            + VERSION,
        ),
        (Packet.READ, refusing(32), read, RefusedError, r"space: not while a program runs \(BUSY"),
        (
            Packet.STATUS,
            with_state(200 << 1),
            Host.status,
            MismatchError,
            f"the last program ended with error code 200, {VERSION}",
        ),
        (
            Packet.STATUS,
            with_state(1 << 9),
            Host.status,
            MismatchError,
            f"the chip answers STATUS with the state 0x200, {VERSION}",
        ),
        (
            Packet.STATUS,
            with_payload(1, 2, 3),
            Host.check,
            LinkError,
            "did not answer STATUS, sent 2 times: a reply of 3 words came instead of 7 ",
        ),
        (
            Packet.READ,
            with_payload(1, 2, 3),
            read,
            LinkError,
            "did not answer READ, sent 2 times: a reply of 3 words came instead of 2 ",
        ),
        (Packet.READ, with_payload(), read, LinkError, "a reply of 0 words came instead of 2 "),
        (
            Packet.READ,
            with_payload(1 << 32, 2),
            read,
            LinkError,
            "arrived damaged, as 0x824f0000|arrived damaged, as 0x4f82.{4} 0x00000002 0x100000000 ",
        ),
        (Packet.READ, with_payload(-1, 2), read, LinkError, "the reply arrived damaged, as 0x.*-"),
        (Packet.READ, lambda _: [], read, LinkError, "the reply arrived damaged, as no words "),
        (Packet.READ, lambda reply: reply[:1], read, LinkError, "the reply arrived damaged, as 0x"),
        (
            Packet.READ,
            lambda reply: [*reply, 7],
            read,
            LinkError,
            "the reply arrived damaged, as .* 0x00000000 and 1 more words ",
        ),
        (
            Packet.READ,
            lambda reply: [reply[0] ^ 1 << 16, *reply[1:]],
            read,
            LinkError,
            "a reply to something else came, 0x4f83",
        ),
        (
            Packet.READ,
            lambda reply: [reply[0] | 5, *reply[1:]],
            read,
            LinkError,
            "a reply to something else came, 0x4f82..05",
        ),
        (
            Packet.READ,
            lambda reply: [*refusing(32)(reply)[:1], 1, 7],
            read,
            LinkError,
            "a reply of 1 words came instead of 0 ",
        ),
        (
            Packet.COUNTERS,
            with_payload(1, 2),
            Host.counters,
            LinkError,
            "did not answer COUNTERS, sent 2 times: a reply of 2 words came instead of 32 ",
        ),
        (
            Packet.WRITE,
            with_payload(1),
            lambda host: host.write(Space.VECTOR, 0, [1]),
            LinkError,
            "did not answer WRITE, sent 2 times: a reply of 1 words came instead of 0 ",
        ),
        (Packet.RUN, with_payload(1), Host.start, LinkError, "a reply of 1 words came instead of"),
        (
            Packet.ABORT,
            with_payload(1),
            Host.abort,
            LinkError,
            "a reply of 1 words came instead of 0 ",
        ),
        (
            Packet.IDENTIFY,
            with_payload(),
            Host.identify,
            MismatchError,
            "what answers is no Ohmulator chip: its identity is empty instead of 0x4f484d55",
        ),
        (
            Packet.IDENTIFY,
            with_payload(3),
            Host.identify,
            MismatchError,
            "no Ohmulator chip: its identity starts with 0x00000003 instead of 0x4f484d55",
        ),
        (
            Packet.IDENTIFY,
            with_payload(IDENTITY_MAGIC, 9, 1),
            Host.identify,
            MismatchError,
            "the chip speaks version 9 of the protocol and this host version 1: use the release",
        ),
        (
            Packet.IDENTIFY,
            with_payload(IDENTITY_MAGIC, 1, 1),
            Host.identify,
            MismatchError,
            "the identity of the chip has 3 words, and that of version 1 of the protocol 12: use",
        ),
        (
            Packet.IDENTIFY,
            with_payload(IDENTITY_MAGIC),
            Host.identify,
            MismatchError,
            "the identity of the chip has 1 words, and that of version 1 of the protocol 12: use",
        ),
    ],
)
def test_what_came_is_said(kind, alter, use, error, message):
    with pytest.raises(error, match=message):
        use(answering(kind, alter))


def test_a_carrier_that_fails_is_a_link_that_fails():
    class Broken(ModelCarrier):
        def receive(self, timeout_s):
            raise OSError(5, "Input/output error")

    with pytest.raises(LinkError, match=r"^the link to the chip failed at IDENTIFY: .*output err"):
        Host(Broken(Machine(CONFIG)), CONFIG)


@given(st.lists(st.sampled_from(["once", "twice", "late", "never"]), max_size=60))
def test_replies_that_come_twice_or_late_do_no_harm(fates):
    fates = iter(fates)
    kept = []

    def alter(command, reply):
        frames = [*kept]
        kept.clear()
        match next(fates, "once"):
            case "once":
                frames.append(Frame(reply, False))
            case "twice":
                frames += [Frame(reply, False)] * 2
            case "late":
                kept.append(Frame(reply, False))
        return frames

    host = Host(Altered(alter), CONFIG, retries=99)
    for start in range(0, 30, 10):
        host.write(Space.VECTOR, 3, range(start, start + 10))
        assert host.read(Space.VECTOR, 3, 10).tolist() == [*range(start, start + 10)]
    host.start()
    assert not host.status().running


# Anything may come.

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
