"""Public names: what packages list in `__all__`, else what their modules define."""

import importlib
import pkgutil
from types import ModuleType
from typing import Any

AREAS = "ohmulator", "spec", "golden", "hw", "sim"
"""Packages at the top, in the order in which a name is looked for."""

INSIDE = "ohmulator.jobs", "ohmulator.pages"
"""Packages that nobody imports from: jobs have the command line."""


def offering(name: str) -> list[str]:
    """Return the names of what offers public names in a package and in those inside."""
    package = importlib.import_module(name)
    listed = hasattr(package, "__all__")
    found = [name] if listed else []
    for module in pkgutil.iter_modules(package.__path__, f"{name}."):
        if module.ispkg and module.name not in INSIDE:
            found += offering(module.name)
        elif not module.ispkg and not listed:
            found.append(module.name)
    return found


def public(module: ModuleType) -> list[str]:
    """Return the public names of a module."""
    if hasattr(module, "__all__"):
        return list(module.__all__)
    return [
        name
        for name, thing in vars(module).items()
        if not name.startswith("_") and getattr(thing, "__module__", None) == module.__name__
    ]


def homes() -> dict[Any, str]:
    """Return the first that offers each class and function."""
    found: dict[Any, str] = {}
    for area in AREAS:
        for name in offering(area):
            module = importlib.import_module(name)
            for thing in (getattr(module, each) for each in public(module)):
                if callable(thing):
                    found.setdefault(thing, name)
    return found


def document(area: str) -> str:
    """Return the page of a package at the top.

    What several offer is described with the first.
    """
    described = homes()
    parts = []
    for name in offering(area):
        module = importlib.import_module(name)
        names = public(module)
        things = {each: getattr(module, each) for each in names}
        away = {
            each: described[thing]
            for each, thing in things.items()
            if callable(thing) and described[thing] != name
        }
        members = ", ".join(each for each in names if each not in away)
        lines = [
            f".. automodule:: {name}",
            f"   :members: {members}",
            "   :exclude-members: TABLES",
        ]
        parts += [f"## `{name}`"] if name != area else []
        parts.append("\n".join(["```{eval-rst}", *lines, "```"]))
        if away:
            links = [f"{{py:obj}}`{each} <{home}.{each}>`" for each, home in away.items()]
            parts.append(f"Also here: {', '.join(links)}.")
    return "\n\n".join(parts) + "\n"
