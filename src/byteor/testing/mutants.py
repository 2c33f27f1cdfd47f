"""Mutants of hot functions by rule: each must break some scenario, or carry an argument.

Rule 1. A mutant is one small change of one function's tree; its name says function, rule and change.
Rule 2. What was not killed within the bounds has survived, and a survivor without argument is a fault.
Rule 3. An argument that no mutant needs is a fault too.
"""

from __future__ import annotations

import ast
import copy
import itertools
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from types import FunctionType

from byteor.testing.explore import Scenario, explore, sample
from byteor.testing.lift import OPERATIONS, Edit, Lifter, hot_calls, names_of, parse

Change = tuple[str, str, ast.AST]  # the rule, what it changes, and the node that replaces the old one
Rule = Callable[[ast.AST, frozenset[str]], Iterator[Change]]

WEAKER = {
    "load_acquire": "load_relaxed",
    "store_release": "store_relaxed",
    "fetch_add": "fetch_add_relaxed",
    "exchange": "exchange_relaxed",
    "cas": "cas_relaxed",
}
_MOVED: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
}
_EFFECTS = {"store", "add", "exchange", "cas", "wake", "fence"}
ROWS = {"copy_row", "clear_rows", "poke", "set_row_word"}  # stores of payload by address
PRIVATE = "keep"


@dataclass(frozen=True, slots=True)
class Mutant:
    """One change of one function: at which node of its tree, by which rule, which of the rule's changes."""

    function: FunctionType
    node: int
    rule: str
    change: str
    variant: int
    again: int = 1  # the same words may stand in a function several times

    @property
    def name(self) -> str:
        """What names it across edits elsewhere: function, rule, change."""
        count = f" #{self.again}" if self.again > 1 else ""
        function = self.function.__qualname__.replace(".<locals>", "")
        return f"{function}: {self.rule}: {self.change}{count}"

    def lifter(self) -> Lifter:
        """A lifter that lifts everything as it is, and this function changed."""
        return Lifter(Edit(self.function, self.apply))

    def apply(self, tree: ast.FunctionDef) -> None:
        """Change the tree in place."""
        node = list(ast.walk(tree))[self.node]
        hot = hot_calls(self.function, names_of(self.function))
        rule, _, new = list(_changes(node, hot))[self.variant]
        assert rule == self.rule
        _replace(tree, node, new)


def _replace(tree: ast.AST, old: ast.AST, new: ast.AST) -> None:
    class Swap(ast.NodeTransformer):
        def visit(self, node: ast.AST) -> ast.AST:
            return ast.copy_location(new, old) if node is old else self.generic_visit(node)

    if isinstance(new, ast.FunctionDef) and isinstance(tree, ast.FunctionDef):  # its own body was changed
        tree.body = new.body
    else:
        Swap().visit(tree)


def _called(node: ast.AST) -> str:
    return node.func.id if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) else ""


def _weakened(node: ast.AST, _hot: frozenset[str]) -> Iterator[Change]:
    name = _called(node)
    if name in WEAKER:
        new = copy.deepcopy(node)
        new.func.id = WEAKER[name]  # type: ignore[attr-defined]
        yield "order weakened", ast.unparse(node), new


def _fences(node: ast.AST, _hot: frozenset[str]) -> Iterator[Change]:
    if isinstance(node, ast.Expr) and _called(node.value).startswith("fence_"):
        yield "fence dropped", ast.unparse(node), ast.Pass()


def _bounds(node: ast.AST, _hot: frozenset[str]) -> Iterator[Change]:
    if isinstance(node, ast.Compare) and type(node.ops[0]) in _MOVED:
        new = copy.copy(node)
        new.ops = [_MOVED[type(node.ops[0])]()]
        yield "bound moved", f"{ast.unparse(node)} -> {ast.unparse(new)}", new
    if isinstance(node, ast.BinOp) and isinstance(node.right, ast.Constant) and node.right.value == 1:
        yield "bound moved", f"{ast.unparse(node)} -> {ast.unparse(node.left)}", node.left


def _checks(node: ast.AST, _hot: frozenset[str]) -> Iterator[Change]:
    if isinstance(node, ast.If):
        for value, word in ((True, "forced"), (False, "dropped")):
            new = copy.copy(node)
            new.test = ast.Constant(value)
            yield f"check {word}", f"if {ast.unparse(node.test)}", new
    if isinstance(node, ast.BoolOp):
        for i, operand in enumerate(node.values):
            rest = [v for v in node.values if v is not node.values[i]]
            new_test = rest[0] if len(rest) == 1 else ast.BoolOp(node.op, rest)
            yield "operand dropped", f"{ast.unparse(operand)} in {ast.unparse(node)}", new_test


def _is_payload(statement: ast.stmt) -> bool:
    if isinstance(statement, ast.Assign):
        return isinstance(statement.targets[0], ast.Subscript | ast.Attribute)
    return isinstance(statement, ast.Expr) and _called(statement.value) in ROWS


def _stores(statement: ast.stmt, hot: frozenset[str]) -> bool:
    if _is_payload(statement):
        return True
    if not isinstance(statement, ast.Expr):
        return False
    name = _called(statement.value)
    if name == PRIVATE:
        return False  # nobody else sees it, and a death takes it along
    return name in hot or OPERATIONS.get(name, ("",))[0] in _EFFECTS


def _swaps(node: ast.AST, hot: frozenset[str]) -> Iterator[Change]:
    for field in ("body", "orelse"):
        body = getattr(node, field, None)
        if not isinstance(body, list):
            continue
        places = [i for i, s in enumerate(body) if _stores(s, hot)]
        for first, second in itertools.pairwise(places):
            if _is_payload(body[first]) and _is_payload(body[second]):
                continue  # two places of plain payload: nobody sees either before what publishes both
            new = copy.copy(node)
            swapped = list(body)
            swapped[first], swapped[second] = swapped[second], swapped[first]
            setattr(new, field, swapped)
            text = " <-> ".join(ast.unparse(body[i]).partition("\n")[0] for i in (first, second))
            yield "stores swapped", text, new


RULES: tuple[Rule, ...] = (_weakened, _fences, _swaps, _bounds, _checks)


def _changes(node: ast.AST, hot: frozenset[str]) -> Iterator[Change]:
    for rule in RULES:
        yield from rule(node, hot)


def shares(function: FunctionType) -> bool:
    """Whether it touches anything shared; what only paces a wait has no order to lose."""
    return any(
        OPERATIONS.get(_called(node), ("pause",))[0] != "pause" or isinstance(node, ast.Subscript)
        for node in ast.walk(parse(function.__code__))
    ) or bool(hot_calls(function, names_of(function)))


def mutants_of(function: FunctionType) -> tuple[Mutant, ...]:
    """Every mutant of a function, in the order of its source."""
    hot = hot_calls(function, names_of(function))
    found: list[Mutant] = []
    seen: Counter[str] = Counter()
    for i, node in enumerate(ast.walk(parse(function.__code__))):
        for variant, (rule, change, _) in enumerate(_changes(node, hot)):
            mutant = Mutant(function, i, rule, change, variant)
            seen[mutant.name] += 1
            found.append(replace(mutant, again=seen[mutant.name]))
    return tuple(found)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of a mutant: killed by a scenario, equivalent by an argument, or survived."""

    mutant: Mutant
    killed_by: str = ""
    reason: str = ""
    argument: str = ""
    schedules: int = 0

    @property
    def word(self) -> str:
        """killed, equivalent or survived."""
        return "killed" if self.killed_by else "equivalent" if self.argument else "survived"


Family = Callable[[Lifter], Scenario]


def judge(mutant: Mutant, families: Mapping[str, Family], limit: int, argument: str = "") -> Verdict:
    """Run the scenarios in turn until one kills the mutant."""
    schedules = 0
    for name, family in families.items():
        outcome = explore(family(mutant.lifter()), limit)
        schedules += outcome.schedules
        if outcome.finding is not None:
            return Verdict(mutant, name, outcome.finding.reason, "", schedules)
    return Verdict(mutant, argument=argument, schedules=schedules)


def reached(families: Mapping[str, Family]) -> dict[FunctionType, list[str]]:
    """The functions that the scenarios run, each with the scenarios that run it."""
    found: dict[FunctionType, list[str]] = {}
    first: dict[object, FunctionType] = {}
    for name, family in families.items():
        lifter = Lifter()
        sample(family(lifter), 3, seed=1)  # actors lift what they call when they come to it
        for function in lifter.reached:
            found.setdefault(first.setdefault(function.__code__, function), []).append(name)
    return found


def judge_all(
    families: Mapping[str, Family],
    limit: int,
    arguments: Mapping[str, str],
    only: Sequence[str] = (),
    but: Sequence[str] = (),
) -> Iterator[Verdict]:
    """Judge every mutant of every function that the scenarios run and that shares.

    `only` names rules, where not all are asked for, and `but` modules whose functions are left out.
    """
    for function, names in reached(families).items():
        if function.__module__ in but or not shares(function):
            continue
        mine = {name: families[name] for name in names}
        for mutant in mutants_of(function):
            if not only or mutant.rule in only:
                yield judge(mutant, mine, limit, arguments.get(mutant.name, ""))


def unused(arguments: Mapping[str, str], verdicts: Sequence[Verdict]) -> tuple[str, ...]:
    """Arguments that no mutant needed."""
    needed = {v.mutant.name for v in verdicts if v.word == "equivalent"}
    return tuple(sorted(set(arguments) - needed))
