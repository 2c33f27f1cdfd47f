"""Which fields of its message a stage's code reads and writes, held against what it declares.

Rule 1. The plain function is taken apart, never compiled and never run; no types are needed.
Rule 2. Only what is certain is a finding: a field that the code names and the declaration leaves out.
Rule 3. Fields that the message does not have are left to Numba and to Python.
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from byteor.diag import Diagnostic
from byteor.exec import findings as x
from byteor.exec import follow, values
from byteor.exec.stage import Stage, arguments
from byteor.exec.values import BATCH, MASK, RECORD
from byteor.kernel.cache import remembered
from byteor.spec.model import Field
from byteor.spec.model import Stage as Spec


@dataclass(frozen=True, slots=True)
class Touched:
    """Fields read and written; `whole`: the record is also used where no one can follow it.

    `places` has the line and the file of each first access, by ("reads" or "writes", field).
    """

    reads: frozenset[str]
    writes: frozenset[str]
    whole: bool
    places: dict[tuple[str, str], tuple[int, str]] = field(default_factory=dict, compare=False)


def touched(function: Any, form: str, arrays: Iterable[str] = ()) -> Touched:
    """Follow the first argument of a stage's function; `arrays` names the fields that hold several values."""
    plain = getattr(function, "py_func", function)
    trail = follow.Trail(frozenset(arrays))
    names = arguments(plain)
    given = {name: frozenset({MASK}) for name in names[1:] if name == "live"}
    trail.follow(plain, {names[0]: frozenset({RECORD if form == "message" else BATCH}), **given})
    places = {("reads", n): p for n, p in trail.reads.items()} | {("writes", n): p for n, p in trail.writes.items()}
    return Touched(frozenset(trail.reads), frozenset(trail.writes), trail.whole, places)


def proposed(
    code: Stage, form: str, fields: Iterable[Field] = ()
) -> tuple[tuple[str, ...] | None, tuple[str, ...] | None]:
    """The `reads` and `writes` to declare for a stage, sorted; None (every field) where the code does not tell."""
    found = touched(code.function, form, _arrays(fields))
    return (None, None) if found.whole else (tuple(sorted(found.reads)), tuple(sorted(found.writes)))


def judge(spec: Spec, code: Stage, path: str, fields: Iterable[Field]) -> list[Diagnostic]:
    """Find the fields that a stage's code touches and its declaration leaves out."""
    fields = tuple(fields)
    known = {f.name for f in fields}
    declared = {way: getattr(spec, way) for way in ("reads", "writes") if getattr(spec, way) is not None}
    if not declared:
        return []
    facts = _facts(code.function, spec.form, _arrays(fields))
    missing = {way: sorted(known & set(facts[way]) - set(names)) for way, names in declared.items()}
    if not any(missing.values()):
        return []
    places = touched(code.function, spec.form, _arrays(fields)).places  # lines are not remembered: they move
    return [
        _undeclared(spec, path, way, name, places.get((way, name))) for way, names in missing.items() for name in names
    ]


def _arrays(fields: Iterable[Field]) -> tuple[str, ...]:
    return tuple(f.name for f in fields if f.count > 1)


def _facts(function: Any, form: str, arrays: tuple[str, ...]) -> dict[str, Any]:
    plain = getattr(function, "py_func", function)

    def find_out() -> dict[str, Any]:
        found = touched(plain, form, arrays)
        return {"reads": sorted(found.reads), "writes": sorted(found.writes)}

    return remembered(plain, f"touched {form} {arrays} {_edition()}", find_out)


@functools.cache
def _edition() -> str:
    """Digest of the rules of this analysis: other rules may see other fields."""
    files = (Path(__file__), Path(follow.__file__), Path(values.__file__))
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()


def _undeclared(spec: Spec, path: str, way: str, name: str, place: tuple[int, str] | None) -> Diagnostic:
    where = f" (line {place[0]} of {Path(place[1]).name})" if place else ""
    message = f"stage `{spec.name}` {way} `{name}`{where}, which its `{way}` leaves out"
    return x.STAGE_UNDECLARED.at(f"{path}.{way}", message, help=f'add "{name}" to `{way}`')
