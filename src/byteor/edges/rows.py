"""Rows that do not fit: gathered per batch, then refused all together or left out and counted.

Rule 1. Every bad row of a batch is found before anything is decided.
Rule 2. `fail` raises with at most `SHOWN` findings and a count; `skip` counts, and hands the row on as it was.
Rule 3. A skipped row goes to the rejects once, with all its reasons.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from byteor import diag
from byteor.edges import findings
from byteor.edges.contract import Rejects

SHOWN = 20
SKIP_HELP = 'mend the input, or set `bad = "skip"` on the ingress and keep such rows with `--rejects FILE`'


@dataclass(frozen=True, slots=True)
class Bad:
    """One value or row that does not fit: `row` counts from 0 in its batch, `column` "" is the whole row."""

    row: int
    column: str
    rule: diag.Rule
    why: str


def short(value: object) -> str:
    """Quote a value for a message, cut to what a line can hold."""
    if isinstance(value, bytes):
        value = value.decode(errors="backslashreplace")
    text = value if isinstance(value, str) else repr(value)
    return f"`{text if len(text) <= 40 else text[:37] + '...'}`".replace("\n", "\\n").replace("\r", "\\r")


def plain(row: bytes) -> str:
    """Give a row's bytes as text, without its line end."""
    return row.decode(errors="backslashreplace").rstrip("\r\n")


class Judge:
    """Decide over the bad rows of one ingress by its policy."""

    def __init__(self, name: str, policy: str, where: str, rejects: Rejects | None = None) -> None:
        self.name, self.policy, self.where, self.rejects = name, policy, where, rejects
        self.skipped = 0

    def refuse(self, rule: diag.Rule, message: str, at: str = "", help: str = "") -> diag.Refused:
        """Make the refusal of the input as a whole, or of one of its columns."""
        path = f"{self.name}.{at}" if at else self.name
        return diag.Refused([rule.at(path, message, help=help)], diag.Source(self.where))

    def missing_columns(self, missing: list[str], present: list[str]) -> diag.Refused:
        """Make the refusal that names every missing column at once."""
        listed = ", ".join(f"`{name}`" for name in present[:12]) + (", …" if len(present) > 12 else "")
        help = f"the input has {listed}" if present else "the input has no columns"
        rule = findings.MISSING_COLUMN
        found = [rule.at(f"{self.name}.{name}", f"no column `{name}`", help=help) for name in missing]
        return diag.Refused(diag.in_order(found), diag.Source(self.where))

    def settle(
        self,
        rows: np.ndarray,
        bad: list[Bad],
        line: Callable[[int], int],
        text: Callable[[int], str],
        word: str = "line",
    ) -> np.ndarray:
        """Give the rows that stay, or refuse the batch with all its bad rows."""
        if not bad:
            return rows
        if self.policy != "skip":
            raise diag.Refused(self._findings(bad, line, word), diag.Source(self.where))
        stays = np.ones(len(rows), dtype=bool)
        for row, reasons in sorted(_by_row(bad).items()):
            stays[row] = False
            self.skipped += 1
            if self.rejects is not None:
                self.rejects.write(self.name, line(row), "; ".join(reasons), text(row))
        return rows[stays]

    def _findings(self, bad: list[Bad], line: Callable[[int], int], word: str) -> tuple[diag.Diagnostic, ...]:
        wrong = sorted({b.row for b in bad})
        shown = set(wrong[:SHOWN])
        found = diag.in_order(self._finding(b, line(b.row), word) for b in bad if b.row in shown)
        hidden = len(wrong) - len(shown)
        if not hidden:
            return found
        message = f"{hidden} more bad row{'s' * (hidden > 1)} in the same batch"
        return (*found, findings.MORE_BAD.at(self.name, message, help=SKIP_HELP))

    def _finding(self, b: Bad, number: int, word: str) -> diag.Diagnostic:
        column = f", column `{b.column}`" if b.column else ""
        path = f"{self.name}.{number}" + (f".{b.column}" if b.column else "")
        return b.rule.at(path, f"{word} {number}{column}: {b.why}", help=SKIP_HELP)


def _by_row(bad: list[Bad]) -> dict[int, list[str]]:
    reasons: dict[int, list[str]] = {}
    for b in bad:
        reasons.setdefault(b.row, []).append(f"{b.column}: {b.why}" if b.column else b.why)
    return reasons
