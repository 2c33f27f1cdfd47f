"""The blocks of a plant in a folder: made by its supervisor, attached by its roles and by whoever looks.

Rule 1. A file's name says what it is: `plant`, `lane.NAME`, `role.NAME`; which files there must be is in the manifest.
Rule 2. A region is taken only with the generation that the manifest names, and with the parameters of the spec.
Rule 3. A role's record names the generation of every lane that it has positions in.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from byteor.abi import byteor_v1 as abi
from byteor.abi.family import Kind
from byteor.backings import shm
from byteor.diag import Refused
from byteor.plant import findings
from byteor.plant.blocks import Blocks, Make, book_params, made
from byteor.plant.wiring import RINGS, Role, Wiring, kind_of, params_of
from byteor.transport import regions

LOOK = regions.Mapping(writable=False)
NO_LOGS: Mapping[int, int] = {}


def make_in(folder: Path) -> Make:
    """How blocks are made in a folder."""

    def make(name: str, kind: Kind, params: Mapping[str, int], capabilities: int) -> Any:
        return shm.create(folder / name, kind, params, capabilities)

    return make


def create(wiring: Wiring, folder: Path, blocking: bool, logs: Mapping[int, int]) -> tuple[Blocks, dict[str, int]]:
    """Make all regions of a plant; answer with them, and with their generations by file.

    `logs` are the generations of the plant's journals, by the number of their lane.
    """
    blocks = made(wiring, make_in(folder), blocking)
    lanes = {n: lane.generation for n, lane in enumerate(blocks.lanes) if lane is not None}
    for role in wiring.roles:
        book, ports = blocks.books[role.number], (*role.inputs, *role.outputs)
        for i, port in enumerate(ports):
            book.write("generation", {**lanes, **logs}[port.lane], i)
    every = (blocks.plant, *blocks.lanes, *blocks.books)
    return blocks, {Path(block.path).name: block.generation for block in every if block is not None}


def attach(
    wiring: Wiring,
    folder: Path,
    generations: Mapping[str, int],
    roles: Iterable[Role],
    logs: Mapping[int, int] = NO_LOGS,
    looks: bool = False,
) -> Blocks:
    """Map the plant's shared block, and what these roles work with; a reader that only `looks` cannot write.

    `logs` are the generations that the plant's journals have by now.
    """
    chosen = tuple(roles)
    how = LOOK if looks else regions.PLAIN
    files = Files(folder, generations, how)
    ports = {port.lane for role in chosen for port in (*role.inputs, *role.outputs)}
    plant = files.block("plant", abi.PLANT_KIND, {"runners": len(wiring.roles)})
    lanes: list[Any] = [None] * len(wiring.graph.lanes)
    for number in sorted(ports):
        lane = wiring.graph.lanes[number]
        if lane.kind in RINGS:
            lanes[number] = files.block(f"lane.{lane.name}", kind_of(lane), params_of(wiring, number))
    books: list[Any] = [None] * len(wiring.roles)
    for role in chosen:
        books[role.number] = files.block(f"role.{role.name}", abi.ROLE_KIND, book_params(wiring, role))
    blocks = Blocks(plant, tuple(lanes), tuple(books))
    for role in chosen:
        _hold_to_generations(wiring, role, blocks, folder, logs)
    return blocks


class Files:
    """The regions of one folder, judged by its manifest."""

    def __init__(self, folder: Path, generations: Mapping[str, int], how: regions.Mapping) -> None:
        self._folder, self._generations, self._how = folder, generations, how

    @classmethod
    def of(cls, folder: Path, generations: Mapping[str, int], looks: bool) -> Files:
        """The regions of a folder; a reader that only `looks` cannot write."""
        return cls(folder, generations, LOOK if looks else regions.PLAIN)

    def lost(self, name: str, message: str) -> Refused:
        """The refusal of one region."""
        return _lost(self._folder / name, message)

    def block(self, name: str, kind: Kind, params: Mapping[str, int]) -> Any:
        """Attach one region, or refuse it as lost."""
        path = self._folder / name
        try:
            block = shm.attach(path, [kind], how=self._how)
        except Refused as refused:
            raise _lost(path, refused.diagnostics[0].message) from refused
        if block.generation != self._generations.get(name):
            raise _lost(path, f"its generation is {block.generation}, the plant's is {self._generations.get(name)}")
        if block.params != kind.chosen(params):
            raise _lost(path, "it was made for another spec")
        return block


def _hold_to_generations(wiring: Wiring, role: Role, blocks: Blocks, folder: Path, logs: Mapping[int, int]) -> None:
    book = blocks.books[role.number]
    for i, port in enumerate((*role.inputs, *role.outputs)):
        lane = blocks.lanes[port.lane]
        now = lane.generation if lane is not None else logs.get(port.lane)
        if now is not None and book.read("generation", i) != now:
            message = f"`{role.name}` has positions in generation {book.read('generation', i)} of it"
            raise _lost(folder / f"lane.{wiring.lane(port).name}", message)


def _lost(path: Path, message: str) -> Refused:
    return Refused([findings.REGION_LOST.at(str(path), message)])
