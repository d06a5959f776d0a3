"""Tidy the RTLIL that Amaranth writes, so that Verilog made of it is small and can be read.

Nothing of what a design does changes: modules that are alike become one, every port gets a name,
and second names of the items of arrays, which nothing reads, go.
"""

import re
from dataclasses import dataclass, field

MODULE = re.compile(r"^module (\\\S+)\n(.*?)^end\n", re.MULTILINE | re.DOTALL)
CELL = re.compile(r"^  cell (\\\S+) \\\S+\n(.*?)^  end\n", re.MULTILINE | re.DOTALL)
WIRE = re.compile(r"^  wire .*?(\\\S+)\n", re.MULTILINE)
NAMED = re.compile(r"^connect (\\[^$\s]\S*) (.*)\n", re.MULTILINE)
INSIDE = re.compile(r"^    connect (\\\S+) (.*)\n", re.MULTILINE)
UNNAMED = re.compile(r"^  wire .*(\\port\$\d+\$\d+)\n", re.MULTILINE)


@dataclass
class _Module:
    """A module of the design; `ports` has the new names of those that had none."""

    body: str
    ports: dict[str, str] = field(default_factory=dict)


def tidy(text: str) -> str:
    """Return the RTLIL of a design, tidied; the first module is the top level."""
    modules = {name: _Module(_drop_items(body)) for name, body in MODULE.findall(text)}
    top = next(iter(modules))
    merged: dict[str, str] = {}
    names: dict[str, str] = {}
    _tidy_module(modules, top, merged, names)
    parts = [f"module {name}\n{body}end\n" for body, name in reversed(merged.items())]
    return "attribute \\top 1\n" + "\n".join(parts)


def _tidy_module(
    modules: dict[str, _Module], name: str, merged: dict[str, str], names: dict[str, str]
) -> str:
    """Add a module, behind those in it, to what is `merged`, body to name, and return its name.

    `names` has the new name of every module that is done.
    """
    if name in names:
        return names[name]
    module = modules[name]
    for child in dict.fromkeys(kind for kind, _ in CELL.findall(module.body) if kind in modules):
        _tidy_module(modules, child, merged, names)
    module.body = CELL.sub(lambda cell: _tidy_cell(modules, names, cell), module.body)
    _name_ports(module)
    if module.body in merged:
        shared = merged[module.body]
    else:
        # Numbers of the first of its kind say nothing of the others.
        shared = re.sub(r"_\d+(?=\.|$)", "", name)
        if shared in merged.values() or shared in modules:
            shared = name
        merged[module.body] = shared
    names[name] = shared
    return shared


def _tidy_cell(modules: dict[str, _Module], names: dict[str, str], cell: re.Match[str]) -> str:
    """Return a cell that follows the new names of its module and ports."""
    text, kind = cell[0], cell[1]
    if kind not in modules:
        return text
    ports = modules[kind].ports
    text = INSIDE.sub(lambda line: f"    connect {ports.get(line[1], line[1])} {line[2]}\n", text)
    return text.replace(f"  cell {kind} ", f"  cell {names[kind]} ", 1)


def _name_ports(module: _Module) -> None:
    """Name the ports of a module that have no name, after a signal that they are a part of.

    They are bits of signals, or bits of several, that pass on their own.
    """
    body = module.body
    taken = set(WIRE.findall(body))
    uses = [*NAMED.findall(body)]
    for kind_ports in CELL.finditer(body):
        uses += INSIDE.findall(kind_ports[2]) if kind_ports[1].startswith("\\") else []
    for port in UNNAMED.findall(body):
        driver = re.search(rf"^connect {re.escape(port)} ([^\s{{]+)", body, re.MULTILINE)
        nets = {port, driver[1]} if driver else {port}
        known = (name for name, value in uses if nets & set(value.split()))
        base = next((name for name in known if not name.startswith("\\port$")), "\\part")
        base = re.sub(r"\W+", "__", base[1:]).strip("_")
        new = next(
            name
            for name in (f"\\{base}__part{number or ''}" for number in range(len(taken) + 1))
            if name not in taken
        )
        taken.add(new)
        module.ports[port] = new
    if module.ports:
        either = "|".join(map(re.escape, module.ports))
        module.body = re.sub(rf"({either})(?=\s)", lambda match: module.ports[match[1]], body)


def _drop_items(body: str) -> str:
    """Return the body of a module without second names of items of arrays."""
    uses: dict[str, int] = {}
    for name in re.findall(r"\\\S+\[\S+", body):
        uses[name] = uses.get(name, 0) + 1
    # One declares it, and one connects it.
    unread = {name for name, count in uses.items() if count == 2}
    kept: list[str] = []
    for line in body.splitlines(keepends=True):
        words = line.split()
        if words and words[0] == "wire" and words[-1] in unread:
            while kept and kept[-1].startswith("  attribute "):
                kept.pop()
        elif not (line.startswith("connect ") and words[1] in unread):
            kept.append(line)
    return "".join(kept)
