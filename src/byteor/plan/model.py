"""The plan as values: what an author writes, with names where the spec has positions.

Rule 1. One class for both targets: an envelope, the boundaries, the stages, and one source payload.
Rule 2. Declaration order is document order, a default may be left out, and a list of tables has a singular name.
Rule 3. A plan may be wrong; `document` reads its shape, `rules` judges it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from byteor.spec.model import MessageType, Param

SINGLE_RING, LANE_GRAPH = "single_ring", "lane_graph"
TARGETS = (SINGLE_RING, LANE_GRAPH)


class ExecutionTarget(StrEnum):
    """The targets as an enumeration; wherever a target stands, its text does as well."""

    SINGLE_RING = SINGLE_RING
    LANE_GRAPH = LANE_GRAPH


@dataclass(frozen=True, slots=True)
class Label:
    """A word of the catalogue: nothing depends on it."""

    name: str
    value: str


@dataclass(frozen=True, slots=True)
class Ring:
    """The source payload of a single ring; `slot_bytes` is the size of the type unless given."""

    type: str
    capacity: int = 65_536
    slot_bytes: int | None = None
    wait: str = "backoff"
    ordering: str = "strict"
    shards: int = 1
    shard_key: str | None = None
    producer: str = "single"
    scheduling: str = "dedicated"


@dataclass(frozen=True, slots=True)
class LaneIntent:
    """What an author wants of a lane.

    `capacity` is 4,096 unless given (a journal's segment has 65,536 records, a state lane 4), `on_full` the plan's.
    `producers` is for clients outside. `renumber`: before an ordering merge, records get new order words here.
    """

    kind: str = "events"
    capacity: int | None = None
    on_full: str | None = None
    retain: str | None = None
    producers: int = 1
    renumber: bool = False


@dataclass(frozen=True, slots=True)
class Ingress:
    """Where records come in; in a ring the type is the ring's.

    In a lane graph `lane` is a lane of the boundary's own, before those that the connections ask for.
    """

    name: str = "in"
    type: str | None = None
    format: str = "auto"
    null_text: tuple[str, ...] = ("",)
    bad: str = "fail"
    sort_by: str | None = None
    lane: LaneIntent | None = None


@dataclass(frozen=True, slots=True)
class State:
    """What a stage keeps: one record, or one a key."""

    type: str
    by: tuple[str, ...] = ()
    max: int = 1


@dataclass(frozen=True, slots=True)
class End:
    """What a stage gives at the end; `max` is the state's unless given, else 1."""

    type: str
    max: int | None = None


@dataclass(frozen=True, slots=True)
class Stage:
    """One stage. In a ring `after` names the stages before it ([] is the ingress); `in` and `out` are the ring's type.

    In a lane graph connections say what comes before it; `in` is the type of what arrives, `out` is `in`, unless given.
    """

    name: str
    call: str = "identity"
    after: tuple[str, ...] | None = None
    form: str = "message"
    compiled: bool = True
    in_: str | None = None
    out: str | None = None
    min_out: int = 1
    max_out: int = 1
    reads: tuple[str, ...] | None = None
    writes: tuple[str, ...] | None = None
    state: State | None = None
    end: End | None = None
    params: tuple[Param, ...] = ()
    borders: bool = False
    clock: bool = False
    boundscheck: bool = True
    src: bool = False


@dataclass(frozen=True, slots=True)
class Egress:
    """Where records leave; the type is that of what it emits."""

    name: str = "out"
    type: str | None = None
    format: str = "auto"
    null_text: str = ""
    emit: str = "rows"
    sort: tuple[str, ...] = ()
    row_group: int = 65_536
    lane: LaneIntent | None = None


@dataclass(frozen=True, slots=True)
class Connect:
    """What flows where in a lane graph; `tap` names a journal that the lane is also written to."""

    from_: str
    to: str
    lane: LaneIntent = LaneIntent()
    tap: str | None = None


@dataclass(frozen=True, slots=True)
class Merge:
    """Many to one. `inputs` lists them in order; one that no connection names has a lane with the defaults."""

    name: str
    inputs: tuple[str, ...]
    policy: str = "by_field"
    field: str | None = None
    stamp: str | None = None
    late: str = "fail"


@dataclass(frozen=True, slots=True)
class Router:
    """One to many: its outputs are its connections, in the plan's order."""

    name: str
    policy: str = "work_queue"
    key: str | None = None


@dataclass(frozen=True, slots=True)
class Supervise:
    """What happens when a role dies: never | on_failure, at most `limit` times."""

    role: str
    restart: str = "on_failure"
    limit: int = 5


@dataclass(frozen=True, slots=True)
class Group:
    """Roles that share a process."""

    name: str
    roles: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Pin:
    """A role that runs on one core."""

    role: str
    cpu: int


@dataclass(frozen=True, slots=True)
class Plan:
    """A whole plan. `ring` is the payload of one target.

    `on_full`, `wait`, `pinning`, `merge`, `router`, `connect`, `supervise`, `group` and `pin` are that of the other;
    the last three and `pinning` say where roles run, and are no part of the spec.
    """

    plan: int
    name: str
    target: str
    title: str | None = None
    description: str | None = None
    on_full: str | None = None
    wait: str | None = None
    pinning: str | None = None
    labels: tuple[Label, ...] = ()
    types: tuple[MessageType, ...] = ()
    ring: Ring | None = None
    ingress: tuple[Ingress, ...] = ()
    stage: tuple[Stage, ...] = ()
    merge: tuple[Merge, ...] = ()
    router: tuple[Router, ...] = ()
    connect: tuple[Connect, ...] = ()
    egress: tuple[Egress, ...] = ()
    supervise: tuple[Supervise, ...] = ()
    group: tuple[Group, ...] = ()
    pin: tuple[Pin, ...] = ()

    @property
    def payloads(self) -> tuple[str, ...]:
        """The targets for which the plan holds a source payload."""
        words = (self.on_full, self.wait, self.pinning)
        graph = (*words, *self.merge, *self.router, *self.connect, *self.supervise, *self.group, *self.pin)
        held = {SINGLE_RING: self.ring is not None, LANE_GRAPH: any(part is not None for part in graph)}
        return tuple(target for target in TARGETS if held[target])
