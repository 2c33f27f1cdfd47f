"""The v1 spec's second shape: a plant of named lanes, endpoints and roles.

Rule 1. The same rules as `model`: frozen, ordered as kv, and nothing here checks.
Rule 2. Lanes are named once and referred to by name. They stand in topological order, and a lane's place in the
    list is its number: it is part of the order of records, so it counts for the whole plant.
Rule 3. Other lists have positions that matter only where they say so: a router's outputs, a merge's inputs.
"""

from __future__ import annotations

from dataclasses import dataclass

from byteor.spec.model import Egress, Ingress, MessageType, Stage

KINDS = ("events", "journal", "sequenced_slots", "fanout", "state")
ON_FULL = ("block", "drop")
RETAIN = ("all", "overwrite")
LATE = ("fail", "drop")
ROUTER_POLICIES = ("broadcast", "work_queue", "by_key", "first_idle")
MERGE_POLICIES = ("round_robin", "by_field", "arrival")


@dataclass(frozen=True, slots=True)
class Order:
    """How the records of a lane before an ordering merge compare: by the field `by`, then by their order word.

    `numbering` is the number of the lane at which the words were given. On that lane the word is the record's own
    sequence; on all others it is inherited, and stands in a side array. `late` says what happens where the
    numbering starts to a record whose field falls: fail | drop.
    """

    by: str
    numbering: int
    late: str


@dataclass(frozen=True, slots=True)
class Lane:
    """One lane: `producers` rings of `capacity` slots, read by `consumers` gates.

    A journal's capacity is the records of a segment, and `retain` is its own: all | overwrite.
    """

    name: str
    kind: str
    type: str
    capacity: int
    slot_bytes: int
    producers: int
    consumers: int
    on_full: str
    retain: str | None = None
    order: Order | None = None


@dataclass(frozen=True, slots=True)
class LaneIngress:
    """Records come in here and go to the lane `to`."""

    to: str
    ingress: Ingress


@dataclass(frozen=True, slots=True)
class LaneEgress:
    """Records of the lane `from` leave here."""

    from_: str
    egress: Egress


@dataclass(frozen=True, slots=True)
class StageRole:
    """One lane in, one lane out, a stage between; the stage's `depends_on` is ()."""

    from_: str
    to: str
    stage: Stage


@dataclass(frozen=True, slots=True)
class Bridge:
    """Lane to lane, nothing changed: where kinds meet."""

    name: str
    from_: str
    to: str


@dataclass(frozen=True, slots=True)
class Router:
    """One lane to many; `key` is set for `by_key` alone."""

    name: str
    from_: str
    to: tuple[str, ...]
    policy: str
    key: str | None


@dataclass(frozen=True, slots=True)
class Merge:
    """Many lanes to one; `field` is set for `by_field` alone; `stamp` is the field that gets the place in `from`."""

    name: str
    from_: tuple[str, ...]
    to: str
    policy: str
    field: str | None
    stamp: str | None
    late: str


@dataclass(frozen=True, slots=True)
class LaneGraph:
    """A whole plant; its graph of lanes and roles has no cycle."""

    name: str
    types: tuple[MessageType, ...]
    wait: str
    on_full: str
    lanes: tuple[Lane, ...]
    ingresses: tuple[LaneIngress, ...]
    stages: tuple[StageRole, ...]
    bridges: tuple[Bridge, ...]
    routers: tuple[Router, ...]
    merges: tuple[Merge, ...]
    egresses: tuple[LaneEgress, ...]
