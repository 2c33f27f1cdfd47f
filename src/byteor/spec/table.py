"""How a rule of the spec is stated: a generator of hits, whose docstring is the page of its code.

Rule 1. A rule looks at one thing, and says it once per place.
Rule 2. A rule that needs resolved names passes over unresolved ones: another rule has named them.
Rule 3. Paths are relative to the shape; the table puts the shape's prefix before them.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from byteor.diag import Diagnostic, Rule, rule


@dataclass(frozen=True, slots=True)
class Hit:
    """One place where a rule does not hold."""

    path: str
    message: str
    help: str = ""
    related: tuple[tuple[str, str], ...] = ()


Hits = Iterator[Hit]


@dataclass(frozen=True, slots=True)
class Entry:
    """One row of the table: the rule, the shapes it judges, and how."""

    rule: Rule
    shapes: tuple[type, ...]
    check: Callable[[Any], Hits]

    def run(self, value: Any, prefix: str) -> Iterator[Diagnostic]:
        for hit in self.check(value):
            related = [(prefix + path, label) for path, label in hit.related]
            yield self.rule.at(prefix + hit.path, hit.message, related, hit.help)


def states(
    table: list[Entry], code: str, name: str, *shapes: type, severity: str = "error"
) -> Callable[[Callable[[Any], Hits]], Callable[[Any], Hits]]:
    """Put the decorated check into `table`, under `code`."""

    def keep(check: Callable[[Any], Hits]) -> Callable[[Any], Hits]:
        page = inspect.cleandoc(check.__doc__ or "")
        table.append(Entry(rule(code, name, page, severity), shapes, check))
        return check

    return keep
