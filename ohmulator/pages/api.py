"""Public names of packages: what their `__all__` lists."""

import importlib
import pkgutil

AREAS = "ohmulator", "spec", "golden", "hw", "sim"


def packages(area: str) -> list[str]:
    """Return the names of a package and of those inside that list public names."""
    root = importlib.import_module(area)
    inside = pkgutil.walk_packages(root.__path__, f"{area}.")
    names = [area, *(module.name for module in inside if module.ispkg)]
    return [name for name in names if hasattr(importlib.import_module(name), "__all__")]


def document(area: str) -> str:
    """Return the page of a package at the top."""
    parts = []
    described: list[object] = []
    for name in packages(area):
        package = importlib.import_module(name)
        things = {member: getattr(package, member) for member in package.__all__}
        # What an outer package offers as well has its place there.
        excluded = [member for member, thing in things.items() if thing in described]
        described += things.values()
        heading = [f"## `{name}`"] if name != area else []
        hidden = ", ".join(["TABLES", *excluded])
        automodule = f".. automodule:: {name}\n   :members:\n   :exclude-members: {hidden}"
        parts += [*heading, f"```{{eval-rst}}\n{automodule}\n```"]
    return "\n\n".join(parts) + "\n"
