"""Mutants of a link's functions, by the rules of hot functions: each must break a fact or a search.

Rule 1. A module is made again with one function changed, so that whoever calls it calls the changed one.
Rule 2. Facts are asked first: what they can tell they tell at once.
"""

from __future__ import annotations

import ast
import importlib.util
import inspect
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import FunctionType, ModuleType
from typing import Any

from byteor.fabric import egress, ingress
from byteor.testing.link_facts import FACTS
from byteor.testing.link_model import Bounds, Budget, Seen, Sides, search
from byteor.testing.mutants import Mutant, mutants_of

CASES: Mapping[str, Bounds] = {
    "nothing goes wrong": Bounds(2, 2, 2, Budget()),
    "a message is lost": Bounds(2, 1, 1, Budget(lost=1)),
    "two messages are lost": Bounds(2, 2, 1, Budget(lost=2)),
    "a mark is lost": Bounds(1, 1, 1, Budget(lost=1), marks=True),
    "the near side dies": Bounds(2, 1, 1, Budget(near_deaths=1)),
    "the far side dies": Bounds(2, 1, 1, Budget(far_deaths=1)),
    "the far side dies twice": Bounds(2, 1, 1, Budget(far_deaths=2)),
    "an answer comes again": Bounds(2, 1, 1, Budget(again=1)),
    "a question comes early": Bounds(2, 2, 1, Budget(early=1)),
}
MORE: Mapping[str, Bounds] = {
    "marks rise": Bounds(2, 2, 1, Budget(), marks=True),
    "both sides die": Bounds(2, 1, 1, Budget(near_deaths=1, far_deaths=1)),
    "the near side dies twice": Bounds(2, 1, 1, Budget(near_deaths=2)),
    "a cut, and a message is lost": Bounds(2, 1, 1, Budget(cuts=1, lost=1)),
    "a message comes again, and one is lost": Bounds(2, 2, 1, Budget(again=1, lost=1)),
    "the near side dies, and a message is lost": Bounds(2, 2, 2, Budget(near_deaths=1, lost=1)),
    "the far side dies, and a message is lost": Bounds(2, 2, 2, Budget(far_deaths=1, lost=1)),
}
BY_HAND: Mapping[str, Sides] = {
    "an answer before its commit": Sides(answers_first=True),
    "slots are given back when they were sent": Sides(gives_back=lambda e: e.next),
}
FUNCTIONS = tuple(
    function
    for module in (egress, ingress)
    for function in vars(module).values()
    if isinstance(function, FunctionType) and function.__module__ == module.__name__
)
WRONG = (ArithmeticError, AttributeError, LookupError, NameError, TypeError, ValueError)
LIMIT = 40_000  # states: the shipped sides have fewer in every case, so who has more does not come to an end


@dataclass(frozen=True, slots=True)
class Judged:
    """What became of a mutant."""

    name: str
    killed_by: str = ""
    reason: str = ""

    @property
    def word(self) -> str:
        return "killed" if self.killed_by else "survived"


def changed(mutant: Mutant) -> Sides:
    """The sides with one function changed."""
    module = sys.modules[mutant.function.__module__]
    tree = ast.parse(inspect.getsource(module))
    for i, node in enumerate(tree.body):
        if isinstance(node, ast.FunctionDef) and node.name == mutant.function.__name__:
            mutant.apply(node)
            tree.body[i] = node
    made = _made(module, ast.fix_missing_locations(tree))
    return Sides(**{"egress": egress, "ingress": ingress, module.__name__.rpartition(".")[2]: made})


def _made(module: ModuleType, tree: ast.Module) -> Any:
    """A module from a tree; its types stay those of the shipped one."""
    made = importlib.util.module_from_spec(importlib.util.spec_from_loader(module.__name__, None))  # type: ignore[arg-type]
    exec(compile(tree, module.__name__, "exec"), made.__dict__)
    return made


def judge(name: str, sides: Sides, cases: Mapping[str, Bounds]) -> Judged:
    """Ask fact by fact, then search case by case, until something is wrong."""
    for fact in FACTS:
        try:
            fact(sides)
        except (AssertionError, *WRONG) as e:
            return Judged(name, fact.__name__, repr(e))
    for case, bounds in cases.items():
        try:
            found = search(bounds, sides, LIMIT)
        except WRONG as e:
            found = Seen(0, repr(e))
        if found.finding:
            return Judged(name, case, found.finding)
    return Judged(name)


def judge_all(cases: Mapping[str, Bounds] = CASES) -> Iterator[Judged]:
    """Judge every mutant by rule, then those by hand."""
    for function in FUNCTIONS:
        for mutant in mutants_of(function):
            yield judge(mutant.name, changed(mutant), cases)
    for name, sides in BY_HAND.items():
        yield judge(name, sides, cases)
