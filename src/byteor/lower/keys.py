"""Keys of a spec as keys of the plan that it was made from.

Rule 1. What lowering inserted speaks with the key of the place that made it necessary.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from byteor.diag import Diagnostic
from byteor.plan.model import Plan

GRAPH = "lane_graph."


def in_plan(found: Diagnostic, plan: Plan, keys: Mapping[str, str] | None = None) -> Diagnostic:
    """The same finding, with the plan's keys for the spec's."""
    related = tuple((plan_key(path, plan, keys), label) for path, label in found.related)
    return replace(found, path=plan_key(found.path, plan, keys), related=related)


def plan_key(path: str, plan: Plan, keys: Mapping[str, str] | None = None) -> str:
    """The key of a plan from which a spec's key was made; `keys` are those that lowering a graph gives."""
    head, _, rest = path.partition(".")
    if rest.startswith("types."):
        return ".".join(["types", *_type_key(rest.split(".")[1:], plan)])
    return _graph_key(rest, keys or {}) if f"{head}." == GRAPH else _ring_key(rest.split("."), plan)


def _ring_key(parts: list[str], plan: Plan) -> str:
    head, rest = parts[0], parts[1:]
    if head == "stages":
        return ".".join(["stage", *_stage_key(rest, plan)])
    if head in ("ingress", "egress"):
        return ".".join([head, "0", *rest])
    return head if head == "name" else ".".join(["ring", *parts])


def _graph_key(path: str, keys: Mapping[str, str]) -> str:
    """Follow the longest known key; one that ends with a point goes on with the rest."""
    head, tail = path, ""
    while head:
        if (found := keys.get(head)) is not None:
            return f"{found}{tail}".rstrip(".") if found.endswith(".") else found
        head, _, last = head.rpartition(".")
        tail = f"{last}.{tail}" if tail else last
    return path


def _type_key(rest: list[str], plan: Plan) -> list[str]:
    """`0.fields.1.null` is `flight.px.null`; a name is the table's own key."""
    message = plan.types[int(rest[0])]
    if len(rest) < 3:
        return [message.name]
    tail = [] if rest[3:] in (["name"], ["type"]) else rest[3:]
    return [message.name, message.fields[int(rest[2])].name, *tail]


def _stage_key(rest: list[str], plan: Plan) -> list[str]:
    """Dependencies are sorted, so their places are lost; parameters stand under their names."""
    if rest[1:2] == ["depends_on"]:
        return [rest[0], "after"]
    if rest[1:2] == ["params"] and len(rest) > 2:
        return [rest[0], "params", plan.stage[int(rest[0])].params[int(rest[2])].name]
    return rest
