"""What is behind the ends of a ring in processes, and what that asks of its stages.

Rule 1. The input gives what the ring does not make itself, as in one process.
Rule 2. Rows go through a spool; the records of `end` are written once, when all stages have given theirs.
Rule 3. A stage may be restarted only if a half-done turn can be done again: it reads nothing that it writes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from byteor.diag import Diagnostic, Refused, in_order
from byteor.edges.files import STREAM
from byteor.edges.made import Widened, input_type, ring_type
from byteor.edges.open import PYTHON, format_of, open_source
from byteor.edges.resume import changed, identity, judge_input, rows_after
from byteor.edges.spool import Spooled, can_be_exact, judge_output
from byteor.exec import findings as x
from byteor.plant import findings
from byteor.plant.ends import Outlet
from byteor.plant.manifest import Manifest
from byteor.plant.places import limited
from byteor.spec.model import IDENTITY, MessageType, SingleRing, Stage
from byteor.spec.placement import Placement


def _input(spec: SingleRing, place: str, folder: Path | None) -> Any:
    """The input of a ring; formats that find fields by name need not have what the ring makes itself."""
    ingress = spec.ingress
    whole = not place.startswith(PYTHON) and format_of(ingress.name, place, None, ingress.format) == "raw"
    return open_source(ingress, ring_type(spec) if whole else input_type(spec), place, folder=folder)


def source_of(manifest: Manifest, spec: SingleRing) -> Any:
    """A source that goes on from a position, if it still is what it was."""
    name = spec.ingress.name
    place, folder = manifest.inputs[name], Path(manifest.folder) if manifest.folder else None
    limit = manifest.options.get("limit")

    def batches(position: int) -> Iterator[np.ndarray]:
        if found := changed(name, place, manifest.sources.get(name, {})):
            raise Refused(found)
        rows = rows_after(name, place, _input(spec, place, folder), position)
        yield from limited(iter(Widened(spec, rows)), None if limit is None else limit - position)

    return batches


def outputs(spec: SingleRing) -> dict[str, MessageType]:
    """What leaves, by name: rows, the records of `end`, or both."""
    if spec.egress is None:
        return {}
    types = {message.name: message for message in spec.types}
    end = next((types[stage.end.type] for stage in spec.stages if stage.end), types[spec.type])
    rows = {spec.egress.name: types[spec.type]} if spec.egress.emit != "end" else {}
    if spec.egress.emit == "rows":
        return rows
    return {**rows, f"{spec.egress.name}.end" if rows else spec.egress.name: end}


def outlets_of(manifest: Manifest, spec: SingleRing) -> tuple[Outlet | None, Outlet | None]:
    """The outputs of rows and of the records of `end`."""
    assert spec.egress is not None
    opened = {n: _spooled(manifest, spec, n, kind) for n, kind in outputs(spec).items()}
    if spec.egress.emit == "end":
        return None, opened[spec.egress.name]
    return opened[spec.egress.name], opened.get(f"{spec.egress.name}.end")


def _spooled(manifest: Manifest, spec: SingleRing, name: str, kind: MessageType) -> Outlet | None:
    place = manifest.outputs.get(name)
    return None if place is None or spec.egress is None else Spooled(spec.egress, kind, place, manifest.token)


def judged(
    spec: SingleRing, placement: Placement, inputs: Mapping[str, str], given: Mapping[str, str], folder: Path | None
) -> dict[str, Any]:
    """Hold places and stages to what processes need of them; answer what the input is now."""
    found = [*_unsupported(spec), *_streams("input", inputs), *_streams("output", given)]
    found += [d for i, stage in enumerate(spec.stages) for d in _again(i, stage, placement)]
    name = spec.ingress.name
    if name not in inputs:
        help = f"give it a place: `--input {name}=PATH`"
        found.append(x.RUN_OPTION.at("input", f"`{name}` has no input", help=help))
    elif not found:
        source = _input(spec, inputs[name], folder)
        found += judge_input(name, inputs[name], source, placement.place(name).restart)
    for output, kind in outputs(spec).items():
        if output in given and given[output] != STREAM and not found:
            assert spec.egress is not None
            found += judge_output(output, given[output], "on_failure")
            if can_be_exact(given[output]):
                Spooled(spec.egress, kind, given[output], "check").check()
    if found:
        raise Refused(in_order(found))
    return {name: identity(inputs[name])}


def _unsupported(spec: SingleRing) -> Iterator[Diagnostic]:
    if spec.shards > 1:
        message = f"{spec.shards} shards, whose route has no place in shared memory"
        yield x.UNSUPPORTED.at("single_ring.shards", message, help="run shards in one process, or use a lane graph")


def _streams(option: str, places: Mapping[str, str]) -> Iterable[Diagnostic]:
    for name, place in places.items():
        if place == STREAM:
            yield x.RUN_OPTION.at(option, f"`{name}` is this command's stream, which its role has not")


def _again(i: int, stage: Stage, placement: Placement) -> Iterator[Diagnostic]:
    """Why a stage cannot come back."""
    if placement.place(stage.name).restart == "on_failure" and not may_repeat(stage):
        message = f"`{stage.name}` reads what it writes, and is to be restarted"
        help = "keep what it reads apart from what it writes, say both, or let it not be restarted"
        yield findings.NOT_AGAIN.at(f"single_ring.stages.{i}.reads", message, help=help)


def may_repeat(stage: Stage) -> bool:
    """Whether a stage may run again over a batch that it has half done."""
    if stage.call == IDENTITY or stage.writes == ():
        return True
    return stage.reads is not None and stage.writes is not None and not set(stage.reads) & set(stage.writes)
