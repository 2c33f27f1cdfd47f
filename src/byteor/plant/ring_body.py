"""The process of one role of a ring: it lives as a plant's roles do, over the ring's one region.

Rule 1. What is told of a plant's process holds here too: orders, the supervisor's death, outputs completed together.
Rule 2. The ring is wired here as in one process; the runners of other stages are only their words.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from byteor.backings import mem
from byteor.diag import Diagnostic
from byteor.exec.compiler import NotCompilable, not_compilable
from byteor.exec.digests import digest
from byteor.exec.ends import Straight
from byteor.exec.graph import Graph
from byteor.exec.resolve import resolve
from byteor.exec.shard import Options, Outside, Shard
from byteor.exec.single_ring import in_order
from byteor.exec.stage import Stage
from byteor.plant import channel, directory, ring_blocks, ring_places
from byteor.plant.assembly import Manner
from byteor.plant.body import Members, changed, own, refuse
from byteor.plant.manifest import Manifest
from byteor.plant.ring_blocks import Part, RingBlocks, parts_of
from byteor.plant.ring_roles import RingEgress, RingIngress, RingRole, RingStage, ended_records
from byteor.spec.kv import decode
from byteor.spec.model import SingleRing


def main(teller: channel.Teller, argument: dict[str, Any]) -> int:
    """Run the role that `argument` names in the ring of its folder; answer with the exit status."""
    where, names = Path(argument["dir"]), tuple(argument["roles"])
    with RingMembers(where, directory.look(where).manifest, names, teller) as members:
        return members.live(where / directory.LOCK)


class RingMembers(Members):
    """The one role of a process."""

    def wire(self, names: Sequence[str]) -> None:
        self.spec = ring_of(self.manifest)
        self.roles = tuple(part for part in parts_of(self.spec) if part.name in names)
        self.manner = ring_manner(self.manifest, self.spec)

    def path_of(self, stage: str) -> str:
        part = next((part for part in parts_of(self.spec) if part.name == stage), None)
        return f"single_ring.{part.path}" if part else ""

    def get_ready(self) -> None:
        """Attach, win the owner lock, compile, and take up what the last commit left."""
        needed = parts_of(self.spec) if any(part.kind == "egress" for part in self.roles) else self.roles
        blocks = ring_blocks.attach(self.spec, self.where, self.manifest.generations, needed)
        for part in self.roles:
            self._owners.append(own(part, blocks.books[part.number]))
        self.runners = [self._assembled(part, blocks) for part in self.roles]
        refuse(prepared(runner) for runner in self.runners)
        for runner in self.runners:
            runner.open()
            runner.attach()

    def _assembled(self, part: Part, blocks: RingBlocks) -> RingRole:
        codes = self._codes_of(part)
        return assemble(part, blocks, codes, self.manner, self.manifest)

    def _codes_of(self, part: Part) -> dict[str, Stage]:
        """The code of a stage, which must be what the ring began with."""
        if part.stage is None:
            return {}
        folder = Path(self.manifest.folder) if self.manifest.folder else None
        codes, found = resolve(self.spec, folder, only={part.name})
        refuse(found)
        if digest(codes[part.name]) != self.manifest.stages.get(part.name):
            refuse([changed(part.name, f"single_ring.{part.path}")])
        return codes


def ring_of(manifest: Manifest) -> SingleRing:
    """The spec of a ring, from its manifest."""
    spec = decode(manifest.spec, "manifest").spec
    assert isinstance(spec, SingleRing)
    return spec


def ring_manner(manifest: Manifest, spec: SingleRing) -> Manner:
    """How the ring runs."""
    given = manifest.options
    return Manner(given.get("wait") or spec.wait, int(given.get("batch", 4096)), bool(given.get("interpreted")))


def assemble(
    part: Part, blocks: RingBlocks, codes: Mapping[str, Stage], manner: Manner, manifest: Manifest | None
) -> RingRole:
    """Make one role of a ring; without a manifest nothing is behind its ends. Nothing is compiled yet."""
    spec, graph = blocks.spec, Graph(blocks.spec)
    words = [blocks.runner(one) for one in parts_of(spec)]
    last = words[-1] if spec.egress else mem.runner()
    around = Outside(mem.control(), words[0], last, manner.strategy)
    options = Options(manner.wait, manner.batch, manner.interpreted)
    ring = blocks.ring
    shard = Shard(spec, graph, ring, dict(codes), options, around, ends=words[1 : len(spec.stages) + 1])
    if part.kind == "stage":
        return RingStage(blocks, part, around, shard, codes[part.name], options)
    if part.kind == "ingress":
        rings = mem.Rings((ring,), ring.slots, ring.dead)
        ends = Straight(graph, rings, [shard], around, manner.batch)
        source = ring_places.source_of(manifest, spec) if manifest else None
        return RingIngress(blocks, part, around, ends, source)
    outlets = ring_places.outlets_of(manifest, spec) if manifest else (None, None)
    return RingEgress(blocks, part, around, shard, outlets, lambda: _ended(blocks, spec))


def _ended(blocks: RingBlocks, spec: SingleRing) -> np.ndarray | None:
    records = ended_records(blocks)
    return None if records is None or spec.egress is None else in_order(records, spec.egress.sort)


def prepared(runner: RingRole) -> Diagnostic | None:
    """Compile what a role calls; answer with the finding that keeps it from it."""
    try:
        runner.prepare()
    except NotCompilable as e:
        assert isinstance(runner, RingStage)
        return not_compilable(runner.spec, runner.code, f"single_ring.{runner.role.path}", e)
    return None
