"""Inputs that are gone on with: read again from a position, by a successor that trusts nothing it finds.

Rule 1. A position is a number of rows as the source gives them; those before it are passed over batch by batch.
Rule 2. Only what can be read again may be restarted; only what is the same may be gone on with.
Rule 3. A file that grew is the same file. One that was replaced, cut, or written again is another.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from byteor import diag
from byteor.edges import files, findings
from byteor.edges.contract import Source

ON_FAILURE = "on_failure"


def judge_input(name: str, where: str, source: Source, restart: str) -> tuple[diag.Diagnostic, ...]:
    """What speaks against restarting the ingress `name`."""
    if restart != ON_FAILURE or source.rereadable:
        return ()
    message = f"`{where}` cannot be read again, and `{name}` is to be restarted"
    return (findings.NOT_REREADABLE.at(name, message, help=f'set `restart = "never"` for `{name}`, or give it a file'),)


def identity(where: str) -> dict[str, Any]:
    """What a file is known by, to be kept with the plant; nothing for what cannot be read again."""
    if not files.rereadable(where):
        return {}
    facts = os.stat(where)
    return {"size": facts.st_size, "changed_ns": facts.st_mtime_ns, "file": [facts.st_dev, facts.st_ino]}


def changed(name: str, where: str, known: Mapping[str, Any]) -> tuple[diag.Diagnostic, ...]:
    """Whether an input is another one than it was when `identity` looked."""
    if not known:
        return ()
    files.check_input(name, where)
    now = identity(where)
    same = now and (now["size"], now["changed_ns"]) == (known["size"], known["changed_ns"])
    grown = now and now["file"] == known["file"] and now["size"] > known["size"]
    if same or grown:
        return ()
    message = f"`{where}` is not what it was: {_size(now)}, {known['size']} bytes then"
    return (findings.SOURCE_CHANGED.at(name, message),)


def _size(now: Mapping[str, Any]) -> str:
    return f"{now['size']} bytes now" if now else "no file now"


def rows_after(name: str, where: str, source: Source, position: int) -> Iterator[np.ndarray]:
    """The batches behind the first `position` rows; a source that ends before them is refused."""
    yield from source.after(position)
    if source.position < position:
        message = f"`{where}` ends after {source.position} rows, where {position} were taken before"
        raise files.refused(findings.SOURCE_CHANGED, name, where, message)
