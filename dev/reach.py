"""A plant on two hosts under stress: the ends of its links killed, its network slow, lossy and cut; the bytes the same.

Rule 1. What is checked stands in `byteor.testing`; here is which plants, how often, how long, and what is printed.
Rule 2. Links go by a relay that delays and breaks; both fabrics carry every kind of trouble.
Rule 3. What is seen beside the bytes is printed: zombies that were left out, memory, and what was under way.
"""

from __future__ import annotations

import random
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from dev.steps import ROOT

A_RUN = 20  # random kills of one run
TIMES = 20  # as many rows as a test has
EACH = 20  # a twentieth of the kills at each point of each end, over each fabric
SLOW = 60.0  # seconds of a slow far side


def stress(kills: int, cuts: Sequence[float], seed: int) -> int:
    """Kill and cut; print where the kills fell; 1 when anything was wrong."""
    sys.path[:0] = [str(ROOT / "src"), str(ROOT)]
    from byteor.testing.link_crawl import Crawl
    from byteor.testing.link_kills import ENDS, Tally, Trouble
    from byteor.testing.link_zombies import Haunted

    dice, tally, began = random.Random(seed), Tally(), time.monotonic()
    with tempfile.TemporaryDirectory(prefix="byteor-reach-", dir="/dev/shm") as folder:
        run = Runs(Path(folder), tally, dice)
        for fabric in run.fabrics:
            for cut in cuts:
                until = tally.cut + cut
                while tally.cut < until and not tally.wrong:
                    run.one(fabric, Trouble(cuts=(cut,)), f"cut for {cut:g} s")
            goals = {end: tally.fell[end] + max(1, kills // EACH) for end in ENDS}
            while any(tally.fell[end] < goal for end, goal in goals.items()) and not tally.wrong:
                run.one(fabric, Trouble(at_points=1, delay=0.001), "killed at every point")
            run.scripted(fabric, Haunted, "zombies of both ends")
            run.scripted(fabric, Crawl, f"far side slow for {SLOW:g} s", SLOW)
        until = tally.kills + kills  # those at points come on top
        while tally.kills < until:
            run.one(dice.choice(run.fabrics), Trouble(kills=min(A_RUN, until - tally.kills)), "killed at random")
    _table(tally, time.monotonic() - began, seed)
    return int(bool(tally.wrong))


class Runs:
    """One run after the other."""

    def __init__(self, folder: Path, tally: Any, dice: random.Random) -> None:
        from importlib.util import find_spec

        self.folder, self.tally, self.dice, self.count = folder, tally, dice, 0
        self.fabrics = ["tcp", "zenoh"] if find_spec("zenoh") else ["tcp"]

    def one(self, fabric: str, trouble: Any, what: str) -> None:
        """Run one random plant, and say how it went."""
        from byteor.testing.link_kills import Hosts

        plant, where = self._subject()
        self._run(fabric, Hosts(plant, where, self._folder(), trouble, fabric), plant.name, what)

    def scripted(self, fabric: str, kind: Any, what: str, *more: Any) -> None:
        """Run the plant whose far side is slow, and say what was seen."""
        hosts = kind(self._folder(), fabric, *more)
        self._run(fabric, hosts, "crawl", what)
        print(f"  {hosts.told()}", flush=True)

    def _folder(self) -> Path:
        self.count += 1
        inner = self.folder / f"hosts{self.count}"
        inner.mkdir()
        return inner

    def _run(self, fabric: str, hosts: Any, name: str, what: str) -> None:
        began, before, wrong = time.monotonic(), self.tally.kills, len(self.tally.wrong)
        hosts.run(self.tally, self.dice)
        fell = self.tally.kills - before
        print(f"{fabric:6} {name:10} {what:24} {fell:4} kills {time.monotonic() - began:6.1f} s", flush=True)
        for fault in self.tally.wrong[wrong:]:
            print(f"  {fault}", flush=True)

    def _subject(self) -> tuple[Any, dict[str, str]]:
        """A random plant, of which some lane crosses."""
        from byteor.testing.link_runs import crossings, scattered
        from tests.plants import dags
        from tests.plants.subjects import subject

        while True:
            seed = self.dice.randrange(1000)
            made = dags.dag(seed, times=TIMES)
            where = scattered(made.graph, ("near", "far"), self.dice)
            if crossings(made.graph, where):
                folder = self.folder / f"plant{self.count}"
                return subject(made, folder, wait="block", batch=64, interpreted=True), where


def _table(tally: Any, seconds: float, seed: int) -> None:
    from byteor.testing.link_kills import growth, total

    print(f"{'link':6} {'where':16} kills")
    for (kind, place), count in sorted(tally.fell.items()):
        print(f"{kind:6} {place:16} {count:5}")
    counted = ", ".join(f"{total(tally, name)} {name}" for name in ("stalls", "rewinds", "fenced"))
    print(f"counted: {counted}; cut for {tally.cut:g} s; memory of a link's process at most {growth(tally):.2f} times")
    print(f"{tally.kills} kills, {len(tally.wrong)} faults, {seconds:.0f} s, seed {seed}")
