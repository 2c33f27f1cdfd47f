"""The headers as compilers see them, beside the tables and numpy.

Rule 1. One small program prints every size and offset, and where each family puts things for several parameters.
Rule 2. C11 and C++17 say the same, without a warning.
"""

from __future__ import annotations

import itertools
import json
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

from byteor.abi import byteor_v1, indexbus_v1
from byteor.abi.document import all_structs, layout_json
from byteor.abi.dtypes import dtype
from byteor.abi.family import Family
from byteor.abi.layout import Layout

SPEC = Path(__file__).resolve().parents[2] / "spec"
STRICT = ("-Wall", "-Wextra", "-Werror", "-pedantic")
COMPILERS = [("cc", "-std=c11", "peer.c"), ("g++", "-std=c++17", "peer.cpp")]
FAMILIES = (*indexbus_v1.FAMILIES, *byteor_v1.FAMILIES)
Facts = dict[str, int]


def members(table: Layout) -> list[str]:
    return [one.name for one in table.members if one.count and one.type.bytes]


def samples(family: Family) -> list[Mapping[str, int]]:
    """A few parameters: each at its least, somewhere in between, and mixed."""
    middle = {p.name: min(p.high, 2 if p.high < 64 else max(p.low, 64)) for p in family.params}
    least = {p.name: p.low for p in family.params}
    odd = {p.name: p.low + (0 if p.power else 1) for p in family.params}
    mixed = [{**middle, name: least[name]} for name in middle]
    return [least, middle, odd, *mixed]


def program() -> str:
    lines = ['#include "byteor_v1.h"', "#include <stdio.h>", "", "static void put(const char *name, uint64_t value) {"]
    lines += ['    printf("%s %llu\\n", name, (unsigned long long)value);', "}", ""]
    calls = []
    for table in all_structs():
        sizes = [f'put("{table.name}", sizeof({table.name}));']
        sizes += [f'put("{table.name}.{m}", offsetof({table.name}, {m}));' for m in members(table)]
        calls.append(sizes)
    calls += [asked(family, i, params) for family in FAMILIES for i, params in enumerate(samples(family))]
    for i, body in enumerate(calls):
        lines += [f"static void part{i}(void) {{", *[f"    {row}" for row in body], "}"]
    lines += ["int main(void) {", *[f"    part{i}();" for i in range(len(calls))], "    return 0;", "}"]
    return "\n".join(lines) + "\n"


def asked(family: Family, number: int, params: Mapping[str, int]) -> list[str]:
    """What C is asked about a family with these parameters."""
    prefix = f"{family.prefix.lower()}_{family.name}"
    body = [f"{family.shape.name} shape;", *[f"shape.{name} = {value}u;" for name, value in params.items()]]
    for one in family.symbolic().members:
        if one.name not in ("header", "shape"):
            index = ", 3" if one.is_array else ""
            body.append(f'put("{prefix}{number}.{one.name}", {prefix}_{one.name}_at(shape{index}));')
    return [*body, f'put("{prefix}{number}", {prefix}_bytes(shape));']


def expected(family: Family, number: int, params: Mapping[str, int]) -> Facts:
    prefix, table = f"{family.prefix.lower()}_{family.name}{number}", family.layout("sample", params)
    places = {one.name: one.offset + 3 * one.is_array * one.type.bytes for one in table.members}
    return {prefix: table.bytes, **{f"{prefix}.{n}": at for n, at in places.items() if n not in ("header", "shape")}}


@pytest.fixture(scope="module", params=COMPILERS, ids=lambda one: one[0])
def facts(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Facts:
    compiler, standard, name = request.param
    if shutil.which(compiler) is None:
        pytest.skip(f"there is no {compiler} on this machine: the headers are not compiled")
    folder = tmp_path_factory.mktemp("peer")
    (folder / name).write_text(program())
    command = [compiler, standard, *STRICT, "-I", str(SPEC), str(folder / name), "-o", str(folder / "peer")]
    made = subprocess.run(command, capture_output=True, text=True)
    assert made.returncode == 0, made.stderr
    said = subprocess.run([str(folder / "peer")], capture_output=True, text=True, check=True).stdout
    return {name: int(value) for name, value in (line.split() for line in said.splitlines())}


def test_structs_have_the_sizes_and_offsets_of_the_tables(facts: Facts) -> None:
    wanted: Facts = {}
    for table in all_structs():
        wanted |= {table.name: table.bytes}
        wanted |= {f"{table.name}.{one.name}": one.offset for one in table.members if one.name in members(table)}
    assert {name: value for name, value in facts.items() if name in wanted} == wanted


def test_numpy_agrees_with_c(facts: Facts) -> None:
    for table in all_structs():
        made = dtype(table)
        assert made.itemsize == facts[table.name], table.name
        for name in made.names or ():
            assert made.fields is not None
            assert made.fields[name][1] == facts[f"{table.name}.{name}"], f"{table.name}.{name}"


def test_families_are_where_the_tables_say_for_any_parameters(facts: Facts) -> None:
    wanted: Facts = {}
    for family in FAMILIES:
        for number, params in enumerate(samples(family)):
            wanted |= expected(family, number, params)
    assert {name: value for name, value in facts.items() if name in wanted} == wanted
    assert len(wanted) > 300


@pytest.mark.parametrize(("compiler", "standard", "name"), COMPILERS, ids=lambda one: str(one))
@pytest.mark.parametrize("header", ["indexbus_v1.h", "byteor_v1.h"])
def test_each_header_stands_alone(compiler: str, standard: str, name: str, header: str, tmp_path: Path) -> None:
    if shutil.which(compiler) is None:
        pytest.skip(f"there is no {compiler} on this machine: the headers are not compiled")
    (tmp_path / name).write_text(f'#include "{header}"\n#include "{header}"\n')
    command = [compiler, standard, *STRICT, "-fsyntax-only", "-I", str(SPEC), str(tmp_path / name)]
    made = subprocess.run(command, capture_output=True, text=True)
    assert made.returncode == 0, made.stderr


@pytest.mark.parametrize("change", [("== 64,", "== 65,"), ("uint32_t reserved", "uint64_t reserved")])
def test_a_header_that_lies_is_refused(change: tuple[str, str], tmp_path: Path) -> None:
    if shutil.which("cc") is None:
        pytest.skip("there is no cc on this machine: the headers are not compiled")
    for name in ("indexbus_v1.h", "byteor_v1.h"):
        text = (SPEC / name).read_text()
        (tmp_path / name).write_text(text.replace(*change, 1) if name == "byteor_v1.h" else text)
    (tmp_path / "peer.c").write_text('#include "byteor_v1.h"\n')
    command = ["cc", "-std=c11", "-fsyntax-only", str(tmp_path / "peer.c")]
    made = subprocess.run(command, capture_output=True, text=True)
    assert made.returncode != 0
    assert "static assertion failed" in made.stderr


def test_numpy_reads_a_header_that_was_written_by_hand() -> None:
    raw = b"IBUS" + b"\1\0" + b"\x80\0" + b"\0" * 4 + (4096).to_bytes(4, "little") + b"\2" + b"\0" * 47
    (read,) = np.frombuffer(raw, dtype(byteor_v1.HEADER).newbyteorder("<"))
    assert (read["abi"]["magic"], read["abi"]["flags"], read["abi"]["layout_bytes"]) == (0x53554249, 128, 4096)
    assert read["initialized"] == 2


def test_json_says_the_same() -> None:
    document = json.loads(layout_json())
    structs = {one["name"]: one for one in document["structs"]}
    for table in all_structs():
        assert structs[table.name]["bytes"] == table.bytes
        assert [c["offset"] for c in structs[table.name]["cells"]] == [one.offset for one in table.members]
    named = itertools.chain.from_iterable(kind["instances"] for kind in document["kinds"])
    assert {one["struct"] for one in named} <= set(structs)
