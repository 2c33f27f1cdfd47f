"""The emitted code keeps every order that the kernel's source asks for; and a lost order is noticed."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import numba
import pytest

from byteor.kernel.atomics import fence_release, load_relaxed, spin_hint, store_release
from byteor.kernel.atomics import store_relaxed as weak_store
from byteor.kernel.hot import hot
from byteor.testing import emitted
from byteor.testing.entries import BEFORE_DEATH, ENTRIES, compiled, kernel_sites
from byteor.testing.tagged import Compiled, Tree
from byteor.testing.targets import ARM, FIRST, TARGETS, emit

TREE = Tree()


def faults(what: Compiled) -> list[str]:
    return list(emitted.judge(emitted.look(what)))


def _named(name: str) -> Any:
    """An entry as a parameter; the turns of roles take a second each."""
    return pytest.param(name, marks=[pytest.mark.stress] if name.startswith("turns, ") else [])


@pytest.mark.parametrize("name", [_named(name) for name in ENTRIES])
def test_an_entry_keeps_its_orders(name: str) -> None:
    assert faults(compiled(name, TREE)) == []


@pytest.mark.stress
def test_every_operation_of_the_kernel_is_looked_at() -> None:
    sites = {s for name in ENTRIES for s in compiled(name, TREE).asked.values()}
    assert kernel_sites() <= {(s.module, s.line, s.operation) for s in sites}


@pytest.mark.parametrize("name", ["advance", "send", "publish"])
def test_marks_change_nothing(name: str) -> None:
    function, args = ENTRIES[name]
    shipped = numba.njit(no_cpython_wrapper=True, no_cfunc_wrapper=True)(function.py_func)
    shipped.compile(tuple(map(numba.typeof, args)))
    (text,) = shipped.inspect_llvm().values()
    assert body(text) == body(compiled(name, TREE).text)


def body(text: str) -> list[str]:
    """The instructions of the first function, without metadata and without symbols that count compilations."""
    lines = text[text.index("\ndefine ") :].partition("\n}")[0].splitlines()[2:]
    return [re.sub(r"@_ZN\w+", "@f", re.sub(r", ![\w.]+ !\d+", "", line)) for line in lines]


@pytest.mark.parametrize("target", TARGETS, ids=lambda t: t.name)
@pytest.mark.parametrize("name", BEFORE_DEATH)
def test_payload_is_stored_before_the_release(name: str, target: Any) -> None:
    function, args = BEFORE_DEATH[name]
    assert list(emitted.judge_order(TREE(function, *args), target)) == []


# The checks see


WEAKENED = {
    "a release": ("advance", "advance", "store_release", weak_store, "str "),
    "an acquire": ("collect", "least", "load_acquire", load_relaxed, "ldr "),
    "a full fence": ("send", "block", "fence_seq_cst", fence_release, ""),
    "a bell's fence": ("publish", "ring", "fence_seq_cst", spin_hint, ""),
}


@pytest.mark.parametrize("what", WEAKENED)
def test_a_weaker_order_is_seen(what: str) -> None:
    entry, function, operation, weaker, instruction = WEAKENED[what]
    found = faults(compiled(entry, Tree({function: {operation: weaker}})))
    assert all(f"{function}: {operation}" in f for f in found)
    assert any(f.endswith("in LLVM") for f in found)
    if instruction:  # as an instruction too; x86-64 has the same for both
        assert any(f"`{instruction}" in f and f.endswith("for AArch64") for f in found)
    else:
        assert any(f.endswith("for x86-64") for f in found)


def test_a_lost_store_is_seen_everywhere() -> None:
    whole = compiled("advance", TREE)
    lost = replace(whole, text=re.sub(r"^  store atomic .* release.*\n", "", whole.text, flags=re.M))
    assert {f.partition(" missing ")[2] for f in faults(lost)} == {"in LLVM", *(f"for {t.name}" for t in TARGETS)}


def test_an_order_lost_on_the_way_to_the_machine_is_seen() -> None:
    whole = compiled("advance", TREE)
    text = re.sub(r"^(  store atomic .*) release", r"\1 monotonic", whole.text, flags=re.M)
    seen = emitted.look(replace(whole, text=text))
    assert any("`str " in f and f.endswith(f"for {ARM.name}") for f in emitted.judge(seen))


@hot
def put_early(cursor: Any, slots: Any, sequence: Any, a: Any, b: Any) -> None:
    store_release(cursor, sequence + 1)
    slots[sequence & 3].a = a
    slots[sequence & 3].b = b


@pytest.mark.parametrize("target", TARGETS, ids=lambda t: t.name)
def test_a_release_before_its_payload_is_seen(target: Any) -> None:
    _, args = BEFORE_DEATH["put_one"]
    assert list(emitted.judge_order(TREE(put_early, *args), target))


@pytest.mark.parametrize("target", TARGETS, ids=lambda t: t.name)
def test_a_value_is_announced_before_it_is_written_and_published_after(target: Any) -> None:
    """On x86-64 no instruction separates them: only their order does."""
    put = compiled("state, put", TREE)
    (code,) = [body for body in emit(put, target).values() if any(i.line >= FIRST for i in body)]
    stores = [put.asked[i.line - FIRST] for i in code if i.line >= FIRST and re.match(r"mov\w* .*\)$|st", i.text)]
    functions = [f"{site.function} {site.operation}" for site in stores]
    assert functions[0] == "put store_relaxed"
    assert functions[-1] == "put store_release"
    assert len(functions) > 2 and set(functions[1:-1]) == {"copy_words store_relaxed"}


def places(what: Compiled, target: Any, function: str) -> list[tuple[Any, str]]:
    """The operations in the code that has those of a function, in the order of their instructions."""
    bodies = [[i for i in body if i.line >= FIRST] for body in emit(what, target).values()]
    named = [[(what.asked[i.line - FIRST], i.text) for i in body] for body in bodies]
    (found,) = [body for body in named if any(site.function == function for site, _ in body)]
    return found


def stores(found: list[tuple[Any, str]]) -> list[Any]:
    """Those that are stores by themselves."""
    return [site for site, text in found if re.match(r"mov\w* .*\)$|st", text)]


@pytest.mark.parametrize("target", TARGETS, ids=lambda t: t.name)
def test_a_record_is_written_between_its_fence_and_its_epoch(target: Any) -> None:
    """A death would show a word that is stored behind its record's epoch, or before the epoch of the one before."""
    found = places(compiled("commit", TREE), target, "commit")
    *words, last = stores(found)
    assert {site.operation for site in words} == {"store_relaxed"}
    assert (last.function, last.operation) == ("commit", "store_release")
    if any(site.operation == "fence_release" for site, _ in found):  # x86-64 needs none
        assert found[0][0].operation == "fence_release"
