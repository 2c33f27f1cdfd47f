"""Lane graphs made in Python: a builder that counts readers and finds order words by itself.

Rule 1. What a document can say, this can say; what it leaves out has the defaults that a plan has.
Rule 2. Lanes are added in topological order: a lane's place is its number.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from byteor.spec import build
from byteor.spec.flow import flow_of, with_orders
from byteor.spec.lane_graph import (
    Bridge,
    Lane,
    LaneEgress,
    LaneGraph,
    LaneIngress,
    Merge,
    Router,
    StageRole,
)
from byteor.spec.model import IDENTITY, MessageType
from byteor.spec.numbering import numbering_of
from byteor.spec.rules import check

EVENTS = 4096
CAPACITY = {"journal": 65_536, "state": 4}


class LaneGraphBuilder:
    """Gather a lane graph piece by piece; every method gives the builder back."""

    def __init__(self, name: str, *types: MessageType, wait: str = "backoff", on_full: str = "block") -> None:
        self._graph = LaneGraph(name, types, wait, on_full, (), (), (), (), (), (), ())
        self._anew: set[int] = set()
        self._counted: set[int] = set()

    def _add(self, group: str, part: Any) -> LaneGraphBuilder:
        changed: dict[str, Any] = {group: (*getattr(self._graph, group), part)}
        self._graph = replace(self._graph, **changed)
        return self

    def lane(
        self, name: str, type: str, kind: str = "events", renumber: bool = False, **fields: Any
    ) -> LaneGraphBuilder:
        """Add a lane; `fields` are those of `Lane`. `renumber`: order words are given anew here."""
        number = len(self._graph.lanes)
        if renumber:
            self._anew.add(number)
        if "consumers" in fields:
            self._counted.add(number)
        message = next((t for t in self._graph.types if t.name == type), None)
        defaults = {
            "capacity": CAPACITY.get(kind, EVENTS),
            "slot_bytes": max(1, message.size if message else 0),
            "producers": 1,
            "consumers": 0,
            "on_full": "block" if kind in CAPACITY else self._graph.on_full,
            "retain": "all" if kind == "journal" else None,
        }
        given: dict[str, Any] = {**defaults, **fields}
        return self._add("lanes", Lane(name=name, kind=kind, type=type, **given))

    def ingress(self, name: str, to: str, **fields: Any) -> LaneGraphBuilder:
        """Let records come in to a lane; `fields` are those of `Ingress`."""
        return self._add("ingresses", LaneIngress(to, build.ingress(name, **{"type": self._type(to), **fields})))

    def stage(self, name: str, from_: str, to: str, call: str = IDENTITY, **fields: Any) -> LaneGraphBuilder:
        """Put a stage between two lanes; `fields` are those of `Stage`."""
        fields = {"out": self._type(to), **fields}
        return self._add("stages", StageRole(from_, to, build.stage(name, call, self._type(from_), **fields)))

    def bridge(self, name: str, from_: str, to: str) -> LaneGraphBuilder:
        """Lead from one lane to another."""
        return self._add("bridges", Bridge(name, from_, to))

    def router(
        self, name: str, from_: str, to: Sequence[str], policy: str = "work_queue", key: str | None = None
    ) -> LaneGraphBuilder:
        """Spread the records of one lane over several."""
        return self._add("routers", Router(name, from_, tuple(to), policy, key))

    def merge(
        self,
        name: str,
        from_: Sequence[str],
        to: str,
        policy: str = "by_field",
        field: str | None = None,
        **fields: Any,
    ) -> LaneGraphBuilder:
        """Bring several lanes into one; `fields` are `stamp` and `late`."""
        given: dict[str, Any] = {"stamp": None, "late": "fail", **fields}
        return self._add("merges", Merge(name, tuple(from_), to, policy, field, **given))

    def egress(self, name: str, from_: str, **fields: Any) -> LaneGraphBuilder:
        """Let the records of a lane leave; `fields` are those of `Egress`."""
        return self._add("egresses", LaneEgress(from_, build.egress(name, **{"type": self._type(from_), **fields})))

    def _type(self, lane: str) -> str:
        return next((one.type for one in self._graph.lanes if one.name == lane), "")

    def build(self) -> LaneGraph:
        """Give the spec, or raise with every finding."""
        made = self.draft()
        check(made)
        return made

    def draft(self) -> LaneGraph:
        """Give the spec unchecked, with readers counted and order words found."""
        flow = flow_of(self._graph)
        counts = [len(readers) for readers in flow.readers]
        lanes = [
            lane if number in self._counted else replace(lane, consumers=counts[number])
            for number, lane in enumerate(self._graph.lanes)
        ]
        counted = replace(self._graph, lanes=tuple(lanes))
        return with_orders(counted, numbering_of(flow, self._anew).orders()) if flow.whole else counted
