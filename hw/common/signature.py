"""Signatures that compare by what they were made from."""

from collections.abc import Mapping
from typing import Any

from amaranth.lib import wiring


class ParameterSignature(wiring.Signature):
    """Signature that equals another one of its class with equal parameters.

    Parameters
    ----------
    members
        Members by name.
    parameters
        Arguments of the subclass's constructor, by name, from which the members follow.
    """

    def __init__(self, members: Mapping[str, wiring.Member], **parameters: Any):
        self._parameters = parameters
        super().__init__(members)

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and other._parameters == self._parameters

    def __repr__(self) -> str:
        arguments = ", ".join(f"{name}={value!r}" for name, value in self._parameters.items())
        return f"{type(self).__name__}({arguments})"
