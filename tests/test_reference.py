"""The reference document."""

from compiler.reference import DOCUMENT, reference
from golden.isa import CHIP_COUNTERS, TILE_COUNTERS, ErrorCode, Opcode, Space


def test_document_is_up_to_date():
    assert DOCUMENT.read_text(encoding="utf-8") == reference(), "stale: run `make docs`"


def test_document_is_complete():
    text = reference()
    for member in [*Opcode, *ErrorCode, *Space]:
        assert f" {member.name} " in text
    for counter in [*CHIP_COUNTERS, *TILE_COUNTERS]:
        assert f"`{counter.name}`" in text
