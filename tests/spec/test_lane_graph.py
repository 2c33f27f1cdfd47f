"""Lane graphs as values: the builder, the rules, the numbering, and what is said of determinism."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given

from byteor.diag import in_order
from byteor.spec import rules
from byteor.spec.build import SpecError, message_type
from byteor.spec.build_lanes import LaneGraphBuilder
from byteor.spec.describe import describe
from byteor.spec.flow import flow_of
from byteor.spec.kv import decode, encode
from byteor.spec.lane_graph import LaneGraph, Order
from byteor.spec.model import State
from byteor.spec.numbering import numbering_of, runs
from tests import strategies
from tests.strategies import FEW

TICK = message_type("tick", {"time": "timestamp(ns)", "key": "u32", "from": "u8", "px": "f64"})
TOTAL = message_type("total", {"key": "u32", "sum": "f64"})


def builder() -> LaneGraphBuilder:
    return LaneGraphBuilder("demo", TICK, TOTAL)


def joined(**merge: str) -> LaneGraphBuilder:
    """Two ingresses, a stage on one of the ways, a merge by time."""
    made = builder().lane("a", "tick").lane("b", "tick").lane("c", "tick").lane("d", "tick")
    made.ingress("in", "a").ingress("other", "b").stage("clean", "a", "c", "m:f", writes=("px",))
    return made.merge("join", ["c", "b"], "d", field="time", **merge).egress("out", "d")


@FEW
@given(strategies.anything(LaneGraph))
def test_any_graph_has_findings_in_canonical_order_and_can_be_described(graph: LaneGraph) -> None:
    found = rules.validate(graph)
    assert found == in_order(found)
    assert describe(graph).isascii()


def test_the_builder_counts_readers_and_finds_order_words() -> None:
    graph = joined(stamp="from").build()
    assert [lane.consumers for lane in graph.lanes] == [1, 1, 1, 1]
    assert [lane.order for lane in graph.lanes] == [
        Order("time", 0, "fail"),
        Order("time", 1, "fail"),
        Order("time", 0, "fail"),
        None,
    ]
    again = decode(encode(graph)).spec
    assert again == graph and rules.validate(graph, "v1") != rules.validate(graph)


def test_the_builder_raises_with_every_finding() -> None:
    with pytest.raises(SpecError) as caught:
        joined(stamp="px", late="never").lane("e", "tick").build()
    assert [d.code for d in caught.value.diagnostics] == ["S102", "S103", "S023", "S115"]


def test_rules_on_stages_hold_in_both_shapes() -> None:
    made = builder().lane("a", "tick").lane("b", "tick").ingress("in", "a", sort_by="when").egress("out", "b")
    keys = State("total", ("sum",), 1)
    made.stage("sum", "a", "b", "m.py:f", reads=("price",), state=keys, borders=True, params={"x": 1})
    graph = made.draft()
    stage = graph.stages[0].stage
    bad = replace(stage, params=(replace(stage.params[0], value="07"),), state=State("total", ("key",), 0))
    graph = replace(graph, stages=(replace(graph.stages[0], stage=bad),))
    assert {d.code for d in rules.validate(graph)} == {"S040", "S044", "S049", "S051", "S053", "S066"}


def test_a_merge_that_keeps_a_numbering_and_one_that_joins_two() -> None:
    made = builder().lane("a", "tick", "fanout")
    for name in "bcdef":
        made.lane(name, "tick")
    made.ingress("in", "a").ingress("other", "d")
    made.stage("left", "a", "b", "m:f", writes=(), max_out=3).stage("right", "a", "c", "m:f", writes=(), min_out=0)
    made.merge("keeps", ["b", "c"], "e", field="time").merge("joins", ["e", "d"], "f", field="time")
    graph = made.egress("out", "f").build()
    flow = flow_of(graph)
    numbering = numbering_of(flow)
    assert numbering.starts == (0, 0, 0, 3, 0, 5)
    assert runs(flow, numbering) == [1, 3, 1, 1, 4, 1]
    assert [bool(demand) for demand in numbering.demands] == [True, True, True, True, True, False]


@pytest.mark.parametrize(
    ("lane", "reason"),
    [
        ({"on_full": "drop"}, "lane `a` drops new records while it is full (counted)"),
        ({"kind": "state"}, "lane `a` holds the latest record alone: which ones a reader sees depends on timing"),
        (
            {"kind": "journal", "retain": "overwrite"},
            "lane `a` overwrites its oldest segment: a slow reader finds a gap (reported)",
        ),
        ({"producers": 3}, "lane `a` has 3 producers, and no order between them"),
    ],
)
def test_lanes_that_are_not_deterministic_say_so(lane: dict[str, Any], reason: str) -> None:
    graph = builder().lane("a", "tick", **lane).ingress("in", "a").egress("out", "a").build()
    assert f"not deterministic:\n  {reason}\n" in describe(graph)


def test_roles_that_are_not_deterministic_say_so() -> None:
    made = builder().lane("a", "tick").lane("b", "tick").lane("c", "tick").lane("d", "tick").lane("e", "tick")
    made.ingress("in", "a").router("deal", "a", ["b", "c"], "first_idle")
    made.stage("timed", "c", "d", "m:f", clock=True, form="batch", borders=True)
    graph = made.merge("any", ["b", "d"], "e", "arrival").egress("out", "e").build()
    said = describe(graph).partition("not deterministic:\n")[2].splitlines()[:4]
    assert said == [
        "  `timed` looks at batch borders, which depend on timing",
        "  `timed` reads a clock",
        "  router `deal` gives to whoever has room first",
        "  merge `any` takes whatever arrives first",
    ]


def test_what_is_deterministic_says_so() -> None:
    assert "\ndeterministic: the same input gives the same bytes\n" in describe(joined().build())


@pytest.mark.parametrize(
    ("order", "policy", "even"),
    [
        (("b", "c"), "work_queue", True),
        (("c", "b"), "work_queue", False),
        (("c", "b"), "broadcast", True),
        (("b", "c"), "by_key", False),
    ],
)
def test_taking_in_turn_needs_equal_counts(order: tuple[str, str], policy: str, even: bool) -> None:
    made = builder().lane("a", "tick").lane("b", "tick").lane("c", "tick").lane("d", "tick").ingress("in", "a")
    made.router("deal", "a", ["b", "c"], policy, "key" if policy == "by_key" else None)
    graph = made.merge("back", order, "d", "round_robin").egress("out", "d").draft()
    assert ("S116" not in {d.code for d in rules.validate(graph)}) == even


@pytest.mark.parametrize(
    ("field", "is_key"), [("u32", True), ("i64", True), ("u64", False), ("bool", False), ("bytes(8)", False)]
)
def test_keys_of_a_merge_fit_64_bits_with_sign(field: str, is_key: bool) -> None:
    made = LaneGraphBuilder("demo", message_type("tick", {"time": field}))
    made.lane("a", "tick").lane("b", "tick").lane("c", "tick").ingress("in", "a").ingress("other", "b")
    graph = made.merge("join", ["a", "b"], "c", field="time").egress("out", "c").draft()
    assert ("S114" not in {d.code for d in rules.validate(graph)}) == is_key
