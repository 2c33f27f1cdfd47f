"""The kv text form: one `key=value` a line, the same spec always the same bytes.

Rule 1. The first pair is `byteor.kv=1`, the second `kind=...`; then the keys of the shape, in order of declaration.
Rule 2. What is written is canonical; what is read may stand in any order, with blank lines and `#` comments.
Rule 3. Unknown keys are warnings (a newer writer may know more); everything else that is odd is an error.
Rule 4. One pass, linear in the text.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import MISSING, dataclass
from typing import Any

from byteor.diag import Diagnostic, Refused, Rule, Source, errors, in_order
from byteor.spec import json_text
from byteor.spec import kv_findings as k
from byteor.spec.codec import (
    BAD,
    INDEXED,
    Kind,
    Reader,
    Slot,
    join,
    misfits,
    near,
    shown,
    slots_of,
    text_of,
    to_data,
)
from byteor.spec.lane_graph import LaneGraph
from byteor.spec.model import SingleRing
from byteor.spec.walk import Odd, fits, reader, writer

Spec = SingleRing | LaneGraph

SHAPES: dict[str, type] = {"single_ring": SingleRing, "lane_graph": LaneGraph}
KIND = {cls: kind for kind, cls in SHAPES.items()}
VERSION = "1"
MAX_BYTES = 64 << 20
MAX_LINE = 4096
MAX_PARTS = 16

_KEY = re.compile(r"[a-z_][a-z0-9_]*+(?:\.(?:[a-z_][a-z0-9_]*+|[0-9]++))*+")


@dataclass(frozen=True, slots=True)
class Decoded:
    """What a document says: a spec where it could be read, and every finding."""

    spec: Spec | None
    findings: tuple[Diagnostic, ...]
    source: Source


def encode(spec: Spec) -> str:
    """Write a spec in its canonical form; refuse one that no document can carry."""
    kind = _writable(spec)
    lines = [f"byteor.kv={VERSION}\n", f"kind={kind}\n"]
    writer(Kind("object", cls=type(spec)))(spec, kind, lines)
    return "".join(lines)


def spec_sha256(spec: Spec) -> str:
    """The spec's identity: SHA-256 of its canonical bytes."""
    return hashlib.sha256(encode(spec).encode("ascii")).hexdigest()


def encode_data(spec: Spec) -> dict[str, Any]:
    """The spec as a tree of plain data: what its JSON form holds."""
    kind = _writable(spec)
    return {"byteor": 1, "kind": kind, kind: to_data(spec)}


def _writable(spec: Spec) -> str:
    kind, whole = KIND[type(spec)], Kind("object", cls=type(spec))
    if not fits(whole)(spec):
        raise Refused([k.UNWRITABLE.at(path, message) for _, path, message in misfits(spec, whole, kind)])
    return kind


def decode(document: str | bytes, name: str = "spec.kv") -> Decoded:
    """Read a kv document, as hostile as it may be."""
    text, found = screen(document)
    if text is None:
        return Decoded(None, tuple(found), Source(name))
    lines = _Lines(text, found)
    spec = _spec_of(lines) if lines.readable else None
    spec = None if errors(found) else spec
    return Decoded(spec, in_order(found), Source(name, text, lines.numbers))


def screen(document: str | bytes) -> tuple[str | None, list[Diagnostic]]:
    """Judge the document as a whole, before any line of it is read."""
    if len(document) > MAX_BYTES:
        return None, [k.TOO_LARGE.at("", f"the document has {len(document)} bytes, the limit is {MAX_BYTES}")]
    text = document.decode("latin-1") if isinstance(document, bytes) else document
    if "\0" in text:
        return None, [k.BINARY.at("", "the document holds zero bytes")]
    found = []
    if text.startswith(("\ufeff", "\xef\xbb\xbf")):
        text = text.removeprefix("\ufeff").removeprefix("\xef\xbb\xbf")
        found.append(k.BOM.at("line.1", "the document starts with a byte order mark", help="save it without one"))
    if not text.strip():
        return None, [*found, k.EMPTY.at("", "the document is empty")]
    return text, found


class _Lines:
    """The lines taken apart: a tree of texts in `root`, the line of each key in `numbers`."""

    def __init__(self, text: str, found: list[Diagnostic]) -> None:
        self.root: dict[str, Any] = {}
        self.numbers: dict[str, int] = {}
        self.found = found
        self.readable = True
        self._groups: dict[str, dict[str, Any] | None] = {"": self.root}
        self._first = True
        lines = text.split("\n")
        if text.isascii() and text.replace("\n", "").isprintable():
            self._clean(lines)
        else:
            for number, line in enumerate(lines, 1):
                self._line(number, self._judged(number, line))

    def _clean(self, lines: list[str]) -> None:
        """Read lines of printable ASCII. Another key of the same group as the line before goes a short way."""
        before, words = "", set[str]()
        group: dict[str, Any] | None = None
        for number, line in enumerate(lines, 1):
            key, sign, text = line.partition("=")
            parent, _, last = key.rpartition(".")
            known = (
                parent == before != "" and last in words and sign == "=" and " " not in line and len(line) <= MAX_LINE
            )
            if known and group is not None and last not in group and key not in self.numbers:
                self.numbers[key] = number
                group[last] = text
                continue
            self._line(number, line)
            if key in self.numbers:
                before, group = parent, self._groups.get(parent)
                words.add(last)

    def _at(self, rule: Rule, number: int, message: str, help: str = "") -> None:
        path = f"line.{number}"
        self.numbers[path] = number
        self.found.append(rule.at(path, message, help=help))

    def _judged(self, number: int, line: str) -> str:
        """Find what no line may hold, and give the line without it: its key is there all the same."""
        if line.endswith("\r"):
            line = line[:-1]
            if not any(d.code == k.RETURN.code for d in self.found):
                self._at(k.RETURN, number, "the line ends with a carriage return", "end lines with a line feed alone")
        if line.isascii() and line.isprintable():
            return line
        at = next(i for i, c in enumerate(line) if not (c.isascii() and c.isprintable()))
        self._at(k.NOT_ASCII, number, f"character {at + 1} is not printable ASCII")
        return "".join(c if c.isascii() and c.isprintable() else "?" for c in line)

    def _line(self, number: int, line: str) -> None:
        if not line or line.isspace() or line[0] == "#":
            return
        if len(line) > MAX_LINE:
            self._at(k.LONG_LINE, number, f"the line has {len(line)} characters, the limit is {MAX_LINE}")
            line = line[:MAX_LINE].rstrip()
        key, sign, text = line.partition("=")
        if not sign:
            return self._at(k.NOT_A_PAIR, number, f"`{shown(line)}` has no `=`", "write `key=value`")
        if text != text.strip() or key != key.strip():
            self._at(k.WHITE_SPACE, number, "white space stands around the key or the value", "remove it")
            key, text = key.strip(), text.strip()
        if not _KEY.fullmatch(key) or key.count(".") >= MAX_PARTS:
            return self._at(k.BAD_KEY, number, f"`{shown(key)}` is not a key")
        self._pair(number, key, text)

    def _pair(self, number: int, key: str, text: str) -> None:
        if self._first:
            self._first = False
            self._version(number, key, text)
        if key in self._groups:
            self._at(k.CONFLICT, number, f"`{key}` is both a value and a group of keys")
            return
        if key in self.numbers:
            self._at(k.DUPLICATE, number, f"`{key}` is already given on line {self.numbers[key]}", "keep one of them")
            return
        self.numbers[key] = number
        parent, _, last = key.rpartition(".")
        group = self._group(parent, number)
        if group is None:
            self._at(k.CONFLICT, number, f"`{key}` is both a value and a group of keys")
        else:
            group[last] = text

    def _group(self, path: str, number: int) -> dict[str, Any] | None:
        if path in self._groups:
            return self._groups[path]
        parent, _, last = path.rpartition(".")
        above = self._group(parent, number)
        made: dict[str, Any] | None = None
        if above is not None and last not in above:
            made = above[last] = {}
            if parent:
                self.numbers[path] = number
        self._groups[path] = made
        return made

    def _version(self, number: int, key: str, text: str) -> None:
        help = f"begin with `byteor.kv={VERSION}`"
        if key != "byteor.kv":
            self._at(k.VERSION, number, "the first line does not state the form's version", help)
        elif text != VERSION:
            self.readable = False
            self._at(k.VERSION, number, f"version `{shown(text)}` of the form, this build reads {VERSION}", help)


def _spec_of(lines: _Lines) -> Spec | None:
    """Read the tree as the shape that `kind` names."""
    root = lines.root
    kind = root.get("kind")
    if not isinstance(kind, str) or kind not in SHAPES:
        said = f"`{shown(str(kind))}` is not a shape" if isinstance(kind, str) else "`kind` is missing"
        lines.found.append(k.KIND.at("kind", said, help="write `kind=single_ring` or `kind=lane_graph`"))
        return None
    for key in root.keys() - {"byteor", "kind", kind}:
        lines.found.append(k.UNKNOWN.at(key, f"`{key}` is not a key here", help=near(key, [kind])))
    if isinstance(root.get("byteor"), dict):
        for key in root["byteor"].keys() - {"kv"}:
            lines.found.append(k.UNKNOWN.at(f"byteor.{key}", f"`{key}` is not a key here"))
    value = _plainly(SHAPES[kind], root.get(kind))
    if value is None:
        value = Reader(reporter(lines.found), INDEXED).read(SHAPES[kind], root.get(kind, {}), kind)
    return None if value is BAD else value


def _plainly(shape: type, node: Any) -> Any:
    """Read a tree that has nothing odd; what is odd is read again by what can say why."""
    try:
        return reader(Kind("object", cls=shape))(node)
    except Odd:
        return None


def reporter(found: list[Diagnostic]) -> Any:
    """Turn what the codec reports into findings of this layer."""

    def report(what: str, path: str, message: str, help: str) -> None:
        found.append(k.READING[what].at(path, message, help=help))

    return report


def decode_json(document: str | bytes, name: str = "spec.json") -> Decoded:
    """Read the JSON form of a spec: the same tree."""
    try:
        text = document.decode("utf-8") if isinstance(document, bytes) else document
    except UnicodeDecodeError:
        return Decoded(None, (k.BINARY.at("", "the document is not UTF-8 text"),), Source(name))
    checked, found = screen(text)
    if checked is None:
        return Decoded(None, tuple(found), Source(name))
    loaded = json_text.load(checked)
    if loaded.problems:
        return _broken(loaded.problems, name, checked, found)
    spec = _spec_of_data(loaded.data, found)
    return Decoded(None if errors(found) else spec, in_order(found), Source(name, checked, loaded.lines))


def _broken(problems: tuple[json_text.Problem, ...], name: str, text: str, found: list[Diagnostic]) -> Decoded:
    numbers = {f"line.{p.line}": p.line for p in problems}
    found += [k.JSON[p.what].at(f"line.{p.line}", k.JSON_SAYS[p.what]) for p in problems]
    return Decoded(None, in_order(found), Source(name, text, numbers))


def _spec_of_data(data: Any, found: list[Diagnostic]) -> Spec | None:
    if not isinstance(data, dict):
        found.append(k.BAD_VALUE.at("", "the document is not an object"))
        return None
    if type(data.get("byteor")) is not int or data["byteor"] != 1:
        found.append(
            k.VERSION.at("byteor", "the document does not state the form's version", help='write `"byteor": 1`')
        )
    kind = data.get("kind")
    if not isinstance(kind, str) or kind not in SHAPES:
        found.append(k.KIND.at("kind", "`kind` names no shape", help="write `single_ring` or `lane_graph`"))
        return None
    for key in data.keys() - {"byteor", "kind", kind}:
        found.append(k.UNKNOWN.at(join("", shown(key)), f"`{shown(key)}` is not a key here"))
    value = Reader(reporter(found)).read(SHAPES[kind], data.get(kind, {}), kind)
    return None if value is BAD else value


def keys_page() -> str:
    """List every key of both shapes with its type, as the grammar's page shows them; N stands for an index."""
    rows = [row for kind, cls in SHAPES.items() for row in _keys(kind, Kind("object", cls=cls), "")]
    return "\n".join(["```text", *rows, "```"])


def _keys(path: str, kind: Kind, note: str) -> list[str]:
    if kind.cls is not None:
        slots = slots_of(kind.cls)
        return [row for slot in slots for row in _keys(join(path, slot.key), slot.kind, _note(slot))]
    if kind.item is not None:
        empty = [f"{path}=    (without a value: none; absent: every one)"] if kind.optional else []
        return [*empty, *_keys(f"{path}.N", kind.item, "")]
    return [f"{path}={kind.tag}{note}"]


def _note(slot: Slot) -> str:
    if slot.default not in (MISSING, None):
        return f"    (absent: {text_of(slot.default)})"
    return "    (may be absent)" if slot.kind.optional else ""
