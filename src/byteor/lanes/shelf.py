"""Where the segment files of a journal stand, and what makes a file one of them.

Rule 1. A segment file is a region: whole before it has a name, and never longer than it was made.
Rule 2. It holds its number and the generation of its journal, and is believed only when both are right.
Rule 3. What a writer made and did not come to use is used by its successor; nothing is ever replaced.
"""

from __future__ import annotations

import contextlib
import itertools
import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from byteor.abi.byteor_v1 import SEGMENT_KIND
from byteor.backings import mem, shm
from byteor.diag import Diagnostic, Refused
from byteor.kernel.words import Words
from byteor.lanes import findings as t
from byteor.lanes.cells import Block
from byteor.transport import files, regions
from byteor.transport.header import FIELDS
from byteor.transport.regions import PLAIN, Mapping

DIGITS = 8
_GENERATION = FIELDS["generation"]
_OF = SEGMENT_KIND.layout(segment_bytes=4096).cells["segment_log"]  # where it is does not depend on the length
READ_ONLY = Mapping(writable=False)


@dataclass(frozen=True, slots=True)
class Segment:
    """One segment of a journal: the number of its first record, where it begins, and the bytes used in it."""

    number: int
    first: int
    position: int
    bytes: int
    path: str


class Shelf(Protocol):
    """The segments of one journal, by their numbers."""

    def make(self, number: int) -> Block:
        """A segment to write in: a new one, or the one that is there."""

    def open(self, number: int, writing: bool) -> Block:
        """A segment that is there already."""

    def numbers(self) -> list[int]:
        """The segments there are, in order, whatever they hold."""

    def path(self, number: int) -> str:
        """The file of a segment; empty where it is none."""


def path_of(journal: str, number: int) -> str:
    """The file of a journal's segment."""
    return f"{journal}.{number:0{DIGITS}d}"


def journal_of(path: str) -> str | None:
    """The journal that a file with this name is a segment of; None when it has no such name."""
    journal, dot, number = path.rpartition(".")
    return journal if dot and number.isascii() and number.isdecimal() and len(number) >= DIGITS else None


def paths_of(journal: str) -> list[str]:
    """Every file that has the name of a segment of this journal, in order."""
    folder = os.path.dirname(journal) or "."
    with files.telling(journal), os.scandir(folder) as entries:
        found = [os.path.join(os.path.dirname(journal), one.name) for one in entries]
    return sorted((path for path in found if journal_of(path) == journal), key=lambda path: (len(path), path))


def missing(name: str, first: int, there: list[int], end: int) -> Iterator[Diagnostic]:
    """What is missing from the segments that are there, when they should be those from `first` up to `end`."""
    for before, after in itertools.pairwise([first - 1, *there, end]):
        if after - before > 1:
            said = f"segment {before + 1}" if after - before == 2 else f"segments {before + 1} to {after - 1}"
            yield t.SEGMENT_MISSING.at(name, f"{said}: no file is there")


def clear(journal: str) -> None:
    """Remove the segment files of a journal, the last one first; files of other journals stay."""
    with files.opened(journal, os.O_RDONLY, judges=(files.owner,)) as fd:
        mine = os.pread(fd, _GENERATION.size, _GENERATION.offset)
    for path in reversed(paths_of(journal)):
        with contextlib.suppress(Refused), files.opened(path, os.O_RDONLY, judges=(files.owner,)) as fd:
            if os.pread(fd, _OF.size, _OF.offset) == mine:
                regions.remove(path)


class OnDisk:
    """Files beside the journal's own."""

    def __init__(self, head: shm.Block, schema: bytes, how: Mapping = PLAIN, fsync: bool = False) -> None:
        self._head, self._schema, self._how, self._fsync = head, schema, how, fsync
        self._params = {"segment_bytes": head.params["segment_bytes"]}

    def path(self, number: int) -> str:
        return path_of(self._head.path, number)

    def numbers(self) -> list[int]:
        return [int(path.rpartition(".")[2]) for path in paths_of(self._head.path)]

    def make(self, number: int) -> Block:
        path = self.path(number)
        if os.path.lexists(path):
            return self._judged(number, PLAIN)

        def fill(words: Words) -> None:
            words.write("segment_number", number)
            words.write("segment_log", self._head.generation)

        made = shm.create(path, SEGMENT_KIND, self._params, 0, self._schema, self._how, fill)
        if self._fsync:
            self._sync_folder()
        return made

    def open(self, number: int, writing: bool) -> Block:
        path = self.path(number)
        if not os.path.lexists(path):
            raise Refused([t.SEGMENT_MISSING.at(self._head.path, f"segment {number} has no file {path}")])
        return self._judged(number, PLAIN if writing else READ_ONLY)

    def _judged(self, number: int, how: Mapping) -> Block:
        block = shm.attach(self.path(number), [SEGMENT_KIND], known=0, schema=self._schema, wait=0, how=how)
        for what, found, wanted in (
            ("number", block.read("segment_number"), number),
            ("journal", block.read("segment_log"), self._head.generation),
            ("length", block.params["segment_bytes"], self._params["segment_bytes"]),
        ):
            if found != wanted:
                block.close()
                raise Refused([t.SEGMENT_DIFFERS.at(block.path, f"its {what} is {found}, {wanted} was expected")])
        return block

    def _sync_folder(self) -> None:
        with files.telling(self._head.path):
            fd = os.open(os.path.dirname(self._head.path) or ".", os.O_RDONLY | os.O_DIRECTORY)
            try:
                os.fsync(fd)
            finally:
                os.close(fd)


class InMemory:
    """Blocks of this process; they live as long as the lane."""

    def __init__(self, head: Block) -> None:
        self._params = {"segment_bytes": head.params["segment_bytes"]}
        self._made: dict[int, mem.Block] = {}

    def path(self, number: int) -> str:
        return ""

    def numbers(self) -> list[int]:
        return sorted(self._made)

    def make(self, number: int) -> Block:
        if number not in self._made:
            self._made[number] = mem.block(SEGMENT_KIND, self._params)
        return self._made[number]

    def open(self, number: int, writing: bool) -> Block:
        return self._made[number]
