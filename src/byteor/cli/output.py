"""What commands print: findings, JSON, and how a command ends.

Rule 1. With `--json`, stdout holds exactly one JSON object, whatever happens; without it, findings go to stderr.
Rule 2. Statuses: 0 done, 1 failed, 2 findings, 3 complete with skipped or dropped rows, 4 a plant or role that another
    one holds, 5 a plant whose regions are lost, 130 and 143 drained.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any

import typer

from byteor import answers, diag
from byteor.plant.findings import REFUSED, status_of

DONE, FAILED, FOUND, LOSSY, INTERRUPTED, TERMINATED = 0, 1, REFUSED, 3, 130, 143

as_data = answers.as_data
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout.")]


def put_json(value: Mapping[str, Any], stream: Any = None) -> None:
    """Print one JSON object."""
    print(answers.text(value), end="", file=stream or sys.stdout, flush=True)


def put(answer: Mapping[str, Any], key: str, as_json: bool) -> None:
    """Print an answer as JSON, else the text that it has under `key`."""
    if as_json:
        put_json(answer)
    else:
        print(answer[key], end="")


def put_findings(findings: Iterable[diag.Diagnostic], source: diag.Source | None) -> None:
    """Render findings on stderr."""
    print(diag.render(findings, source), end="", file=sys.stderr, flush=True)


def refuse(findings: Iterable[diag.Diagnostic], source: diag.Source | None, as_json: bool) -> typer.Exit:
    """Show why the command does not do what was asked; raise what this gives."""
    found = tuple(findings)
    if as_json:
        put_json(answers.refused(found, source))
    else:
        put_findings(found, source)
    return typer.Exit(status_of(found))


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


@dataclass(frozen=True, slots=True)
class Look:
    """How a plant stands, for people and as data."""

    text: str
    data: dict[str, Any]
