"""Documents of the command line: a path or stdin, and edits of the spec.

Rule 1. `-` is stdin; stages are then looked for in the folder of the command.
Rule 2. A `--set` is an edit of the spec's kv text: it is read and judged as if it had stood there.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from byteor import diag
from byteor.edges import files
from byteor.exec import findings as x
from byteor.lower import examine as documents
from byteor.lower.examine import Examined
from byteor.place import document as placement_documents
from byteor.place import examine as placements
from byteor.place.cut import Cut, Subject
from byteor.place.examine import Placed
from byteor.place.model import Hosts
from byteor.spec import kv
from byteor.spec.rules import validate

STDIN = "<stdin>"


def text_of(where: str) -> bytes:
    """The bytes of a document; `-` is stdin."""
    if where == files.STREAM:
        return sys.stdin.buffer.read()
    files.check_input("document", where)
    return Path(where).read_bytes()


def examine(where: str) -> Examined:
    """Read a document and judge it whole."""
    return documents.examine(text_of(where), STDIN if where == files.STREAM else where)


def placed(where: str, seen: Examined) -> Placed:
    """Read a placement of a document and judge it whole."""
    return placements.examine(text_of(where), where, seen)


@dataclass(frozen=True, slots=True)
class PlacedPlant:
    """A placement with the plant that it places, both without errors."""

    seen: Examined
    hosts: Hosts
    subject: Subject
    cut: Cut
    source: diag.Source


def placed_plant(where: str) -> PlacedPlant:
    """Read a placement and the plan that it names; raise with all that is wrong with either."""
    text = text_of(where)
    read = placement_documents.read(text, where)
    if read.hosts is None:
        raise diag.Refused(read.findings, read.source)
    seen = examine(str(Path(where).absolute().parent / read.hosts.plan))
    seen.usable()
    return PlacedPlant(seen, *placements.examine(text, where, seen).usable(), read.source)


def folder_of(seen: Examined) -> Path:
    """Where a document's stages are looked for."""
    return Path.cwd() if seen.source.name == STDIN else Path(seen.source.name).resolve().parent


def edited(spec: Any, settings: Iterable[str], name: str) -> Any:
    """Give the spec with `KEY=VALUE` edits made; raise with what is found."""
    text = kv.encode(spec)
    for setting in settings:
        key, sign, value = setting.partition("=")
        if not sign:
            message = f"`{setting}` has no `=`"
            raise diag.Refused([x.RUN_OPTION.at("set", message, help="write `--set key=value`, a key of the kv form")])
        text = _with(text, key, value)
    read = kv.decode(text, f"{name} with --set")
    found = read.findings if read.spec is None else diag.in_order((*read.findings, *validate(read.spec)))
    if found:
        raise diag.Refused(found, read.source)
    return read.spec


def _with(text: str, key: str, value: str) -> str:
    lines = text.splitlines()
    at = next((i for i, line in enumerate(lines) if line.partition("=")[0] == key), len(lines))
    lines[at : at + 1] = [f"{key}={value}"]
    return "\n".join([*lines, ""])
