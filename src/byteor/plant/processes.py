"""A whole plant with a process for each role, or for each group of roles, under one supervisor.

Rule 1. Everything that can be refused is refused before a process starts: stages, places, regions, compilation.
Rule 2. What was made goes with the run, unless it is to be kept; a run that was left can be continued exactly.
Rule 3. Outputs are completed when every egress has written all of its records.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numba

from byteor.diag import Diagnostic
from byteor.exec.digests import digests, together
from byteor.exec.run import Report
from byteor.exec.stage import Stage
from byteor.kernel.hot import short
from byteor.kernel.wait import ring
from byteor.plant import channel, cores, directory, places, shared
from byteor.plant.assembly import assemble, prepare
from byteor.plant.blocks import Blocks
from byteor.plant.body import graph_of, manner_of, refuse
from byteor.plant.channel import Report as Said
from byteor.plant.logs import logs_of
from byteor.plant.manifest import Manifest
from byteor.plant.process import Outcome, Role
from byteor.plant.run import report_of
from byteor.plant.status import Status, status_of
from byteor.plant.supervisor import Ground, Pauses, Supervisor
from byteor.plant.wiring import Part, Wiring, local, part_data, part_of, wire
from byteor.spec.kv import encode
from byteor.spec.lane_graph import LaneGraph
from byteor.spec.placement import Place, Placement
from byteor.spec.placement import decode as decode_placement
from byteor.spec.placement import encode as encode_placement

PAUSES = Pauses()
BODY = "byteor.plant.body:main"
PRELOAD = ("byteor.plant.body", "byteor.plant.roles:warm", "byteor.plant.plain_stage", "byteor.edges.open")
Show = Callable[[str, str], object]
Say = Callable[[str], object]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a new plant is to be: its graph, where it runs, what its ends are, how it runs, and which part is here."""

    graph: LaneGraph
    placement: Placement
    folder: Path | None
    codes: Mapping[str, Stage]
    inputs: Mapping[str, str]
    outputs: Mapping[str, str]
    options: Mapping[str, Any]
    part: Part | None = None


class Processes:
    """One plant in processes, from its bring-up to its end."""

    def __init__(self, held: directory.Held, wiring: Wiring, blocks: Blocks, placement: Placement) -> None:
        self.held, self.wiring, self.blocks, self.placement = held, wiring, blocks, placement
        self.blocking = manner_of(held.manifest, wiring.graph).blocking
        self.seconds = 0.0
        self.supervisor: Supervisor | None = None
        self._early: tuple[bool, ...] = ()  # asks for the end, from before there was a supervisor
        self.listener: Callable[[str, Said], object] = lambda name, said: None
        self._drained: set[str] = set()
        self._egresses = {role.name for role in wiring.roles if role.kind == "egress"}
        self._whole = directory.Whole(held.where, held.manifest)
        self._last = status_of(wiring, blocks)

    def run(self, show: Show, turn: Callable[[], object] = tuple, pauses: Pauses = PAUSES) -> tuple[Outcome, ...]:
        """Run the plant to its end."""
        ground = Ground(self._free, self._ring, self._damage, self._heard)
        self.supervisor = Supervisor(list(self._roles()), ground, show, PRELOAD, pauses, turn)
        for stop in self._early:
            self.supervisor.ask(stop)
        began = time.perf_counter()
        try:
            return self.supervisor.run()
        finally:
            self.seconds = time.perf_counter() - began

    def ask(self, stop: bool = False) -> None:
        """Ask for the end, as `Supervisor.ask` says; also before there is one. Safe in a signal handler."""
        if self.supervisor is None:
            self._early += (stop,)
        else:
            self.supervisor.ask(stop)

    def report(self, status: str, seconds: float) -> Report:
        """What the run did."""
        return report_of(status, self.snapshot(), self.wiring.graph, together(self.held.manifest.stages), seconds)

    def snapshot(self) -> Status:
        """How the plant stands now; once a region was cut, how it stood before."""
        if self._whole:
            self._last = status_of(self.wiring, self.blocks)
        return self._last

    def _roles(self) -> Iterator[Role]:
        """What to start: a process for each group, else for each role."""
        processes = groups(self.wiring, self.placement)
        pinned = cores.spread(processes, self.placement)
        for name, members in processes.items():
            lines = [self.placement.place(member) for member in members]
            argument = {"dir": str(self.held.where), "roles": list(members), "cores": list(pinned[name])}
            ingress = any(self.wiring.role(member).kind == "ingress" for member in members)  # type: ignore[union-attr]
            yield Role(name, BODY, argument, *_policy(lines), ingress=ingress, path=name)

    def _free(self, name: str) -> bool:
        members = groups(self.wiring, self.placement)[name]
        books = [self.blocks.books[role.number] for role in self.wiring.roles if role.name in members]
        return not any(book.held("owner") for book in books)

    def _ring(self) -> None:
        """Wake all who sleep."""
        for role in self.wiring.roles if self._whole else ():
            bells = (self.blocks.plant.address("runner_bell", role.number),)
            short(ring, numba.typeof(bells))(bells)

    def _damage(self) -> tuple[Diagnostic, ...]:
        return directory.cut(self.held.where, self.held.manifest)

    def _heard(self, name: str, report: Said) -> None:
        self.listener(name, report)
        if report.kind == channel.DRAINED:
            self._drained.add(report.data["role"])
        if self.supervisor is not None and self._egresses <= self._drained:
            self.supervisor.order(channel.FINISH)


def _policy(lines: Iterable[Place]) -> tuple[str, int]:
    """The restart policy of roles that share a process: what all of them allow."""
    policies = [(line.restart, line.limit) for line in lines]
    return ("never", 0) if any(restart == "never" for restart, _ in policies) else min(policies, key=lambda p: p[1])


def groups(wiring: Wiring, placement: Placement) -> dict[str, tuple[str, ...]]:
    """The processes of a plant by name, each with its roles; the first role gives a process its place."""
    found: dict[str, tuple[str, ...]] = {}
    for role in wiring.roles:
        name = placement.place(role.name).group or role.name
        found[name] = (*found.get(name, ()), role.name)
    return found


def bring_up(wanted: Wanted, where: Path | None, say: Say = str) -> Processes:
    """Make a new plant's folder and regions, and hold everything to what can be seen before it runs."""
    wiring = wire(wanted.graph, wanted.part)
    here = wanted.graph if wanted.part is None else local(wanted.graph, wanted.part)
    judged = places.judged(here, wanted.placement, wanted.inputs, wanted.outputs, wanted.folder)
    held = directory.create(wanted.graph.name, where)
    try:
        manifest = replace(
            held.manifest,
            spec=encode(wanted.graph),
            placement=encode_placement(wanted.placement),
            folder=str(wanted.folder or ""),
            stages=digests(wanted.codes),
            inputs=dict(wanted.inputs),
            outputs=dict(wanted.outputs),
            sources=judged,
            options=dict(wanted.options),
            part=part_data(wanted.part),
        )
        manner = manner_of(manifest, wanted.graph)
        logs = {number: log.create() for number, log in logs_of(wiring, wanted.outputs, held.where).items()}
        blocks, generations = shared.create(wiring, held.where, manner.blocking, logs)
        held.write(replace(manifest, generations=generations))
        _compile(wiring, blocks, wanted.codes, held.manifest, say)
        return Processes(held, wiring, blocks, wanted.placement)
    except BaseException:
        held.remove()
        raise


def _compile(wiring: Wiring, blocks: Blocks, codes: Mapping[str, Stage], manifest: Manifest, say: Say) -> None:
    """Compile everything once, so that the roles load it; all that cannot be compiled is found at once."""
    manner, logs = manner_of(manifest, wiring.graph), logs_of(wiring, manifest.outputs, Path())
    nothing = replace(places.nothing(), logs=logs)
    found = []
    for number, role in enumerate(wiring.roles):
        say(f"compiling {role.name} ({number + 1} of {len(wiring.roles)})")
        found.append(prepare(assemble(wiring, role, blocks, codes, manner, nothing), codes))
    refuse(found)


def resume(where: Path) -> Processes:
    """Take a plant up that was left, as it was left."""
    held = directory.resume(where)
    try:
        wiring = wire(graph_of(held.manifest), part_of(held.manifest.part))
        placement = decode_placement(held.manifest.placement)
        refuse(cores.missing(placement))
        blocks = shared.attach(wiring, held.where, held.manifest.generations, wiring.roles)
        return Processes(held, wiring, blocks, placement)
    except BaseException:
        held.release()
        raise


def look(where: Path) -> tuple[directory.Seen, Status]:
    """Look at a plant from outside: what runs there, and how it stands."""
    seen = directory.look(where)
    wiring = wire(graph_of(seen.manifest), part_of(seen.manifest.part))
    return seen, status_of(
        wiring, shared.attach(wiring, seen.where, seen.manifest.generations, wiring.roles, looks=True)
    )
