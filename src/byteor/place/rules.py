"""All rules of a placement: who runs where, how hosts are reached, and what may not be torn apart.

Rule 1. Names are judged first: what needs resolved names passes over unresolved ones.
Rule 2. Files of certificates, inputs and outputs are looked at where they are read, on their host, and not here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from byteor.diag import Diagnostic, in_order
from byteor.place.cut import Subject, crossings, intent_of, name_of, port_of, ways
from byteor.place.model import FABRICS, Hosts, LinkIntent
from byteor.spec.codec import near, shown
from byteor.spec.lane_graph import Lane
from byteor.spec.table import Entry, Hit, Hits, states
from byteor.spec.type_rules import twice

TABLE: list[Entry] = []
LANES: list[Entry] = []
RINGS = ("events", "fanout", "sequenced_slots")
NAME = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-")
LARGEST = 1 << 24
LOOPBACK = ("127.", "localhost", "[::1]")


def validate(subject: Subject) -> tuple[Diagnostic, ...]:
    """Everything that is wrong with a placement; what judges crossing lanes needs all else to be right."""
    found = [d for entry in TABLE for d in entry.run(subject, "")]
    if not any(d.is_error for d in found):
        found += [d for entry in LANES for d in entry.run(subject, "")]
    return in_order(found)


@states(TABLE, "P071", "bad-host", Subject)
def bad_host(subject: Subject) -> Hits:
    """
    What: a placement has no host, a host has no role or no usable name, or two hosts have one name.
    Why: each host runs its part under its name, which also stands in files and in certificates.
    Example: `name = "host a"`, or two `[[host]]` with the same name.
    Instead: a word of letters, digits, `_` and `-` for each host, and at least one role.
    """
    hosts = subject.hosts.host
    if not hosts:
        yield Hit("host", "there is no host", "write a `[[host]]` for each machine")
    for i, host in enumerate(hosts):
        if not host.name or len(host.name) > 40 or not set(host.name) <= NAME:
            yield Hit(f"host.{i}.name", f"`{shown(host.name)}` is no name of a host", "use letters, digits, `_`, `-`")
        if not host.roles:
            yield Hit(f"host.{i}.roles", f"host `{shown(host.name)}` has no role", "give it one, or leave it out")
    yield from twice((f"host.{i}.name", host.name) for i, host in enumerate(hosts))


@states(TABLE, "P072", "unknown-role", Subject)
def unknown_role(subject: Subject) -> Hits:
    """
    What: a host lists a role that the plant does not have.
    Why: nothing would run there, and the role that was meant would run nowhere.
    Example: `roles = ["enrihc"]`.
    Instead: the name of an ingress, a stage, a merge, a router or an egress, or that of a role that lowering inserted.
    """
    known = {role.name for role in subject.flow.roles} | set(subject.parts.values())
    for path, name in _listed(subject):
        if name not in known:
            yield Hit(path, f"there is no role `{shown(name)}`", near(name, sorted(known)))


def _listed(subject: Subject) -> Iterator[tuple[str, str]]:
    for i, host in enumerate(subject.hosts.host):
        yield from ((f"host.{i}.roles.{k}", name) for k, name in enumerate(host.roles))


@states(TABLE, "P073", "role-twice", Subject)
def role_twice(subject: Subject) -> Hits:
    """
    What: a role is listed twice.
    Why: a role runs once; two that write one lane would have no order between them.
    Example: `tax` among the roles of two hosts.
    Instead: keep one; for more of the same work write several stages behind a router.
    """
    keeps = {role.name for role in subject.flow.roles if role.stage and role.stage.state}
    first: dict[str, str] = {}
    for path, name in _listed(subject):
        if first.setdefault(name, path) != path and name not in keeps:
            yield Hit(path, f"`{shown(name)}` is already placed", "keep one of the two", ((first[name], "here"),))


@states(TABLE, "P074", "state-moves", Subject)
def state_moves(subject: Subject) -> Hits:
    """
    What: a role that keeps state is listed twice, as if it could move.
    Why: its state is memory of one host; on another one it would begin anew, and give other results, silently.
    Example: `counts`, a stage with `state`, among the roles of a first and of a second host.
    Instead: one host; to move it, end the run and begin another one with another placement.
    """
    keeps = {role.name for role in subject.flow.roles if role.stage and role.stage.state}
    first: dict[str, str] = {}
    for path, name in _listed(subject):
        if first.setdefault(name, path) != path and name in keeps:
            message = f"`{shown(name)}` keeps state, which never moves to another host"
            yield Hit(path, message, "keep one of the two", ((first[name], "here"),))


@states(TABLE, "P075", "role-nowhere", Subject)
def role_nowhere(subject: Subject) -> Hits:
    """
    What: no host lists a role of the plant.
    Why: a placement never guesses, and without it nothing passes there.
    Example: a plan of four stages, and hosts that list three of them.
    Instead: list it. Roles that lowering inserted go with the part that made them necessary.
    """
    for name, claims in subject.claims().items():
        if not claims and subject.hosts.host:
            part = subject.parts.get(name, name)
            yield Hit("host", f"`{shown(part)}` is placed nowhere", "add it to the roles of a host")


@states(TABLE, "P076", "bad-address", Subject)
def bad_address(subject: Subject) -> Hits:
    """
    What: an address is none that a host could be reached at, or a port is none.
    Why: links listen at the port of their host and at those that follow it; the others connect there.
    Example: `address = "10.0.0.2"`, without a port.
    Instead: `name:port` or `number:port`, with a port from 1 to 65535; an IPv6 number stands in brackets.
    """
    for i, host in enumerate(subject.hosts.host):
        if port_of(host.address) not in range(1, 65536) or not _is_name(name_of(host.address)):
            help = "write `name:port`, as in `10.0.0.2:7400`"
            yield Hit(f"host.{i}.address", f"`{shown(host.address)}` is no address with a port", help)
        if host.listen is not None and not _is_name(host.listen):
            help = "write a name or a number, as in `0.0.0.0`; the port is that of `address`"
            yield Hit(f"host.{i}.listen", f"`{shown(host.listen)}` is no address without a port", help)
    for i, link in enumerate(subject.hosts.link):
        if link.port is not None and link.port not in range(1, 65536):
            yield Hit(f"link.{i}.port", f"{link.port} is no port", "use 1 to 65535")


def _is_name(text: str) -> bool:
    inner = text[1:-1] if text.startswith("[") and text.endswith("]") else text
    colons = inner != text
    known = all(c.isascii() and (c.isalnum() or c in "-_." or (colons and c in ":%")) for c in inner)
    return known and all(0 < len(label) < 64 for label in inner.removesuffix(".").split("."))


@states(TABLE, "P077", "bad-link", Subject)
def bad_link(subject: Subject) -> Hits:
    """
    What: a `[[link]]` is about a lane or a host that there is not, about a lane that does not arrive there, or twice.
    Why: what it says would be ignored.
    Example: `lane = "a_to_b"` and `to = "east"`, where both `a` and `b` run on `east`.
    Instead: correct it, or remove it; `byteor lower PLAN --place FILE --explain` lists the lanes that cross.
    """
    lanes = {lane.name: number for number, lane in enumerate(subject.graph.lanes)}
    hosts = {host.name for host in subject.hosts.host}
    found = set(ways(subject, subject.where()))
    arrive = {(number, end) for number, _, end in found}
    first: dict[tuple[str, str], int] = {}
    for i, link in enumerate(subject.hosts.link):
        if link.lane not in lanes:
            yield Hit(f"link.{i}.lane", f"there is no lane `{shown(link.lane)}`", near(link.lane, sorted(lanes)))
        if link.to not in hosts:
            yield Hit(f"link.{i}.to", f"there is no host `{shown(link.to)}`", near(link.to, sorted(hosts)))
        if link.lane not in lanes or link.to not in hosts:
            continue
        if (lanes[link.lane], link.to) not in arrive:
            yield Hit(f"link.{i}", f"lane `{link.lane}` does not arrive at `{link.to}` from another host", "remove it")
        if (at := first.setdefault((link.lane, link.to), i)) != i:
            message = f"lane `{link.lane}` to `{link.to}` has a `[[link]]` already"
            yield Hit(f"link.{i}", message, "keep one of them", ((f"link.{at}", "here"),))


@states(TABLE, "P078", "bad-fabric", Subject)
def bad_fabric(subject: Subject) -> Hits:
    """
    What: a word or a number that says how records cross is none that can be.
    Why: there are two fabrics; what a link carries and how far are positive numbers.
    Example: `fabric = "udp"`.
    Instead: `tcp` or `zenoh`; a number of 1 or more.
    """
    hosts = subject.hosts
    rows: list[tuple[str, Hosts | LinkIntent]] = [
        ("", hosts),
        *((f"link.{i}.", link) for i, link in enumerate(hosts.link)),
    ]
    for path, row in rows:
        if row.fabric is not None and row.fabric not in FABRICS:
            yield Hit(f"{path}fabric", f"there is no fabric `{shown(row.fabric)}`", f"use {' or '.join(FABRICS)}")
        for key in ("bytes_per_second", "round_trip_us"):
            value = getattr(row, key)
            if value is not None and value < 1:
                yield Hit(f"{path}{key}", f"{value} is less than 1", "leave it out, or say what it is")


@states(TABLE, "P079", "group-split", Subject)
def group_split(subject: Subject) -> Hits:
    """
    What: roles of one group are placed on several hosts.
    Why: a group is one process.
    Example: `roles = ["a", "b"]` in a `[[group]]` of the plan, with `a` on one host and `b` on another.
    Instead: place them together, or take one out of the group.
    """
    where, claims = subject.where(), subject.claims()
    first: dict[str, str] = {}
    for place in subject.placement.roles if subject.placement else ():
        if place.group is None or place.role not in where or subject.parts.get(place.role, place.role) != place.role:
            continue  # what was inserted is where its part is
        role = first.setdefault(place.group, place.role)
        if where[role] != where[place.role]:
            message = f"`{place.role}` shares a process with `{role}`, which is on `{where[role]}`"
            yield Hit(claims[place.role][0][0], message, "place them together", ((claims[role][0][0], "here"),))


@states(TABLE, "P080", "unknown-boundary", Subject)
def unknown_boundary(subject: Subject) -> Hits:
    """
    What: `[input]` or `[output]` names what is no such boundary of the plant.
    Why: the file would never be read, or never be written.
    Example: `[input]` with `flihgts = "flights.csv"`.
    Instead: the name of an ingress under `[input]`, of an egress or of a tap's journal under `[output]`.
    """
    graph = subject.graph
    taps = [lane.name for lane in graph.lanes if lane.kind == "journal" and not lane.consumers]
    ins, outs = [at.ingress.name for at in graph.ingresses], [at.egress.name for at in graph.egresses]
    yield from _unknown("input", [file.name for file in subject.hosts.input], ins)
    yield from _unknown("output", [file.name for file in subject.hosts.output], [*outs, *taps])


def _unknown(table: str, names: Iterable[str], known: list[str]) -> Hits:
    for name in names:
        if name not in known:
            message = f"the plant has no {table} `{shown(name)}`"
            yield Hit(f"{table}.{shown(name)}", message, near(name, known) or f"it has {', '.join(known)}")


@states(TABLE, "P081", "journal-crosses", Subject)
def journal_crosses(subject: Subject) -> Hits:
    """
    What: a journal, or a lane that keeps only the latest, is written on one host and read on another.
    Why: such lanes are not carried: a journal is files of one host, and a latest value has no sequence to resume at.
    Example: an ingress with `lane = { kind = "journal" }` on one host, and its first stage on another.
    Instead: place both ends together, and let the events lane behind it cross.
    """
    where, claims = subject.where(), subject.claims()
    for number, _, end in ways(subject, where):
        lane = subject.graph.lanes[number]
        if lane.kind not in RINGS:
            reader = next(role for role in subject.flow.readers[number] if where.get(role.name) == end)
            writer = subject.flow.writers[number][0]
            message = f"lane `{lane.name}` is of kind {lane.kind}, and `{reader.name}` reads it on `{end}`"
            related = ((claims[writer.name][0][0], "its writer is here"),)
            yield Hit(claims[reader.name][0][0], message, "place both ends together", related)


@states(TABLE, "P082", "bad-link-capacity", Subject)
def bad_link_capacity(subject: Subject) -> Hits:
    """
    What: the capacity of a link is no power of two, is less than that of its lane, or is beyond all lanes.
    Why: slots are found by a mask, and a lane that shrinks may let branches wait for each other that did not before.
    Example: `capacity = 100000`.
    Instead: a power of two from the lane's own capacity on, at most 16,777,216.
    """
    lanes = {lane.name: lane for lane in subject.graph.lanes}
    for i, link in enumerate(subject.hosts.link):
        if link.capacity is None or link.lane not in lanes:
            continue
        least = lanes[link.lane].capacity
        if not least <= link.capacity <= LARGEST or link.capacity & (link.capacity - 1):
            help = f"use {least}, or a larger power of two"
            yield Hit(f"link.{i}.capacity", f"{link.capacity} slots cannot be those of lane `{link.lane}`", help)


@states(LANES, "P083", "port-twice", Subject)
def port_twice(subject: Subject) -> Hits:
    """
    What: two lanes arrive at the same address and port, or the ports of a host go beyond 65535.
    Why: each lane that crosses has a port of its own; a host uses its own port for the first, and those that follow.
    Example: two hosts on one machine with `127.0.0.1:7400` and `127.0.0.1:7401`, where three lanes arrive at the first.
    Instead: leave as many ports free behind a host's own as lanes arrive there, or give a `[[link]]` a `port`.
    """
    at = {host.name: f"host.{i}.address" for i, host in enumerate(subject.hosts.host)}
    first: dict[str, tuple[str, str]] = {}
    for one in crossings(subject, subject.where()):
        if port_of(one.connect) not in range(1, 65536):
            yield Hit(at[one.to], f"no port is left for lane `{one.lane}`", "begin at a lower port")
        lane, host = first.setdefault(one.connect, (one.lane, one.to))
        if (lane, host) != (one.lane, one.to):
            message = f"lane `{one.lane}` arrives at {one.connect}, where lane `{lane}` does"
            yield Hit(at[one.to], message, "use another port", ((at[host], "the other arrives here"),))


@states(LANES, "P084", "lane-too-small", Subject, severity="warning")
def lane_too_small(subject: Subject) -> Hits:
    """
    What: a lane that crosses has fewer slots than records are under way, at the stated rate and round trip.
    Why: what was sent is kept until the other side has committed it; a full lane waits for a round trip.
    Example: 125,000,000 bytes a second over 10,000 us are 19,532 records of 64 bytes; a lane of 4,096 carries a fifth.
    Instead: a `[[link]]` with a larger `capacity`.
    """
    hosts = subject.hosts
    for one in crossings(subject, subject.where()):
        lane, wanted = subject.graph.lanes[one.number], intent_of(hosts, one.lane, one.to)
        rate = (wanted.bytes_per_second if wanted else None) or hosts.bytes_per_second
        trip = (wanted.round_trip_us if wanted else None) or hosts.round_trip_us
        slots = one.capacity or lane.capacity
        if rate is None or trip is None or (need := _under_way(lane, rate, trip)) <= slots:
            continue
        path = f"link.{hosts.link.index(wanted)}" if wanted else "round_trip_us"
        message = f"lane `{one.lane}` to `{one.to}` has {slots} slots, and {need} records are under way"
        yield Hit(path, message, _larger(one.lane, one.to, need))


def _under_way(lane: Lane, rate: int, trip: int) -> int:
    """Records between being sent and being known to have arrived."""
    return -(-rate * trip // (1_000_000 * lane.slot_bytes))


def _larger(lane: str, to: str, need: int) -> str:
    fit = 1 << (need - 1).bit_length()
    if fit > LARGEST:
        return "no lane is that large: let several lanes carry it, or ask for less"
    return f'`capacity = {fit}` in the `[[link]]` of `lane = "{lane}"`, `to = "{to}"`'


@states(LANES, "P085", "links-open", Subject, severity="warning")
def links_open(subject: Subject) -> Hits:
    """
    What: hosts are reached beyond the loopback, and there is no `[tls]`.
    Why: whoever reaches the port could read records, and put in others.
    Example: `address = "10.0.0.2:7400"`, and no certificates.
    Instead: `[tls]` with `authority`, `certificate` and `key`: then both sides show who they are.
    """
    if subject.hosts.tls is not None:
        return
    reached = {one.to for one in crossings(subject, subject.where())}
    for i, host in enumerate(subject.hosts.host):
        if host.name in reached and not host.address.startswith(LOOPBACK):
            yield Hit(f"host.{i}.address", f"`{host.address}` takes lanes without certificates", "add `[tls]`")
            return
