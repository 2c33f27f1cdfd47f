"""`byteor top`: a plant as it runs, refreshed until one leaves.

Rule 1. Between two pictures it looks often and does little: how roles spend their time is seen, never asked for.
Rule 2. The terminal is given back as it was, however the command ends.
"""

from __future__ import annotations

import contextlib
import os
import select
import sys
import termios
import time
import tty
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from byteor import diag
from byteor.cli import output
from byteor.cli.status import Placed, folders
from byteor.exec import findings as x

if TYPE_CHECKING:
    from rich.live import Live

    from byteor.cli.screen import View
    from byteor.observe.meter import Meter
    from byteor.observe.window import Window

LOOK = 0.05  # seconds between two looks
KEYS = {b"\x1bOP": "h", b"\x1b[11~": "h", b"\x1b[21~": "q", b"\x1b[A": "up", b"\x1b[B": "down", b"\x03": "q"}
LEAVE = "q"


def top(
    plants: Annotated[
        list[str] | None, typer.Argument(metavar="PLANT...", help="Folders of plants, or names of plans.")
    ] = None,
    place: Placed = "",
    every: Annotated[float, typer.Option(min=0.1, help="Seconds between two pictures.")] = 1.0,
    svg: Annotated[str, typer.Option(metavar="FILE", help="Draw one picture into a file, and leave.")] = "",
) -> None:
    """Show plants as they run: rates, lags, batches, what each role waits for, and what holds them back."""
    from byteor.observe.window import Window, find

    with output.told(False):
        windows = [Window(find(plant)) for plant in (*(plants or ()), *folders(place))]
        if not windows:
            raise diag.Refused([x.RUN_OPTION.at("plant", "there is no plant to show", help="name a folder or a plan")])
        if svg:
            return _draw(windows[0], every, svg)
        if not (sys.stdin.isatty() and sys.stdout.isatty()):
            raise output.Failed("`byteor top` needs a terminal; `byteor status` tells the same once")
        _watch(windows, every)


def _draw(window: Window, every: float, svg: str) -> None:
    from byteor.cli.screen import picture
    from byteor.observe.meter import measure

    motion = measure(window, every)
    Path(svg).write_text(picture(window, motion))


def _watch(windows: Sequence[Window], every: float) -> None:
    """Show pictures until a key ends it."""
    from rich.console import Console
    from rich.live import Live

    from byteor.cli.screen import View
    from byteor.observe.meter import Meter

    meters, view = [Meter(window) for window in windows], View(every=every)
    console = Console()
    live = Live(console=console, screen=True, auto_refresh=False)
    with contextlib.suppress(KeyboardInterrupt), _keys(sys.stdin.fileno()), live:
        _loop(meters, view, live)


def _loop(meters: Sequence[Meter], view: View, live: Live) -> None:
    from byteor.cli.screen import frames

    shown, due, stale = [(meter.window, meter.take()) for meter in meters], time.monotonic(), True
    while True:
        key = _pressed(sys.stdin.fileno(), LOOK)
        if key == LEAVE:
            return
        stale = press(view, key) or stale
        for meter in meters:
            meter.look()
        if time.monotonic() >= due and not view.held:
            shown, stale = [(meter.window, meter.take()) for meter in meters], True
            due = time.monotonic() + view.every
        if stale:
            live.update(frames(shown, view, live.console.size.height), refresh=True)
            stale = False


def press(view: View, key: str) -> bool:
    """Do what a key asks for; whether the picture is another one now."""
    from byteor.cli.screen import ORDER, SORTS

    if key in SORTS or key == ORDER:
        view.sort, view.inverted, view.first = key, False, 0
    elif key == "I":
        view.inverted = not view.inverted
    elif key == "l":
        view.lanes = not view.lanes
    elif key in ("h", "?"):
        view.help = not view.help
    elif key == " ":
        view.held = not view.held
    elif key in ("+", "-"):
        view.every = min(60.0, max(0.25, view.every * (2.0 if key == "+" else 0.5)))
    elif key in ("up", "down"):
        view.first += 1 if key == "down" else -1
    else:
        return False
    return True


def _pressed(terminal: int, seconds: float) -> str:
    """The key that is pressed within a time; none is an empty text."""
    if not select.select([terminal], [], [], seconds)[0]:
        return ""
    data = os.read(terminal, 16)
    return LEAVE if not data else KEYS.get(data, data[:1].decode(errors="replace"))


@contextlib.contextmanager
def _keys(terminal: int) -> Iterator[None]:
    """Take keys one by one as they are pressed, and show none of them."""
    before = termios.tcgetattr(terminal)
    tty.setcbreak(terminal)
    try:
        yield
    finally:
        termios.tcsetattr(terminal, termios.TCSADRAIN, before)
