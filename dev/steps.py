"""The gates: what is run, in which order, and how it is told.

Rule 1. A step is a name and a command; every command runs under this interpreter, from the root.
Rule 2. Steps are independent: a failing one does not hide the next.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
Step = tuple[str, tuple[str, ...]]


def _module(name: str, *arguments: str) -> tuple[str, ...]:
    return (sys.executable, "-m", name, *arguments)


LINT: tuple[Step, ...] = (
    ("format", _module("ruff", "format", "--check", "--quiet", ".")),
    ("lint", _module("ruff", "check", "--quiet", ".")),
    ("types", _module("mypy")),
    ("layers", (sys.executable, "-c", "from importlinter.cli import lint_imports_command as c; c()", "--no-logo")),
    ("generated", _module("dev", "gen", "--check")),
)
QUICK: tuple[Step, ...] = (("tests", _module("pytest", "-q", "-m", "not slow and not stress")),)
FULL: tuple[Step, ...] = (("tests", _module("pytest", "-m", "")),)


def run(step: Step) -> bool:
    """Run one step; its output is shown only when it fails, that of tests always."""
    name, command = step
    began = time.monotonic()
    shown = None if name == "tests" else subprocess.PIPE
    done = subprocess.run(command, cwd=ROOT, env=environment(), stdout=shown, stderr=subprocess.STDOUT, text=True)
    verdict = "ok" if done.returncode == 0 else "FAILED"
    print(f"{name:<10} {verdict:<7} {time.monotonic() - began:6.1f} s", flush=True)
    if done.returncode and done.stdout:
        print(done.stdout, flush=True)
    return done.returncode == 0


def run_all(steps: tuple[Step, ...]) -> int:
    failed = [step for step in steps if not run(step)]
    return int(bool(failed))


def environment() -> dict[str, str]:
    """The tools see the sources of this checkout, installed or not."""
    path = os.pathsep.join(filter(None, [str(ROOT / "src"), os.environ.get("PYTHONPATH", "")]))
    return {**os.environ, "PYTHONPATH": path}
