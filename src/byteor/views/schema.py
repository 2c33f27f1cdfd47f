"""The JSON Schemas of plans and placements, made from their own declarations; TOML and JSON documents are one tree.

Rule 1. What the reader of documents takes, the schema takes, and nothing else: both read the same declarations.
Rule 2. What a document means is for `check`; the schema knows shapes, and the few words that a key takes.
"""

from __future__ import annotations

from dataclasses import MISSING
from typing import Any, cast

from byteor.place import document as placements
from byteor.place import model as hosts
from byteor.plan import document
from byteor.plan import model as plans
from byteor.plan.model import TARGETS
from byteor.spec import lane_graph as lanes
from byteor.spec import ring_rules as words
from byteor.spec.codec import I64, Form, Kind, Slot, slots_of
from byteor.spec.model import SCALARS as PLAIN
from byteor.spec.model import UNITS, WAITS, Field, Param
from byteor.spec.placement import PINNINGS, RESTARTS

DIALECT = "https://json-schema.org/draft/2020-12/schema"
WORDS: dict[tuple[type, str], tuple[str, ...]] = {
    (plans.Plan, "target"): TARGETS,
    (plans.Plan, "on_full"): lanes.ON_FULL,
    (plans.Plan, "wait"): WAITS,
    (plans.Plan, "pinning"): PINNINGS,
    (plans.Supervise, "restart"): RESTARTS,
    (plans.Ring, "wait"): WAITS,
    (plans.Ring, "ordering"): words.ORDERINGS,
    (plans.Ring, "producer"): words.PRODUCERS,
    (plans.Ring, "scheduling"): words.SCHEDULINGS,
    (plans.Ingress, "bad"): words.BAD_ROWS,
    (plans.Stage, "form"): words.FORMS,
    (plans.Egress, "emit"): words.EMITS,
    (plans.LaneIntent, "kind"): lanes.KINDS,
    (plans.LaneIntent, "on_full"): lanes.ON_FULL,
    (plans.LaneIntent, "retain"): lanes.RETAIN,
    (plans.Merge, "policy"): lanes.MERGE_POLICIES,
    (plans.Merge, "late"): lanes.LATE,
    (plans.Router, "policy"): lanes.ROUTER_POLICIES,
    (hosts.Hosts, "fabric"): hosts.FABRICS,
    (hosts.LinkIntent, "fabric"): hosts.FABRICS,
}
_SCALAR = rf"^({'|'.join(PLAIN)}|bytes\([1-9][0-9]*\)|timestamp\(({'|'.join(UNITS)})\))$"
PATTERNS = {(Field, "type"): _SCALAR, (Param, "type"): _SCALAR}
_FORMS = (document.FORM, placements.FORM)
FORM = Form(
    named=_FORMS[0].named | _FORMS[1].named,
    inline=document.FORM.inline,
    short={**_FORMS[0].short, **_FORMS[1].short},
    lone=True,
)
LEAVES = {"str": "string", "int": "integer", "bool": "boolean"}

Schema = dict[str, Any]


def plan_schema() -> Schema:
    """Make the schema of a plan document."""
    made: dict[str, Schema] = {}
    top = _object(plans.Plan, made)
    top["properties"]["plan"] = {"const": document.VERSION, "description": "The version of plan documents."}
    return {"$schema": DIALECT, "title": "A byteor plan", **top, "$defs": dict(sorted(made.items()))}


def place_schema() -> Schema:
    """Make the schema of a placement document."""
    made: dict[str, Schema] = {}
    top = _object(hosts.Hosts, made)
    top["properties"]["place"] = {"const": placements.VERSION, "description": "The version of placement documents."}
    return {"$schema": DIALECT, "title": "A byteor placement", **top, "$defs": dict(sorted(made.items()))}


def _object(cls: type, made: dict[str, Schema], named: bool = False) -> Schema:
    """One dataclass as a table; a `named` one has its name as the key that it stands under."""
    slots = [slot for slot in slots_of(cls) if not (named and slot.attr == "name")]
    return {
        "type": "object",
        "description": (cls.__doc__ or "").partition("\n")[0],
        "properties": {slot.key: _slot(cls, slot, made) for slot in slots},
        "required": [slot.key for slot in slots if _required(slot)],
        "additionalProperties": False,
    }


def _required(slot: Slot) -> bool:
    return slot.default is MISSING and not slot.kind.optional and slot.kind.tag != "tuple"


def _slot(cls: type, slot: Slot, made: dict[str, Schema]) -> Schema:
    found = _value(slot.kind, (cls, slot.attr), made)
    if slot.default is not MISSING and isinstance(slot.default, str | int | bool):
        found = {**found, "default": slot.default}
    return found


def _value(kind: Kind, owner: tuple[type, str], made: dict[str, Schema]) -> Schema:
    if kind.tag == "tuple":
        return _tuple(cast(Kind, kind.item), owner, made)
    if kind.tag == "object":
        return _reference(cast(type, kind.cls), made, named=False)
    found: Schema = {"type": LEAVES[kind.tag]}
    if owner in WORDS:
        found["enum"] = list(WORDS[owner])
    if owner in PATTERNS:
        found["pattern"] = PATTERNS[owner]
    if kind.tag == "int":
        found |= {"minimum": I64.start, "maximum": I64.stop - 1}
    return found


def _tuple(item: Kind, owner: tuple[type, str], made: dict[str, Schema]) -> Schema:
    """A list; a table by name where the form has one; a text alone may stand for a list of it."""
    if owner in FORM.named:
        return {"type": "object", "additionalProperties": _reference(cast(type, item.cls), made, named=True)}
    one = _value(item, owner, made)
    many = {"type": "array", "items": one}
    return {"anyOf": [one, many]} if FORM.lone and item.tag == "str" else many


def _reference(cls: type, made: dict[str, Schema], named: bool) -> Schema:
    if cls.__name__ not in made:
        made[cls.__name__] = {}
        made[cls.__name__] = _definition(cls, made, named)
    return {"$ref": f"#/$defs/{cls.__name__}"}


def _definition(cls: type, made: dict[str, Schema], named: bool) -> Schema:
    """A class as documents write it: inline, in short, or as a table."""
    if attr := FORM.inline.get(cls):
        slot = next(slot for slot in slots_of(cls) if slot.attr == attr)
        return {"description": (cls.__doc__ or "").partition("\n")[0], **_slot(cls, slot, made)}
    table = _object(cls, made, named)
    if cls not in FORM.short:
        return table
    return {"anyOf": [_short(cls, table), table]}


def _short(cls: type, table: Schema) -> Schema:
    """What may stand for the whole table: any scalar for a parameter, else what one of its keys takes."""
    if cls is Param:
        return {"type": ["string", "boolean", "integer", "number"]}
    (key,) = FORM.short[cls]("") or {}
    return cast(Schema, table["properties"][key])
