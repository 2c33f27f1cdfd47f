"""Who owns the cells of a lane: a producer its cursor, a reader its gate, the creator the word that ends the lane.

Rule 1. Who has a cell holds its lock; pid and start are written for people, and to tell a death from an absence.
Rule 2. Whoever leaves in order clears the pid: a pid without a lock is a death.
Rule 3. A forked child owns nothing: there, ends that it has copies of are cut off.
"""

from __future__ import annotations

import os
import sys
import weakref
from collections.abc import Callable, Iterable
from typing import Protocol

import numpy as np

from byteor.abi.family import Kind
from byteor.abi.layout import Layout
from byteor.kernel.words import Bytes
from byteor.transport.locks import this_process


class Held(Protocol):
    """A lock that is held."""

    @property
    def alive(self) -> bool: ...

    def release(self) -> bool: ...


class Block(Protocol):
    """One region, wherever its memory is: its words, arrays and locks."""

    layout: Layout
    kind: Kind
    params: dict[str, int]
    path: str
    generation: int
    capabilities: int

    @property
    def removed(self) -> bool: ...

    def address(self, name: str, index: int = 0) -> int: ...

    def read(self, name: str, index: int = 0) -> int: ...

    def write(self, name: str, value: int, index: int = 0) -> None: ...

    def values(self, name: str) -> list[int]: ...

    def array(self, name: str, dtype: object = np.uint8) -> np.ndarray: ...

    def raw(self, name: str, index: int = 0) -> Bytes: ...

    def try_lock(self, name: str, index: int = 0) -> Held | None: ...

    def held(self, name: str, index: int = 0) -> bool: ...

    def sync(self) -> None: ...

    def close(self) -> None: ...


class Owner:
    """A cell that this process has won; `lost` is called when it has it no longer."""

    def __init__(self, block: Block, cell: str, index: int, lock: Held, name: str) -> None:
        self.block, self.cell, self.index, self._lock = block, cell, index, lock
        self.lost: Callable[[], object] = tuple
        _OWNERS.add(self)
        # Only Linux has shared lanes, and with them other processes to tell this to.
        pid, started = this_process() if sys.platform == "linux" else (os.getpid(), 0)
        block.write(f"{cell}_started", started, index)
        text = name.encode("ascii", "replace")
        label = block.raw(f"{cell}_name", index)
        label[:] = np.frombuffer(text[: label.size].ljust(label.size, b"\0"), np.uint8)
        block.write(f"{cell}_pid", pid, index)

    @property
    def alive(self) -> bool:
        """Whether this process still has the cell."""
        return self._lock.alive

    def leave(self) -> bool:
        """Give the cell back; False when it was not this process's any more."""
        self.lost()
        if not self._lock.alive:
            return False
        self.block.write(f"{self.cell}_pid", 0, self.index)
        return self._lock.release()


_OWNERS: weakref.WeakSet[Owner] = weakref.WeakSet()


def _in_child() -> None:
    for owner in list(_OWNERS):
        owner.lost()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_in_child)


def win(block: Block, cell: str, choice: Iterable[int], name: str = "") -> Owner | None:
    """Win the first of these cells that nobody has; None when all are taken."""
    for index in choice:
        lock = block.try_lock(cell, index)
        if lock is not None:
            return Owner(block, cell, index, lock, name)
    return None


def dead(block: Block, cell: str, index: int) -> int:
    """The pid of an owner that died and has no successor; 0 when there is none such."""
    pid = block.read(f"{cell}_pid", index)
    if not pid or block.held(cell, index):
        return 0
    return pid if block.read(f"{cell}_pid", index) == pid else 0  # it may have left in order meanwhile


def name_of(block: Block, cell: str, index: int) -> str:
    """What an owner is called."""
    return block.raw(f"{cell}_name", index).tobytes().rstrip(b"\0").decode("ascii", "replace")
