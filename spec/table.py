"""Tables of fields: frozen dataclasses that nest, like the tables of a TOML file.

The names of fields are unique over all tables of a configuration, so that a change needs no more
than the name: `config.replace(adc_bits=9, r_word_ohm=2.0)`.
"""

import dataclasses
import difflib
import hashlib
import json
from collections.abc import Collection, Iterator
from typing import Any, ClassVar, Self, cast

from spec.errors import UserError, require, require_integer, require_number, shown


class Table:
    """Base of the tables. A field whose default or type is a table is a table inside."""

    TABLES: ClassVar[dict[str, type["Table"]]] = {}
    """Tables inside, by the names of their fields."""

    @classmethod
    def field_names(cls) -> list[str]:
        """Return the names of the fields that are no tables, those of tables inside included."""
        return [name for name, _ in cls.field_paths()]

    @classmethod
    def field_paths(cls) -> Iterator[tuple[str, str]]:
        """Yield the name of each field that is no table, and the path of its table, such as `a.b`.

        Fields of this table itself have an empty path.
        """
        for field in dataclasses.fields(cast(Any, cls)):
            inside = cls.TABLES.get(field.name)
            if inside is None:
                yield field.name, ""
                continue
            for name, path in inside.field_paths():
                yield name, f"{field.name}.{path}" if path else field.name

    @classmethod
    def of(cls, **values: Any) -> Self:
        """Make a table from the fields of all tables inside, each given by its name alone.

        A whole table may be given as well, by the name of its field.

        Raises
        ------
        UserError
            If a name is unknown, a field lacks, or a value is refused.
        """
        own = {}
        for name, inside in cls.TABLES.items():
            part = {key: values.pop(key) for key in inside.field_names() if key in values}
            if name not in values:
                own[name] = inside.of(**part)
            elif part:
                own[name] = inside.checked(name, values.pop(name)).replace(**part)
        return cls(**cls._checked(own | values))

    @classmethod
    def checked(cls, name: str, value: object) -> Self:
        """Return the value of a field that is such a table.

        Raises
        ------
        UserError
            If it is none.
        """
        if not isinstance(value, cls):
            raise UserError(f"{name} must be a {cls.__name__}, not {shown(value)}")
        return value

    def value(self, name: str) -> Any:
        """Return the value of a field of this table or of one inside, by its name alone."""
        path = dict(self.field_paths())[name]
        table: Any = self
        for part in filter(None, path.split(".")):
            table = getattr(table, part)
        return getattr(table, name)

    def replace(self, **changes: Any) -> Self:
        """Return a copy with some fields changed, each given by its name alone, see `of`.

        Raises
        ------
        UserError
            If a name is unknown or a value is refused.
        """
        own = {}
        for name, inside in self.TABLES.items():
            part = {key: changes.pop(key) for key in inside.field_names() if key in changes}
            if part:
                whole = inside.checked(name, changes.pop(name, getattr(self, name)))
                own[name] = whole.replace(**part)
        return dataclasses.replace(cast(Any, self), **self._checked(own | changes, part=True))

    @classmethod
    def _checked(cls, values: dict[str, Any], *, part: bool = False) -> dict[str, Any]:
        """Return values by name; refuse unknown names and, unless `part`, missing ones."""
        fields = dataclasses.fields(cast(Any, cls))
        known = [*(field.name for field in fields), *cls.field_names()]
        check_keys(values, known, f"a {cls.__name__}")
        for field in () if part else fields:
            given = field.name in values or field.default is not dataclasses.MISSING
            require(given, f"a {cls.__name__} lacks {field.name!r}: give it")
        return values

    def _integer(self, name: str, low: int, high: int, unit: str = "") -> None:
        """Check an integer field, and make it Python's."""
        value = require_integer(name, getattr(self, name), low, high, unit)
        object.__setattr__(self, name, value)

    def _number(self, name: str, low: float, high: float, unit: str) -> None:
        """Check a field that is a number, and make it a float: 2 is 2.0, and has the same hash."""
        value = require_number(name, getattr(self, name), low, high, unit)
        object.__setattr__(self, name, value)

    def _flag(self, name: str) -> None:
        """Check a field that is true or false."""
        value = getattr(self, name)
        require(isinstance(value, bool), f"{name} must be true or false, not {shown(value)}")

    def _tables(self) -> None:
        """Check that the tables inside are tables."""
        for name, inside in self.TABLES.items():
            inside.checked(name, getattr(self, name))


def check_keys(keys: Collection[str], known: Collection[str], where: str) -> None:
    """Raise `UserError` for a key that is not known, naming the nearest that is."""
    for key in keys:
        if key not in known:
            near = difflib.get_close_matches(key, known, 1)
            hint = f"did you mean {near[0]!r}?" if near else f"known are {', '.join(known)}"
            raise UserError(f"unknown key {shown(key)} in {where}: {hint}")


def digest(values: object) -> str:
    """Return 16 hexadecimal digits that differ whenever the values, of JSON, differ."""
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()[:16]
