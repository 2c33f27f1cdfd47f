"""A recorded lane played back: the same bytes, from any record on; and all that speaks against it."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from byteor.cli.app import app
from byteor.exec.load import load
from byteor.plant.replay import Pace, behind, pace_of, tapped

PLAN = """
plan = 2
name = "tapped"
target = "lane_graph"

[types.tick]
time = "timestamp(ms)"
px = "i64"

[[ingress]]
name = "in"
type = "tick"
format = "raw"

[[stage]]
name = "up"
call = "parts_of_replay:up"
reads = ["px"]
writes = ["px"]

[[stage]]
name = "odd"
call = "parts_of_replay:odd"
min_out = 0
reads = ["px"]
writes = []

[[merge]]
name = "both"
inputs = ["up", "odd"]
field = "time"

[[connect]]
from = "in"
to = "up"
tap = "audit"

[[connect]]
from = "in"
to = "odd"

[[connect]]
from = "up"
to = "both"
tap = "inner"

[[connect]]
from = "both"
to = "out"

[[egress]]
name = "out"
format = "raw"
"""
PARTS = """
def up(rec):
    rec.px += 1000

def odd(rec):
    return rec.px % 2 == 1
"""
TICK = np.dtype([("time", "<i8"), ("px", "<i8")])
COUNT = 5000


def _run(*args: str | Path) -> tuple[int, str]:
    result = CliRunner().invoke(app, [str(arg) for arg in args])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, result.output


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A folder with the plan, its stages, and one run of it that was recorded."""
    (tmp_path / "plan.toml").write_text(PLAN)
    (tmp_path / "parts_of_replay.py").write_text(PARTS)
    rows = np.zeros(COUNT, TICK)
    rows["time"], rows["px"] = np.arange(COUNT) // 7, np.arange(COUNT)
    (tmp_path / "in.raw").write_bytes(rows.tobytes())
    (tmp_path / "tail.raw").write_bytes(rows[3000:4000].tobytes())
    code, text = _recorded(tmp_path, "in.raw", "out.raw", "")
    assert code == 0, text
    return tmp_path


def _recorded(place: Path, rows: str, out: str, mark: str) -> tuple[int, str]:
    taps = ["-o", f"audit={place / ('audit' + mark)}", "-o", f"inner={place / ('inner' + mark)}"]
    return _run("run", place / "plan.toml", "-i", place / rows, "-o", f"out={place / out}", *taps)


def _replayed(place: Path, *more: str) -> tuple[int, str]:
    return _run("replay", place / "audit", "--into", place / "plan.toml", "-o", f"out={place / 'again.raw'}", *more)


def test_the_same_bytes(place: Path) -> None:
    code, text = _replayed(place)
    assert code == 0, text
    assert (place / "again.raw").read_bytes() == (place / "out.raw").read_bytes()


def test_from_the_middle_is_a_run_of_those_rows(place: Path) -> None:
    assert _recorded(place, "tail.raw", "tail_out.raw", "2")[0] == 0
    code, text = _replayed(place, "--from", "3000", "--until", "4000")
    assert code == 0, text
    assert (place / "again.raw").read_bytes() == (place / "tail_out.raw").read_bytes()


def test_a_lane_that_inherits_its_order_is_refused(place: Path) -> None:
    out = f"out={place / 'again.raw'}"
    code, text = _run("replay", place / "inner", "--into", place / "plan.toml", "-o", out)
    assert code == 2 and "X054" in text and "inherits" in text
    assert not (place / "again.raw").exists()


def test_a_tap_that_is_none_is_refused(place: Path) -> None:
    code, text = _replayed(place, "--tap", "audi")
    assert code == 2 and "X054" in text and "`audit`" in text


def test_what_a_journal_holds(place: Path) -> None:
    code, text = _run("journal", "verify", place / "audit", "--json")
    assert code == 0 and json.loads(text)["records"] == COUNT
    assert _run("journal", "ls", place / "audit")[0] == 0
    assert _run("journal", "export", place / "audit", place / "rows.jsonl", "--from", "4998")[0] == 0
    lines = (place / "rows.jsonl").read_text().splitlines()
    assert [json.loads(line)["px"] for line in lines] == [4998, 4999]


def test_an_audit_needs_a_place(place: Path) -> None:
    code, text = _run("run", place / "plan.toml", "-i", place / "in.raw", "-o", f"out={place / 'x.raw'}")
    assert code == 2 and "X011" in text and "`audit`" in text and "`inner`" in text
    assert not (place / "x.raw").exists()


def test_the_pace_is_that_of_the_timestamps(place: Path) -> None:
    graph = load(place / "plan.toml").spec
    assert pace_of(graph, tapped(graph, "audit")).seconds == 1e-3
    waits: list[float] = []
    pace = Pace("time", 1e-3, sleep=waits.append, now=lambda: 10.0)
    rows = np.zeros(5, TICK)
    rows["time"] = [100, 100, 150, 150, 400]
    assert [len(part) for part in pace.paced(rows)] == [2, 2, 1]
    assert [round(wait, 6) for wait in waits] == [0.0, 0.05, 0.3]


def test_what_is_behind_a_lane_has_no_taps(place: Path) -> None:
    graph = load(place / "plan.toml").spec
    part = behind(graph, tapped(graph, "audit"))
    assert not part.bridges and {lane.kind for lane in part.lanes} <= {"events", "fanout"}
    assert [at.ingress.name for at in part.ingresses] == ["in"]
