"""Inputs and outputs of a run as the command line names them: `[NAME=]PATH`.

Rule 1. A boundary is named by its name; the only one needs none. `./a=b.csv` is a path with `=` in it.
Rule 2. What can be refused is refused before anything runs; no output has then been touched.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from byteor import diag
from byteor.edges import files
from byteor.edges.contract import Rejects, Sink, Source
from byteor.edges.made import Widened, input_type, ring_type
from byteor.edges.open import format_of, open_sink, open_source
from byteor.edges.rolling import Roll, RollingSink
from byteor.exec import findings as x
from byteor.spec.codec import near
from byteor.spec.lane_graph import LaneGraph
from byteor.spec.model import Egress, MessageType, SingleRing

_NAMED = re.compile(r"([A-Za-z_][\w-]*(?:\.end)?)=(.*)", re.DOTALL)


def placed(option: str, given: Sequence[str], names: Sequence[str]) -> dict[str, str]:
    """Give each boundary its place; raise with all that fits none."""
    places: dict[str, str] = {}
    wrong = []
    for text in given:
        named = _NAMED.fullmatch(text)
        name, place = (named[1], named[2]) if named else (names[0] if names else "", text)
        if name not in names:
            help = near(name, names) or (f"there is {', '.join(f'`{n}`' for n in names)}" if names else "")
            said = f"there is no boundary `{name}`" if name else "the spec has no such boundary"
            wrong.append(x.RUN_OPTION.at(option, said, help=help))
        elif name in places:
            wrong.append(x.RUN_OPTION.at(option, f"`{name}` is given twice", help="each boundary has one place"))
        places[name] = place
    if wrong:
        raise diag.Refused(diag.in_order(wrong))
    return places


def source_of(spec: SingleRing, place: str, folder: Path, rejects: Rejects | None) -> Source:
    """Open the input; formats that find fields by name need not have what the ring makes itself."""
    ingress = spec.ingress
    whole = not place.startswith("python:") and format_of(ingress.name, place, None, ingress.format) == "raw"
    message = ring_type(spec) if whole else input_type(spec)
    return open_source(ingress, message, place, rejects=rejects, folder=folder)


def ingresses(spec: SingleRing | LaneGraph) -> list[str]:
    """Where rows come in, by name."""
    return [at.ingress.name for at in spec.ingresses] if isinstance(spec, LaneGraph) else [spec.ingress.name]


def egresses(spec: SingleRing | LaneGraph) -> dict[str, MessageType]:
    """What leaves, by name: rows, `end` records, or both."""
    if isinstance(spec, LaneGraph):
        kinds = {message.name: message for message in spec.types}
        logs = {lane.name: kinds[lane.type] for lane in spec.lanes if lane.kind == "journal"}
        return {at.egress.name: kinds[at.egress.type] for at in spec.egresses} | logs
    if spec.egress is None:
        return {}
    types = {message.name: message for message in spec.types}
    if spec.egress.emit != "both":
        return {spec.egress.name: types[spec.egress.type]}
    end = next((stage.end.type for stage in spec.stages if stage.end), spec.type)
    return {spec.egress.name: types[spec.type], f"{spec.egress.name}.end": types[end]}


def sinks_of(spec: SingleRing, places: dict[str, str], folder: Path, roll: Roll | None = None) -> dict[str, Sink]:
    """Open all outputs, or none."""
    opened: dict[str, Sink] = {}
    if spec.egress is None:
        return opened
    kinds = egresses(spec)
    try:
        for name, place in places.items():
            opened[name] = _sink(spec.egress, kinds[name], place, folder, roll)
    except (diag.Refused, OSError):
        abort(opened)
        raise
    return opened


def _sink(egress: Egress, message: MessageType, place: str, folder: Path, roll: Roll | None) -> Sink:
    """Open one output, whole or in pieces."""
    if roll is None:
        return open_sink(egress, message, place, folder=folder)
    if place == files.STREAM or place.startswith("python:"):
        help = "give it a file, whose name the pieces get with a number"
        raise diag.Refused([x.RUN_OPTION.at("roll", f"`{place}` cannot be written in pieces", help=help)])
    return RollingSink(Path(place), roll, lambda piece: open_sink(egress, message, piece, folder=folder))


def abort(sinks: Mapping[str, Sink]) -> None:
    """Leave none of the outputs."""
    for sink in sinks.values():
        sink.abort()


def batches_of(spec: SingleRing, source: Source, limit: int | None, repeat: int | None) -> Iterator[np.ndarray]:
    """The input's rows as records of the ring: at most `limit`, or loaded once and given `repeat` times."""
    if repeat is None:
        return limited(iter(Widened(spec, iter(source))), limit)
    loaded = list(limited(iter(Widened(spec, iter(source), kept=True)), limit))
    return limited((rows for _ in range(repeat) for rows in loaded), limit)


def limited(batches: Iterator[np.ndarray], limit: int | None) -> Iterator[np.ndarray]:
    """Stop after so many rows."""
    left = limit
    for rows in batches:
        part = rows if left is None else rows[:left]
        if len(part):
            yield part
        if left is not None:
            left -= len(part)
            if left <= 0:
                return


def streams_out(places: Mapping[str, str]) -> bool:
    """Whether an output goes to stdout."""
    return files.STREAM in places.values()


@contextlib.contextmanager
def rejects_file(where: str | None) -> Iterator[Any]:
    """The file of skipped rows: complete after a run, gone when there was none."""
    if where is None:
        yield None
        return
    from byteor.edges.rejects import RejectsFile

    file = RejectsFile(where)
    try:
        yield file
    except BaseException:
        file.abort()
        raise
    file.finish()
