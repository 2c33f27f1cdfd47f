"""Which fields a stage touches is read off its code, whatever way it takes to them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numba
import numpy as np
import pytest

from byteor.exec import inspect
from byteor.exec.inspect import judge, proposed, touched
from byteor.exec.resolve import resolve
from byteor.exec.stage import as_stage
from byteor.spec.build import SingleRingBuilder, message_type, stage
from byteor.spec.model import Field

BOTH = ("a", "b")


@numba.njit
def compiled_helper(rec, value):
    rec.a = value
    return rec


def plain_helper(rec, *, name="b"):
    rec[name] = 1


def set_first(column):
    column[0] = 1


# each stage with the fields that it reads and those that it writes; None: it touches the whole


def attributes(rec):
    rec.a = rec.b


def names(rec):
    rec["a"] = rec["b"] + rec.c


def augmented(rec):
    rec.a += 1
    rec["b"] -= 1


def fetched_only(rec):
    rec.a  # noqa: B018


def own_number(rec):
    n = rec.a
    n += 1
    return n > 2


def sub_array(rec):
    rec.many[2] = 1


def sub_array_in_place(rec):
    values = rec.many
    values += 1


def alias(rec, state):
    other = rec
    if state.n > 0:
        other.a = 1
    rec = state
    rec.b = 1


def helpers(rec):
    compiled_helper(rec, rec.c).b = 2
    plain_helper(rec)


def answer(rec):
    return rec.a > 0 and rec.b > 0


def state_index(rec, state):
    state[rec.a].total += rec.b


def raises(rec):
    if rec.a < 0:
        raise ValueError("a is negative")


def own_closure(rec):
    def double(x):
        return 2 * x

    rec.a = double(rec.b)


def unknown_name(rec, p):
    rec[p.name] = 1


def kept(rec, state):
    state.last = rec


def returned(rec):
    return rec


def itself(rec):
    rec.a = 1
    return itself(rec)


def with_file(rec):
    with open(rec.a) as file:
        rec.b = file.read()


def rows(batch):
    for r in batch:
        r.a = 1


def numbered(batch):
    for i, r in enumerate(batch):
        r.a = i


def side_by_side(batch):
    for b, (c, r) in zip(batch["b"], zip(batch["c"], batch)):  # noqa: B905
        r.a = b + c


def by_row(batch):
    for i in range(len(batch)):
        batch[i].a = batch[i]["b"]
        batch["c"][i] = 1


def columns(batch):
    batch["a"][:] = batch["b"]
    batch["c"] = 0


def column_in_place(batch):
    a = batch["a"]
    a += 1
    batch["b"] += 1


def masked(batch):
    mask = batch["a"] > 0
    batch["b"][mask] = 1
    return mask & ~np.isnan(batch["c"])


def copied(batch):
    some = batch[batch.a > 1]
    some["b"] = 1
    return some["c"].sum() > 0


def live_only(batch, live):
    batch[live]["a"] = 1


def sliced(batch):
    part = batch[1:3]
    part["a"][0] = part.b[0]


def several_names(batch):
    for name in BOTH:
        batch[name][:] = 0


def into(batch):
    np.multiply(batch["b"], 2, out=batch["a"])
    np.add(batch["b"], 1, batch["c"])
    np.cumsum(batch["b"], out=batch["many"])


def filled(batch):
    batch["a"].reshape(-1)[0] = 1
    np.copyto(batch["c"], batch["b"])


def sorted_in_place(batch):
    batch["a"].sort()
    batch["b"].fill(0)


def passed_on(batch):
    set_first(batch["a"])


def comprehension(batch):
    return sum([r.a for r in batch]) > 0


def size_only(batch):
    return np.ones(len(batch) + batch.shape[0] + batch["a"].size, np.bool_)


def whole_rows(batch):
    batch[1] = batch[0]


def all_of_it(batch):
    return np.sort(batch)["a"] > 0


FOLLOWED = [
    (attributes, "b", "a"),
    (names, "b c", "a"),
    (augmented, "a b", "a b"),
    (fetched_only, "", ""),
    (own_number, "a", ""),
    (sub_array, "", "many"),
    (sub_array_in_place, "many", "many"),
    (alias, "", "a"),
    (helpers, "c", "a b"),
    (answer, "a b", ""),
    (state_index, "a b", ""),
    (raises, "a", ""),
    (own_closure, "b", "a"),
    (rows, "", "a"),
    (numbered, "", "a"),
    (side_by_side, "b c", "a"),
    (by_row, "b", "a c"),
    (columns, "b", "a c"),
    (column_in_place, "a b", "a b"),
    (masked, "a c", "b"),
    (copied, "a c", ""),
    (live_only, "", ""),
    (sliced, "b", "a"),
    (several_names, "", "a b"),
    (into, "b", "a c many"),
    (filled, "b", "a c"),
    (sorted_in_place, "a", "a b"),
    (passed_on, "", "a"),
    (comprehension, "a", ""),
    (size_only, "", ""),
]
ESCAPES = [unknown_name, kept, returned, itself, with_file, whole_rows, all_of_it]


def form_of(function: Any) -> str:
    return "batch" if function.__code__.co_varnames[0] == "batch" else "message"


@pytest.mark.parametrize("function, reads, writes", FOLLOWED, ids=lambda v: getattr(v, "__name__", None))
def test_fields_are_followed(function: Any, reads: str, writes: str) -> None:
    found = touched(function, form_of(function), ["many"])
    assert (set(found.reads), set(found.writes), found.whole) == (set(reads.split()), set(writes.split()), False)


@pytest.mark.parametrize("function", ESCAPES, ids=lambda f: f.__name__)
def test_what_cannot_be_followed_touches_the_whole(function: Any) -> None:
    assert touched(function, form_of(function)).whole
    assert proposed(as_stage(function), form_of(function)) == (None, None)


def test_a_compiled_function_is_followed_uncompiled() -> None:
    function = numba.njit(attributes)
    assert touched(function, "message").writes == {"a"}
    assert not function.signatures


def test_proposals_are_sorted_and_know_the_arrays() -> None:
    fields = [Field("many", "f64", 4)]
    assert proposed(as_stage(names), "message") == (("b", "c"), ("a",))
    assert proposed(as_stage(sub_array_in_place), "message", fields) == (("many",), ("many",))


FIELDS = tuple(Field(name, "i64") for name in ("a", "b", "c"))


def judged(function: Any, **declared: Any) -> list[tuple[str, str]]:
    spec = stage("s", "m:s", "row", form=form_of(function), **declared)
    return [(d.path, d.message) for d in judge(spec, as_stage(function), "single_ring.stages.1", FIELDS)]


def test_an_undeclared_field_is_named_with_its_line() -> None:
    line = names.__code__.co_firstlineno + 1
    where = f"(line {line} of test_inspect.py)"
    assert judged(names, reads=("b",), writes=()) == [
        ("single_ring.stages.1.reads", f"stage `s` reads `c` {where}, which its `reads` leaves out"),
        ("single_ring.stages.1.writes", f"stage `s` writes `a` {where}, which its `writes` leaves out"),
    ]


def test_what_is_declared_or_not_known_is_no_finding() -> None:
    assert judged(names) == []
    assert judged(names, reads=("b", "c"), writes=("a", "b")) == []
    assert judged(kept, reads=(), writes=()) == []  # it may do anything: nothing is certain
    assert judged(sub_array, reads=(), writes=()) == []  # the message has no such field


def test_unchanged_code_is_followed_once(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BYTEOR_CACHE", str(tmp_path / "cache"))
    assert judged(attributes, reads=("b",), writes=("a",)) == []

    def again(*_: Any) -> None:
        raise AssertionError("followed again")

    monkeypatch.setattr(inspect, "touched", again)
    assert judged(attributes, reads=("b",), writes=("a",)) == []


@dataclass
class Unhashable:
    """A value that no fingerprint can hold."""


THING = Unhashable()


def opaque(rec):
    rec.a = THING


def test_code_without_a_fingerprint_is_judged_too() -> None:
    assert len(judged(opaque, writes=())) == 1


@pytest.mark.parametrize("compiled, codes", [(True, ["X005"]), (False, [])])
def test_bring_up_judges_compiled_stages(compiled: bool, codes: list[str]) -> None:
    ring = SingleRingBuilder("r", message_type("row", {"a": "i64", "b": "i64"}), capacity=8)
    spec = ring.stage("s", "m:s", compiled=compiled, writes=()).draft()
    _, found = resolve(spec, None, {"s": attributes})
    assert [d.code for d in found] == codes
