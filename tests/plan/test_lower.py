"""Lowering: valid in, valid out, and always the same."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given

from byteor import diag
from byteor.lower import lower, sanitised
from byteor.plan.document import single_ring
from byteor.plan.model import ExecutionTarget, Plan
from byteor.spec import kv, rules
from byteor.spec.model import SingleRing
from byteor.spec.type_rules import NAME
from tests import strategies
from tests.strategies import FEW

PLAN = (
    single_ring("my demo", "tick", {"tick": {"px": "f64"}})
    .ingress("the input")
    .stage("a b")
    .stage("a?b", after=["a b"])
    .plan
)


@FEW
@given(strategies.valid_plans())
def test_a_valid_plan_becomes_a_valid_spec(plan: Plan) -> None:
    lowered = lower(plan)
    assert not diag.errors(lowered.all_findings)
    assert lowered.spec is not None and not diag.errors(rules.validate(lowered.spec))
    assert lower(plan) == lowered


@FEW
@given(strategies.any_plans)
def test_any_plan_becomes_a_valid_spec_or_findings(plan: Plan) -> None:
    lowered = lower(plan)
    assert (lowered.spec is None) == bool(diag.errors(lowered.all_findings))
    if lowered.spec is not None:
        assert not diag.errors(rules.validate(lowered.spec))


@FEW
@given(strategies.valid_plans())
def test_kv_to_json_to_kv_keeps_every_byte(plan: Plan) -> None:
    import json

    spec = lower(plan).spec
    assert spec is not None
    text = kv.encode(spec)
    again = kv.decode_json(json.dumps(kv.encode_data(spec))).spec
    assert again is not None and kv.encode(again) == text


def test_names_are_made_to_fit_and_stay_apart() -> None:
    lowered = lower(PLAN)
    assert isinstance(lowered.spec, SingleRing)
    assert lowered.spec.name == "my_demo" and lowered.spec.ingress.name == "the_input"
    assert [stage.name for stage in lowered.spec.stages] == ["a_b", "a_b_2"]
    assert [note.path for note in lowered.notes][:3] == [
        "single_ring.name",
        "single_ring.stages.0.name",
        "single_ring.stages.1.name",
    ]


@given(strategies.texts.filter(lambda text: any(c.isalnum() for c in text)))
def test_sanitised_names_are_names(text: str) -> None:
    assert NAME.fullmatch(sanitised(text))


def test_findings_of_plan_and_lowering_are_kept_apart() -> None:
    assert PLAN.ring is not None
    broken = replace(
        PLAN, ring=replace(PLAN.ring, capacity=3), stage=(PLAN.stage[0], replace(PLAN.stage[1], after=("c",)))
    )
    lowered = lower(broken)
    assert [d.code for d in lowered.plan_findings] == ["P035"]
    assert [(d.code, d.path) for d in lowered.findings] == [("S020", "ring.capacity")]


def test_the_target_may_be_given_as_an_enumeration() -> None:
    assert lower(PLAN, ExecutionTarget.SINGLE_RING).spec is not None
    assert [d.code for d in lower(PLAN, ExecutionTarget.LANE_GRAPH).findings] == ["L001"]
