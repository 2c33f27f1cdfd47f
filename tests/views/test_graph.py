"""Drawings: one graph for every form, names shown and never interpreted, the same bytes each time."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given

from byteor.lower import lower
from byteor.plan import document
from byteor.plan.model import Connect, Plan, Stage
from byteor.spec.build import SingleRingBuilder, message_type
from byteor.views.graph import Edge, Graph, Node, graph_of, in_order
from byteor.views.layout import Layout, lay_out
from byteor.views.svg import svg
from byteor.views.texts import dot, mermaid, text
from tests.strategies import FEW, specs, valid_rings

FLIGHTS = (Path(__file__).parent.parent.parent / "examples/flights/plan.toml").read_text()
SVG = "{http://www.w3.org/2000/svg}"
HOSTILE = '</text><script>alert("1")</script>`"\\]}\n&#x3c;\x00\ud800 end'


def flights() -> tuple[Plan, Any]:
    plan = document.read(FLIGHTS).plan
    assert plan is not None
    return plan, lower(plan).spec


def paths(drawing: str) -> list[str | None]:
    root = ET.fromstring(drawing)
    return [found.get("data-path") for found in root.iter(f"{SVG}g") if found.get("tabindex")]


def test_a_ring_runs_from_its_ingress_over_its_stages_to_its_egress() -> None:
    graph = graph_of(flights()[1])
    assert [node.name for node in graph.nodes] == ["flights", "clean", "late", "gain", "hub", "delays", "statistics"]
    assert [[node.name for node in layer] for layer in in_order(graph)] == [
        ["flights"],
        ["clean"],
        ["late", "gain", "hub"],
        ["delays"],
        ["statistics"],
    ]
    assert graph.edges[-1] == Edge("single_ring.stages.4", "single_ring.egress", "end")


def test_a_plan_and_its_spec_have_the_same_shape_under_their_own_keys() -> None:
    plan, spec = flights()
    written, lowered = graph_of(plan), graph_of(spec)
    name = {node.path: node.name for graph in (written, lowered) for node in graph.nodes}
    assert {(name[e.source], name[e.target]) for e in written.edges} == {
        (name[e.source], name[e.target]) for e in lowered.edges
    }
    assert [node.path for node in written.nodes][:2] == ["ingress.0", "stage.0"]


def test_every_node_carries_its_key() -> None:
    graph = graph_of(flights()[1])
    assert paths(svg(graph)) == [node.path for node in graph.nodes]


@pytest.mark.parametrize("top_down", [False, True])
def test_no_two_boxes_overlap(top_down: bool) -> None:
    root = ET.fromstring(svg(graph_of(flights()[1]), top_down))
    rects = [rect for rect in root.iter(f"{SVG}rect") if rect.get("rx")]
    boxes = [{key: float(rect.get(key, 0)) for key in ("x", "y", "width", "height")} for rect in rects]
    for i, a in enumerate(boxes):
        for b in boxes[:i]:
            apart_x = a["x"] >= b["x"] + b["width"] or b["x"] >= a["x"] + a["width"]
            apart_y = a["y"] >= b["y"] + b["height"] or b["y"] >= a["y"] + a["height"]
            assert apart_x or apart_y


def test_hostile_names_are_shown_and_never_interpreted() -> None:
    node, other = Node("stage.0", "stage", HOSTILE, (HOSTILE,)), Node("stage.1", "stage", "b")
    graph = Graph(HOSTILE, "single ring", (node, other), (Edge("stage.0", "stage.1", HOSTILE),))
    root = ET.fromstring(svg(graph))
    assert not list(root.iter(f"{SVG}script"))
    svg(graph).encode(), text(graph).encode()
    assert not re.search(r"[\x00-\x09\x0b-\x1f]", svg(graph) + text(graph) + dot(graph) + mermaid(graph))
    assert "<script" not in mermaid(graph) and '"1"' not in mermaid(graph)
    assert '"' not in re.sub(r'"(?:[^"\\]|\\.)*"', "", dot(graph))
    assert len(text(graph).splitlines()) == 3


def test_forms_for_other_tools() -> None:
    graph = graph_of(flights()[1])
    assert mermaid(graph).startswith("flowchart LR\n") and mermaid(graph, True).startswith("flowchart TB\n")
    assert '  n5 -->|"end"| n6\n' in mermaid(graph)
    assert dot(graph).startswith('digraph "flights" {\n  rankdir=LR;\n') and "n1 -> n2;" in dot(graph)
    assert "  2 stage    late" in text(graph)


def test_a_plan_that_names_what_is_not_there_or_goes_in_circles_is_drawn_all_the_same() -> None:
    stages = (Stage("a", after=("b",)), Stage("b", after=("a", "nobody")))
    ring = document.single_ring("p", "t", {"t": {"x": "u8"}}).plan.ring
    for plan in (
        Plan(2, "p", "single_ring", ring=ring, stage=stages),
        Plan(2, "p", "lane_graph", stage=stages, connect=(Connect("a", "b"), Connect("b", "a"), Connect("a", "x"))),
        Plan(2, "p", "lane_graph"),
    ):
        graph = graph_of(plan)
        assert len(paths(svg(graph))) == len(graph.nodes)
        assert text(graph)


@FEW
@given(valid_rings())
def test_the_same_ring_is_drawn_the_same(spec: Any) -> None:
    assert svg(graph_of(spec)) == svg(graph_of(spec))
    assert all(e.source != e.target for e in graph_of(spec).edges)


@FEW
@given(specs)
def test_whatever_has_the_shape_of_a_spec_can_be_drawn(spec: Any) -> None:
    graph = graph_of(spec)
    for drawn in (svg(graph), svg(graph, True), dot(graph), mermaid(graph), text(graph)):
        assert drawn
    ET.fromstring(svg(graph))


def test_long_edges_go_around_what_lies_between() -> None:
    tick = message_type("tick", {"px": "f64"})
    builder = SingleRingBuilder("demo", tick).stage("a").stage("b", after=["a"]).stage("c", after=["b"])
    graph = graph_of(builder.stage("d", after=["a", "c"]).egress().build())
    placed = lay_out(graph, dict.fromkeys((node.path for node in graph.nodes), 60.0))
    (long,) = [route for route in placed.routes if len(route.through) == 2]
    for spot, node in zip(long.through, ("single_ring.stages.1", "single_ring.stages.2"), strict=True):
        assert abs(placed.across[spot] - placed.across[node]) > 30


PLANT = """plan = 2
name = "plant"
target = "lane_graph"
types.tick.at = "i64"
ingress = [{ name = "a", type = "tick", sort_by = "at" }, { name = "b", type = "tick", sort_by = "at" }]
stage = [{ name = "left", call = "m:f", writes = [] }, { name = "right", call = "m:f", writes = [] }]
merge = [{ name = "both", inputs = ["left", "right"], field = "at" }]
egress = [{ name = "out" }]
connect = [
    { from = "a", to = "left", tap = "audit" },
    { from = "b", to = "right" },
    { from = "both", to = "out", lane = "fanout" },
]
"""


def test_a_plant_has_its_lanes_between_its_roles() -> None:
    plan = document.read(PLANT).plan
    assert plan is not None
    lowered = lower(plan)
    assert lowered.spec is not None, lowered.all_findings
    graph = graph_of(lowered.spec)
    kind = {node.path: node.kind for node in graph.nodes}
    assert {"ingress", "lane", "stage", "bridge", "merge", "egress"} == set(kind.values())
    assert all((kind[e.source] == "lane") != (kind[e.target] == "lane") for e in graph.edges)
    assert ("both", "out", "fanout") in [
        (n.name, m.name, e.label)
        for e in graph_of(plan).edges
        for n in graph_of(plan).nodes
        for m in graph_of(plan).nodes
        if (n.path, m.path) == (e.source, e.target)
    ]


def test_edges_that_need_not_cross_do_not() -> None:
    plan = document.read(PLANT).plan
    assert plan is not None
    spec = lower(plan).spec
    assert spec is not None
    graph = graph_of(spec)
    placed = lay_out(graph, dict.fromkeys((node.path for node in graph.nodes), 60.0))
    links = [list(pairwise((r.edge.source, *r.through, r.edge.target))) for r in placed.routes]
    flat = [(placed.across[a], placed.across[b], _layer(placed, a)) for route in links for a, b in route]
    assert not [(x, y) for x in flat for y in flat if x[2] == y[2] and x[0] < y[0] and x[1] > y[1]]


def _layer(placed: Layout, spot: str) -> int:
    return next(i for i, layer in enumerate(placed.layers) if spot in layer)
