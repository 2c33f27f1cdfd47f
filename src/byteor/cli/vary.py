"""`byteor run --vary-batches`: the same run under two batch limits, and whether its outputs are the same bytes.

Rule 1. The first run writes below a temporary folder, the second where it was asked to.
Rule 2. An output that differs is a finding: something in a stage depends on where batches end.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from byteor import diag
from byteor.cli import output
from byteor.cli.asked import Asked, Prepared
from byteor.cli.carry import prepared, run_prepared
from byteor.edges import files
from byteor.exec import findings as x
from byteor.spec.describe import dependences

if TYPE_CHECKING:
    from byteor.cli.report import Outcome

OTHER, PIECE = 7, 1 << 20  # a limit that divides no usual capacity


def vary(where: str, asked: Asked) -> Outcome:
    """Run twice and compare; what differs makes the second run's outcome a refusal."""
    ready = prepared(where, asked)
    _check(ready, asked)
    with tempfile.TemporaryDirectory(prefix="byteor-") as folder:
        one, two = Path(folder, "one"), Path(folder, "two")
        first, second = _places(ready, one), ready.places or _places(ready, two)
        other = OTHER if asked.batch != OTHER else OTHER + 2
        outcome = run_prepared(replace(ready, places=first), replace(asked, batch=other, rejects=None))
        if outcome.status != "done":
            return outcome
        outcome = run_prepared(replace(ready, places=second), asked)
        if outcome.status != "done":
            return replace(outcome, places=ready.places)
        found = tuple(_differences(ready.spec, first, second, (other, asked.batch)))
    return replace(_judged(outcome, found), places=ready.places)


def _check(ready: Prepared, asked: Asked) -> None:
    """Refuse what cannot be read twice, or compared."""
    help = "give it a regular file"
    wrong = []
    for place in ready.inputs.values():
        if not files.rereadable(place):
            wrong.append(x.RUN_OPTION.at("input", f"`{place}` cannot be read twice", help=help))
    for name, place in ready.places.items():
        if place == files.STREAM or place.startswith("python:"):
            wrong.append(x.RUN_OPTION.at("output", f"`{name}` goes to `{place}`, which cannot be compared", help=help))
    if asked.roll:
        wrong.append(x.RUN_OPTION.at("roll", "pieces are not compared", help="vary batches without `--roll`"))
    if wrong:
        raise diag.Refused(diag.in_order(wrong))


def _places(ready: Prepared, folder: Path) -> dict[str, str]:
    """A place for every output that was asked for; raw records for each egress where none was."""
    from byteor.cli.boundaries import egresses

    folder.mkdir()
    wanted = ready.places or {name: f"{name}.raw" for name in egresses(ready.spec)}
    return {name: str(folder / f"{i}{Path(place).suffix}") for i, (name, place) in enumerate(wanted.items())}


def _differences(
    spec: Any, first: dict[str, str], second: dict[str, str], limits: tuple[int, int]
) -> Iterator[diag.Diagnostic]:
    why = next(dependences(spec), "")
    help = f"the spec says why: {why}" if why else "let no stage's result depend on how rows are cut into batches"
    for name, place in first.items():
        at = first_difference(Path(place), Path(second[name]))
        if at is not None:
            message = f"`{name}` differs at byte {at} between batches of at most {limits[0]} and {limits[1]}"
            yield x.BATCH_DEPENDENT.at(name, message, help=help)


def first_difference(one: Path, two: Path) -> int | None:
    """The first byte at which two files differ; None when they are the same."""
    at = 0
    with open(one, "rb") as left, open(two, "rb") as right:
        while True:
            a, b = left.read(PIECE), right.read(PIECE)
            if a != b:
                same = next((i for i, (p, q) in enumerate(zip(a, b, strict=False)) if p != q), min(len(a), len(b)))
                return at + same
            if not a:
                return None
            at += len(a)


def _judged(outcome: Outcome, found: tuple[diag.Diagnostic, ...]) -> Outcome:
    if not found:
        return outcome
    details = {"findings": output.as_data(found, None)}
    return replace(outcome, status="refused", error=diag.render(found), details=details)
