"""The shapes of all answers: declared once, checked here by the type checker, and printed for TypeScript.

Rule 1. An answer holds JSON alone; what may be absent is null.
Rule 2. A question that is refused is answered with `Refused`, whatever its own answer would be.
"""

from __future__ import annotations

from typing import Any, Literal, TypedDict


class Related(TypedDict):
    """Another place that a finding speaks of."""

    path: str
    label: str


class Finding(TypedDict):
    """One finding; `path` is a key of the document, `line` counts from 1."""

    path: str
    code: str
    message: str
    related: list[Related]
    help: str
    name: str
    severity: Literal["error", "warning"]
    line: int | None


class Refused(TypedDict):
    """Why a question is not answered."""

    status: Literal["refused"]
    findings: list[Finding]


class Checked(TypedDict):
    """What was found in a document, and the hash of its spec where it has no errors."""

    status: Literal["ok", "refused"]
    form: Literal["plan", "kv", "json"]
    spec_sha256: str | None
    findings: list[Finding]
    proposals: list[str]


class Note(TypedDict):
    """One decision of lowering: the spec's key, and why it stands there."""

    path: str
    message: str


class Explained(TypedDict):
    """What lowering decided."""

    notes: list[Note]


class Converted(TypedDict):
    """A spec as a document of the form asked for."""

    status: Literal["done"]
    form: Literal["kv", "json"]
    spec_sha256: str
    text: str


class Described(TypedDict):
    """A spec in words."""

    spec_sha256: str
    text: str


class Hashed(TypedDict):
    """The SHA-256 of the spec's canonical bytes."""

    spec_sha256: str


class Change(TypedDict):
    """One difference; `path` is a key of the new spec, for what was removed of the old one."""

    what: Literal["added", "removed", "changed", "moved"]
    subject: str
    path: str
    old: str | None
    new: str | None


class Compared(TypedDict):
    """What differs between two specs, by their hashes."""

    status: Literal["equal", "different"]
    old: str
    new: str
    changes: list[Change]
    text: str


class Drawn(TypedDict):
    """A drawing; `lines` gives the first and the last line of each of its parts, by the part's key."""

    format: Literal["text", "svg", "mermaid", "dot"]
    text: str
    lines: dict[str, list[int]]


class Page(TypedDict):
    """What a code means."""

    code: str
    name: str
    severity: Literal["error", "warning"]
    doc: str


class Pages(TypedDict):
    """What all codes mean."""

    codes: list[Page]


class Structs(TypedDict):
    """The C structs of a spec's types."""

    format: Literal["c"]
    text: str


class Version(TypedDict):
    """The version of byteor."""

    byteor: str


Tree = dict[str, Any]  # a document: a spec, or a schema

SHAPES: tuple[type, ...] = (
    Related,
    Finding,
    Refused,
    Checked,
    Note,
    Explained,
    Converted,
    Described,
    Hashed,
    Change,
    Compared,
    Drawn,
    Page,
    Pages,
    Structs,
    Version,
)
