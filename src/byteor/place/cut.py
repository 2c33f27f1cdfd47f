"""The cut of a plant into one part a host, with a pair of links for each lane that crosses, and why each is there.

Rule 1. The graph is not changed: every host knows all lanes by their numbers, which are part of the order of records.
Rule 2. A lane lives on the host of its writer, and once more on each other host where somebody reads it.
Rule 3. What lowering inserted goes with the part that made it necessary, unless the document names it.
Rule 4. A host listens at its port for the first lane that arrives, in the order of lanes, and at the following ports.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from byteor.lower.model import Note
from byteor.place.model import Host, Hosts, LinkIntent
from byteor.spec.flow import Flow, flow_of
from byteor.spec.lane_graph import LaneGraph
from byteor.spec.placement import Placement

NOBODY: Mapping[str, str] = {}
Claim = tuple[str, str]  # the key of a line, and the host that it names


@dataclass(frozen=True, slots=True)
class Subject:
    """A placement beside the plant that it places; `parts` gives the plan's part of each role, as lowering found it."""

    hosts: Hosts
    graph: LaneGraph
    parts: Mapping[str, str] = field(default_factory=dict)
    placement: Placement | None = None

    @property
    def flow(self) -> Flow:
        return flow_of(self.graph)

    def claims(self) -> dict[str, tuple[Claim, ...]]:
        """For each role the lines that place it, in the order of the document."""
        said: dict[str, list[Claim]] = {}
        for i, host in enumerate(self.hosts.host):
            for k, name in enumerate(host.roles):
                said.setdefault(name, []).append((f"host.{i}.roles.{k}", host.name))
        names = [role.name for role in self.flow.roles]
        return {name: tuple(said.get(name, said.get(self.parts.get(name, ""), []))) for name in names}

    def where(self) -> dict[str, str]:
        """The host of each role; one that is placed twice, or nowhere, is left out."""
        hosts = {name: {host for _, host in claims} for name, claims in self.claims().items()}
        return {name: found.pop() for name, found in hosts.items() if len(found) == 1}


@dataclass(frozen=True, slots=True)
class Crossing:
    """A lane that crosses from one host to another; `several` says that it goes to more than this one."""

    lane: str
    number: int
    from_: str
    to: str
    fabric: str
    listen: str
    connect: str
    capacity: int | None
    several: bool


@dataclass(frozen=True, slots=True)
class HostPart:
    """What of a plant is on one host; `capacities` are those of lanes that have another one than in the spec."""

    host: str
    roles: tuple[str, ...]
    out: tuple[Crossing, ...]
    into: tuple[Crossing, ...]
    capacities: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Cut:
    """A plant taken apart: its hosts in the order of the document, and what of lanes goes between them."""

    parts: tuple[HostPart, ...]
    crossings: tuple[Crossing, ...]

    def part(self, host: str) -> HostPart:
        return next(part for part in self.parts if part.host == host)


def cut(subject: Subject) -> Cut:
    """Take a plant apart; the placement has no findings."""
    where = subject.where()
    links = tuple(crossings(subject, where))
    roles = [role.name for role in subject.flow.roles]
    parts = []
    for host in subject.hosts.host:
        out = tuple(one for one in links if one.from_ == host.name)
        into = tuple(one for one in links if one.to == host.name)
        here = tuple(name for name in roles if where.get(name) == host.name)
        parts.append(HostPart(host.name, here, out, into, _capacities((*out, *into))))
    return Cut(tuple(parts), links)


def _capacities(links: tuple[Crossing, ...]) -> dict[str, int]:
    """A lane that leaves for several hosts is as large as the largest of them."""
    found: dict[str, int] = {}
    for one in links:
        if one.capacity is not None:
            found[one.lane] = max(found.get(one.lane, 0), one.capacity)
    return found


def ways(subject: Subject, where: Mapping[str, str]) -> Iterator[tuple[int, str, str]]:
    """The lanes that cross, by number, with the host that they leave and each host at which they arrive."""
    flow = subject.flow
    for number, (writers, readers) in enumerate(zip(flow.writers, flow.readers, strict=True)):
        start = where.get(writers[0].name)
        ends = dict.fromkeys(where.get(reader.name) for reader in readers)
        yield from ((number, start, end) for end in ends if start and end and start != end)


def crossings(subject: Subject, where: Mapping[str, str]) -> Iterator[Crossing]:
    """The lanes that cross, in their order."""
    hosts, graph = subject.hosts, subject.graph
    found = list(ways(subject, where))
    counts: dict[str, int] = {}
    for number, start, end in found:
        lane, host = graph.lanes[number].name, hosts.named(end)
        assert host is not None
        wanted = intent_of(hosts, lane, end)
        base = port_of(host.address)
        port = wanted.port if wanted and wanted.port is not None else base + counts.setdefault(end, 0)
        counts[end] = counts.get(end, 0) + (wanted is None or wanted.port is None)
        several = sum(n == number for n, _, _ in found) > 1
        fabric, capacity = (wanted.fabric if wanted else None) or hosts.fabric, wanted.capacity if wanted else None
        yield Crossing(lane, number, start, end, fabric, *_addresses(host, port), capacity, several)


def _addresses(host: Host, port: int) -> tuple[str, str]:
    """What is bound, and what the other side connects to."""
    name = name_of(host.address)
    return f"{host.listen or name}:{port}", f"{name}:{port}"


def intent_of(hosts: Hosts, lane: str, to: str) -> LinkIntent | None:
    """What the document says of a lane that arrives at a host."""
    return next((one for one in hosts.link if (one.lane, one.to) == (lane, to)), None)


def name_of(address: str) -> str:
    """The host of an address."""
    return address.rpartition(":")[0]


def port_of(address: str) -> int:
    """The port of an address; -1 where there is none."""
    text = address.rpartition(":")[2]
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= 5 else -1


def notes_of(subject: Subject) -> tuple[Note, ...]:
    """Why each pair of links is there."""
    flow, where = subject.flow, subject.where()
    notes = []
    for one in cut(subject).crossings:
        writer = flow.writers[one.number][0].name
        readers = [role.name for role in flow.readers[one.number] if where.get(role.name) == one.to]
        them = " and ".join(f"`{name}`" for name in readers)
        ends = f"`{out_name(one)}` ships it to {one.connect} over {one.fabric}, `{one.lane}.in` takes it"
        slots = one.capacity or subject.graph.lanes[one.number].capacity
        message = f"`{writer}` writes lane `{one.lane}` on {one.from_}, {them} read{'s' * (len(readers) == 1)} it on "
        notes.append(Note(f"lane_graph.lanes.{one.number}", f"{message}{one.to}: {ends}; {slots} slots on each side"))
    return tuple(notes)


def out_name(one: Crossing) -> str:
    """The name of the role that ships a lane."""
    return f"{one.lane}_{one.to}.out" if one.several else f"{one.lane}.out"
