"""The SingleRing executor: a thread for each stage of each shard, or all stepped by one thread.

Rule 1. A spec that it cannot run is refused before anything is made.
Rule 2. A runner that fails stops the whole run; the first failure is the one that is told.
Rule 3. Whatever was started is joined; the main thread never runs a hot loop.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from byteor.backings import mem
from byteor.diag import Diagnostic
from byteor.exec import findings as x
from byteor.exec.ends import Sharded, Straight, ends
from byteor.exec.graph import Graph
from byteor.exec.runners import Runner, StageFailed
from byteor.exec.schema import dtype
from byteor.exec.shard import Options, Shard, outside
from byteor.exec.snapshot import Snapshot, StageSnapshot, percentile
from byteor.exec.stage import Stage
from byteor.spec.model import SingleRing


class SingleRingRun:
    """One run of one ring, or of its shards. Made, it is ready; `start` lets the stages run."""

    def __init__(self, spec: SingleRing, codes: dict[str, Stage], options: Options) -> None:
        self.spec, self.options, self.graph = spec, options, Graph(spec)
        kind = next(t for t in spec.types if t.name == spec.type)
        self.dtype = dtype(kind, spec.slot_bytes)
        rings = mem.create(len(spec.stages) + 1, self.dtype, spec.capacity, len(self.graph.filters), spec.shards)
        self._around = outside(spec, options)
        self.shards = [Shard(spec, self.graph, ring, codes, options, self._around) for ring in rings.shards]
        self.ends: Straight | Sharded = ends(self.graph, rings, self.shards, self._around, options.batch)
        self.failure: BaseException | None = None
        self.status = "ready"
        self.messages_out = 0
        self._threads: list[threading.Thread] = []
        self._failing = threading.Lock()
        self._warm_up()

    def _warm_up(self) -> None:
        nothing = np.zeros(0, self.dtype)
        self.ends.send(nothing, 0)
        if self.graph.emits_rows:
            self.ends.collect(nothing, 0)

    def _runners(self) -> Iterator[tuple[Shard, int, Runner]]:
        for shard in self.shards:
            for i, runner in enumerate(shard.runners):
                yield shard, i, runner

    # running

    def start(self) -> None:
        """Let the stages run, each on its thread; stepped runs start none."""
        self.status = "running"
        if not self.options.threads:
            return
        for number, (shard, i, runner) in enumerate(self._runners()):
            name = f"byteor-{runner.spec.name}-{number // len(self.spec.stages)}"
            work = threading.Thread(target=self._run, args=(shard, i, runner), name=name, daemon=True)
            self._threads.append(work)
            work.start()

    def _run(self, shard: Shard, i: int, runner: Runner) -> None:
        self._guarded(lambda: runner.run(shard.waiter(i)))
        if shard.drained(i):
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
        moved = False
        for shard, i, runner in self._runners():
            if self.failure is None:
                before = shard.processed(i)
                self._guarded(lambda s=shard, i=i, r=runner: r.run(s.waiter(i, 0)))  # type: ignore[misc]
                moved = moved or shard.processed(i) != before
        return moved

    # the two ends

    def send(self, rows: np.ndarray, patience: int | None = None) -> int:
        """Publish rows as room comes; answer how many before patience was over."""
        return self.ends.send(rows, patience)

    def close(self) -> None:
        """Say that nothing follows."""
        self.ends.close()

    def collect(self, out: np.ndarray, patience: int | None = None) -> int:
        """Copy rows that have passed the sinks into `out`; answer how many."""
        count = self.ends.collect(out, patience)
        self.messages_out += count
        return count

    # how it stands

    @property
    def sent(self) -> int:
        return self.ends.sent

    @property
    def drained(self) -> bool:
        """Whether the egress has passed all that there ever will be."""
        return self.ends.drained

    @property
    def stopped(self) -> bool:
        return self._around.control.read("stop") != 0

    def stuck_on_egress(self) -> bool:
        """Whether a ring is full of rows that only the egress can take."""
        return self.graph.emits_rows and any(self._is_stuck(shard) for shard in self.shards)

    def _is_stuck(self, shard: Shard) -> bool:
        cursor = shard.ring.words.read("cursor")
        full = cursor - shard.processed(self.graph.egress) == self.spec.capacity
        return full and all(shard.processed(i) == cursor for i in self.graph.sinks)

    def stop(self) -> None:
        """Ask all runners to stop after their pending batch."""
        self._around.control.write("stop", 1)
        self.ends.ring_all()

    def join(self) -> None:
        """Wait until every thread has ended."""
        for thread in self._threads:
            thread.join()
        if not self.options.threads:
            self._finish_stepping()
        drained = all(shard.drained(i) for shard, i, _ in self._runners())
        self.status = "failed" if self.failure else "done" if drained else "stopped"

    def _finish_stepping(self) -> None:
        while self.failure is None and self.step():
            pass
        for shard, i, runner in self._runners():
            if self.failure is None and shard.drained(i):
                self._guarded(runner.end)

    @property
    def joined(self) -> bool:
        return self.status in ("failed", "done", "stopped")

    def end_records(self) -> np.ndarray | None:
        """The records of `end` of all shards, in the order that the egress declares; None where no stage has one."""
        parts = [runner.ended for _, _, runner in self._runners() if runner.ended is not None]
        if not parts:
            return None
        return in_order(np.concatenate(parts), self.spec.egress.sort if self.spec.egress else ())

    def snapshot(self) -> Snapshot:
        """How the run stands now."""
        stages = tuple(self._stage_snapshot(i) for i in range(len(self.spec.stages)))
        return Snapshot(self.status, self.sent, self.messages_out, self.ends.is_closed, stages)

    def _stage_snapshot(self, i: int) -> StageSnapshot:
        counted = [shard.ends[i].values("sizes") for shard in self.shards]
        sizes = [sum(bucket) for bucket in zip(*counted, strict=True)]
        return StageSnapshot(
            self.spec.stages[i].name,
            processed=sum(shard.processed(i) for shard in self.shards),
            filtered=sum(shard.ends[i].read("filtered") for shard in self.shards),
            lag=sum(shard.lag(i) for shard in self.shards),
            batch_p50=percentile(sizes, 0.5),
            batch_p99=percentile(sizes, 0.99),
        )


def in_order(records: np.ndarray, keys: tuple[str, ...]) -> np.ndarray:
    """Sort by the keys, then by the records' packed bytes; without keys they stay as they came."""
    if not keys:
        return records
    packed = np.ascontiguousarray(records).view(f"S{records.dtype.itemsize}")
    ranks: list[Any] = [np.unique(packed, return_inverse=True)[1]]
    return records[np.lexsort([*ranks, *(records[key] for key in reversed(keys))])]


def unsupported(spec: Any) -> tuple[Diagnostic, ...]:
    """What of a valid spec this executor cannot run."""
    if not isinstance(spec, SingleRing):
        return (x.UNSUPPORTED.at("", "only a single ring can be run", help="use target `single_ring`"),)
    return ()
