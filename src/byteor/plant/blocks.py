"""The memory of a plant: a block for each lane, for each role's record, and one that all share.

Rule 1. One way to make them, whatever they are made of: `make(name, kind, params, capabilities)` gives a block.
Rule 2. Sizes follow from the spec alone, so a process that attaches knows what it must find.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from byteor.abi import byteor_v1 as abi
from byteor.abi.family import Kind
from byteor.backings import mem
from byteor.exec.schema import dtype
from byteor.kernel.order import LOWEST
from byteor.plant.wiring import RINGS, Role, Wiring, kind_of, params_of
from byteor.spec.model import Stage

Make = Callable[[str, Kind, Mapping[str, int], int], Any]
LINK_BYTES = 64  # of the words that a link keeps in its record
LOG_BYTES = 64 << 10  # of changed rows in one commit; a batch that changes more is cut


@dataclass(frozen=True, slots=True)
class Blocks:
    """All blocks that a process works with; lanes and books that it does not need are None."""

    plant: Any
    lanes: tuple[Any, ...]
    books: tuple[Any, ...]


def in_memory(_name: str, kind: Kind, params: Mapping[str, int], capabilities: int) -> Any:
    """Make a block in the memory of this process."""
    return mem.block(kind, params, capabilities)


def made(wiring: Wiring, make: Make, blocking: bool) -> Blocks:
    """Make all blocks of a plant, open and empty."""
    bits = abi.BITS["may_block"] * blocking
    plant = make("plant", abi.PLANT_KIND, {"runners": len(wiring.roles)}, bits)
    lanes = []
    for number, lane in enumerate(wiring.graph.lanes):
        block = None
        if lane.kind in RINGS and number in wiring.here:
            block = make(f"lane.{lane.name}", kind_of(lane), params_of(wiring, number), bits)
            if lane.order is not None:
                block.write("mark", LOWEST)
                block.write("mark_word", LOWEST)
        lanes.append(block)
    books = [make(f"role.{role.name}", abi.ROLE_KIND, book_params(wiring, role), 0) for role in wiring.roles]
    return Blocks(plant, tuple(lanes), tuple(books))


def book_params(wiring: Wiring, role: Role) -> dict[str, int]:
    """The parameters of the region of a role's record; what lies outside the plant counts as one lane."""
    stage = role.stage
    return {
        "inputs": max(1, len(role.inputs)),
        "outputs": max(1, len(role.outputs)),
        "tail_bytes": LINK_BYTES if role.is_link else _tail(wiring, stage),
        "table_bytes": stage.state.max * row_bytes(wiring, stage) if stage and stage.state and stage.state.by else 0,
        "end_bytes": stage.end.max * wiring.lane(role.outputs[0]).slot_bytes if stage and stage.end else 0,
    }


def row_bytes(wiring: Wiring, stage: Stage) -> int:
    """Bytes of a row of a stage's state: whole words."""
    assert stage.state is not None
    return -(-dtype(wiring.types[stage.state.type]).itemsize // 8) * 8


def log_rows(wiring: Wiring, stage: Stage) -> int:
    """How many rows of keyed state one commit can change."""
    assert stage.state is not None
    return max(1, min(stage.state.max, LOG_BYTES // (8 + row_bytes(wiring, stage))))


def _tail(wiring: Wiring, stage: Stage | None) -> int:
    if stage is None or stage.state is None:
        return 0
    row = row_bytes(wiring, stage)
    return log_rows(wiring, stage) * (8 + row) if stage.state.by else row
