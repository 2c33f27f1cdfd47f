"""Placements as documents: round trips, the schema, and the hash of what they say."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from byteor.place import document
from byteor.place.model import FABRICS, File, Host, Hosts, LinkIntent, Tls
from byteor.plan import toml_text
from byteor.views.schema import place_schema
from tests.spec.golden import files, golden_of
from tests.strategies import FEW

TEXTS = st.text("abz09 ._-/{}\"'é", max_size=8)
WORDS = st.text("ab_", min_size=1, max_size=3)
NUMBERS = st.none() | st.integers(-(2**63), 2**63 - 1)
HOSTS = st.builds(Host, TEXTS, TEXTS, st.lists(TEXTS, max_size=3).map(tuple), st.none() | TEXTS, st.none() | TEXTS)
LINKS = st.builds(LinkIntent, TEXTS, TEXTS, NUMBERS, st.none() | st.sampled_from(FABRICS), NUMBERS, NUMBERS, NUMBERS)
FILES = st.dictionaries(WORDS, TEXTS, max_size=2).map(lambda d: tuple(File(*pair) for pair in d.items()))
PLACED = st.builds(
    Hosts,
    place=st.just(document.VERSION),
    plan=TEXTS,
    run=TEXTS,
    fabric=st.sampled_from(FABRICS),
    bytes_per_second=NUMBERS,
    input=FILES,
    output=FILES,
    tls=st.none() | st.builds(Tls, TEXTS, TEXTS, TEXTS),
    host=st.lists(HOSTS, max_size=3).map(tuple),
    link=st.lists(LINKS, max_size=3).map(tuple),
)
SHAPE = {"P017", "P018", "P019", "P070"}


@FEW
@given(PLACED, st.sampled_from(("toml", "json")))
def test_a_placement_comes_back_from_its_text(hosts: Hosts, form: str) -> None:
    read = document.read(document.encode(hosts, form))
    assert (read.hosts, read.findings) == (hosts, ())
    assert document.place_sha256(hosts) == document.place_sha256(read.hosts or hosts)


def test_the_hash_is_that_of_the_content() -> None:
    one = 'place = 1\nplan = "p.toml"\nfabric = "tcp"\n[[host]]\nname = "a"\naddress = "a:1"\nroles = "x"\n'
    two = '# the same\nplan = "p.toml"\nplace = 1\n\n[[host]]\nroles = ["x"]\naddress = "a:1"\nname = "a"\n'
    first, second = document.read(one).hosts, document.read(two).hosts
    assert first is not None and second is not None
    assert document.place_sha256(first) == document.place_sha256(second)
    assert document.place_sha256(first) != document.place_sha256(replace(first, run="2"))


def test_a_generation_tells_spec_placement_and_run_apart() -> None:
    hosts = Hosts(1, "p.toml")
    seen = {
        document.generation_of("a", hosts),
        document.generation_of("b", hosts),
        document.generation_of("a", replace(hosts, plan="q.toml")),
        document.generation_of("a", hosts, "2"),
    }
    assert len(seen) == 4 and all(0 < generation < 2**64 for generation in seen)
    assert document.generation_of("a", hosts, "2") != document.generation_of("a", replace(hosts, run="2"))


@pytest.mark.parametrize("document_text", ["", "[1, 2]", "{", "place = 1\nplace = 1\n", "\0", "x = nan\n"])
def test_a_hostile_document_is_findings(document_text: str) -> None:
    read = document.read(document_text)
    assert read.hosts is None and read.findings


def test_the_reader_and_the_schema_take_the_same_documents() -> None:
    jsonschema = pytest.importorskip("jsonschema")
    schema = place_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    for case in (golden_of(path) for path in files()):
        if case.words != "toml place":
            continue
        data: Any = toml_text.load(case.given).data
        wrong = {error.validator for error in validator.iter_errors(data)}
        shape = bool(SHAPE & {d.code for d in case.answer()[0]})
        assert bool(wrong) == shape or wrong <= {"enum"}, (case.path, wrong)
