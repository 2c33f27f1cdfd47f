"""A run of anything as a program sees it: a ring, or a plant of lanes and roles in this process.

Rule 1. `run` checks, lowers, resolves and compiles before it answers; what is wrong is raised whole (`Refused`).
Rule 2. Ends that nothing is behind are the program's: it sends to an ingress, and iterates over an egress.
Rule 3. Leaving the `with` block closes what the program sends and drains; records that nobody read stop the plant.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np

from byteor.diag import Refused
from byteor.exec.load import Loaded, load
from byteor.exec.resolve import resolve
from byteor.exec.run import Report, Run, Stopped, WouldBlock, judge_options, stages_sha256
from byteor.exec.run import run_loaded as run_ring
from byteor.exec.shard import Options
from byteor.exec.stage import Stage
from byteor.plant.assembly import Manner, Outside
from byteor.plant.blocks import Make, in_memory
from byteor.plant.ends import EgressRole, IngressRole
from byteor.plant.status import RoleStatus, Status
from byteor.plant.threads import InProcess
from byteor.plant.unsupported import unsupported
from byteor.plant.wiring import wire
from byteor.spec.kv import spec_sha256
from byteor.spec.lane_graph import LaneGraph


class Ingress:
    """Where a program's rows come in."""

    def __init__(self, run: PlantRun, role: IngressRole) -> None:
        self._run, self._role = run, role

    def send(self, rows: Any) -> None:
        """Put rows (an array of the lane's type, or tuples); wait while there is no room."""
        batch = self._rows(rows)
        while len(batch):
            took = self._role.feed(batch, self._run.plant.briefly(self._role))
            batch = batch[took:]
            self._run.check()
            if not took:
                self._run.make_room()

    def try_send(self, rows: Any) -> int:
        """Put as many rows as there is room for now; answer how many."""
        self._run.check()
        return self._role.feed(self._rows(rows), self._run.plant.waiter(self._role, 0))

    def close(self) -> None:
        """Say that nothing follows."""
        if not self._role.done:
            self._role.close()

    def _rows(self, rows: Any) -> np.ndarray:
        kind = self._role.dtype
        if isinstance(rows, np.ndarray) and rows.dtype != kind:
            if rows.dtype.names != kind.names:
                raise TypeError(f"rows have the fields {rows.dtype.names}, the lane has {kind.names}")
            rows = rows.astype(kind)
        return np.ascontiguousarray(rows, kind)


class Egress:
    """What leaves: an iterator over arrays of records, each the program's own."""

    def __init__(self, run: PlantRun, role: EgressRole) -> None:
        self._run, self._role = run, role

    def __iter__(self) -> Iterator[np.ndarray]:
        self._run.reading.add(self._role.role.name)
        while True:
            records = self.collect()
            if records is None:
                break
            if len(records):
                yield records
        self._run.check()

    def collect(self, patience: int | None = None) -> np.ndarray | None:
        """The records that are there; none after a while without any, None at the end."""
        run, role = self._run, self._role
        run.check()
        plant = run.plant
        stepped = not plant.threads
        found = role.ready(plant.waiter(role, 0) if stepped or patience == 0 else plant.briefly(role))
        if found is None or role.done:
            if not role.done:
                role.advance(plant.waiter(role, 0))
            return None
        if len(found):
            records = found.copy()
            role.written(len(records))
            return records
        if plant.stopped:
            return None
        if stepped and not plant.step() and patience is None:
            raise WouldBlock("nothing is there and nobody else can send: close the ingresses first")
        return found


class PlantRun:
    """One run of a plant in this process. As a context it starts, and at the end drains or, after an error, stops."""

    def __init__(
        self,
        loaded: Loaded,
        codes: Mapping[str, Stage],
        manner: Manner,
        outside: Outside,
        threads: bool,
        make: Make = in_memory,
    ) -> None:
        self.spec: LaneGraph = loaded.spec
        self.codes = dict(codes)
        self.plant = InProcess(wire(loaded.spec), codes, manner, outside, threads, make)
        self.reading: set[str] = set()
        self._began = self._ended = time.perf_counter()

    def __enter__(self) -> PlantRun:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        for runner in self._own(IngressRole):
            if not runner.done and kind is None:
                runner.close()
        if kind is not None or not all(runner.done for runner in self._own(EgressRole)):
            self.plant.stop()
        self.join()
        if kind is None:
            self.check()

    def start(self) -> None:
        """Let the roles run."""
        self._began = time.perf_counter()
        self.plant.start()

    def ingress(self, name: str | None = None) -> Ingress:
        """An ingress by its name, or the only one."""
        role = self.plant.runner(name or self._only(IngressRole), IngressRole)
        assert isinstance(role, IngressRole)
        return Ingress(self, role)

    def egress(self, name: str | None = None) -> Egress:
        """An egress by its name, or the only one."""
        role = self.plant.runner(name or self._only(EgressRole), EgressRole)
        assert isinstance(role, EgressRole)
        return Egress(self, role)

    def through(self, batches: Iterable[Any], name: str | None = None) -> Iterator[np.ndarray]:
        """Send all batches to the only ingress and give what leaves, from one thread; then close."""
        ingress, egress = self.ingress(), self.egress(name)
        self.reading.add(egress._role.role.name)
        for batch in batches:
            rows = ingress._rows(batch)
            while len(rows):
                took = ingress.try_send(rows)
                rows = rows[took:]
                records = egress.collect(0 if took else None) if self.plant.threads else self._stepped(egress)
                if records is not None and len(records):
                    yield records
        ingress.close()
        yield from egress

    def _stepped(self, egress: Egress) -> np.ndarray | None:
        self.plant.step()
        return egress.collect(0)

    def _own(self, kind: type) -> list[Any]:
        """The ends that are the program's."""
        return [r for r in self.plant.runners if isinstance(r, kind) and r not in self.plant.own]

    def _only(self, kind: type) -> str:
        names = [r.role.name for r in self.plant.runners if isinstance(r, kind)]
        if len(names) > 1:
            raise KeyError(f"there are several: {', '.join(f'`{n}`' for n in names)}")
        return names[0]

    def make_room(self) -> None:
        """Let something move after a send found no room; raise when nothing ever will."""
        self.check()
        if self.plant.stopped:
            raise Stopped("the run has been stopped")
        if not self.plant.threads and self.plant.step():
            return
        full = {lane.name for lane in self.plant.snapshot().lanes if lane.depth >= lane.capacity}
        for role in self._own(EgressRole):
            lane = self.plant.wiring.lane(role.role.inputs[0]).name
            if lane in full and role.role.name not in self.reading:
                name = role.role.name
                raise WouldBlock(f'lane `{lane}` is full: read run.egress("{name}") in another thread')

    def check(self) -> None:
        """Raise the first failure of a role, once everything has been stopped."""
        if self.plant.failure is not None:
            self.join()
            raise self.plant.failure

    def join(self) -> None:
        """Wait until all has ended; close the ingresses first, else this waits for who does."""
        if not self.plant.joined:
            self.plant.join()
            self._ended = time.perf_counter()

    def stop_and_join(self) -> None:
        """Stop all roles after their pending piece and join what was started."""
        self.plant.stop()
        self.join()

    def snapshot(self) -> Status:
        """How the plant stands now, as a value."""
        return self.plant.snapshot()

    def _repr_html_(self) -> str:
        """A small table and the graph, as a notebook shows it."""
        from byteor.views.html import run_html

        now = self.snapshot()
        names = ("role", "state", "taken", "put", "filtered", "dropped", "late", "lag", "batch p50", "p99")
        rows = [
            (r.name, self._state(r), r.taken, r.put, r.filtered, r.dropped, r.late, r.lag, r.batch_p50, r.batch_p99)
            for r in now.roles
        ]
        head = f"{self.plant.status}: {now.messages_in:,} in, {now.messages_out:,} out"
        return run_html(self.spec, head, names, rows)

    def _state(self, role: RoleStatus) -> str:
        """What a role is at; in one process nobody holds a lock that would tell."""
        return "done" if role.done else role.waiting if self.plant.status == "running" else self.plant.status

    def report(self) -> Report:
        """What the run did; complete once it was joined."""
        seconds = (self._ended if self.plant.joined else time.perf_counter()) - self._began
        return report_of(self.plant.status, self.snapshot(), self.spec, stages_sha256(self.codes), seconds)


def report_of(status: str, now: Status, spec: LaneGraph, stages: str, seconds: float) -> Report:
    """The report of a plant, from how it stands."""
    rate = now.messages_in / seconds if seconds > 0 else 0.0
    counts = (now.messages_in, now.messages_out, now.filtered, now.dropped + now.late)
    return Report(status, spec_sha256(spec), stages, *counts, seconds, rate, now.stages)


def run(
    what: Any,
    stages: Mapping[str, Any] | None = None,
    *,
    wait: str = "",
    batch: int = 4096,
    interpreted: bool = False,
    single_thread: bool = False,
    debug: bool = False,
    folder: str | Path | None = None,
) -> Run | PlantRun:
    """Bring up a pipeline from a plan or spec: a path, a document's text, or a value.

    `stages` gives functions for stages by name; the others are found by their `call`, beside the
    plan first. `debug` guards the stages of a ring that run in plain Python (all, if `interpreted`).
    Raises `Refused` with all findings when it cannot run.
    """
    loaded = load(what, Path(folder) if folder else None)
    options = Options(wait, batch, interpreted, not single_thread, debug)
    if not isinstance(loaded.spec, LaneGraph):
        return run_ring(loaded, stages, options)
    return run_plant(loaded, stages, options, Outside({}, {}))


def run_plant(
    loaded: Loaded, stages: Mapping[str, Any] | None, options: Options, outside: Outside, make: Make = in_memory
) -> PlantRun:
    """Bring up a plant in this process; `make` says whose memory its lanes are."""
    wrong = [*unsupported(loaded.spec), *judge_options(options)]
    codes, found = resolve(loaded.spec, loaded.folder, stages) if not wrong else ({}, ())
    if wrong or found:
        raise Refused([*wrong, *found], loaded.source)
    manner = Manner(options.wait or loaded.spec.wait, options.batch, options.interpreted)
    try:
        return PlantRun(loaded, codes, manner, outside, options.threads, make)
    except Refused as e:
        raise Refused(e.diagnostics, loaded.source) from e
