"""Replies that no chip would send: each ends in a value, or in an error that says what came."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from golden.machine.machine import Machine
from ohmulator.host import (
    Frame,
    Host,
    LinkError,
    MismatchError,
    ModelCarrier,
    RefusedError,
)
from spec.isa import Space
from spec.packet import ERROR, HEADER, HEADER_WORDS, IDENTITY_MAGIC, Packet, packet, unpack
from tests.support.replies import CONFIG, Altered


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


SAID = [
    (
        Packet.READ,
        refusing(99),
        read,
        MismatchError,
        "the chip refused to read 2 words at 4 of the VECTOR space with error code 99, " + VERSION,
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
]


@pytest.mark.parametrize("kind, alter, use, error, message", SAID)
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
