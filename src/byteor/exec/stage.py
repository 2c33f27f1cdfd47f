"""What a stage is in code: a function, what it says of itself, and its begin, end and open.

Rule 1. What a decorator says are defaults for documents; the spec decides, and a difference is a finding.
Rule 2. Nothing here compiles or needs numpy: a stage's module is cheap to import and to test.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any

Function = Callable[..., Any]
MESSAGE_ARGUMENTS = ("state", "p", "res")
BATCH_ARGUMENTS = ("live", "index", "state", "p", "res")


class Record:
    """A message's record as stages see it: fields by attribute or by name. Only for type checkers."""

    def __getattr__(self, name: str) -> Any: ...

    def __setattr__(self, name: str, value: Any) -> None: ...

    def __getitem__(self, name: str) -> Any: ...

    def __setitem__(self, name: str, value: Any) -> None: ...


class Stage:
    """A stage's functions together. Called, it is the stage's function, so tests can call it."""

    def __init__(self, function: Function, **says: Any) -> None:
        functools.update_wrapper(self, function)
        self.function = function
        self.says = says
        self.begin_function: Function | None = None
        self.end_function: Function | None = None
        self.open_function: Function | None = None

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.function(*args, **kwargs)

    def begin(self, function: Function) -> Function:
        """Run `function(state, p)` once, before the first message."""
        self.begin_function = function
        return function

    def end(self, function: Function) -> Function:
        """Run `function(out, state, p) -> n` once, after the last message."""
        self.end_function = function
        return function

    def open(self, function: Function) -> Function:
        """Run `function(p)` once per process; what it gives is `res`."""
        self.open_function = function
        return function


def stage(function: Function | None = None, **says: Any) -> Any:
    """Make a function a stage and say what it is: form, compiled, reads, writes, state, end, ….

    Works as `@stage` and as `@stage(form="batch", ...)`.
    """
    if function is None:
        return lambda f: Stage(f, **says)
    return Stage(function, **says)


def as_stage(value: Any) -> Stage:
    """A stage from a decorated or a bare function."""
    return value if isinstance(value, Stage) else Stage(value)


def arguments(function: Function) -> tuple[str, ...]:
    """The names of a function's positional arguments."""
    return tuple(inspect.signature(function).parameters)


REGISTRY: dict[str, Stage] = {}


def register(name: str, value: Any) -> None:
    """Give a stage a name that specs can use instead of `module:function`."""
    REGISTRY[name] = as_stage(value)
