"""From whatever a user has (a path, a document's text, a plan, a spec) to a valid spec.

Rule 1. Fail closed: any error, and any key that is not known, refuses the document.
Rule 2. All findings of the layer that refuses are told at once.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from byteor.diag import Diagnostic, Refused, Source, errors
from byteor.lower import lower
from byteor.lower.examine import form_of
from byteor.plan.document import read
from byteor.plan.model import Plan
from byteor.spec.kv import decode, decode_json
from byteor.spec.placement import Placement
from byteor.spec.rules import validate


@dataclass(frozen=True, slots=True)
class Loaded:
    """A valid spec, the folder in which its stages are looked for, and the text that it came from.

    `placement` says where the roles of a lane graph run; only a plan has one.
    """

    spec: Any
    folder: Path | None
    source: Source | None = None
    placement: Placement | None = None


def load(what: Any, folder: Path | None = None) -> Loaded:
    """Read, check and lower; raises `Refused` with the findings."""
    if isinstance(what, Plan):
        return _from_plan(what, folder, None)
    if isinstance(what, os.PathLike) or (isinstance(what, str) and "\n" not in what):
        path = Path(what)
        return _from_text(path.read_bytes(), str(path), folder or path.resolve().parent)
    if isinstance(what, str | bytes):
        return _from_text(what, "document", folder)
    return _checked(what, folder, None)


def _from_text(text: str | bytes, name: str, folder: Path | None) -> Loaded:
    form = form_of(text)
    if form != "plan":
        decoded = decode(text, name) if form == "kv" else decode_json(text, name)
        _refuse(decoded.findings, decoded.source, warnings_too=True)
        return _checked(decoded.spec, folder, decoded.source)
    found = read(text, name)
    _refuse(found.findings, found.source, warnings_too=True)
    return _from_plan(found.plan, folder, found.source)


def _from_plan(plan: Any, folder: Path | None, source: Source | None) -> Loaded:
    lowered = lower(plan)
    _refuse(lowered.plan_findings, source)
    _refuse(lowered.findings, source)
    return replace(_checked(lowered.spec, folder, source), placement=lowered.placement)


def _checked(spec: Any, folder: Path | None, source: Source | None) -> Loaded:
    _refuse(validate(spec), source)
    return Loaded(spec, folder, source)


def _refuse(findings: Iterable[Diagnostic], source: Source | None, warnings_too: bool = False) -> None:
    found = tuple(findings)
    if found if warnings_too else errors(found):
        raise Refused(found, source)
