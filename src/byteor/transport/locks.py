"""Who is alive: byte locks that the kernel releases when their owner dies, however it dies.

Rule 1. A lock has a descriptor of its own, never mapped, never handed out: a mapping, a duplicate or a forked
    child would keep the lock beyond its owner.
Rule 2. A query opens the file anew: asked on the owner's own descriptor, a lock looks free.
Rule 3. Only the process that locked may unlock: an inherited descriptor would free the parent's lock.
Rule 4. A lock ends by `release` or with its process, never because a Python object was forgotten.
"""

from __future__ import annotations

import contextlib
import os
import struct
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from byteor.diag import Refused
from byteor.transport import files
from byteor.transport import findings as t

if sys.platform == "linux":
    import fcntl

_FLOCK = "hhqqi4x"  # struct flock: type, whence, start, length (0: to the end), pid (must be 0)
_WHOLE = 0
Reopen = Callable[[int], int]


@dataclass(slots=True, eq=False)
class Owner:
    """The lock on one byte of a region's file, as long as this process has it."""

    path: str
    offset: int
    pid: int = field(default_factory=os.getpid)
    _fd: int = -1

    @property
    def alive(self) -> bool:
        """Whether this process still holds the lock."""
        return self._fd >= 0 and self.pid == os.getpid()

    def release(self) -> bool:
        """Free the byte; False when it is not (or no longer) this process's to free."""
        with _GATE:
            if not self.alive:
                return False
            # Unlock first: a forked child that has not come to close its copy would keep the lock up.
            with files.telling(self.path):
                _set(self._fd, fcntl.F_UNLCK, self.offset, 1)
            _drop(self)
            return True

    def __enter__(self) -> Owner:
        return self

    def __exit__(self, *_: object) -> None:
        self.release()


_HELD: set[Owner] = set()
# Held while a descriptor is opened and noted, and over a fork: so a child knows of every descriptor it has.
_GATE = threading.RLock()


def _drop(owner: Owner) -> None:
    os.close(owner._fd)
    owner._fd = -1
    _HELD.discard(owner)


def _in_child() -> None:
    for owner in list(_HELD):
        _drop(owner)
    _GATE.release()


if sys.platform == "linux":
    os.register_at_fork(before=_GATE.acquire, after_in_parent=_GATE.release, after_in_child=_in_child)


def try_lock(path: files.Path, offset: int) -> Owner | None:
    """Win the byte at `offset` of a region's file; None when somebody lives who has it."""
    where = files.located(path)
    with files.opened(where, os.O_RDWR) as fd:
        return claim(lambda access: files.again(fd, access), where, offset)


def held(path: files.Path, offset: int) -> bool:
    """Whether somebody lives who has the byte, this process included."""
    where = files.located(path)
    with files.opened(where, os.O_RDONLY) as fd, files.telling(where):
        return first_held(fd, offset, 1) is not None


def claim(reopen: Reopen, path: str, offset: int) -> Owner | None:
    """Win a byte of the file that `reopen` opens anew; the lock keeps that descriptor for itself."""
    with _GATE, files.telling(path), contextlib.ExitStack() as lost:
        owner = Owner(path, offset, _fd=reopen(os.O_RDWR))
        _HELD.add(owner)
        lost.callback(_drop, owner)
        if not _try(owner._fd, offset, 1):
            return None
        _refuse_removed(owner._fd, path)
        lost.pop_all()
        return owner


def _refuse_removed(fd: int, path: str) -> None:
    # A remover holds every byte while it takes the name away: whoever wins a byte after that finds no name.
    if os.fstat(fd).st_nlink == 0:
        raise Refused([t.REMOVED.at(path, "its file has no name any more")])


def first_held(fd: int, offset: int = 0, length: int = _WHOLE) -> int | None:
    """The first byte in the range that another description holds; `fd` must own no lock itself."""
    asked = struct.pack(_FLOCK, fcntl.F_WRLCK, os.SEEK_SET, offset, length, 0)
    kind, _, start, _, _ = struct.unpack(_FLOCK, fcntl.fcntl(fd, fcntl.F_OFD_GETLK, asked))
    return None if kind == fcntl.F_UNLCK else max(int(start), offset)


@contextlib.contextmanager
def whole(fd: int) -> Iterator[bool]:
    """Hold every byte of a file inside the block; False when somebody holds one of them."""
    with _GATE:
        won = _try(fd, 0, _WHOLE)
        try:
            yield won
        finally:
            if won:
                _set(fd, fcntl.F_UNLCK, 0, _WHOLE)


def _try(fd: int, offset: int, length: int) -> bool:
    try:
        _set(fd, fcntl.F_WRLCK, offset, length)
    except BlockingIOError:
        return False
    return True


def _set(fd: int, kind: int, offset: int, length: int) -> None:
    fcntl.fcntl(fd, fcntl.F_OFD_SETLK, struct.pack(_FLOCK, kind, os.SEEK_SET, offset, length, 0))


def this_process() -> tuple[int, int]:
    """Pid and start time of this process, for people to read; liveness is never told by them."""
    with open("/proc/self/stat", "rb") as file:
        fields = file.read().rpartition(b")")[2].split()
    return os.getpid(), int(fields[19])
