"""Access of the host to one space."""

from amaranth.lib.wiring import In, Out

from hw.common.signature import ParameterSignature
from spec.isa import WORD_BITS


class WordPort(ParameterSignature):
    """Access of the host to a space, by words, seen from the host.

    It comes only while no program runs, and with addresses inside the space. One access a cycle.

    Members
    -------
    address : Out, 32
    write, data : Out, 1 and 32
        Write the data in this cycle.
    read : Out, 1
        Read in this cycle.
    value : In, 32
        Word that was read, from the cycle after `read` until the next `read`.
    """

    def __init__(self) -> None:
        super().__init__(
            {
                "address": Out(WORD_BITS),
                "write": Out(1),
                "data": Out(WORD_BITS),
                "read": Out(1),
                "value": In(WORD_BITS),
            }
        )
