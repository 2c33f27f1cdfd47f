"""JSON as hostile text: loaded when it is sound, and otherwise what is wrong with it, by line.

Rule 1. Depth is measured before anything recursive runs.
Rule 2. The standard parser only says yes; what is wrong is found by `scan`, so every Python gives the same findings.
Rule 3. Nothing is lost silently: a repeated key, a number that is not finite or has no end are problems.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

DEPTH = 32
DIGITS = 400

_BRACKETS = re.compile(r'"(?:[^"\\]|\\.)*+"?|[\[\]{}]', re.DOTALL)
_TOKEN = re.compile(
    r'[ \t\r]*+(?:(?P<line>\n)|(?P<text>"(?:[^"\\\x00-\x1f]|\\.)*+")'
    r'|(?P<sign>[\[\]{}:,])|(?P<word>[^\s\[\]{}:,"]++)|(?P<odd>.))'
)
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*+)(?:\.[0-9]++)?(?:[eE][+-]?[0-9]++)?")
_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")
_CLOSE = {"{": "}", "[": "]"}


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong: syntax, duplicate, number, digits, surrogate or deep; and where."""

    what: str
    line: int
    path: str = ""


@dataclass(frozen=True, slots=True)
class Loaded:
    """The data, and nothing wrong; or problems, and no data."""

    data: Any = None
    problems: tuple[Problem, ...] = ()
    lines: Mapping[str, int] = field(default_factory=dict)


class Lines(Mapping[str, int]):
    """The line of each key, found when it is first asked for: a sound document never pays for it."""

    def __init__(self, find: Callable[[], dict[str, int]]) -> None:
        self._find = find

    @cached_property
    def _found(self) -> dict[str, int]:
        return self._find()

    def __getitem__(self, path: str) -> int:
        return self._found[path]

    def __iter__(self) -> Iterator[str]:
        return iter(self._found)

    def __len__(self) -> int:
        return len(self._found)


class _Odd(ValueError):
    """What the standard parser would let through."""


def load(text: str) -> Loaded:
    """Load a JSON text, or say what is wrong with it."""
    if (line := too_deep(text)) is not None:
        return Loaded(problems=(Problem("deep", line),))
    try:
        data = json.loads(
            text, object_pairs_hook=_pairs, parse_constant=_refuse, parse_int=_integer, parse_float=_float
        )
    except ValueError:
        return Loaded(problems=tuple(scan(text).problems) or (Problem("syntax", 0),))
    if _SURROGATE.search(text) and (problems := tuple(scan(text).problems)):
        return Loaded(problems=problems)
    return Loaded(data, lines=Lines(lambda: scan(text).lines))


def too_deep(text: str) -> int | None:
    """The line at which a text is nested too deeply; None where it is not."""
    depth = 0
    for found in _BRACKETS.finditer(text):
        sign = found[0]
        depth += (sign in "[{") - (sign in "]}")
        if depth > DEPTH:
            return text.count("\n", 0, found.start()) + 1
    return None


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        raise _Odd
    return made


def _refuse(word: str) -> Any:
    raise _Odd(word)


def _integer(word: str) -> int:
    return int(word) if len(word) <= DIGITS else _refuse(word)


def _float(word: str) -> float:
    value = float(word)
    return value if len(word) <= DIGITS and math.isfinite(value) else _refuse(word)


@dataclass(slots=True)
class _Frame:
    """An open object or list: what is expected next, and the key or index that stands."""

    sign: str
    path: str
    expect: str
    key: str = ""
    index: int = -1
    keys: set[str] = field(default_factory=set)


class scan:
    """Walk the tokens: the first line of each path in `lines`, what is wrong in `problems`."""

    def __init__(self, text: str) -> None:
        self.lines: dict[str, int] = {}
        self.problems: list[Problem] = []
        self._line = 1
        self._stack = [_Frame("", "", "value")]
        for token in _TOKEN.finditer(text):
            if token["line"]:
                self._line += 1
            elif not self._step(token):
                return
        if len(self._stack) != 1 or self._stack[0].expect != "end":
            self._fail("syntax")

    def _fail(self, what: str, path: str = "") -> bool:
        self.problems.append(Problem(what, self._line, path))
        return what in ("duplicate", "number", "digits", "surrogate")

    def _step(self, token: re.Match[str]) -> bool:
        top = self._stack[-1]
        sign = token["sign"] or ""
        if sign and sign == _CLOSE.get(top.sign) and top.expect in ("comma", "first"):
            self._stack.pop()
            return True
        if top.expect == "comma" and sign == ",":
            top.expect = "key" if top.sign == "{" else "value"
            return True
        if top.expect == "colon" and sign == ":":
            top.expect = "value"
            return True
        if top.sign == "{" and top.expect in ("first", "key") and token["text"]:
            return self._key(top, token["text"])
        if top.expect == "value" or (top.expect == "first" and top.sign == "["):
            return self._value(top, token)
        return self._fail("syntax")

    def _key(self, top: _Frame, text: str) -> bool:
        key = self._string(text)
        if key is None:
            return self._fail("syntax")
        top.key, top.expect = key, "colon"
        path = f"{top.path}.{key}" if top.path else key
        repeated = key in top.keys
        top.keys.add(key)
        return self._fail("duplicate", path) if repeated else True

    def _value(self, top: _Frame, token: re.Match[str]) -> bool:
        if top.sign == "[":
            top.index += 1
            top.key = str(top.index)
        path = f"{top.path}.{top.key}" if top.path else top.key
        self.lines.setdefault(path, self._line)
        top.expect = "comma" if top.sign else "end"
        if token["sign"] in ("{", "["):
            self._stack.append(_Frame(token["sign"], path, "first"))
            return True
        if token["text"]:
            return self._string(token["text"]) is not None or self._fail("syntax")
        return self._word(token["word"], path) if token["word"] else self._fail("syntax")

    def _string(self, text: str) -> str | None:
        try:
            value: str = json.loads(text)
        except ValueError:
            return None
        if not value.isascii() and any("\ud800" <= c <= "\udfff" for c in value):
            self._fail("surrogate")
            return ascii(value)
        return value

    def _word(self, word: str, path: str) -> bool:
        if word in ("true", "false", "null"):
            return True
        if word in ("NaN", "Infinity", "-Infinity"):
            return self._fail("number", path)
        if not _NUMBER.fullmatch(word):
            return self._fail("syntax")
        if len(word) > DIGITS:
            return self._fail("digits", path)
        return math.isfinite(float(word)) or self._fail("number", path)
