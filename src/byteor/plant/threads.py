"""A whole plant in one process: a thread for each role, or all stepped by one thread in a fixed order.

Rule 1. Everything is compiled and begun before the first role runs.
Rule 2. A role that fails stops the whole plant; the first failure is the one that is told.
Rule 3. Stepped roles take turns in topological order, each as far as it comes: nothing depends on timing.
"""

from __future__ import annotations

import threading
import weakref
from collections.abc import Iterable, Mapping

import numpy as np

from byteor.diag import Diagnostic, Refused
from byteor.exec.stage import Stage
from byteor.kernel.wait import BRIEFLY, FOREVER, Waiter
from byteor.plant.assembly import Manner, Outside, assemble, prepare, waiter
from byteor.plant.blocks import Make, in_memory, made
from byteor.plant.ends import IngressRole
from byteor.plant.roles import RoleRunner
from byteor.plant.status import Status, status_of
from byteor.plant.wiring import Wiring


class InProcess:
    """One plant in this process. Made, it is ready; `start` lets its roles run."""

    def __init__(
        self,
        wiring: Wiring,
        codes: Mapping[str, Stage],
        manner: Manner,
        outside: Outside,
        threads: bool = True,
        make: Make = in_memory,
    ) -> None:
        self.wiring, self.manner, self.threads = wiring, manner, threads
        self.blocks = made(wiring, make, manner.blocking)
        self._stop = np.zeros(1, np.int64)
        self.runners = [assemble(wiring, role, self.blocks, codes, manner, outside) for role in wiring.roles]
        refuse(prepare(runner, codes) for runner in self.runners)
        for runner in self.runners:
            runner.open()
            runner.attach()
        self.own = [r for r in self.runners if _is_driven(r, outside)]
        self._leave = weakref.finalize(self, _leave, list(self.runners))
        self.failure: BaseException | None = None
        self.status = "ready"
        self._threads: list[threading.Thread] = []
        self._failing = threading.Lock()

    def runner(self, name: str, kind: type[RoleRunner]) -> RoleRunner:
        """The runner of an end, by its name."""
        found = {r.role.name: r for r in self.runners if isinstance(r, kind)}
        if name not in found:
            raise KeyError(f"there is no `{name}`; there is {', '.join(f'`{n}`' for n in found)}")
        return found[name]

    def waiter(self, runner: RoleRunner, patience: int = FOREVER) -> Waiter:
        return waiter(runner, self._stop.ctypes.data, self.manner, patience)

    def briefly(self, runner: RoleRunner) -> Waiter:
        """How a program's call waits: it comes back now and then, so that Ctrl-C is seen."""
        return self.waiter(runner, BRIEFLY[self.manner.strategy])

    def start(self) -> None:
        """Let the roles run, each on its thread; stepped ones start none."""
        self.status = "running"
        if not self.threads:
            return
        for runner in self.own:
            work = threading.Thread(target=self._run, args=(runner,), name=f"byteor-{runner.role.name}", daemon=True)
            self._threads.append(work)
            work.start()

    def _run(self, runner: RoleRunner) -> None:
        try:
            while not runner.advance(self.waiter(runner)) and not self.stopped:
                pass
        except Exception as e:  # noqa: BLE001 it is handed to the thread that waits
            self.fail(e)

    def step(self) -> bool:
        """Let each role do what it can, in order; answer whether anything moved."""
        moved = False
        for runner in self.own:
            if self.failure is None and not runner.done:
                before = runner.epoch
                try:
                    runner.advance(self.waiter(runner, 0))
                except Exception as e:  # noqa: BLE001 told like those of the threads
                    self.fail(e)
                moved = moved or runner.done or runner.epoch != before
        return moved

    def fail(self, failure: BaseException) -> None:
        """Stop the whole plant because of `failure`; only the first one is kept."""
        with self._failing:
            self.failure = self.failure or failure
        self.stop()

    def stop(self) -> None:
        """Let every role end after its pending piece."""
        self._stop[0] = 1

    @property
    def stopped(self) -> bool:
        return bool(self._stop[0])

    def drain(self) -> None:
        """Let no more come in; what is under way runs to its end."""
        for runner in self.runners:
            if isinstance(runner, IngressRole) and runner.role.kind == "ingress":
                runner.ending = True

    def join(self) -> None:
        """Wait until every role has ended."""
        if self.threads:
            for thread in self._threads:
                thread.join()
        else:
            while not self.stopped and self.step():
                pass
        self._leave()
        done = all(runner.done for runner in self.runners)
        self.status = "failed" if self.failure else "done" if done else "stopped"

    @property
    def joined(self) -> bool:
        return self.status in ("failed", "done", "stopped")

    def snapshot(self) -> Status:
        """How the plant stands now."""
        return status_of(self.wiring, self.blocks)


def refuse(findings: Iterable[Diagnostic | None]) -> None:
    """Raise with all that was found, if anything was."""
    if found := [d for d in findings if d is not None]:
        raise Refused(found)


def _leave(runners: Iterable[RoleRunner]) -> None:
    for runner in runners:
        runner.leave()


def _is_driven(runner: RoleRunner, outside: Outside) -> bool:
    """Whether the plant itself runs a role; ends that nothing is behind are a program's."""
    if runner.role.kind == "ingress":
        return runner.role.name in outside.sources
    return runner.role.kind != "egress" or runner.role.name in outside.outlets
