"""The process of a role, or of a group of roles: attach, get ready, run on threads, and say how it ended.

Rule 1. The main thread never runs a hot loop: it waits for orders, for its supervisor's death, and for its runners.
Rule 2. All that a role needs stands in the plant's manifest; it is given the folder and its names.
Rule 3. It runs the code that the plant began with, or not at all.
Rule 4. An output is completed when all of them can be: each egress waits for that order.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

import numba
import numpy as np

from byteor.diag import Diagnostic, Refused
from byteor.exec import findings as x
from byteor.exec.digests import digest
from byteor.exec.resolve import resolve
from byteor.exec.runners import StageFailed
from byteor.exec.stage import Stage
from byteor.kernel.hot import short
from byteor.kernel.wait import ring
from byteor.plant import channel, directory, findings, places, shared
from byteor.plant.assembly import Manner, assemble, prepare, waiter
from byteor.plant.ends import EgressRole
from byteor.plant.logs import logs_of
from byteor.plant.manifest import Manifest
from byteor.plant.watch import OVER, Watch
from byteor.plant.wiring import Role, Wiring, part_of, wire
from byteor.spec.kv import decode
from byteor.spec.lane_graph import LaneGraph
from byteor.transport import locks


def main(teller: channel.Teller, argument: dict[str, Any]) -> int:
    """Run the roles that `argument` names in the plant of its folder; answer with the exit status."""
    where, names = Path(argument["dir"]), tuple(argument["roles"])
    if argument["cores"]:
        os.sched_setaffinity(0, argument["cores"])  # before there are threads: they have it from this one
    with Members(where, directory.look(where).manifest, names, teller) as members:
        return members.live(where / directory.LOCK)


class Members:
    """The roles of one process."""

    def __init__(
        self, where: Path, manifest: Manifest, names: Sequence[str], teller: channel.Teller | None = None
    ) -> None:
        self.where, self.manifest, self.teller = where, manifest, teller
        self.roles: Sequence[Any] = ()
        self.wire(names)
        self.failure: Exception | None = None
        self.why, self.signal = OVER, 0
        self._stop = np.zeros(1, np.int64)
        self._left, self._failing = len(self.roles), threading.Lock()
        self._finish = threading.Event()
        self._owners: list[Any] = []
        self.runners: list[Any] = []
        self._threads: list[threading.Thread] = []

    def __enter__(self) -> Members:
        return self

    def __exit__(self, *_: object) -> None:
        for runner in self.runners:
            runner.leave()
        for owner in self._owners:
            owner.release()

    # bring-up

    def wire(self, names: Sequence[str]) -> None:
        """Find the roles of these names, and how they run."""
        self.wiring = wire(graph_of(self.manifest), part_of(self.manifest.part))
        self.roles = tuple(_named(self.wiring, name) for name in names)
        self.manner = manner_of(self.manifest, self.wiring.graph)

    def path_of(self, stage: str) -> str:
        """The key of a stage in the spec."""
        role = self.wiring.role(stage)
        return f"lane_graph.{role.path}" if role else ""

    def get_ready(self) -> None:
        """Attach, win the owner locks, compile, and take up what the last commits left."""
        logs = logs_of(self.wiring, self.manifest.outputs, self.where)
        now = {number: log.generation() for number, log in logs.items()}
        blocks = shared.attach(self.wiring, self.where, self.manifest.generations, self.roles, now)
        for role in self.roles:
            self._owners.append(own(role, blocks.books[role.number]))
        codes = self._codes()
        outside = replace(places.outside_of(self.manifest, self.wiring, self.roles), logs=logs)
        self.runners = [assemble(self.wiring, role, blocks, codes, self.manner, outside) for role in self.roles]
        refuse(prepare(runner, codes) for runner in self.runners)
        for runner in self.runners:
            if runner.role.kind == "egress" and isinstance(runner, EgressRole):
                runner.may_finish = False
            runner.open()
            runner.attach()

    def _codes(self) -> dict[str, Stage]:
        """The code of this process's stages, which must be what the plant began with."""
        mine = {role.name for role in self.roles if role.stage}
        graph = self.wiring.graph
        if not mine:
            return {}
        codes, found = resolve(graph, Path(self.manifest.folder) if self.manifest.folder else None, only=mine)
        refuse(found)
        refuse(_changed(role, codes, self.manifest) for role in self.roles if role.stage)
        return codes

    # life

    def live(self, lock: Path | None) -> int:
        """Get ready, say so, run until the end, and say how it was."""
        by_hand = self.teller is None
        with Watch(self.teller, lock, self._obey) as watch, watch.signals() if by_hand else nullcontext():
            self._watch = watch
            self.get_ready()
            self._tell(channel.READY)
            if by_hand:
                self._obey(channel.OPEN)
            self.why = why = watch.wait()
            self.signal = watch.signal
        for thread in self._threads:
            thread.join(0 if why != OVER else None)
        return self._end(why)

    def _obey(self, order: str) -> None:
        if order == channel.OPEN and not self._threads:
            for runner in self.runners:
                name = f"byteor-{runner.role.name}"
                self._threads.append(threading.Thread(target=self._run, args=(runner,), name=name, daemon=True))
            for thread in self._threads:
                thread.start()
        elif order == channel.DRAIN:
            for runner in self.runners:
                if runner.role.kind == "ingress":
                    runner.ending = True
        elif order == channel.FINISH:
            self._finish.set()
        elif order == channel.STOP:
            self.stop()

    def stop(self) -> None:
        """Let every runner end after its pending piece."""
        self._stop[0] = 1
        self._finish.set()
        for runner in self.runners:
            bells = (runner.bell,)
            short(ring, numba.typeof(bells))(bells)
        if not self._threads:
            self._watch.over()

    def _run(self, runner: Any) -> None:
        try:
            while not runner.advance(waiter(runner, self._stop.ctypes.data, self.manner)) and not self._stop[0]:
                if runner.role.kind == "egress" and runner.drained and not runner.may_finish:
                    self._await_finish(runner)
        except Exception as e:  # noqa: BLE001 it is handed to the thread that waits
            with self._failing:
                self.failure = self.failure or e
            self._stop[0] = 1
        with self._failing:
            self._left -= 1
            last = self._left == 0 or self.failure is not None
        if last:
            self._watch.over()

    def _await_finish(self, runner: Any) -> None:
        """Say that all is written, and wait for the order to complete the output."""
        if self.teller is None:
            self._finish.set()
        self._tell(channel.DRAINED, role=runner.role.name)
        self._finish.wait()
        runner.may_finish = not self._stop[0]

    def _end(self, why: str) -> int:
        if isinstance(self.failure, Refused):
            raise self.failure
        if isinstance(self.failure, StageFailed):
            return self._told_failure(self.failure)
        if self.failure is not None:
            raise self.failure
        done = all(runner.done for runner in self.runners)
        self._tell(channel.DONE if done else channel.STOPPED)
        return 0

    def _told_failure(self, e: StageFailed) -> int:
        data = {"stage": e.stage, "sequence": e.sequence, "cause": e.reason, "record": e.record}
        self._tell(channel.FAILED, str(e), [x.STAGE_RAISED.at(self.path_of(e.stage), str(e))], **data)
        return 1

    def _tell(self, kind: str, text: str = "", found: Sequence[Diagnostic] = (), **data: Any) -> None:
        if self.teller is not None:
            self.teller.tell(kind, text, found, **data)


def graph_of(manifest: Manifest) -> LaneGraph:
    """The graph of a plant, from its manifest."""
    spec = decode(manifest.spec, "manifest").spec
    if not isinstance(spec, LaneGraph):  # its supervisor is about to write it down
        raise Refused([findings.NOT_A_PLANT.at(manifest.name, "its manifest has no lane graph yet")])
    return spec


def manner_of(manifest: Manifest, graph: LaneGraph) -> Manner:
    """How the plant runs."""
    options: Mapping[str, Any] = manifest.options
    return Manner(
        options.get("wait") or graph.wait,
        int(options.get("batch", 4096)),
        bool(options.get("interpreted")),
        options.get("deaths") or {},
    )


def _named(wiring: Wiring, name: str) -> Role:
    role = wiring.role(name)
    if role is None:
        known = ", ".join(f"`{r.name}`" for r in wiring.roles)
        raise Refused([findings.NO_ROLE.at(name, f"the plant has no role `{name}`", help=f"it has {known}")])
    return role


def own(role: Any, book: Any) -> Any:
    """Win a role's lock, and write down for people who has it."""
    owner = book.try_lock("owner")
    if owner is None:
        raise Refused([findings.ROLE_HELD.at(role.name, f"process {book.read('owner_pid')} runs `{role.name}`")])
    pid, started = locks.this_process()
    book.write("owner", book.read("owner") + 1)
    book.write("owner_pid", pid)
    book.write("owner_started", started)
    return owner


def _changed(role: Role, codes: Mapping[str, Stage], manifest: Manifest) -> Diagnostic | None:
    if role.name not in codes or digest(codes[role.name]) == manifest.stages.get(role.name):
        return None
    return changed(role.name, f"lane_graph.{role.path}")


def changed(name: str, path: str) -> Diagnostic:
    """The finding for a stage whose code is another one by now."""
    return findings.STAGE_CHANGED.at(path, f"the code of `{name}` is not what it was when the plant began")


def refuse(found: Any) -> None:
    """Raise with all that was found, if anything was."""
    if wrong := [d for d in found if d is not None]:
        raise Refused(wrong)
