"""What of a valid graph this executor cannot run.

Rule 1. A graph runs as it stands, or is refused with the place and the shape that would do.
"""

from __future__ import annotations

from collections.abc import Iterator

from byteor.diag import Diagnostic
from byteor.exec import findings as x
from byteor.plant.wiring import RINGS
from byteor.spec.flow import flow_of
from byteor.spec.lane_graph import LaneGraph


def unsupported(graph: LaneGraph) -> tuple[Diagnostic, ...]:
    """The lanes that cannot be run yet, or not by a plant."""
    return tuple(_found(graph))


def _found(graph: LaneGraph) -> Iterator[Diagnostic]:
    flow = flow_of(graph)
    for i, lane in enumerate(graph.lanes):
        near = {role.kind for role in (*flow.writers[i], *flow.readers[i])}
        if lane.kind == "journal" and near <= {"bridge", "ingress"} and lane.retain == "all":
            continue
        if lane.kind not in RINGS:
            message = f"lane `{lane.name}` is of kind {lane.kind}, which a {', '.join(sorted(near))} cannot work with"
            help = f"use one of {', '.join(RINGS)}; a journal with `retain = all` between an ingress or a bridge"
            yield x.UNSUPPORTED.at(f"lane_graph.lanes.{i}.kind", message, help=help)
        elif lane.producers > 1:
            message = f"lane `{lane.name}` is for {lane.producers} producers outside, which a plant does not wait for"
            yield x.UNSUPPORTED.at(f"lane_graph.lanes.{i}.producers", message, help="use 1, or an ingress")
