"""Progress on stderr: a live table on a terminal, plain lines elsewhere.

Rule 1. It shows snapshots and never touches the run.
"""

from __future__ import annotations

import sys
import time
from typing import Any

from rich.console import Console
from rich.live import Live
from rich.table import Table

from byteor.cli.log import PLAIN, Log
from byteor.exec.snapshot import Snapshot
from byteor.plant.status import Status

EVERY = 2.0  # seconds between two plain lines


class Progress:
    """Shows how a run stands; used as a context."""

    def __init__(self, log: Log = PLAIN) -> None:
        self._console, self._log = Console(file=sys.stderr), log
        self._live: Live | None = None
        self._began = self._shown = time.perf_counter()
        self._before = 0

    def __enter__(self) -> Progress:
        if self._console.is_terminal and self._log.plain:
            self._live = Live(console=self._console, transient=True, auto_refresh=False)
            self._live.start()
        return self

    def __exit__(self, *what: Any) -> None:
        if self._live is not None:
            self._live.stop()

    def say(self, text: str) -> None:
        """Show what is being done before the run starts; only where somebody looks."""
        if self._live is not None:
            self._live.update(text, refresh=True)
        elif not self._log.plain:
            self._log.event("bringing_up", text)

    def begin(self) -> None:
        """Count from now."""
        self._began = self._shown = time.perf_counter()

    def show(self, now: Snapshot | Status) -> None:
        """Show a snapshot, if it is time."""
        at = time.perf_counter()
        if self._live is None and at - self._shown < EVERY:
            return
        rate = (now.messages_in - self._before) / max(at - self._shown, 1e-9)
        self._shown, self._before = at, now.messages_in
        if self._live is not None:
            self._live.update(_table(now, at - self._began, rate), refresh=True)
        else:
            self._tell(now, at - self._began, rate)

    def _tell(self, now: Snapshot | Status, seconds: float, rate: float) -> None:
        lags = {stage.name: stage.lag for stage in now.stages}
        counts: dict[str, Any] = {"messages_in": now.messages_in, "messages_out": now.messages_out, "lags": lags}
        self._log.event("progress", _line(now, seconds, rate), seconds=round(seconds, 3), rate_per_s=rate, **counts)


def _head(now: Snapshot | Status, seconds: float, rate: float) -> str:
    return f"{seconds:.1f} s  in {now.messages_in:,}  out {now.messages_out:,}  {rate:,.0f}/s"


def _line(now: Snapshot | Status, seconds: float, rate: float) -> str:
    lags = ", ".join(f"{stage.name} {stage.lag:,}" for stage in now.stages)
    return f"{_head(now, seconds, rate)}  lag: {lags}"


def _table(now: Snapshot | Status, seconds: float, rate: float) -> Table:
    table = Table(title=_head(now, seconds, rate), title_justify="left", box=None)
    table.add_column("stage")
    for name in ("processed", "filtered", "lag"):
        table.add_column(name, justify="right")
    for stage in now.stages:
        table.add_row(stage.name, f"{stage.processed:,}", f"{stage.filtered:,}", f"{stage.lag:,}")
    return table
