"""What is wrong with a stage's code is told before anything runs, all at once, each with its code."""

from __future__ import annotations

from typing import Any

import pytest

from byteor import run
from byteor.diag import Refused
from byteor.exec.stage import stage
from byteor.spec.build import single_ring_chain
from tests.exec.rings import TICK, ring

CHAIN = single_ring_chain("chain", TICK, ["nowhere:one"])


def codes(spec: Any, stages: dict[str, Any], **options: Any) -> list[str]:
    with pytest.raises(Refused) as told:
        run(spec, stages, **options)
    return [d.code for d in told.value.diagnostics]


def plain(rec: Any) -> None:
    rec.px += 1


def asks_for_more(rec: Any, weather: Any) -> None: ...


def asks_for_state(rec: Any, state: Any) -> None: ...


def takes_nothing() -> None: ...


def uses_res(rec: Any, res: Any) -> None: ...


@stage(form="batch")
def says_batch(rec: Any) -> None: ...


@stage
def ends(rec: Any) -> None: ...


@ends.end
def ends_end(out: Any) -> int:
    return 0


WRONG: dict[str, tuple[Any, list[str]]] = {
    "asks for what it is not given": (asks_for_more, ["X002"]),
    "asks for state": (asks_for_state, ["X002"]),
    "takes nothing": (takes_nothing, ["X002"]),
    "says another form": (says_batch, ["X004"]),
    "has an end that the spec has not": (ends, ["X004"]),
    "is compiled and uses res": (uses_res, ["X009"]),
}


@pytest.mark.parametrize("name", WRONG)
def test_the_code_of_a_stage_is_judged(name: str) -> None:
    code, wanted = WRONG[name]
    assert codes(CHAIN, {"stage_0": code}) == wanted


def test_a_stage_that_is_nowhere_is_told() -> None:
    assert codes(CHAIN, {}) == ["X001"]


def test_a_function_for_no_stage_is_told() -> None:
    assert codes(CHAIN, {"stage_0": plain, "stag_0": plain}) == ["X007"]


def test_an_end_that_the_code_has_not_is_told() -> None:
    assert codes(ring(("total", ()), emit="end"), {"total": lambda rec, state: None}) == ["X008"]


def test_a_lane_that_no_role_can_work_with_is_refused() -> None:
    from byteor.spec.build_lanes import LaneGraphBuilder

    builder = LaneGraphBuilder("g", TICK).lane("a", TICK.name, kind="state", capacity=4)
    assert codes(builder.ingress("in", "a").egress("out", "a").build(), {}) == ["X006"]


def test_options_that_cannot_be_are_told_together() -> None:
    assert codes(CHAIN, {"stage_0": plain}, wait="sleepy", batch=0) == ["X011", "X011"]
