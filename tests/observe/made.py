"""Plants made to be looked at: they run in processes until they are told to end, and something holds them back.

Rule 1. What holds a plant back is made of sleeps and of counted work, so it does so on a busy machine too.
Rule 2. A plant has come far enough when its positions say so; nobody waits for time to pass.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from byteor.diag import Refused
from byteor.observe.window import Window

HEAD = """plan = 2
name = "made"
target = "lane_graph"

[types.row]
a = "i64"
b = "i64"

[[ingress]]
name = "in"
type = "row"

"""
STAGE = """[[stage]]
name = "{name}"
call = "parts:{call}"
compiled = {compiled}
reads = ["a"]
writes = ["b"]
{more}
"""
CONNECT = """[[connect]]
from = "{0}"
to = "{1}"
{2}
"""
PARTS = """
import time

import numpy as np

ROW = [("a", "<i8"), ("b", "<i8")]


def endless():
    at = 0
    while True:
        rows = np.zeros(256, ROW)
        rows["a"] = np.arange(at, at + 256)
        at += 256
        yield rows


def drips():
    for rows in endless():
        for k in range(0, 256, 4):
            time.sleep(0.005)
            yield rows[k : k + 4]


def quick(row):
    row.b = row.a + 1


def looks(row):
    pass


def sleeps(row):
    time.sleep(0.001)
    row.b = row.a + 1


def counts(row):
    n = 0
    for i in range(2_000):
        n += i & row.a
    row.b = n


def counts_more(row):
    n = 0
    for i in range(4_000):
        n += i & row.a
    row.b = n


def fails(row):
    if row.a == 700:
        raise ValueError("seven hundred")
    row.b = row.a


def slow_sink(batches):
    for rows in batches:
        time.sleep(0.0005 * len(rows))
"""


def stage(name: str, call: str = "quick", compiled: bool = True, more: str = "") -> str:
    return STAGE.format(name=name, call=call, compiled=str(compiled).lower(), more=more)


def chain(*stages: str, names: tuple[str, ...], capacity: int = 1024, small: int | None = None) -> str:
    """A plan of stages in a row; the lane behind the first stage may be a small one."""
    ends = ["in", *names, "out"]
    lanes = []
    for k, (a, b) in enumerate(itertools.pairwise(ends)):
        size = small if small is not None and k == 1 else capacity
        lanes.append(CONNECT.format(a, b, f"lane = {{ capacity = {size} }}"))
    return HEAD + "".join(stages) + '[[egress]]\nname = "out"\n\n' + "".join(lanes)


ROUTED = """[[router]]
name = "spread"
policy = "work_queue"

[[merge]]
name = "gather"
inputs = ["left", "right"]
policy = "round_robin"

[[egress]]
name = "out"

"""


def two_workers(call: str) -> str:
    """A plan of a router, two workers and a merge."""
    stages = "".join(stage(name, call, compiled=False) for name in ("left", "right"))
    pairs = [("in", "spread"), ("spread", "left"), ("spread", "right"), ("gather", "out")]
    return HEAD + stages + ROUTED + "".join(CONNECT.format(a, b, "lane = { capacity = 256 }") for a, b in pairs)


@dataclass
class Plant:
    """A plant that runs as a child of the test."""

    child: subprocess.Popen[str]
    folder: Path

    def window(self) -> Window:
        return Window(self.folder)

    def until(self, holds: Callable[[Window], bool]) -> Window:
        """Wait until something holds; the test's watchdog ends what never does."""
        window = self.window()
        while not holds(window):
            assert self.child.poll() is None, self.child.communicate()
            time.sleep(0.01)
        return window

    def moves(self, records: int = 50) -> Window:
        """Wait until records have left."""
        return self.until(lambda window: window.status().messages_out >= records)


def write(folder: Path, plan: str) -> Path:
    """Write a plan and its stages."""
    folder.mkdir(exist_ok=True)
    (folder / "parts.py").write_text(PARTS)
    (folder / "plan.toml").write_text(plan)
    return folder / "plan.toml"


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-c", "from byteor.cli import main; main()", *arguments]


@contextlib.contextmanager
def running(folder: Path, plan: str, *more: str, source: str = "endless", sink: str = "") -> Iterator[Plant]:
    """Run a plant in processes; at the end it is told to, and must leave."""
    path, where = write(folder, plan), folder / "plant"
    ends = ("-i", f"in=python:parts:{source}", *(("-o", f"out=python:parts:{sink}") if sink else ()))
    asked = command("run", str(path), *ends, "--processes", "--dir", str(where), *more)
    pipe = subprocess.PIPE
    child = subprocess.Popen(asked, cwd=folder, text=True, stdout=pipe, stderr=pipe)
    try:
        while not _opened(where):
            assert child.poll() is None, child.communicate()
            time.sleep(0.02)
        yield Plant(child, where)
    finally:
        for number in (signal.SIGTERM, signal.SIGINT):  # two of a kind could be taken for one
            child.send_signal(number)
        child.communicate()


def _opened(where: Path) -> bool:
    """Whether all regions are there and every role has its lock."""
    try:
        return all(role.starts > 0 for role in Window(where).status().roles)
    except (Refused, OSError):
        return False


def ran(folder: Path, plan: str, *more: str) -> dict[str, object]:
    """Run a plant to its end, whatever that is; its report."""
    path = write(folder, plan)
    done = subprocess.run(
        command("run", str(path), *more, "--json"), cwd=folder, text=True, capture_output=True, check=False
    )
    data: dict[str, object] = json.loads(done.stdout)
    return data
