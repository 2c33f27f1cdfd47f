"""What is behind the ends of a plant: files and streams by boundary, opened where their role runs.

Rule 1. Every boundary needs a place, and all that is wrong with places is found before anything runs.
Rule 2. In one process, outputs are written as they come, and completed together at the end.
Rule 3. In processes, an output is a spool beside its file until the stream has ended: a successor goes on there.
"""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from byteor.diag import Diagnostic, Refused, in_order
from byteor.edges.contract import Rejects, Sink
from byteor.edges.contract import Source as Input
from byteor.edges.files import STREAM
from byteor.edges.open import open_sink, open_source
from byteor.edges.resume import changed, identity, judge_input, rows_after
from byteor.edges.spool import Spooled, can_be_exact, judge_output
from byteor.exec import findings as x
from byteor.plant import cores
from byteor.plant.assembly import Outside
from byteor.plant.ends import Outlet
from byteor.plant.logs import audits
from byteor.plant.manifest import Manifest
from byteor.plant.wiring import Role, Wiring
from byteor.spec.lane_graph import LaneGraph
from byteor.spec.model import Egress, Ingress, MessageType
from byteor.spec.placement import Placement


class SinkOutlet:
    """An output of this process; whoever drives the plant completes it."""

    def __init__(self, sink: Sink) -> None:
        self.sink = sink

    def open(self, written: int) -> None:
        assert written == 0, "a sink cannot go on where another ended"

    def write(self, records: np.ndarray) -> None:
        self.sink.write(records)

    def convert(self) -> None:
        """Nothing: it was written as what it is to be."""

    def finish(self) -> None:
        """Nothing: all outputs are completed together."""

    def leave(self) -> None:
        """Nothing: as above."""


class SelfFinished(SinkOutlet):
    """An output that cannot be taken back, of a role that never comes back."""

    def finish(self) -> None:
        self.sink.finish()


class Nowhere:
    """What an egress that has no output writes to."""

    def open(self, written: int) -> None:
        """Nothing: records are counted, and no more."""

    def write(self, records: np.ndarray) -> None:
        """Nothing: as above."""

    def convert(self) -> None:
        """Nothing: as above."""

    def finish(self) -> None:
        """Nothing: as above."""

    def leave(self) -> None:
        """Nothing: as above."""


def judged(
    graph: LaneGraph, placement: Placement, inputs: Mapping[str, str], outputs: Mapping[str, str], folder: Path | None
) -> dict[str, Any]:
    """Hold the places of a plant in processes to what each role may need of them; answer what the inputs are now."""
    found = [*_streams("input", inputs), *_streams("output", outputs), *unplaced(graph, inputs, outputs)]
    found += cores.missing(placement)
    types = {message.name: message for message in graph.types}
    for at in graph.ingresses:
        name = at.ingress.name
        if name in inputs and inputs[name] != STREAM:
            with _gathered(found):
                source = open_source(at.ingress, types[at.ingress.type], inputs[name], folder=folder)
                found += judge_input(name, inputs[name], source, placement.place(name).restart)
    for out in graph.egresses:
        name = out.egress.name
        if name in outputs and outputs[name] != STREAM:
            with _gathered(found):
                found += judge_output(name, outputs[name], placement.place(name).restart)
                if can_be_exact(outputs[name]):
                    Spooled(out.egress, types[out.egress.type], outputs[name], "check").check()
    if found:
        raise Refused(in_order(found))
    return {name: identity(place) for name, place in inputs.items()}


@contextlib.contextmanager
def _gathered(found: list[Diagnostic]) -> Iterator[None]:
    """Keep the findings of a refusal, and go on."""
    try:
        yield
    except Refused as e:
        found += e.diagnostics


def _streams(option: str, places: Mapping[str, str]) -> Iterator[Diagnostic]:
    for name, place in places.items():
        if place == STREAM:
            help = "give it a file or a named pipe, or run the plant in one process"
            yield x.RUN_OPTION.at(option, f"`{name}` is this command's stream, which its role has not", help=help)


def outside_of(manifest: Manifest, wiring: Wiring, roles: Iterable[Role]) -> Outside:
    """Open what is behind the ends of these roles, as the plant began with it."""
    folder = Path(manifest.folder) if manifest.folder else None
    limit = manifest.options.get("limit")
    sources: dict[str, Any] = {}
    outlets: dict[str, Any] = {}
    for role in roles:
        if role.kind == "ingress":
            sources[role.name] = _again(manifest, role.part.ingress, wiring.types, folder, limit)
        elif role.kind == "egress":
            outlets[role.name] = _outlet(manifest, role.part.egress, wiring.types, folder)
    return Outside(sources, outlets)


def _again(
    manifest: Manifest, ingress: Ingress, types: Mapping[str, MessageType], folder: Path | None, limit: int | None
) -> Any:
    """A source that goes on from a position, if it still is what it was."""
    name, place = ingress.name, manifest.inputs[ingress.name]

    def batches(position: int) -> Iterator[np.ndarray]:
        if found := changed(name, place, manifest.sources.get(name, {})):
            raise Refused(found)
        source = open_source(ingress, types[ingress.type], place, folder=folder)
        left = None if limit is None else limit - position
        yield from limited(rows_after(name, place, source, position), left)

    return batches


def _outlet(manifest: Manifest, egress: Egress, types: Mapping[str, MessageType], folder: Path | None) -> Outlet:
    place = manifest.outputs.get(egress.name)
    if place is None:
        return Nowhere()
    if can_be_exact(place):
        return Spooled(egress, types[egress.type], place, manifest.token)
    return SelfFinished(open_sink(egress, types[egress.type], place, folder=folder))


def limited(batches: Iterator[np.ndarray], left: int | None) -> Iterator[np.ndarray]:
    """Stop after so many rows."""
    for rows in batches:
        part = rows if left is None else rows[: max(left, 0)]
        if len(part):
            yield part
        if left is not None:
            left -= len(part)
            if left <= 0:
                return


def nothing() -> Outside:
    """Ends with nothing behind them."""
    return Outside({}, {})


def unplaced(graph: LaneGraph, inputs: Iterable[str], outputs: Iterable[str]) -> list[Diagnostic]:
    """The ingresses that have no input, and the journals of audits that have no place."""
    given, placed = set(inputs), set(outputs)
    tapped = [name for name in audits(graph) if name not in placed]
    return [
        x.RUN_OPTION.at("output", f"journal `{name}` has no place", help=f"give it one: `--output {name}=PATH`")
        for name in tapped
    ] + [
        x.RUN_OPTION.at("input", f"`{name}` has no input", help=f"give it a place: `--input {name}=PATH`, `-` is stdin")
        for name in (at.ingress.name for at in graph.ingresses)
        if name not in given
    ]


def inputs_of(
    graph: LaneGraph,
    inputs: Mapping[str, str],
    outputs: Mapping[str, str],
    folder: Path | None,
    rejects: Rejects | None = None,
    given: Collection[str] = (),
) -> dict[str, Input]:
    """Open all inputs that are not `given` by other means, or raise with all that is wrong."""
    types = {message.name: message for message in graph.types}
    found: list[Diagnostic] = unplaced(graph, [*inputs, *given], outputs)
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
    return lambda position: limited(source.after(position), None if limit is None else limit - position)
