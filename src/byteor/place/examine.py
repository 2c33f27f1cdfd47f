"""A placement held against the document that it places.

Rule 1. Its findings stay apart from those of the plan: each speaks of its own document.
Rule 2. A document is its text and a name: nothing is read here.
"""

from __future__ import annotations

from dataclasses import dataclass

from byteor.diag import Diagnostic, Refused, Source, errors, in_order
from byteor.lower.examine import Examined
from byteor.place import document, findings
from byteor.place.cut import Cut, Subject, cut
from byteor.place.model import Hosts
from byteor.place.rules import validate
from byteor.spec.lane_graph import LaneGraph


@dataclass(frozen=True, slots=True)
class Placed:
    """A placement, what it places, and all that was found; `subject` is None where either cannot be had."""

    hosts: Hosts | None
    subject: Subject | None
    findings: tuple[Diagnostic, ...]
    source: Source

    def usable(self) -> tuple[Hosts, Subject, Cut]:
        """Give the placement and the plant taken apart; raise with all findings where there is an error."""
        if self.hosts is None or self.subject is None or errors(self.findings):
            raise Refused(self.findings, self.source)
        return self.hosts, self.subject, cut(self.subject)


def examine(text: str | bytes, name: str, seen: Examined) -> Placed:
    """Judge a placement of an examined plan or spec."""
    read = document.read(text, name)
    if read.hosts is None or seen.spec is None:
        return Placed(read.hosts, None, read.findings, read.source)
    if not isinstance(seen.spec, LaneGraph):
        found = findings.RING.at("plan", f"`{seen.spec.name}` is one ring", help="place a lane graph")
        return Placed(read.hosts, None, in_order((*read.findings, found)), read.source)
    subject = Subject(read.hosts, seen.spec, seen.parts, seen.placement)
    return Placed(read.hosts, subject, in_order((*read.findings, *validate(subject))), read.source)
