"""TOML as hostile text: loaded when it is sound, and otherwise what is wrong with it, by line.

Rule 1. A scan without recursion comes first: it measures depth, and knows the line of every key.
Rule 2. The parser of the standard library says yes or no; the line of an error is the first statement
    without which the text before it is sound. So every Python gives the same findings.
"""

from __future__ import annotations

import json
import re
import tomllib
from dataclasses import dataclass, field
from typing import Any

from byteor.spec.json_text import DEPTH, DIGITS, Loaded, Problem

_TOKEN = re.compile(
    r"""
      (?P<space>[ \t\r]++|\#[^\n]*+)
    | (?P<line>\n)
    | (?P<bare>[A-Za-z0-9_+:-]++)
    | (?P<text>
        \"\"\"(?:[^\\"]|\\.|"(?!""))*+(?:"{3,5}|\Z)
      | '''(?:[^']|'(?!''))*+(?:'{3,5}|\Z)
      | "(?:[^"\\\n]|\\[^\n])*+(?:"|(?=\n)|\Z)
      | '[^'\n]*+(?:'|(?=\n)|\Z)
      )
    | (?P<sign>[\[\]{}=.,])
    | (?P<odd>.)
    """,
    re.VERBOSE | re.DOTALL,
)


def load(text: str) -> Loaded:
    """Load a TOML text, or say what is wrong with it."""
    text = text.replace("\r\n", "\n")
    found = scan(text)
    if found.problems:
        return Loaded(problems=tuple(found.problems))
    data = _parse(text)
    return Loaded(problems=(_first_wrong(text, found),)) if data is None else Loaded(data, lines=found.lines)


def _parse(text: str) -> dict[str, Any] | None:
    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError):
        return None


def _first_wrong(text: str, found: scan) -> Problem:
    """Halve the statements until the first one that breaks the text is found."""
    ends = [end for _, end, _ in found.statements]
    good, bad = -1, len(ends) - 1
    while bad - good > 1:
        middle = (good + bad) // 2
        good, bad = (middle, bad) if _parse(text[: ends[middle]]) is not None else (good, middle)
    if not ends:
        return Problem("syntax", 0)
    line, _, path = found.statements[bad]
    repeated = path is not None and path in {p for _, _, p in found.statements[:bad]}
    return Problem("duplicate" if repeated else "syntax", line, path or "")


@dataclass(slots=True)
class _Statement:
    """What stands between two line ends outside of brackets."""

    line: int
    keys: list[str | None] = field(default_factory=list)
    header: int = 0
    value: bool = False
    depth: int = 0
    blank: bool = True


class scan:
    """Walk the tokens: the line of each key in `lines`, each statement's line, end and path in `statements`."""

    def __init__(self, text: str) -> None:
        self.lines: dict[str, int] = {}
        self.problems: list[Problem] = []
        self.statements: list[tuple[int, int, str | None]] = []
        self._prefix = ""
        self._arrays: dict[str, int] = {}
        self._line = 1
        self._now = _Statement(1)
        for token in _TOKEN.finditer(text):
            if not self._step(token):
                return
        self._close(len(text))

    def _step(self, token: re.Match[str]) -> bool:
        now = self._now
        if token["line"]:
            self._line += 1
            if not (now.value and now.depth > 0):
                self._close(token.end())
        elif not token["space"]:
            now.blank = False
            self._value(token) if now.value else self._key(token)
            self._line += (token["text"] or "").count("\n")
        if now.depth > DEPTH or len(now.keys) > DEPTH:
            self.problems.append(Problem("deep", self._line))
        elif len(token["bare"] or "") > DIGITS and now.value:
            self.problems.append(Problem("digits", self._line))
        return not self.problems

    def _value(self, token: re.Match[str]) -> None:
        sign = token["sign"] or " "
        self._now.depth += (sign in "[{") - (sign in "]}")

    def _key(self, token: re.Match[str]) -> None:
        now = self._now
        if token["sign"] == "=":
            now.value = True
        elif token["sign"] == "[" and not now.keys:
            now.header += 1
        elif token["bare"]:
            now.keys.append(token["bare"])
        elif token["text"]:
            now.keys.append(_unquoted(token["text"]))

    def _close(self, end: int) -> None:
        now, self._now = self._now, _Statement(self._line)
        if now.blank:
            return
        path = self._path(now) if now.keys and None not in now.keys and now.header < 3 else None
        self.statements.append((now.line, end, path))
        if path is not None:
            self.lines.setdefault(path, now.line)

    def _path(self, now: _Statement) -> str:
        keys = [key or "" for key in now.keys]
        if not now.header:
            return ".".join([self._prefix, *keys]) if self._prefix else ".".join(keys)
        path = self._resolved(keys[:-1], keys[-1])
        if now.header == 2:
            self._arrays[path] = self._arrays.get(path, -1) + 1
            path = f"{path}.{self._arrays[path]}"
        elif path in self._arrays:
            path = f"{path}.{self._arrays[path]}"
        self._prefix = path
        return path

    def _resolved(self, above: list[str], last: str) -> str:
        path = ""
        for key in above:
            path = f"{path}.{key}" if path else key
            if path in self._arrays:
                path = f"{path}.{self._arrays[path]}"
        return f"{path}.{last}" if path else last


def _unquoted(text: str) -> str | None:
    if "\\" not in text or text[0] == "'":
        return text[1:-1]
    try:
        key: str = json.loads(text)
    except ValueError:
        return None
    return key


KEY = re.compile(r"[A-Za-z0-9_-]+")


def dump(data: dict[str, Any]) -> str:
    """Write plain data as TOML: scalars first, then tables, lists of tables last."""
    return "\n".join(_lines(data, ())) + "\n"


def _lines(table: dict[str, Any], path: tuple[str, ...]) -> list[str]:
    rows, below = [], []
    for key, value in table.items():
        name = ".".join(_key(part) for part in (*path, key))
        if isinstance(value, list) and value and isinstance(value[0], dict):
            for item in value:
                below += ["", f"[[{name}]]", *[f"{_key(k)} = {_inline(v)}" for k, v in item.items()]]
        elif isinstance(value, dict) and path == ():
            sub = _lines(value, (key,))
            below += sub if value and all(isinstance(v, dict) for v in value.values()) else ["", f"[{name}]", *sub]
        elif isinstance(value, dict) and path == ("types",):
            below += ["", f"[{name}]", *[f"{_key(k)} = {_inline(v)}" for k, v in value.items()]]
        else:
            rows.append(f"{_key(key)} = {_inline(value)}")
    return rows + below


def _key(key: str) -> str:
    return key if KEY.fullmatch(key) else _inline(key)


def _inline(value: Any) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{_key(k)} = {_inline(v)}" for k, v in value.items()) + " }" if value else "{}"
    if isinstance(value, list):
        return "[" + ", ".join(_inline(v) for v in value) + "]"
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    return str(value).lower() if isinstance(value, bool) else repr(value)
