"""A plant in one process gives what the naive interpreter gives: random graphs, stepped and on threads, any wait.

The interpreter shares no code with the executor. What occurred is printed (`pytest -s`).
"""

from __future__ import annotations

import tempfile
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from byteor.exec.load import Loaded
from byteor.exec.shard import Options
from byteor.plant.assembly import Outside
from byteor.plant.blocks import Make, in_memory
from byteor.plant.logs import logs_of
from byteor.plant.run import run_plant
from byteor.plant.shared import make_in
from byteor.plant.status import Status
from byteor.plant.wiring import wire
from tests.plants import dags, oracle

SEEDS = 16
MORE = range(4, SEEDS)  # graphs for `dev full`: each compiles loops of its own
WAYS = {
    "stepped": Options(batch=64, threads=False),
    "threads": Options("backoff", batch=64),
    "blocking threads": Options("block", batch=7),
    "one by one": Options("yield", batch=1),
    "interpreted": Options("backoff", batch=5, interpreted=True),
    "threads over shm": Options("backoff", batch=64),
}
# Every way sees every seed's graph; the ways that wait for each other at every record see fewer of them.
CASES = [
    pytest.param(way, seed, marks=pytest.mark.stress if seed in MORE else ())
    for seed in range(SEEDS)
    for way in WAYS
    if way in ("stepped", "threads") or seed % 4 == 0
]


class Kept:
    """An outlet that keeps its records."""

    def __init__(self) -> None:
        self.parts: list[np.ndarray] = []

    def open(self, written: int) -> None:
        assert written == 0

    def write(self, records: np.ndarray) -> None:
        self.parts.append(records.copy())

    def convert(self) -> None:
        pass

    def finish(self) -> None:
        pass

    def leave(self) -> None:
        pass


def _run(
    plant: dags.Dag, options: Options, make: Make = in_memory, folder: Path | None = None
) -> tuple[dict[str, Kept], Status]:
    """Run a plant to its end; one with journals needs a folder for them."""
    by = {at.ingress.name: at.ingress.sort_by for at in plant.graph.ingresses}
    rows = {n: r[np.argsort(r[by[n]], kind="stable")] if by[n] else r for n, r in plant.rows.items()}
    sources = {name: lambda at, name=name: iter([rows[name][at:]] if at < len(rows[name]) else []) for name in rows}
    outlets = {at.egress.name: Kept() for at in plant.graph.egresses}
    logs = logs_of(wire(plant.graph), {}, folder) if folder else {}
    for log in logs.values():
        log.create()
    run = run_plant(Loaded(plant.graph, dags.FOLDER), plant.stages, options, Outside(sources, outlets, logs), make)
    run.start()
    run.join()
    run.check()
    assert run.plant.status == "done"
    return outlets, run.snapshot()


@pytest.mark.parametrize(("way", "seed"), CASES)
def test_the_same_bytes_as_the_interpreter(way: str, seed: int) -> None:
    plant = dags.dag(seed)
    wanted = oracle.expected(plant.graph, plant.stages, plant.rows)
    with tempfile.TemporaryDirectory(prefix="byteor-test-", dir="/dev/shm") as folder:
        make = make_in(Path(folder)) if "shm" in way else in_memory
        outlets, now = _run(plant, WAYS[way], make)
    for name, kept in outlets.items():
        got = np.concatenate(kept.parts) if kept.parts else np.zeros(0, wanted.egresses[name].dtype)
        assert len(got) == len(wanted.egresses[name]), name
        assert got.tobytes() == np.ascontiguousarray(wanted.egresses[name], got.dtype).tobytes(), name
    assert now.late == sum(wanted.late.values())
    assert all(role.lag == 0 for role in now.roles)


@pytest.mark.parametrize("seed", [8, 3, 1824, 4789])
@pytest.mark.parametrize("way", ["threads", "blocking threads"])
def test_journals_change_nothing(way: str, seed: int, tmp_path: Path) -> None:
    """Taps, sources through a log, and merges behind what comes out of one."""
    plant = dags.dag(seed, journals=True, times=2)
    assert any(lane.kind == "journal" for lane in plant.graph.lanes)
    wanted = oracle.expected(plant.graph, plant.stages, plant.rows)
    outlets, _ = _run(plant, WAYS[way], folder=tmp_path)
    for name, kept in outlets.items():
        got = np.concatenate(kept.parts) if kept.parts else np.zeros(0, wanted.egresses[name].dtype)
        assert got.tobytes() == np.ascontiguousarray(wanted.egresses[name], got.dtype).tobytes(), name


def test_the_graphs_have_everything_in_them() -> None:
    used: Counter[str] = Counter()
    for seed in range(SEEDS):
        used += dags.dag(seed).used
    print("\n" + "\n".join(f"{n:6d}  {what}" for what, n in sorted(used.items())))
    for what in ("filter", "one to many", "router by_key", "router work_queue", "router broadcast", "fanout", "end"):
        assert used[what] > 0, what
    for what in (
        "merge by_field",
        "merge round_robin",
        "equal times beyond every capacity",
        "capacity 1",
        "late: drop",
    ):
        assert used[what] > 0, what
