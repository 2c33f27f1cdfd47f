"""How a plant ended, kept beside its regions: who comes later finds what was said last.

Rule 1. It is for people and says nothing that a successor needs: a folder without it is continued alike.
Rule 2. It is read as a text that somebody may have changed: what does not fit is not there.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from byteor.plant.process import Outcome

FILE = "ended.json"
LARGEST = 1 << 20


@dataclass(frozen=True, slots=True)
class Ending:
    """The end of a plant, and of each of its processes by name."""

    status: str = ""
    roles: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


def write(where: Path, status: str, outcomes: Iterable[Outcome]) -> None:
    """Note how a plant ended."""
    roles = {one.role: asdict(one) for one in outcomes}
    path = where / FILE
    path.touch(0o600)
    path.write_text(json.dumps({"status": status, "roles": roles}, indent=2, default=str) + "\n")


def forget(where: Path) -> None:
    """Forget an end: the plant goes on."""
    (where / FILE).unlink(missing_ok=True)


def read(where: Path) -> Ending:
    """How a plant ended; nothing, where nobody said so."""
    try:
        text = (where / FILE).read_text()
        data = json.loads(text) if len(text) <= LARGEST else None
    except (OSError, ValueError, RecursionError):
        return Ending()
    if not isinstance(data, dict) or not isinstance(data.get("roles"), dict):
        return Ending()
    roles = {name: one for name, one in data["roles"].items() if isinstance(one, dict)}
    return Ending(str(data.get("status", "")), roles)
