"""A ring whose stages are processes: the same bytes as in one process, whoever is killed; and what is refused."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from byteor.cli.app import app
from byteor.exec.load import load
from byteor.exec.resolve import resolve
from byteor.plant.ring_processes import RingProcesses, WantedRing, bring_up
from byteor.plant.supervisor import Pauses
from byteor.spec.placement import Place, Placement

PLAN = """
plan = 2
name = "apart"
target = "single_ring"

[types.tick]
key = "u8"
px = "i64"
twice = "i64"

[types.total]
key = "u8"
n = "i64"
sum = "i64"

[ring]
type = "tick"
capacity = 64

[[ingress]]
name = "in"
format = "raw"

[[stage]]
name = "odd"
call = "parts_of_ring:odd"
min_out = 0
reads = ["px"]
writes = []

[[stage]]
name = "twice"
call = "parts_of_ring:twice"
after = ["odd"]
reads = ["px"]
writes = ["twice"]

[[stage]]
name = "total"
call = "parts_of_ring:total"
after = ["twice"]
compiled = false
reads = ["key", "twice"]
writes = []
state = { type = "total", by = "key", max = 8 }
end = { type = "total", max = 8 }

[[egress]]
name = "out"
format = "raw"
emit = "both"
sort = ["key"]
"""
PARTS = """
import byteor

@byteor.stage
def odd(rec):
    return rec.px % 2 == 1

@byteor.stage
def twice(rec):
    rec.twice = 2 * rec.px

@byteor.stage
def total(rec, state):
    state.n += 1
    state.sum += rec.twice

@total.end
def _(out, state):
    for i in range(len(state)):
        out[i] = state[i]
    return len(state)
"""
TICK = np.dtype([("key", "u1"), ("px", "<i8"), ("twice", "<i8")])
COUNT = 20_000
NAMES = ("in", "odd", "twice", "total", "out")


def _run(*args: str | Path) -> tuple[int, str]:
    result = CliRunner().invoke(app, [str(arg) for arg in args])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, result.output


@pytest.fixture
def place(tmp_path: Path) -> Path:
    (tmp_path / "plan.toml").write_text(PLAN)
    (tmp_path / "parts_of_ring.py").write_text(PARTS)
    rows = np.zeros(COUNT, TICK)
    rows["key"], rows["px"] = np.arange(COUNT) % 5, np.arange(COUNT)
    (tmp_path / "in.raw").write_bytes(rows.tobytes())
    (tmp_path / "one").mkdir()
    code, text = _run("run", tmp_path / "plan.toml", "-i", tmp_path / "in.raw", *_outputs(tmp_path / "one"))
    assert code == 0, text
    return tmp_path


def _outputs(folder: Path) -> list[str]:
    return ["-o", f"out={folder / 'rows.raw'}", "-o", f"out.end={folder / 'ends.raw'}"]


def _brought_up(place: Path, restart: str = "never") -> RingProcesses:
    loaded = load(place / "plan.toml")
    codes, found = resolve(loaded.spec, loaded.folder)
    assert not found
    placement = Placement("apart", "none", tuple(Place(name, restart=restart, limit=50) for name in NAMES))
    outputs = {"out": str(place / "rows.raw"), "out.end": str(place / "ends.raw")}
    wanted = WantedRing(loaded.spec, placement, loaded.folder, codes, {"in": str(place / "in.raw")}, outputs, {})
    return bring_up(wanted, place / "plant")


def _same(place: Path) -> None:
    for name in ("rows.raw", "ends.raw"):
        assert (place / name).read_bytes() == (place / "one" / name).read_bytes(), name


def test_the_same_bytes_as_in_one_process(place: Path) -> None:
    made = _brought_up(place)
    ended = made.run(lambda *_: None)
    assert [one.status for one in ended] == ["done"] * len(NAMES)
    assert made.snapshot().messages_in == COUNT
    made.held.remove()
    _same(place)
    assert not (place / "plant").exists()


@pytest.mark.stress
def test_whoever_is_killed_is_followed(place: Path) -> None:
    """Each role is killed once, as soon as it has said that it is ready."""
    made = _brought_up(place, "on_failure")
    left = set(NAMES)

    def kill_who_is_ready() -> None:
        assert made.supervisor is not None
        for name, pid in made.supervisor.pids.items():
            if name in left and made.supervisor.opened:
                left.discard(name)
                os.kill(pid, signal.SIGKILL)

    ended = made.run(lambda *_: None, kill_who_is_ready, Pauses(turn=0.01))
    made.held.remove()
    assert not left
    assert [(one.status, one.restarts) for one in ended] == [("done", 1)] * len(NAMES)
    _same(place)


def test_a_stage_that_reads_what_it_writes_may_not_come_back(place: Path) -> None:
    text = PLAN.replace('writes = ["twice"]', 'writes = ["px", "twice"]')
    (place / "plan.toml").write_text(text)
    args: list[Any] = ["run", place / "plan.toml", "-i", place / "in.raw", *_outputs(place), "--processes"]
    code, said = _run(*args, "--restarts", "3")
    assert code == 2 and "X055" in said
    assert not (place / "rows.raw").exists()


def test_shards_have_one_process(place: Path) -> None:
    text = PLAN.replace("capacity = 64\n", 'capacity = 64\nshards = 2\nordering = "per_key"\nshard_key = "key"\n')
    (place / "plan.toml").write_text(text)
    code, said = _run("run", place / "plan.toml", "-i", place / "in.raw", *_outputs(place), "--processes")
    assert code == 2 and "X006" in said
