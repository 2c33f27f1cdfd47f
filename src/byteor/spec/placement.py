"""Where the roles of a lane graph run: a document of its own, for the spec's hash does not know it.

Rule 1. Every role has a line, also where nothing was said of it.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from byteor.spec.codec import to_data

RESTARTS = ("never", "on_failure")
PINNINGS = ("none", "balanced")


@dataclass(frozen=True, slots=True)
class Place:
    """One role: the group whose process it shares, the core it is pinned to, and what happens when it dies."""

    role: str
    group: str | None = None
    cpu: int | None = None
    restart: str = "never"
    limit: int = 0


@dataclass(frozen=True, slots=True)
class Placement:
    """Where the roles of the graph `name` run; `pinning` spreads those that name no core."""

    name: str
    pinning: str
    roles: tuple[Place, ...]

    def place(self, role: str) -> Place:
        """The line of a role; one that has none runs alone."""
        return next((place for place in self.roles if place.role == role), Place(role))


def decode(text: str) -> Placement:
    """Read a placement that `encode` wrote."""
    data = json.loads(text)
    roles = tuple(Place(**place) for place in data.get("roles", ()))
    return Placement(data["name"], data["pinning"], roles)


def encode(placement: Placement) -> str:
    """Write a placement as JSON."""
    data: dict[str, Any] = {"byteor_placement": 1, **to_data(placement)}
    return json.dumps(data, indent=2) + "\n"
