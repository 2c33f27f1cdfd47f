"""Ctrl-C and SIGTERM drain a run, and a second one gives up; in real processes.

Rule 1. A signal is sent only when the run has shown that it is where the test wants it.
"""

from __future__ import annotations

import signal
import subprocess
from pathlib import Path

import pytest

from tests.cli.project import HEAD, OUT, ROWS, VALUE, Project, child, project

MARKING = "import sys\n" + VALUE.replace("    return", "    print('here', file=sys.stderr, flush=True)\n    return")
STUCK = """
import sys, threading

def value(tick):
    print('here', file=sys.stderr, flush=True)
    threading.Event().wait()
"""


def until(stream: object, word: bytes) -> bytes:
    """Read lines until one holds `word`."""
    read = b""
    for line in stream:  # type: ignore[attr-defined]
        read += line
        if word in line:
            return read
    raise AssertionError(f"{word!r} did not come: {read.decode()}")


def started(p: Project, out: str, *more: str) -> subprocess.Popen[bytes]:
    """Start a run whose stdin stays open after three rows."""
    run = child("run", p.plan, "-i", "-", "-o", out, *more, folder=p.folder)
    assert run.stdin is not None
    run.stdin.write((HEAD + ROWS).encode())
    run.stdin.flush()
    return run


def ended(run: subprocess.Popen[bytes], number: signal.Signals = signal.SIGINT) -> tuple[bytes, bytes]:
    """Send a signal; only when it was taken may stdin end."""
    run.send_signal(number)
    until(run.stderr, b"draining")
    return run.communicate()


@pytest.mark.parametrize(
    ("number", "status", "more"), [(signal.SIGINT, 130, ()), (signal.SIGTERM, 143, ("--single-thread",))]
)
def test_a_signal_drains_what_is_under_way(
    tmp_path: Path, number: signal.Signals, status: int, more: tuple[str, ...]
) -> None:
    p = project(tmp_path)
    run = started(p, "-", *more)
    shown = until(run.stdout, b"4,30,120")
    rest, report = ended(run, number)
    assert run.returncode == status, report.decode()
    assert (shown + rest).decode() == OUT
    assert b"drained: 3 in, 2 out, 1 filtered" in report and b"Traceback" not in report


def test_a_drained_output_is_complete_under_its_name(tmp_path: Path) -> None:
    p = project(tmp_path, MARKING)
    run = started(p, p.path("out.csv"))
    for _ in range(3):
        until(run.stderr, b"here")
    _, report = ended(run)
    assert run.returncode == 130, report.decode()
    assert Path(p.path("out.csv")).read_text() == OUT
    assert p.left() == ["out.csv"]


def test_a_half_row_at_the_signal_is_no_row(tmp_path: Path) -> None:
    p = project(tmp_path)
    run = started(p, "-")
    assert run.stdin is not None
    run.stdin.write(b"7.0")
    run.stdin.flush()
    until(run.stdout, b"4,30,120")
    _, report = ended(run)
    assert run.returncode == 130 and b"3 in" in report


@pytest.mark.slow
def test_a_second_signal_gives_up(tmp_path: Path) -> None:
    p = project(tmp_path, STUCK)
    run = started(p, p.path("out.csv"))
    until(run.stderr, b"here")
    run.send_signal(signal.SIGINT)
    until(run.stderr, b"draining")
    run.send_signal(signal.SIGINT)
    out, report = run.communicate()
    assert run.returncode == 130, report.decode()
    assert b"aborted: " in out
    assert p.left() == []


def test_a_second_signal_gives_up_in_one_thread(tmp_path: Path) -> None:
    p = project(tmp_path, STUCK)
    run = started(p, p.path("out.csv"), "--single-thread", "--json")
    until(run.stderr, b"here")
    run.send_signal(signal.SIGINT)
    until(run.stderr, b"draining")
    run.send_signal(signal.SIGINT)
    out, report = run.communicate()
    assert run.returncode == 130, report.decode()
    assert b'"status": "aborted"' in out
    assert p.left() == []


def test_a_closed_stdout_ends_quietly(tmp_path: Path) -> None:
    p = project(tmp_path)
    run = child("run", p.plan, "-i", "-", "-o", "-", folder=p.folder)
    assert run.stdin is not None and run.stdout is not None
    run.stdin.write((HEAD + ROWS).encode())
    run.stdin.flush()
    until(run.stdout, b"4,30,120")
    run.stdout.close()
    run.stdin.write(b"1.0,1\n" * 1000)
    run.stdin.close()
    assert run.stderr is not None
    report = run.stderr.read()
    assert run.wait() == 1 and b"Traceback" not in report
