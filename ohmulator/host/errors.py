"""Errors between a host and a chip, each in one sentence."""

from spec.errors import UserError
from spec.isa import ErrorCode


class LinkError(UserError):
    """No good reply came, however often the command was sent, or the chip served another host."""


class MismatchError(UserError):
    """The chip is not what the configuration describes, or speaks another protocol."""


class RefusedError(UserError):
    """The chip, or tile, refused a command, which therefore did nothing.

    Attributes
    ----------
    code
        Why.
    """

    def __init__(self, command: str, code: ErrorCode, device: str = "chip"):
        super().__init__(f"the {device} refused to {command}: {code.summary} ({code.name})")
        self.code = code


class ProgramError(UserError):
    """A program ended otherwise than by HALT.

    Attributes
    ----------
    code, pc
        Why, and at which instruction.
    """

    def __init__(self, code: ErrorCode, pc: int):
        super().__init__(f"the program stopped at instruction {pc}: {code.summary} ({code.name})")
        self.code, self.pc = code, pc


class OperationError(UserError):
    """A tile ended an operation with an error, before it did anything.

    Attributes
    ----------
    code
        Why.
    """

    def __init__(self, operation: str, code: ErrorCode):
        super().__init__(f"the tile refused {operation}: {code.summary} ({code.name})")
        self.code = code
