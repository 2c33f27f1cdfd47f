"""What is asked of documents, answered as plain data: one answer for the command's `--json`, a program and a page.

Rule 1. An answer is made here, once; whoever asked prints it, so that none of them can disagree.
Rule 2. Standard library only, and nothing is read or written: a document has been examined before it comes here.
Rule 3. A question that cannot be answered raises `Refused` with every finding; `refused` is the answer then.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from typing import Any, cast

import byteor
from byteor import diag
from byteor.answers import tables as tables  # `explain` knows every code
from byteor.answers.shapes import (
    Checked,
    Compared,
    Converted,
    Described,
    Drawn,
    Explained,
    Finding,
    Hashed,
    Note,
    Page,
    Pages,
    Refused,
    Structs,
    Tree,
    Version,
)
from byteor.edges import findings as e
from byteor.exec import findings as x
from byteor.lower.examine import Examined
from byteor.lower.model import Note as Decided
from byteor.place.cut import notes_of
from byteor.place.document import place_sha256
from byteor.place.examine import Placed
from byteor.plan.page import near_codes
from byteor.spec import kv
from byteor.spec.codec import near
from byteor.spec.describe import describe as described
from byteor.spec.rules import validate
from byteor.views import diff as differences
from byteor.views import texts
from byteor.views.graph import Graph, graph_of
from byteor.views.header import header
from byteor.views.schema import place_schema, plan_schema
from byteor.views.svg import svg

FORMS = ("kv", "json")
PROFILES = ("v1",)
DRAWINGS: dict[str, Callable[[Graph, bool], str]] = {
    "text": lambda graph, down: texts.text(graph),
    "svg": svg,
    "mermaid": texts.mermaid,
    "dot": texts.dot,
}


def text(answer: Any) -> str:
    """An answer as the text that is printed."""
    return json.dumps(answer, indent=2) + "\n"


def as_data(findings: Iterable[diag.Diagnostic], source: diag.Source | None) -> list[Finding]:
    """Findings as plain data."""
    return [cast(Finding, diag.as_dict(d, source)) for d in findings]


def refused(findings: Iterable[diag.Diagnostic], source: diag.Source | None) -> Refused:
    """Why a question is not answered."""
    return {"status": "refused", "findings": as_data(findings, source)}


def check(
    seen: Examined,
    profile: str = "",
    strict: bool = False,
    more: Sequence[diag.Diagnostic] = (),
    proposals: Sequence[str] = (),
) -> Checked:
    """What was found in a document, with what the profile finds, and `more` that the caller found."""
    found = found_in(seen, profile, more)
    bad = bool(found if strict else diag.errors(found))
    sha = kv.spec_sha256(seen.spec) if seen.spec is not None and not bad else None
    return {
        "status": "refused" if bad else "ok",
        "form": cast(Any, seen.form),
        "spec_sha256": sha,
        "findings": as_data(found, seen.source),
        "proposals": list(proposals),
    }


def found_in(seen: Examined, profile: str = "", more: Sequence[diag.Diagnostic] = ()) -> tuple[diag.Diagnostic, ...]:
    """All findings of a document, those of its profile included."""
    if profile and profile not in PROFILES:
        raise diag.Refused([x.RUN_OPTION.at("profile", f"there is no profile `{profile}`", help="use v1")])
    if not profile or seen.spec is None:
        return (*seen.all, *more)
    known = validate(seen.spec)
    beyond = [d for d in validate(seen.spec, profile) if d not in known]
    return (*seen.all, *seen.placed(diag.Refused(beyond)).diagnostics, *more)


def placed(place: Placed, strict: bool = False) -> Tree:
    """What was found in a placement, and its hash where it has no errors."""
    bad = bool(place.findings if strict else diag.errors(place.findings)) or place.subject is None
    sha = place_sha256(place.hosts) if place.hosts is not None and not bad else None
    found = as_data(place.findings, place.source)
    return {"status": "refused" if bad else "ok", "place_sha256": sha, "findings": found}


def lower(seen: Examined) -> Tree:
    """The spec as a tree."""
    return kv.encode_data(seen.lowered())


def explained(seen: Examined, place: Placed | None = None) -> Explained:
    """What lowering decided, with the reasons; with a placement, why lanes cross as well."""
    seen.lowered()
    return {"notes": [Note(path=note.path, message=note.message) for note in decided(seen, place)]}


def decided(seen: Examined, place: Placed | None = None) -> tuple[Decided, ...]:
    """The decisions of lowering, and those that a placement brings."""
    return seen.notes if place is None else (*seen.notes, *notes_of(place.usable()[1]))


def describe(seen: Examined) -> Described:
    """What a spec lays out and runs, in words."""
    spec = seen.lowered()
    return {"spec_sha256": kv.spec_sha256(spec), "text": described(spec)}


def hash_(seen: Examined) -> Hashed:
    """The SHA-256 of the spec's canonical bytes."""
    return {"spec_sha256": kv.spec_sha256(seen.lowered())}


def convert(seen: Examined, form: str = "kv") -> Converted:
    """A spec in another form; like running, it takes no document with findings."""
    if form not in FORMS:
        raise diag.Refused([e.UNKNOWN_FORMAT.at("to", f"`{form}` is no form of a spec", help="use kv or json")])
    spec = seen.usable()
    written = kv.encode(spec) if form == "kv" else json.dumps(kv.encode_data(spec), indent=2) + "\n"
    sha = kv.spec_sha256(spec)
    return {"status": "done", "form": cast(Any, form), "spec_sha256": sha, "text": written}


def diff(one: Examined, two: Examined) -> Compared:
    """What differs between two specs."""
    old, new = one.lowered(), two.lowered()
    changes = differences.diff(old, new)
    return {
        "status": "different" if changes else "equal",
        "old": kv.spec_sha256(old),
        "new": kv.spec_sha256(new),
        "changes": cast(Any, differences.as_data(changes)),
        "text": differences.as_text(changes),
    }


def graph(seen: Examined, form: str = "text", top_down: bool = False, as_plan: bool = False) -> Drawn:
    """A drawing, and the first and the last line of each of its parts in the document."""
    if form not in DRAWINGS:
        help = near(form, DRAWINGS) or f"use {', '.join(DRAWINGS)}"
        raise diag.Refused([e.UNKNOWN_FORMAT.at("format", f"`{form}` is no form of a drawing", help=help)])
    drawn = graph_of(_plan_of(seen) if as_plan else seen.lowered())
    return {"format": cast(Any, form), "text": DRAWINGS[form](drawn, top_down), "lines": _lines(seen, drawn)}


def _plan_of(seen: Examined) -> Any:
    """The plan as it was written; it may be drawn although it does not lower."""
    if seen.plan is not None:
        return seen.plan
    found = seen.all or (e.UNKNOWN_FORMAT.at("plan", "the document is a spec", help="draw it without `--plan`"),)
    raise diag.Refused(found, seen.source)


def _lines(seen: Examined, drawn: Graph) -> dict[str, list[int]]:
    """Where the parts of a drawing stand in the document, as far as that is known."""
    paths = [*(node.path for node in drawn.nodes), *(edge.path for edge in drawn.edges if edge.path)]
    keys = {path: seen.key(path) for path in paths}
    last = _last_lines(seen.source.lines, set(keys.values()))
    first = {path: seen.source.line_of(key) for path, key in keys.items()}
    return {path: [line, max(line, last.get(keys[path], line))] for path, line in first.items() if line is not None}


def _last_lines(lines: Any, wanted: set[str]) -> dict[str, int]:
    """The last line of each wanted key and of all that stands below it."""
    last: dict[str, int] = {}
    for key, line in lines.items():
        while key:
            if key in wanted:
                last[key] = max(last.get(key, 0), line)
            key = key.rpartition(".")[0]
    return last


def explain(code: str) -> Page:
    """The page of a code or of a rule's name."""
    wanted = code.strip()
    for rule in diag.RULES.values():
        if wanted.upper() == rule.code or wanted.lower() == rule.name:
            return _row(rule)
    near = ", ".join(near_codes(code))
    help = f"did you mean {near}?" if near else "`byteor explain` lists all codes"
    raise diag.Refused([x.RUN_OPTION.at("code", f"there is no code `{code}`", help=help)])


def codes() -> Pages:
    """The pages of all codes."""
    return {"codes": [_row(rule) for _, rule in sorted(diag.RULES.items())]}


def _row(rule: diag.Rule) -> Page:
    return {"code": rule.code, "name": rule.name, "severity": cast(Any, rule.severity), "doc": rule.doc.strip()}


def schema(of_place: bool = False) -> Tree:
    """The JSON Schema of plans, or of placements."""
    return place_schema() if of_place else plan_schema()


def structs(seen: Examined) -> Structs:
    """The C structs of a spec's types."""
    return {"format": "c", "text": header(seen.lowered())}


def version() -> Version:
    """The version of byteor."""
    return {"byteor": byteor.__version__}
