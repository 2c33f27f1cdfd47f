"""What a family of measurements gives: rows of figures, goals, and remarks.

Rule 1. Values are plain, so that JSON holds all that tables, pages and pictures are made of.
"""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field

from bench.harness import Series


@dataclass(frozen=True, slots=True)
class Row:
    """One figure: of a case, of a contender, with the range of its rounds."""

    case: str
    contender: str
    unit: str
    median: float
    low: float
    high: float
    cpu_ns: float | None = None  # per message


@dataclass(frozen=True, slots=True)
class Goal:
    """One goal and what was measured. `reason`: why a goal was missed, or not measured."""

    id: str
    goal: str
    measured: float | None
    range: tuple[float, float] | None
    met: bool | None
    reason: str = ""


@dataclass(slots=True)
class Family:
    """What one family measured."""

    name: str
    title: str
    method: str
    rows: list[Row] = field(default_factory=list)
    goals: list[Goal] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)

    def rate(self, case: str, series: Series, scale: float = 1e6, unit: str = "M/s") -> None:
        """Add a rate, with the CPU that a message took."""
        values = [rate / scale for rate in series.rates]
        cpu = statistics.median(series.cpu_ns)
        self.rows.append(Row(case, series.name, unit, statistics.median(values), min(values), max(values), cpu))

    def value(self, case: str, contender: str, unit: str, values: Sequence[float]) -> None:
        """Add a figure of which several were taken."""
        self.rows.append(Row(case, contender, unit, statistics.median(values), min(values), max(values)))

    def at_least(self, id: str, bound: float, values: Sequence[float], reason: str = "", unit: str = "×") -> None:
        """Add a goal that is met from `bound` on."""
        middle = statistics.median(values)
        self._goal(id, f"≥ {bound:g}{unit}", middle, values, middle >= bound, reason)

    def at_most(self, id: str, bound: float, values: Sequence[float], reason: str = "", unit: str = "×") -> None:
        """Add a goal that is met up to `bound`."""
        middle = statistics.median(values)
        self._goal(id, f"≤ {bound:g}{unit}", middle, values, middle <= bound, reason)

    def _goal(self, id: str, text: str, middle: float, values: Sequence[float], met: bool, reason: str) -> None:
        span = (round(min(values), 4), round(max(values), 4))
        self.goals.append(Goal(id, text, round(middle, 4), span, met, "" if met else reason))

    def unmeasured(self, id: str, goal: str, reason: str) -> None:
        """Add a goal that could not be measured here."""
        self.goals.append(Goal(id, goal, None, None, None, reason))
