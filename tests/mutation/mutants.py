"""One-line mutants of the code: other operators, comparisons, constants, signs, dropped terms."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

SWAPS: dict[type[ast.AST], type[ast.AST]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Add,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mod,
    ast.Mod: ast.FloorDiv,
    ast.Pow: ast.Mult,
    ast.LShift: ast.RShift,
    ast.RShift: ast.LShift,
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
    ast.BitXor: ast.BitOr,
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.And: ast.Or,
    ast.Or: ast.And,
}
NAMES = {"min": "max", "max": "min", "minimum": "maximum", "maximum": "minimum", "any": "all"}
NAMES |= {"all": "any", "floor": "ceil", "ceil": "floor", "True": "False", "False": "True"}


@dataclass(frozen=True)
class Mutant:
    """A piece of a file, by offsets in its text, and what takes its place."""

    path: Path
    line: int
    code: str
    start: int
    end: int
    before: str
    after: str

    @property
    def name(self) -> str:
        """File, line of code, what stood there and what stands there now; no number, which moves.

        Where one of several that are alike in a line is meant, all of them have this name.
        """
        before, after = (" ".join(text.split()) for text in (self.before, self.after))
        return f"{self.path}: {self.code}: {before} => {after}"

    def apply(self, text: str) -> str:
        """Return the text of the file with the mutation."""
        return f"{text[: self.start]}({self.after}){text[self.end :]}"


def mutants(path: Path) -> list[Mutant]:
    """Return all mutants of a file, in order."""
    text = path.read_text(encoding="utf-8")
    # Columns of the syntax tree count bytes.
    lines = [line.encode() for line in text.splitlines(keepends=True)]
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line.decode()))

    def offset(line: int, column: int) -> int:
        return starts[line - 1] + len(lines[line - 1][:column].decode())

    found = []
    for node in _code(ast.parse(text)):
        for other in _changes(node):
            start = offset(node.lineno, node.col_offset)
            end = offset(node.end_lineno or 0, node.end_col_offset or 0)
            after = ast.unparse(other)
            code = lines[node.lineno - 1].decode().strip()
            found.append(Mutant(path, node.lineno, code, start, end, text[start:end], after))
    return found


def _code(tree: ast.AST) -> Iterator[ast.expr]:
    """Yield expressions that are executed: no annotations, docstrings, messages or assertions."""
    for field, value in ast.iter_fields(tree):
        if field in ("annotation", "returns", "decorator_list") or isinstance(value, str):
            continue
        for child in value if isinstance(value, list) else [value]:
            if not isinstance(child, ast.AST) or isinstance(child, ast.Assert | ast.JoinedStr):
                continue
            if isinstance(child, ast.expr):
                yield child
            yield from _code(child)


def _changes(node: ast.expr) -> Iterator[ast.expr]:
    """Yield what may take the place of an expression."""
    match node:
        case ast.BinOp(left, op, right):
            # Strings and paths are joined by the same signs as numbers.
            texts = (ast.JoinedStr, ast.Constant)
            if any(isinstance(x, texts) and not _is_number(x) for x in (left, right)):
                return
            if type(op) in SWAPS:
                yield ast.BinOp(left, SWAPS[type(op)](), right)  # type: ignore[arg-type]
            if isinstance(op, ast.Add | ast.Sub):
                yield left
        case ast.Compare(left, [op], right) if type(op) in SWAPS:
            yield ast.Compare(left, [SWAPS[type(op)]()], right)  # type: ignore[list-item]
        case ast.BoolOp(op, values):
            yield ast.BoolOp(SWAPS[type(op)](), values)  # type: ignore[arg-type]
        case ast.UnaryOp(ast.USub() | ast.Not() | ast.Invert(), operand):
            yield operand
        case ast.Constant(value) if _is_number(node):
            yield ast.Constant(value + 1)  # type: ignore[operator]
            if value:
                yield ast.Constant(value - 1)  # type: ignore[operator]
        case ast.Name(name) if name in NAMES:
            yield ast.Name(NAMES[name])
        case ast.Attribute(value, name) if name in NAMES:
            yield ast.Attribute(value, NAMES[name])
        case ast.IfExp(_, body, orelse):
            yield body
            yield orelse


def _is_number(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and type(node.value) in (int, float)
