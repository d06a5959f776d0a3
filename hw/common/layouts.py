"""Layouts from the tables of `spec`."""

from collections.abc import Iterable

from amaranth.hdl import signed, unsigned
from amaranth.lib import data

from spec.isa import Field


def fields_layout(fields: Iterable[Field]) -> data.StructLayout:
    """Return the layout of a table of fields, least significant field first."""
    return data.StructLayout(
        {field.name: (signed if field.signed else unsigned)(field.width) for field in fields}
    )
