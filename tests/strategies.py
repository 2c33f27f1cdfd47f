"""Generated specs and plans: the one home of the strategies.

Rule 1. What is generated is of the right shape; `valid_rings` and `valid_plans` are also right in meaning.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st

from byteor.plan import model as plans
from byteor.spec import codec
from byteor.spec.build import egress, ingress, message_type, params_from, ring, stage
from byteor.spec.lane_graph import LaneGraph
from byteor.spec.model import SCALARS, UNITS, Egress, End, Field, MessageType, SingleRing, Stage, State
from tests.plans import random_plant

FEW = settings(max_examples=40)  # a whole spec is many choices: fewer of them find as much a second
PRINTABLE = st.characters(min_codepoint=32, max_codepoint=126)
texts = st.text(PRINTABLE, max_size=12).map(str.strip)
integers = st.integers(-(2**63), 2**63 - 1)
names = st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,8}", fullmatch=True)
scalars = st.sampled_from(
    [*SCALARS, *(f"timestamp({unit})" for unit in UNITS), *(f"bytes({n})" for n in (1, 2, 8, 100))]
)


def of(kind: codec.Kind) -> st.SearchStrategy[Any]:
    """Anything that fits a declaration."""
    made = _some(kind)
    return st.none() | made if kind.optional else made


def _some(kind: codec.Kind) -> st.SearchStrategy[Any]:
    if kind.tag == "tuple":
        assert kind.item is not None
        return st.lists(of(kind.item), max_size=3).map(tuple)
    if kind.tag == "object":
        assert kind.cls is not None
        return anything(kind.cls)
    return {"str": texts, "int": integers, "bool": st.booleans()}[kind.tag]


def anything(cls: type) -> st.SearchStrategy[Any]:
    """Any value of a dataclass of the model, right in shape alone."""
    return st.builds(cls, **{slot.attr: of(slot.kind) for slot in codec.slots_of(cls)})


specs: st.SearchStrategy[SingleRing | LaneGraph] = anything(SingleRing) | anything(LaneGraph)


@st.composite
def message_types(draw: Callable[..., Any], name: str, wanted: dict[str, str]) -> MessageType:
    """A type with the wanted fields and some others."""
    more = draw(st.dictionaries(names.filter(lambda n: n not in wanted), scalars, max_size=4))
    counted = {key: Field(key, kind, draw(st.integers(1, 3))) for key, kind in more.items()}
    return message_type(name, {**wanted, **counted})


params = st.dictionaries(
    names,
    st.booleans() | integers | st.floats(allow_nan=False, allow_infinity=False) | texts,
    max_size=3,
)


@st.composite
def valid_stages(draw: Callable[..., Any], message: MessageType, end: bool) -> tuple[Stage, ...]:
    """A DAG of stages that read whatever they like and write nothing, so that none can race."""
    count = draw(st.integers(1, 6))
    fields = [field.name for field in message.fields]
    out = []
    for i in range(count):
        above = st.lists(st.integers(0, i - 1), min_size=1, unique=True).map(sorted) if i else st.just([])
        keyed = draw(st.booleans())
        keys = State("total", ("key",), draw(st.integers(1, 1000))) if keyed else None
        last = end and i == count - 1
        out.append(
            stage(
                f"stage_{i}",
                f"stages:f{i}",
                message.name,
                depends_on=tuple(draw(above)),
                form=draw(st.sampled_from(["message", "batch"])),
                compiled=draw(st.booleans()),
                min_out=draw(st.integers(0, 1)),
                reads=draw(st.none() | st.lists(st.sampled_from(fields), unique=True).map(tuple)),
                writes=(),
                state=keys,
                end=End("total", draw(st.integers(1, 1000))) if last else None,
                clock=draw(st.booleans()),
                params=params_from(draw(params)),
            )
        )
    return tuple(out)


@st.composite
def valid_rings(draw: Callable[..., Any]) -> SingleRing:
    """A ring that every rule accepts."""
    message = draw(message_types("tick", {"key": "u32", "px": "f64"}))
    total = draw(message_types("total", {"key": "u32"}))
    end = draw(st.booleans())
    shards = draw(st.integers(1, 4))
    return ring(
        draw(names),
        (message, total),
        ingress("in", "tick", null_text=tuple(draw(st.lists(texts, max_size=2)))),
        draw(valid_stages(message, end)),
        draw(st.just(_egress(end)) if end else st.none() | st.just(_egress(end))),
        capacity=1 << draw(st.integers(0, 16)),
        wait=draw(st.sampled_from(["spin", "yield", "backoff", "block"])),
        shards=shards,
        ordering="per_key" if shards > 1 else draw(st.sampled_from(["strict", "per_key"])),
        shard_key="key" if shards > 1 else draw(st.none() | st.just("key")),
    )


def _egress(end: bool) -> Egress:
    if end:
        return egress("out", "total", emit="end", sort=("key",))
    return egress("out", "tick")


@st.composite
def valid_plans(draw: Callable[..., Any]) -> plans.Plan:
    """A plan that says what a valid ring says."""
    spec = draw(valid_rings())
    return plans.Plan(
        plan=2,
        name=spec.name,
        target="single_ring",
        title=draw(st.none() | st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=8)),
        labels=tuple(plans.Label(key, value) for key, value in draw(st.dictionaries(names, texts, max_size=2)).items()),
        types=spec.types,
        ring=plans.Ring(spec.type, spec.capacity, None, spec.wait, spec.ordering, spec.shards, spec.shard_key),
        ingress=(plans.Ingress("in", null_text=spec.ingress.null_text),),
        stage=tuple(_stage(spec, one) for one in spec.stages),
        egress=(plans.Egress("out", emit=spec.egress.emit, sort=spec.egress.sort),) if spec.egress else (),
    )


def _stage(spec: SingleRing, one: Stage) -> plans.Stage:
    return plans.Stage(
        one.name,
        one.call,
        tuple(spec.stages[i].name for i in one.depends_on),
        one.form,
        one.compiled,
        min_out=one.min_out,
        reads=one.reads,
        writes=one.writes,
        state=plans.State(one.state.type, one.state.by, one.state.max) if one.state else None,
        end=plans.End(one.end.type, one.end.max) if one.end else None,
        params=one.params,
        clock=one.clock,
    )


any_plans: st.SearchStrategy[plans.Plan] = anything(plans.Plan)
plants: st.SearchStrategy[plans.Plan] = st.randoms(use_true_random=False).map(random_plant)
