"""Findings are values: one `Diagnostic` each, with a code, a place and a help.

Rule 1. Every code is declared once, as a `Rule`, in the table of the layer that its letter names.
Rule 2. A finding says what is (lower case, no full stop); only `help` says what to do.
Rule 3. All findings at once, in canonical order; nothing here raises for bad input.
Rule 4. Nothing here depends on the Python version: the same input gives the same bytes everywhere.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field

LAYERS = {
    "A": "ABI",
    "E": "edges and data",
    "F": "fabrics and links",
    "K": "kv text",
    "L": "lowering",
    "P": "plan",
    "S": "spec",
    "T": "transport",
    "W": "web boundary",
    "X": "bring-up and running",
}


@dataclass(frozen=True, slots=True)
class Rule:
    """One code: its name in words, and the page that `byteor explain` prints."""

    code: str
    name: str
    doc: str
    severity: str = "error"

    def at(
        self,
        path: str,
        message: str,
        related: Iterable[tuple[str, str]] = (),
        help: str = "",
    ) -> Diagnostic:
        """Make this rule's finding at `path`, which is a key of the document."""
        return Diagnostic(path, self.code, message, tuple(related), help)


RULES: dict[str, Rule] = {}


def rule(code: str, name: str, doc: str, severity: str = "error") -> Rule:
    """Declare a code; its number is never reused."""
    if code in RULES or code[0] not in LAYERS:
        raise AssertionError(f"code {code} is taken or of no layer")
    RULES[code] = Rule(code, name, doc, severity)
    return RULES[code]


def _natural(path: str) -> tuple[tuple[int, int, str], ...]:
    return tuple((0, int(p), "") if p.isdecimal() else (1, 0, p) for p in re.split(r"\.", path))


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One finding: `path` is the key in the document that it speaks of ("" is the whole)."""

    path: str
    code: str
    message: str
    related: tuple[tuple[str, str], ...] = ()
    help: str = ""

    @property
    def rule(self) -> Rule:
        return RULES[self.code]

    @property
    def is_error(self) -> bool:
        return self.rule.severity == "error"


def in_order(findings: Iterable[Diagnostic]) -> tuple[Diagnostic, ...]:
    """The canonical order: by place (numbers as numbers), then by code."""
    return tuple(sorted(set(findings), key=lambda d: (_natural(d.path), d.code, d.message)))


def errors(findings: Iterable[Diagnostic]) -> tuple[Diagnostic, ...]:
    """Those findings that refuse the document."""
    return tuple(d for d in findings if d.is_error)


class Refused(Exception):
    """A caller asked to raise, and there were findings; they are all in `diagnostics`."""

    def __init__(self, diagnostics: Iterable[Diagnostic], source: Source | None = None) -> None:
        self.diagnostics = tuple(diagnostics)
        self.source = source
        super().__init__(render(self.diagnostics, source))


@dataclass(frozen=True, slots=True)
class Source:
    """The text that the findings speak of: `lines` maps a key to its line, counted from 1."""

    name: str
    text: str = ""
    lines: Mapping[str, int] = field(default_factory=dict)

    def line_of(self, path: str) -> int | None:
        """The line of `path`, else of its nearest enclosing key."""
        while path:
            if path in self.lines:
                return self.lines[path]
            path = path.rpartition(".")[0]
        return None


def render(findings: Iterable[Diagnostic], source: Source | None = None) -> str:
    """Findings for people: code, sentence, place, source line with carets, help."""
    found = tuple(findings)
    blocks = [_block(d, source) for d in found]
    wrong = len(errors(found))
    counts = [_count(wrong, "error"), _count(len(found) - wrong, "warning")]
    tail = ", ".join(c for c in counts if c)
    if found:
        tail += f"; `byteor explain {found[0].code}` says more"
    return "\n\n".join([*blocks, tail]) + "\n" if found else ""


def _count(n: int, word: str) -> str:
    return f"{n} {word}{'s' * (n != 1)}" if n else ""


def _block(d: Diagnostic, source: Source | None) -> str:
    out = [f"{d.rule.severity}[{d.code}] {d.rule.name}: {d.message}"]
    spots = [(source.line_of(d.path) if source else None, d.path, "^", "")]
    spots += [(source.line_of(p) if source else None, p, "-", label) for p, label in d.related]
    width = max((len(str(line)) for line, *_ in spots if line), default=1)
    first = spots[0][0]
    if source:
        where = f":{first}" if first else ""
        out.append(f"{' ' * width}--> {source.name}{where}" + (f" ({d.path})" if not first and d.path else ""))
    elif d.path:
        out.append(f"{' ' * width}at {d.path}")
    out += [row for spot in spots for row in _spot(spot, source, width)]
    if d.help:
        out.append(f"{' ' * width} = help: {d.help}")
    return "\n".join(out)


def _spot(spot: tuple[int | None, str, str, str], source: Source | None, width: int) -> list[str]:
    line, path, mark, label = spot
    if source is None or line is None:
        return [f"{' ' * width} = note: {path}: {label}"] if label else []
    rows = source.text.splitlines()
    text = rows[line - 1].replace("\t", " ") if line <= len(rows) else ""
    if len(text) > 120:
        text = text[:117] + "..."
    value = re.match(r"[^=]*=\s*", text)
    start = value.end() if value and value.end() < len(text) else len(text) - len(text.lstrip())
    carets = " " * start + mark * max(1, len(text.rstrip()) - start)
    return [f"{line:>{width}} | {text}", f"{' ' * width} | {carets} {label}".rstrip()]


def to_json(findings: Iterable[Diagnostic], source: Source | None = None) -> str:
    """Findings for programs: a JSON list, one object each, the same fields as the value."""
    return json.dumps([as_dict(d, source) for d in findings], indent=2)


def as_dict(d: Diagnostic, source: Source | None = None) -> dict[str, object]:
    """One finding as plain data, with its name, severity and, where known, its line."""
    line = source.line_of(d.path) if source else None
    related = [{"path": p, "label": label} for p, label in d.related]
    extra = {"name": d.rule.name, "severity": d.rule.severity, "line": line, "related": related}
    return {**asdict(d), **extra}
