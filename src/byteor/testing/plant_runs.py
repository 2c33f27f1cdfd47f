"""Runs of a plant under supervisors that may be killed: a process of its own for each, and what must be left of them.

Rule 1. The supervisor is a process of its own, so that it can be killed and the plant resumed.
Rule 2. After every run nothing is left: no folder, no hidden file beside an output, no process.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import time
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from byteor.diag import Refused
from byteor.plant import directory, shared
from byteor.plant.failpoints import (
    APPENDED,
    COMMIT,
    CONVERTED,
    END_COMMITTED,
    END_FILLED,
    FED,
    RENAMED,
    SPOOLED,
)
from byteor.plant.processes import Processes, Wanted, bring_up, resume
from byteor.plant.status import newest
from byteor.plant.supervisor import Pauses
from byteor.plant.wiring import Role, Wiring, wire
from byteor.spec.placement import Place, Placement

SOON = Pauses(first=0.001, most=0.01)
RESTARTS = 1_000_000
Deaths = Mapping[str, Sequence[tuple[str, int]]]
MARK = "BYTEOR_KILLED"  # in the environment of all processes of a run


@dataclass(frozen=True, slots=True)
class Plant:
    """One plant to be killed, and the bytes of its outputs when it is left in peace."""

    name: str
    wanted: Wanted
    expected: Mapping[str, bytes]

    @property
    def wiring(self) -> Wiring:
        return wire(self.wanted.graph, self.wanted.part)


def kinds_of(wiring: Wiring, role: Role) -> tuple[str, ...]:
    """What a role counts as: a stage may be several kinds at once."""
    if role.stage is None:
        return ("tap" if role.kind == "bridge" and writes_journal(wiring, role) else role.kind,)
    stage = role.stage
    found = {"compiled stage": stage.compiled, "plain stage": not stage.compiled}
    found |= {"filter": stage.min_out == 0, "one to many": stage.max_out > 1}
    found |= {"keyed state": bool(stage.state and stage.state.by), "stage with end": stage.end is not None}
    return tuple(kind for kind, is_one in found.items() if is_one)


def writes_journal(wiring: Wiring, role: Role) -> bool:
    return any(wiring.lane(port).kind == "journal" for port in role.outputs)


def points_of(wiring: Wiring, role: Role) -> tuple[str, ...]:
    """The points that a role passes."""
    journal = writes_journal(wiring, role)
    more = {"ingress": () if journal else (FED,), "egress": (SPOOLED, CONVERTED, RENAMED)}.get(role.kind, ())
    ends = (END_FILLED, END_COMMITTED, FED) if role.stage and role.stage.end else ()
    return (*COMMIT, *((APPENDED,) if journal else ()), *more, *ends)


# one run


def restarting(wanted: Wanted, deaths: Deaths | None = None) -> Wanted:
    """The same plant with roles that come back as often as they must, and die where they are told to."""
    places = tuple(Place(r.name, restart="on_failure", limit=RESTARTS) for r in wire(wanted.graph, wanted.part).roles)
    options = {**wanted.options, "deaths": dict(deaths or {})}
    return replace(wanted, placement=Placement(wanted.graph.name, "none", places), options=options)


class Run:
    """One run of a plant under supervisors that may be killed; `folder` is where it lives while it does."""

    def __init__(self, plant: Plant, folder: Path, deaths: Deaths | None = None) -> None:
        self.plant, self.folder, self.wiring = plant, folder, plant.wiring
        self._wanted = restarting(plant.wanted, deaths)
        self._note = folder.with_suffix(".note")
        self._log = folder.with_suffix(".log")
        self.pid = 0
        self.blocks: Any = None

    def start(self) -> None:
        """Fork the first supervisor."""
        self._fork(lambda: bring_up(self._wanted, self.folder))

    def resume(self) -> None:
        """Fork one that takes the plant up that was left."""
        self._fork(lambda: resume(self.folder))

    def _fork(self, made: Callable[[], Processes]) -> None:
        self.pid = os.fork()
        if self.pid:
            return
        status = 1
        os.environ[MARK] = str(self.folder)
        with contextlib.suppress(BaseException), self._log.open("a", buffering=1) as log:
            try:
                status = self._supervise(made, log)
            except BaseException:
                traceback.print_exc(file=log)
                raise
        os._exit(status)

    def _supervise(self, made: Callable[[], Processes], log: Any) -> int:
        plant = made()
        ended = plant.run(lambda name, line: log.write(f"{name}: {line}\n"), pauses=SOON)
        assert plant.supervisor is not None
        status, found = plant.supervisor.status, plant.supervisor.findings
        said = {"status": status, "restarts": {one.role: one.restarts for one in ended}}
        self._note.write_text(json.dumps({**said, "found": [f"{d.code} {d.message}" for d in found]}))
        plant.held.remove()
        return int(status != "done")

    def look(self) -> bool:
        """Map the plant's regions once they are there; no, as long as they are not, or are gone."""
        if self.blocks is None:
            with contextlib.suppress(Refused):
                manifest = directory.look(self.folder).manifest
                if manifest.generations:
                    everybody = self.wiring.roles
                    self.blocks = shared.attach(self.wiring, self.folder, manifest.generations, everybody, looks=True)
        return self.blocks is not None and self.folder.exists()

    def ended(self) -> int | None:
        """The status of the supervisor, once it has ended."""
        pid, status = os.waitpid(self.pid, os.WNOHANG)
        return os.waitstatus_to_exitcode(status) if pid else None

    def owns(self, pid: int) -> bool:
        """Whether a process is one of this run's: numbers are given again, and nobody else may be hurt."""
        return pid > 0 and _marked(pid, str(self.folder))

    def pulse(self) -> int:
        """All commits and starts so far: it stands still only where the plant does."""
        return sum(newest(book)[0] + int(book.read("owner")) for book in self.blocks.books) if self.blocks else 0

    def restarts(self) -> dict[str, int]:
        """How often each role was restarted, by the last supervisor."""
        return dict(json.loads(self._note.read_text())["restarts"]) if self._note.exists() else {}

    def judge(self, status: int) -> Iterator[str]:
        """What is wrong after the run, whose supervisor ended with that status."""
        if status:
            told = json.loads(self._note.read_text())["found"] if self._note.exists() else "nothing"
            yield f"its status is {status}, and it told {told}"
        for name, place in self.plant.wanted.outputs.items():
            got = Path(place).read_bytes() if Path(place).is_file() else b""
            if name in self.plant.expected and got != self.plant.expected[name]:
                yield f"`{name}` differs: {len(got)} bytes, {len(self.plant.expected[name])} expected"
        if self.folder.exists():
            yield f"the folder is left with {sorted(p.name for p in self.folder.iterdir())[:5]}"
        folders = {Path(place).parent for place in self.plant.wanted.outputs.values()}
        yield from (f"{p.name} is left" for f in folders for p in f.iterdir() if p.name.startswith("."))
        yield from (f"process {pid} is left" for pid in living(str(self.folder)))
        if "Traceback" in (said := self._log.read_text()):
            yield said[said.index("Traceback") :][:3000]

    def clear(self) -> None:
        """Take away what a run leaves, and what it did not end."""
        for pid in filter(lambda pid: _marked(pid, str(self.folder)), _pids()):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        for path in (self._note, self._log, *map(Path, self.plant.wanted.outputs.values())):
            if path.is_dir():
                shutil.rmtree(path)
            path.unlink(missing_ok=True)
        shutil.rmtree(self.folder, ignore_errors=True)


def living(folder: str) -> list[int]:
    """The processes of a run that live, a moment after its end; `folder` is their mark."""
    for _ in range(300):
        if not (found := [pid for pid in _pids() if _marked(pid, folder)]):
            return []
        time.sleep(0.01)
    return found


def _pids() -> list[int]:
    return [int(entry) for entry in os.listdir("/proc") if entry.isdigit()]


def _marked(pid: int, folder: str) -> bool:
    """Whether a process belongs to the run in that folder."""
    try:
        return f"{MARK}={folder}".encode() in Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    except OSError:  # it is gone, or another's
        return False
