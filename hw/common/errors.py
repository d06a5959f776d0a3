"""Error codes in hardware: one is reported where several apply."""

from collections.abc import Iterable, Mapping

from amaranth.hdl import Const, Mux, Value, ValueLike

from spec.isa import ErrorCode


def first_error(rules: Iterable[tuple[Value, ValueLike]]) -> Value:
    """Return the code of the first rule that applies (1 bit, code), or NONE; an `ErrorCode`."""
    code: Value = Const(ErrorCode.NONE, ErrorCode)
    for applies, this in reversed(list(rules)):
        code = Mux(applies, this, code)
    return code


def lowest_error(errors: Mapping[ErrorCode, Value]) -> Value:
    """Return the lowest of the codes that apply (1 bit each), or NONE; an `ErrorCode`."""
    return first_error((errors[code], code) for code in sorted(errors))
