"""The screen of `byteor top`: what a plant is like over the last interval, as rows of text.

Rule 1. Only what is given is drawn: the same motion and view give the same screen.
Rule 2. What matters stands first: the role that works most of the time, then whoever waits least.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from byteor.cli.status import LINKS, link_cells
from byteor.observe.meter import LaneMotion, Motion, RoleMotion
from byteor.observe.why import judge
from byteor.observe.window import Window
from byteor.plant.status import RoleStatus

SORTS: dict[str, tuple[str, Callable[[RoleMotion], float]]] = {
    "W": ("work", lambda one: one.works if one.now.alive and not one.now.done else -1.0),
    "P": ("cpu", lambda one: one.cpu or 0.0),
    "R": ("rate", lambda one: max(one.taken, one.put)),
    "L": ("lag", lambda one: float(one.now.lag)),
    "B": ("batch", lambda one: one.batch),
    "D": ("lost", lambda one: float(one.now.dropped + one.now.late)),
}
ORDER = "N"  # the order of the plan
HELP = """
 What is shown

   work  room  wait    shares of the time: at work, waiting for room, waiting for records
   cpu  queue          shares of a core: had one, and wanted one in vain
   rec/s               records taken a second; of an ingress, records put
   batch               records a commit; of all batches so far, half are no larger than p50
   stalls              of a link: how often records waited for room on the other host
   rewinds  fenced     records that were sent again, and messages of old processes
   gated by            the reader that holds a full lane's producer back

 Keys

   W P R L B D         sort by work, cpu, rate, lag, batch, records lost
   N                   sort as the plan does
   I                   the other way round
   up  down            scroll the roles
   l                   lanes on and off
   space               hold the picture, and go on
   +  -                look less often, more often
   h  F1  ?            this page
   q  F10              leave
"""
COLORS = {"works": "green", "starved": "cyan", "crowded": "yellow", "done": "dim", "gone": "bold red"}
COLORS |= {"up": "green", "down": "bold red"}
WIDTH = 12  # of a bar


@dataclass(slots=True)
class View:
    """How its user wants the screen to be."""

    sort: str = "W"
    inverted: bool = False
    lanes: bool = True
    help: bool = False
    held: bool = False
    every: float = 1.0
    first: int = 0


def frame(window: Window, motion: Motion, view: View, height: int) -> RenderableType:
    """The whole screen, of at most `height` rows."""
    head = _head(window, motion, view)
    if view.help:
        return Group(*head, Text(HELP))
    links = [one.now for one in motion.roles if one.now.is_link]
    below: list[RenderableType] = [Text(), _links(links)] if links else []
    used = len(head) + 2 + (len(links) + 2 if links else 0)
    if view.lanes:
        below += [Text(), _lanes(motion)]
        used += len(motion.lanes) + 2
    roles = in_order(motion, view)
    room = max(3, height - used)
    view.first = max(0, min(view.first, len(roles) - room))
    shown = _roles(roles[view.first : view.first + room], len(roles))
    keys = Text("h help  q leave  W work  P cpu  R rate  L lag  N plan's order  I invert  l lanes", style="reverse")
    return Group(*head, shown, *below, keys)


def frames(shown: Sequence[tuple[Window, Motion]], view: View, height: int) -> RenderableType:
    """The screens of several plants, one below the other."""
    room = max(12, height // len(shown))
    return Group(*(frame(window, motion, view, room) for window, motion in shown))


def in_order(motion: Motion, view: View) -> list[RoleMotion]:
    """The roles as they are sorted."""
    roles = list(motion.roles)
    if view.sort != ORDER:
        roles.sort(key=SORTS[view.sort][1], reverse=True)
    return roles[::-1] if view.inverted else roles


def _head(window: Window, motion: Motion, view: View) -> list[RenderableType]:
    now = motion.status
    live = window.live
    state = f"runs under process {window.supervisor}" if live else "is left; nobody runs it"
    restarts = sum(role.restarts for role in now.roles)
    cpu = sum(used for _, used in {(one.process, one.cpu or 0.0) for one in motion.roles})
    order = SORTS[view.sort][0] if view.sort in SORTS else "plan"
    counts = (
        f"in {now.messages_in:,}  out {now.messages_out:,}  {motion.rate:,.0f}/s  filtered {now.filtered:,}  "
        f"dropped {now.dropped:,}  late {now.late:,}  restarts {restarts}  cpu {cpu:.0%}"
    )
    held = "  HELD" if view.held else ""
    title = Text.assemble((window.title, "bold"), f" {state}, by {order}, every {view.every:g} s{held}")
    why = Text(judge(window, motion).sentence, style="magenta")
    return [title, Text(counts), why, Text()]


def _roles(roles: list[RoleMotion], count: int) -> Table:
    names: tuple[str, ...] = (f"ROLE ({count})", "KIND", "STATE", "", "WORK", "ROOM", "WAIT", "CPU", "QUEUE", "REC/S")
    names += ("LAG", "BATCH", "P50", "P99", "WAITS", "DROPS", "LATE", "STARTS", "PID")
    table = _table(names, left=4)
    for one in roles:
        state = Text(one.now.state, COLORS[one.now.state])
        table.add_row(Text(one.now.name, style="bold"), one.now.kind, state, _spent(one), *_cells(one))
    return table


def _cells(one: RoleMotion) -> list[str]:
    now = one.now
    shares = [f"{share:.0%}" for share in (one.works, one.crowded, one.starved)]
    if now.state in ("done", "gone"):
        shares = ["", "", ""]
    rates = [f"{max(one.taken, one.put):,.0f}", f"{now.lag:,}", f"{one.batch:,.0f}"]
    counts = now.batch_p50, now.batch_p99, now.waits, now.dropped, now.late, now.starts
    pid = str(now.pid) if now.alive else ""
    return [*shares, _share(one.cpu), _share(one.delay), *rates, *(f"{n:,}" for n in counts), pid]


def _links(links: Sequence[RoleStatus]) -> Table:
    table = _table(tuple(name.upper() for name in LINKS), left=3)
    for link in links:
        name, peer, state, *counts = link_cells(link)
        table.add_row(name, peer, Text(state, COLORS[state]), *counts)
    return table


def _lanes(motion: Motion) -> Table:
    table = _table(("LANE", "KIND", "FILL", "DEPTH", "CAPACITY", "MSG/S", "FULL", "GATED BY"), left=3)
    for lane in motion.lanes:
        table.add_row(*_lane(lane))
    return table


def _lane(lane: LaneMotion) -> tuple[RenderableType, ...]:
    now = lane.now
    gated = ", ".join(now.gated_by) or ("closed" if now.closed else "")
    rest = f"{now.depth:,}", f"{now.capacity:,}", f"{lane.rate:,.0f}", f"{lane.full:.0%}"
    return now.name, now.kind, _bar(((lane.fill, "yellow" if lane.full >= 0.5 else "green"),)), *rest, gated


def _table(names: tuple[str, ...], left: int) -> Table:
    table = Table(box=None, padding=(0, 1, 0, 0), header_style="black on green", expand=False, pad_edge=False)
    for k, name in enumerate(names):
        table.add_column(name, justify="left" if k < left or name == "GATED BY" else "right", no_wrap=True)
    return table


def _share(share: float | None) -> str:
    return "" if share is None else f"{share:.0%}"


def _spent(one: RoleMotion) -> Text:
    """How a role spent its time: at work, crowded, starved."""
    if one.now.state in ("done", "gone"):
        return Text("-" * WIDTH, style="dim")
    return _bar(((one.works, "green"), (one.crowded, "yellow"), (one.starved, "cyan")))


def _bar(parts: tuple[tuple[float, str], ...]) -> Text:
    """Shares of one whole, side by side."""
    bar, before, at = Text(), 0, 0.0
    for k, (share, color) in enumerate(parts):
        at += share
        end = min(WIDTH, round(at * WIDTH))
        bar.append("|/."[k] * (end - before), style=color)
        before = end
    return bar.append(" " * (WIDTH - before))


def picture(window: Window, motion: Motion, width: int = 150) -> str:
    """The screen as a drawing (SVG) that needs nothing but itself."""
    links = sum(one.now.is_link for one in motion.roles)
    height = len(motion.roles) + len(motion.lanes) + 9 + (links + 2 if links else 0)
    console = Console(record=True, width=width, height=height, file=io.StringIO(), force_terminal=True)
    console.print(frame(window, motion, View(), height))
    drawn = console.export_svg(title=f"byteor top {window.manifest.name}", unique_id="top")
    return re.sub(r"@font-face \{.*?\}\s*|<!--.*?-->\s*", "", drawn, flags=re.DOTALL)
