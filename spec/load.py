"""Configurations from presets and TOML files."""

import dataclasses
import tomllib
from pathlib import Path
from typing import Any, cast

from spec.config import ChipConfig
from spec.errors import UserError, require, shown
from spec.files import named, read_text
from spec.table import Table, check_keys

PRESETS = Path(__file__).parent / "presets"


def presets() -> list[str]:
    """Return the names of all presets."""
    return sorted(path.stem for path in PRESETS.glob("*.toml"))


def locate(source: str | Path) -> Path:
    """Return the path of a configuration, which is given as `load` is.

    Raises
    ------
    UserError
        If it is neither a preset nor a path.
    """
    require(
        isinstance(source, str | Path),
        f"a configuration must be the name of a preset or the path of a .toml file, not "
        f"{shown(source)}",
    )
    path = Path(source)
    if path.suffix:
        return path
    require(
        str(source) in presets(),
        f"configuration {shown(str(source))} is neither a preset ({', '.join(presets())}) nor "
        "the path of a .toml file",
    )
    return PRESETS / f"{source}.toml"


def load(source: str | Path, **changes: Any) -> ChipConfig:
    """Read a configuration from a preset's name or the path of a TOML file.

    Parameters
    ----------
    source
        Name of a preset, or path of a file, which has the suffix .toml.
    changes
        Fields that replace those of the file, each by its name alone; see `ChipConfig.replace`.

    Raises
    ------
    UserError
        If the file cannot be read, a key is unknown or missing, or a value is refused.
    """
    path = locate(source)
    text = read_text(path, "configuration")
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise UserError(f"configuration {named(path)} cannot be read: {error}") from None
    except (ValueError, RecursionError):
        # Of a decimal number that Python does not read, and of brackets in brackets.
        raise UserError(
            f"configuration {named(path)} cannot be read: it has a number of thousands of digits "
            "or too many brackets in each other"
        ) from None
    try:
        _refuse_flat(values)
        config = ChipConfig.of(**_flat(values, ChipConfig, ""))
        return config.replace(**changes)
    except UserError as error:
        raise UserError(f"configuration {named(path)}: {error}") from None


def _refuse_flat(values: dict[str, Any]) -> None:
    """Raise `UserError` if fields stand where files had them before there were tables."""
    moved: dict[str, list[str]] = {}
    paths = dict(ChipConfig.field_paths())
    for name, value in values.items():
        if name in paths and not isinstance(value, dict):
            moved.setdefault(f"[{paths[name]}]", []).append(name)
    physics = values.get("physics")
    for name in physics if isinstance(physics, dict) else ():
        if paths.get(name, "physics") != "physics":
            moved.setdefault(f"[{paths[name]}]", []).append(name)
    where = "; ".join(f"{', '.join(names)} to {table}" for table, names in moved.items())
    require(not moved, f"fields stand in tables now: move {where}")


def _flat(values: dict[str, Any], table: type[Table], path: str) -> dict[str, Any]:
    """Return the fields of a table and of those inside by name, and refuse what is unknown."""
    inside = table.TABLES
    own = [name for name, where in table.field_paths() if not where]
    where = f"[{path}]" if path else "the file"
    check_keys(values, [*inside, *own], where)
    for field in dataclasses.fields(cast(Any, table)):
        known = field.default is not dataclasses.MISSING or field.name in (*values, *inside)
        require(known, f"{where} lacks {field.name!r}: add it")
    fields = {name: values[name] for name in own if name in values}
    for name, kind in inside.items():
        part = values.get(name, {})
        full = f"{path}.{name}" if path else name
        require(isinstance(part, dict), f"{full} must be a table [{full}], not {shown(part)}")
        fields |= _flat(part, kind, full)
    return fields
