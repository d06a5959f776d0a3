"""Others use the chip too: products are right, or it is said that they cannot be.

Matrices take each other's place, hosts each other's, and devices are reset: at every packet.
"""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from golden.machine.machine import Machine
from golden.tile.analog import Analog
from ohmulator.compiler import compile_matrix, load, multiply
from ohmulator.host import Host, LinkError, ModelCarrier, ProgramError
from spec.assembly import assemble
from spec.errors import UserError
from spec.isa import Space
from spec.packet import HEADER, Packet, unpack
from tests.support.configs import TWO_TILES

CONFIG = TWO_TILES.replace(rows=3, columns=2, vector_words=32, matrices=3)


class Device:
    """A chip, and what leads to it: a machine itself, or hosts.

    Parameters
    ----------
    hosts
        How many; 0 for the machine itself.
    """

    def __init__(self, hosts):
        self.machine = Machine(CONFIG)
        self.targets = [Host(ModelCarrier(self.machine), CONFIG) for _ in range(hosts)]
        self.targets = self.targets or [self.machine]


def words(text):
    return np.array(assemble(text), "<u8").view("<u4")


def random_operands(rng, transposed=False):
    weights = rng.integers(-7, 8, rng.integers(1, 5, 2))
    return weights, rng.integers(-8, 8, (2, weights.shape[transposed]))


placements = st.fixed_dictionaries(
    {
        "matrix": st.integers(0, 2),
        "tile": st.integers(0, 1),
        "address": st.integers(0, 40),
        "start": st.sampled_from([0, 3, 20, 40]),
        "shift": st.integers(0, 1),
    }
)


@settings(deadline=None, max_examples=150)
@given(
    st.integers(0, 2),
    st.lists(placements, min_size=2, max_size=4),
    st.lists(
        st.tuples(st.sampled_from(["load", "set", "multiply"]), st.integers(0, 3), st.booleans()),
        max_size=12,
    ),
    st.integers(0, 99),
)
def test_matrices_in_each_others_place_multiply_right(hosts, places, actions, seed):
    """Hosts take turns, with the same numbers, addresses, tiles and instructions."""
    rng = np.random.default_rng(seed)
    device = Device(hosts)

    def set_tile(tile, weights):
        device.machine.tiles[tile].analog = Analog.ideal(CONFIG, weights)

    programs = []
    for place in places:
        programs.append(compile_matrix(CONFIG, random_operands(rng)[0], **place))
    for i, program in enumerate(programs):
        load(device.targets[i % len(device.targets)], program)
    everything = [("multiply", n, False) for n in range(len(programs))]
    for action, n, transposed in actions + everything:
        n %= len(programs)
        program, target = programs[n], device.targets[n % len(device.targets)]
        blocks = -(-program.weights.shape[0] // 3) * -(-program.weights.shape[1] // 2)
        if action == "set" and blocks <= CONFIG.machine.tiles:
            load(target, program, set_tile)
        elif action == "load":
            load(target, program)
        else:
            factor = program.weights.T if transposed else program.weights
            vectors = rng.integers(-8, 8, (2, len(factor)))
            exact = vectors @ factor
            if places[n]["shift"]:
                exact = (exact + 1) // 2
            found = multiply(target, program, vectors, transposed=transposed)
            np.testing.assert_array_equal(found, exact)


@pytest.mark.parametrize("hosts", [0, 1])
@pytest.mark.parametrize("order", [1, -1])
def test_products_by_what_is_loaded_program_nothing_again(hosts, order):
    """Though the places of the two matrices touch."""
    device = Device(hosts)
    (target,) = device.targets
    first = compile_matrix(CONFIG, [[1, 2]])
    second = compile_matrix(
        CONFIG, [[3], [4]], matrix=1, tile=1, address=2, start=first.instructions
    )
    for program in (first, second)[::order]:
        load(target, program)
    if hosts:
        assert target.keeps([*first.writes, *second.writes])
    for _ in range(2):
        assert multiply(target, first, [[2]]).tolist() == [[2, 4]]
        assert multiply(target, second, [[2, 1]]).tolist() == [[10]]
    assert device.machine.chip_counters["reprograms"] == 2


@pytest.mark.parametrize(
    "space, address, values",
    [
        (Space.PROGRAM, 0, words("HALT")),
        (Space.WEIGHT, 1, [5]),
        (Space.DESCRIPTOR, 0, [0, 0]),
        (Space.HOLDING, 0, [0, 1]),
        (Space.HOLDING, 2, [0, 1]),
        (Space.SCALAR, 0, [9] * 32),
        (Space.VECTOR, 0, [9] * 32),
    ],
)
def test_writes_of_the_same_host_spoil_nothing(space, address, values):
    """Other conductances are set behind the chip's back, so that what is not known is wrong."""
    device = Device(1)
    (host,) = device.targets
    program = compile_matrix(CONFIG, [[1, 2], [3, 4]])
    load(host, program)
    assert multiply(host, program, [[1, 1]]).tolist() == [[4, 6]]
    host.write(space, address, values)
    if space is Space.HOLDING:
        device.machine.tiles[address // 2].analog = Analog.ideal(CONFIG, np.full((3, 2), 7))
    assert multiply(host, program, [[1, 1]]).tolist() == [[4, 6]]


def test_adc_steps_and_scalars_of_another_program_spoil_nothing():
    device = Device(1)
    (host,) = device.targets
    program = compile_matrix(CONFIG, [[1, 2], [3, 4]], start=20)
    load(host, program)
    setting = [f"SET s{n}, 1" for n in range(16)]
    host.write(Space.PROGRAM, 0, words("\n".join([*setting, "STEP s1, 0", "HALT"])))
    host.run()
    assert multiply(host, program, [[1, 1]]).tolist() == [[4, 6]]


class Turns:
    """A carrier to a device that something happens to right before some packet.

    Parameters
    ----------
    machine
        The device at first.
    at
        Number of the packet, from 0.
    happens
        Called with the carrier before that packet.
    """

    def __init__(self, machine, at, happens):
        self.inner = ModelCarrier(machine)
        self.machine = machine
        self.left, self.happens = at, happens
        self.sent = []

    def reset(self):
        """Go on with a blank device of the same kind."""
        self.machine = Machine(CONFIG)
        self.inner = ModelCarrier(self.machine)

    def send(self, packet):
        if self.left == 0:
            self.happens(self)
        self.left -= 1
        self.sent.append(unpack(HEADER, packet[0])["type"])
        self.inner.send(packet)

    def receive(self, timeout_s):
        return self.inner.receive(timeout_s)

    def close(self):
        self.inner.close()


def another_uses(carrier):
    """Let another host load and multiply by a matrix in the same places."""
    host = Host(ModelCarrier(carrier.machine), CONFIG)
    other = compile_matrix(CONFIG, [[7, 7], [7, 7]])
    if host.status().running:
        host.abort()
    load(host, other)
    assert multiply(host, other, [[1, 2]]).tolist() == [[21, 21]]


def another_writes_alike(carrier):
    """Let another host end with every command that the first may send next."""
    host = Host(ModelCarrier(carrier.machine), CONFIG)
    if host.status().running:
        host.abort()
    for sequence in range(1, 60):
        host._link._sequence = sequence - 1
        host._link.ask(Packet.WRITE, [Space.VECTOR, 0, 99])


@pytest.mark.parametrize("happens", [Turns.reset, another_uses, another_writes_alike])
@pytest.mark.parametrize("set_up", [0, 1])
def test_nothing_that_happens_between_two_packets_makes_a_wrong_product(happens, set_up):
    """Something happens at each packet of a session in turn."""
    weights, vectors = np.array([[1, 2], [3, -4]]), np.arange(-8, 8).reshape(8, 2) * [1, -1] % 8
    seen = set()
    for at in range(1000):
        carrier = Turns(Machine(CONFIG), at, happens)
        host = Host(carrier, CONFIG)
        first = compile_matrix(CONFIG, weights)
        second = compile_matrix(CONFIG, weights.T, matrix=1, address=4, start=20)
        try:
            if set_up:
                load(host, first)
                load(host, second)
            for program in (first, second, first):
                found = multiply(host, program, vectors)
                np.testing.assert_array_equal(found, vectors @ program.weights)
            seen.add("right")
        except (LinkError, ProgramError) as error:
            seen.add(type(error))
        if carrier.left > 0:
            break
        # Whatever came, the next ones are right.
        for program in (first, second):
            found = multiply(host, program, vectors)
            np.testing.assert_array_equal(found, vectors @ program.weights)
    assert at > 40
    assert seen >= {"right", LinkError}


def test_another_hosts_last_command_is_not_taken_for_the_same():
    """Its header may be that of this host's next one, which a device would take for a retry."""
    device = Device(2)
    for value in range(300):
        host = device.targets[value % 2]
        try:
            host.write(Space.VECTOR, 0, [value])
        except LinkError:
            host.write(Space.VECTOR, 0, [value])
        assert host.read(Space.VECTOR, 0, 1).tolist() == [value]


def test_a_host_says_once_that_another_came_between():
    device = Device(2)
    first, second = device.targets
    first.write(Space.VECTOR, 0, [1])
    second.write(Space.VECTOR, 0, [2])
    for _ in range(2):
        assert first.read(Space.VECTOR, 0, 1).tolist() == [2]
    with pytest.raises(
        LinkError,
        match=r"^the chip was reset, or another host used it, in the meantime: write again what it "
        "must hold, and run again what ran$",
    ):
        first.start()
    first.start()
    first.abort()


def test_looking_at_a_chip_is_noticed_too():
    """Packets are counted, whatever they are; only registers can be looked at unnoticed."""
    device = Device(2)
    first, second = device.targets
    first.write(Space.VECTOR, 0, [1])
    second.counters()
    with pytest.raises(LinkError, match="another host used it"):
        first.write(Space.VECTOR, 0, [1])
    first.write(Space.VECTOR, 0, [1])
    second.counters()
    assert first.identify()["tiles"] == 2
    first.write(Space.VECTOR, 0, [1])


def test_a_run_that_another_host_ended_is_not_taken_for_good():
    machine = Machine(CONFIG)

    def ends(carrier):
        Host(ModelCarrier(machine), CONFIG).abort()

    carrier = Turns(machine, 1000, ends)
    host = Host(carrier, CONFIG)
    host.write(Space.PROGRAM, 0, words("here: JUMP here"))
    carrier.left = 5
    with pytest.raises(LinkError, match="another host used it, in the meantime"):
        host.run()


def test_a_run_ends_where_another_host_began_one():
    """The run of the other host is left alone."""
    machine = Machine(CONFIG)

    def begins(carrier):
        other = Host(ModelCarrier(machine), CONFIG)
        other.abort()
        other.start()

    carrier = Turns(machine, 1000, begins)
    host = Host(carrier, CONFIG)
    host.write(Space.PROGRAM, 0, words("here: JUMP here"))
    carrier.left = 5
    with pytest.raises(LinkError, match="another host used it, in the meantime"):
        host.run(timeout_s=5)
    assert machine.status.running and carrier.left < -1


class Slow:
    """A carrier that brings each packet late: after so many times that a reply was waited for."""

    def __init__(self, machine, delays):
        self.inner = ModelCarrier(machine)
        self.delays = iter(delays)
        self.waiting = []

    def send(self, packet):
        self.waiting.append([next(self.delays, 0), packet])

    def receive(self, timeout_s):
        while self.waiting and self.waiting[0][0] <= 0:
            self.inner.send(self.waiting.pop(0)[1])
        if self.waiting:
            self.waiting[0][0] -= 1
        return self.inner.receive(timeout_s)

    def close(self):
        pass


@settings(deadline=None)
@given(st.lists(st.integers(0, 3), max_size=60))
def test_copies_that_come_late_are_not_taken_for_another_host(delays):
    machine = Machine(CONFIG)
    host = Host(Slow(machine, delays), CONFIG, retries=200)
    program = compile_matrix(CONFIG, [[1, 2], [3, 4]])
    load(host, program)
    for _ in range(3):
        assert multiply(host, program, [[1, 1]]).tolist() == [[4, 6]]
    assert machine.chip_counters["reprograms"] == 1


def test_a_count_of_packets_that_has_stopped_stops_nothing():
    """It holds no news any more."""
    device = Device(1)
    (host,) = device.targets
    responder = host._link._carrier._responder
    program = compile_matrix(CONFIG, [[1, 2]])
    host.identify()
    responder.link["packets"] = (1 << 32) - 20
    for _ in range(4):
        assert multiply(host, program, [[2]]).tolist() == [[2, 4]]
    assert responder.link["packets"] == (1 << 32) - 1


def test_a_program_for_another_chip_is_refused():
    program = compile_matrix(CONFIG.replace(adc_bits=8), [[1]])
    for target in [*Device(0).targets, *Device(1).targets]:
        for use in (load, lambda *arguments: multiply(*arguments, [[1]])):
            with pytest.raises(UserError, match="the program is for a chip with the hardware "):
                use(target, program)
    # What no hardware depends on does not matter.
    program = compile_matrix(CONFIG.replace(read_noise=0.0, seed=9), [[1]])
    assert multiply(Device(1).targets[0], program, [[1]]).tolist() == [[1]]
