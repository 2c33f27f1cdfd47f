"""Hot functions as generators: each shared operation becomes a yield, each hot call a `yield from`, a hint nothing.

Rule 1. The source that is compiled is the source that is lifted; nothing is written twice.
Rule 2. Operations and hot functions are called by bare name, never in a comprehension or a lambda.
Rule 3. Closures one level deep are lifted with their cells as names.
Rule 4. A lifter may replace constants (`constants`) and one function's tree (`edit`): that is a bound,
        or a mutant.
"""

from __future__ import annotations

import ast
import functools
import inspect
import textwrap
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass
from types import CodeType, FunctionType
from typing import Any

ENDLESS = 20_000  # turns of one loop: more is a loop without end
Operation = tuple[Any, ...]  # kind, order, operands
Body = Generator[Operation, Any, Any]

OPERATIONS: dict[str, tuple[str, str]] = {
    "load_relaxed": ("load", "relaxed"),
    "load_acquire": ("load", "acquire"),
    "store_relaxed": ("store", "relaxed"),
    "store_release": ("store", "release"),
    "fetch_add": ("add", "acq_rel"),
    "exchange": ("exchange", "acq_rel"),
    "cas": ("cas", "acq_rel"),
    "fetch_add_relaxed": ("add", "relaxed"),  # the last three are for mutants: no source names them
    "exchange_relaxed": ("exchange", "relaxed"),
    "cas_relaxed": ("cas", "relaxed"),
    "fence_acquire": ("fence", "acquire"),
    "fence_release": ("fence", "release"),
    "fence_seq_cst": ("fence", "seq_cst"),
    "futex_wait": ("wait", ""),
    "futex_wake": ("wake", ""),
    "spin_hint": ("pause", ""),
    "sched_yield": ("pause", ""),
    "nap": ("pause", ""),
}
HINTS = ("prefetch",)  # they neither order nor bring anything


@dataclass(frozen=True, slots=True)
class Edit:
    """A change of one function's tree, in place."""

    function: FunctionType
    apply: Callable[[ast.FunctionDef], None]


def plain(function: Any) -> FunctionType:
    """The Python function behind a compiled one."""
    found: FunctionType = getattr(function, "py_func", function)
    return found


@functools.cache
def _source(code: CodeType) -> tuple[str, int]:
    lines, first = inspect.getsourcelines(code)
    return textwrap.dedent("".join(lines)), first


def parse(code: CodeType) -> ast.FunctionDef:
    """The function's tree, at its own line numbers and without decorators."""
    text, first = _source(code)
    tree = ast.parse(text).body[0]
    assert isinstance(tree, ast.FunctionDef)
    tree.decorator_list = []
    ast.increment_lineno(tree, first - 1)
    return tree


def names_of(function: FunctionType) -> dict[str, Any]:
    """All that the function can name: its globals, and its cells over them."""
    cells = zip(function.__code__.co_freevars, function.__closure__ or (), strict=True)
    return {**function.__globals__, **{name: cell.cell_contents for name, cell in cells}}


def hot_calls(function: FunctionType, names: Mapping[str, Any]) -> frozenset[str]:
    """The hot functions that it calls, by name."""
    code = function.__code__
    called = (*code.co_names, *code.co_freevars)
    return frozenset(n for n in called if n not in OPERATIONS and hasattr(names.get(n), "py_func"))


_TURN = """
{0} = 0
{0} += 1
assert {0} < {1}, "loop without end"
"""


class _Yields(ast.NodeTransformer):
    def __init__(self, hot: frozenset[str]) -> None:
        self.hot, self.loops = hot, 0

    def visit_Call(self, node: ast.Call) -> ast.expr:
        name = node.func.id if isinstance(node.func, ast.Name) else ""
        if name in HINTS:
            return ast.Constant(None)
        self.generic_visit(node)
        if name in OPERATIONS:
            head: list[ast.expr] = [ast.Constant(part) for part in OPERATIONS[name]]
            return ast.Yield(ast.Tuple([*head, *node.args], ast.Load()))
        return ast.YieldFrom(node) if name in self.hot else node

    def visit_While(self, node: ast.While) -> list[ast.stmt]:
        """Count the turns of each loop: one that touches nothing shared would never come back."""
        self.generic_visit(node)
        self.loops += 1
        begin, *turn = ast.parse(_TURN.format(f"_turns_{self.loops}", ENDLESS)).body
        node.body[:0] = turn
        return [begin, node]


def _compile(code: CodeType, hot: frozenset[str], edit: Edit | None) -> CodeType:
    tree = parse(code)
    if edit is not None:
        edit.apply(tree)
    _Yields(hot).visit(tree)
    tree.body.append(ast.parse("if 0: yield").body[0])  # a generator even without operations
    module = ast.Module([tree], [])
    return compile(ast.fix_missing_locations(module), code.co_filename, "exec")


@functools.cache
def _unedited(code: CodeType, hot: frozenset[str]) -> CodeType:
    return _compile(code, hot, None)


class Lifter:
    """Lifts functions and all that they call; `reached` says which those were."""

    def __init__(self, edit: Edit | None = None, constants: Mapping[str, Any] | None = None) -> None:
        self.edit, self.constants = edit, dict(constants or {})
        self._done: dict[FunctionType, Callable[..., Body]] = {}
        self._edited: CodeType | None = None

    @property
    def reached(self) -> tuple[FunctionType, ...]:
        """Every function lifted so far."""
        return tuple(self._done)

    def __call__(self, function: Any) -> Callable[..., Body]:
        """The generator form of a hot function."""
        function = plain(function)
        if function not in self._done:
            self._lift(function)
        return self._done[function]

    def _lift(self, function: FunctionType) -> None:
        names = names_of(function)
        names.update((n, v) for n, v in self.constants.items() if n in names)
        hot = hot_calls(function, names)
        callees = {name: names[name] for name in hot}
        exec(self._code(function.__code__, hot), names)
        self._done[function] = names[function.__name__]
        for name, callee in callees.items():
            names[name] = self(callee)

    def _code(self, code: CodeType, hot: frozenset[str]) -> CodeType:
        if self.edit is None or self.edit.function.__code__ is not code:
            return _unedited(code, hot)
        if self._edited is None:
            self._edited = _compile(code, hot, self.edit)
        return self._edited
