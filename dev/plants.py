"""Plants under stress: their processes killed at every named point and at random moments, the outputs always the same.

Rule 1. What is checked stands in `byteor.testing`; here is which plants are killed, how often, and what is printed.
Rule 2. Random plants are told by seeds and held to the interpreter of the tests; the flights plant to a run in one
    process that nobody disturbs.
Rule 3. First every kind of role dies at each of its points as often as asked; the other kills fall at random.
"""

from __future__ import annotations

import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from statistics import median
from typing import Any

from dev.steps import ROOT, environment

AT_EACH = 10  # kills of each kind of role at each point, of 500
A_RUN = 40  # random kills of one run
PACE = 0.15  # seconds between two random kills, at most
STEADY = 60  # kills of one plant under one supervisor, which must stay as it is
FLAT = 1.05
WANTED = (
    *("ingress", "egress", "compiled stage", "plain stage", "filter", "one to many", "keyed state"),
    *("stage with end", "router", "merge", "bridge", "tap"),
)


def stress(kills: int, seed: int) -> int:
    """Kill processes of plants; print where the kills fell; 1 when anything was wrong."""
    sys.path[:0] = [str(ROOT / "src"), str(ROOT)]
    from byteor.testing.plant_kills import Campaign

    dice = random.Random(seed)
    with tempfile.TemporaryDirectory(prefix="byteor-kills-", dir="/dev/shm") as folder:
        campaign = Campaign(Path(folder), dice)
        began = time.monotonic()
        flights = _flights(Path(folder) / "flights")
        _at_points(campaign, flights, max(1, AT_EACH * kills // 500), dice)
        _steady(campaign, flights)
        while campaign.tally.kills < kills or _few(campaign, 2 * AT_EACH * kills // 500):
            plant = flights if dice.random() < 0.2 else _subject(campaign, dice.randrange(10_000), dice)
            _told(campaign, lambda plant=plant: campaign.at_random(plant, A_RUN, PACE))
        _table(campaign)
        wrong = campaign.tally.wrong
        print(f"{campaign.tally.kills} kills, {len(wrong)} faults, {time.monotonic() - began:.0f} s, seed {seed}")
    return int(bool(wrong))


def _few(campaign: Any, least: int) -> bool:
    """Whether supervisors and forkservers were killed too seldom."""
    fell = campaign.tally.fell
    return any(sum(n for (kind, _), n in fell.items() if kind == who) < least for who in ("supervisor", "forkserver"))


def _module(name: str) -> Any:
    """A module of the tests of plants."""
    return import_module(f"tests.plants.{name}")


# the plants


def _subject(campaign: Any, seed: int, dice: random.Random) -> Any:
    dags, subject = _module("dags"), _module("subjects").subject
    made = dags.dag(seed, journals=True, times=dice.choice([5, 10, 20]))
    folder = Path(tempfile.mkdtemp(dir=campaign.folder))
    return subject(made, folder, batch=dice.choice([1, 2, 3, 7, 64]), wait=dice.choice(["block", "block", "backoff"]))


def _flights(folder: Path) -> Any:
    """The flights plant, and its files from an undisturbed run in one process."""
    from byteor.exec.load import load
    from byteor.exec.resolve import resolve
    from byteor.plant.processes import Wanted
    from byteor.spec.placement import Placement
    from byteor.testing.plant_runs import Plant

    example = ROOT / "examples" / "flights-plant"
    subprocess.run(
        [sys.executable, example / "prepare.py", folder], check=True, env=environment(), stdout=subprocess.DEVNULL
    )
    inputs = {name: str(folder / f"{name}.csv") for name in ("weather", "flights")}
    (folder / "calm").mkdir()
    (folder / "out").mkdir()
    names = {"events": "events.parquet", "alerts": "alerts.jsonl"}
    command = [sys.executable, "-c", "from byteor.cli import main; main()", "run", str(example / "plan.toml")]
    command += [part for name, place in inputs.items() for part in ("-i", f"{name}={place}")]
    command += [part for name, file in names.items() for part in ("-o", f"{name}={folder / 'calm' / file}")]
    subprocess.run(command, check=True, env=environment(), stdout=subprocess.DEVNULL)
    expected = {name: (folder / "calm" / file).read_bytes() for name, file in names.items()}
    outputs = {name: str(folder / "out" / file) for name, file in names.items()}
    loaded = load(example / "plan.toml")
    codes, found = resolve(loaded.spec, example)
    assert not found, found
    placement = Placement(loaded.spec.name, "none", ())
    wanted = Wanted(loaded.spec, placement, example, codes, inputs, outputs, {"batch": 512, "wait": "block"})
    return Plant("flights", wanted, expected)


# the phases


def _at_points(campaign: Any, flights: Any, each: int, dice: random.Random) -> None:
    """Let every kind of role die at each of its points, `each` times."""
    _told(campaign, lambda: campaign.at_points(flights, each))
    for seed in _seeds(campaign, each, dice):
        _told(campaign, lambda seed=seed: campaign.at_points(_subject(campaign, seed, dice), each))


def _seeds(campaign: Any, each: int, dice: random.Random) -> Iterator[int]:
    """Plants that have what was killed too seldom."""
    from byteor.plant.wiring import wire
    from byteor.testing.plant_runs import kinds_of, points_of

    dags = _module("dags")
    while short := {(k, p) for k in WANTED for p in _points(k) if campaign.tally.fell[k, p] < each}:
        seed = dice.randrange(10_000)
        wiring = wire(dags.dag(seed, journals=True).graph)
        has = {(k, p) for role in wiring.roles for k in kinds_of(wiring, role) for p in points_of(wiring, role)}
        if len(has & short) >= min(len(short), 4):
            yield seed


def _points(kind: str) -> tuple[str, ...]:
    from byteor.plant import failpoints as f

    more = {
        "ingress": (f.FED,),
        "egress": (f.SPOOLED, f.CONVERTED, f.RENAMED),
        "tap": (f.APPENDED,),
        "stage with end": (f.END_FILLED, f.END_COMMITTED, f.FED),
    }
    return (*f.COMMIT, *more.get(kind, ()))


def _steady(campaign: Any, flights: Any) -> None:
    """Hold a supervisor's memory and descriptors to what they were after its first kills."""
    tally = campaign.tally
    tally.levels.clear()
    _told(campaign, lambda: campaign.at_random(flights, STEADY, PACE, supervisors=False))
    first, last = (_level(part) for part in (tally.levels[5:15], tally.levels[-10:]))
    print(f"supervisor at first: RSS {first[0]:.1f} MiB, {first[1]:g} descriptors")
    print(f"        and at last: RSS {last[0]:.1f} MiB, {last[1]:g} descriptors")
    if last[0] > first[0] * FLAT or last[1] > first[1]:
        tally.wrong.append("the supervisor's memory or descriptors are not flat")


def _level(levels: list[tuple[int, int]]) -> tuple[float, float]:
    return median(rss for rss, _ in levels) / 2**20, median(fds for _, fds in levels)


# what is printed


def _told(campaign: Any, run: Any) -> None:
    before, wrong, began = campaign.tally.kills, len(campaign.tally.wrong), time.monotonic()
    run()
    done = campaign.tally.kills - before
    print(f"{campaign.last:<12} {done:>4} kills {time.monotonic() - began:6.1f} s", flush=True)
    for fault in campaign.tally.wrong[wrong:]:
        print(f"  {fault}", flush=True)


def _table(campaign: Any) -> None:
    """Where the kills fell; a stage stands under each of its kinds."""
    fell = campaign.tally.fell
    for kind in dict.fromkeys(kind for kind, _ in sorted(fell)):
        places = {place: n for (who, place), n in sorted(fell.items()) if who == kind}
        print(f"{kind:<15} {sum(places.values()):>4}  " + ", ".join(f"{place} {n}" for place, n in places.items()))
    print(f"killed with nothing to finish, not counted: {campaign.tally.idle}")
