"""The memory of a ring whose stages are processes: one region of slots and gates, and a record for each role.

Rule 1. Roles are numbered ingress, stages, egress; a stage's gate is its number in the spec, the egress's comes last.
Rule 2. Whoever attaches knows from the spec alone what it must find.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from byteor.abi import byteor_v1 as abi
from byteor.backings.mem import Ring
from byteor.exec.graph import Graph
from byteor.exec.schema import dtype
from byteor.kernel.words import Words
from byteor.plant.blocks import Make
from byteor.plant.shared import Files
from byteor.spec.model import SingleRing, Stage

WORD = 8


@dataclass(frozen=True, slots=True)
class Part:
    """One role of a ring: `number` is its place in the plant's region."""

    number: int
    kind: str
    name: str
    path: str
    stage: Stage | None = None


def parts_of(spec: SingleRing) -> tuple[Part, ...]:
    """The roles of a ring."""
    ingress = Part(0, "ingress", spec.ingress.name, "ingress")
    stages = [Part(i + 1, "stage", s.name, f"stages.{i}", s) for i, s in enumerate(spec.stages)]
    last = Part(len(stages) + 1, "egress", spec.egress.name, "egress") if spec.egress else None
    return (ingress, *stages, last) if last else (ingress, *stages)


@dataclass(frozen=True, slots=True)
class RingBlocks:
    """The blocks of a ring; books that a process does not need are None."""

    spec: SingleRing
    plant: Any
    region: Any
    books: tuple[Any, ...]

    @property
    def ring(self) -> Ring:
        """The ring as its runners know it."""
        kind = dtype(next(t for t in self.spec.types if t.name == self.spec.type), self.spec.slot_bytes)
        filters = self.region.params["filters"]
        dead = self.region.array("dead") if filters else np.zeros(self.spec.capacity, np.uint8)
        rows = dead.reshape(max(1, filters), -1)[:, : self.spec.capacity]
        return Ring(self.region, self.region.array("slots", kind), rows)

    def runner(self, part: Part) -> Words:
        """The doorbell and the counters of a role."""
        table = abi.runner()
        start = self.plant.address("runner_bell", part.number) - self.plant.address("header")
        return Words(table, self.plant.memory[start : start + table.bytes])


def region_params(spec: SingleRing) -> dict[str, int]:
    """The parameters of a ring's region."""
    filters = len(Graph(spec).filters)
    plain = {"lengths": 0, "orders": 0, "schema_bytes": 0}
    return {
        "rings": 1,
        "gates": len(spec.stages) + 1,
        "filters": filters,
        "capacity": spec.capacity,
        "slot_bytes": spec.slot_bytes,
        **plain,
    }


def row_words(spec: SingleRing, stage: Stage) -> int:
    """Words of a row of a stage's state."""
    assert stage.state is not None
    kind = next(t for t in spec.types if t.name == stage.state.type)
    return -(-dtype(kind).itemsize // WORD)


def book_params(spec: SingleRing, part: Part) -> dict[str, int]:
    """The parameters of the region of a role's record: what one turn changes is as much as a ring holds."""
    stage = part.stage
    tail = table = end = 0
    if stage is not None and stage.state is not None:
        words = row_words(spec, stage)
        tail = WORD * (stage.state.max * (words + 1) if stage.state.by else words)
        table = WORD * stage.state.max * words if stage.state.by else 0
    if stage is not None and stage.end is not None:
        end = stage.end.max * dtype(next(t for t in spec.types if t.name == stage.end.type)).itemsize
    return {"inputs": 1, "outputs": 1, "tail_bytes": tail, "table_bytes": table, "end_bytes": end}


def made(spec: SingleRing, make: Make, blocking: bool) -> RingBlocks:
    """Make all blocks of a ring, open and empty."""
    bits = abi.BITS["may_block"] * blocking
    parts = parts_of(spec)
    plant = make("plant", abi.PLANT_KIND, {"runners": len(parts)}, bits)
    region = make("ring", abi.SLOTS, region_params(spec), bits)
    books = [make(f"role.{part.name}", abi.ROLE_KIND, book_params(spec, part), 0) for part in parts]
    for book in books:
        book.write("generation", region.generation)
    return RingBlocks(spec, plant, region, tuple(books))


def generations(blocks: RingBlocks) -> dict[str, int]:
    """The generations of all regions, by file."""
    return {Path(b.path).name: b.generation for b in (blocks.plant, blocks.region, *blocks.books)}


def attach(
    spec: SingleRing, folder: Path, known: Mapping[str, int], parts: Iterable[Part], looks: bool = False
) -> RingBlocks:
    """Map the ring, the shared block, and the records of these roles."""
    files = Files.of(folder, known, looks)
    every = parts_of(spec)
    plant = files.block("plant", abi.PLANT_KIND, {"runners": len(every)})
    region = files.block("ring", abi.SLOTS, region_params(spec))
    books: list[Any] = [None] * len(every)
    for part in parts:
        books[part.number] = files.block(f"role.{part.name}", abi.ROLE_KIND, book_params(spec, part))
        if books[part.number].read("generation") != region.generation:
            raise files.lost(
                "ring", f"`{part.name}` has its position in generation {books[part.number].read('generation')}"
            )
    return RingBlocks(spec, plant, region, tuple(books))
