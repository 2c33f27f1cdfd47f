"""What holds a plant back: one role or one lane, told in one sentence with its evidence.

Rule 1. Who holds back works all the time, while those before it wait for room and those behind it for records.
Rule 2. A lane holds back where its writer waits for room as its reader waits for records: they take turns.
Rule 3. Who works all the time and has no core for much of it is held back by whoever shares its core.
Rule 4. A link that is down, or without room on the other host, holds back whatever the roles here do.
Rule 5. Workers behind one router hold back together; one of them alone has too large a share of the keys.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from byteor.edges.files import STREAM
from byteor.observe import machine
from byteor.observe.meter import Motion, RoleMotion
from byteor.observe.window import Window
from byteor.plant.wiring import RINGS, Role

BUSY = 0.75  # of the time: who works so much holds back
TOGETHER = 0.6  # workers that work so much hold back with the busiest one
IN_TURN = 0.15  # of the time, on both sides of a lane
SHARED = 0.2  # of the time without a core, while others want it too
SPARE = 0.02  # of a disk: less is as good as full


@dataclass(frozen=True, slots=True)
class Verdict:
    """What holds a plant back.

    `what` is source, stage, mover, egress, workers, skew, core, lane, link, start, gone, done, or nothing; `names` are
    the roles, or the lane.
    """

    what: str
    names: tuple[str, ...]
    sentence: str


class Judge:
    """Judges one plant over one interval."""

    def __init__(self, window: Window, motion: Motion) -> None:
        self.window, self.motion = window, motion
        self.roles = {role.name: role for role in window.wiring.roles}
        self.lanes = {lane.now.name: lane for lane in motion.lanes}
        self.at_work = [one for one in motion.roles if not one.now.done]

    def verdict(self) -> Verdict:
        """The one thing that holds the plant back most."""
        return self._state() or self._down() or self._busiest()

    def _state(self) -> Verdict | None:
        if not self.at_work:
            return Verdict("done", (), "nothing holds the plant back: all of its roles are done")
        if not self.window.live:
            return Verdict("gone", (), "nobody runs this plant: its supervisor is gone")
        if not any(one.now.waits or one.now.taken for one in self.motion.roles):
            return Verdict("start", (), "the plant has not begun: its roles are still getting ready")
        gone = [one.now.name for one in self.at_work if not one.now.alive]
        if gone:
            return Verdict("gone", tuple(gone), f"{_listed(gone)} has no process: all others wait for its successor")
        return None

    def _busiest(self) -> Verdict:
        first = max(self.at_work, key=lambda one: (round(one.works, 1), self._pressed(one), one.works))
        if first.works >= BUSY:
            return self._of_role(first)
        waits = self._without_room() or self._in_turn()
        if waits is not None:
            return waits
        return self._of_role(first) if first.works >= TOGETHER else self._nothing(first)

    def _pressed(self, one: RoleMotion) -> float:
        """How full it is before a role, less how full behind it."""
        role = self.roles[one.now.name]
        return max(self._fills(role, before=True), default=1.0) - max(self._fills(role, before=False), default=0.0)

    def _fills(self, role: Role, before: bool) -> Iterator[float]:
        for port in role.inputs if before else role.outputs:
            lane = self.window.wiring.lane(port)
            if lane.kind in RINGS:
                yield self.lanes[lane.name].fill

    # roles

    def _of_role(self, one: RoleMotion) -> Verdict:
        shared = self._sharing(one)
        if shared:
            return shared
        role = self.roles[one.now.name]
        if role.kind == "ingress":
            return self._source(one)
        if role.kind == "egress":
            return self._egress(one, role)
        return self._workers(one, role) or self._stage(one, role)

    def _sharing(self, one: RoleMotion) -> Verdict | None:
        """Whether others on the few cores of a role take them from it."""
        if not one.delay or one.delay < SHARED or not one.cores or len(one.cores) >= machine.CORES:
            return None
        others = [o for o in self.at_work if o.process != one.process and o.cores <= one.cores and _wants(o)]
        if not others:
            return None
        names = (one.now.name, *(o.now.name for o in others))
        cores = ", ".join(map(str, sorted(one.cores)))
        used = " and ".join(f"`{o.now.name}` had it {_share(o.cpu)}" for o in others)
        sentence = (
            f"core {cores} is shared: `{one.now.name}` wanted it {_share(one.cpu + one.delay)} of the time "  # type: ignore[operator]
            f"and had it {_share(one.cpu)}, while {used}"
        )
        return Verdict("core", names, sentence)

    def _source(self, one: RoleMotion) -> Verdict:
        place = self.window.manifest.inputs.get(one.now.name, "its source")
        how = "reading and judging rows" if (one.cpu or 0.0) >= 0.5 else "waiting for rows"
        starved = sum(o.starved >= BUSY for o in self.at_work)
        sentence = (
            f"the source of `{one.now.name}` holds the plant back: its role spent {_share(one.works)} of the time "
            f"{how} from {place} ({one.put:,.0f} records/s), and {starved} of {len(self.at_work) - 1} others starved"
        )
        return Verdict("source", (one.now.name,), sentence)

    def _egress(self, one: RoleMotion, role: Role) -> Verdict:
        place = self.window.manifest.outputs.get(one.now.name, "nowhere")
        lane = self._before(role)
        disk = _disk(place)
        sentence = (
            f"the output `{one.now.name}` holds the plant back: it spent {_share(one.works)} of the time writing to "
            f"{place} ({one.put:,.0f} records/s, {_share(one.cpu)} of a core), and {lane}{disk}"
        )
        return Verdict("egress", (one.now.name,), sentence)

    def _stage(self, one: RoleMotion, role: Role) -> Verdict:
        stage = role.stage
        kind = ("compiled" if stage.compiled else "plain Python") if stage else "a " + role.kind
        slept = "" if one.cpu is None or one.cpu >= 0.5 else f", only {_share(one.cpu)} of it on a core"
        sentence = (
            f"`{one.now.name}` holds the plant back: it worked {_share(one.works)} of the time{slept} "
            f"({kind}, {one.taken:,.0f} records/s), and {self._before(role)}"
        )
        return Verdict("stage" if stage else "mover", (one.now.name,), sentence)

    def _before(self, role: Role) -> str:
        """How full it is before a role, in words."""
        rings = [self.window.wiring.lane(port) for port in role.inputs]
        full = [(self.lanes[lane.name].full, lane.name) for lane in rings if lane.kind in RINGS]
        if not full:
            return "nothing is before it"
        share, name = max(full)
        return f"`{name}` before it was full {_share(share)}"

    def _workers(self, one: RoleMotion, role: Role) -> Verdict | None:
        """What to say of a stage behind a router: there are too few of its kind, or it has too many of the keys."""
        router = self._router_before(role)
        if router is None:
            return None
        siblings = [
            o for o in self.at_work if self._router_before(self.roles[o.now.name]) is router and o.now.kind == "stage"
        ]
        if len(siblings) < 2:
            return None
        busy = [o for o in siblings if o.works >= TOGETHER]
        names = tuple(o.now.name for o in busy)
        if len(busy) == len(siblings):
            sentence = (
                f"there are too few workers behind `{router.name}`: each of {_listed(names)} worked at least "
                f"{_share(min(o.works for o in busy))} of the time ({one.taken:,.0f} records/s), "
                f"and {self._before(role)}"
            )
            return Verdict("workers", names, sentence)
        if len(busy) > 1:
            return None
        share = one.taken / max(sum(o.taken for o in siblings), 1e-9)
        sentence = (
            f"`{one.now.name}` has too large a share of what `{router.name}` gives: {_share(share)} of the records, "
            f"so it worked {_share(one.works)} of the time, and each of the other {len(siblings) - 1} "
            f"less than {_share(TOGETHER)}"
        )
        return Verdict("skew", names, sentence)

    def _router_before(self, role: Role) -> Role | None:
        for port in role.inputs:
            for other in self.window.wiring.roles:
                if other.kind == "router" and any(out.lane == port.lane for out in other.outputs):
                    return other
        return None

    # links

    def _down(self) -> Verdict | None:
        """The link without a connection before which most lies."""
        down = [one.now for one in self.at_work if one.now.is_link and not one.now.connected]
        if not down:
            return None
        link = max(down, key=lambda one: one.lag)
        waits = f"{link.lag:,} records wait before it" if link.kind == "out" else "nothing comes from there"
        sentence = f"`{link.name}` holds the plant back: it is not connected to `{link.peer}`, and {waits}"
        return Verdict("link", (link.name,), sentence)

    def _without_room(self) -> Verdict | None:
        """The link that waits for the other host, while its lane here is full."""
        for one in self.at_work:
            if one.now.kind != "out" or one.starved < BUSY:
                continue
            lane = self.lanes[self.window.wiring.lane(self.roles[one.now.name].inputs[0]).name]
            if lane.full >= BUSY:
                sentence = (
                    f"`{one.now.name}` holds the plant back: it waited {_share(one.starved)} of the time for "
                    f"`{one.now.peer}`, while `{lane.now.name}` before it was full {_share(lane.full)}; that host is "
                    f"slower, or {lane.now.capacity:,} slots are too few for the way there"
                )
                return Verdict("link", (one.now.name,), sentence)
        return None

    # lanes

    def _in_turn(self) -> Verdict | None:
        """The lane whose two sides wait for each other most."""
        found = []
        by_name = {one.now.name: one for one in self.motion.roles}
        for writer in self.window.wiring.roles:
            for port in writer.outputs:
                lane = self.window.wiring.lane(port)
                readers = [r for r in self.window.wiring.roles if any(p.lane == port.lane for p in r.inputs)]
                if lane.kind in RINGS and readers:
                    slowest = min((by_name[r.name] for r in readers), key=lambda one: one.starved)
                    waits = by_name[writer.name].crowded, slowest.starved
                    found.append((min(waits), lane.capacity, lane.name, waits, slowest.batch))
        score, capacity, name, waits, batch = max(found, default=(0.0, 0, "", (0.0, 0.0), 0.0))
        if score < IN_TURN:
            return None
        sentence = (
            f"lane `{name}` is too small (capacity {capacity:,}): its ends take turns, its writer waited for room "
            f"{_share(waits[0])} of the time and its reader for records {_share(waits[1])}, {batch:,.0f} at a time"
        )
        return Verdict("lane", (name,), sentence)

    def _nothing(self, first: RoleMotion) -> Verdict:
        sentence = (
            f"nothing stands out: the busiest role, `{first.now.name}`, worked {_share(first.works)} of the time, "
            f"at {self.motion.rate:,.0f} records/s"
        )
        return Verdict("nothing", (first.now.name,), sentence)


def judge(window: Window, motion: Motion) -> Verdict:
    """Say what holds a plant back over an interval."""
    return Judge(window, motion).verdict()


def _wants(one: RoleMotion) -> bool:
    """Whether a role wants a core for a good part of the time."""
    return (one.cpu or 0.0) + (one.delay or 0.0) >= SHARED


def _share(share: float | None) -> str:
    return "an unknown share" if share is None else f"{min(share, 1.0):.0%}"


def _listed(names: tuple[str, ...] | list[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _disk(place: str) -> str:
    """What is to be said of the disk under an output, if it is nearly full."""
    if place == STREAM or place.startswith("python:") or place == "nowhere":
        return ""
    try:
        facts = os.statvfs(Path(place).parent)
    except OSError:
        return ""
    if facts.f_blocks == 0 or facts.f_bavail / facts.f_blocks > SPARE:
        return ""
    return f"; its disk has only {facts.f_bavail * facts.f_frsize:,} bytes left"
