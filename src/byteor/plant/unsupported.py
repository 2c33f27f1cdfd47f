"""What of a valid graph this executor cannot run.

Rule 1. A graph runs as it stands, or is refused with the place and the shape that would do.
"""

from __future__ import annotations

from collections.abc import Iterator

from byteor.diag import Diagnostic
from byteor.exec import findings as x
from byteor.plant.wiring import RINGS
from byteor.spec.lane_graph import LaneGraph


def unsupported(graph: LaneGraph) -> tuple[Diagnostic, ...]:
    """The lanes that cannot be run yet, or not by a plant."""
    return tuple(_found(graph))


def _found(graph: LaneGraph) -> Iterator[Diagnostic]:
    for i, lane in enumerate(graph.lanes):
        if lane.kind not in RINGS:
            message = f"lane `{lane.name}` is of kind {lane.kind}, which no role can read or write yet"
            yield x.UNSUPPORTED.at(f"lane_graph.lanes.{i}.kind", message, help=f"use one of {', '.join(RINGS)}")
        elif lane.producers > 1:
            message = f"lane `{lane.name}` is for {lane.producers} producers outside, which a plant does not wait for"
            yield x.UNSUPPORTED.at(f"lane_graph.lanes.{i}.producers", message, help="use 1, or an ingress")
