"""A link asks, waits, counts and speaks within its limits, tried at their ends."""

import numpy as np
import pytest

from golden.machine.machine import Machine
from ohmulator.host import Frame, Host, LinkError, ModelCarrier, SerialCarrier
from ohmulator.host.errors import RefusedError
from ohmulator.host.framing import MAX_FRAME_BYTES, Deframer, encode
from ohmulator.host.link import Link
from spec.assembly import assemble
from spec.errors import UserError
from spec.isa import ErrorCode, Space
from spec.packet import ERROR, HEADER, REPLY, Packet, packet, unpack
from tests.support.replies import CONFIG

TOP = (1 << 32) - 1


class Answers:
    """A device whose replies are made from each command by a function."""

    def __init__(self, answer):
        self.answer = answer
        self.sent: list[list[int]] = []
        self.waited: list[float] = []
        self._frames: list[Frame] = []

    def send(self, words):
        self.sent.append(list(words))
        self._frames = list(self.answer(list(words), len(self.sent)))

    def receive(self, timeout_s):
        self.waited.append(timeout_s)
        return self._frames.pop(0) if self._frames else None

    def close(self):
        pass


def reply_to(command, payload=(), **changes):
    header = unpack(HEADER, command[0])
    kind = changes.get("kind", header["type"] + REPLY)
    sequence = changes.get("sequence", header["sequence"])
    return Frame(packet(kind, sequence, payload, changes.get("code", 0)), False)


def good(command, _):
    return [reply_to(command)]


@pytest.mark.parametrize("retries", [0, 1, 3])
def test_a_command_is_sent_once_more_than_it_is_repeated(retries):
    silent = Answers(lambda command, _: [])
    with pytest.raises(LinkError, match=f"ABORT, sent {retries + 1} times: nothing came for 0.5 s"):
        Link(silent, 0.5, retries).ask(Packet.ABORT)
    assert len(silent.sent) == retries + 1
    assert silent.waited == [0.5] * (retries + 1)
    last = Answers(lambda command, number: [reply_to(command)] * (number == retries + 1))
    assert Link(last, 0.5, retries).ask(Packet.ABORT) == []


def test_limits_of_waiting_and_repeating():
    for timeout_s, retries in [(0, 0), (1e6, 1_000_000)]:
        assert Link(Answers(good), timeout_s, retries).ask(Packet.ABORT) == []
    with pytest.raises(UserError, match=r"timeout_s must be a number of 0 to 1e\+06 seconds"):
        Link(Answers(good), 1e6 + 1, 0)
    with pytest.raises(UserError, match="retries must be an integer of 0 to 1000000"):
        Link(Answers(good), 1.0, 1_000_001)


def test_sequence_numbers_go_round():
    device = Answers(good)
    link = Link(device, 1.0, 0)
    for _ in range(600):
        link.ask(Packet.ABORT)
    numbers = [unpack(HEADER, words[0])["sequence"] for words in device.sent]
    assert numbers == [number % 256 for number in range(1, 601)]


@pytest.mark.parametrize("strays", [15, 16])
def test_fifteen_replies_to_other_commands_are_passed_over(strays):
    def answer(command, _):
        other = reply_to(command, sequence=unpack(HEADER, command[0])["sequence"] ^ 1)
        return [*[other] * strays, reply_to(command)]

    link = Link(Answers(answer), 1.0, 0)
    if strays < 16:
        assert link.ask(Packet.ABORT) == []
    else:
        with pytest.raises(LinkError, match="only replies to other commands came"):
            link.ask(Packet.ABORT)


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        ([], "no words"),
        ([1, 2, 3, 4], "0x00000001 0x00000002 0x00000003 0x00000004"),
        ([1, 2, 3, TOP, 5], "0x00000001 0x00000002 0x00000003 0xffffffff and 1 more words"),
        ([7] * 20, " ".join(["0x00000007"] * 4) + " and 16 more words"),
        (["x" * 50], "'xxxxxxxxxxxxxxxxxxx"),
    ],
)
def test_four_words_of_a_damaged_reply_are_shown(words, shown):
    device = Answers(lambda command, _: [Frame(words, True)])
    with pytest.raises(LinkError) as caught:
        Link(device, 1.0, 0).ask(Packet.ABORT)
    assert f"the reply arrived damaged, as {shown} (check" in str(caught.value)


@pytest.mark.parametrize("change", [{"magic": 0x4E}, {"words": 1}, {"length": 1}, {"large": 1}])
def test_what_is_no_packet_is_damaged(change):
    def answer(command, _):
        words = reply_to(command).words
        if "magic" in change:
            words[0] = words[0] & 0xFFFFFF | change["magic"] << 24
        words[1] += change.get("length", 0)
        words = words[: change.get("words", 2)]
        if "large" in change:
            words = [words[0], 1, TOP + 1]
        return [Frame(words, False)]

    with pytest.raises(LinkError, match="the reply arrived damaged"):
        Link(Answers(answer), 1.0, 0).ask(Packet.ABORT, words=None)


def test_words_of_replies_reach_to_their_largest():
    device = Answers(lambda command, _: [reply_to(command, [0, TOP])])
    assert Link(device, 1.0, 0).ask(Packet.READ, [0, 0, 2], 2) == [0, TOP]
    for words in (1, 3):
        with pytest.raises(LinkError, match=f"a reply of 2 words came instead of {words}"):
            Link(device, 1.0, 0).ask(Packet.READ, [0, 0, 2], words)


@pytest.mark.parametrize(
    ("kind", "payload", "told"),
    [
        (Packet.READ, [Space.WEIGHT, 7, 9], "read 9 words at 7 of the WEIGHT space"),
        (Packet.WRITE, [Space.SCALAR, 5, 1, 2, 3], "write 3 words at 5 of the SCALAR space"),
        (Packet.RUN, [11], "run the program at instruction 11"),
        (Packet.STATUS, [], "answer STATUS"),
    ],
)
def test_refusals_name_the_command(kind, payload, told):
    def answer(command, _):
        return [reply_to(command, kind=ERROR, code=ErrorCode.RANGE)]

    with pytest.raises(RefusedError) as caught:
        Link(Answers(answer), 1.0, 0).ask(kind, payload)
    assert told in str(caught.value)
    assert caught.value.code is ErrorCode.RANGE


def counting(lost):
    """Return a link, of whose commands so many are sent in vain before each is answered."""

    def answer(command, number):
        return [reply_to(command)] * (number % (lost + 1) == 0)

    return Link(Answers(answer), 1.0, lost)


@pytest.mark.parametrize("lost", [0, 2])
def test_packets_that_nobody_else_sent_are_between_answered_and_sent(lost):
    """Copies of the last one may be counted until the next look."""

    def count(*found, asked=3):
        link = counting(lost)
        assert link.undisturbed(1000)
        seen = []
        for number in found:
            for _ in range(asked):
                link.ask(Packet.ABORT)
            seen.append(link.undisturbed(number))
        return seen

    least, most = 1003, 1000 + 3 * (lost + 1)
    assert count(least) == count(most) == [True]
    assert count(least - 1) == count(most + 1) == [False]
    # The copies of the last command of before may be counted as well.
    assert count(most, most + 3 * (lost + 1) + lost) == [True, True]
    assert count(most, most + 3 * (lost + 1) + lost + 1) == [True, False]
    assert count(most, most + 2) == [True, False]


def test_the_count_of_packets_stops_at_its_largest():
    link = counting(0)
    assert link.undisturbed(TOP - 1)
    for _ in range(5):
        link.ask(Packet.ABORT)
    assert link.undisturbed(TOP)
    link.ask(Packet.ABORT)
    assert link.undisturbed(TOP)
    link.ask(Packet.ABORT)
    assert not link.undisturbed(TOP - 1)
    link.restart()
    assert link.undisturbed(7)


class Recorded(ModelCarrier):
    """A model that keeps what it is sent."""

    def __init__(self, machine, **arguments):
        super().__init__(machine, **arguments)
        self.sent: list[tuple[int, list[int]]] = []

    def send(self, words):
        self.sent.append((unpack(HEADER, words[0])["type"], list(words[2:])))
        super().send(words)

    def payloads(self, kind):
        return [payload for each, payload in self.sent if each == kind]


def test_words_go_256_at_a_time():
    config = CONFIG.replace(vector_words=1024)
    carrier = Recorded(Machine(config))
    host = Host(carrier, config)
    words = np.arange(600)
    host.write(Space.VECTOR, 10, words)
    assert host.read(Space.VECTOR, 10, 600).tolist() == words.tolist()
    parts = [(10, 256), (266, 256), (522, 88)]
    assert [(p[1], len(p) - 2) for p in carrier.payloads(Packet.WRITE)] == parts
    assert [tuple(p[1:]) for p in carrier.payloads(Packet.READ)] == parts
    assert host.read(Space.VECTOR, 0, 0).size == 0
    assert len(carrier.payloads(Packet.READ)) == 3


@pytest.mark.parametrize(
    ("address", "count", "kept"), [(0, 10, True), (0, 11, False), (14, 3, True), (13, 1, False)]
)
def test_what_is_kept_is_forgotten_when_a_later_write_touches_it(address, count, kept):
    """Four words from 10 on; of another space, none."""
    host = Host(ModelCarrier(Machine(CONFIG)), CONFIG)
    writes = [(Space.VECTOR, 10, np.arange(4))]
    host.put(writes)
    host.write(Space.WEIGHT, 10, np.zeros(4, int))
    assert host.keeps(writes)
    host.write(Space.VECTOR, address, np.zeros(count, int))
    assert host.keeps(writes) == kept


@pytest.mark.parametrize("instructions", [1, 7, None])
def test_models_run_so_many_instructions_before_each_packet(instructions):
    machine = Machine(CONFIG)
    arguments = {} if instructions is None else {"instructions": instructions}
    host = Host(ModelCarrier(machine, **arguments), CONFIG)
    host.write(Space.PROGRAM, 0, np.array(assemble("JUMP 0"), "<u8").view("<u4"))
    host.start()
    for number in (1, 2):
        assert host.status().running
        assert machine.chip_counters["instructions"] == number * (instructions or 10_000)
    host.abort()


def test_models_run_one_instruction_at_least():
    machine = Machine(CONFIG)
    ModelCarrier(machine, 1 << 32)
    for instructions in (0, (1 << 32) + 1):
        with pytest.raises(UserError, match="instructions must be an integer of 1 to 4294967296"):
            ModelCarrier(machine, instructions)


class Noise:
    """A serial line that delivers pieces of bytes, none of which ends a frame."""

    def __init__(self, size):
        self.size, self.reads = size, 0

    def read(self, timeout_s):
        self.reads += 1
        return bytes(self.size)

    def write(self, data):
        pass

    def close(self):
        pass


@pytest.mark.parametrize("size", [MAX_FRAME_BYTES // 4, MAX_FRAME_BYTES // 4 + 1, 1 << 20])
def test_noise_is_given_up_when_more_came_than_any_frame_has(size):
    line = Noise(size)
    assert SerialCarrier(line).receive(1.0) is None
    assert line.reads == MAX_FRAME_BYTES // size + 1
    assert MAX_FRAME_BYTES == 1 << 16


@pytest.mark.parametrize("escaped", [False, True])
def test_frames_as_long_as_any_are_found_and_longer_ones_are_damaged(escaped):
    words = [0x7D7E7D7E if escaped else 0] * ((1 << 14) - 1)
    (frame,) = Deframer().feed(encode(words))
    assert frame == Frame(words, False)
    (frame,) = Deframer().feed(encode([*words, 0]))
    assert frame.damaged
