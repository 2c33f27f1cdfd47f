"""The tables against numbers written by hand, and the rules that every table of ours keeps.

Rule 1. What is expected here was worked out from the description, not from the table.
"""

from __future__ import annotations

import pytest

from byteor.abi import byteor_v1 as ours
from byteor.abi import indexbus_v1 as theirs
from byteor.abi.drawing import drawing
from byteor.abi.family import MAX_BYTES, Kind
from byteor.abi.layout import (
    ATOMIC_I64,
    LINE,
    SECTION,
    U8,
    U32,
    Layout,
    Scalar,
    array,
    canonical,
    cell,
    layout,
    layout_hash,
    leaves,
    schema_hash,
)
from byteor.abi.symbol import c_text, symbol, up

LANE = {"capacity": 8, "slot_bytes": 24, "lengths": 1, "orders": 1}


def offsets(table: Layout, names: str) -> list[int]:
    return [table[name] for name in names.split()]


def exported(kinds: tuple[Kind, ...]) -> list[Layout]:
    return [table for kind in kinds for _, table in kind.instances()]


def test_the_header_is_the_original_s_and_goes_on_with_ours() -> None:
    names = "abi_magic abi_version abi_flags abi_capabilities abi_layout_bytes initialized reserved generation"
    assert offsets(ours.HEADER, names) == [0, 4, 6, 8, 12, 16, 20, 24]
    assert offsets(ours.HEADER, "layout_hash schema_hash") == [32, 48]
    assert ours.HEADER.bytes == 64
    assert theirs.LAYOUT_HEADER.bytes == 16
    assert theirs.MAGIC.to_bytes(4, "little") == b"IBUS"


def test_the_original_s_journal_is_where_it_says() -> None:
    journal = theirs.JOURNAL_FAMILY.layout("journal", {"subscribers": 4, "segments": 3, "segment_bytes": 65536})
    assert offsets(journal, "pub_pos active_segment segments sub_pos segment_bufs") == [64, 128, 192, 384, 448]
    assert journal.cells["segments_tail"].at(2) == 192 + 2 * 64 + 8
    assert journal.bytes == 197_056


def test_the_original_s_other_layouts_are_where_it_says() -> None:
    sequencer, slots, state = (
        theirs.SEQUENCER_FAMILY.layout("sequencer", {"gates": 4}),
        theirs.SLOTS_FAMILY.layout("slots", {"gates": 4}),
        theirs.STATE_FAMILY.layout("state", {"max": 256}),
    )
    assert (
        offsets(sequencer, "initialized cursor gating") == offsets(slots, "initialized cursor gating") == [16, 64, 128]
    )
    assert offsets(state, "seq len pad data") == [16, 24, 28, 32]
    assert offsets(theirs.SLOT, "next_free refcnt len pad data") == [0, 4, 8, 12, 16]
    assert (theirs.SLOT.bytes, theirs.QUEUE_CAPACITY) == (272, 1024)


def test_the_envelope_has_24_bytes() -> None:
    names = "magic flags codec_id header_len schema_id msg_type msg_version payload_len"
    assert offsets(theirs.ENVELOPE, names) == [0, 4, 6, 7, 8, 16, 20, 22]
    assert theirs.ENVELOPE.bytes == 24
    assert theirs.ENVELOPE_MAGIC.to_bytes(4, "little") == b"USM1"


def test_a_ring_in_memory_and_a_lane_with_one_ring_have_the_same_words() -> None:
    names = "cursor mark_field mark_word mark_dropped closed gate"
    lane = ours.EVENTS.layout(rings=1, gates=3, **LANE)
    assert offsets(ours.ring(3), names) == offsets(lane, names) == [128, 256, 264, 272, 384, 512]
    assert [ours.ring(3).cells["gate"].at(i) for i in range(3)] == [512, 640, 768]


def test_a_lane_with_several_rings_lies_ring_by_ring() -> None:
    lane = ours.EVENTS.layout(rings=2, gates=1, **LANE)
    assert [lane.cells["cursor"].at(i) for i in (0, 1)] == [128, 256]
    assert offsets(lane, "mark closed gate lane_closed") == [384, 640, 896, 1152]
    assert offsets(lane, "producer_bell reader_bell") == [1280, 1536]
    assert offsets(lane, "order length dead slots") == [1792, 1920, 2048, 2048]
    assert lane.bytes == 2048 + 2 * 8 * 24


def test_every_filtering_stage_has_lines_of_its_own() -> None:
    lane = ours.SLOTS.layout(rings=1, gates=2, filters=2, **LANE)
    dead = lane.cells["dead"]
    assert (dead.count, dead.stride, dead.offset % LINE) == (2, LINE, 0)


def test_the_doorbell_of_a_lane_is_that_of_a_runner() -> None:
    lane = ours.EVENTS.layout(rings=1, gates=1, **LANE)
    within = lane["reader_bell_announced"] - lane["reader_bell"]
    assert within == ours.runner()["announced"] - ours.runner()["bell"] == 8


def test_owners_lock_the_byte_at_their_own_cell() -> None:
    lane = ours.EVENTS.layout(rings=2, gates=1, **LANE)
    cells = [("cursor", 0, 128), ("cursor", 1, 256), ("gate", 0, 896), ("gate", 1, 1024), ("lane_closed", 0, 1152)]
    assert list(ours.owners(lane)) == cells


@pytest.mark.parametrize("table", exported(ours.KINDS), ids=lambda table: table.name)
def test_a_line_has_one_writer(table: Layout) -> None:
    assert writers(table) == {}


def writers(table: Layout) -> dict[int, set[str]]:
    """The lines with several writers; whom bells belong to is left out."""
    found: dict[int, set[str]] = {}
    for name, place in table.cells.items():
        if "bell" not in name and not name.startswith("runner") and place.size * place.count:
            for i in range(min(place.count, 4)):
                lines = range(place.at(i) // LINE, (place.at(i) + place.size - 1) // LINE + 1)
                for line in lines:
                    found.setdefault(line, set()).update({place.writer} - {""})
    return {line: who for line, who in found.items() if len(who) > 1}


def test_two_writers_on_a_line_are_found() -> None:
    table = layout("T", "", cell("a", ATOMIC_I64, "", "one"), cell("b", ATOMIC_I64, "", "two"))
    assert writers(table) == {0: {"one", "two"}}


@pytest.mark.parametrize("table", exported(ours.KINDS), ids=lambda table: table.name)
def test_words_are_aligned_and_every_place_is_within(table: Layout) -> None:
    for path, one, offset in leaves(table):
        assert offset % one.type.align == 0, path
        assert offset + one.type.bytes * one.count <= table.bytes, path
    assert table.align >= SECTION


def test_structs_are_laid_out_as_c_does() -> None:
    inner = layout("Inner", "", cell("a", U8, ""), cell("b", U32, ""), cell("c", U8, ""))
    outer = layout("Outer", "", cell("x", U8, ""), array("inner", inner, 2, ""), cell("y", U8, ""))
    assert (inner.bytes, inner.align, offsets(inner, "a b c")) == (12, 4, [0, 4, 8])
    assert (outer.bytes, offsets(outer, "x inner_b y")) == (32, [0, 8, 28])
    assert outer.cells["inner_c"].at(1) == 4 + 12 + 8


def test_symbols_add_up_as_numbers_do() -> None:
    n, m = symbol("n"), symbol("m")
    assert c_text(64 + 8 * n * m + 8 * n * m) == "64 + 16 * m * n"
    assert c_text(up(128 * n + 256, 64)) == "256 + 128 * n"
    assert c_text(up(n + 1, 64)) == "indexbus_up(1 + n, 64)"
    assert c_text(up(up(n, 64) + 64, 64)) == "64 + indexbus_up(n, 64)"
    assert c_text(0 * n) == "0"


def test_capability_bits_are_required_below_16() -> None:
    bits = [bit for bit, _ in ours.CAPABILITIES.values()]
    assert len(set(bits)) == len(bits)
    assert all(0 <= bit < 32 for bit in bits)
    assert ours.BITS["may_block"] & ours.REQUIRED


def test_kinds_of_ours_are_from_128_on() -> None:
    numbers = [kind.number for kind in (*theirs.KINDS, *ours.KINDS)]
    assert len(set(numbers)) == len(numbers)
    assert all(128 <= kind.number <= 255 and not kind.interchange_only for kind in ours.KINDS)
    assert all(kind.number < 128 and kind.interchange_only for kind in theirs.KINDS)


def test_shapes_fit_between_the_header_and_the_words() -> None:
    assert all(family.shape.bytes <= LINE - SECTION for family in ours.FAMILIES)


def test_parameters_have_names_and_bounds() -> None:
    found = ours.EVENTS.findings(rings=0, gates=1, capacity=1000, lengths=0, orders=0)
    assert [(d.path, d.code) for d in found] == [("rings", "A001"), ("capacity", "A001"), ("slot_bytes", "A001")]
    assert [d.message for d in found] == [
        "`rings` is 0; `events` takes from 1 to 256",
        "`capacity` is 1000; `events` takes a power of two from 1 to 16777216",
        "`slot_bytes` is missing; `events` takes from 1 to 2147483648",
    ]


def test_what_a_kind_fixes_cannot_be_otherwise() -> None:
    assert [d.message for d in ours.FANOUT.findings(rings=2, gates=4, **LANE)] == ["`rings` is 2; `fanout` takes 1"]
    assert ours.FANOUT.findings(gates=4, **LANE) == ()


def test_a_region_has_less_than_4_gib() -> None:
    (found,) = ours.FANOUT.findings(gates=1, capacity=2**24, slot_bytes=256, lengths=0, orders=0)
    assert (found.code, found.path) == ("A002", "layout_bytes")
    assert ours.FANOUT.findings(gates=1, capacity=2**23, slot_bytes=256, lengths=0, orders=0) == ()
    assert MAX_BYTES == 2**32 - 1


def test_a_hash_stands_for_a_text() -> None:
    one, two = (ours.EVENTS.text(rings=1, gates=gates, **LANE) for gates in (1, 2))
    assert len(layout_hash(one)) == len(schema_hash(one)) == 16
    assert layout_hash(one) != layout_hash(two)
    assert layout_hash(one) == layout_hash(ours.EVENTS.text(rings=1, gates=1, **LANE))
    assert layout_hash("").hex() == "e3b0c44298fc1c149afbf4c8996fb924"


def test_a_text_holds_no_prose() -> None:
    plain = layout("T", "one", cell("a", U32, "what a is", "somebody"))
    assert canonical(plain) == "layout T bytes 4 align 4\n0 a u32\n"


def test_scalars_are_as_large_as_they_are_aligned() -> None:
    tables = [*exported(ours.KINDS), *exported(theirs.KINDS)]
    scalars = {one.type for table in tables for _, one, _ in leaves(table) if isinstance(one.type, Scalar)}
    assert all(one.block or one.bytes == one.align for one in scalars)


RULER = """\
        0        1        2        3        4        5        6        7
    +--------+--------+--------+--------+--------+--------+--------+--------+
  0 |   a    |                          |                 b                 |
    +--------+--------+--------+--------+--------+--------+--------+--------+"""


def test_small_structs_are_drawn_byte_by_byte() -> None:
    assert drawing(layout("T", "", cell("a", U8, ""), cell("b", U32, ""))) == RULER
