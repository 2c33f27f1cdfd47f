"""Regions: create, open, look at, list and remove; the mapped memory itself.

Rule 1. A creator makes the whole region before it has a name; an opener judges everything before it maps.
Rule 2. Sizes and facts are private copies from the header's one reading: the mapped words can change.
Rule 3. Memory is unmapped when its region is closed and the last view of it is gone: no view points at nothing.
"""

from __future__ import annotations

import ctypes
import mmap
import os
import secrets
import sys
import time
import weakref
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from byteor.abi.family import MAX_BYTES
from byteor.abi.indexbus_v1 import INITIALIZING, MAGIC, READY
from byteor.diag import Diagnostic, Refused, in_order
from byteor.transport import files, locks
from byteor.transport import findings as t
from byteor.transport.header import ANY, FIELDS, HEADER_BYTES, Header, Wanted, decode, under_way, validate

Bytes = np.ndarray[Any, np.dtype[np.uint8]]
Initialise = Callable[[Bytes], object]
FIRST_PAUSE, LONGEST_PAUSE = 0.001, 0.05


@dataclass(frozen=True, slots=True)
class Clock:
    """How a bounded wait tells and passes time."""

    now: Callable[[], float] = time.monotonic
    sleep: Callable[[float], object] = time.sleep


@dataclass(frozen=True, slots=True)
class Mapping:
    """How a region lies in memory: touched at once, kept from being swapped out, or only read."""

    prefault: bool = False
    mlock: bool = False
    writable: bool = True


PLAIN, SYSTEM = Mapping(), Clock()


class Region:
    """A mapped region: `memory` as bytes, `address` of the first, and the header as it was judged.

    `address` is good until the region is closed, and longer while a view of its memory is kept.
    """

    def __init__(self, path: str, fd: int, header: Header, how: Mapping) -> None:
        self.path, self.header = path, header
        self.memory = _mapped(path, fd, header.layout_bytes, how)
        self.address: int = self.memory.ctypes.data
        if how.mlock:
            _pin(path, self.address, header.layout_bytes)
        self._fd = os.dup(fd)
        self._close = weakref.finalize(self, os.close, self._fd)

    @property
    def generation(self) -> int:
        return self.header.generation

    @property
    def size(self) -> int:
        return self.header.layout_bytes

    @property
    def removed(self) -> bool:
        """Whether the file has lost its name: nobody else will find this memory any more."""
        return os.fstat(self._file()).st_nlink == 0

    def sync(self) -> None:
        """Force what was written to the disk, where the file lies on one."""
        with files.telling(self.path):
            os.fdatasync(self._file())

    def try_lock(self, offset: int) -> locks.Owner | None:
        """Win the byte at `offset` of this very file; None when somebody lives who has it."""
        return locks.claim(self._again, self.path, offset)

    def held(self, offset: int) -> bool:
        """Whether somebody lives who has the byte at `offset` of this very file."""
        with files.telling(self.path):
            fd = self._again(os.O_RDONLY)
            try:
                return locks.first_held(fd, offset, 1) is not None
            finally:
                os.close(fd)

    def _again(self, access: int) -> int:
        return files.again(self._file(), access)

    def _file(self) -> int:
        if not self._close.alive:
            raise ValueError(f"the region {self.path} is closed")
        return self._fd

    def close(self) -> None:
        """Let go of the memory and the file; views that are still out keep the memory."""
        self._close()
        self.memory = np.zeros(0, np.uint8)

    def __enter__(self) -> Region:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _mapped(path: str, fd: int, size: int, how: Mapping) -> Bytes:
    prot = mmap.PROT_READ | (mmap.PROT_WRITE if how.writable else 0)
    flags = mmap.MAP_SHARED | (mmap.MAP_POPULATE if how.prefault else 0)
    try:
        with files.telling(path):
            return np.frombuffer(mmap.mmap(fd, size, flags, prot), np.uint8)
    except ValueError as error:  # mmap looks at the size once more
        raise Refused([t.TOO_SMALL.at(path, "it was cut short while it was opened")]) from error


def _pin(path: str, address: int, size: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.mlock(ctypes.c_void_p(address), ctypes.c_size_t(size)) != 0:
        raise Refused([t.NOT_PINNED.at(path, os.strerror(ctypes.get_errno()).lower())])


def create(path: files.Path, header: Header, initialise: Initialise, how: Mapping = PLAIN) -> Region:
    """Make a region: allocated whole, header written, `initialise` called on its memory, then named.

    The generation is drawn here; `header` says the rest. Nothing stays when anything fails.
    """
    where = files.located(path)
    files.refuse(_size_faults(where, header.layout_bytes))
    header = replace(header, generation=secrets.randbelow(2**63 - 1) + 1, initialized=INITIALIZING)
    head = np.frombuffer(header.encode(), np.uint8)
    with files.made(where, header.layout_bytes) as fd:
        region = Region(where, fd, replace(header, initialized=READY), how)
        region.memory[:HEADER_BYTES] = head
        initialise(region.memory)
        state = FIELDS["initialized"]
        region.memory[state.offset : state.offset + state.size].view(np.uint32)[0] = READY
    return region


def _size_faults(path: str, size: int) -> tuple[Diagnostic, ...]:
    if size > MAX_BYTES:
        return (t.TOO_LARGE.at(path, f"a layout of {size} bytes; the most is {MAX_BYTES}"),)
    if size < HEADER_BYTES:
        return (t.TOO_SMALL.at(path, f"a layout of {size} bytes; a header alone has {HEADER_BYTES}"),)
    return ()


def open(
    path: files.Path,
    wanted: Wanted,
    wait: float = 1.0,
    how: Mapping = PLAIN,
    clock: Clock = SYSTEM,
) -> Region:
    """Map a region that is as wanted in every respect; wait at most `wait` seconds for its creator."""
    where = files.located(path)
    with files.opened(where, os.O_RDWR if how.writable else os.O_RDONLY) as fd:
        with files.telling(where):
            header = _settled(fd, wait, clock)
            found = validate(where, header, os.fstat(fd).st_size, wanted)
        if found or header is None:
            raise Refused(found)
        return Region(where, fd, header, how)


def _settled(fd: int, wait: float, clock: Clock) -> Header | None:
    """The header, once its creator is done or the time is up."""
    end, pause = clock.now() + wait, FIRST_PAUSE
    while under_way(header := _read(fd)) and (left := end - clock.now()) > 0:
        clock.sleep(min(pause, left))
        pause = min(2 * pause, LONGEST_PAUSE)
    return header


def _read(fd: int) -> Header | None:
    return decode(os.pread(fd, HEADER_BYTES, 0))


@dataclass(frozen=True, slots=True)
class Inspection:
    """What can be said of a file without mapping it; `header` is None when it is too short for one."""

    path: str
    size: int
    header: Header | None
    findings: tuple[Diagnostic, ...]
    owned: bool


def inspect(path: files.Path) -> Inspection:
    """Look at a region as it is, broken ones included; only a file that cannot be opened is refused."""
    where = files.located(path)
    with files.opened(where, os.O_RDONLY, judges=()) as fd, files.telling(where):
        header, facts = _read(fd), os.fstat(fd)
        found = in_order([*files.judged(facts, where), *validate(where, header, facts.st_size, ANY)])
        return Inspection(where, facts.st_size, header, found, locks.first_held(fd) is not None)


def listing(folder: files.Path) -> tuple[Inspection, ...]:
    """Every region of this user in a folder, broken ones included, by name."""
    files.located(os.path.join(folder, "*"))
    where = os.path.join(folder, "")
    with files.telling(where), os.scandir(where or ".") as entries:
        paths = sorted(entry.path for entry in entries if entry.is_file(follow_symlinks=False))
    return tuple(seen for path in paths if (seen := _glance(path)) is not None)


def _glance(path: str) -> Inspection | None:
    """The inspection of a file that is a region of this user; None for all others, and for what is gone."""
    try:
        with files.opened(path, os.O_RDONLY, judges=(files.owner,)) as fd:
            return inspect(path) if _begins_as_region(fd) else None
    except Refused:
        return None


def _begins_as_region(fd: int) -> bool:
    return os.pread(fd, 4, 0) == MAGIC.to_bytes(4, sys.byteorder)


def remove(path: files.Path, first: Callable[[], object] = tuple) -> None:
    """Take a region's name away, broken ones included; refused for other files, and while any byte is locked.

    `first` is called before that, while nobody else can win a byte.
    """
    where = files.located(path)
    with files.opened(where, os.O_RDWR, judges=(files.owner,)) as fd, files.telling(where):
        if not _begins_as_region(fd):
            raise Refused([t.NOT_OURS.at(where, "it does not begin as a region does")])
        with locks.whole(fd) as won:
            if not won:
                raise Refused([t.OWNERS_ALIVE.at(where, f"the byte at {locks.first_held(fd)} is held")])
            # With every byte held nobody of ours changes what the name leads to; it may have changed before.
            if not os.path.samestat(os.fstat(fd), os.stat(where, follow_symlinks=False)):
                raise Refused([t.OTHER_GENERATION.at(where, "another file has its name by now")])
            first()
            os.unlink(where)
