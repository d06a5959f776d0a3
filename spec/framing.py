"""Packets on a line of bytes: frames between flags, with a check sum.

The line has 8 data bits, the lowest first, no parity and 1 stop bit (8N1).

A frame is FLAG, the bytes of the words (least significant first) and of their CRC-32 (the one of
Ethernet and ZIP), FLAG. Where FLAG or ESCAPE occur among those bytes, ESCAPE precedes them and
they are XORed with STUFFED: asynchronous HDLC framing, RFC 1662. A flag thus never stands inside a
frame, and whatever happened to the line before it, the next frame is read.
"""

FLAG = 0x7E
ESCAPE = 0x7D
STUFFED = 0x20
WORD_BYTES = 4

BAUD = 1e6
"""Bits a second of the chip's serial line."""
