"""A small plant over raw files that tests bend: its plan, its stage, its input, and commands on it.

Rule 1. Every process of it carries the folder's name in its environment, so that one which is left is found.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from byteor.testing.plant_runs import MARK, living

ROWS = 1000
ROW = np.dtype([("a", "<i8"), ("b", "<i8")])
PLAN = """plan = 2
name = "bad"
target = "lane_graph"

[types.row]
a = "i64"
b = "i64"

[types.sum]
a = "i64"
n = "i64"

[[ingress]]
name = "in"
type = "row"

[[stage]]
name = "work"
call = "parts:work"
compiled = false
reads = ["a"]
writes = ["b"]

[[egress]]
name = "out"

[[connect]]
from = "in"
to = "work"
lane = { capacity = 16 }

[[connect]]
from = "work"
to = "out"
lane = { capacity = 16 }
"""
WORK = """
def work(row):
    row.b = row.a + 1
"""
# It waits for a file beside it before record 500, so that a test can come in between.
HALTS = """
import pathlib, time

def work(row):
    while row.a == 500 and not (pathlib.Path(__file__).parent / "go").exists():
        time.sleep(0.01)
    row.b = row.a + 1
"""


@dataclass(frozen=True)
class Bad:
    """The plant in its folder; its files lie in `folder`, it runs in `folder/plant`."""

    folder: Path

    def path(self, name: str) -> str:
        return str(self.folder / name)

    @property
    def where(self) -> Path:
        return self.folder / "plant"

    def run(self, *more: str, **ends: str) -> list[str]:
        """The arguments of a run in processes; an end that is not named is a raw file."""
        places = {"i": "in.raw", "o": "out.raw"} | ends
        ends_given = ["-i", f"in={self.path(places['i'])}", "-o", f"out={self.path(places['o'])}"]
        document = next(self.folder.glob("plan.*"))  # a spec, where a test wrote one
        return ["run", str(document), *ends_given, "--processes", f"--dir={self.where}", "--json", *more]

    def command(self, *arguments: str) -> subprocess.Popen[str]:
        """Start a command in a process of its own."""
        code = "from byteor.cli import main; main()"
        pipe, environment = subprocess.PIPE, {**os.environ, MARK: str(self.folder)}
        command = [sys.executable, "-c", code, *arguments]
        return subprocess.Popen(command, cwd=self.folder, env=environment, text=True, stdout=pipe, stderr=pipe)

    def until(self, holds: Callable[[], object], child: subprocess.Popen[str]) -> None:
        """Wait for something; the test's watchdog ends what never comes."""
        while not holds():
            assert child.poll() is None, child.communicate()
            time.sleep(0.01)

    def left(self) -> list[str]:
        """What a run leaves that it should not: its folder, an output, a hidden file, a process."""
        files = [f.name for f in self.folder.iterdir() if f.name.startswith((".", "out", "plant"))]
        return sorted(files) + [f"process {pid}" for pid in living(str(self.folder))]


def bad(folder: Path, plan: str = PLAN, work: str = WORK, edits: Mapping[str, str] | None = None) -> Bad:
    """Write the plant, with some lines of its plan replaced."""
    for old, new in (edits or {}).items():
        assert old in plan, old
        plan = plan.replace(old, new)
    folder.mkdir(exist_ok=True)
    (folder / "plan.toml").write_text(plan)
    (folder / "parts.py").write_text(work)
    rows = np.zeros(ROWS, ROW)
    rows["a"] = np.arange(ROWS)
    (folder / "in.raw").write_bytes(rows.tobytes())
    return Bad(folder)


def wanted() -> bytes:
    """What leaves when nothing goes wrong."""
    rows = np.zeros(ROWS, ROW)
    rows["a"] = np.arange(ROWS)
    rows["b"] = rows["a"] + 1
    return rows.tobytes()


def codes(stdout: str) -> list[str]:
    """The codes of a JSON report, the plant's first."""
    data: dict[str, Any] = json.loads(stdout)
    return [one["code"] for one in data.get("findings", [])]
