"""The SingleRing executor: one ring, a thread for each stage, or all stepped by one thread.

Rule 1. A spec that is invalid, or that it cannot run, is refused before anything is made.
Rule 2. A runner that fails stops the whole run; the first failure is the one that is told.
Rule 3. Whatever was started is joined; the main thread never runs a hot loop.
Rule 4. The release boundary is the egress's gate where rows leave, else the gates of the sinks.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numba
import numpy as np
from numba.core import types

from byteor.backings import mem
from byteor.diag import Diagnostic
from byteor.exec import compiler
from byteor.exec import findings as x
from byteor.exec.plain import PlainRunner
from byteor.exec.runners import CompiledRunner, Place, Runner, StageFailed
from byteor.exec.schema import dtype
from byteor.exec.snapshot import Snapshot, StageSnapshot, percentile
from byteor.exec.stage import Stage
from byteor.exec.state import hold
from byteor.kernel import ring as kernel
from byteor.kernel.hot import short, waiting
from byteor.kernel.loops import Port
from byteor.kernel.wait import BLOCK, BRIEFLY, FOREVER, STRATEGIES, Waiter
from byteor.kernel.wait import ring as ring_bells
from byteor.spec.model import SingleRing
from byteor.spec.model import Stage as Spec

_NONE = np.zeros(0, np.int64)


@dataclass(frozen=True, slots=True)
class Options:
    """How to run: nothing here changes the result."""

    wait: str = ""  # "" is the spec's own
    batch: int = 4096
    interpreted: bool = False
    threads: bool = True
    debug: bool = False  # guard the stages that run in plain Python


class Refusals(Exception):
    """The stages cannot be brought up; all the findings."""

    def __init__(self, findings: Iterable[Diagnostic]) -> None:
        self.findings = tuple(findings)
        super().__init__(", ".join(d.code for d in self.findings))


class Graph:
    """The DAG of a ring: who waits for whom, who filters, where messages leave."""

    def __init__(self, spec: SingleRing) -> None:
        stages = spec.stages
        self.emits_rows = spec.egress is not None and spec.egress.emit != "end"
        self.filters = [i for i, s in enumerate(stages) if s.min_out == 0]
        self.sinks = [i for i in range(len(stages)) if all(i not in s.depends_on for s in stages)]
        self.sources = [i for i, s in enumerate(stages) if not s.depends_on]
        self.egress = len(stages)  # its gate comes after those of the stages
        self.boundary = [self.egress] if self.emits_rows else self.sinks
        self._ancestors: list[set[int]] = []
        for s in stages:
            self._ancestors.append(set(s.depends_on).union(*(self._ancestors[d] for d in s.depends_on)))

    def dependents(self, i: int, stages: tuple[Spec, ...]) -> list[int]:
        return [j for j, s in enumerate(stages) if i in s.depends_on]

    def marks(self, i: int) -> np.ndarray:
        """Rows of the dead cells that stage `i` skips after; for the egress those of all."""
        own = range(len(self.filters)) if i == self.egress else self._rows(self._ancestors[i])
        return np.array(list(own), np.int64)

    def _rows(self, stages: set[int]) -> list[int]:
        return [row for row, stage in enumerate(self.filters) if stage in stages]


class SingleRingRun:
    """One run of one ring. Made, it is ready; `start` lets the stages run."""

    def __init__(self, spec: SingleRing, codes: dict[str, Stage], options: Options) -> None:
        self.spec, self.options = spec, options
        self.graph = Graph(spec)
        self._kinds = {t.name: t for t in spec.types}
        kind = dtype(self._kinds[spec.type], spec.slot_bytes)
        self.ring = mem.create(len(spec.stages) + 1, kind, spec.capacity, len(self.graph.filters))
        self._strategy = STRATEGIES[options.wait or spec.wait]
        self._control = mem.control()
        self._ends = [mem.runner() for _ in range(len(spec.stages) + 2)]  # stages, egress, ingress
        self.failure: BaseException | None = None
        self.status = "ready"
        self.messages_out = 0
        self._threads: list[threading.Thread] = []
        self._failing = threading.Lock()
        self._bind()
        self.runners = self._make_runners(codes)
        self._warm_up()

    # what is made before the start

    def _bind(self) -> None:
        """Compile, or load, what the two ends and the outside call."""
        words, cells = self.ring.words, numba.typeof(_NONE)
        self._cursor, self._closed = words.address("cursor"), words.address("closed")
        self._gates = self._cells(self.graph.boundary)
        self._send, self._collect = waiting(kernel.send), waiting(kernel.collect)
        self._close = short(kernel.close, types.int64, types.int64, cells)
        self._advance = short(kernel.advance, types.int64, types.int64, cells)
        ingress, egress = len(self.spec.stages) + 1, self.graph.egress
        self._from_ingress = self.waiter(ingress, BRIEFLY[self._strategy])
        self._to_egress = self.waiter(egress, BRIEFLY[self._strategy])
        self._ring_sources = self._bells(self.graph.sources)
        self._ring_all = self._bells(range(len(self._ends)))
        self._ring_ingress = self._bells([ingress])
        self._sink_gates, self._marks = self._cells(self.graph.sinks), self.graph.marks(egress)

    def _cells(self, stages: Iterable[int]) -> np.ndarray:
        return np.array([self.ring.words.address("gate", i) for i in stages], np.int64)

    def _bells(self, ends: Iterable[int]) -> np.ndarray:
        """The bells to ring; none where nobody may block, since ringing costs a fence."""
        if self._strategy != BLOCK:
            return _NONE
        return np.array([self._ends[i].address("bell") for i in ends], np.int64)

    def waiter(self, end: int, patience: int = FOREVER) -> Waiter:
        stop, bell = self._control.address("stop"), self._ends[end].address("bell")
        return Waiter(self._closed, stop, bell, self._strategy, patience)

    def _make_runners(self, codes: dict[str, Stage]) -> list[Runner]:
        runners, wrong = [], []
        for i, stage in enumerate(self.spec.stages):
            try:
                runners.append(self._runner(i, stage, codes[stage.name]))
            except compiler.NotCompilable as e:
                wrong.append(compiler.not_compilable(stage, codes[stage.name], f"single_ring.stages.{i}", e))
        if wrong:
            raise Refusals(wrong)
        return runners

    def _runner(self, i: int, stage: Spec, code: Stage) -> Runner:
        end_type = self._kinds[stage.end.type] if stage.end else None
        held = hold(stage, self._kinds, self.ring.slots)
        place = Place(self.ring, self._port(i, stage), self._ends[i], held, end_type)
        if stage.compiled and not self.options.interpreted:
            return CompiledRunner(stage, code, place)
        return PlainRunner(stage, code, place, stage.compiled, self.options.debug)

    def _port(self, i: int, stage: Spec) -> Port:
        words, graph = self.ring.words, self.graph
        cells = self._cells(stage.depends_on) if stage.depends_on else np.array([self._cursor], np.int64)
        rung = graph.dependents(i, self.spec.stages) or [graph.egress if graph.emits_rows else graph.egress + 1]
        own = graph.filters.index(i) if i in graph.filters else -1
        stats = self._ends[i].address("at")
        limit = self.options.batch
        return Port(cells, words.address("gate", i), stats, self._bells(rung), graph.marks(i), own, limit)

    def _warm_up(self) -> None:
        for i, runner in enumerate(self.runners):
            runner.warm_up(self.waiter(i))
        self.send(np.zeros(0, self.ring.slots.dtype))
        if self.graph.emits_rows:
            self._collect_into(np.zeros(1, self.ring.slots.dtype), self._to_egress._replace(patience=0))
        for runner in self.runners:
            runner.begin()

    # running

    def start(self) -> None:
        """Let the stages run, each on its thread; stepped runs start none."""
        self.status = "running"
        if self.options.threads:
            for i, runner in enumerate(self.runners):
                work = threading.Thread(target=self._run, args=(i, runner), name=f"byteor-{runner.spec.name}", daemon=True)
                self._threads.append(work)
                work.start()

    def _run(self, i: int, runner: Runner) -> None:
        self._guarded(lambda: runner.run(self.waiter(i)))
        if self.drained(i):
            self._guarded(runner.end)

    def _guarded(self, work: Callable[[], None]) -> None:
        try:
            work()
        except StageFailed as e:
            self.fail(e)

    def fail(self, failure: BaseException) -> None:
        """Stop the whole run because of `failure`; only the first one is kept."""
        with self._failing:
            self.failure = self.failure or failure
        self.stop()

    def step(self) -> bool:
        """Let each stage do what is there, in order; answer whether anything moved."""
        before = [self.processed(i) for i in range(len(self.runners))]
        for i, runner in enumerate(self.runners):
            if self.failure is None:
                self._guarded(lambda i=i, runner=runner: runner.run(self.waiter(i, 0)))  # type: ignore[misc]
        return before != [self.processed(i) for i in range(len(self.runners))]

    # the two ends

    def send(self, rows: np.ndarray, patience: int | None = None) -> int:
        """Publish rows as room comes; answer how many before patience was over."""
        waiter = self._from_ingress if patience is None else self._from_ingress._replace(patience=patience)
        return int(
            self._send(self._cursor, self._gates, self.ring.slots, rows, waiter, self._ring_sources, self.options.batch)
        )

    def close(self) -> None:
        """Say that nothing follows."""
        self._close(self._cursor, self._closed, self._bells(range(len(self._ends))))

    def collect(self, out: np.ndarray, patience: int | None = None) -> int:
        """Copy rows that have passed the sinks into `out`; answer how many."""
        waiter = self._to_egress if patience is None else self._to_egress._replace(patience=patience)
        count = self._collect_into(out, waiter)
        self.messages_out += count
        return count

    def _collect_into(self, out: np.ndarray, waiter: Waiter) -> int:
        gate = self.ring.words.address("gate", self.graph.egress)
        ring = self.ring
        return int(
            self._collect(self._sink_gates, gate, ring.slots, ring.dead, self._marks, out, waiter, self._ring_ingress)
        )

    # how it stands

    @property
    def sent(self) -> int:
        return self.ring.words.read("cursor")

    def processed(self, gate: int) -> int:
        return self.ring.words.read("gate", gate)

    def drained(self, gate: int) -> bool:
        """Whether this reader has passed all that there ever will be."""
        return self.ring.words.read("closed") == self.processed(gate)

    @property
    def stopped(self) -> bool:
        return self._control.read("stop") != 0

    def stuck_on_egress(self) -> bool:
        """Whether the ring is full of rows that only the egress can take."""
        full = self.sent - self.processed(self.graph.egress) == self.spec.capacity
        return self.graph.emits_rows and full and all(self.processed(i) == self.sent for i in self.graph.sinks)

    def stop(self) -> None:
        """Ask all runners to stop after their pending batch."""
        self._control.write("stop", 1)
        if len(self._ring_all):
            waiting(ring_bells)(self._ring_all)

    def join(self) -> None:
        """Wait until every thread has ended."""
        for thread in self._threads:
            thread.join()
        if not self.options.threads and self.failure is None:
            while self.step():
                pass
            for i, runner in enumerate(self.runners):
                if self.failure is None and self.drained(i):
                    self._guarded(runner.end)
        drained = all(self.drained(i) for i in range(len(self.runners)))
        self.status = "failed" if self.failure else "done" if drained else "stopped"

    @property
    def joined(self) -> bool:
        return self.status in ("failed", "done", "stopped")

    def end_records(self) -> np.ndarray | None:
        """The records of `end`, in the order that the egress declares; None where no stage has one."""
        parts = [runner.ended for runner in self.runners if runner.ended is not None]
        if not parts:
            return None
        records = np.concatenate(parts)
        keys = self.spec.egress.sort if self.spec.egress else ()
        if not keys:
            return records
        packed: list[Any] = [records.view(f"V{records.dtype.itemsize}").argsort(kind="stable").argsort()]
        return records[np.lexsort([*packed, *(records[k] for k in reversed(keys))])]

    def snapshot(self) -> Snapshot:
        """How the run stands now."""
        stages = tuple(self._stage_snapshot(i, s) for i, s in enumerate(self.spec.stages))
        closed = self.ring.words.read("closed") >= 0
        return Snapshot(self.status, self.sent, self.messages_out, closed, stages)

    def _stage_snapshot(self, i: int, stage: Spec) -> StageSnapshot:
        sizes, done = self._ends[i].values("sizes"), self.processed(i)
        before = min((self.processed(d) for d in stage.depends_on), default=self.sent)
        filtered = self._ends[i].read("filtered")
        return StageSnapshot(stage.name, done, filtered, max(0, before - done), percentile(sizes, 0.5), percentile(sizes, 0.99))


def unsupported(spec: Any) -> tuple[Diagnostic, ...]:
    """What of a valid spec this executor cannot run."""
    if not isinstance(spec, SingleRing):
        return (x.UNSUPPORTED.at("", "only a single ring can be run", help="use target `single_ring`"),)
    if spec.shards > 1:
        message = f"{spec.shards} shards"
        return (x.UNSUPPORTED.at("single_ring.shards", message, help="use `shards = 1`"),)
    return ()
