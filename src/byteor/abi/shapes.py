"""The shape of a region, written and read: the parameters that its layout follows from.

Rule 1. What is read is untrusted: it is copied once, judged by `contradictions`, and used only as the copy.
Rule 2. Size, hash and some capabilities follow from the shape; they are computed, and compared with the header's.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping

from byteor.abi import findings
from byteor.abi.byteor_v1 import BITS, KINDS
from byteor.abi.family import Kind
from byteor.abi.layout import LINE, SECTION, WORD, layout_hash
from byteor.diag import Diagnostic

SHAPE_AT, SHAPE_END = SECTION, LINE
BY_NUMBER = {kind.number: kind for kind in KINDS}
_FLAGS = ("filters", "lengths", "orders")
SHAPED_BITS = sum(BITS[name] for name in (*_FLAGS, "several_rings"))


def pack_shape(kind: Kind, params: Mapping[str, int]) -> bytes:
    """Write the bytes from SHAPE_AT to SHAPE_END."""
    chosen = kind.chosen(params)
    words = b"".join(value.to_bytes(WORD, sys.byteorder) for value in chosen.values())
    return words.ljust(SHAPE_END - SHAPE_AT, b"\0")


def unpack_shape(kind: Kind, data: bytes) -> dict[str, int]:
    """Read the parameters from the first bytes of a region, whatever they are."""
    words = [int.from_bytes(data[at : at + WORD], sys.byteorder) for at in range(SHAPE_AT, SHAPE_END, WORD)]
    return {param.name: word for param, word in zip(kind.family.params, words, strict=False)}


def shape_bits(params: Mapping[str, int]) -> int:
    """The capability bits that a shape has by itself."""
    bits = sum(BITS[name] for name in _FLAGS if params.get(name, 0))
    return bits | (BITS["several_rings"] if params.get("rings", 1) > 1 else 0)


def contradictions(
    kind: Kind, params: Mapping[str, int], layout_bytes: int, digest: bytes, capabilities: int
) -> tuple[Diagnostic, ...]:
    """Say where a region contradicts itself: bounds first, then what follows from the shape."""
    if found := kind.findings(**params):
        return found
    given = [
        ("layout_bytes", layout_bytes, kind.layout(**params).bytes),
        ("layout_hash", digest.hex(), layout_hash(kind.text(**params)).hex()),
        ("capabilities", capabilities & SHAPED_BITS, shape_bits(kind.chosen(params))),
    ]
    return tuple(
        findings.SHAPE_DIFFERS.at(path, f"`{path}` is {says}, and the shape gives {follows}")
        for path, says, follows in given
        if says != follows
    )
