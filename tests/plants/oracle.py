"""What a lane graph must give, computed lane by lane from whole lists: the naive answer that executors are held to.

Rule 1. It shares no code with any executor: it reads specs, and calls stages as plain Python.
Rule 2. No capacities, marks or schedules: a lane is all that ever passes it, with an order word for each record.
Rule 3. What a run must refuse raises `Fails` here; what has no single answer raises `ValueError`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from byteor.spec.flow import Flow, Role, flow_of
from byteor.spec.lane_graph import Lane, LaneGraph
from byteor.spec.model import IDENTITY
from tests.plants.rows import packed
from tests.plants.worker import Fails, Made, worked

__all__ = ["Answer", "Fails", "expected"]

# The order word of what an `end` gives: behind all that were numbered.
LAST = 2**63 - 2


@dataclass(frozen=True, slots=True)
class Stream:
    """All records of a lane in their order, each with its order word; before merges by field, how far it has come.

    `bound` is the greatest field that passed the lane, or would have, had nobody filtered it.
    """

    rows: np.ndarray
    words: list[int]
    bound: int | None = None

    def take(self, places: list[int]) -> Stream:
        return Stream(self.rows[places], [self.words[i] for i in places])


@dataclass(slots=True)
class Answer:
    """What each egress and each lane gives; how many records gave none at a stage, or were late behind a role."""

    egresses: dict[str, np.ndarray] = field(default_factory=dict)
    lanes: dict[str, np.ndarray] = field(default_factory=dict)
    filtered: Counter[str] = field(default_factory=Counter)
    late: Counter[str] = field(default_factory=Counter)


def expected(graph: LaneGraph, stages: Mapping[str, Any], rows: Mapping[str, np.ndarray]) -> Answer:
    """Compute a plant whole: `stages` are functions by the stage's name, `rows` what comes in by the ingress's name."""
    plant = Plant(graph, stages, rows)
    plant.answer.lanes = {lane.name: plant.stream(i).rows for i, lane in enumerate(graph.lanes)}
    for egress in graph.egresses:
        plant.answer.egresses[egress.egress.name] = plant.answer.lanes[egress.from_]
    return plant.answer


class Plant:
    """The lanes of a graph; each is computed when it is first asked for."""

    def __init__(self, graph: LaneGraph, stages: Mapping[str, Any], rows: Mapping[str, np.ndarray]) -> None:
        self.graph, self.stages, self.rows = graph, stages, rows
        self.flow: Flow = flow_of(graph)
        self.kinds = {message.name: packed(message) for message in graph.types}
        self.known: dict[int, Stream] = {}
        self.answer = Answer()

    def stream(self, lane: int) -> Stream:
        """All that passes a lane."""
        if lane not in self.known:
            role = self.flow.writers[lane][0]
            taken = [self.stream(number) for number, _ in role.inputs]
            for (number, _), given in zip(role.outputs, OPERATIONS[role.kind](self, role, taken), strict=True):
                laid = self.laid(number, role, given)
                self.known[number] = replace(laid, bound=self.bound(number, role, laid))
        return self.known[lane]

    def bound(self, number: int, role: Role, laid: Stream) -> int | None:
        """How far a lane has come: as far as its records, and as what they came of, unless a stage may change that."""
        order = self.graph.lanes[number].order
        if order is None:
            return None
        found = laid.rows[order.by].tolist()[-1:]
        for lane, _ in role.inputs if order.numbering != number or role.kind != "stage" else ():
            there, bound = self.graph.lanes[lane].order, self.known[lane].bound
            if there and there.by == order.by and bound is not None:
                found.append(bound)
        return max(found, default=None)

    def laid(self, number: int, role: Role, stream: Stream) -> Stream:
        """What a lane holds of what is put there: where a numbering starts, words are places, and falls are judged."""
        lane = self.graph.lanes[number]
        if lane.on_full == "drop" or lane.kind == "state" or lane.retain == "overwrite" or lane.producers > 1:
            raise ValueError(f"what passes lane `{lane.name}` depends on timing")
        if lane.order is None or lane.order.numbering != number:
            return stream
        rows = stream.rows[self.timely(lane, role, stream.rows[lane.order.by].tolist())]
        return Stream(rows, list(range(len(rows))))

    def timely(self, lane: Lane, role: Role, keys: list[int]) -> list[int]:
        """The places of the records that are not late."""
        kept: list[int] = []
        for i, key in enumerate(keys):
            if not kept or key >= keys[kept[-1]]:
                kept.append(i)
            elif lane.order and lane.order.late == "fail":
                raise Fails(role.name, f"record {i} is late")
            else:
                self.answer.late[role.name] += 1
        return kept


Operation = Callable[[Plant, Role, list[Stream]], list[Stream]]


def _ingress(plant: Plant, role: Role, _: list[Stream]) -> list[Stream]:
    said = role.part.ingress
    rows = np.array(plant.rows[said.name], plant.kinds[said.type])
    if said.sort_by is not None:
        rows = rows[np.argsort(rows[said.sort_by], kind="stable")]
    return [Stream(rows, [0] * len(rows))]


def _bridge(plant: Plant, role: Role, streams: list[Stream]) -> list[Stream]:
    return streams


def _router(plant: Plant, role: Role, streams: list[Stream]) -> list[Stream]:
    (stream,), count = streams, len(role.outputs)
    places: list[list[int]] = [[] for _ in range(count)]
    for i in range(len(stream.rows)):
        for k in _chosen(role, stream.rows, i, count):
            places[k].append(i)
    return [stream.take(one) for one in places]


def _chosen(role: Role, rows: np.ndarray, i: int, count: int) -> range:
    """The outputs that get record `i`."""
    if role.part.policy == "broadcast":
        return range(count)
    if role.part.policy == "work_queue":
        return range(i % count, i % count + 1)
    if role.part.policy == "by_key":
        k = key_hash(rows[role.part.key][i : i + 1].tobytes()) % count
        return range(k, k + 1)
    raise ValueError(f"router `{role.name}` depends on timing")


def key_hash(key: bytes) -> int:
    """The hash of a key's bytes, as `spec/shard_hash.md` says: FNV-1a, then the finaliser of murmur3."""
    h = 0xCBF29CE484222325
    for byte in key:
        h = (h ^ byte) * 0x100000001B3 % 2**64
    for factor in (0xFF51AFD7ED558CCD, 0xC4CEB9FE1A85EC53, 1):
        h = (h ^ h >> 33) * factor % 2**64
    return h


def _merge(plant: Plant, role: Role, streams: list[Stream]) -> list[Stream]:
    said = role.part
    if said.policy == "arrival":
        raise ValueError(f"merge `{role.name}` depends on timing")
    turns = _by_field(plant, role, streams) if said.policy == "by_field" else _in_turn(role, streams)
    rows = np.array([streams[k].rows[i] for k, i in turns], streams[0].rows.dtype)
    if said.stamp is not None:
        rows[said.stamp] = [k for k, _ in turns]
    return [Stream(rows, [streams[k].words[i] for k, i in turns])]


def _by_field(plant: Plant, role: Role, streams: list[Stream]) -> list[tuple[int, int]]:
    """The records of all inputs by field, numbering, order word, lane and sequence."""
    keyed = []
    for k, (number, _) in enumerate(role.inputs):
        order, stream = plant.graph.lanes[number].order, streams[k]
        assert order is not None and order.by == role.part.field
        fields = stream.rows[order.by].tolist()
        keys = [(fields[i], order.numbering, stream.words[i], number, i) for i in range(len(fields))]
        assert keys == sorted(keys), f"lane {number} is not in order"
        keyed += [(key, k, i) for i, key in enumerate(keys)]
    return [(k, i) for _, k, i in sorted(keyed)]


def _in_turn(role: Role, streams: list[Stream]) -> list[tuple[int, int]]:
    """One of each in strict turn: the input of which fewest were taken, ties by its place."""
    taken = [0] * len(streams)
    turns = []
    while sum(taken) < sum(len(stream.words) for stream in streams):
        k = taken.index(min(taken))
        if taken[k] == len(streams[k].words):
            raise Fails(role.name, f"input {k} ended before its turn")
        turns.append((k, taken[k]))
        taken[k] += 1
    return turns


def _stage(plant: Plant, role: Role, streams: list[Stream]) -> list[Stream]:
    (stream,), said = streams, role.stage
    assert said is not None
    if said.call == IDENTITY:
        return streams
    made = worked(said, plant.stages[said.name], plant.kinds, stream.rows)
    if said.form == "message" or said.in_place:
        plant.answer.filtered[said.name] = len(stream.rows) - len(set(made.of))
    number = role.outputs[0][0]
    order = plant.graph.lanes[number].order
    if order and order.numbering != number:
        _held(role, order.by, stream, made)
    words = [stream.words[i] for i in made.of] + [LAST] * len(made.end)
    return [Stream(np.concatenate([made.rows, made.end]), words)]


def _held(role: Role, by: str, stream: Stream, made: Made) -> None:
    """Before an ordering merge a record has the field of the one that it came of, and an `end` may not fall."""
    if made.of != sorted(made.of) or made.rows[by].tolist() != stream.rows[by][made.of].tolist():
        raise Fails(role.name, f"a record's `{by}` is not that of the record it came of")
    last = [one for one in (stream.bound, *made.end[by].tolist()) if one is not None]
    if last != sorted(last):
        raise Fails(role.name, f"the `{by}` of what its `end` gives falls")


OPERATIONS: dict[str, Operation] = {
    "ingress": _ingress,
    "bridge": _bridge,
    "router": _router,
    "merge": _merge,
    "stage": _stage,
}
