"""What can be seen of a region from outside: what it is, its words, and who has its cells.

Rule 1. Nothing is written and no cell is taken; broken regions are shown as far as they can be believed.
Rule 2. Words are read one after the other while others write them: each is right, together they are a moment.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from byteor.abi.byteor_v1 import BITS, CAPABILITIES, JOURNAL_KIND, KINDS, owners
from byteor.abi.layout import WORD
from byteor.abi.shapes import BY_NUMBER
from byteor.backings import shm
from byteor.diag import Diagnostic, Refused
from byteor.lanes.cells import name_of
from byteor.lanes.shelf import OnDisk, Segment, journal_of, missing
from byteor.transport import regions

FEW = 256  # more elements than that are payload, not words
_UNINTERESTING = ("header", "shape", "order", "length", "dead", "slots", "records")
READ_ONLY = regions.Mapping(writable=False)


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell that can be owned: `state` is alive, dead or free."""

    name: str
    index: int
    value: int
    state: str
    pid: int
    owner: str


@dataclass(frozen=True, slots=True)
class Look:
    """One region as it was seen; `findings` say what keeps it from being opened."""

    path: str
    kind: str
    size: int
    generation: int
    capabilities: tuple[str, ...]
    params: dict[str, int]
    cells: tuple[Cell, ...]
    words: dict[str, list[int]]
    findings: tuple[Diagnostic, ...]
    segments: tuple[Segment, ...] = ()

    @property
    def state(self) -> str:
        """broken, in use or idle."""
        if self.findings:
            return "broken"
        return "in use" if any(cell.state == "alive" for cell in self.cells) else "idle"


def look(path: str | Path) -> Look:
    """Look at a region; only a file that cannot be opened at all is refused."""
    seen = regions.inspect(path)
    header = seen.header
    kind = BY_NUMBER.get(header.kind) if header is not None else None
    name = kind.name if kind else f"kind {header.kind}" if header else "?"
    bits = header.capabilities if header else 0
    named = tuple(text for text, (bit, _) in CAPABILITIES.items() if bits >> bit & 1)
    about = (seen.path, name, seen.size, header.generation if header else 0, named)
    if seen.findings or kind not in KINDS:
        return Look(*about, {}, (), {}, seen.findings)
    try:
        block = shm.attach(path, KINDS, wait=0, how=READ_ONLY)
    except Refused as refused:
        return Look(*about, {}, (), {}, refused.diagnostics)
    words = {place: block.values(place) for place in _words(block)}
    keeps_all = block.kind == JOURNAL_KIND and block.capabilities & BITS["retain_all"]
    segments, found = _segments(block) if keeps_all else ((), ())
    return Look(*about, block.params, tuple(_cells(block)), words, found, segments)


def _words(block: shm.Block) -> Iterator[str]:
    for name, place in block.layout.cells.items():
        inner = name.endswith(("_pid", "_started", "_name", "_announced"))
        if place.size == WORD and 0 < place.count <= FEW and not inner and not name.startswith(_UNINTERESTING):
            yield name


def _cells(block: shm.Block) -> Iterator[Cell]:
    for name, index, _ in owners(block.layout):
        pid = block.read(f"{name}_pid", index)
        state = "alive" if block.held(name, index) else "dead" if pid else "free"
        yield Cell(name, index, block.read(name, index), state, pid, name_of(block, name, index))


def _segments(block: shm.Block) -> tuple[tuple[Segment, ...], tuple[Diagnostic, ...]]:
    """The segments of a journal that keeps all, up to its cursor, and those that are missing or not its own."""
    shelf = OnDisk(block, block.region.header.schema_hash)
    end, length = block.read("cursor"), block.params["segment_bytes"]
    there = [number for number in shelf.numbers() if number * length < end]
    seen: list[Segment] = []
    found = list(missing(block.path, 0, there, -(-end // length)))
    for number in there:
        try:
            one = shelf.open(number, writing=False)
        except Refused as refused:
            found += refused.diagnostics
            continue
        begin = number * length
        used = end - begin if end - begin <= length else one.read("segment_tail")
        seen.append(Segment(number, one.read("segment_first"), begin, used, one.path))
    return tuple(seen), tuple(found)


def every(folder: str | Path) -> tuple[Look, ...]:
    """Every region of this user in a folder; segments are shown with the journal that they belong to."""
    paths = [seen.path for seen in regions.listing(folder)]
    return tuple(look(path) for path in paths if journal_of(path) not in paths)
