"""`byteor lanes`, `inspect`, `rm` and `tail`: what they show, and how they end."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from byteor import lanes
from byteor.cli.app import app
from byteor.lanes.look import look

ROW = np.dtype([("n", "<i8"), ("who", "S4")])


def byteor(*arguments: str) -> tuple[int, str]:
    done = CliRunner().invoke(app, list(arguments))
    return done.exit_code, done.output


def as_json(*arguments: str) -> Any:
    status, text = byteor(*arguments, "--json")
    assert status == 0, text
    return json.loads(text)


@pytest.fixture
def lane(folder: Path) -> Any:
    with lanes.create("ticks", ROW, capacity=8, may_block=True) as made:
        yield made


def test_lanes_are_listed_with_their_state(lane: Any, folder: Path) -> None:
    (folder / "other").write_text("no region")
    (folder / "broken").write_bytes((folder / "ticks").read_bytes()[:600])
    os.chmod(folder / "broken", 0o600)
    found = {Path(one["path"]).name: one["state"] for one in as_json("lanes")["lanes"]}
    assert found == {"ticks": "in use", "broken": "broken"}
    status, text = byteor("lanes", "--folder", str(folder))
    assert status == 0 and "ticks                    events" in text
    assert byteor("lanes", "--folder", str(folder / "none"))[0] == 2


def test_a_lane_is_inspected(lane: Any, folder: Path) -> None:
    sender = lane.sender(name="feed")
    sender.send_many(np.array([(1, b"a"), (2, b"b")], ROW))
    seen = as_json("inspect", "ticks")
    assert seen["params"]["capacity"] == 8 and seen["capabilities"] == ["may_block"]
    assert seen["cells"][0] == {
        "name": "cursor", "index": 0, "value": 2, "state": "alive", "pid": os.getpid(), "owner": "feed",
    }  # fmt: skip
    assert seen["words"]["closed"] == [-1]
    status, text = byteor("inspect", str(folder / "ticks"))
    assert status == 0 and f"cursor 0      2                    alive  process {os.getpid()} (feed)" in text


def test_a_dead_owner_is_shown_as_dead(folder: Path) -> None:
    with lanes.create("ticks", ROW):
        pass
    pid = os.fork()
    if not pid:
        lanes.open("ticks", ROW).sender()
        os.kill(os.getpid(), signal.SIGKILL)
    os.waitpid(pid, 0)
    assert [(c.name, c.state, c.pid) for c in look(folder / "ticks").cells if c.state != "free"] == [
        ("cursor", "dead", pid)
    ]


def test_a_broken_region_is_inspected_as_far_as_it_can_be_believed(lane: Any, folder: Path) -> None:
    raw = bytearray((folder / "ticks").read_bytes())
    raw[64 + 8 * 3] = 3  # its capacity
    (folder / "bent").write_bytes(raw)
    os.chmod(folder / "bent", 0o600)
    status, text = byteor("inspect", "bent", "--json")
    found = json.loads(text)
    assert status == 2 and [one["code"] for one in found["findings"]] == ["A001"]
    assert found["kind"] == "events" and found["cells"] == []


def test_a_region_is_removed_once_nobody_lives_in_it(folder: Path) -> None:
    with lanes.create("ticks", ROW):
        status, text = byteor("rm", "ticks")
        assert status == 2 and "T024" in text
    assert byteor("rm", "ticks")[0] == 0
    assert byteor("rm", "ticks")[0] == 2


def test_messages_are_shown_as_they_come(lane: Any) -> None:
    sender = lane.sender()
    sender.send_many(np.array([(1, b"a"), (2, b"b"), (3, b"c")], ROW))
    status, text = byteor("tail", "ticks", "--type", "n:i8,who:S4", "--limit", "2")
    assert (status, text) == (0, '{"n": 1, "who": "a"}\n{"n": 2, "who": "b"}\n')
    sender.close()
    assert byteor("tail", "ticks") == (0, '{"n": 3, "who": "c"}\n'), "the type stands in the region"
    assert byteor("tail", "ticks", "--type", "n;i8")[0] == 1
    assert "T018" in byteor("tail", "ticks", "--type", "n:i4")[1]


def test_the_death_of_a_producer_ends_the_tail(folder: Path) -> None:
    with lanes.create("ticks", ROW):
        pass
    pid = os.fork()
    if not pid:
        lanes.open("ticks", ROW).sender()
        os.kill(os.getpid(), signal.SIGKILL)
    os.waitpid(pid, 0)
    status, text = byteor("tail", "ticks")
    assert status == 1 and f"producer 0 of ticks (process {pid}) died" in text


def test_a_journal_is_shown_with_its_segments(folder: Path) -> None:
    with lanes.create("log", kind="journal", retain="all", segment_bytes=4096) as lane, lane.writer() as writer:
        for n in range(5):
            writer.append(bytes([n]) * 1500)
    assert [Path(one["path"]).name for one in as_json("lanes")["lanes"]] == ["log"]
    assert [(one["number"], one["first"]) for one in as_json("inspect", "log")["segments"]] == [(0, 0), (1, 2), (2, 4)]
    status, text = byteor("inspect", "log")
    assert status == 0 and "  segment 2            1,528 bytes from record 4" in text
    assert as_json("inspect", "log.00000001")["kind"] == "segment"
    assert byteor("tail", "log", "--from", "4") == (0, f"{'04' * 1500}\n")
    os.rename(folder / "log.00000001", folder / "kept")
    status, text = byteor("inspect", "log")
    assert status == 2 and "segment 1: no file is there" in text
    assert "T040" in byteor("tail", "log")[1]
    assert byteor("rm", "log")[0] == 0 and os.listdir(folder) == ["kept"]


def test_a_state_lane_and_the_gaps_of_a_journal_are_shown(folder: Path) -> None:
    with lanes.create("best", ROW, kind="state") as lane:
        lane.writer().put((7, b"me"))
    assert byteor("tail", "best", "--type", "n:i8,who:S4") == (0, '{"n": 7, "who": "me"}\n')
    with lanes.create("log", kind="journal", segments=2, segment_bytes=4096) as lane, lane.writer() as writer:
        for n in range(4):
            writer.append(bytes([n]) * 4000)
    status, text = byteor("tail", "log")
    assert (status, text.splitlines()[0]) == (0, '{"gap": {"bytes": 8192, "first": 0, "records": 2}}')
