"""The quick walks say what the careful ones say."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given

from byteor.spec import kv
from byteor.spec.build import message_type, single_ring_chain
from byteor.spec.codec import BAD, INDEXED, Kind, Reader, flatten, misfits, to_data
from byteor.spec.lane_graph import LaneGraph
from byteor.spec.model import SingleRing
from byteor.spec.walk import Odd, fits, reader, writer
from tests import strategies
from tests.strategies import FEW

CHAIN = single_ring_chain("demo", message_type("tick", {"px": "f64"}), ["stages:a", "stages:b"])


def kind_of(spec: Any) -> Kind:
    return Kind("object", cls=type(spec))


def tree_of(lines: list[str]) -> dict[str, Any]:
    """Lines as a tree, made the plain way."""
    root: dict[str, Any] = {}
    for line in lines:
        key, _, text = line[:-1].partition("=")
        *path, last = key.split(".")[1:]
        group = root
        for part in path:
            group = group.setdefault(part, {})
        group[last] = text
    return root


@FEW
@given(strategies.specs)
def test_lines_are_those_of_the_tree(spec: SingleRing | LaneGraph) -> None:
    lines: list[str] = []
    writer(kind_of(spec))(spec, "it", lines)
    assert lines == [f"{key}={text}\n" for key, text in flatten(to_data(spec), "it")]


@FEW
@given(strategies.specs)
def test_a_tree_is_read_as_the_careful_reader_reads_it(spec: SingleRing | LaneGraph) -> None:
    lines: list[str] = []
    writer(kind_of(spec))(spec, "it", lines)
    tree = tree_of(lines)
    careful = Reader(lambda *_: None, INDEXED).read(type(spec), tree, "it")
    assert reader(kind_of(spec))(tree) == careful == spec


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("capacity", "1_0"),
        ("capacity", "07"),
        ("capacity", "--1"),
        ("capacity", str(2**63)),
        ("capacity", {"0": "1"}),
        ("name", {}),
        ("stages", ""),
        ("stages", {"1": {}}),
        ("shade", "1"),
        ("ingress", "in"),
    ],
)
def test_what_is_odd_is_left_to_the_careful_reader(key: str, value: Any) -> None:
    lines: list[str] = []
    writer(kind_of(CHAIN))(CHAIN, "it", lines)
    tree = {**tree_of(lines), key: value}
    with pytest.raises(Odd):
        reader(kind_of(CHAIN))(tree)
    found: list[str] = []
    careful = Reader(lambda what, *_: found.append(what), INDEXED).read(SingleRing, tree, "it")
    assert found and (careful is BAD or found == ["unknown"])


@pytest.mark.parametrize(
    "changed",
    [
        {"capacity": 1e6},
        {"capacity": True},
        {"capacity": 2**63},
        {"name": "a "},
        {"name": "\u00e9"},
        {"stages": []},
        {"stages": (None,)},
        {"egress": CHAIN.ingress},
        {"shard_key": 1},
    ],
)
def test_what_does_not_fit_is_what_misfits(changed: dict[str, Any]) -> None:
    broken = replace(CHAIN, **changed)
    assert not fits(kind_of(broken))(broken) and list(misfits(broken, kind_of(broken), "it"))
    assert fits(kind_of(CHAIN))(CHAIN) and not list(misfits(CHAIN, kind_of(CHAIN), "it"))


def test_a_group_given_in_pieces_is_read_as_one() -> None:
    first, *rest = kv.encode(CHAIN).splitlines()
    apart = [first, *rest[::2], *rest[1::2]]
    assert kv.decode("\n".join(apart)).spec == CHAIN
    again = [first, *rest, rest[5], f" {rest[6]}"]
    assert {d.code for d in kv.decode("\n".join(again)).findings} == {"K005", "K016"}
