"""Zombies of both ends of a link: processes that were declared dead, live on beside their successors, and speak.

Rule 1. A zombie is a process of the shipped role. It is stopped, what it has mapped is copied, and it is killed, so
    that a successor starts; then it goes on over the copy, as the start that it was, and with what it knew.
Rule 2. One of the near side connects where its successor does. One of the far side listens where it can, and for
    some time the network leads there.
Rule 3. It haunts until the other end has counted it; then it is killed for good.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import byteor
from byteor.fabric.link import OUT
from byteor.fabric.probe import split
from byteor.plant import directory, shared
from byteor.plant.blocks import LINK_BYTES
from byteor.plant.status import newest, status_of
from byteor.plant.wiring import Role
from byteor.testing.link_crawl import WHERE, Scripted
from byteor.testing.link_kills import Tally, Trouble
from byteor.testing.link_runs import HERE, free_port
from byteor.testing.plant_kills import freeze
from byteor.testing.plant_runs import Run

COMMAND = (sys.executable, "-c", "from byteor.cli import main; main()", "role")
AGAIN = 3  # messages of a zombie, after which it is left
RISES = 9  # starts of a zombie


class Haunted(Scripted):
    """One zombie of the near side, then one of the far side; `counted` says how often each was left out."""

    def __init__(self, folder: Path, fabric: str) -> None:
        super().__init__(folder, fabric, Trouble(delay=0.001, loss=0.0, pace=0.02))
        self.counted: dict[str, int] = {}
        self.relay, part = self.relays[0], self.runs[WHERE["crawl"]].plant.wanted.part
        self._port = split(part.links[0].listen)[1] if part else 0
        self._zombie: subprocess.Popen[bytes] | None = None

    def script(self, tally: Tally) -> Iterator[None]:
        ends = dict(zip(("out", "in"), sorted(self.links(), key=lambda end: end[1].kind != OUT), strict=True))
        yield from _until(lambda: self.moves(10))
        for kind, other in (("out", "in"), ("in", "out")):
            try:
                yield from self._haunt(ends[kind], ends[other])
            finally:
                self._laid()
        self.slow.unlink()
        tally.wrong += [f"no zombie of `{kind}` was counted" for kind, count in self.counted.items() if not count]

    def told(self) -> str:
        """What was seen, in one line."""
        near, far = (self.counted.get(kind, 0) for kind in ("out", "in"))
        return f"zombies fenced: {near} messages of the near side's, {far} of the far side's"

    def _haunt(self, end: tuple[Run, Role], other: tuple[Run, Role]) -> Iterator[None]:
        """Raise the zombie of one end once the other one knows its successor; wait until it was counted."""
        run, role = end
        epoch, copy = self._declared_dead(run, role)
        yield from _until(lambda: _kept(*other, 0) > epoch)
        before, port, rises = _fenced(*other), free_port(), 0
        while (
            _fenced(*other) == before and rises < RISES
        ):  # it may end before it has spoken: it hears what is not for it
            rises += 1
            self._raise(copy, run, role, epoch, port)
            if role.kind != OUT:
                self.relay.lead(port)
            yield from _until(lambda: _fenced(*other) >= before + AGAIN or self._gone())
        self.counted[role.kind] = _fenced(*other) - before
        self.relay.lead(self._port)

    def _declared_dead(self, run: Run, role: Role) -> tuple[int, Path]:
        """Stop a role, copy what it has mapped, and kill it: its epoch, and the copy."""
        book, copy = run.blocks.books[role.number], run.folder.with_name(f"{run.folder.name}-{role.kind}-zombie")
        pid = int(book.read("owner_pid"))
        assert run.owns(pid) and freeze(pid), f"`{role.name}` does not live"
        shutil.copytree(run.folder, copy)
        os.kill(pid, signal.SIGKILL)
        return int(book.read("owner")), copy

    def _raise(self, copy: Path, run: Run, role: Role, epoch: int, port: int) -> None:
        """Let it go on: it counts its own start once more, and may listen elsewhere."""
        manifest = directory.look(copy).manifest
        blocks = shared.attach(run.wiring, copy, manifest.generations, (role,))
        blocks.books[role.number].write("owner", epoch - 1)
        text = (copy / directory.MANIFEST).read_text()
        here, there = (f'"listen": "{HERE}:{n}"' for n in (self._port, port))
        (copy / directory.MANIFEST).write_text(text.replace(here, there))
        words = (*COMMAND, str(copy), "--name", role.name, "--alone")
        with (copy / "said").open("wb") as said:
            paths = {"PYTHONPATH": str(Path(byteor.__file__).parents[1])}
            self._zombie = subprocess.Popen(words, stdout=said, stderr=said, env={**os.environ, **paths})

    def _gone(self) -> bool:
        return self._zombie is None or self._zombie.poll() is not None

    def _laid(self) -> None:
        """End a zombie."""
        if self._zombie is not None:
            self._zombie.kill()
            self._zombie.wait()
            self._zombie = None


def _until(fact: Callable[[], bool]) -> Iterator[None]:
    while not fact():
        yield


def _kept(run: Run, role: Role, word: int) -> int:
    """A word that a link keeps in its record."""
    return newest(run.blocks.books[role.number], LINK_BYTES // 8)[word - LINK_BYTES // 8]


def _fenced(run: Run, role: Role) -> int:
    return status_of(run.wiring, run.blocks).role(role.name).fenced
