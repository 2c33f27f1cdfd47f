"""After a crash: what each role had committed, what was under way, and which stage raised on which record.

Rule 1. Commits and lanes are exact. Who raised is what the role said last; where nobody could say, nobody is accused.
Rule 2. A record that was not passed still lies in its lane, and is shown from there.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from byteor.exec.record import Records
from byteor.exec.schema import dtype
from byteor.observe.window import Window
from byteor.plant import ending
from byteor.plant.process import DIED
from byteor.plant.status import Status
from byteor.plant.wiring import RINGS, Port, Role

OUTSIDE = -1  # the sequence of what was raised at no record


@dataclass(frozen=True, slots=True)
class Charge:
    """Who ended badly, and at which record of which lane; `record` is empty where none was under way."""

    role: str
    status: str
    lane: str
    sequence: int
    cause: str
    record: str


@dataclass(frozen=True, slots=True)
class UnderWay:
    """Records that were published and not passed by one reader: from `first` on, `count` of them."""

    lane: str
    before: str
    first: int
    count: int
    record: str


@dataclass(frozen=True, slots=True)
class Blame:
    """A plant as it was left; `status` is empty where its supervisor could not say it."""

    status: str
    charges: tuple[Charge, ...]
    under_way: tuple[UnderWay, ...]
    roles: Status


def blame(window: Window) -> Blame:
    """Find out how a plant ended."""
    said, now = ending.read(window.where), window.status()
    charges = tuple(_charges(window, said.roles))
    return Blame(said.status, charges, tuple(_under_way(window)), now)


def _charges(window: Window, ends: Mapping[str, Mapping[str, Any]]) -> Iterator[Charge]:
    for process, end in ends.items():
        status, data = str(end.get("status", "")), end.get("data")
        told = data if isinstance(data, dict) else {}
        if status not in ("failed", "refused", DIED):
            continue
        name = str(told.get("stage", "")) or next(iter(window.processes.get(process, (process,))))
        role = window.wiring.role(name)
        cause = str(told.get("cause") or end.get("text") or _found(end))
        if role is None or not role.inputs:
            yield Charge(name, status, "", OUTSIDE, cause, "")
            continue
        port = role.inputs[0]
        sequence = _number(told.get("sequence"), _position(window, role) if status == DIED else OUTSIDE)
        record = shown(window, port, sequence) or str(told.get("record", ""))
        yield Charge(name, status, window.wiring.lane(port).name, sequence, cause, record)


def _found(end: Mapping[str, Any]) -> str:
    """What findings say, where there was no other word."""
    found = end.get("findings")
    said = [str(d.get("message", "")) for d in found if isinstance(d, dict)] if isinstance(found, list) else []
    return "; ".join(said)


def _number(value: object, other: int) -> int:
    return value if isinstance(value, int) else other


def _position(window: Window, role: Role) -> int:
    """The first record that a role had not committed."""
    return window.status().role(role.name).taken if len(role.inputs) == 1 else OUTSIDE


def _under_way(window: Window) -> Iterator[UnderWay]:
    for role in window.wiring.roles:
        for port in role.inputs:
            lane, block = window.wiring.lane(port), window.blocks.lanes[port.lane]
            if block is not None and lane.kind in RINGS:
                first, end = block.read("gate", port.gate), block.read("cursor")
                if end > first:
                    yield UnderWay(lane.name, role.name, first, end - first, shown(window, port, first))


def shown(window: Window, port: Port, sequence: int) -> str:
    """A record of a lane, for people; empty where it lies there no more, or not yet."""
    lane, block = window.wiring.lane(port), window.blocks.lanes[port.lane]
    if block is None or lane.kind not in RINGS:
        return ""
    end = block.read("cursor")
    if not end - lane.capacity <= sequence < end or sequence < 0:
        return ""
    records = Records(block.array("slots", dtype(window.wiring.type(port), lane.slot_bytes)))
    return repr(records[sequence & (lane.capacity - 1)])
