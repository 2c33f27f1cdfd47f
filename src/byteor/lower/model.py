"""What a lowering gives: a spec or findings, the notes that explain it, and where its roles run.

Rule 1. A note is a decision: the spec's key, what stands there, and why.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from byteor.diag import Diagnostic, in_order
from byteor.spec.kv import Spec
from byteor.spec.placement import Placement


@dataclass(frozen=True, slots=True)
class Note:
    """One decision of lowering: the spec's key, what stands there, and why."""

    path: str
    message: str


@dataclass(frozen=True, slots=True)
class Lowered:
    """The spec, or None; the plan's findings, lowering's own, the notes for `explain`, and where roles run.

    `keys` maps keys of a lane graph to those of the plan from which they were made, `parts` its roles to the parts that
    they are, or that made them necessary.
    """

    spec: Spec | None
    plan_findings: tuple[Diagnostic, ...]
    findings: tuple[Diagnostic, ...]
    notes: tuple[Note, ...] = ()
    placement: Placement | None = None
    keys: Mapping[str, str] = field(default_factory=dict)
    parts: Mapping[str, str] = field(default_factory=dict)

    @property
    def all_findings(self) -> tuple[Diagnostic, ...]:
        return in_order((*self.plan_findings, *self.findings))
