"""The tables of IndexBus ABI v1: the header of every region, and the original's layouts for interchange.

Rule 1. The header and the states of `initialized` hold for every region, ours included.
Rule 2. The other layouts are *interchange only*: no lane of ours uses them.
Rule 3. Where the original does not publish an interior or a number, the doc says `chosen here`.
"""

from __future__ import annotations

from byteor.abi.family import Family, Kind, Param
from byteor.abi.layout import (
    ATOMIC_U32,
    ATOMIC_U64,
    SECTION,
    U8,
    U16,
    U32,
    U64,
    Cell,
    array,
    block,
    cell,
    layout,
)

MAGIC = 0x53554249  # "IBUS", little-endian
VERSION = 1
KIND_MASK = 0x00FF
UNINITIALIZED, INITIALIZING, READY = range(3)
CAPABILITY_SEQUENCED_SLOTS = 1 << 17
QUEUE_CAPACITY = 1024
SLOT_BYTES = 256
POOL_SLOTS = 1024
RECORD_COMMITTED = 1
ENVELOPE_MAGIC = 0x314D5355  # "USM1", little-endian

LAYOUT_HEADER = layout(
    "IndexbusLayoutHeader",
    "the first 16 bytes of every region",
    cell("magic", U32, 'INDEXBUS_MAGIC: "IBUS"', "creator"),
    cell("version", U16, "INDEXBUS_VERSION", "creator"),
    cell("flags", U16, "the region's kind in the low 8 bits; the others are 0", "creator"),
    cell("capabilities", U32, "what a reader must or may know of this region", "creator"),
    cell("layout_bytes", U32, "size of the region", "creator"),
)
SLOT = layout(
    "IndexbusSlot",
    "one slot of a pool",
    cell("next_free", U32, "index of the next free slot"),
    cell("refcnt", U32, "how many hold this slot"),
    cell("len", U32, "length of what the slot holds"),
    cell("pad", U32, "0"),
    cell("data", block(SLOT_BYTES), "the payload"),
)
SLOT_POOL = layout(
    "IndexbusSlotPool",
    "slots that are handed out by index",
    cell("free_head", ATOMIC_U64, "first free slot in the low half, a tag in the high half (chosen here)"),
    array("slots", SLOT, POOL_SLOTS, "the slots", align=SECTION),
    align=SECTION,
)
SPSC_QUEUE = layout(
    "IndexbusSpscQueue",
    "slot indices, from one producer to one consumer (interior chosen here)",
    cell("head", ATOMIC_U64, "indices taken", "consumer"),
    cell("tail", ATOMIC_U64, "indices put", "producer", align=SECTION),
    array("entries", U32, QUEUE_CAPACITY, "slot indices", "producer", align=SECTION),
    align=SECTION,
)
MPSC_CELL = layout(
    "IndexbusMpscCell",
    "one entry of a queue with several producers (chosen here)",
    cell("sequence", ATOMIC_U64, "turn of the entry"),
    cell("index", U32, "slot index"),
    cell("pad", U32, "0"),
)
MPSC_QUEUE = layout(
    "IndexbusMpscQueue",
    "slot indices, from several producers to one consumer (interior chosen here)",
    cell("head", ATOMIC_U64, "indices taken", "consumer"),
    cell("tail", ATOMIC_U64, "indices claimed", align=SECTION),
    array("cells", MPSC_CELL, QUEUE_CAPACITY, "entries", align=SECTION),
    align=SECTION,
)
GATE = layout(
    "IndexbusGate",
    "one sequence on a cache line of its own",
    cell("sequence", ATOMIC_U64, "how far"),
    align=SECTION,
)
SEGMENT = layout(
    "IndexbusJournalSegment",
    "one segment of a journal",
    cell("segment_id", U32, "number of the segment"),
    cell("segment_len", U32, "its length"),
    cell("tail", ATOMIC_U64, "bytes used"),
    align=SECTION,
)
RECORD_HEADER = layout(
    "IndexbusRecordHeader",
    "what precedes a journal's payload, which is padded to 8 bytes",
    cell("payload_len", U32, "length of the payload"),
    cell("flags", ATOMIC_U32, "INDEXBUS_RECORD_COMMITTED is set last"),
)
ENVELOPE = layout(
    "IndexbusMsgHeader",
    "`indexbus-msg` v1, little-endian: what precedes an untyped message in its slot",
    cell("magic", U32, 'INDEXBUS_ENVELOPE_MAGIC: "USM1"'),
    cell("flags", U16, "0; a decoder rejects flags that it does not know"),
    cell("codec_id", U8, "how the payload is encoded"),
    cell("header_len", U8, "length of this header; a decoder skips what it does not know"),
    cell("schema_id", U64, "what the payload is"),
    cell("msg_type", U32, "which message"),
    cell("msg_version", U16, "of which version"),
    cell("payload_len", U16, "length of the payload; header and payload fit the slot"),
)


def _start() -> tuple[Cell, ...]:
    return (
        cell("header", LAYOUT_HEADER, "the region's header"),
        cell("initialized", ATOMIC_U32, "0, then 1 while being made, then 2: ready", "creator"),
    )


def _cursor_and_gates(gates: int) -> tuple[Cell, ...]:
    return (
        *_start(),
        cell("cursor", ATOMIC_U64, "sequences published", "producer", align=SECTION),
        array("gating", GATE, gates, "one per stage: how far it is done", "stage", align=SECTION),
    )


def _sequencer(gates: int) -> tuple[Cell, ...]:
    return _cursor_and_gates(gates)


def _sequenced_slots(gates: int) -> tuple[Cell, ...]:
    return (
        *_cursor_and_gates(gates),
        cell("pool", SLOT_POOL, "where payloads are"),
        array("ring", U32, QUEUE_CAPACITY, "slot index of each sequence (chosen here)", "producer", align=SECTION),
    )


def _events_chain(queues: int) -> tuple[Cell, ...]:
    return (
        *_start(),
        cell("pool", SLOT_POOL, "where payloads are"),
        array("spsc", SPSC_QUEUE, queues, "between neighbouring stages"),
        array("mpsc", MPSC_QUEUE, queues, "into stages with several producers"),
    )


def _state(max: int) -> tuple[Cell, ...]:
    return (
        cell("header", LAYOUT_HEADER, "the region's header; this layout has no `initialized`"),
        cell("seq", ATOMIC_U64, "even: stable; odd: being written", "writer"),
        cell("len", U32, "length of the value", "writer"),
        cell("pad", U32, "0"),
        cell("data", block(max), "the value", "writer"),
    )


def _journal(subscribers: int, segments: int, segment_bytes: int) -> tuple[Cell, ...]:
    return (
        *_start(),
        cell("pub_pos", ATOMIC_U64, "position behind the last record", "publisher", align=SECTION),
        cell("active_segment", ATOMIC_U32, "segment that is written", "publisher", align=SECTION),
        array("segments", SEGMENT, segments, "the segments", "publisher", align=SECTION),
        array("sub_pos", ATOMIC_U64, subscribers, "position of each subscriber", "subscriber"),
        array("segment_bufs", block(segment_bytes), segments, "the records", "publisher", align=SECTION),
    )


_GATES = Param("gates", "stages", 1, 64)
SEQUENCER_FAMILY = Family("sequencer", "a cursor and its gates", "Indexbus", (_GATES,), _sequencer)
SLOTS_FAMILY = Family("sequenced_slots", "a sequenced ring of pooled slots", "Indexbus", (_GATES,), _sequenced_slots)
CHAIN_FAMILY = Family(
    "events_chain",
    "pooled slots forwarded by index",
    "Indexbus",
    (Param("queues", "queues of each sort", 1, 64),),
    _events_chain,
)
STATE_FAMILY = Family(
    "state",
    "the latest value, under an odd and even sequence",
    "Indexbus",
    (Param("max", "longest value", 1, 2**31),),
    _state,
)
JOURNAL_FAMILY = Family(
    "journal",
    "a segmented log",
    "Indexbus",
    (
        Param("subscribers", "subscribers", 1, 64),
        Param("segments", "segments", 2, 1024),
        Param("segment_bytes", "bytes of a segment", 64, 2**31),
    ),
    _journal,
)
FAMILIES = (SEQUENCER_FAMILY, SLOTS_FAMILY, CHAIN_FAMILY, STATE_FAMILY, JOURNAL_FAMILY)


def _kind(name: str, number: int, doc: str, family: Family, instance: str, **params: int) -> Kind:
    return Kind(name, number, doc, family, {}, ((instance, params),), interchange_only=True)


KINDS = (
    _kind(
        "indexbus_state", 1, "overwrite-latest (number chosen here)", STATE_FAMILY, "IndexbusStateLayout256", max=256
    ),
    _kind(
        "indexbus_journal",
        2,
        "segmented log (number chosen here)",
        JOURNAL_FAMILY,
        "IndexbusJournalLayout4",
        subscribers=4,
        segments=3,
        segment_bytes=65536,
    ),
    _kind(
        "indexbus_sequencer", 3, "sequences (number chosen here)", SEQUENCER_FAMILY, "IndexbusSequencerLayout4", gates=4
    ),
    _kind("events_chain", 100, "pooled slots and index queues", CHAIN_FAMILY, "IndexbusEventsChainLayout4", queues=4),
    _kind("sequenced_slots", 101, "ring with stage gates", SLOTS_FAMILY, "IndexbusSequencedSlotsLayout4", gates=4),
)
STRUCTS = (RECORD_HEADER, ENVELOPE)
