"""The text forms of a spec: round trips, canonical bytes, and lines where they belong."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from byteor import diag
from byteor.spec import kv
from byteor.spec.build import message_type, single_ring_chain
from byteor.spec.lane_graph import LaneGraph
from byteor.spec.model import SingleRing
from tests import strategies
from tests.strategies import FEW

VECTORS = Path(__file__).resolve().parents[2] / "spec" / "vectors"
CHAIN = single_ring_chain("demo", message_type("tick", {"px": "f64"}), ["stages:a", "stages:b"])


@FEW
@given(strategies.specs)
def test_a_spec_comes_back_from_its_text(spec: SingleRing | LaneGraph) -> None:
    assert kv.decode(kv.encode(spec)) == kv.Decoded(spec, (), kv.decode(kv.encode(spec)).source)


@FEW
@given(strategies.specs)
def test_the_json_form_carries_the_same_spec(spec: SingleRing | LaneGraph) -> None:
    text = kv.encode(spec)
    again = kv.decode_json(json.dumps(kv.encode_data(spec)))
    assert again.findings == ()
    assert again.spec is not None and kv.encode(again.spec) == text


@FEW
@given(strategies.specs, st.randoms(use_true_random=False))
def test_order_blanks_and_comments_do_not_matter(spec: SingleRing | LaneGraph, random: object) -> None:
    first, *rest = kv.encode(spec).splitlines()
    random.shuffle(rest)  # type: ignore[attr-defined]
    text = "\n".join(["# a comment", "", first, *rest])
    assert kv.decode(text).spec == spec


def test_canonical_text_is_ascii_and_ends_with_a_line_feed() -> None:
    text = kv.encode(CHAIN)
    assert text.isascii() and text.endswith("\n") and "\r" not in text
    assert text.splitlines()[:2] == ["byteor.kv=1", "kind=single_ring"]


@given(st.text() | st.binary())
def test_nothing_is_a_traceback(document: str | bytes) -> None:
    kv.decode(document)
    kv.decode_json(document)


@settings(max_examples=100)
@given(st.data())
def test_a_damaged_spec_has_findings_or_is_a_spec(data: st.DataObject) -> None:
    text = kv.encode(CHAIN)
    at = data.draw(st.integers(0, len(text)))
    cut = data.draw(st.integers(0, 9))
    put = data.draw(st.text(st.sampled_from("=.0a\n #-\x7fé"), max_size=4))
    decoded = kv.decode(text[:at] + put + text[at + cut :])
    assert (decoded.spec is None) == bool(diag.errors(decoded.findings))
    assert diag.render(decoded.findings, decoded.source).isascii() or "é" in put


def test_unknown_keys_warn_and_do_not_refuse() -> None:
    decoded = kv.decode(kv.encode(CHAIN) + "single_ring.shade=1\n")
    assert decoded.spec == CHAIN
    assert [(d.code, d.is_error) for d in decoded.findings] == [("K009", False)]


def test_a_different_spec_has_a_different_hash() -> None:
    assert kv.spec_sha256(CHAIN) != kv.spec_sha256(replace(CHAIN, capacity=2048))


def test_none_and_nothing_are_told_apart() -> None:
    stages = (replace(CHAIN.stages[0], reads=()), replace(CHAIN.stages[1], reads=None))
    again = kv.decode(kv.encode(replace(CHAIN, stages=stages))).spec
    assert isinstance(again, SingleRing) and [stage.reads for stage in again.stages] == [(), None]


@pytest.mark.parametrize("path", sorted(VECTORS.glob("*.kv")), ids=lambda path: path.stem)
def test_the_vectors_are_canonical_and_have_their_hash(path: Path) -> None:
    decoded = kv.decode(path.read_bytes())
    assert decoded.findings == () and decoded.spec is not None
    assert kv.encode(decoded.spec).encode() == path.read_bytes()
    assert kv.spec_sha256(decoded.spec) == path.with_suffix(".sha256").read_text().strip()


@pytest.mark.parametrize("path", sorted(VECTORS.glob("*.bad")), ids=lambda path: path.stem)
def test_the_bad_vectors_are_refused_with_their_code(path: Path) -> None:
    codes = {d.code for d in diag.errors(kv.decode(path.read_bytes()).findings)}
    assert codes == {path.stem.partition("-")[0]}


def test_there_are_vectors() -> None:
    assert len(list(VECTORS.glob("*.kv"))) >= 3 and len(list(VECTORS.glob("*.bad"))) >= 5


def test_the_grammar_page_lists_every_key() -> None:
    page = (VECTORS.parent / "kv_v1.md").read_text(encoding="utf-8")
    assert kv.keys_page() in page
