"""A small project on disk for tests of the command line, and ways to run commands on it."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from click.testing import Result
from typer.testing import CliRunner

from byteor.cli.app import app

PLAN = """plan = 2
name = "ticks"
target = "single_ring"

[types.tick]
price = "f64"
size = "i64"
value = "f64"

[ring]
type = "tick"
capacity = 64

[[ingress]]
name = "in"
format = "csv"
bad = "BAD"

[[stage]]
name = "value"
call = "stages:value"
compiled = COMPILED
min_out = 0
reads = ["price", "size"]
writes = ["value"]

[[egress]]
name = "out"
format = "csv"
"""

VALUE = """
def value(tick):
    tick.value = tick.price * tick.size
    return tick.size > 0
"""

HEAD = "price,size\n"
ROWS = "1.5,10\n2.0,0\n4.0,30\n"
OUT = "price,size,value\n1.5,10,15\n4,30,120\n"


@dataclass(frozen=True)
class Project:
    """A folder with a plan, its stages and data."""

    folder: Path

    @property
    def plan(self) -> str:
        return str(self.folder / "plan.toml")

    def path(self, name: str) -> str:
        return str(self.folder / name)

    def run(self, *more: str) -> Result:
        return byteor("run", self.plan, "--input", self.path("in.csv"), "--output", self.path("out.csv"), *more)

    def left(self) -> list[str]:
        """Files that look like an output, whole or half."""
        return sorted(f.name for f in self.folder.iterdir() if "out" in f.name)


def project(
    folder: Path, stages: str = VALUE, rows: str = ROWS, compiled: bool = False, bad: str = "fail", plan: str = PLAN
) -> Project:
    """Write a project."""
    folder.mkdir(exist_ok=True)
    text = plan.replace("COMPILED", str(compiled).lower()).replace("BAD", bad)
    (folder / "plan.toml").write_text(text)
    (folder / "stages.py").write_text(stages)
    (folder / "in.csv").write_text(HEAD + rows)
    return Project(folder)


def byteor(*arguments: str, stdin: str | None = None) -> Result:
    """Run a command in this process; whatever it raises but its exit is raised here."""
    result: Result = CliRunner().invoke(app, list(arguments), input=stdin, catch_exceptions=False)  # type: ignore[assignment]
    return result


def said(result: Result) -> dict[str, Any]:
    """The one JSON object on stdout."""
    data: dict[str, Any] = json.loads(result.stdout)
    return data


def child(*arguments: str, folder: Path) -> subprocess.Popen[bytes]:
    """Start a command in a process of its own; its streams are raw, so that nothing read ahead is lost."""
    code = "from byteor.cli import main; main()"
    command = [sys.executable, "-c", code, *arguments]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, cwd=folder, bufsize=0, stdin=pipe, stdout=pipe, stderr=pipe)
