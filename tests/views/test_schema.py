"""The schema of plans agrees with the reader of plans; the C structs agree with the compiler."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given

from byteor import diag
from byteor.lower import lower
from byteor.plan import document, toml_text
from byteor.spec import json_text
from byteor.spec.build import SingleRingBuilder, message_type
from byteor.spec.model import Field
from byteor.views.header import c_name, header
from byteor.views.schema import DIALECT, plan_schema
from tests.spec.golden import files, golden_of
from tests.strategies import FEW, valid_plans

ROOT = Path(__file__).parent.parent.parent
SCHEMA = plan_schema()
SHAPE = {"P016", "P017", "P018", "P019"}


def documents() -> list[str]:
    """All plans of the examples and of the golden files that are documents of any form."""
    plans = [path.read_text() for path in sorted(ROOT.glob("examples/**/plan.toml"))]
    return plans + [g.given for g in map(golden_of, files()) if g.words in ("toml plan", "json plan")]


def loaded(text: str) -> Any:
    return (json_text.load(text) if text.lstrip()[:1] == "{" else toml_text.load(text)).data


def judged() -> list[tuple[Any, tuple[diag.Diagnostic, ...], str]]:
    """Every document that is a tree of data, with all that is found in it."""
    out = []
    for text in documents():
        read = document.read(text)
        if read.plan is not None:
            out.append((loaded(text), (*read.findings, *lower(read.plan).all_findings), text))
        elif any(d.code in SHAPE for d in read.findings):
            out.append((loaded(text), read.findings, text))
    return out


def test_the_reader_and_the_schema_take_the_same_documents() -> None:
    jsonschema = pytest.importorskip("jsonschema")
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    validator = jsonschema.Draft202012Validator(SCHEMA)
    seen = set()
    for data, found, text in judged():
        wrong = {error.validator for error in validator.iter_errors(data)}
        shape = bool(SHAPE & {d.code for d in found})
        seen.add((shape, bool(wrong)))
        assert not wrong if not found else bool(wrong) >= shape, (text, wrong)
        assert shape or wrong <= {"enum", "pattern", "anyOf"}, (text, wrong)
    assert seen == {(False, False), (True, True), (False, True)}


def test_the_schema_is_whole() -> None:
    assert SCHEMA["$schema"] == DIALECT and SCHEMA["additionalProperties"] is False
    assert set(SCHEMA["required"]) == {"plan", "name", "target"}
    references = _references(SCHEMA)
    assert references == {f"#/$defs/{name}" for name in SCHEMA["$defs"]}
    assert all("description" in one or "anyOf" in one for one in SCHEMA["$defs"].values())


def _references(node: Any) -> set[str]:
    if isinstance(node, list):
        return set().union(*map(_references, node))
    if not isinstance(node, dict):
        return set()
    own = {node["$ref"]} if "$ref" in node else set()
    return own.union(*map(_references, node.values()))


@FEW
@given(valid_plans())
def test_every_plan_that_is_written_has_only_keys_of_the_schema(plan: Any) -> None:
    data = document.encode_data(plan)
    assert set(data) <= set(SCHEMA["properties"])
    for stage in data.get("stage", []):
        assert set(stage) <= set(SCHEMA["$defs"]["Stage"]["properties"])


SCALARS = ("i8", "i16", "i32", "i64", "u8", "u16", "u32", "u64", "f32", "f64", "bool", "bytes(3)", "timestamp(ns)")
NAMES = ("int", "NULL", "INT8_MAX", "_Bool", "offsetof", "int_", "unix", "x")


def awkward() -> Any:
    """A spec whose names are taken in C, with every scalar type, counts, and a null that would end a comment."""
    fields: dict[str, str | Field] = {f"f{i}": Field("", kind, 1 + i % 3) for i, kind in enumerate(SCALARS)}
    fields["nul"] = Field("", "bytes(8)", null="*/ x /*")
    names = message_type("while", dict.fromkeys(NAMES, "u8"))
    types = message_type("a-b", {"x": "u16"}), message_type("a_b", {"x": "f64"})
    return SingleRingBuilder("demo", message_type("all", fields)).type(names, *types).stage("s").build()


def test_the_structs_compile_and_lie_as_the_slots_do(tmp_path: Path) -> None:
    compiler = shutil.which("cc") or pytest.skip("no C compiler")
    source = tmp_path / "types.c"
    source.write_text(header(awkward()) + "int main(void) { return 0; }\n")
    flags = ["-std=c11", "-Wall", "-Wextra", "-Werror", "-pedantic", "-fsyntax-only"]
    done = subprocess.run([compiler, *flags, str(source)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_names_that_c_has_taken_get_another() -> None:
    assert [c_name(name) for name in ("while", "a-b", "x", "NULL")] == ["while_", "a_b", "x", "NULL_"]
    text = header(awkward())
    assert "struct a_b_2 {" in text and "uint8_t int__;" in text and "struct while_ {" in text
