"""`why-slow` names what holds a plant back: six plants, each slowed down by one thing. `-s` prints the sentences."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from byteor.observe.machine import CORES
from byteor.observe.meter import Motion, measure
from byteor.observe.why import Judge, Verdict, judge
from byteor.observe.window import Window
from tests.observe import made

NAMES = ("first", "second", "third")


def three(call: str = "quick", compiled: bool = True, **lanes: int) -> str:
    """Three stages in a row, the second one to be made slow."""
    stages = made.stage("first"), made.stage("second", call, compiled), made.stage("third")
    return made.chain(*stages, names=NAMES, **lanes)


def told(plant: made.Plant, seconds: float = 1.0) -> tuple[Verdict, Motion, Window]:
    """What is said of a plant that moves."""
    window = plant.moves()
    motion = measure(window, seconds)
    verdict = judge(window, motion)
    print(f"\n  {verdict.what}: {verdict.sentence}")
    return verdict, motion, window


@pytest.mark.stress
def test_a_slow_plain_stage(tmp_path: Path) -> None:
    with made.running(tmp_path, three("sleeps", False, capacity=64)) as plant:
        verdict, *_ = told(plant)
    assert (verdict.what, verdict.names) == ("stage", ("second",))
    assert "plain Python" in verdict.sentence and "`first_to_second` before it was full" in verdict.sentence


def test_a_slow_source(tmp_path: Path) -> None:
    with made.running(tmp_path, three(), source="drips") as plant:
        verdict, *_ = told(plant)
    assert (verdict.what, verdict.names) == ("source", ("in",))
    assert (
        "waiting for rows from python:parts:drips" in verdict.sentence and "4 of 4 others starved" in verdict.sentence
    )


@pytest.mark.stress
def test_a_slow_output(tmp_path: Path) -> None:
    with made.running(tmp_path, three(capacity=64), sink="slow_sink") as plant:
        verdict, *_ = told(plant)
    assert (verdict.what, verdict.names) == ("egress", ("out",))
    assert "`third_to_out` before it was full" in verdict.sentence


@pytest.mark.stress
def test_a_small_lane(tmp_path: Path) -> None:
    with made.running(tmp_path, three(small=1), "--wait", "block") as plant:
        verdict, *_ = told(plant)
    assert (verdict.what, verdict.names) == ("lane", ("first_to_second",))
    assert "capacity 1)" in verdict.sentence and "1 at a time" in verdict.sentence


@pytest.mark.stress
def test_too_few_workers(tmp_path: Path) -> None:
    with made.running(tmp_path, made.two_workers("sleeps")) as plant:
        verdict, motion, window = told(plant)
        # The same plant, had only one of the two been busy:
        idle = [replace(one, works=0.1, starved=0.9) if one.now.name == "right" else one for one in motion.roles]
        skewed = Judge(window, replace(motion, roles=tuple(idle))).verdict()
    assert (verdict.what, verdict.names) == ("workers", ("left", "right"))
    assert "too few workers behind `spread`" in verdict.sentence
    assert (skewed.what, skewed.names) == ("skew", ("left",))


@pytest.mark.stress
@pytest.mark.skipif(CORES < 2, reason="all roles share the only core")
def test_a_shared_core(tmp_path: Path) -> None:
    stages = made.stage("first", "counts", False), made.stage("second", "counts_more", False), made.stage("third")
    with made.running(tmp_path, made.chain(*stages, names=NAMES, capacity=1024), "--batch", "64") as plant:
        window = plant.moves()
        for name in ("first", "second"):
            for task in os.listdir(f"/proc/{window.status().role(name).pid}/task"):
                os.sched_setaffinity(int(task), {0})
        verdict, *_ = told(plant, 2.0)
    assert verdict.what == "core" and set(verdict.names) >= {"first", "second"}
    assert verdict.sentence.startswith("core 0 is shared: ")
