"""The tables of our own layouts: where each word of a lane, of a role and of a plant lies.

Rule 1. Every word has one writer; doorbells excepted, which are only added to.
Rule 2. Every writer has lines of its own.
Rule 3. An owner holds a byte lock at the offset of its own cell: a producer at its `cursor`, a reader at its
        `gate`, the creator at `lane_closed`, a role or a supervisor at `owner`. A reader of several rings locks
        its gate of the first.
Rule 4. Every region opens with the header, the shape at 64, and its words from 128 on.
"""

from __future__ import annotations

from collections.abc import Iterator

from byteor.abi.family import Family, Kind, Param, shape
from byteor.abi.indexbus_v1 import LAYOUT_HEADER
from byteor.abi.layout import (
    ATOMIC_I64,
    ATOMIC_U32,
    HASH_BYTES,
    I64,
    LINE,
    SECTION,
    U8,
    U32,
    U64,
    Cell,
    Layout,
    array,
    block,
    cell,
    layout,
)
from byteor.abi.symbol import up

OPEN = -1  # the value of `closed` while the producer may still publish
LAST = 2**63 - 1  # a gate's value once its reader has left for good; also +infinity in a mark
END_ORDER = 2**63 - 2  # the order word of records that `end` sent
ON_RECORDS, ON_ROOM = 1, 2  # of `waiting`: what a runner waits for

FIRST_KIND = 128
REQUIRED = 0xFFFF  # capability bits 0-15: who does not know one refuses; 16-31 are optional
CAPABILITIES = {
    "may_block": (0, "somebody may block on this lane: doorbells are looked at"),
    "orders": (1, "records carry order words"),
    "lengths": (2, "records carry their length: raw bytes"),
    "filters": (3, "stages may take records out: there are dead cells"),
    "several_rings": (4, "more than one ring, taken in turn"),
    "retain_all": (5, "a journal whose segments are numbered files, never overwritten"),
    "enveloped": (6, "messages are untyped and open with the `indexbus-msg` header"),
    "fsync_segment": (16, "the writer of a journal forces a segment to its disk before the next begins"),
    "fsync_commit": (17, "the writer of a journal forces each record to its disk before it commits it"),
}
BITS = {name: 1 << bit for name, (bit, _) in CAPABILITIES.items()}

RECORD_COMMITTED, RECORD_PADDING = 1, 2

HEADER = layout(
    "ByteorHeader",
    "the first 64 bytes of every region of ours",
    cell("abi", LAYOUT_HEADER, "the header that all regions share"),
    cell("initialized", ATOMIC_U32, "0, then 1 while being made, then 2: ready", "creator"),
    cell("reserved", U32, "written as 0, not looked at", "creator"),
    cell("generation", U64, "random: a lane that was made anew is not the same", "creator"),
    cell("layout_hash", block(HASH_BYTES), "of the canonical text of this region's table", "creator"),
    cell(
        "schema_hash", block(HASH_BYTES), "of the canonical text of the message type; 0 where there is none", "creator"
    ),
    align=SECTION,
)
WORD_LINE = layout("ByteorWord", "one word on a line of its own", cell("value", ATOMIC_I64, "the word"), align=LINE)
OWNED = layout(
    "ByteorOwned",
    "an owner's word on a line of its own; the owner locks the byte at its offset",
    cell("value", ATOMIC_I64, "the word"),
    cell("pid", I64, "for people to read: the owner's process"),
    cell("started", I64, "for people to read: when it started, in clock ticks since boot"),
    cell("name", block(104), "for people to read: what it is called, padded with 0"),
    align=LINE,
)
MARK = layout(
    "ByteorMark",
    "what a producer says of what follows",
    cell("field", ATOMIC_I64, "nothing later on this ring orders below (field, word)"),
    cell("word", ATOMIC_I64, "second word of the mark"),
    cell("dropped", ATOMIC_I64, "messages that found the ring full and were dropped"),
    align=LINE,
)
DOORBELL = layout(
    "ByteorDoorbell",
    "how a waiter is woken",
    cell("value", ATOMIC_I64, "rung by adding one; the low half is a futex word", "anyone, by adding"),
    cell("announced", ATOMIC_I64, "1 while the waiter may block on its bell", "waiter"),
    align=LINE,
)
SHARED_BELL = layout(
    "ByteorSharedBell",
    "how all waiters are woken that share a bell",
    cell("value", ATOMIC_I64, "rung by adding one; the low half is a futex word", "writer, by adding"),
    cell("announced", ATOMIC_I64, "set to 1 by whoever may block, to 0 by who rings", "anyone"),
    align=LINE,
)
RECORD_HEADER = layout(
    "ByteorRecordHeader",
    "what precedes a record of a journal; records start at multiples of 8 and never cross a segment",
    cell("length", U32, "length of the payload"),
    cell("flags", U32, "COMMITTED, PADDING (nothing more in this segment); stored with the length, as one word, last"),
    cell("sequence", I64, "number of the record"),
    cell("order", I64, "its order word; 0 without the capability"),
)
SEGMENT = layout(
    "ByteorSegment",
    "what lies in one segment of a journal",
    cell("number", ATOMIC_I64, "number of the segment in the whole log"),
    cell("first", ATOMIC_I64, "sequence of its first record"),
    cell("tail", ATOMIC_I64, "bytes used in it, once the next segment has begun; 0 before"),
    cell("log", U64, "in a file of its own: the generation of the journal that it belongs to"),
    align=SECTION,
)
PUT = layout(
    "ByteorPut",
    "where a role stands in one of its outputs",
    cell("position", ATOMIC_I64, "messages put to it"),
    cell("mark_field", ATOMIC_I64, "its mark"),
    cell("mark_word", ATOMIC_I64, "second word of the mark"),
    cell("dropped", ATOMIC_I64, "messages that found it full and were dropped"),
)
RUNNER = layout(
    "ByteorRunner",
    "a doorbell that neighbours ring, and counters that only the runner writes",
    cell("bell", ATOMIC_I64, "rung by adding one; a futex word", "anyone, by adding"),
    cell("announced", ATOMIC_I64, "1 while the runner may block on its bell", "runner"),
    cell("at", ATOMIC_I64, "sequence of the message a stage was last called with", "runner", align=LINE),
    cell("filtered", ATOMIC_I64, "messages that the stage took out", "runner"),
    cell("waits", ATOMIC_I64, "times there was nothing to do", "runner"),
    cell("blocks", ATOMIC_I64, "times the runner slept on its bell", "runner"),
    cell("crowded", ATOMIC_I64, "of the waits, how many were for room", "runner"),
    cell("waiting", ATOMIC_I64, "what it waits for now: 0 nothing, it works; 1 records; 2 room", "runner"),
    cell("beat", ATOMIC_I64, "turns spent waiting: it goes up as long as a waiting runner looks", "runner"),
    array("sizes", ATOMIC_I64, 32, "batches by size: bucket b counts sizes from 2^b", "runner", align=LINE),
    align=LINE,
)


def ring(gates: int) -> Layout:
    """The words of one producer's ring with `gates` readers; the slots are an array of their own."""
    return layout("ByteorRing", "one producer, its readers' gates", *_ring_words(1, gates), align=LINE)


def runner() -> Layout:
    """The words of one runner (a producer, a stage, an egress): its doorbell and what it counts."""
    return RUNNER


def control() -> Layout:
    """The words of one run, shared by its runners."""
    stop = cell("stop", WORD_LINE, "0 run on; else stop as soon as the pending batch is done", "supervisor")
    return layout("ByteorControl", "what the whole run obeys", stop, align=LINE)


def owners(table: Layout) -> Iterator[tuple[str, int, int]]:
    """Every cell that an owner may lock: its name, its index, and the offset of the byte."""
    for one in table.members:
        if one.type == OWNED:
            yield from ((one.name, i, table.cells[one.name].at(i)) for i in range(one.count))


def _header(block: Layout) -> tuple[Cell, ...]:
    return (
        cell("header", HEADER, "what the region is"),
        cell("shape", block, "the parameters of this layout", "creator", align=SECTION),
    )


def _ring_words(rings: int, gates: int) -> tuple[Cell, ...]:
    return (
        *_header(LANE_SHAPE),
        array("cursor", OWNED, rings, "messages published on each ring", "producer", align=LINE),
        array("mark", MARK, rings, "the mark of each ring", "producer"),
        array("closed", WORD_LINE, rings, "-1 while open, else the final sequence", "producer"),
        array("gate", OWNED, rings * gates, "messages that each reader has done with; gates of ring 0 first", "reader"),
    )


def _schema(length: int) -> Cell:
    return array("schema", U8, length, "the text of the message type, if any", "creator", align=LINE)


def _lane(
    rings: int, gates: int, filters: int, capacity: int, slot_bytes: int, lengths: int, orders: int, schema_bytes: int
) -> tuple[Cell, ...]:
    slots = rings * capacity
    dead = block(up(slots, LINE))
    return (
        *_ring_words(rings, gates),
        cell("lane_closed", OWNED, "0 while producers may come; 1 once none may", "creator"),
        array("producer_bell", DOORBELL, rings, "what each producer waits on"),
        array("reader_bell", DOORBELL, rings * gates, "what each reader waits on"),
        array("order", ATOMIC_I64, slots * orders, "the order word of each slot", "producer", align=LINE),
        array("length", U32, slots * lengths, "the length of what each slot holds", "producer", align=LINE),
        array("dead", dead, filters, "1 where this filtering stage took the slot's record out", "stage", align=LINE),
        array("slots", block(slot_bytes), slots, "the messages: those of ring 0 first", "producer", align=LINE),
        _schema(schema_bytes),
    )


def _value(slot_bytes: int) -> Layout:
    """One slot of the latest values."""
    return layout(
        "ByteorValue",
        "one value, copied out word by word",
        cell("stamp", ATOMIC_I64, "when it was put, in nanoseconds of the monotonic clock"),
        cell("length", ATOMIC_I64, "its length in bytes"),
        cell("data", block(up(slot_bytes, 8)), "the value, in whole words"),
        align=8,
    )


def _state(capacity: int, slot_bytes: int, schema_bytes: int) -> tuple[Cell, ...]:
    return (
        *_header(STATE_SHAPE),
        cell("cursor", OWNED, "values published", "writer", align=LINE),
        cell("intent", WORD_LINE, "values whose slots may be written over: cursor, or one more", "writer"),
        cell("closed", WORD_LINE, "-1 while open, else the final cursor", "writer"),
        cell("bell", SHARED_BELL, "what all readers wait on"),
        array(
            "slots", _value(slot_bytes), capacity, "the values, the latest at (cursor - 1) & mask", "writer", align=LINE
        ),
        _schema(schema_bytes),
    )


def _journal(segments: int, segment_bytes: int, gates: int, schema_bytes: int) -> tuple[Cell, ...]:
    return (
        *_header(JOURNAL_SHAPE),
        cell(
            "cursor",
            OWNED,
            "position behind the last committed record, in bytes of the whole log",
            "writer",
            align=LINE,
        ),
        cell(
            "sequence",
            WORD_LINE,
            "number of records committed; a successor counts it anew, from the first of its segment",
            "writer",
        ),
        cell("intent", WORD_LINE, "position up to which bytes may be written over", "writer"),
        cell("mark", MARK, "the mark of the log", "writer"),
        cell("closed", WORD_LINE, "-1 while open, else the final position", "writer"),
        array("gate", OWNED, gates, "position of each reader", "reader"),
        cell("bell", SHARED_BELL, "what all readers wait on"),
        array("segment", SEGMENT, segments, "what lies in each segment", "writer", align=LINE),
        array("records", block(segment_bytes), segments, "the records of each segment", "writer", align=LINE),
        _schema(schema_bytes),
    )


def _segment(segment_bytes: int) -> tuple[Cell, ...]:
    return (
        *_header(SEGMENT_SHAPE),
        cell("segment", SEGMENT, "what lies here", "writer", align=LINE),
        cell("records", block(segment_bytes), "the records", "writer", align=LINE),
    )


def _plant(runners: int) -> tuple[Cell, ...]:
    return (
        *_header(PLANT_SHAPE),
        cell("owner", OWNED, "the supervisor, which holds a lock here", "supervisor", align=LINE),
        cell("stop", WORD_LINE, "0 run on; else stop as soon as the pending batch is done", "supervisor"),
        array("runner", RUNNER, runners, "each runner's doorbell and counters"),
    )


def _record(inputs: int, outputs: int, tail_bytes: int) -> Layout:
    """One buffer of a progress record: what a commit says."""
    return layout(
        "ByteorRecord",
        "one buffer of a progress record",
        cell("epoch", ATOMIC_I64, "number of the commit; stored last"),
        cell("ended", ATOMIC_I64, "how far `end` is: -1 not begun, else records of it that were sent"),
        cell("filtered", ATOMIC_I64, "messages taken out"),
        cell("late", ATOMIC_I64, "messages left out because their field fell"),
        cell("rows", ATOMIC_I64, "rows of keyed state in use"),
        cell("logged", ATOMIC_I64, "rows of keyed state in this record"),
        array("input", ATOMIC_I64, inputs, "position in each input"),
        array("output", PUT, outputs, "position in each output, and its mark"),
        cell("tail", block(up(tail_bytes, 8)), "flat state, or the log of the rows that changed: number, then row"),
        align=LINE,
    )


def _role(inputs: int, outputs: int, tail_bytes: int, table_bytes: int, end_bytes: int) -> tuple[Cell, ...]:
    return (
        *_header(ROLE_SHAPE),
        cell("owner", OWNED, "the role, which holds a lock here; the word is its number of starts", "role", align=LINE),
        cell("end_count", WORD_LINE, "records that `end` gave; read once `ended` is 0 or more", "role"),
        array("generation", U64, inputs + outputs, "of each lane it has positions in, once", "role", align=LINE),
        array("record", _record(inputs, outputs, tail_bytes), 2, "the newer epoch is valid", "role", align=LINE),
        cell("table", block(up(table_bytes, 8)), "the rows of keyed state", "role", align=LINE),
        cell("end", block(up(end_bytes, 8)), "the records that `end` gave", "role", align=LINE),
    )


_CAPACITY = Param("capacity", "slots of a ring", 1, 2**24, power=True)
_SLOT = Param("slot_bytes", "bytes of a slot", 1, 2**31)
_GATES = Param("gates", "readers", 0, 64)
_SCHEMA = Param("schema_bytes", "bytes of the text of the message type", 0, 65536, default=0)
_LANE_PARAMS = (
    Param("rings", "rings, one for each producer", 1, 256),
    Param("gates", "gates of each ring", 0, 64),
    Param("filters", "stages that may take records out", 0, 32),
    _CAPACITY,
    _SLOT,
    Param("lengths", "1 if slots have lengths", 0, 1),
    Param("orders", "1 if slots have order words", 0, 1),
    _SCHEMA,
)
_STATE_PARAMS = (Param("capacity", "slots", 4, 2**16, power=True), _SLOT, _SCHEMA)
_JOURNAL_PARAMS = (
    Param("segments", "segments in this region; 0 if they are files of their own", 0, 1024),
    Param("segment_bytes", "bytes of a segment", 4096, 2**31, power=True),
    _GATES,
    _SCHEMA,
)
_SEGMENT_PARAMS = (_JOURNAL_PARAMS[1],)
_PLANT_PARAMS = (Param("runners", "runners of the plant", 1, 1024),)
_ROLE_PARAMS = (
    Param("inputs", "lanes taken from", 0, 64),
    Param("outputs", "lanes put to", 0, 64),
    Param("tail_bytes", "bytes of flat state, or of the log of keyed state, in a record", 0, 2**30),
    Param("table_bytes", "bytes of keyed state", 0, 2**31),
    Param("end_bytes", "bytes of what `end` gives", 0, 2**31),
)
LANE_SHAPE = shape("ByteorLaneShape", _LANE_PARAMS)
STATE_SHAPE = shape("ByteorStateShape", _STATE_PARAMS)
JOURNAL_SHAPE = shape("ByteorJournalShape", _JOURNAL_PARAMS)
SEGMENT_SHAPE = shape("ByteorSegmentShape", _SEGMENT_PARAMS)
PLANT_SHAPE = shape("ByteorPlantShape", _PLANT_PARAMS)
ROLE_SHAPE = shape("ByteorRoleShape", _ROLE_PARAMS)

LANE = Family(
    "lane", "rings of slots: a cursor, gates, slots at sequence & (capacity - 1)", "Byteor", _LANE_PARAMS, _lane
)
STATE = Family("state", "the latest value, in slots that are written over", "Byteor", _STATE_PARAMS, _state)
JOURNAL = Family("journal", "a segmented log with its readers' positions", "Byteor", _JOURNAL_PARAMS, _journal)
SEGMENT_FILE = Family("segment", "one numbered segment of a log", "Byteor", _SEGMENT_PARAMS, _segment)
PLANT = Family("plant", "what the runners of one plant share", "Byteor", _PLANT_PARAMS, _plant)
ROLE = Family("role", "a role's progress, in two buffers", "Byteor", _ROLE_PARAMS, _role)
FAMILIES = (LANE, STATE, JOURNAL, SEGMENT_FILE, PLANT, ROLE)

_PLAIN = {"lengths": 0, "orders": 0}
_64 = {"capacity": 1024, "slot_bytes": 64, **_PLAIN}
_256 = {"capacity": 1024, "slot_bytes": 256, **_PLAIN}
_LOG = {"segments": 3, "segment_bytes": 65536, "gates": 4}

EVENTS = Kind(
    "events",
    128,
    "bounded messages; for outside clients several producers, each with a ring of its own",
    LANE,
    {"filters": 0},
    (("ByteorEvents1x1", {"rings": 1, "gates": 1, **_64}), ("ByteorEvents3x1", {"rings": 3, "gates": 1, **_64})),
)
SLOTS = Kind(
    "slots",
    129,
    "sequenced slots: a ring whose gates are its stages; one ring for each shard",
    LANE,
    {},
    (("ByteorSlots4", {"rings": 1, "gates": 4, "filters": 1, **_256}),),
)
FANOUT = Kind(
    "fanout",
    130,
    "a ring that several readers see whole, without a copy",
    LANE,
    {"rings": 1, "filters": 0},
    (("ByteorFanout4", {"gates": 4, **_64}),),
)
STATE_KIND = Kind(
    "state", 131, "overwrite-latest", STATE, {}, (("ByteorState256", {"capacity": 4, "slot_bytes": 256}),)
)
JOURNAL_KIND = Kind("journal", 132, "an append log", JOURNAL, {}, (("ByteorJournal4", _LOG),))
SEGMENT_KIND = Kind(
    "segment", 133, "one segment file", SEGMENT_FILE, {}, (("ByteorSegmentFile", {"segment_bytes": 65536}),)
)
PLANT_KIND = Kind("plant", 134, "doorbells and the stop word", PLANT, {}, (("ByteorPlant4", {"runners": 4}),))
ROLE_KIND = Kind(
    "role",
    135,
    "a role's progress",
    ROLE,
    {},
    (("ByteorRole1x1", {"inputs": 1, "outputs": 1, "tail_bytes": 64, "table_bytes": 64, "end_bytes": 64}),),
)
KINDS = (EVENTS, SLOTS, FANOUT, STATE_KIND, JOURNAL_KIND, SEGMENT_KIND, PLANT_KIND, ROLE_KIND)
STRUCTS = (RECORD_HEADER,)
