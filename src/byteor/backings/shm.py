"""Blocks in shared memory: one region's words, arrays and locks, by the tables.

Rule 1. What a region says of itself is judged before a word of it is reached; what is used is the judged copy.
Rule 2. Addresses stay the same as long as the block lives, also after its region was closed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from byteor.abi import byteor_v1
from byteor.abi.family import Kind
from byteor.abi.layout import layout_hash
from byteor.abi.shapes import BY_NUMBER, SHAPE_AT, SHAPE_END, contradictions, pack_shape, shape_bits, unpack_shape
from byteor.diag import Refused
from byteor.kernel.words import Bytes, Words
from byteor.transport import findings as t
from byteor.transport import regions
from byteor.transport.files import Path
from byteor.transport.header import KNOWN, NO_HASH, Header, Wanted
from byteor.transport.locks import Owner


class Block(Words):
    """A region by its table: `address` and `array` for the kernel, `try_lock` and `held` by the name of a cell."""

    def __init__(self, region: regions.Region, kind: Kind, params: Mapping[str, int]) -> None:
        self.layout, self.kind, self.params = kind.layout(**params), kind, kind.chosen(params)
        super().__init__(self.layout, region.memory)
        self.path, self.generation = region.path, region.generation
        self.capabilities = region.header.capabilities
        self.region = region

    @property
    def removed(self) -> bool:
        """Whether nobody else will find this memory any more."""
        return self.region.removed

    def try_lock(self, name: str, index: int = 0) -> Owner | None:
        """Win the byte at a cell; None when somebody lives who has it."""
        return self.region.try_lock(self.layout.cells[name].at(index))

    def held(self, name: str, index: int = 0) -> bool:
        """Whether somebody lives who has the byte at a cell."""
        return self.region.held(self.layout.cells[name].at(index))

    def sync(self) -> None:
        """Force what was written to the disk, where the file lies on one."""
        self.region.sync()

    def close(self) -> None:
        """Let go of the file; the memory goes with the last view of it."""
        self.region.close()


def create(
    path: Path,
    kind: Kind,
    params: Mapping[str, int],
    capabilities: int = 0,
    schema: bytes = NO_HASH,
    how: regions.Mapping = regions.PLAIN,
    fill: Callable[[Words], object] = id,
) -> Block:
    """Make an open, empty region of a kind, or refuse its parameters; `fill` is called before it has its name."""
    if found := kind.findings(**params):
        raise Refused(found)
    table = kind.layout(**params)
    header = Header(
        kind=kind.number,
        layout_bytes=table.bytes,
        capabilities=capabilities | shape_bits(kind.chosen(params)),
        layout_hash=layout_hash(kind.text(**params)),
        schema_hash=schema,
    )

    def initialise(memory: Bytes) -> None:
        memory[SHAPE_AT:SHAPE_END] = np.frombuffer(pack_shape(kind, params), np.uint8)
        words = Words(table, memory)
        for i in range(table.cells["closed"].count if "closed" in table.cells else 0):
            words.write("closed", byteor_v1.OPEN, i)
        fill(words)

    return Block(regions.create(path, header, initialise, how), kind, params)


def attach(
    path: Path,
    kinds: Sequence[Kind],
    required: int = 0,
    known: int = KNOWN,
    schema: bytes | None = None,
    wait: float = 1.0,
    how: regions.Mapping = regions.PLAIN,
) -> Block:
    """Open a region of one of these kinds that does not contradict itself."""
    wanted = Wanted(kinds[0].number if len(kinds) == 1 else None, required, known, schema_hash=schema)
    region = regions.open(path, wanted, wait, how)
    try:
        kind, params = _judged(region, kinds)
        return Block(region, kind, params)
    except BaseException:
        region.close()
        raise


def _judged(region: regions.Region, kinds: Sequence[Kind]) -> tuple[Kind, dict[str, int]]:
    header, kind = region.header, BY_NUMBER.get(region.header.kind)
    if kind is None or kind not in kinds:
        asked = ", ".join(f"{k.number} ({k.name})" for k in kinds)
        raise Refused([t.WRONG_KIND.at(region.path, f"it is of kind {header.kind}, one of {asked} was asked for")])
    if region.size < SHAPE_END:
        raise Refused([t.TOO_SMALL.at(region.path, f"it has {region.size} bytes, and its shape ends at {SHAPE_END}")])
    params = unpack_shape(kind, region.memory[:SHAPE_END].tobytes())
    if found := contradictions(kind, params, header.layout_bytes, header.layout_hash, header.capabilities):
        raise Refused(found)
    return kind, params
