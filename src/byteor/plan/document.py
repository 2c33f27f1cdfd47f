"""Plans as TOML and JSON documents: one tree, two spellings.

Rule 1. A document is JSON when its first character is `{`, otherwise TOML.
Rule 2. Documents are hostile: size first, then depth, then form, then keys, then meaning.
Rule 3. Both builders and documents go through `from_data`, so equal content gives equal plans.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, TypeVar

from byteor.diag import Diagnostic, Refused, Rule, Source, errors, in_order
from byteor.plan import findings as p
from byteor.plan import toml_text
from byteor.plan.model import End, Label, LaneIntent, Plan, Stage
from byteor.spec import json_text
from byteor.spec.build import param_from
from byteor.spec.codec import BAD, Form, Reader, to_data
from byteor.spec.model import Field, MessageType
from byteor.spec.model import Param as SpecParam
from byteor.spec.values import parse

VERSION = 2
T = TypeVar("T")
MAX_BYTES = 16 << 20
MAX_LINE = 1 << 20


@dataclass(frozen=True, slots=True)
class Read:
    """What a document says: a plan where it could be read, and every finding."""

    plan: Plan | None
    findings: tuple[Diagnostic, ...]
    source: Source


def _param(value: Any) -> dict[str, Any] | None:
    """Type a scalar; what is no finite scalar is left for the reader to name."""
    if isinstance(value, str | bool | int) or (isinstance(value, float) and math.isfinite(value)):
        made = param_from("", value)
        return {"type": made.type, "value": made.value}
    return {"type": "f64", "value": value}


def _shrink_param(row: dict[str, Any]) -> Any:
    value = parse(row["type"], row["value"])
    plain = value.decode("ascii") if isinstance(value, bytes) else value
    return row if plain is None or _param(plain) != row else plain


def _text(key: str) -> Any:
    return lambda value: {key: value} if isinstance(value, str) else None


def _only(key: str) -> Any:
    return lambda row: row[key] if list(row) == [key] else row


FORM = Form(
    named=frozenset({(Plan, "types"), (Plan, "labels"), (MessageType, "fields"), (Stage, "params")}),
    inline={MessageType: "fields"},
    short={
        Field: _text("type"),
        End: _text("type"),
        Label: _text("value"),
        LaneIntent: _text("kind"),
        SpecParam: _param,
    },
    shrink={Field: _only("type"), Label: _only("value"), LaneIntent: _only("kind"), SpecParam: _shrink_param},
    lone=True,
)


@dataclass(frozen=True, slots=True)
class Tree:
    """A document as plain data, where that can be had, and every finding."""

    data: dict[str, Any] | None
    findings: tuple[Diagnostic, ...]
    source: Source


def read(document: str | bytes, name: str = "plan.toml") -> Read:
    """Read a plan, as hostile as the document may be."""
    loaded = tree(document, name)
    if loaded.data is None:
        return Read(None, loaded.findings, loaded.source)
    plan, more = from_data(loaded.data)
    found = in_order((*loaded.findings, *more))
    return Read(None if errors(found) else plan, found, loaded.source)


def tree(document: str | bytes, name: str) -> Tree:
    """Load a TOML or JSON document of any kind, as hostile as it may be."""
    text, found = _screen(document)
    if text is None:
        return Tree(None, tuple(found), Source(name))
    is_json = text.lstrip()[:1] == "{"
    loaded = json_text.load(text) if is_json else toml_text.load(text)
    if loaded.problems:
        found += [_problem(problem, is_json) for problem in loaded.problems]
        numbers = {f"line.{problem.line}": problem.line for problem in loaded.problems if problem.line}
        return Tree(None, in_order(found), Source(name, text, numbers))
    return Tree(loaded.data, tuple(found), Source(name, text, loaded.lines))


def _screen(document: str | bytes) -> tuple[str | None, list[Diagnostic]]:
    """Judge the document as a whole, before it is parsed."""
    if len(document) > MAX_BYTES:
        return None, [p.TOO_LARGE.at("", f"the document has {len(document)} bytes, the limit is {MAX_BYTES}")]
    if (b"\0" if isinstance(document, bytes) else "\0") in document:  # type: ignore[operator]
        return None, [p.BINARY.at("", "the document holds zero bytes")]
    try:
        text = document.decode("utf-8") if isinstance(document, bytes) else document.encode("utf-8").decode("utf-8")
    except UnicodeError:
        return None, [p.NOT_UTF8.at("", "the document is not UTF-8")]
    found = []
    if text.startswith("\ufeff"):
        text = text[1:]
        found.append(p.BOM.at("", "the document starts with a byte order mark", help="save it without one"))
    if "\r\n" in text:
        number = text.count("\n", 0, text.index("\r\n")) + 1
        found.append(
            p.RETURN.at("", f"line {number} ends with a carriage return", help="save it with line feeds alone")
        )
    if not text.strip():
        return None, [*found, p.EMPTY.at("", "the document is empty")]
    if (longest := max(map(len, text.split("\n")))) > MAX_LINE:
        return None, [*found, p.LONG_LINE.at("", f"a line has {longest} characters, the limit is {MAX_LINE}")]
    return text, found


def _problem(problem: json_text.Problem, is_json: bool) -> Diagnostic:
    path = f"line.{problem.line}" if problem.line else ""
    if problem.what == "syntax":
        return (p.JSON if is_json else p.TOML).at(path, f"this is not well-formed {'JSON' if is_json else 'TOML'}")
    found, message = p.SYNTAX[problem.what]
    return found.at(path, message)


def from_data(data: dict[str, Any]) -> tuple[Plan | None, list[Diagnostic]]:
    """Read plain data as a plan."""
    return read_as(Plan, FORM, data, ("plan", VERSION), p.VERSION)


def read_as(
    kind: type[T], form: Form, data: dict[str, Any], stated: tuple[str, int], unstated: Rule
) -> tuple[T | None, list[Diagnostic]]:
    """Read plain data as a document that states a key with its version; `unstated` is the finding where it does not."""
    found: list[Diagnostic] = []
    key, version = stated
    if type(data.get(key)) is not int or data[key] != version:
        found.append(unstated.at(key, f"the document does not say `{key} = {version}`", help="begin with it"))
        data = {**data, key: version}

    def report(what: str, path: str, message: str, help: str) -> None:
        found.append(p.READING[what].at(path, message, help=help))

    value = Reader(report, form).read(kind, data, "")
    return (None if value is BAD else value), found


def encode_data(plan: Plan) -> dict[str, Any]:
    """Write a plan as plain data, without what has its default."""
    data: dict[str, Any] = to_data(plan, FORM)
    return data


def encode(plan: Plan, form: str = "toml") -> str:
    """Write a plan as a document, `toml` or `json`."""
    data = encode_data(plan)
    return toml_text.dump(data) if form == "toml" else json.dumps(data, indent=2, ensure_ascii=False) + "\n"


class PlanBuilder:
    """Gather a plan in Python with the document's own keys; `plan` gives the value."""

    def __init__(self, name: str, target: str, **keys: Any) -> None:
        self._data: dict[str, Any] = {"plan": VERSION, "name": name, "target": target, **keys}

    def _add(self, table: str, name: str, keys: dict[str, Any]) -> PlanBuilder:
        return self._row(table, {"name": name, **keys})

    def _row(self, table: str, keys: dict[str, Any]) -> PlanBuilder:
        row = {key.rstrip("_"): _plain(value) for key, value in keys.items()}
        self._data.setdefault(table, []).append(row)
        return self

    def ingress(self, name: str = "in", **keys: Any) -> PlanBuilder:
        """Add a boundary where records come in."""
        return self._add("ingress", name, keys)

    def stage(self, name: str, call: str = "identity", **keys: Any) -> PlanBuilder:
        """Add a stage."""
        return self._add("stage", name, {"call": call, **keys})

    def egress(self, name: str = "out", **keys: Any) -> PlanBuilder:
        """Add a boundary where records leave."""
        return self._add("egress", name, keys)

    def merge(self, name: str, inputs: Sequence[str], policy: str = "by_field", **keys: Any) -> PlanBuilder:
        """Add a place where several become one."""
        return self._add("merge", name, {"inputs": inputs, "policy": policy, **keys})

    def router(self, name: str, policy: str = "work_queue", **keys: Any) -> PlanBuilder:
        """Add a place where one becomes several."""
        return self._add("router", name, {"policy": policy, **keys})

    def connect(self, *names: str, **keys: Any) -> PlanBuilder:
        """Connect each of the names to the next; `keys` are those of every connection: `lane`, `tap`."""
        for a, b in pairwise(names):
            self._row("connect", {"from": a, "to": b, **keys})
        return self

    def supervise(self, role: str, **keys: Any) -> PlanBuilder:
        """Say what happens when a role dies."""
        return self._row("supervise", {"role": role, **keys})

    def group(self, name: str, roles: Sequence[str]) -> PlanBuilder:
        """Let roles share a process."""
        return self._add("group", name, {"roles": roles})

    def pin(self, role: str, cpu: int) -> PlanBuilder:
        """Let a role run on one core."""
        return self._row("pin", {"role": role, "cpu": cpu})

    @property
    def plan(self) -> Plan:
        """Give the plan, or raise with every finding."""
        plan, found = from_data(_plain(self._data))
        if plan is None or found:
            raise Refused(in_order(found))
        return plan


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, tuple | list) else value


def single_ring(name: str, type: str, types: dict[str, Any], **ring: Any) -> PlanBuilder:
    """Begin a plan for one ring of `type`; `ring` holds the keys of `[ring]`."""
    return PlanBuilder(name, "single_ring", types=types, ring={"type": type, **ring})


def lane_graph(name: str, types: dict[str, Any], **keys: Any) -> PlanBuilder:
    """Begin a plan for a lane graph; `keys` are those of the plan: `on_full`, `wait`, `pinning`."""
    return PlanBuilder(name, "lane_graph", **keys, types=types)
