"""The types of a spec as C structs: packed, with their sizes and offsets asserted.

Rule 1. A struct's fields lie as the ring's slots have them: one after the other, in the machine's own byte order.
Rule 2. A name that C or a header of it has taken gets a `_` behind it; `-` becomes `_`; no two structs share a name.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from byteor.spec.kv import Spec, spec_sha256
from byteor.spec.model import Field, MessageType, scalar

C_TYPES = {"f32": "float", "f64": "double", "bool": "uint8_t", "bytes": "char", "timestamp": "int64_t"}
KEYWORDS = re.compile(
    "alignas|alignof|asm|auto|bool|break|case|char|const|constexpr|continue|default|do|double|else|enum|errno|extern|"
    "false|float|for|goto|if|inline|int|long|noreturn|nullptr|offsetof|register|restrict|return|short|signed|sizeof|"
    "static|static_assert|struct|switch|thread_local|true|typedef|typeof|typeof_unqual|union|unix|linux|unsigned|void|"
    "volatile|while"
)
_MACRO = re.compile(r"(?:U?INT|PTRDIFF|SIG_ATOMIC|SIZE|WCHAR|WINT)[A-Z0-9_]*_(?:MAX|MIN|C|WIDTH)|NULL|_[A-Z_].*")


def header(spec: Spec) -> str:
    """Print a C header of a spec's types."""
    guard = f"BYTEOR_TYPES_{re.sub('[^A-Za-z0-9]', '_', spec.name).upper()}_H"
    lines = [f"/* The types of the spec `{spec.name}`, sha256 {spec_sha256(spec)}. */"]
    lines += [f"#ifndef {guard}", f"#define {guard}", "", "#include <stddef.h>", "#include <stdint.h>", ""]
    lines += ["#pragma pack(push, 1)", ""]
    for name, message in _structs(spec.types):
        lines += [*_struct(name, message), ""]
    return "\n".join([*lines, "#pragma pack(pop)", "", "#endif", ""])


def _structs(types: tuple[MessageType, ...]) -> Iterator[tuple[str, MessageType]]:
    """Give every type with fields a name of its own in C."""
    taken: set[str] = set()
    for message in types:
        if any(scalar(field.type) is None for field in message.fields) or not message.fields:
            continue
        name = wanted = c_name(message.name)
        number = 2
        while name in taken:
            name, number = f"{wanted}_{number}", number + 1
        taken.add(name)
        yield name, message


def c_name(name: str) -> str:
    """A name that C takes."""
    made = re.sub("[^A-Za-z0-9_]", "_", name)
    return f"{made}_" if KEYWORDS.fullmatch(made) or _MACRO.fullmatch(made) else made


def _struct(name: str, message: MessageType) -> list[str]:
    """One struct, then what must hold of it."""
    names = _fields(message)
    members = [f"    {_member(made, field)}" for made, field in zip(names, message.fields, strict=True)]
    out = [f"struct {name} {{", *members, "};"]
    out.append(_assert(f"sizeof(struct {name}) == {message.size}", f"{name} has {message.size} bytes"))
    at = 0
    for made, field in zip(names, message.fields, strict=True):
        out.append(_assert(f"offsetof(struct {name}, {made}) == {at}", f"{name}.{made} is at {at}"))
        found = scalar(field.type)
        at += found.size * field.count if found else 0
    return out


def _fields(message: MessageType) -> list[str]:
    """The members' names: no two alike, also where an added `_` meets one that was there."""
    taken: set[str] = {field.name for field in message.fields}
    out = []
    for field in message.fields:
        name = c_name(field.name)
        while name != field.name and name in taken:
            name += "_"
        taken.add(name)
        out.append(name)
    return out


def _member(name: str, field: Field) -> str:
    found = scalar(field.type)
    if found is None:
        raise AssertionError(f"{field.type} is no scalar type")
    c_type = C_TYPES.get(found.kind) or f"{'u' * (found.kind[0] == 'u')}int{found.kind[1:]}_t"
    counts = f"[{field.count}]" if field.count != 1 else ""
    counts += f"[{found.size}]" if found.kind == "bytes" else ""
    null = f", null {field.null}" if field.null is not None else ""
    note = f"{field.type}{null}".replace("*/", "* /").replace("/*", "/ *")
    return f"{c_type} {name}{counts};" + (f"  /* {note} */" if null or found.kind in ("bool", "timestamp") else "")


def _assert(condition: str, message: str) -> str:
    return f'_Static_assert({condition}, "{message}");'
