"""The page of the machine: complete, and true to what a device answers."""

import re

from ohmulator.pages.machine import document
from spec.counters import CHIP_COUNTERS, TILE_COUNTERS
from spec.isa import ErrorCode, Opcode, Space
from spec.load import load
from spec.packet import COMMANDS, IDENTITY, LINK_COUNTERS, Packet, identity
from spec.registers import COUNTER_BASE, FIXED_REGISTERS, address
from spec.tile_link import OUTCOME, TARGET, TileOperation, TileSpace


def table(head: str) -> list[list[str]]:
    """Return the cells of the rows of each table with this head, one after the other."""
    rows = re.findall(
        rf"^{re.escape(head)}\n\| ---.*\n((?:\|.*\n)+)", document(), flags=re.MULTILINE
    )
    return [line.strip("| ").split(" | ") for line in "".join(rows).splitlines()]


def test_document_is_complete():
    text = document()
    for member in [*Opcode, *ErrorCode, *Space]:
        assert f" {member.name} " in text


def test_a_tile_alone_is_complete():
    spaces = [row for row in table("| space | name | holds |") if row[1] in TileSpace.__members__]
    assert [(int(number), name) for number, name, _ in spaces] == [(s, s.name) for s in TileSpace]
    operations = table("| number | operation | does |")
    assert [(int(n), name) for n, name, _ in operations] == [(o, o.name) for o in TileOperation]
    for space, words in {"TARGET": TARGET, "OUTCOME": OUTCOME}.items():
        rows = table(f"| word | of {space} | holds |")
        assert [name for _, name, _ in rows] == [f"`{name}`" for name in words]


def test_counters_are_numbered_in_the_order_of_the_reply():
    chip = [(int(number), name) for number, name, _ in table("| number | chip | counts |")]
    tile = table("| number | tile | counts |")
    tiles = []
    for t in range(3):
        for number, name, _ in tile:
            first, pitch = re.fullmatch(r"(\d+) \+ (\d+) t", number).groups()
            tiles.append((int(first) + int(pitch) * t, name))
    expected = [f"`{counter.name}`" for counter in [*CHIP_COUNTERS, *3 * TILE_COUNTERS]]
    assert chip + tiles == list(enumerate(expected))


def test_every_packet_is_there_with_its_payload():
    rows = table("| type | command | payload | payload of the reply |")
    assert [(int(code, 16), name) for code, name, _, _ in rows] == [(p, p.name) for p in Packet]
    for code, name, payload, reply in rows:
        words = [] if payload == "empty" else payload.split(", ")
        assert len(words) == COMMANDS[int(code, 16)] + (name == "WRITE")
        assert reply


def test_words_of_the_replies_are_those_that_come():
    config = load("digits")
    words = identity(config)
    rows = table("| word | name | holds |")
    identity_rows, status_rows = rows[: len(words)], rows[len(words) :]

    magic, version, _, _, *geometry = words
    assert [int(holds.split(",")[0], 0) for _, _, holds in identity_rows[:2]] == [magic, version]
    assert [config.value(name.strip("`")) for _, name, _ in identity_rows[4:]] == geometry

    names = [*IDENTITY, "state", "position", *LINK_COUNTERS]
    assert [name for _, name, _ in rows] == [f"`{name}`" for name in names]
    for part in (identity_rows, status_rows):
        assert [int(index) for index, _, _ in part] == list(range(len(part)))


def test_every_register_is_there_with_its_address():
    *rows, counters = table("| address | register | access | holds |")
    assert {name: int(at, 16) for at, name, _, _ in rows} == {
        f"`{name}`": address(name) for name in FIXED_REGISTERS
    }
    assert [name for _, name, access, _ in rows if access == "read, write"] == ["`control`"]
    assert int(counters[0].split(" + ")[0], 16) == COUNTER_BASE
