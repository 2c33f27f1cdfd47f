"""A run as a program sees it: send rows in, iterate over what comes out.

Rule 1. `run` checks, lowers, resolves and compiles before it answers; what is wrong is raised whole (`Refused`).
Rule 2. Every call that waits comes back to Python at least every 50 ms, so Ctrl-C is seen.
Rule 3. Leaving the `with` block closes the ingress and drains; rows that nobody read stop the run instead.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np

from byteor.diag import Refused
from byteor.exec import findings as x
from byteor.exec.compiler import source_loop
from byteor.exec.digests import digests, together
from byteor.exec.ends import Sharded
from byteor.exec.load import Loaded, load
from byteor.exec.resolve import resolve
from byteor.exec.shard import Options, Refusals
from byteor.exec.single_ring import SingleRingRun, unsupported
from byteor.exec.snapshot import Snapshot, StageSnapshot
from byteor.exec.stage import Stage
from byteor.kernel.wait import STRATEGIES
from byteor.spec.kv import spec_sha256
from byteor.spec.model import SingleRing

_ROWS = 65_536  # an egress hands on at most so many rows at once


class WouldBlock(RuntimeError):
    """The call would wait for ever: nothing else is there that could move the ring."""


class Stopped(RuntimeError):
    """Rows were sent to a run that somebody has stopped."""


@dataclass(frozen=True, slots=True)
class Report:
    """What a run did. `seconds` are from start to join; `rate_per_s` is of messages in."""

    status: str
    spec_sha256: str
    stages_sha256: str
    messages_in: int
    messages_out: int
    filtered: int
    dropped: int
    seconds: float
    rate_per_s: float
    stages: tuple[StageSnapshot, ...]


class Ingress:
    """Where a program's rows come in."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._ring = run.ring
        self._dtype = run.ring.dtype

    def send(self, rows: Any) -> None:
        """Publish rows (an array of the ring's type, or tuples); wait while the ring is full."""
        batch = self._rows(rows)
        sent = 0
        while sent < len(batch):
            took = self._ring.send(batch[sent:])
            sent += took
            self._run.check()
            if not took:
                self._run.make_room()

    def try_send(self, rows: Any) -> int:
        """Publish as many rows as there is room for now; answer how many."""
        self._run.check()
        if self._ring.stopped:
            raise Stopped("the run has been stopped")
        return self._ring.send(self._rows(rows), 0)

    def fill(self, make: Any, count: int, piece: int = 256) -> None:
        """Publish `count` messages made in their slots by `make(rec, number)`, compiled; wait while the ring is full.

        `number` counts the run's messages from 0; `piece` messages are published at once.
        """
        if isinstance(self._ring.ends, Sharded):
            raise TypeError("a ring of several shards is filled by `send`: a message's key says to which it goes")
        loop, p = source_loop(make), np.zeros(1, np.int64)
        while count:
            made = self._ring.ends.fill(loop, count, p, piece)
            count -= made
            self._run.check()
            if not made:
                self._run.make_room()

    def close(self) -> None:
        """Say that nothing follows; stages then drain and end."""
        self._ring.close()

    def _rows(self, rows: Any) -> np.ndarray:
        """Rows as a contiguous array of the ring's type; the kernel copies them as bytes."""
        if isinstance(rows, np.ndarray) and rows.dtype != self._dtype:
            if rows.dtype.names != self._dtype.names:
                raise TypeError(f"rows have the fields {rows.dtype.names}, the ring has {self._dtype.names}")
            rows = rows.astype(self._dtype)
        return np.ascontiguousarray(rows, self._dtype)


class Egress:
    """What comes out: an iterator over arrays of rows, or over the one array of `end` records."""

    def __init__(self, run: Run, ends: bool) -> None:
        self._run, self._ends = run, ends
        self._ring = run.ring
        self._out = np.zeros(min(_ROWS, max(1, run.spec.capacity)), run.ring.dtype)

    def __iter__(self) -> Iterator[np.ndarray]:
        """Give batches until the stream has ended; each is the caller's own."""
        if self._ends:
            self._run.join()
            records = self._ring.end_records()
            if records is not None:
                yield records
            return
        self._run.readers += 1
        while True:
            count = self.collect()
            if count:
                yield self._out[:count].copy()
            elif self._ring.drained or self._ring.stopped:
                break
        self._run.check()

    def collect(self, patience: int | None = None) -> int:
        """Copy what is there into the egress's own rows; answer how many."""
        self._run.check()
        if self._ring.options.threads:
            return self._ring.collect(self._out, patience)
        count = self._ring.collect(self._out, 0)
        if not count and not self._ring.step() and patience is None and not self._ring.drained:
            raise WouldBlock("nothing is there and nobody else can send: close the ingress first")
        return count

    @property
    def rows(self) -> np.ndarray:
        return self._out


class Run:
    """One run. As a context it starts, and at the end drains or, after an error, stops."""

    def __init__(self, loaded: Loaded, codes: Mapping[str, Stage], options: Options) -> None:
        self.spec: SingleRing = loaded.spec
        self.codes = dict(codes)
        self.ring = SingleRingRun(loaded.spec, self.codes, options)
        self.readers = 0
        self._began = self._ended = time.perf_counter()
        self._closed = False

    def __enter__(self) -> Run:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        if kind is not None or self._unread():
            self.ring.stop()
        self.join()
        if kind is None:
            self.check()

    def start(self) -> None:
        """Let the stages run."""
        self._began = time.perf_counter()
        self.ring.start()

    def ingress(self, name: str | None = None) -> Ingress:
        """The ingress, by its name or the only one."""
        self._named(name, [self.spec.ingress.name])
        return Ingress(self)

    def egress(self, name: str | None = None) -> Egress:
        """An egress: NAME gives what it emits; with `emit = both`, NAME rows and NAME.end the records of `end`."""
        egress = self.spec.egress
        if egress is None:
            raise KeyError("the spec has no egress")
        names = [egress.name] + [f"{egress.name}.end"] * (egress.emit == "both")
        return Egress(self, self._named(name, names) != egress.name or egress.emit == "end")

    def through(self, batches: Iterable[Any], name: str | None = None) -> Iterator[np.ndarray]:
        """Send all batches and give what comes out on the way, from one thread; then close."""
        ingress, egress = self.ingress(), self.egress(name)
        self.readers += 1
        for batch in batches:
            if self.ring.options.threads and not self.ring.graph.emits_rows:
                ingress.send(batch)
            else:
                yield from self._exchanged(ingress, egress, ingress._rows(batch))
        ingress.close()
        yield from egress

    def _exchanged(self, ingress: Ingress, egress: Egress, rows: np.ndarray) -> Iterator[np.ndarray]:
        """Send rows and give what comes out by then; where the ring is full, wait for what comes out."""
        stepped = not self.ring.options.threads
        while len(rows):
            took = ingress.try_send(rows)
            rows = rows[took:]
            moved = True
            while moved:
                moved = stepped and self.ring.step()
                self.check()
                if self.ring.graph.emits_rows and (
                    count := self.ring.collect(egress.rows, 0 if took or stepped else None)
                ):
                    yield egress.rows[:count].copy()

    def _named(self, name: str | None, names: list[str]) -> str:
        if name is not None and name not in names:
            raise KeyError(f"there is no `{name}`; there is {', '.join(f'`{n}`' for n in names)}")
        return name or names[0]

    def make_room(self) -> None:
        """Let something move after a send found the ring full; raise when nothing ever will."""
        self.check()
        if self.ring.stopped:
            raise Stopped("the run has been stopped")
        if not self.ring.options.threads and self.ring.step():
            return
        if self.readers == 0 and self.ring.stuck_on_egress():
            name = self.spec.egress.name if self.spec.egress else ""
            raise WouldBlock(
                f'the ring is full: read run.egress("{name}") in another thread, or use run.through(batches)'
            )

    def check(self) -> None:
        """Raise the first failure of a stage, once everything has been stopped."""
        if self.ring.failure is not None:
            self.join()
            raise self.ring.failure

    def _unread(self) -> bool:
        self.ring.close()
        return self.ring.graph.emits_rows and not self.ring.drained

    def join(self) -> None:
        """Wait until all has ended; close the ingress first, else this waits for who does."""
        if not self.ring.joined:
            self.ring.join()
            self._ended = time.perf_counter()

    def stop_and_join(self) -> None:
        """Stop all stages after their pending batch and join what was started."""
        self.ring.stop()
        self.join()

    def snapshot(self) -> Snapshot:
        """How the run stands now, as a value."""
        return self.ring.snapshot()

    def _repr_html_(self) -> str:
        """A small table and the graph, as a notebook shows it."""
        from byteor.views.html import run_html

        now, names = self.snapshot(), ("stage", "processed", "filtered", "lag", "batch p50", "p99")
        rows = [(s.name, s.processed, s.filtered, s.lag, s.batch_p50, s.batch_p99) for s in now.stages]
        return run_html(self.spec, f"{now.status}: {now.messages_in:,} in, {now.messages_out:,} out", names, rows)

    def report(self) -> Report:
        """What the run did; complete once it was joined."""
        now = self.snapshot()
        ended = self.ring.end_records()
        out = now.messages_out + (len(ended) if ended is not None and self.spec.egress else 0)
        seconds = (self._ended if self.ring.joined else time.perf_counter()) - self._began
        return Report(
            now.status,
            spec_sha256(self.spec),
            stages_sha256(self.codes),
            now.messages_in,
            out,
            now.filtered,
            0,
            seconds,
            now.messages_in / seconds if seconds > 0 else 0.0,
            now.stages,
        )


def stages_sha256(codes: Mapping[str, Stage]) -> str:
    """Digest of the code of all stages: what the spec's own hash does not say."""
    return together(digests(codes))


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
) -> Run:
    """Bring up a pipeline from a plan or spec: a path, a document's text, or a value.

    `stages` gives functions for stages by name; the others are found by their `call`, beside the
    plan first. `debug` guards the stages that run in plain Python (all, if `interpreted`).
    Raises `Refused` with all findings when it cannot run.
    """
    loaded = load(what, Path(folder) if folder else None)
    return run_loaded(loaded, stages, Options(wait, batch, interpreted, not single_thread, debug))


def run_loaded(loaded: Loaded, stages: Mapping[str, Any] | None, options: Options) -> Run:
    """Bring up a ring from a spec that was loaded."""
    wrong = [*unsupported(loaded.spec), *judge_options(options)]
    codes, found = resolve(loaded.spec, loaded.folder, stages) if not wrong else ({}, ())
    if wrong or found:
        raise Refused([*wrong, *found], loaded.source)
    try:
        return Run(loaded, codes, options)
    except Refusals as e:
        raise Refused(e.findings, loaded.source) from e


def judge_options(options: Options) -> list[Any]:
    """What of the options cannot be."""
    wrong = []
    if options.wait and options.wait not in STRATEGIES:
        message = f"there is no wait strategy `{options.wait}`"
        wrong.append(x.RUN_OPTION.at("wait", message, help=f"use one of {', '.join(STRATEGIES)}"))
    if options.batch < 1:
        wrong.append(x.RUN_OPTION.at("batch", f"a batch of {options.batch}", help="use 1 or more"))
    return wrong
