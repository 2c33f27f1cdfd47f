"""A placed plant under Ray: what an actor is told, what it waits for, and that a part outlives whoever started it.

Rule 1. The cluster is two machines in namespaces; where there is no Ray, only what needs none is tested.
"""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest
from typer.testing import CliRunner

from byteor.cli.app import app
from byteor.cli.loading import placed_plant
from byteor.cli.on_ray import TRIES, Tending, parts_of, resource_of, started
from tests.place.cluster import cluster
from tests.place.ray_troubles import Troubled, troubles
from tests.place.test_hosts import placed


def statuses(*given: int) -> tuple[int, int, int]:
    """What an actor ends with when its part ends so, how often it started it, and how often it waited."""
    left, naps = list(given), []
    made = Tending(lambda: left.pop(0), lambda: 0, lambda: "", naps.append)
    return made.run(), len(given) - len(left), len(naps)


def test_an_actor_starts_its_part_until_it_is_over() -> None:
    assert statuses(0) == (0, 1, 0)
    assert statuses(4, 4, 0) == (0, 3, 2)  # another one has it: it is waited for
    assert statuses(1, -9, 0) == (0, 3, 2)
    assert statuses(2) == (2, 1, 0) and statuses(5) == (5, 1, 0) and statuses(143) == (143, 1, 0)
    assert statuses(*[1] * (TRIES + 1)) == (1, TRIES, TRIES - 1)


@pytest.mark.parametrize(("said", "status", "starts"), [("", 0, 2), ("failed", 0, 2), ("aborted", 143, 1)])
def test_a_part_that_another_one_was_told_to_stop_stays_stopped(said: str, status: int, starts: int) -> None:
    left, held = [4, 0], [7, 7]
    made = Tending(lambda: left.pop(0), lambda: held.pop(0) if held else 0, lambda: said, lambda seconds: None)
    assert (made.run(), 2 - len(left), held) == (status, starts, [])


def test_an_actor_that_is_to_stop_starts_nothing_and_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[tuple[int, int]] = []
    monkeypatch.setattr(os, "kill", lambda pid, number: told.append((pid, number)))
    held = [7, 7, 0]
    made = Tending(lambda: 1, lambda: held.pop(0), lambda: "aborted", lambda seconds: None)
    made.stop()
    assert (made.run(), held, told) == (143, [], [(7, signal.SIGTERM)])
    over = Tending(lambda: 1, lambda: 0, lambda: "done", lambda seconds: None)
    over.stop()
    assert over.run() == 0


def test_the_status_of_a_part_comes_from_beyond_its_parent() -> None:
    for words, status in (("exit 0", 0), ("exit 5", 5), ("exit 143", 143), ("kill -9 $$", -9)):
        assert started(["/bin/sh", "-c", words]) == status


def test_a_part_is_no_child_and_of_no_session_of_its_actor(tmp_path: Path) -> None:
    facts = tmp_path / "facts"
    started(["/bin/sh", "-c", f"cat /proc/$$/stat > {facts}"])
    _, parent, _, session = facts.read_text().rpartition(")")[2].split()[:4]
    assert int(parent) != os.getpid() and int(session) != os.getsid(0)


def test_an_actor_is_told_the_command_of_its_host(tmp_path: Path) -> None:
    a, _ = placed(tmp_path)
    parts = parts_of(placed_plant(str(a.place)), str(a.place))
    assert [part.host for part in parts] == ["a", "b"] and resource_of("b") == "host:b"
    words = " ".join(parts[1].words)
    assert words == f"host --name b --place {a.place} --resume /dev/shm/byteor-orders-b --log json"


def test_what_cannot_run_on_a_cluster_is_a_finding(tmp_path: Path) -> None:
    a, _ = placed(tmp_path)
    for words in (["--place", str(a.place)], ["--on", "ray://auto"], ["--place", str(a.place), "--on", "dask://x"]):
        said = CliRunner().invoke(app, ["run", str(tmp_path / "orders.toml"), *words])
        assert said.exit_code == 2 and "error[X" in said.stderr, said.stderr


@pytest.mark.stress
@pytest.mark.timeout(600)
def test_parts_outlive_their_actors_and_a_raylet_and_stop_when_told(tmp_path: Path) -> None:
    pytest.importorskip("ray", reason="Ray is not installed")
    known = troubles(())
    with cluster(tmp_path) as machines:
        for name in ("actors", "raylet", "stopped"):
            seen = Troubled(machines, tmp_path / name).run(name, known[name])
            assert seen.fine, str(seen)
