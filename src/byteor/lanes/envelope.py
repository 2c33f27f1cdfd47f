"""The `indexbus-msg` envelope, version 1: what untyped messages say of themselves, 24 bytes before the payload.

Rule 1. It is little-endian on every machine.
Rule 2. Whoever reads skips what a header has more than these, and refuses flags that it does not know: all of them.
Rule 3. A message that is received and is no envelope was received all the same: the next call goes on behind it.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from byteor.abi.indexbus_v1 import ENVELOPE, ENVELOPE_MAGIC
from byteor.diag import Refused
from byteor.lanes import findings as t

HEADER_BYTES = ENVELOPE.bytes
_FORM = struct.Struct("<IHBBQIHH")
assert _FORM.size == HEADER_BYTES
_BITS = {"codec": 8, "schema": 64, "type": 32, "version": 16}


@dataclass(frozen=True, slots=True)
class Envelope:
    """A payload, and the numbers by which its reader knows what it is: codec, schema, type and version."""

    payload: bytes | memoryview
    type: int = 0
    version: int = 0
    schema: int = 0
    codec: int = 0

    def encode(self, where: str = "") -> bytes:
        """The bytes of header and payload."""
        found = [
            t.BAD_ENVELOPE.at(where, f"`{name}` is {getattr(self, name)}, and has {bits} bits")
            for name, bits in _BITS.items()
            if not 0 <= getattr(self, name) < 1 << bits
        ]
        if len(self.payload) >= 1 << 16:
            found.append(t.BAD_ENVELOPE.at(where, f"the payload has {len(self.payload)} bytes; the most is 65535"))
        if found:
            raise Refused(found)
        ids = self.codec, HEADER_BYTES, self.schema, self.type, self.version
        return _FORM.pack(ENVELOPE_MAGIC, 0, *ids, len(self.payload)) + bytes(self.payload)


def decode(data: memoryview, where: str = "") -> Envelope:
    """The envelope that these bytes are; its payload is a view of them."""
    if len(data) < HEADER_BYTES:
        raise Refused([t.BAD_ENVELOPE.at(where, f"{len(data)} bytes are no header of {HEADER_BYTES}")])
    magic, flags, codec, length, schema, kind, version, size = _FORM.unpack_from(data)
    faults = (
        (magic != ENVELOPE_MAGIC, f"it begins with {magic:#010x}, an envelope with {ENVELOPE_MAGIC:#010x}"),
        (flags != 0, f"its flags are {flags:#06x}, of which none is known"),
        (length < HEADER_BYTES, f"its header says {length} bytes; the least is {HEADER_BYTES}"),
        (length + size > len(data), f"{length} and {size} bytes are said to lie in {len(data)}"),
    )
    for wrong, said in faults:
        if wrong:
            raise Refused([t.BAD_ENVELOPE.at(where, said)])
    return Envelope(data[length : length + size], kind, version, schema, codec)
