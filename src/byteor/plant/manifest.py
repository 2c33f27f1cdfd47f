"""The manifest of a plant: what ran in its folder, so that it can be continued exactly.

Rule 1. Everything that a role needs to start stands here: roles are given the folder and their name, no more.
Rule 2. It is read as a text that somebody may have changed: what does not fit is a finding.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from byteor.diag import Refused
from byteor.plant import findings
from byteor.spec import json_text

VERSION = 1
LARGEST = 16 << 20


@dataclass(frozen=True, slots=True)
class Manifest:
    """`spec` is kv text, `placement` its JSON; `stages` are digests by role; `inputs` and `outputs` places by boundary.

    `sources` says by ingress what the input was when the plant began, `generations` by file which regions were made.
    `folder` is where stages are looked for, `own` says that the plant's folder was made with the plant. `part` says
    which part of the spec is on this host (`wiring.part_of`); empty, all of it.
    """

    name: str
    token: str
    spec: str = ""
    placement: str = ""
    folder: str = ""
    own: bool = True
    stages: Mapping[str, str] = field(default_factory=dict)
    inputs: Mapping[str, str] = field(default_factory=dict)
    outputs: Mapping[str, str] = field(default_factory=dict)
    sources: Mapping[str, Any] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)
    generations: Mapping[str, int] = field(default_factory=dict)
    part: Mapping[str, Any] = field(default_factory=dict)


_EXAMPLE = Manifest("", "")


def encode(manifest: Manifest) -> str:
    """Write a manifest as JSON."""
    return json.dumps({"byteor_plant": VERSION, **asdict(manifest)}, indent=2, sort_keys=True) + "\n"


def decode(text: str, where: str) -> Manifest:
    """Read a manifest, or raise with why it is none; `where` is the folder."""
    data = json_text.load(text).data if len(text) <= LARGEST else None
    if not isinstance(data, dict):
        raise _refused(where, "its manifest is no JSON object")
    if (version := data.pop("byteor_plant", None)) != VERSION:
        raise _refused(where, f"its manifest has version {version}, this build reads {VERSION}")
    names = {f.name for f in fields(Manifest)}
    wrong = sorted({*data} ^ names) or sorted(n for n in names if not _fits(getattr(_EXAMPLE, n), data[n]))
    if wrong:
        raise _refused(where, f"`{wrong[0]}` in its manifest is missing, unknown or of another type")
    return Manifest(**data)


def _fits(example: Any, value: Any) -> bool:
    return isinstance(value, dict) if isinstance(example, Mapping) else type(value) is type(example)


def _refused(where: str, message: str) -> Refused:
    return Refused([findings.NOT_A_PLANT.at(where, message)])
