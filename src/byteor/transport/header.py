"""The first 64 bytes of a region as a value, and what is judged of them.

Rule 1. A header is untrusted: it is copied once, judged whole, and used only as the copy.
Rule 2. One cause, one finding: what a wrong fact makes meaningless is not judged.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass

from byteor.abi.byteor_v1 import BITS, CAPABILITIES, HEADER, REQUIRED
from byteor.abi.indexbus_v1 import INITIALIZING, KIND_MASK, MAGIC, READY, UNINITIALIZED, VERSION
from byteor.abi.layout import HASH_BYTES, Place
from byteor.diag import Diagnostic, in_order
from byteor.transport import findings as t

HEADER_BYTES = HEADER.bytes
NO_HASH = bytes(HASH_BYTES)
_ABI = ("magic", "version", "flags", "capabilities", "layout_bytes")
_OURS = ("initialized", "generation", "layout_hash", "schema_hash")
FIELDS: dict[str, Place] = {name: HEADER.cells[f"abi_{name}"] for name in _ABI}
FIELDS |= {name: HEADER.cells[name] for name in _OURS}


@dataclass(frozen=True, slots=True)
class Header:
    """What a region says of itself; `flags` is what its word holds besides the kind."""

    kind: int
    layout_bytes: int
    capabilities: int = 0
    layout_hash: bytes = NO_HASH
    schema_hash: bytes = NO_HASH
    flags: int = 0
    generation: int = 0
    initialized: int = UNINITIALIZED
    version: int = VERSION
    magic: int = MAGIC

    def encode(self) -> bytes:
        """Lay the header out; a value that does not fit its word is a ValueError."""
        if self.kind & ~KIND_MASK or self.flags & KIND_MASK:
            raise ValueError(f"kind {self.kind} and flags {self.flags:#x} do not fit their halves of the word")
        out = bytearray(HEADER_BYTES)
        for name, at in FIELDS.items():
            out[at.offset : at.offset + at.size] = _bytes(name, self._word(name), at.size)
        return bytes(out)

    def _word(self, name: str) -> int | bytes:
        value: int | bytes = self.kind | self.flags if name == "flags" else getattr(self, name)
        return value


def _bytes(name: str, value: int | bytes, size: int) -> bytes:
    if isinstance(value, int) and 0 <= value < 1 << 8 * size:
        return value.to_bytes(size, sys.byteorder)
    if isinstance(value, bytes) and len(value) == size:
        return value
    raise ValueError(f"{name} = {value!r} does not fit {size} bytes")


def decode(raw: bytes) -> Header | None:
    """The header that these bytes are; None when they are too few."""
    if len(raw) < HEADER_BYTES:
        return None
    cut = {name: raw[at.offset : at.offset + at.size] for name, at in FIELDS.items()}
    words = {n: int.from_bytes(b, sys.byteorder) for n, b in cut.items() if not n.endswith("_hash")}
    flags = words.pop("flags")
    return Header(
        kind=flags & KIND_MASK,
        flags=flags & ~KIND_MASK,
        layout_hash=cut["layout_hash"],
        schema_hash=cut["schema_hash"],
        **words,
    )


@dataclass(frozen=True, slots=True)
class Wanted:
    """What an opener insists on; None leaves a fact unjudged.

    `required` are the capabilities that it cannot do without, `known` those of bits 0 to 15 that it
    understands besides.
    """

    kind: int | None = None
    required: int = 0
    known: int = 0
    layout_hash: bytes | None = None
    schema_hash: bytes | None = None
    layout_bytes: int | None = None
    generation: int | None = None


KNOWN = sum(BITS.values()) & REQUIRED
ANY = Wanted(known=KNOWN)


def validate(path: str, header: Header | None, size: int, wanted: Wanted) -> tuple[Diagnostic, ...]:
    """Judge a header against the size of its file and against what is wanted."""
    return in_order(_faults(path, header, size, wanted))


def under_way(header: Header | None) -> bool:
    """Whether a creator may still be at work, so that waiting makes sense."""
    return header is not None and header.magic == MAGIC and header.version == VERSION and header.initialized < READY


def _faults(path: str, header: Header | None, size: int, wanted: Wanted) -> Iterator[Diagnostic]:
    if header is None:
        yield t.TOO_SMALL.at(path, f"the file has {size} bytes, a header alone has {HEADER_BYTES}")
    elif header.magic != MAGIC:
        yield t.NOT_OURS.at(path, f"it begins with {header.magic:#010x}, a region begins with {MAGIC:#010x}")
    elif header.version != VERSION:
        yield t.WRONG_VERSION.at(path, f"it has version {header.version}, this build reads {VERSION}")
    elif header.initialized in (UNINITIALIZED, INITIALIZING):
        yield t.NOT_READY.at(path, f"`initialized` is {header.initialized}, ready is {READY}", help=_AGAIN)
    elif header.initialized != READY:
        yield t.BAD_STATE.at(path, f"`initialized` is {header.initialized}, ready is {READY}", help=_AGAIN)
    elif wanted.kind not in (None, header.kind):
        yield t.WRONG_KIND.at(path, f"it is of kind {header.kind}, kind {wanted.kind} was asked for")
    else:
        yield from _sizes(path, header, size, wanted)
        yield from _capabilities(path, header, wanted)
        yield from _identity(path, header, wanted)


_AGAIN = "if its creator is gone, remove the region and create it again"


def _sizes(path: str, header: Header, size: int, wanted: Wanted) -> Iterator[Diagnostic]:
    stated = header.layout_bytes
    least = HEADER_BYTES if wanted.layout_bytes is None else wanted.layout_bytes
    if stated < least:
        yield t.TOO_SMALL.at(path, f"its header states {stated} bytes, {least} are needed")
    elif size < stated:
        yield t.TOO_SMALL.at(path, f"its header states {stated} bytes, the file has {size}")
    elif size > stated:
        yield t.TOO_LARGE.at(path, f"its header states {stated} bytes, the file has {size}")
    elif wanted.layout_bytes is not None and stated > least:
        yield t.TOO_LARGE.at(path, f"its header states {stated} bytes, {least} were expected")


def _capabilities(path: str, header: Header, wanted: Wanted) -> Iterator[Diagnostic]:
    if lacking := wanted.required & ~header.capabilities:
        yield t.NO_CAPABILITY.at(path, f"it lacks {_bits(lacking)}")
    if unknown := header.capabilities & REQUIRED & ~(wanted.required | wanted.known):
        yield t.UNKNOWN_CAPABILITY.at(path, f"it requires {_bits(unknown)}, not known here")


_NAMES = {bit: f" ({name})" for name, (bit, _) in CAPABILITIES.items()}


def _bits(mask: int) -> str:
    bits = [bit for bit in range(mask.bit_length()) if mask >> bit & 1]
    said = ", ".join(f"{bit}{_NAMES.get(bit, '')}" for bit in bits)
    return f"{'capability' if len(bits) == 1 else 'capabilities'} {said}"


def _identity(path: str, header: Header, wanted: Wanted) -> Iterator[Diagnostic]:
    for rule, what, found, asked in (
        (t.WRONG_LAYOUT, "layout", header.layout_hash, wanted.layout_hash),
        (t.WRONG_SCHEMA, "schema", header.schema_hash, wanted.schema_hash),
    ):
        if asked not in (None, found):
            yield rule.at(path, f"its {what} is {found.hex()}, {(asked or b'').hex()} was asked for")
    if wanted.generation not in (None, header.generation):
        yield t.OTHER_GENERATION.at(
            path, f"it is of generation {header.generation:#x}, {wanted.generation:#x} was expected"
        )
