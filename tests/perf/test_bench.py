"""The bench runs and says what it measured; what it measures is never judged here.

Rule 1. No figure is asserted: only that rounds add up, and that what is told holds what was found.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import asdict

import pytest

from bench import harness, links, lmax, python_rows, python_trips, report, rings
from bench.families import FAMILIES
from bench.harness import Contender, Effort, Series, Took
from bench.results import Family

SOURCE = report.ROOT / "src"


def counted(name: str, rate: float) -> tuple[Contender, list[int]]:
    """A contender of a known rate, and what it was asked."""
    asked: list[int] = []

    def one(n: int) -> Took:
        asked.append(n)
        return Took(n / rate, n / rate)

    return Contender(name, one, step=16), asked


def test_contenders_take_turns_and_fill_their_rounds() -> None:
    fast, fast_asked = counted("fast", 1e6)
    slow, slow_asked = counted("slow", 1e3)
    found = harness.measure([fast, slow], Effort(rounds=3, seconds=0.1))
    assert len(set(fast_asked[-3:])) == len(set(slow_asked[-3:])) == 1
    assert all(n % 16 == 0 for n in fast_asked + slow_asked)
    assert abs(fast_asked[-1] - 1e5) <= 16
    assert [round(ratio) for ratio in harness.ratios(found["fast"], found["slow"])] == [1000] * 3


def test_a_ring_is_measured_to_its_last_message() -> None:
    contender = rings.ring_of("unicast", 256)
    found = harness.measure([contender], Effort(rounds=1, seconds=0.0))
    assert len(found[contender.name].rates) == 1


def test_goals_are_met_or_give_their_reason() -> None:
    family = Family("P0", "Nothing", "no method")
    family.rate("case", Series("byteor", [2e6, 3e6, 4e6], [1.0, 2.0, 3.0]))
    family.at_least("P0 more", 4, [5.0, 6.0, 4.5], "never told")
    family.at_most("P0 less", 4, [5.0, 6.0, 4.5], "too dear")
    family.unmeasured("P0 absent", "≥ 2×", "the peer is missing")
    assert [(goal.met, goal.reason) for goal in family.goals] == [
        (True, ""),
        (False, "too dear"),
        (None, "the peer is missing"),
    ]
    told = json.loads(json.dumps(asdict(family)))
    page = report.text(told)
    assert "| P0 less | **no** | ≤ 4× | 5 | 4.5 – 6 | too dear |" in page
    assert "| case | byteor | 3 | 2 – 4 | M/s | 2 |" in page


def test_a_figure_far_below_the_stored_one_is_told() -> None:
    goal = {"id": "P0", "goal": "≥ 4×", "measured": 2.0}
    assert report._worse(goal, 4.0) == ["P0: 2, stored is 4"]
    assert report._worse(goal, 3.0) == []
    assert report._worse({**goal, "goal": "≤ 4×"}, 3.0) == []


def test_a_missing_peer_is_said(monkeypatch) -> None:
    monkeypatch.setenv("BYTEOR_BENCH_DISRUPTOR", "/nowhere/disruptor.jar")
    assert "libdisruptor-java" in lmax.missing()


def test_every_library_has_two_sides() -> None:
    libraries = {("trips", name) for name in python_trips.LIBRARIES}
    libraries |= {("rows", name) for name in ("byteor", *python_rows.BY_RECORD, *python_rows.BY_ARRAY)}
    assert set(links.LINKS) == libraries


@pytest.mark.parametrize("kind", [pytest.param("trips", marks=pytest.mark.stress), "rows"])
def test_two_plain_processes_talk_to_the_last_message(kind: str) -> None:
    command = [sys.executable, links.__file__, kind, "byteor", "0"]
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "PYTHONPATH": str(SOURCE)})
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)


def test_every_family_has_its_file() -> None:
    assert all((report.HERE / f"{module}.py").exists() for module in FAMILIES.values())
