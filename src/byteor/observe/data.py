"""How a plant stands and moves, as plain data: one answer for `--json`, for tests, and for whoever asks.

Rule 1. Names are those of the values; what cannot be known is null.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from byteor.observe.meter import LaneMotion, Motion, RoleMotion
from byteor.observe.window import Window
from byteor.plant.directory import Seen

_SHARES = ("works", "starved", "crowded", "cpu", "delay")


def of_plant(window: Window, motion: Motion) -> dict[str, Any]:
    """A whole plant over an interval; one that nobody runs has no rates."""
    moving = window.live
    return {
        "plant": window.manifest.name,
        "host": window.manifest.options.get("host"),
        "folder": str(window.where),
        "live": moving,
        "supervisor": window.supervisor,
        "seconds": round(motion.seconds, 6) if moving else None,
        "messages_in": motion.status.messages_in,
        "messages_out": motion.status.messages_out,
        "rate_per_s": round(motion.rate, 1) if moving else None,
        "roles": [_role(role, moving) for role in motion.roles],
        "lanes": [_lane(lane, moving) for lane in motion.lanes],
    }


def _role(role: RoleMotion, moving: bool) -> dict[str, Any]:
    data = asdict(role.now)
    data |= {"state": role.now.state, "starved": role.now.starved, "restarts": role.now.restarts}
    data |= {"process": role.process, "taken_per_s": None, "put_per_s": None, "batch_mean": None}
    shares: dict[str, Any] = dict.fromkeys(_SHARES)
    if moving:
        data |= {"taken_per_s": round(role.taken, 1), "put_per_s": round(role.put, 1)}
        data["batch_mean"] = round(role.batch, 1)
        known = {name: getattr(role, name) for name in _SHARES}
        shares = {name: None if share is None else round(share, 3) for name, share in known.items()}
    return {**data, "shares": shares}


def _lane(lane: LaneMotion, moving: bool) -> dict[str, Any]:
    rate = {"per_s": round(lane.rate, 1), "full": round(lane.full, 3)} if moving else {"per_s": None, "full": None}
    return {**asdict(lane.now), **rate}


def of_listing(seen: tuple[Seen, ...]) -> dict[str, Any]:
    """The plants that there are."""
    found = [{"plant": s.manifest.name, "folder": str(s.where), "live": s.live, "supervisor": s.pid} for s in seen]
    return {"plants": found}
