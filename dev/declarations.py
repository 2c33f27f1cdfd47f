"""The declarations of the typed client: every question and every answer, printed from what Python declares.

Rule 1. Nothing here knows a question or a key: signatures, typed dictionaries and the spec's dataclasses say all.
Rule 2. An integer is a number, or a text where JavaScript's numbers do not hold it.
"""

from __future__ import annotations

import inspect
import sys
import types
import typing
from collections.abc import Iterator
from dataclasses import MISSING
from typing import Any, Literal

from dev.steps import ROOT

HEAD = """// Every question and every answer of the boundary. Written by `python -m dev gen` from the Python side.

/** A whole number; a text where it is beyond what a JavaScript number holds. */
export type Integer = number | string;

/** A document that is a tree: a spec in its JSON form. */
export type SpecTree =
  | { byteor: 1; kind: "single_ring"; single_ring: SingleRing }
  | { byteor: 1; kind: "lane_graph"; lane_graph: LaneGraph };

/** A JSON Schema. */
export type JsonSchema = { [key: string]: unknown };
"""
LEAVES = {str: "string", bool: "boolean", int: "number", float: "number", type(None): "null"}
TREES = {"lower": "SpecTree", "schema": "JsonSchema"}


def declarations() -> str:
    """The whole text of the client's `answers.ts`."""
    sys.path.insert(0, str(ROOT / "src"))
    from byteor.answers.shapes import SHAPES
    from byteor.spec.lane_graph import LaneGraph
    from byteor.spec.model import SingleRing
    from byteor.web import boundary

    made: dict[str, str] = {}
    for shape in (SingleRing, LaneGraph):
        _dataclass(shape, made)
    parts = [HEAD, *(_shape(shape) for shape in SHAPES), *made.values(), *_questions(boundary.SIGNATURES)]
    parts.append(
        "/** The longest request that is taken, in characters. */\n"
        f"export const MAX_REQUEST = {boundary.MAX_REQUEST};\n"
    )
    return "\n".join(parts)


def _doc(text: str | None) -> str:
    lines = inspect.cleandoc(text or "").partition("\n")[0]
    return f"/** {lines} */\n"


def _shape(shape: Any) -> str:
    rows = [f"  {key}: {_type(hint)};" for key, hint in typing.get_type_hints(shape).items()]
    return "\n".join([f"{_doc(shape.__doc__)}export interface {shape.__name__} {{", *rows, "}", ""])


def _type(hint: Any) -> str:
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin is Literal:
        return " | ".join(f'"{word}"' for word in arguments)
    if origin in (typing.Union, types.UnionType):
        return " | ".join(_type(one) for one in arguments)
    if origin is list:
        return f"{_type(arguments[0])}[]"
    if origin is dict:
        return f"{{ [key: string]: {_type(arguments[1])} }}"
    if hint in LEAVES:
        return LEAVES[hint]
    name: str = hint.__name__
    return name


def _dataclass(cls: Any, made: dict[str, str]) -> None:
    """One part of a spec; what stands at its default, and empty lists, may be left out of a document."""
    from byteor.spec.codec import slots_of

    if cls.__name__ in made:
        return
    made[cls.__name__] = ""
    rows = []
    for slot in slots_of(cls):
        open_ = slot.default is not MISSING or slot.kind.optional or slot.kind.tag == "tuple"
        rows.append(f"  {slot.key}{'?' if open_ else ''}: {_slot(slot.kind, made)};")
    made[cls.__name__] = "\n".join([f"{_doc(cls.__doc__)}export interface {cls.__name__} {{", *rows, "}", ""])


def _slot(kind: Any, made: dict[str, str]) -> str:
    if kind.tag == "tuple":
        return f"{_slot(kind.item, made)}[]"
    if kind.tag == "object":
        _dataclass(kind.cls, made)
        return str(kind.cls.__name__)
    return {"str": "string", "int": "Integer", "bool": "boolean"}[kind.tag]


def _questions(signatures: dict[str, inspect.Signature]) -> Iterator[str]:
    """What each question takes, and what it is answered with when it is not refused."""
    rows = []
    for name, signature in signatures.items():
        keys = [_key(key, parameter) for key, parameter in signature.parameters.items()]
        rows.append(f"  {name}: {{ {'; '.join(keys)} }};" if keys else f"  {name}: Record<string, never>;")
    yield "\n".join(["/** What each question takes. */", "export interface Requests {", *rows, "}", ""])
    rows = [f"  {name}: {_answer(name, signature)};" for name, signature in signatures.items()]
    yield "\n".join(["/** What each question is answered with. */", "export interface Answers {", *rows, "}", ""])


def _key(key: str, parameter: inspect.Parameter) -> str:
    return f"{key}{'' if parameter.default is parameter.empty else '?'}: {_type(parameter.annotation)}"


def _answer(name: str, signature: inspect.Signature) -> str:
    hint = signature.return_annotation
    options = typing.get_args(hint) if typing.get_origin(hint) in (typing.Union, types.UnionType) else (hint,)
    return " | ".join(TREES[name] if typing.get_origin(one) is dict else _type(one) for one in options)
