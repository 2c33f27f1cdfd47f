"""`byteor blame`: how a plant that was left came to its end.

Rule 1. Nothing is changed: the plant can still be continued, or looked at again.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from byteor.cli import output
from byteor.cli.output import Json
from byteor.cli.status import Plant, table

if TYPE_CHECKING:
    from byteor.observe.blame import Blame, Charge
    from byteor.observe.window import Window


def blame(plant: Plant, as_json: Json = False) -> None:
    """Say which stage raised on which record, what each role had committed, and what was under way."""
    from byteor.observe.blame import blame as find_out
    from byteor.observe.window import Window, find

    with output.told(as_json):
        window = Window(find(plant))
        found = find_out(window)
    if as_json:
        return output.put_json({"plant": window.manifest.name, "folder": str(window.where), **asdict(found)})
    print("\n".join(_text(window, found)))


def _text(window: Window, found: Blame) -> list[str]:
    state = "still runs" if window.live else found.status or "was left, and nobody said how it ended"
    lines = [f"{window.manifest.name}, in {window.where}: {state}"]
    for charge in found.charges:
        lines += ["", *_charge(charge)]
    roles = [(r.name, r.state, f"{r.taken:,}", f"{r.put:,}", f"{r.epoch:,}", str(r.starts)) for r in found.roles.roles]
    lines += ["", *table(("role", "state", "taken", "put", "commits", "starts"), roles, left=2)]
    under_way = [(u.lane, u.before, f"{u.first:,}", f"{u.count:,}", u.record) for u in found.under_way]
    if under_way:
        lines += ["", *table(("under way in", "before", "from", "records", "the first of them"), under_way, left=2)]
    return lines


def _charge(charge: Charge) -> list[str]:
    where = f" at record {charge.sequence:,} of `{charge.lane}`" if charge.lane and charge.sequence >= 0 else ""
    word = "died" if charge.status == "died" else "raised" if where else charge.status
    lines = [f"`{charge.role}` {word}{where}: {charge.cause}"]
    return [*lines, f"  {charge.record}"] if charge.record else lines
