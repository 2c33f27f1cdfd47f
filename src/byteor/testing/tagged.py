"""Hot functions compiled anew, each atomic operation marked with the place in the source that asks for it.

Rule 1. What is compiled is the shipped source; only a name for LLVM is added, which changes no pass.
Rule 2. Nothing is taken from the cache, and nothing compiled here is ever run.
Rule 3. A tree may bind an operation's name to another one in one function: the source then asks for
        one order and another is compiled. That is how the checks are shown to see.
"""

from __future__ import annotations

import ast
import functools
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import FunctionType
from typing import Any

import numba
from numba.extending import intrinsic

from byteor.kernel import atomics
from byteor.testing.lift import OPERATIONS, names_of, parse, plain

MARK = "byteor.site"
ATOMICS = {n: getattr(atomics, n) for n in OPERATIONS if hasattr(atomics, n)}

Swaps = Mapping[str, Mapping[str, Any]]  # qualified name of a function -> operation's name -> what it is bound to


@dataclass(frozen=True, slots=True, order=True)
class Site:
    """Where the source asks for an operation."""

    module: str
    line: int
    column: int
    function: str
    operation: str

    def __str__(self) -> str:
        return f"{self.module}:{self.line} {self.function.rpartition('.')[2]}: {self.operation}"


def calls(tree: ast.AST) -> Iterator[tuple[str, ast.Call]]:
    """Every call of an atomic operation in a tree, with its name."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ATOMICS:
            yield node.func.id, node


def _sites(function: FunctionType, tree: ast.AST) -> dict[Site, ast.Call]:
    module = Path(function.__code__.co_filename).stem
    return {Site(module, call.lineno, call.col_offset, function.__qualname__, name): call for name, call in calls(tree)}


def _write_mark(block: Any, number: str) -> None:
    """Mark the one operation that was just emitted."""
    done = block.instructions[-1]
    done = done.operands[0] if done.opname == "extractvalue" else done
    done.set_metadata(MARK, block.module.add_metadata([number]))
    if done.opname == "fence":  # llvmlite prints these without their metadata
        done.__class__ = _marked(type(done))


def _marked(kind: Any) -> Any:
    class Marked(kind):  # type: ignore[misc]
        def descr(self, into: list[str]) -> None:
            said: list[str] = []
            super().descr(said)
            into.append("".join(said).rstrip() + self._stringify_metadata(leading_comma=True) + "\n")

    return Marked


def _marking(operation: Any, number: int, emitted: set[int]) -> Any:
    """An operation that marks what it emits, and says that it was asked."""

    @functools.wraps(operation._defn)
    def typed(typing: Any, *args: Any) -> Any:
        signature, emit = operation._defn(typing, *args)

        def codegen(context: Any, builder: Any, sig: Any, values: Any) -> Any:
            result = emit(context, builder, sig, values)
            _write_mark(builder.block, str(number))
            emitted.add(number)
            return result

        return signature, codegen

    return intrinsic(typed)


@dataclass(frozen=True, slots=True)
class Compiled:
    """A hot function's optimised LLVM, and what its source and all that it calls ask for.

    What a closure rules out (`if filters`) is not asked for: Numba leaves it out before LLVM sees anything.
    """

    name: str
    text: str
    asked: Mapping[int, Site]

    def marks(self) -> dict[str, int]:
        """The number of the site behind each name that LLVM gave a mark."""
        return {name: int(n) for name, n in re.findall(r'^(!\d+) = !\{!"(\d+)"\}', self.text, re.M)}


class Tree:
    """Compiles hot functions and all that they call, each once."""

    def __init__(self, swaps: Swaps | None = None) -> None:
        self.swaps = dict(swaps or {})
        self._asked: list[Site] = []
        self._emitted: set[int] = set()
        self._of: dict[FunctionType, tuple[int, ...]] = {}
        self._done: dict[FunctionType, Any] = {}
        self._below: dict[FunctionType, tuple[FunctionType, ...]] = {}

    def __call__(self, function: Any, *args: Any) -> Compiled:
        """Compile for arguments like these."""
        top = plain(function)
        made = self._function(function)
        types = tuple(numba.typeof(a) for a in args)
        made.compile(types)
        asked = {n: self._asked[n] for f in self._reached(top) for n in self._of[f] if n in self._emitted}
        return Compiled(top.__qualname__, made.inspect_llvm(types), asked)

    def _reached(self, top: FunctionType) -> set[FunctionType]:
        found, todo = set(), [top]
        while todo:
            function = todo.pop()
            if function not in found:
                found.add(function)
                todo += self._below[function]
        return found

    def _function(self, dispatcher: Any) -> Any:
        function = plain(dispatcher)
        if function not in self._done:
            names = names_of(function)
            code = function.__code__
            called = {n: names[n] for n in (*code.co_names, *code.co_freevars) if hasattr(names.get(n), "py_func")}
            self._below[function] = tuple(plain(f) for f in called.values())
            names.update({name: self._function(f) for name, f in called.items()})
            names.update(self.swaps.get(function.__qualname__, {}))
            self._done[function] = _native(dispatcher, self._marked(function, names))
        return self._done[function]

    def _marked(self, function: FunctionType, names: dict[str, Any]) -> FunctionType:
        tree = parse(function.__code__)
        numbers = []
        for site, call in sorted(_sites(function, tree).items()):
            number, name = len(self._asked), f"{site.operation}_{len(self._asked)}"
            names[name] = _marking(names[site.operation], number, self._emitted)
            call.func = ast.Name(name, ast.Load(), lineno=site.line, col_offset=site.column)
            self._asked.append(site)
            numbers.append(number)
        self._of[function] = tuple(numbers)
        module = ast.fix_missing_locations(ast.Module([tree], []))
        exec(compile(module, function.__code__.co_filename, "exec"), names)
        made: FunctionType = names[function.__name__]
        return made


def _native(dispatcher: Any, function: FunctionType) -> Any:
    options = {k: v for k, v in getattr(dispatcher, "targetoptions", {}).items() if k != "nopython"}
    return numba.njit(**options, no_cpython_wrapper=True, no_cfunc_wrapper=True)(function)
