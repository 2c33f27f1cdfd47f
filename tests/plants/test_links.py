"""One plant on two hosts, over loopback: the same bytes, whoever is killed and whatever breaks; and what is refused."""

from __future__ import annotations

import random
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from byteor.fabric import findings
from byteor.plant.failpoints import COMMIT, RECEIVED, SENT, TOLD
from byteor.plant.wiring import Part
from byteor.testing import certificates
from byteor.testing.link_runs import crossings, scattered, split
from byteor.testing.plant_runs import Plant, Run
from byteor.testing.relay import Relay
from tests.plants import dags
from tests.plants.subjects import subject

pytestmark = pytest.mark.timeout(180)
SEED = 2
BASE = Path("/dev/shm")


@pytest.fixture
def base(tmp_path: Path) -> Iterator[Path]:
    """A folder in shared memory."""
    made = BASE / f"byteor-test-links-{tmp_path.parent.name}-{tmp_path.name}"
    shutil.rmtree(made, ignore_errors=True)
    made.mkdir()
    yield made
    shutil.rmtree(made)


def plant_of(base: Path, seed: int = SEED, times: int = 1) -> tuple[Plant, Mapping[str, str]]:
    plant = subject(dags.dag(seed, times=times), base / "files", wait="block", batch=64, interpreted=True)
    where = scattered(plant.wanted.graph, ("near", "far"), random.Random(seed))
    assert crossings(plant.wanted.graph, where)
    return plant, where


def ended(runs: Mapping[str, Run], turn: Callable[[], object] = tuple) -> dict[str, int]:
    """Wait for the ends of all supervisors."""
    found: dict[str, int] = {}
    while len(found) < len(runs):
        for host, run in runs.items():
            if host not in found and (status := run.ended()) is not None:
                found[host] = status
        turn()
        time.sleep(0.005)
    return found


def run_parts(
    base: Path, parts: Mapping[str, Plant], deaths: Mapping[str, Mapping[str, list[tuple[str, int]]]] = {}
) -> dict[str, Run]:
    runs = {host: Run(part, base / f"run-{host}", deaths.get(host)) for host, part in parts.items()}
    for run in runs.values():
        run.start()
    return runs


def judged(runs: Mapping[str, Run], found: Mapping[str, int]) -> list[str]:
    try:
        return [f"{host}: {wrong}" for host, run in runs.items() for wrong in run.judge(found[host])]
    finally:
        for run in runs.values():
            run.clear()


@pytest.mark.parametrize("fabric", ["tcp", pytest.param("zenoh", marks=pytest.mark.stress)])
def test_two_hosts_give_the_bytes_of_one(base: Path, fabric: str) -> None:
    if fabric == "zenoh":
        pytest.importorskip("zenoh")
    plant, where = plant_of(base)
    runs = run_parts(base, split(plant, where, fabric))
    assert judged(runs, ended(runs)) == []


@pytest.mark.stress
@pytest.mark.skipif(not certificates.can_make(), reason="openssl is not on this machine")
def test_so_they_do_with_certificates(base: Path, tmp_path: Path) -> None:
    plant, where = plant_of(base)
    certificates.authority(tmp_path)
    pems = {host: certificates.certificate(tmp_path, host) for host in ("near", "far")}
    runs = run_parts(base, split(plant, where, certificates=pems))
    assert judged(runs, ended(runs)) == []


@pytest.mark.stress
def test_both_ends_die_at_every_step_behind_a_relay_that_breaks(base: Path) -> None:
    plant, where = plant_of(base, times=4)
    relays: list[Relay] = []

    def before(port: int) -> int:
        relays.append(Relay(port, delay=0.001, loss=0.02))
        return relays[-1].port

    parts = split(plant, where, before=before)
    points = {"out": (*COMMIT, SENT), "in": (*COMMIT, RECEIVED, TOLD)}
    deaths = {
        host: {role.name: [(point, 2) for point in points[role.kind]] for role in part.wiring.roles if role.is_link}
        for host, part in parts.items()
    }
    runs = run_parts(base, parts, deaths)
    found = ended(runs)
    restarts = sum(count for run in runs.values() for count in run.restarts().values())
    assert judged(runs, found) == []
    assert restarts >= 20
    for relay in relays:
        relay.__exit__()


def refused(base: Path, parts: Mapping[str, Plant]) -> str:
    """Run parts of which one cannot go on with the other; what was found."""
    runs = run_parts(base, parts)
    try:
        while all(run.ended() is None for run in runs.values()):
            time.sleep(0.005)
        return "".join(run._note.read_text() for run in runs.values() if run._note.exists())
    finally:
        for run in runs.values():
            run.clear()


def with_links(plant: Plant, **changes: object) -> Plant:
    part = plant.wanted.part
    assert part is not None
    links = tuple(replace(link, **changes) for link in part.links)  # type: ignore[arg-type]
    return replace(plant, wanted=replace(plant.wanted, part=Part(part.roles, links)))


@pytest.mark.stress
def test_another_run_is_refused(base: Path) -> None:
    plant, where = plant_of(base)
    parts = split(plant, where)
    said = refused(base, {"near": parts["near"], "far": with_links(parts["far"], generation=2)})
    assert findings.OTHER_RUN.code in said


@pytest.mark.stress
def test_another_lane_is_refused(base: Path) -> None:
    plant, where = plant_of(base)
    parts = split(plant, where)
    ports = {link.listen: link for part in parts.values() for link in part.wanted.part.links if link.listen}  # type: ignore[union-attr]
    assert len(ports) > 1
    one, other = list(ports)[:2]
    swapped = {one: other, other: one}
    changed = {
        host: replace(
            part,
            wanted=replace(
                part.wanted,
                part=replace(
                    part.wanted.part,  # type: ignore[type-var]
                    links=tuple(replace(k, listen=swapped.get(k.listen, k.listen)) for k in part.wanted.part.links),  # type: ignore[union-attr]
                ),
            ),
        )
        for host, part in parts.items()
    }
    assert findings.OTHER_LANE.code in refused(base, changed)


def test_a_host_whose_memory_was_lost_is_not_gone_on_with(base: Path) -> None:
    plant, where = plant_of(base, times=60)
    parts = split(plant, where)
    runs = run_parts(base, parts)
    far = runs["far"]
    moved = False
    while not moved and far.ended() is None:
        if far.look():
            books = [far.blocks.books[role.number] for role in far.wiring.roles if role.is_link]
            moved = any(max(book.read("record_epoch", k) for k in (0, 1)) > 5 for book in books)
    far.clear()
    again = Run(parts["far"], base / "run-far-again")
    again.start()
    try:
        while runs["near"].ended() is None and again.ended() is None:
            time.sleep(0.005)
        said = "".join(run._note.read_text() for run in (runs["near"], again) if run._note.exists())
        assert findings.PEER_LOST.code in said
    finally:
        for run in (runs["near"], again):
            run.clear()
