"""Lanes under kills: ends killed with SIGKILL at random moments, until so many were.

Rule 1. What is checked stands in `byteor.testing.kills`; here is only when to kill, and what is printed.
Rule 2. Positions are drawn from a seed; where in the work a kill falls is the machine's.
"""

from __future__ import annotations

import random
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

from dev.steps import ROOT

PAUSE = 0.0005
A_LANE = 25  # kills of one lane


def stress(kills: int, seed: int) -> int:
    """Kill ends of every sort of lane; print where the kills fell; 1 when anything was wrong."""
    sys.path.insert(0, str(ROOT / "src"))
    from byteor.testing.kills import PLANS, Campaign

    dice, wrong, done = random.Random(seed), 0, 0

    def moment(campaign: Any, number: int) -> None:
        goal = campaign.plan.messages * (number + dice.random()) / (A_LANE + 1)
        while campaign.lane.positions()[0] < goal:
            time.sleep(PAUSE)
        time.sleep(dice.uniform(0, PAUSE))

    while done < kills:
        for plan in PLANS:
            with tempfile.TemporaryDirectory(prefix="byteor-stress-", dir="/dev/shm") as folder:
                began = time.monotonic()
                made = Campaign(plan, Path(folder), dice).run(min(A_LANE, kills - done), moment)
            done += sum(made.fell.values())
            wrong += len(made.wrong)
            _tell(plan.name, made.fell, made.wrong, time.monotonic() - began)
            if done >= kills:
                break
    print(f"{done} kills, {wrong} faults")
    return int(bool(wrong))


def _tell(name: str, fell: Counter[str], wrong: list[str], seconds: float) -> None:
    places = ", ".join(f"{n} {where}" for where, n in sorted(fell.items()))
    print(f"{name:<40} {sum(fell.values()):>4} kills {seconds:6.1f} s  {places}", flush=True)
    for fault in wrong:
        print(f"  {fault}", flush=True)
