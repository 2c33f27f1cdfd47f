"""What commands print: findings, JSON, and how a command ends.

Rule 1. With `--json`, stdout holds exactly one JSON object, whatever happens; without it, findings go to stderr.
Rule 2. Statuses: 0 done, 1 failed, 2 findings, 3 complete with skipped or dropped rows, 130 and 143 drained.
"""

from __future__ import annotations

import contextlib
import json
import sys
from collections.abc import Iterable, Iterator
from typing import Annotated, Any

import typer

from byteor import diag

DONE, FAILED, FOUND, LOSSY, INTERRUPTED, TERMINATED = 0, 1, 2, 3, 130, 143

Json = Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout.")]


def put_json(value: dict[str, Any], stream: Any = None) -> None:
    """Print one JSON object."""
    print(json.dumps(value, indent=2), file=stream or sys.stdout, flush=True)


def put_findings(findings: Iterable[diag.Diagnostic], source: diag.Source | None) -> None:
    """Render findings on stderr."""
    print(diag.render(findings, source), end="", file=sys.stderr, flush=True)


def as_data(findings: Iterable[diag.Diagnostic], source: diag.Source | None) -> list[dict[str, object]]:
    """Findings as plain data."""
    return [diag.as_dict(d, source) for d in findings]


def refuse(findings: Iterable[diag.Diagnostic], source: diag.Source | None, as_json: bool) -> typer.Exit:
    """Show why the command does not do what was asked; raise what this gives."""
    found = tuple(findings)
    if as_json:
        put_json({"status": "refused", "findings": as_data(found, source)})
    else:
        put_findings(found, source)
    return typer.Exit(FOUND)


def fail(message: str, as_json: bool) -> typer.Exit:
    """Show what the outside world refused; raise what this gives."""
    if as_json:
        put_json({"status": "failed", "error": message})
    else:
        print(f"error: {message}", file=sys.stderr, flush=True)
    return typer.Exit(FAILED)


def reason(error: BaseException) -> str:
    """An error of the outside world in one line, with its notes."""
    said = str(error) or type(error).__name__
    return ", ".join([said, *getattr(error, "__notes__", [])])


class Failed(Exception):
    """A command came to a failure that is not its caller's input; the message says all."""


@contextlib.contextmanager
def told(as_json: bool) -> Iterator[None]:
    """Show refusals, failures and errors of the outside world, and end with their status."""
    try:
        yield
    except diag.Refused as e:
        raise refuse(e.diagnostics, e.source, as_json) from e
    except BrokenPipeError:
        raise
    except (Failed, OSError) as e:
        raise fail(reason(e), as_json) from e
