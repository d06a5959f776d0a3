"""A host and a tile alone behind a link: products, cells, and what is refused."""

import numpy as np
import pytest

from golden.link.responder import Responder
from golden.link.tile_device import TileDevice
from golden.machine.machine import Machine, blank_tile
from golden.tile.analog import Analog
from golden.tile.tile import Tile
from golden.tile.write_verify import Targets, program, read, targets
from ohmulator.host import Host, ModelCarrier, OperationError, RefusedError, TileHost
from ohmulator.host.errors import LinkError, MismatchError
from spec.errors import UserError
from spec.isa import ErrorCode, MachineError, Space
from spec.packet import ERROR, HEADER, Packet, packet, unpack
from spec.tile_link import (
    TILE_MAGIC,
    TileOperation,
    TileSpace,
    tile_identity,
    tile_words,
    word_limits,
)
from tests.support.configs import EVERY_FAULT, VERIFIABLE, random_operands

CONFIG = VERIFIABLE.replace(rows=3, columns=4, adcs=2)
FAULTY = CONFIG.replace(physics=EVERY_FAULT)


def blank(config=FAULTY) -> tuple[TileHost, Tile]:
    """Return a host of a blank tile, and another one like it."""
    device = TileDevice(Tile(config, blank_tile(config, 0)))
    return TileHost(ModelCarrier(device), config), Tile(config, blank_tile(config, 0))


def test_a_matrix_is_programmed_and_multiplied():
    tile, twin = blank()
    weights, _ = random_operands(FAULTY, 1)
    cells = targets(FAULTY, weights)
    found, expected = tile.program(cells), program(twin.analog, cells)
    for name in ("success", "codes", "pulses"):
        np.testing.assert_array_equal(getattr(found, name), getattr(expected, name))
    found, expected = tile.read_cells(cells), read(twin.analog, cells)
    for name in ("success", "codes", "pulses"):
        np.testing.assert_array_equal(getattr(found, name), getattr(expected, name))
    assert not found.pulses.any()
    for transposed in (False, True):
        for steps in (None, [1, 0], [[0, 1], [0, 1], [1, 1], [1, 0]]):
            operands = random_operands(FAULTY, 4, 7, transposed=transposed)[1]
            made = twin.multiply(operands, steps, transposed=transposed)
            results = tile.multiply(operands, steps, transposed=transposed)
            np.testing.assert_array_equal(results, made.results)


def test_events_are_counted():
    tile, _ = blank(CONFIG)
    weights, vectors = random_operands(CONFIG, 3)
    pulses = tile.program(targets(CONFIG, weights)).pulses
    tile.multiply(vectors)
    tile.multiply(random_operands(CONFIG, 2, transposed=True)[1], transposed=True)
    counters = tile.counters()
    converters = CONFIG.converters
    groups = 3 * CONFIG.forward.groups + 2 * CONFIG.transposed.groups
    assert counters == {
        "drives": 5 * CONFIG.planes,
        "conversions": CONFIG.planes * converters * groups,
        "clips_high": 0,
        "clips_low": 0,
        "saturations": 0,
        "reads": pulses.sum() + pulses.size,
        "pulses": pulses.sum(),
        "failures": 0,
    }


def test_a_cell_that_does_not_hold_its_level_has_not_failed():
    tile, _ = blank(CONFIG)
    one = np.ones(1, int)
    outcome = tile.read_cells(Targets(one, one, one, one, one, 7 * one))
    assert not outcome.success[0]
    assert (tile.counters()["reads"], tile.counters()["failures"]) == (1, 0)


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda tile: tile.multiply([[1, 2]]), "vectors must have the shape n x 3, not 1 x 2"),
        (lambda tile: tile.multiply([[1, 2, 8]]), r"vectors\[0, 2\] must be .*, not 8"),
        (lambda tile: tile.multiply([[1, 2, 3]], [9, 0]), r"steps\[0\] must be .*, not 9"),
        (
            lambda tile: tile.program(Targets(*np.array([[0], [3], [0], [0], [0], [0]]))),
            "cell 0 .* must have rows of 0 to 2, not 3",
        ),
        (lambda tile: tile.write(Space.HOLDING, 0, [1]), "space must be one of INPUT, STEP, TARG"),
        (lambda tile: tile.read(TileSpace.STEP, 0, 3), "refused to read 3 .* of the STEP space"),
    ],
)
def test_what_cannot_be_is_said_in_a_sentence(call, message):
    tile, _ = blank(CONFIG)
    with pytest.raises(UserError, match=message):
        call(tile)
    # Nothing was done.
    assert tile.counters()["drives"] == tile.counters()["reads"] == 0


def test_products_without_a_transposed_direction():
    config = CONFIG.replace(mapping="offset")
    tile, _ = blank(config)
    with pytest.raises(UserError, match="a transposed product needs the differential mapping"):
        tile.multiply([[1, 2, 3, 4]], transposed=True)
    with pytest.raises(OperationError, match=r"the tile refused PRODUCT_T: .*\(ILLEGAL\)"):
        tile._operate(TileOperation.PRODUCT_T)


def test_hosts_and_devices_of_the_other_kind_are_refused():
    device = TileDevice(Tile(CONFIG, Analog.ideal(CONFIG, np.zeros((3, 4), int))))
    with pytest.raises(
        MismatchError, match="no Ohmulator chip: its identity starts with 0x4f484d54"
    ):
        Host(ModelCarrier(device), CONFIG)
    with pytest.raises(
        MismatchError, match="no Ohmulator tile: its identity starts with 0x4f484d55"
    ):
        TileHost(ModelCarrier(Machine(CONFIG)), CONFIG)
    with pytest.raises(MismatchError, match="the tile has rows = 3 and the configuration 4"):
        TileHost(ModelCarrier(device), CONFIG.replace(rows=4))
    with pytest.raises(UserError, match="its results have 40: give accumulator_bits of 32 or less"):
        TileHost(ModelCarrier(device), CONFIG.replace(accumulator_bits=40))


def test_another_host_is_noticed():
    device = TileDevice(Tile(CONFIG, Analog.ideal(CONFIG, np.zeros((3, 4), int))))
    first, second = (TileHost(ModelCarrier(device), CONFIG) for _ in range(2))
    first.multiply([[1, 2, 3]])
    second.counters()
    with pytest.raises(LinkError, match="the tile was reset, or another host used it"):
        first.multiply([[1, 2, 3]])
    assert first.multiply([[1, 2, 3]]).tolist() == [[0, 0, 0, 0]]


@pytest.mark.parametrize("operation", TileOperation)
def test_every_word_that_an_operation_uses_is_checked(operation):
    """Each is tried at both ends of its range, and nothing happens if one is outside."""
    product = operation in (TileOperation.PRODUCT, TileOperation.PRODUCT_T)
    spaces = [TileSpace.INPUT, TileSpace.STEP] if product else [TileSpace.TARGET]
    inputs = CONFIG.direction(operation is TileOperation.PRODUCT_T).inputs
    for space in TileSpace:
        size = tile_words(CONFIG)[space]
        for at in range(size):
            used = space in spaces and (space is not TileSpace.INPUT or at < inputs)
            limits = word_limits(CONFIG).get(space, [(-(1 << 31), (1 << 31) - 1)] * size)[at]
            for word, outside in zip(
                (limits[0], limits[1], limits[0] - 1, limits[1] + 1), (0, 0, 1, 1), strict=True
            ):
                device = TileDevice(Tile(CONFIG, Analog.ideal(CONFIG, np.ones((3, 4), int))))
                device.write(space, at, [word % (1 << 32)])
                before = {each: list(words) for each, words in device.memory.items()}
                device.start(operation)
                device.step()
                wanted = ErrorCode.OPERAND if used and outside else ErrorCode.NONE
                assert device.status.code is wanted, (space, at, word)
                if wanted is not ErrorCode.NONE:
                    assert device.memory == before
                    assert set(device.counters()) <= {0, (1 << 64) - 1}


def test_while_an_operation_runs_only_that_is_said():
    device = TileDevice(Tile(CONFIG, Analog.ideal(CONFIG, np.zeros((3, 4), int))))
    responder = Responder(device, tile_identity(CONFIG), TileSpace)
    assert responder.respond(packet(Packet.IDENTIFY, 0))[2] == TILE_MAGIC
    responder.respond(packet(Packet.RUN, 1, [TileOperation.READ]))
    for number, (kind, payload) in enumerate(
        [(Packet.READ, [0, 0, 1]), (Packet.WRITE, [0, 0, 1]), (Packet.RUN, [0])], 2
    ):
        header = unpack(HEADER, responder.respond(packet(kind, number, payload))[0])
        assert (header["type"], header["code"]) == (ERROR, ErrorCode.BUSY)
    responder.respond(packet(Packet.ABORT, 9))
    assert responder.respond(packet(Packet.STATUS, 10))[2:4] == [1, TileOperation.READ]
    device.step()
    assert responder.respond(packet(Packet.STATUS, 11))[2:4] == [0, TileOperation.READ]
    with pytest.raises(MachineError):
        device.read(TileSpace.STEP, 1, 2)


def test_refusals_have_their_code():
    tile, _ = blank(CONFIG)
    with pytest.raises(RefusedError) as refusal:
        tile.write(TileSpace.OUTCOME, 2, [1, 2])
    assert refusal.value.code is ErrorCode.RANGE
