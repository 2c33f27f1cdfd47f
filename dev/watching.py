"""What it costs a plant to be watched, and a picture of it being watched.

Rule 1. Rounds come in pairs, watched and not, in changing order, of one plant that goes on: what drifts hits both.
Rule 2. Whoever watches is started once, and stopped for the rounds that are not watched.
Rule 3. The rate is read from the plant's own positions.
Rule 4. The roles are pinned, so that a round does not depend on who shares a core with whom; the source waits half
        the time, so that whoever watches has a core to run on: what that takes is told beside the rate.
"""

from __future__ import annotations

import contextlib
import os
import pty
import random
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from dev.steps import ROOT, environment

if TYPE_CHECKING:
    from byteor.observe.window import Window

PLAN = """plan = 2
name = "watched"
target = "lane_graph"
wait = "block"

[types.row]
a = "i64"
b = "i64"

[[ingress]]
name = "in"
type = "row"

[[stage]]
name = "double"
call = "parts:double"
reads = ["a"]
writes = ["b"]

[[egress]]
name = "out"

[[pin]]
role = "in"
cpu = {0}

[[pin]]
role = "double"
cpu = {1}

[[pin]]
role = "out"
cpu = {1}

[[connect]]
from = "in"
to = "double"

[[connect]]
from = "double"
to = "out"
"""
PARTS = """
import numpy as np


def rows():
    batch = np.zeros(65_536, [("a", "<i8"), ("b", "<i8")])
    batch["a"] = np.arange(len(batch))
    while True:
        yield batch


def double(row):
    row.b = row.a * 2
"""
STATUS = """
import sys, time
from byteor.observe import data
from byteor.observe.meter import measure
from byteor.observe.window import Window
window = Window(sys.argv[1])
while window.live:
    data.of_plant(window, measure(window, 0.5))
    time.sleep(0.5)
"""
COMMAND = "from byteor.cli import main; main()"


@contextlib.contextmanager
def plant(folder: Path, *more: str) -> Iterator[tuple[Path, str]]:
    """A plant that runs until it is told to end; its folder, and where its metrics are."""
    cores = sorted(os.sched_getaffinity(0))
    (folder / "plan.toml").write_text(PLAN.format(cores[0], cores[-1]))
    (folder / "parts.py").write_text(PARTS)
    where = folder / "plant"
    asked = ["run", str(folder / "plan.toml"), "-i", "in=python:parts:rows", "--processes", "--dir", str(where)]
    child = subprocess.Popen(
        [sys.executable, "-c", COMMAND, *asked, "--metrics", "0", *more],
        env=environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert child.stderr is not None
    url = ""
    while not url:
        line = child.stderr.readline()
        if not line:
            sys.exit("watching: the plant did not come to run")
        found = re.search(r"http://\S+", line)
        url = found[0] if found else ""
    threading.Thread(target=child.stderr.read, daemon=True).start()
    try:
        yield where, url
    finally:
        child.send_signal(signal.SIGTERM)
        child.send_signal(signal.SIGINT)
        child.wait()


class Watchers:
    """A live table, a status once a second, a scrape once a second."""

    def __init__(self, where: Path, url: str) -> None:
        self._url, self._on, self._over = url, threading.Event(), False
        self._top, fd = pty.fork()
        if self._top == 0:
            os.environ.update(environment(), TERM="xterm-256color", COLUMNS="150", LINES="40")
            os.execv(sys.executable, [sys.executable, "-c", COMMAND, "top", str(where)])
        self._status = subprocess.Popen([sys.executable, "-c", STATUS, str(where)], env=environment())
        threading.Thread(target=self._drain, args=(fd,), daemon=True).start()
        threading.Thread(target=self._scrape, daemon=True).start()

    def _drain(self, fd: int) -> None:
        with contextlib.suppress(OSError):  # the terminal closes with its command
            while os.read(fd, 1 << 16):
                pass

    def _scrape(self) -> None:
        while not self._over:
            self._on.wait()
            with contextlib.suppress(OSError), urllib.request.urlopen(self._url) as answer:
                answer.read()
            time.sleep(1.0)

    def let(self, watch: bool) -> None:
        """Let them watch, or hold them."""
        (self._on.set if watch else self._on.clear)()
        for pid in (self._top, self._status.pid):
            os.kill(pid, signal.SIGCONT if watch else signal.SIGSTOP)

    def cpu(self) -> float:
        """Seconds of a core that the table and the status have taken."""
        return sum(_cpu(pid) for pid in (self._top, self._status.pid))

    def end(self) -> None:
        self._over = True
        self.let(True)
        for pid in (self._top, self._status.pid):
            os.kill(pid, signal.SIGKILL)
        os.waitpid(self._top, 0)
        self._status.wait()


def _cpu(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def rates(where: Path, url: str, rounds: int, seconds: float) -> tuple[list[tuple[float, float]], float]:
    """Records a second in each pair of rounds, not watched and watched; and the share of a core that watching took."""
    from byteor.observe.window import Window

    window = Window(where)
    while window.status().messages_out == 0:
        time.sleep(0.05)
    watchers, found, order = Watchers(where, url), [], random.Random(1)
    try:
        time.sleep(3.0)  # until all of them have begun
        before_all = watchers.cpu()
        for _ in range(rounds):
            pair = {}
            for watch in order.sample((False, True), 2):
                watchers.let(watch)
                time.sleep(0.2)
                began, before = time.perf_counter(), window.status().messages_out
                time.sleep(seconds)
                pair[watch] = (window.status().messages_out - before) / (time.perf_counter() - began)
            found.append((pair[False], pair[True]))
        took = (watchers.cpu() - before_all) / (rounds * (seconds + 0.2))
    finally:
        watchers.end()
    return found, took


def watching(rounds: int, seconds: float = 2.0) -> int:
    """Print what watching costs."""
    sys.path.insert(0, str(ROOT / "src"))
    with tempfile.TemporaryDirectory() as folder, plant(Path(folder)) as (where, url):
        pairs, took = rates(where, url, rounds, seconds)
    shares = sorted(watched / alone for alone, watched in pairs)
    alone, watched = (statistics.median(one[k] for one in pairs) for k in (0, 1))
    print(f"{'':<12}{'records/s':>14}")
    print(f"{'not watched':<12}{alone:>14,.0f}\n{'watched':<12}{watched:>14,.0f}")
    low, high = shares[len(shares) // 4], shares[-1 - len(shares) // 4]
    middle = statistics.median(shares)
    print(f"median of {len(pairs)} pairs: {middle:.4f} of the rate (half of them {low:.4f} to {high:.4f})")
    print(f"the table and the status took {100 * took:.1f} % of a core")
    return 0


def draw(target: Path) -> int:
    """Draw the live table over the flights plant."""
    sys.path.insert(0, str(ROOT / "src"))
    flights, out = ROOT / "build/flights", ROOT / "build/pictured"
    subprocess.run([sys.executable, "examples/flights-plant/prepare.py", str(flights)], cwd=ROOT, check=True)
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        where = Path(folder) / "plant"
        ends = [f"-i{name}={flights}/{name}.csv" for name in ("weather", "flights")]
        ends += [f"-oevents={out}/events.parquet", f"-oalerts={out}/alerts.jsonl"]
        asked = ["run", "examples/flights-plant/plan.toml", *ends, "--processes", "--dir", str(where)]
        child = subprocess.Popen([sys.executable, "-c", COMMAND, *asked], cwd=ROOT, env=environment())
        _draw(_moving(where, child), target)
        return child.wait()


def _moving(where: Path, child: subprocess.Popen[bytes]) -> Window:
    """The plant, once records leave it."""
    from byteor.diag import Refused
    from byteor.observe.window import Window

    while child.poll() is None:
        with contextlib.suppress(Refused, OSError):
            window = Window(where)
            if window.status().messages_out > 0:
                return window
        time.sleep(0.05)
    sys.exit("watching: the plant ended before anything left it")


def _draw(window: Window, target: Path) -> None:
    """Draw what `byteor top --svg` draws, without the time that a command needs to start."""
    from byteor.cli.screen import picture
    from byteor.observe.meter import measure

    target.write_text(picture(window, measure(window, 0.5)))
