"""Drive a run: batches in, sinks out, until the end, a failure, or a wish to stop.

Rule 1. One thread sends, one writes; the caller's own only looks and may ask to stop. A stepped run has one thread.
Rule 2. Asked to `drain`, the input ends where it is, and all that is under way is run and written.
Rule 3. Outputs get their names only when all went well; after a failure or `abort` none of them stays.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping

import numpy as np

from byteor.edges.contract import Sink
from byteor.exec.run import Run


class Stopped(Exception):
    """Raised inside a source that was waiting for input when the run was asked to stop."""


class Drive:
    """One run between its input and its outputs; `sinks` are named as the run's egresses are."""

    def __init__(self, run: Run, batches: Iterable[np.ndarray], sinks: Mapping[str, Sink]) -> None:
        self.run, self.sinks = run, dict(sinks)
        self.failure: Exception | None = None
        self.aborted = False
        self._batches = batches
        self._asked = threading.Event()
        self._over = threading.Event()
        self._sending = threading.Lock()

    # with threads

    def start(self) -> None:
        """Let the stages, the input and the outputs run."""
        self.run.start()
        for work in (self._feed, self._write):
            threading.Thread(target=self._guarded, args=(work,), name=f"byteor{work.__name__}", daemon=True).start()

    def wait(self, seconds: float) -> bool:
        """Wait a while; say whether all is over."""
        return self._over.wait(seconds)

    def ask(self) -> None:
        """Ask for the end of the input: safe in a signal handler."""
        self._asked.set()

    def drain(self) -> None:
        """Ask for the end of the input; call it again until all is over, as an input may be waiting."""
        self._asked.set()
        if self._sending.acquire(blocking=False):
            self.run.ring.close()
            self._sending.release()

    def abort(self) -> None:
        """Stop at once: what is under way is given up."""
        self.aborted = True
        self._asked.set()
        self.run.ring.stop()

    def _guarded(self, work: Callable[[], None]) -> None:
        """Run one side; what it raises stops the run, and is kept for the caller."""
        try:
            work()
        except Stopped:
            self.drain()
        except Exception as e:  # noqa: BLE001 it is handed to the thread that waits
            self.failure = self.failure or e
            self.run.ring.stop()
        if work == self._write:
            self.run.join()
            self._over.set()

    def _feed(self) -> None:
        for rows in self._batches:
            with self._sending:
                if self._asked.is_set() or not self._send(rows):
                    break
        with self._sending:
            self.run.ring.close()

    def _send(self, rows: np.ndarray) -> bool:
        """Publish all rows; no, when the run has stopped meanwhile."""
        ring = self.run.ring
        while len(rows) and not ring.stopped:
            rows = rows[ring.send(rows) :]
        return not ring.stopped

    def _write(self) -> None:
        rows, ends = self._names()
        if rows:
            for batch in self.run.egress(rows):
                self._put(rows, batch)
        self.run.join()
        if ends and not self.run.ring.stopped:
            self._put_ends(ends)

    def _names(self) -> tuple[str, str]:
        """The egresses of rows and of `end` records, "" where there is none."""
        egress = self.run.spec.egress
        if egress is None:
            return "", ""
        both = egress.emit == "both"
        return egress.name * (egress.emit != "end"), (f"{egress.name}.end" if both else egress.name) * (
            egress.emit != "rows"
        )

    def _put(self, name: str, batch: np.ndarray) -> None:
        if name in self.sinks:
            self.sinks[name].write(batch)

    def _put_ends(self, name: str) -> None:
        for batch in self.run.egress(name):
            self._put(name, batch)

    # stepped

    def step_through(self) -> None:
        """Do it all in the caller's thread."""
        self.run.start()
        try:
            self._step_through()
        except Exception as e:  # noqa: BLE001 told like those of the threads
            self.failure = e
            self.run.ring.stop()
        self.run.join()

    def _step_through(self) -> None:
        rows, ends = self._names()
        if rows:
            for batch in self.run.through(self._until_asked(), rows):
                self._put(rows, batch)
        else:
            for batch in self._until_asked():
                self.run.ingress().send(batch)
            self.run.ring.close()
        self.run.join()
        self.run.check()
        if ends:
            self._put_ends(ends)

    def _until_asked(self) -> Iterator[np.ndarray]:
        try:
            for rows in self._batches:
                if self._asked.is_set():
                    return
                yield rows
        except Stopped:
            return

    # the end of both

    def finish(self) -> None:
        """Complete the outputs, or leave none of them; then raise what went wrong."""
        failure = self.run.ring.failure or self.failure
        if failure is None and not self.aborted:
            failure = self._complete()
        if failure is not None or self.aborted:
            for sink in self.sinks.values():
                sink.abort()
        if failure is not None and not self.aborted:
            raise failure

    def _complete(self) -> Exception | None:
        try:
            for sink in self.sinks.values():
                sink.finish()
        except Exception as e:  # noqa: BLE001 the other outputs go away first
            return e
        return None
