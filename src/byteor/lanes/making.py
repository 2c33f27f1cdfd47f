"""How a lane's region comes to be, and how it is joined: with the type of its messages, by hash and by text.

Rule 1. The text of the type stands behind all else in the region, and is written before the region has a name.
Rule 2. Who gives a type must give the region's; who gives none has the one that the text says, if there is a text.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from byteor.abi.byteor_v1 import BITS
from byteor.abi.family import Kind
from byteor.backings import mem, shm
from byteor.diag import Refused
from byteor.kernel.wait import BLOCK, STRATEGIES
from byteor.kernel.words import Words
from byteor.lanes import findings as t
from byteor.lanes.cells import Block
from byteor.lanes.typed import Type, checked, hash_of, schema_text, type_of
from byteor.transport.regions import PLAIN, Mapping


def where(path: Path | None) -> str:
    """What findings name a lane by that is not made yet."""
    return "" if path is None else str(path)


def make(
    path: Path | None, kind: Kind, params: dict[str, int], bits: int, dtype: Type | None, how: Mapping = PLAIN
) -> Block:
    """Make a region; without a path, a block in the memory of this process."""
    text = np.frombuffer(b"" if dtype is None else schema_text(dtype).encode("ascii"), np.uint8)

    def fill(words: Words) -> None:
        words.array("schema")[:] = text

    params = {**params, "schema_bytes": text.size}
    if path is not None:
        return shm.create(path, kind, params, bits, hash_of(dtype), how, fill)
    block = mem.block(kind, params, bits)
    fill(block)
    return block


def join(path: Path, kinds: Sequence[Kind], known: int, dtype: Any, wait: float) -> tuple[shm.Block, Type | None]:
    """Open a region whose messages are of this type; answer the type as well, also when it was not given."""
    given = None if dtype is None else checked(dtype, str(path))
    schema = None if given is None else hash_of(given)
    block = shm.attach(path, kinds, known=known, schema=schema, wait=wait)
    if given is not None or not block.params["schema_bytes"]:
        return block, given
    try:
        return block, written_type(block)
    except Refused:
        block.close()
        raise


def written_type(block: shm.Block) -> Type:
    """The type that the region's text says."""
    return type_of(block.array("schema").tobytes(), block.region.header.schema_hash, block.path)


def strategy(name: str, wait: str | None, may_block: bool) -> int:
    """How an end waits; by sleeping on its bell where there are bells, unless it says otherwise."""
    wait = wait or ("block" if may_block else "backoff")
    if wait not in STRATEGIES:
        raise Refused([t.BAD_OPTION.at(name, f"`wait` is {wait!r}, not one of {', '.join(STRATEGIES)}")])
    if STRATEGIES[wait] == BLOCK and not may_block:
        raise Refused([t.CANNOT_BLOCK.at(name, "`wait` is 'block', and the lane has no doorbells")])
    return STRATEGIES[wait]


def blocks(block: Block) -> bool:
    """Whether ends of this lane may sleep on doorbells."""
    return bool(block.capabilities & BITS["may_block"])
