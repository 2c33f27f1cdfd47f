"""Placements as TOML and JSON documents, as hostile as plans may be, and the hash of what one says.

Rule 1. What is no shape of a document is found as for plans, with the same codes.
Rule 2. The hash is that of the content: comments, order of keys and spelling of defaults do not count.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Any

from byteor.diag import Diagnostic, Source, errors, in_order
from byteor.place import findings
from byteor.place.model import File, Hosts
from byteor.plan import toml_text
from byteor.plan.document import read_as, tree
from byteor.spec.codec import Form, to_data

VERSION = 1
NAME = "place.toml"


def _path(value: Any) -> dict[str, Any] | None:
    return {"path": value} if isinstance(value, str) else None


FORM = Form(
    named=frozenset({(Hosts, "input"), (Hosts, "output")}),
    short={File: _path},
    shrink={File: lambda row: row["path"]},
    lone=True,
)


@dataclass(frozen=True, slots=True)
class Read:
    """What a document says: a placement where it could be read, and every finding."""

    hosts: Hosts | None
    findings: tuple[Diagnostic, ...]
    source: Source


def read(document: str | bytes, name: str = NAME) -> Read:
    """Read a placement."""
    found = tree(document, name)
    if found.data is None:
        return Read(None, found.findings, found.source)
    hosts, more = from_data(found.data)
    every = in_order((*found.findings, *more))
    return Read(None if errors(every) else hosts, every, found.source)


def from_data(data: dict[str, Any]) -> tuple[Hosts | None, list[Diagnostic]]:
    """Read plain data as a placement."""
    return read_as(Hosts, FORM, data, ("place", VERSION), findings.VERSION)


def encode_data(hosts: Hosts) -> dict[str, Any]:
    """Write a placement as plain data, without what has its default."""
    data: dict[str, Any] = to_data(hosts, FORM)
    return data


def encode(hosts: Hosts, form: str = "toml") -> str:
    """Write a placement as a document, `toml` or `json`."""
    data = encode_data(hosts)
    return toml_text.dump(data) if form == "toml" else json.dumps(data, indent=2, ensure_ascii=False) + "\n"


def place_sha256(hosts: Hosts) -> str:
    """The SHA-256 of what a placement says."""
    text = json.dumps(encode_data(hosts), sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def generation_of(spec_sha256: str, hosts: Hosts, run: str = "") -> int:
    """The number that all hosts of one run share, and no other run has: spec, placement, and the word of the run."""
    text = f"{spec_sha256}\n{place_sha256(hosts)}\n{run or hosts.run}\n"
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") | 1
