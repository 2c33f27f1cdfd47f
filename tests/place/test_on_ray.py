"""A placed plant under Ray: what an actor is told, what it waits for, and that a part outlives whoever started it.

Rule 1. The cluster is two of its nodes on this machine; where Ray is not installed, only what needs none is tested.
"""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from byteor.cli.app import app
from byteor.cli.loading import placed_plant
from byteor.cli.on_ray import TRIES, parts_of, resource_of, tended
from tests.place.hosts import COMMAND, ROOT, Host, await_that, given_up
from tests.place.test_hosts import placed

MEMORY = 80_000_000


def statuses(*given: int) -> tuple[int, int, int]:
    """What an actor ends with when its part ends so, how often it started it, and how often it waited."""
    left, naps = list(given), []
    return tended(lambda: left.pop(0), naps.append), len(given) - len(left), len(naps)


def test_an_actor_starts_its_part_until_it_is_over() -> None:
    assert statuses(0) == (0, 1, 0)
    assert statuses(4, 4, 0) == (0, 3, 2)  # another one has it: it is waited for
    assert statuses(1, -9, 0) == (0, 3, 2)
    assert statuses(2) == (2, 1, 0) and statuses(5) == (5, 1, 0) and statuses(143) == (143, 1, 0)
    assert statuses(*[1] * (TRIES + 1)) == (1, TRIES, TRIES - 1)


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


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Any]:
    """A head without a host, and two nodes that are the hosts."""
    pytest.importorskip("ray", reason="Ray is not installed")
    from ray.cluster_utils import Cluster

    monkeypatch.setenv("BYTEOR_TEST_OVER", str(tmp_path / "over"))
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(ROOT / "src"), os.environ.get("PYTHONPATH", "")]))
    monkeypatch.setenv("RAY_USAGE_STATS_ENABLED", "0")
    head = {"num_cpus": 0, "object_store_memory": MEMORY, "include_dashboard": False}
    made = Cluster(initialize_head=True, head_node_args=head)
    try:
        yield made
    finally:
        made.shutdown()


def node(cluster: Any, host: str) -> Any:
    """Add the node of a host."""
    return cluster.add_node(num_cpus=1, resources={resource_of(host): 1}, object_store_memory=MEMORY)


def run_of(host: Host) -> int:
    """The process of `byteor host` that has the part; 0 for none."""
    from byteor.diag import Refused
    from byteor.plant import directory

    try:
        seen = directory.look(host.folder)
    except Refused:
        return 0
    return seen.pid if seen.live else 0


def parent_of(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


@pytest.mark.stress
@pytest.mark.timeout(300)
def test_parts_outlive_their_actor_and_their_node(cluster: Any, tmp_path: Path) -> None:
    a, b = placed(tmp_path, source="python:shop:rows", dirs=True)
    nodes = [node(cluster, host.name) for host in (a, b)]
    words = ["run", str(tmp_path / "orders.toml"), "--place", str(a.place), "--on", "ray://auto"]
    environment = {**os.environ, "RAY_ADDRESS": cluster.address}
    driver = subprocess.Popen([*COMMAND, *words], env=environment, stdout=subprocess.PIPE, text=True)
    with given_up((a, b)):
        await_that(lambda: b.taken("tax_out.in") == 1000)
        runs = run_of(a), run_of(b)
        actor, tender = parent_of(runs[0]), parent_of(runs[1])
        os.kill(actor, signal.SIGKILL)  # Ray kills its process group, and starts another one
        cluster.remove_node(nodes[1], allow_graceful=False)
        await_that(lambda: not _lives(actor) and not _lives(tender))
        assert (run_of(a), run_of(b)) == runs
        node(cluster, "b")
        (tmp_path / "over").touch()
        said = driver.communicate(timeout=120)[0]
    assert driver.returncode == 0 and sorted(said.splitlines()) == ["a: done", "b: done"]
    rows = (tmp_path / "out.csv").read_text().splitlines()
    assert len(rows) == 1 + 1915
    assert run_of(a) == run_of(b) == 0


def _lives(pid: int) -> bool:
    """Whether a process is there, and no zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
