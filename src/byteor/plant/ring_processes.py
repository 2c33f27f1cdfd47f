"""A ring with a process for each stage, for its ingress and for its egress, under one supervisor.

Rule 1. What is told of plants in processes holds for rings: refusals before a process starts, a folder, resumption.
Rule 2. The outputs are completed when the rows have left and every stage has ended.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numba

from byteor.diag import Diagnostic
from byteor.exec.digests import digests, together
from byteor.exec.run import Report
from byteor.exec.snapshot import Snapshot, StageSnapshot, percentile
from byteor.exec.stage import Stage
from byteor.kernel import commit as c
from byteor.kernel.hot import short
from byteor.kernel.wait import ring
from byteor.plant import channel, directory, ring_blocks, ring_places, shared
from byteor.plant.body import refuse
from byteor.plant.channel import Report as Said
from byteor.plant.process import Outcome, Role
from byteor.plant.ring_blocks import Part, RingBlocks, parts_of
from byteor.plant.ring_body import assemble, prepared, ring_manner, ring_of
from byteor.plant.status import newest
from byteor.plant.supervisor import Ground, Pauses, Supervisor
from byteor.spec.kv import encode, spec_sha256
from byteor.spec.model import SingleRing
from byteor.spec.placement import Placement
from byteor.spec.placement import decode as decode_placement
from byteor.spec.placement import encode as encode_placement

PAUSES = Pauses()
BODY = "byteor.plant.ring_body:main"
PRELOAD = ("byteor.plant.ring_body", "byteor.edges.open")


@dataclass(frozen=True, slots=True)
class WantedRing:
    """What a ring in processes is to be."""

    spec: SingleRing
    placement: Placement
    folder: Path | None
    codes: Mapping[str, Stage]
    inputs: Mapping[str, str]
    outputs: Mapping[str, str]
    options: Mapping[str, Any]


class RingProcesses:
    """One ring in processes, from its bring-up to its end."""

    def __init__(self, held: directory.Held, spec: SingleRing, blocks: RingBlocks, placement: Placement) -> None:
        self.held, self.spec, self.blocks, self.placement = held, spec, blocks, placement
        self.supervisor: Supervisor | None = None
        self._early: tuple[bool, ...] = ()  # asks for the end, from before there was a supervisor
        self._parts = {part.name: part for part in parts_of(spec)}
        self.listener: Callable[[str, Said], object] = lambda name, said: None
        self._over: set[str] = set()
        self._whole = directory.Whole(held.where, held.manifest)
        self._last = self._looked()

    def run(
        self, show: channel.Show, turn: Callable[[], object] = tuple, pauses: Pauses = PAUSES
    ) -> tuple[Outcome, ...]:
        """Run the ring to its end."""
        ground = Ground(self._free, self._ring, self._damage, self._heard)
        self.supervisor = Supervisor(list(self._roles()), ground, show, PRELOAD, pauses, turn)
        for stop in self._early:
            self.supervisor.ask(stop)
        return self.supervisor.run()

    def ask(self, stop: bool = False) -> None:
        """Ask for the end, as `Supervisor.ask` says; also before there is one. Safe in a signal handler."""
        if self.supervisor is None:
            self._early += (stop,)
        else:
            self.supervisor.ask(stop)

    def report(self, status: str, seconds: float) -> Report:
        """What the run did."""
        now = self.snapshot()
        rate = now.messages_in / seconds if seconds > 0 else 0.0
        counts = (now.messages_in, now.messages_out, now.filtered, 0)
        return Report(
            status, spec_sha256(self.spec), together(self.held.manifest.stages), *counts, seconds, rate, now.stages
        )

    def _roles(self) -> Iterator[Role]:
        for part in self._parts.values():
            line = self.placement.place(part.name)
            argument = {"dir": str(self.held.where), "roles": [part.name]}
            yield Role(part.name, BODY, argument, line.restart, line.limit, part.kind == "ingress", part.path)

    def _free(self, name: str) -> bool:
        return not self.blocks.books[self._parts[name].number].held("owner")

    def _ring(self) -> None:
        """Wake all who sleep."""
        for part in self._parts.values() if self._whole else ():
            bells = (self.blocks.runner(part).address("bell"),)
            short(ring, numba.typeof(bells))(bells)

    def _damage(self) -> tuple[Diagnostic, ...]:
        return directory.cut(self.held.where, self.held.manifest)

    def _heard(self, name: str, report: Said) -> None:
        """Let the outputs be completed once the rows have left, and every stage has ended."""
        self.listener(name, report)
        if report.kind in (channel.DRAINED, channel.DONE):
            self._over.add(name)
        if self.supervisor is not None and set(self._parts) <= self._over:
            self.supervisor.order(channel.FINISH)

    def snapshot(self) -> Snapshot:
        """How the ring stands now; once a region was cut, how it stood before."""
        if self._whole:
            self._last = self._looked()
        return self._last

    def _looked(self) -> Snapshot:
        words = self.blocks.region
        gone = newest(self.blocks.books[-1])[c.TAKEN // 8 + 1] if self.spec.egress else 0
        stages = tuple(self._stage(part) for part in self._parts.values() if part.stage)
        return Snapshot("running", words.read("cursor"), gone + self._ended(), words.read("closed") >= 0, stages)

    def _stage(self, part: Part) -> StageSnapshot:
        assert part.stage is not None
        region, i, counted = self.blocks.region, part.number - 1, self.blocks.runner(part)
        before = [region.read("gate", j) for j in part.stage.depends_on] or [region.read("cursor")]
        done, sizes = region.read("gate", i), counted.values("sizes")
        filtered = counted.read("filtered")
        lag = max(0, min(before) - done)
        return StageSnapshot(part.name, done, filtered, lag, percentile(sizes, 0.5), percentile(sizes, 0.99))

    def _ended(self) -> int:
        """Records of `end` that leave."""
        if self.spec.egress is None or self.spec.egress.emit == "rows":
            return 0
        return sum(int(book.read("end_count")) for book in self.blocks.books)


def bring_up(wanted: WantedRing, where: Path | None, say: Callable[[str], object] = str) -> RingProcesses:
    """Make a ring's folder and regions, and hold everything to what can be seen before it runs."""
    spec = wanted.spec
    known = ring_places.judged(spec, wanted.placement, wanted.inputs, wanted.outputs, wanted.folder)
    held = directory.create(spec.name, where)
    try:
        manifest = replace(
            held.manifest,
            spec=encode(spec),
            placement=encode_placement(wanted.placement),
            folder=str(wanted.folder or ""),
            stages=digests(wanted.codes),
            inputs=dict(wanted.inputs),
            outputs=dict(wanted.outputs),
            sources=known,
            options=dict(wanted.options),
        )
        manner = ring_manner(manifest, spec)
        blocks = ring_blocks.made(spec, shared.make_in(held.where), manner.blocking)
        held.write(replace(manifest, generations=ring_blocks.generations(blocks)))
        refuse(_compiled(blocks, wanted.codes, held, say))
        return RingProcesses(held, spec, blocks, wanted.placement)
    except BaseException:
        held.remove()
        raise


def _compiled(
    blocks: RingBlocks, codes: Mapping[str, Stage], held: directory.Held, say: Callable[[str], object]
) -> Iterable[Diagnostic | None]:
    """Compile everything once, so that the roles load it."""
    manner = ring_manner(held.manifest, blocks.spec)
    for part in parts_of(blocks.spec):
        say(f"compiling {part.name}")
        yield prepared(assemble(part, blocks, codes, manner, None))


def resume(where: Path) -> RingProcesses:
    """Take a ring up that was left, as it was left."""
    held = directory.resume(where)
    try:
        spec = ring_of(held.manifest)
        blocks = ring_blocks.attach(spec, held.where, held.manifest.generations, parts_of(spec))
        return RingProcesses(held, spec, blocks, decode_placement(held.manifest.placement))
    except BaseException:
        held.release()
        raise
