"""What differs between two specs: named parts, names for positions, and nothing missed."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from byteor.lower import lower
from byteor.plan import document
from byteor.spec.build import SingleRingBuilder, message_type
from byteor.spec.lane_graph import LaneGraph
from byteor.spec.model import Param, SingleRing
from byteor.views.diff import as_data, as_text, diff
from tests.strategies import FEW, specs
from tests.views.test_graph import PLANT

TICK = message_type("tick", {"key": "u32", "px": "f64"})


def ring(*stages: tuple[str, tuple[str, ...]], **fields: Any) -> SingleRing:
    builder = SingleRingBuilder("demo", TICK, **fields)
    for name, after in stages:
        builder.stage(name, f"stages:{name}", after, writes=())
    return builder.egress().build()


CHAIN = ring(("a", ()), ("b", ("a",)), ("c", ("b",)))


def test_equal_specs_have_no_changes() -> None:
    assert diff(CHAIN, ring(("a", ()), ("b", ("a",)), ("c", ("b",)))) == ()


def test_a_stage_in_between_is_one_part_more_and_one_dependency_changed() -> None:
    new = ring(("a", ()), ("new", ("a",)), ("b", ("a",)), ("c", ("b", "new")))
    changes = diff(CHAIN, new)
    assert [(c.what, c.subject, c.path) for c in changes] == [
        ("added", "stage `new`", "single_ring.stages.1"),
        ("changed", "stage `c` depends_on", "single_ring.stages.3.depends_on"),
    ]
    assert (changes[1].old, changes[1].new) == ("b", "new, b")


def test_what_was_removed_is_named_by_the_first_specs_key() -> None:
    changes = diff(CHAIN, ring(("a", ()), ("c", ("a",))))
    assert ("removed", "single_ring.stages.1", None) in [(c.what, c.path, c.new) for c in changes]


def test_settings_fields_and_params_are_said_in_words() -> None:
    wide = replace(TICK, fields=(*TICK.fields[:1], replace(TICK.fields[1], type="f32")))
    stage = replace(CHAIN.stages[0], params=(Param("limit", "i64", "3"),))
    new = replace(CHAIN, capacity=64, types=(wide,), stages=(stage, *CHAIN.stages[1:]))
    text = as_text(diff(CHAIN, new))
    assert "~ capacity: 65536 -> 64  (single_ring.capacity)\n" in text
    assert "~ type `tick` field `px` type: f64 -> f32  (single_ring.types.0.fields.1.type)\n" in text
    assert "+ stage `a` param `limit`: type=i64 value=3  (single_ring.stages.0.params.0)\n" in text


def test_an_order_is_a_change_and_no_field_is_added() -> None:
    turned = replace(CHAIN, types=(replace(TICK, fields=TICK.fields[::-1]),))
    (change,) = diff(CHAIN, turned)
    assert (change.what, change.old, change.new) == ("moved", "key, px", "px, key")


def test_an_egress_comes_and_goes() -> None:
    (gone,) = diff(CHAIN, replace(CHAIN, egress=None))
    (came,) = diff(replace(CHAIN, egress=None), CHAIN)
    assert (gone.what, came.what, came.path) == ("removed", "added", "single_ring.egress")
    assert as_data([came])[0]["old"] is None


@FEW
@given(specs, st.data())
def test_a_spec_differs_from_every_other_one_and_not_from_itself(spec: Any, data: st.DataObject) -> None:
    other = data.draw(specs)
    assert diff(spec, spec) == ()
    assert bool(diff(spec, other)) == (spec != other)
    assert diff(spec, other) == diff(spec, other)


def test_a_numbering_is_compared_by_the_lane_that_it_names() -> None:
    plan = document.read(PLANT).plan
    assert plan is not None
    old = lower(plan).spec
    assert isinstance(old, LaneGraph)
    moved = replace(old, lanes=old.lanes[::-1])
    numbers = {lane.order.numbering for lane in old.lanes if lane.order}
    assert numbers and diff(old, old) == ()
    last = len(old.lanes) - 1
    turned = tuple(
        replace(lane, order=replace(lane.order, numbering=last - lane.order.numbering)) if lane.order else lane
        for lane in moved.lanes
    )
    assert [c.what for c in diff(old, replace(moved, lanes=turned))] == ["moved"]
    assert any(c.subject.endswith("order.numbering") for c in diff(old, moved))
