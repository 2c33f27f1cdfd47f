"""Lowering of lane graphs: what is put where, why, and what is refused."""

from __future__ import annotations

import json
import os
from collections import Counter
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest
from hypothesis import given

from byteor import diag
from byteor.lower import Lowered, lower, plan_key
from byteor.plan import document
from byteor.plan.document import PlanBuilder, lane_graph
from byteor.plan.model import Plan
from byteor.spec import kv, placement, rules
from byteor.spec.build_lanes import LaneGraphBuilder
from byteor.spec.describe import describe
from byteor.spec.lane_graph import LaneGraph
from tests import plans, strategies
from tests.plan.plant_model import play
from tests.strategies import FEW

FOLDER = Path(__file__).resolve().parent / "plants"
TICK = {"tick": {"time": "i64", "key": "u32", "px": "f64"}}


def plan(**keys: str) -> PlanBuilder:
    return lane_graph("demo", TICK, **keys).ingress("in", type="tick")


def graph_of(builder: PlanBuilder) -> LaneGraph:
    spec = lower(builder.plan).spec
    assert isinstance(spec, LaneGraph), [d.message for d in lower(builder.plan).all_findings]
    return spec


def codes(builder: PlanBuilder) -> list[tuple[str, str]]:
    return [(d.code, d.path) for d in lower(builder.plan).all_findings]


@FEW
@given(strategies.plants)
def test_a_plant_becomes_a_valid_spec_or_findings_and_always_the_same(plan: Plan) -> None:
    lowered = lower(plan)
    assert (lowered.spec is None) == bool(diag.errors(lowered.all_findings))
    assert lowered.spec is None or rules.validate(lowered.spec) == ()
    assert lower(plan) == lowered


@FEW
@given(strategies.plants)
def test_everything_that_lowering_inserts_has_a_note(plan: Plan) -> None:
    lowered = lower(plan)
    if isinstance(graph := lowered.spec, LaneGraph):
        noted = {note.path for note in lowered.notes}
        for group, written in (("bridges", 0), ("routers", len(plan.router)), ("merges", len(plan.merge))):
            for i in range(written, len(getattr(graph, group))):
                assert f"lane_graph.{group}.{i}" in noted
        for i, lane in enumerate(graph.lanes):
            assert lane.kind in ("events", "journal") or f"lane_graph.lanes.{i}" in noted


@pytest.mark.parametrize("make", [plans.random_plant, plans.random_ring], ids=["plants", "rings"])
def test_plan_to_kv_to_json_to_kv_keeps_every_byte_of_500(make: object) -> None:
    seen = set()
    for plan, lowered in plans.lowered(make, 500):
        spec = lowered.spec
        assert spec is not None
        text = kv.encode(spec)
        from_kv = kv.decode(text).spec
        assert from_kv is not None
        again = kv.decode_json(json.dumps(kv.encode_data(from_kv))).spec
        assert again is not None and kv.encode(again) == text
        assert kv.spec_sha256(again) == kv.spec_sha256(spec)
        assert document.read(document.encode(plan)).plan == plan
        seen.add(text)
    assert len(seen) > 450


def _deterministic(lowered: Lowered) -> bool:
    graph = lowered.spec
    assert isinstance(graph, LaneGraph)
    lossy = any(lane.on_full == "drop" for lane in graph.lanes)
    free = [*(merge.policy for merge in graph.merges), *(router.policy for router in graph.routers)]
    return not lossy and "arrival" not in free and "first_idle" not in free


def test_what_is_not_refused_ends_and_gives_the_same_under_every_schedule() -> None:
    occurred = Counter[str]()
    for seed, (_, lowered) in enumerate(plans.lowered(plans.random_plant, 120, seed=7)):
        graph = lowered.spec
        if not isinstance(graph, LaneGraph) or not _deterministic(lowered):
            continue
        results = [play(graph, seed, schedule) for schedule in range(3)]
        assert None not in results and results[0] == results[1] == results[2], f"seed {seed}"
        occurred.update(lane.kind for lane in graph.lanes)
        occurred.update(merge.policy for merge in graph.merges)
        occurred.update(router.policy for router in graph.routers)
        occurred.update(f"{role.stage.min_out} to {role.stage.max_out}" for role in graph.stages)
        occurred.update("tiny" for lane in graph.lanes if lane.capacity <= 8)
    print(dict(occurred))
    assert all(
        occurred[what] >= 5 for what in ("fanout", "by_field", "round_robin", "by_key", "0 to 1", "0 to 3", "tiny")
    )


def _small(builder: LaneGraphBuilder, *lanes: tuple[str, str]) -> LaneGraphBuilder:
    for name, kind in lanes:
        builder.lane(name, "tick", kind, capacity=4)
    return builder


def test_what_is_refused_for_its_order_would_wait_for_itself() -> None:
    tick = lower(plan().egress().connect("in", "out").plan).spec
    assert tick is not None
    mixed = _small(
        LaneGraphBuilder("demo", *tick.types), ("a", "fanout"), ("b", "events"), ("c", "events"), ("d", "events")
    )
    mixed.ingress("in", "a").ingress("in_b", "b").merge("first", ["a", "b"], "c", field="time")
    mixed.merge("second", ["a", "c"], "d", field="time").egress("out", "d")
    long = _small(LaneGraphBuilder("demo", *tick.types), ("a", "events"), ("b", "events"))
    long = _small(long, ("c", "fanout"), ("d", "events"), ("e", "events")).ingress("in", "a")
    long.stage("twice", "a", "b", "m:f", writes=(), max_out=4).stage("again", "b", "c", "m:f", writes=(), max_out=4)
    long.stage("keep", "c", "d", "m:f", writes=(), min_out=0).merge("join", ["c", "d"], "e", field="time")
    for graph, code in ((mixed.draft(), "S124"), (long.egress("out", "e").draft(), "S125")):
        assert {d.code for d in rules.validate(graph)} == {code}
        assert None in [play(graph, seed, seed) for seed in range(5)]


@pytest.mark.parametrize("name", ["flights"])
def test_a_plant_is_lowered_described_and_explained_as_it_stands_in_its_files(name: str) -> None:
    read = document.read((FOLDER / f"{name}.toml").read_text(encoding="utf-8"))
    assert read.plan is not None and read.findings == ()
    lowered = lower(read.plan)
    assert lowered.spec is not None and lowered.placement is not None
    texts = {
        "kv": kv.encode(lowered.spec),
        "describe.txt": describe(lowered.spec),
        "explain.txt": "".join(f"{note.path}: {note.message}\n" for note in lowered.notes),
        "placement.json": placement.encode(lowered.placement),
    }
    for ending, text in texts.items():
        path = FOLDER / f"{name}.{ending}"
        if os.environ.get("BYTEOR_GOLDEN") == "write":
            path.write_text(text, encoding="utf-8")
        assert path.read_text(encoding="utf-8") == text


def test_a_part_that_goes_to_several_by_lanes_alike_writes_a_fanout_and_no_role() -> None:
    graph = graph_of(plan().egress("a").egress("b").connect("in", "a").connect("in", "b"))
    assert [(lane.name, lane.kind, lane.consumers) for lane in graph.lanes] == [("in_out", "fanout", 2)]
    assert graph.routers == ()


def test_a_broadcast_router_whose_lanes_are_alike_is_a_fanout() -> None:
    made = plan().router("copy", "broadcast").egress("a").egress("b")
    made.connect("in", "copy", "a").connect("copy", "b")
    graph = graph_of(made)
    assert graph.routers == () and [lane.kind for lane in graph.lanes] == ["fanout"]
    assert "`copy` needs no role" in lower(made.plan).notes[0].message


def test_lanes_that_differ_get_a_router() -> None:
    made = plan().egress("a").egress("b").connect("in", "a").connect("in", "b", lane={"capacity": 8})
    graph = graph_of(made)
    assert [(lane.name, lane.kind, lane.capacity) for lane in graph.lanes] == [
        ("in_out", "events", 4096),
        ("in_to_a", "events", 4096),
        ("in_to_b", "events", 8),
    ]
    assert [(router.name, router.policy) for router in graph.routers] == [("in_router", "broadcast")]


def test_a_tap_is_a_bridge_to_a_journal_that_nothing_waits_for() -> None:
    graph = graph_of(plan(on_full="drop").egress().connect("in", "out", tap="the audit"))
    assert [(lane.name, lane.kind, lane.consumers, lane.on_full, lane.retain) for lane in graph.lanes] == [
        ("in_out", "fanout", 2, "drop", None),
        ("the_audit", "journal", 0, "block", "all"),
    ]
    assert [(bridge.name, bridge.from_, bridge.to) for bridge in graph.bridges] == [
        ("the_audit_tap", "in_out", "the_audit")
    ]


def test_a_boundary_with_a_lane_of_its_own_is_bridged() -> None:
    made = lane_graph("demo", TICK).ingress("in", type="tick", lane="journal").stage("a", writes=[])
    made.egress(lane={"kind": "state"}).connect("in", "a", "out")
    graph = graph_of(made)
    assert [(lane.name, lane.kind) for lane in graph.lanes] == [
        ("in_lane", "journal"),
        ("in_to_a", "events"),
        ("a_to_out", "events"),
        ("out_lane", "state"),
    ]
    assert [bridge.name for bridge in graph.bridges] == ["in_bridge", "out_bridge"]


def test_what_brings_as_many_is_joined_in_turn_and_what_does_not_is_refused() -> None:
    made = plan().router("deal").stage("a", writes=[]).stage("b", writes=[]).stage("join", writes=[]).egress()
    made.connect("in", "deal", "a", "join", "out").connect("deal", "b", "join")
    assert [(merge.name, merge.policy) for merge in graph_of(made).merges] == [("join_merge", "round_robin")]
    wrong = plan().ingress("other", type="tick").egress().connect("in", "out").connect("other", "out")
    assert codes(wrong) == [("L101", "connect.0")]


def test_types_flow_and_an_author_need_not_repeat_them() -> None:
    types = {**TICK, "score": {"time": "i64"}}
    made = (
        lane_graph("demo", types)
        .ingress("in", type="tick")
        .stage("a")
        .stage("b", "m:f", out="score")
        .stage("c")
        .egress()
    )
    graph = graph_of(made.connect("in", "a", "b", "c", "out"))
    assert [(role.stage.in_, role.stage.out) for role in graph.stages] == [
        ("tick", "tick"),
        ("tick", "score"),
        ("score", "score"),
    ]
    assert graph.egresses[0].egress.type == "score"


def _joined(**lane: object) -> PlanBuilder:
    made = plan().stage("many", "m:f", writes=[], max_out=4).stage("more", "m:f", writes=[], max_out=4)
    made.stage("keep", "m:f", writes=[], min_out=0).merge("join", ["more", "keep"], field="time").egress()
    made.connect("in", "many", "more").connect("keep", "join", "out")
    return made.connect("more", "keep", lane=lane).connect("more", "join", lane=lane)


def test_a_new_numbering_may_start_where_a_run_does_not_fit() -> None:
    assert codes(_joined(capacity=8)) == [("L125", "connect.4.lane.capacity")]
    graph = graph_of(_joined(capacity=8, renumber=True))
    orders = [lane.order.numbering if lane.order else None for lane in graph.lanes]
    assert orders == [None, None, 2, 2, None]


def test_where_roles_run_changes_nothing_in_the_spec() -> None:
    made = plan().egress().connect("in", "out")
    bare = lower(made.plan)
    made.supervise("in", limit=3).group("edge", ["in", "out"]).pin("out", 1)
    placed = lower(made.plan)
    assert bare.spec == placed.spec and placed.placement is not None
    assert placed.placement.place("in") == placement.Place("in", "edge", None, "on_failure", 3)
    assert placed.placement.place("out") == placement.Place("out", "edge", 1)
    nobody = placement.Placement("made", "none", ())
    for one in (placed.placement, nobody):
        assert placement.decode(placement.encode(one)) == one


def test_names_are_made_to_fit_and_stay_apart() -> None:
    made = lane_graph("2nd plant", TICK).ingress("a b", type="tick").egress("a?b").connect("a b", "a?b")
    graph = graph_of(made)
    assert (graph.name, graph.ingresses[0].ingress.name, graph.egresses[0].egress.name) == (
        "_2nd_plant",
        "a_b",
        "a_b_2",
    )


def test_findings_on_the_spec_speak_of_the_plan() -> None:
    made = plan(wait="sleep").stage("a", "m:f", reads=["price"], params={"x": "y"}).egress(row_group=0)
    made.connect("in", "a", lane={"capacity": 3}).connect("a", "out")
    broken = replace(made.plan, types=(replace(made.plan.types[0], name="2"), *made.plan.types))
    assert [(d.code, d.path) for d in lower(broken).findings] == [
        ("S020", "connect.0.lane.capacity"),
        ("S065", "egress.0.row_group"),
        ("S044", "stage.0.reads.0"),
        ("S004", "types.2"),
        ("S023", "wait"),
    ]
    keys = lower(made.plan).keys
    assert plan_key("lane_graph.stages.0.stage.params.0.value", made.plan, keys) == "stage.0.params.x.value"
    assert plan_key("lane_graph.stages.0.from", made.plan, keys) == "connect.0"


def test_the_plan_of_a_lane_graph_is_no_ring() -> None:
    made = plan().egress().connect("in", "out").plan
    assert [d.code for d in lower(made, "single_ring").findings] == ["L001"]
    assert [d.code for d in lower(replace(made, target="single_ring")).findings] == ["L002"]


def test_the_generator_is_what_it_says() -> None:
    assert plans.random_plant(Random(3)) == plans.random_plant(Random(3))
