"""Documents of any kind, recognised by content: TOML plan, JSON plan or spec, kv spec.

Rule 1. Findings of the plan and of its lowering stay apart; nothing is raised for what a document says.
Rule 2. A document is its text and a name: nothing is read here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from byteor import diag
from byteor.lower import lower
from byteor.lower.keys import plan_key
from byteor.lower.model import Note
from byteor.plan import document
from byteor.spec import kv
from byteor.spec.placement import Placement
from byteor.spec.rules import validate

SPEC_KEYS = ("single_ring.", "lane_graph.")


@dataclass(frozen=True, slots=True)
class Examined:
    """A document, what it says, and all that was found; `spec` is None where it cannot be had."""

    form: str  # plan | kv | json
    plan: Any
    spec: Any
    findings: tuple[diag.Diagnostic, ...]
    lowering: tuple[diag.Diagnostic, ...]
    source: diag.Source
    notes: tuple[Note, ...] = ()
    keys: Mapping[str, str] = field(default_factory=dict)
    placement: Placement | None = None
    parts: Mapping[str, str] = field(default_factory=dict)

    @property
    def all(self) -> tuple[diag.Diagnostic, ...]:
        return (*self.findings, *self.lowering)

    def usable(self) -> Any:
        """Give the spec; raise with all findings when there is any: running and converting are strict."""
        if self.all or self.spec is None:
            raise diag.Refused(self.all, self.source)
        return self.spec

    def lowered(self) -> Any:
        """Give the spec, whatever warnings there are; raise with all findings when there is none."""
        if self.spec is None:
            raise diag.Refused(self.all, self.source)
        return self.spec

    def key(self, path: str) -> str:
        """The key of this document that a key of its spec speaks of."""
        is_other = self.plan is not None and path.startswith(SPEC_KEYS)
        return plan_key(path, self.plan, self.keys) if is_other else path

    def placed(self, refused: diag.Refused) -> diag.Refused:
        """Give a refusal that speaks of the spec the words and lines of this document."""
        if refused.source is not None:
            return refused
        return diag.Refused([replace(d, path=self.key(d.path)) for d in refused.diagnostics], self.source)


def form_of(text: str | bytes) -> str:
    """What a document is by its first words: kv | json (a spec) | plan (TOML or JSON)."""
    head = text[:4096] if isinstance(text, str) else text[:4096].decode("utf-8", "replace")
    lines = [line for line in head.splitlines() if line.strip() and not line.startswith("#")]
    if lines and lines[0].startswith("byteor.kv="):
        return "kv"
    return "json" if head.lstrip().startswith("{") and '"byteor"' in head else "plan"


def examine(text: str | bytes, name: str) -> Examined:
    """Judge a document whole."""
    form = form_of(text)
    if form == "plan":
        return _plan(text, name)
    read = kv.decode(text, name) if form == "kv" else kv.decode_json(text, name)
    found = read.findings if read.spec is None else diag.in_order((*read.findings, *validate(read.spec)))
    return Examined(form, None, None if diag.errors(found) else read.spec, found, (), read.source)


def _plan(text: str | bytes, name: str) -> Examined:
    read = document.read(text, name)
    if read.plan is None:
        return Examined("plan", None, None, read.findings, (), read.source)
    lowered = lower(read.plan)
    found = diag.in_order((*read.findings, *lowered.plan_findings))
    spec = None if diag.errors((*found, *lowered.findings)) else lowered.spec
    rest = (lowered.notes, lowered.keys, lowered.placement, lowered.parts)
    return Examined("plan", read.plan, spec, found, lowered.findings, read.source, *rest)
