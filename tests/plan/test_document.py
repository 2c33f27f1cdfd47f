"""Plan documents: both spellings carry the same plan, and no document is a traceback."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from byteor import diag
from byteor.plan import document, rules, toml_text
from byteor.plan.document import single_ring
from byteor.plan.model import Plan
from tests import strategies
from tests.strategies import FEW

TEXT = """plan = 2
name = "demo"
target = "single_ring"

[types.tick]
key = "u32"
px = { type = "f64", null = "nan" }

[ring]
type = "tick"
capacity = 1024

[[ingress]]
name = "in"

[[stage]]
name = "clean"
call = "stages:clean"
params = { limit = 1.5, n = 3, on = true, word = "x" }

[[stage]]
name = "sum"
after = [
  "clean",
]
"""


@FEW
@given(strategies.valid_plans())
def test_a_plan_comes_back_from_both_spellings(plan: Plan) -> None:
    for form in ("toml", "json"):
        read = document.read(document.encode(plan, form))
        assert read.findings == () and read.plan == plan


def test_the_builder_gives_the_plan_of_the_document() -> None:
    made = single_ring("demo", "tick", {"tick": {"key": "u32", "px": {"type": "f64", "null": "nan"}}}, capacity=1024)
    made.ingress("in")
    made.stage("clean", "stages:clean", params={"limit": 1.5, "n": 3, "on": True, "word": "x"})
    made.stage("sum", after=("clean",))
    assert made.plan == document.read(TEXT).plan


def test_carriage_returns_are_told_in_a_plan() -> None:
    assert [d.code for d in document.read(TEXT.replace("\n", "\r\n")).findings] == ["P020"]


@given(st.text() | st.binary() | st.text(st.sampled_from("[]{}=.,\"'\\#\n ab1-")))
def test_nothing_is_a_traceback(text: str | bytes) -> None:
    read = document.read(text)
    assert (read.plan is None) == bool(diag.errors(read.findings))
    diag.render(read.findings, read.source)


@settings(max_examples=100)
@given(st.data(), st.sampled_from(["toml", "json"]))
def test_a_damaged_plan_has_findings_or_is_a_plan(data: st.DataObject, form: str) -> None:
    plan = document.read(TEXT).plan
    assert plan is not None
    text = document.encode(plan, form)
    at = data.draw(st.integers(0, len(text)))
    cut = data.draw(st.integers(0, 9))
    put = data.draw(st.text(st.sampled_from("[]{}=.,:\"'\\#\n ab1-\x00"), max_size=5))
    read = document.read(text[:at] + put + text[at + cut :])
    assert (read.plan is None) == bool(diag.errors(read.findings))


def test_every_key_of_a_plan_has_its_line() -> None:
    lines = toml_text.scan(TEXT).lines
    assert lines["types.tick.px"] == 7
    assert lines["stage.0.call"] == 18
    assert lines["stage.1"] == 21 and lines["stage.1.after"] == 23


def test_a_string_over_several_lines_does_not_mislead_the_scan() -> None:
    text = "a = \"\"\"\n[x]\n\"\"\"\nb = [ # ]\n 1 ]\nc = '''\n'''\nd = 1\n"
    assert toml_text.scan(text).lines == {"a": 1, "b": 4, "c": 6, "d": 8}


def test_only_sound_values_come_through_the_rules() -> None:
    plan = document.read(TEXT).plan
    assert plan is not None and rules.validate(plan) == ()


@FEW
@given(strategies.any_plans)
def test_any_plan_is_judged(plan: Plan) -> None:
    found = rules.validate(plan)
    assert found == diag.in_order(found)
