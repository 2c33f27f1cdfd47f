"""What is behind the ends of a plant: files and streams by boundary, opened where their role runs.

Rule 1. Every boundary needs a place, and all that is wrong with places is found before anything runs.
Rule 2. In one process, outputs are written as they come, and completed together at the end.
Rule 3. In processes, an output is a spool beside its file until the stream has ended: a successor goes on there.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from byteor.diag import Diagnostic, Refused
from byteor.edges.contract import Rejects, Sink
from byteor.edges.contract import Source as Input
from byteor.edges.open import open_sink, open_source
from byteor.exec import findings as x
from byteor.plant.assembly import Outside
from byteor.spec.lane_graph import LaneGraph


class SinkOutlet:
    """An output of this process; whoever drives the plant completes it."""

    def __init__(self, sink: Sink) -> None:
        self.sink = sink

    def open(self, written: int) -> None:
        assert written == 0, "a sink cannot go on where another ended"

    def write(self, records: np.ndarray) -> None:
        self.sink.write(records)

    def finish(self) -> None:
        """Nothing: all outputs are completed together."""

    def leave(self) -> None:
        """Nothing: as above."""


class Nowhere:
    """What an egress that has no output writes to."""

    def open(self, written: int) -> None:
        """Nothing: records are counted, and no more."""

    def write(self, records: np.ndarray) -> None:
        """Nothing: as above."""

    def finish(self) -> None:
        """Nothing: as above."""

    def leave(self) -> None:
        """Nothing: as above."""


def nothing() -> Outside:
    """Ends with nothing behind them."""
    return Outside({}, {})


def unplaced(graph: LaneGraph, inputs: Iterable[str]) -> list[Diagnostic]:
    """The ingresses that have no input."""
    given = set(inputs)
    return [
        x.RUN_OPTION.at("input", f"`{name}` has no input", help=f"give it a place: `--input {name}=PATH`, `-` is stdin")
        for name in (at.ingress.name for at in graph.ingresses)
        if name not in given
    ]


def inputs_of(
    graph: LaneGraph, inputs: Mapping[str, str], folder: Path | None, rejects: Rejects | None = None
) -> dict[str, Input]:
    """Open all inputs, or raise with all that is wrong."""
    types = {message.name: message for message in graph.types}
    found: list[Diagnostic] = unplaced(graph, inputs)
    opened: dict[str, Input] = {}
    for at in graph.ingresses:
        if at.ingress.name in inputs:
            try:
                place, kind = inputs[at.ingress.name], types[at.ingress.type]
                opened[at.ingress.name] = open_source(at.ingress, kind, place, rejects=rejects, folder=folder)
            except Refused as e:
                found += e.diagnostics
    if found:
        raise Refused(found)
    return opened


def outputs_of(graph: LaneGraph, outputs: Mapping[str, str], folder: Path | None) -> dict[str, Sink]:
    """Open all outputs, or none, and raise with all that is wrong."""
    types = {message.name: message for message in graph.types}
    found: list[Diagnostic] = []
    opened: dict[str, Sink] = {}
    for at in graph.egresses:
        if at.egress.name in outputs:
            try:
                opened[at.egress.name] = open_sink(
                    at.egress, types[at.egress.type], outputs[at.egress.name], folder=folder
                )
            except Refused as e:
                found += e.diagnostics
    if found:
        for sink in opened.values():
            sink.abort()
        raise Refused(found)
    return opened


def from_position(source: Input, limit: int | None = None) -> Any:
    """A source as an ingress asks for it: its batches from a position on."""

    def batches(position: int) -> Iterator[np.ndarray]:
        left = limit - position if limit is not None else None
        skip = position
        for rows in source:
            part = rows[skip:]
            skip -= len(rows) - len(part)
            if left is not None:
                part = part[: max(left, 0)]
                left -= len(part)
            if len(part):
                yield part
            if left is not None and left <= 0:
                return

    return batches
