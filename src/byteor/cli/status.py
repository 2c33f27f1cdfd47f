"""`byteor status`: which plants there are, and how one of them stands.

Rule 1. Looking changes nothing: a plant may be looked at as often as one likes, alive or left.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from byteor.cli import output
from byteor.cli.output import Json, Look

if TYPE_CHECKING:
    from byteor.observe.meter import LaneMotion, Motion, RoleMotion
    from byteor.observe.window import Window
    from byteor.plant.status import RoleStatus

Placed = Annotated[str, typer.Option("--place", metavar="FILE", help="All parts of a placement.")]
Plant = Annotated[str, typer.Argument(help="The folder of a plant, or the name of its plan.")]
ROLES = ("role", "state", "taken", "/s", "put", "filtered", "dropped", "late", "lag", "batch", "starved", "crowded")
LINKS = ("link", "other host", "connection", "sent", "committed", "stalls", "rewinds", "fenced")
LANES = ("lane", "kind", "published", "/s", "depth", "capacity", "gated by")


def status(
    plants: Annotated[
        list[str] | None,
        typer.Argument(metavar="[PLANT]...", help="Folders of plants, or names of plans; else all are listed."),
    ] = None,
    place: Placed = "",
    via: Annotated[
        str,
        typer.Option(metavar="COMMAND", help="How to run there: `ssh {address}`, or with {name}."),
    ] = "",
    seconds: Annotated[float, typer.Option(min=0.0, help="How long to look for rates; 0 looks once.")] = 0.5,
    as_json: Json = False,
) -> None:
    """Show how plants stand: their roles, their lanes, and who holds whom back. Without a name, list all plants."""
    from byteor.plant import directory

    with output.told(as_json):
        if not plants and not place:
            return _listed(directory.listing(), as_json)
        if via:
            from byteor.cli.afar import asked

            said = asked(place, via, seconds, as_json)
        else:
            said = [look(name, seconds) for name in (*(plants or ()), *folders(place))]
    if as_json:
        return output.put_json(said[0].data if len(said) == 1 else {"plants": [one.data for one in said]})
    print("\n\n".join(one.text for one in said))


def look(plant: str, seconds: float) -> Look:
    """Look at a plant, whether it runs, was left, or is over."""
    from byteor.observe import data
    from byteor.observe.window import Window, find, title_of
    from byteor.plant import directory, ending

    where = find(plant)
    seen = directory.look(where)
    if not seen.manifest.generations and (over := ending.read(where).status):
        said = {"plant": seen.manifest.name, "host": seen.manifest.options.get("host"), "folder": str(where)}
        return Look(f"{title_of(seen.manifest)} is over, in {where}: {over}", {**said, "live": False, "over": over})
    window = Window(where)
    motion = measured(window, seconds)
    return Look("\n".join(text_of(window, motion)), data.of_plant(window, motion))


def folders(place: str) -> list[str]:
    """The folders of a placement's parts, as far as they are on this machine."""
    if not place:
        return []
    from byteor.cli.host import folder_of_part
    from byteor.cli.loading import placed_plant

    plant = placed_plant(place)
    found = [folder_of_part(plant.subject.graph.name, host) for host in plant.hosts.host]
    here = [str(where.absolute()) for where in found if where.exists()]
    if not here:
        raise output.Failed(f"no part of `{place}` is on this machine; `--via 'ssh {{address}}'` asks its hosts")
    return here


def measured(window: Window, seconds: float) -> Motion:
    """Watch a plant that somebody runs; look once at one that was left."""
    from byteor.observe.meter import Meter, measure

    return measure(window, seconds) if window.live and seconds else Meter(window).take()


def _listed(seen: tuple[object, ...], as_json: bool) -> None:
    from byteor.observe import data

    found = data.of_listing(seen)  # type: ignore[arg-type]
    if as_json:
        return output.put_json(found)
    for one in found["plants"]:
        state = f"runs, process {one['supervisor']}" if one["live"] else "left"
        print(f"{one['plant']:<24} {state:<22} {one['folder']}")


def text_of(window: Window, motion: Motion) -> list[str]:
    """How a plant stands, for people."""
    now, live = motion.status, window.live
    state = f"runs under process {window.supervisor}" if live else "is left; nobody runs it"
    lines = [f"{window.title} {state}, in {window.where}"]
    rate = f", {motion.rate:,.0f}/s over {motion.seconds:.1f} s" if live else ""
    lines += [f"  in {now.messages_in:,}  out {now.messages_out:,}{rate}", ""]
    more = ("starts", "cpu", "pid")
    lines += table((*ROLES, *more), [_role(role, live) for role in motion.roles], left=2)
    if links := [role.now for role in motion.roles if role.now.is_link]:
        lines += ["", *table(LINKS, [link_cells(link) for link in links], left=3)]
    return [*lines, "", *table(LANES, [_lane(lane, live) for lane in motion.lanes], left=2)]


def _role(role: RoleMotion, live: bool) -> tuple[str, ...]:
    now = role.now
    counts = now.put, now.filtered, now.dropped, now.late, now.lag
    shares = (f"{role.starved:.0%}", f"{role.crowded:.0%}") if live else ("", "")
    cpu = "" if role.cpu is None else f"{role.cpu:.0%}"
    rate, batch = (f"{role.taken:,.0f}", f"{role.batch:,.0f}") if live else ("", f"{now.batch_p50:,}")
    pid = str(now.pid) if now.alive and now.pid else ""
    return (
        now.name, now.state, f"{now.taken:,}", rate, *(f"{n:,}" for n in counts),
        batch, *shares, str(now.starts), cpu, pid,
    )  # fmt: skip


def link_cells(link: RoleStatus) -> tuple[str, ...]:
    """How a link stands, for tables."""
    state = "done" if link.done else "up" if link.connected else "down"
    counts = link.sent, link.taken, link.stalls, link.rewinds, link.fenced
    return link.name, link.peer, state, *(f"{n:,}" for n in counts)


def _lane(lane: LaneMotion, live: bool) -> tuple[str, ...]:
    now = lane.now
    rate = f"{lane.rate:,.0f}" if live else ""
    gated = ", ".join(now.gated_by) or ("closed" if now.closed else "")
    return now.name, now.kind, f"{now.published:,}", rate, f"{now.depth:,}", f"{now.capacity:,}", gated


def table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]], left: int = 1) -> list[str]:
    """Columns as wide as they need be, without those that say nothing; the first `left` start at the left."""
    every = [head, *rows]
    columns = [k for k in range(len(head)) if any(row[k] for row in rows)]
    widths = {k: max(len(row[k]) for row in every) for k in columns}
    return ["  ".join(_cell(row[k], widths[k], k < left) for k in columns).rstrip() for row in every]


def _cell(text: str, width: int, left: bool) -> str:
    return f"{text:<{width}}" if left else f"{text:>{width}}"
