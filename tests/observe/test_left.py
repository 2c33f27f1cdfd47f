"""A plant that failed and was kept: its status, who is to blame, and its roles by hand."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from typer.testing import CliRunner

from byteor.cli.app import app
from byteor.observe.window import Window
from byteor.plant import ending
from tests.observe import made

NAMES = ("first", "second")


def asked(*arguments: str) -> Result:
    """Run a command in this process."""
    result: Result = CliRunner().invoke(app, list(arguments), catch_exceptions=False)  # type: ignore[assignment]
    return result


def answer(*arguments: str) -> dict[str, Any]:
    done = asked(*arguments, "--json")
    assert done.exit_code == 0, done
    data: dict[str, Any] = json.loads(done.stdout)
    return data


@pytest.fixture(scope="module")
def failed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The folder of a plant whose second stage raised at record 700."""
    folder = tmp_path_factory.mktemp("left")
    stages = made.stage("first"), made.stage("second", "fails", False)
    path, where = made.write(folder, made.chain(*stages, names=NAMES, capacity=64)), folder / "plant"
    (folder / "in.csv").write_text("a,b\n" + "".join(f"{n},0\n" for n in range(1000)))
    places = ("-i", f"in={folder}/in.csv", "-o", f"out={folder}/out.csv")
    options = ("--processes", "--dir", str(where), "--keep", "--log", "json")
    command = made.command("run", str(path), *places, *options)
    done = subprocess.run(command, text=True, capture_output=True, check=False)
    assert done.returncode == 1, done
    events = [json.loads(line) for line in done.stderr.splitlines() if line.startswith("{")]
    assert {"role_failed", "plant_kept", "run_ended"} <= {one["event"] for one in events}
    yield where


def test_blame_names_the_stage_and_prints_the_record(failed: Path) -> None:
    data = answer("blame", str(failed))
    (charge,) = data["charges"]
    assert (charge["role"], charge["lane"], charge["sequence"]) == ("second", "first_to_second", 700)
    assert charge["cause"] == "ValueError: seven hundred" and charge["record"] == "record(a=700, b=701)"
    assert data["status"] == "failed"
    text = asked("blame", str(failed)).stdout
    assert (
        "`second` raised at record 700 of `first_to_second`: ValueError: seven hundred\n  record(a=700, b=701)" in text
    )


def test_what_was_committed_and_what_was_under_way(failed: Path) -> None:
    data = answer("blame", str(failed))
    roles = {role["name"]: role for role in data["roles"]["roles"]}
    (waiting,) = [one for one in data["under_way"] if one["before"] == "second"]
    assert waiting["first"] == roles["second"]["taken"] <= 700 < waiting["first"] + waiting["count"]
    assert waiting["first"] + waiting["count"] == roles["first"]["put"]
    status = answer("status", str(failed))
    assert status["live"] is False and status["rate_per_s"] is None
    assert {role["name"]: role["taken"] for role in status["roles"]} == {n: r["taken"] for n, r in roles.items()}
    assert {role["state"] for role in status["roles"]} <= {"gone", "done"}


def test_why_slow_says_that_nobody_runs_it(failed: Path) -> None:
    assert asked("why-slow", str(failed)).stdout == "nobody runs this plant: its supervisor is gone\n"


def test_a_role_by_hand(failed: Path) -> None:
    """Alone it runs on from what was left, and raises again; without `--alone` it wants a supervisor."""
    again = asked("role", str(failed), "--name", "second", "--alone")
    assert again.exit_code == 1 and "seven hundred" in again.stderr
    nobody = asked("role", str(failed), "--name", "second", "--wait", "0")
    assert nobody.exit_code == 2 and "X050" in nobody.stderr
    unknown = asked("role", str(failed), "--name", "secnd", "--alone")
    assert unknown.exit_code == 2 and "X051" in unknown.stderr


def test_a_role_whose_region_is_lost(failed: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    subprocess.run(["cp", "-r", str(failed), str(copy)], check=True)
    (copy / "lane.first_to_second").unlink()
    lost = asked("role", str(copy), "--name", "second", "--alone")
    assert lost.exit_code == 5 and "X041" in lost.stderr


def test_names(failed: Path, tmp_path: Path) -> None:
    for command in ("status", "why-slow", "blame"):
        missing = asked(command, "no-plant-of-this-name")
        assert missing.exit_code == 2 and "X042" in missing.stderr
    assert asked("status").exit_code == 0
    (tmp_path / "empty").mkdir(mode=0o700)
    assert asked("status", str(tmp_path / "empty")).exit_code == 2


def test_an_ending_that_somebody_changed(tmp_path: Path) -> None:
    for text in ("", "[]", '{"roles": 3}', "{" * 5000, '{"roles": {"a": 1}}'):
        (tmp_path / ending.FILE).write_text(text)
        assert ending.read(tmp_path).roles == {}


def test_a_killed_supervisor_leaves_nobody_accused_and_a_role_that_is_held(tmp_path: Path) -> None:
    stages = made.stage("first"), made.stage("second", "sleeps", False)
    with made.running(tmp_path, made.chain(*stages, names=NAMES, capacity=64)) as plant:
        plant.moves()
        held = asked("role", str(plant.folder), "--name", "first")
        assert held.exit_code == 4 and "X052" in held.stderr
        os.kill(plant.child.pid, signal.SIGKILL)
        plant.child.wait()
        window = Window(plant.folder)
        while any(role.alive for role in window.status().roles):
            pass
    data = answer("blame", str(plant.folder))
    assert data["charges"] == [] and data["status"] == ""
    assert data["under_way"] and all(one["record"].startswith("record(a=") for one in data["under_way"])
