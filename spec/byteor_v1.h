/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* ByteOr ABI v1: lanes, roles and plants. */
/* Written from the tables in byteor.abi by `python -m dev gen`. Host-endian; append-only. */

#ifndef BYTEOR_V1_H
#define BYTEOR_V1_H

#include "indexbus_v1.h"

/* Shared words of ours are signed; what is stored and loaded has the same bits as uint64_t. */
typedef struct ByteorAtomicI64 { INDEXBUS_ALIGNAS(8) int64_t value; } ByteorAtomicI64;

#define BYTEOR_OPEN INT64_C(-1) /* `closed` while the producer may still publish */
#define BYTEOR_LAST INT64_MAX /* a gate whose reader has left for good */
#define BYTEOR_END_ORDER (INT64_MAX - 1) /* order word of what `end` sent */
#define BYTEOR_SHAPE_AT 64 /* where the shape stands in every region */
#define BYTEOR_CAPABILITIES_REQUIRED UINT32_C(0x0000ffff) /* who does not know one refuses */
#define BYTEOR_CAPABILITY_MAY_BLOCK (UINT32_C(1) << 0) /* somebody may block on this lane: doorbells are looked at */
#define BYTEOR_CAPABILITY_ORDERS (UINT32_C(1) << 1) /* records carry order words */
#define BYTEOR_CAPABILITY_LENGTHS (UINT32_C(1) << 2) /* records carry their length: raw bytes */
#define BYTEOR_CAPABILITY_FILTERS (UINT32_C(1) << 3) /* stages may take records out: there are dead cells */
#define BYTEOR_CAPABILITY_SEVERAL_RINGS (UINT32_C(1) << 4) /* more than one ring, taken in turn */
#define BYTEOR_CAPABILITY_RETAIN_ALL (UINT32_C(1) << 5) /* a journal whose segments are numbered files, never overwritten */
#define BYTEOR_CAPABILITY_ENVELOPED (UINT32_C(1) << 6) /* messages are untyped and open with the `indexbus-msg` header */
#define BYTEOR_CAPABILITY_FSYNC_SEGMENT (UINT32_C(1) << 16) /* the writer of a journal forces a segment to its disk before the next begins */
#define BYTEOR_CAPABILITY_FSYNC_COMMIT (UINT32_C(1) << 17) /* the writer of a journal forces each record to its disk before it commits it */
#define BYTEOR_RECORD_COMMITTED 1 /* flags of a journal's record */
#define BYTEOR_RECORD_PADDING 2
#define BYTEOR_KIND_EVENTS 128 /* bounded messages; for outside clients several producers, each with a ring of its own */
#define BYTEOR_KIND_SLOTS 129 /* sequenced slots: a ring whose gates are its stages; one ring for each shard */
#define BYTEOR_KIND_FANOUT 130 /* a ring that several readers see whole, without a copy */
#define BYTEOR_KIND_STATE 131 /* overwrite-latest */
#define BYTEOR_KIND_JOURNAL 132 /* an append log */
#define BYTEOR_KIND_SEGMENT 133 /* one segment file */
#define BYTEOR_KIND_PLANT 134 /* doorbells and the stop word */
#define BYTEOR_KIND_ROLE 135 /* a role's progress */

/* what the creator chose, in the order of the family's parameters */
typedef struct ByteorLaneShape {
    uint64_t rings; /* rings, one for each producer; from 1 to 256; written by: creator */
    uint64_t gates; /* gates of each ring; from 0 to 64; written by: creator */
    uint64_t filters; /* stages that may take records out; from 0 to 32; written by: creator */
    uint64_t capacity; /* slots of a ring; a power of two from 1 to 16777216; written by: creator */
    uint64_t slot_bytes; /* bytes of a slot; from 1 to 2147483648; written by: creator */
    uint64_t lengths; /* 1 if slots have lengths; from 0 to 1; written by: creator */
    uint64_t orders; /* 1 if slots have order words; from 0 to 1; written by: creator */
    uint64_t schema_bytes; /* bytes of the text of the message type; from 0 to 65536; written by: creator */
} ByteorLaneShape;
INDEXBUS_ASSERT(sizeof(ByteorLaneShape) == 64, "size of ByteorLaneShape");
INDEXBUS_ASSERT(INDEXBUS_ALIGNOF(ByteorLaneShape) == 8, "alignment of ByteorLaneShape");
INDEXBUS_ASSERT(offsetof(ByteorLaneShape, rings) == 0, "offset of ByteorLaneShape.rings");
INDEXBUS_ASSERT(offsetof(ByteorLaneShape, gates) == 8, "offset of ByteorLaneShape.gates");
INDEXBUS_ASSERT(offsetof(ByteorLaneShape, filters) == 16, "offset of ByteorLaneShape.filters");
INDEXBUS_ASSERT(offsetof(ByteorLaneShape, capacity) == 24, "offset of ByteorLaneShape.capacity");
INDEXBUS_ASSERT(offsetof(ByteorLaneShape, slot_bytes) == 32, "offset of ByteorLaneShape.slot_bytes");
INDEXBUS_ASSERT(offsetof(ByteorLaneShape, lengths) == 40, "offset of ByteorLaneShape.lengths");
INDEXBUS_ASSERT(offsetof(ByteorLaneShape, orders) == 48, "offset of ByteorLaneShape.orders");
INDEXBUS_ASSERT(offsetof(ByteorLaneShape, schema_bytes) == 56, "offset of ByteorLaneShape.schema_bytes");

/* what the creator chose, in the order of the family's parameters */
typedef struct ByteorStateShape {
    uint64_t capacity; /* slots; a power of two from 4 to 65536; written by: creator */
    uint64_t slot_bytes; /* bytes of a slot; from 1 to 2147483648; written by: creator */
    uint64_t schema_bytes; /* bytes of the text of the message type; from 0 to 65536; written by: creator */
} ByteorStateShape;
INDEXBUS_ASSERT(sizeof(ByteorStateShape) == 24, "size of ByteorStateShape");
INDEXBUS_ASSERT(INDEXBUS_ALIGNOF(ByteorStateShape) == 8, "alignment of ByteorStateShape");
INDEXBUS_ASSERT(offsetof(ByteorStateShape, capacity) == 0, "offset of ByteorStateShape.capacity");
INDEXBUS_ASSERT(offsetof(ByteorStateShape, slot_bytes) == 8, "offset of ByteorStateShape.slot_bytes");
INDEXBUS_ASSERT(offsetof(ByteorStateShape, schema_bytes) == 16, "offset of ByteorStateShape.schema_bytes");

/* what the creator chose, in the order of the family's parameters */
typedef struct ByteorJournalShape {
    uint64_t segments; /* segments in this region; 0 if they are files of their own; from 0 to 1024; written by: creator */
    uint64_t segment_bytes; /* bytes of a segment; a power of two from 4096 to 2147483648; written by: creator */
    uint64_t gates; /* readers; from 0 to 64; written by: creator */
    uint64_t schema_bytes; /* bytes of the text of the message type; from 0 to 65536; written by: creator */
} ByteorJournalShape;
INDEXBUS_ASSERT(sizeof(ByteorJournalShape) == 32, "size of ByteorJournalShape");
INDEXBUS_ASSERT(INDEXBUS_ALIGNOF(ByteorJournalShape) == 8, "alignment of ByteorJournalShape");
INDEXBUS_ASSERT(offsetof(ByteorJournalShape, segments) == 0, "offset of ByteorJournalShape.segments");
INDEXBUS_ASSERT(offsetof(ByteorJournalShape, segment_bytes) == 8, "offset of ByteorJournalShape.segment_bytes");
INDEXBUS_ASSERT(offsetof(ByteorJournalShape, gates) == 16, "offset of ByteorJournalShape.gates");
INDEXBUS_ASSERT(offsetof(ByteorJournalShape, schema_bytes) == 24, "offset of ByteorJournalShape.schema_bytes");

/* what the creator chose, in the order of the family's parameters */
typedef struct ByteorSegmentShape {
    uint64_t segment_bytes; /* bytes of a segment; a power of two from 4096 to 2147483648; written by: creator */
} ByteorSegmentShape;
INDEXBUS_ASSERT(sizeof(ByteorSegmentShape) == 8, "size of ByteorSegmentShape");
INDEXBUS_ASSERT(INDEXBUS_ALIGNOF(ByteorSegmentShape) == 8, "alignment of ByteorSegmentShape");
INDEXBUS_ASSERT(offsetof(ByteorSegmentShape, segment_bytes) == 0, "offset of ByteorSegmentShape.segment_bytes");

/* what the creator chose, in the order of the family's parameters */
typedef struct ByteorPlantShape {
    uint64_t runners; /* runners of the plant; from 1 to 1024; written by: creator */
} ByteorPlantShape;
INDEXBUS_ASSERT(sizeof(ByteorPlantShape) == 8, "size of ByteorPlantShape");
INDEXBUS_ASSERT(INDEXBUS_ALIGNOF(ByteorPlantShape) == 8, "alignment of ByteorPlantShape");
INDEXBUS_ASSERT(offsetof(ByteorPlantShape, runners) == 0, "offset of ByteorPlantShape.runners");

/* what the creator chose, in the order of the family's parameters */
typedef struct ByteorRoleShape {
    uint64_t inputs; /* lanes taken from; from 0 to 64; written by: creator */
    uint64_t outputs; /* lanes put to; from 0 to 64; written by: creator */
    uint64_t tail_bytes; /* bytes of flat state, or of the log of keyed state, in a record; from 0 to 1073741824; written by: creator */
    uint64_t table_bytes; /* bytes of keyed state; from 0 to 2147483648; written by: creator */
    uint64_t end_bytes; /* bytes of what `end` gives; from 0 to 2147483648; written by: creator */
} ByteorRoleShape;
INDEXBUS_ASSERT(sizeof(ByteorRoleShape) == 40, "size of ByteorRoleShape");
INDEXBUS_ASSERT(INDEXBUS_ALIGNOF(ByteorRoleShape) == 8, "alignment of ByteorRoleShape");
INDEXBUS_ASSERT(offsetof(ByteorRoleShape, inputs) == 0, "offset of ByteorRoleShape.inputs");
INDEXBUS_ASSERT(offsetof(ByteorRoleShape, outputs) == 8, "offset of ByteorRoleShape.outputs");
INDEXBUS_ASSERT(offsetof(ByteorRoleShape, tail_bytes) == 16, "offset of ByteorRoleShape.tail_bytes");
INDEXBUS_ASSERT(offsetof(ByteorRoleShape, table_bytes) == 24, "offset of ByteorRoleShape.table_bytes");
INDEXBUS_ASSERT(offsetof(ByteorRoleShape, end_bytes) == 32, "offset of ByteorRoleShape.end_bytes");

/* the first 64 bytes of every region of ours */
typedef struct ByteorHeader {
    INDEXBUS_ALIGNAS(64) IndexbusLayoutHeader abi; /* the header that all regions share */
    IndexbusAtomicU32 initialized; /* 0, then 1 while being made, then 2: ready; written by: creator */
    uint32_t reserved; /* written as 0, not looked at; written by: creator */
    uint64_t generation; /* random: a lane that was made anew is not the same; written by: creator */
    uint8_t layout_hash[16]; /* of the canonical text of this region's table; written by: creator */
    uint8_t schema_hash[16]; /* of the canonical text of the message type; 0 where there is none; written by: creator */
} ByteorHeader;
INDEXBUS_ASSERT(sizeof(ByteorHeader) == 64, "size of ByteorHeader");
INDEXBUS_ASSERT(INDEXBUS_ALIGNOF(ByteorHeader) == 64, "alignment of ByteorHeader");
INDEXBUS_ASSERT(offsetof(ByteorHeader, abi) == 0, "offset of ByteorHeader.abi");
INDEXBUS_ASSERT(offsetof(ByteorHeader, initialized) == 16, "offset of ByteorHeader.initialized");
INDEXBUS_ASSERT(offsetof(ByteorHeader, reserved) == 20, "offset of ByteorHeader.reserved");
INDEXBUS_ASSERT(offsetof(ByteorHeader, generation) == 24, "offset of ByteorHeader.generation");
INDEXBUS_ASSERT(offsetof(ByteorHeader, layout_hash) == 32, "offset of ByteorHeader.layout_hash");
INDEXBUS_ASSERT(offsetof(ByteorHeader, schema_hash) == 48, "offset of ByteorHeader.schema_hash");

/* an owner's word on a line of its own; the owner locks the byte at its offset */
typedef struct ByteorOwned {
    INDEXBUS_ALIGNAS(128) ByteorAtomicI64 value; /* the word */
    int64_t pid; /* for people to read: the owner's process */
    int64_t started; /* for people to read: when it started, in clock ticks since boot */
    uint8_t name[104]; /* for people to read: what it is called, padded with 0 */
} ByteorOwned;
INDEXBUS_ASSERT(sizeof(ByteorOwned) == 128, "size of ByteorOwned");
INDEXBUS_ASSERT(INDEXBUS_ALIGNOF(ByteorOwned) == 128, "alignment of ByteorOwned");
INDEXBUS_ASSERT(offsetof(ByteorOwned, value) == 0, "offset of ByteorOwned.value");
INDEXBUS_ASSERT(offsetof(ByteorOwned, pid) == 8, "offset of ByteorOwned.pid");
INDEXBUS_ASSERT(offsetof(ByteorOwned, started) == 16, "offset of ByteorOwned.started");
INDEXBUS_ASSERT(offsetof(ByteorOwned, name) == 24, "offset of ByteorOwned.name");

/* what a producer says of what follows */
typedef struct ByteorMark {
    INDEXBUS_ALIGNAS(128) ByteorAtomicI64 field; /* nothing later on this ring orders below (field, word) */
    ByteorAtomicI64 word; /* second word of the mark */
    ByteorAtomicI64 dropped; /* messages that found the ring full and were dropped */
    uint8_t unused0[104];
} ByteorMark;
INDEXBUS_ASSERT(sizeof(ByteorMark) == 128, "size of ByteorMark");
INDEXBUS_ASSERT(INDEXBUS_ALIGNOF(ByteorMark) == 128, "alignment of ByteorMark");
INDEXBUS_ASSERT(offsetof(ByteorMark, field) == 0, "offset of ByteorMark.field");
INDEXBUS_ASSERT(offsetof(ByteorMark, word) == 8, "offset of ByteorMark.word");
INDEXBUS_ASSERT(offsetof(ByteorMark, dropped) == 16, "offset of ByteorMark.dropped");

/* one word on a line of its own */
typedef struct ByteorWord {
    INDEXBUS_ALIGNAS(128) ByteorAtomicI64 value; /* the word */
    uint8_t unused0[120];
} ByteorWord;
INDEXBUS_ASSERT(sizeof(ByteorWord) == 128, "size of ByteorWord");
INDEXBUS_ASSERT(INDEXBUS_ALIGNOF(ByteorWord) == 128, "alignment of ByteorWord");
INDEXBUS_ASSERT(offsetof(ByteorWord, value) == 0, "offset of ByteorWord.value");

/* how a waiter is woken */
typedef struct ByteorDoorbell {
    INDEXBUS_ALIGNAS(128) ByteorAtomicI64 value; /* rung by adding one; the low half is a futex word; written by: anyone, by adding */
    ByteorAtomicI64 announced; /* 1 while the waiter may block on its bell; written by: waiter */
    uint8_t unused0[112];
} ByteorDoorbell;
INDEXBUS_ASSERT(sizeof(ByteorDoorbell) == 128, "size of ByteorDoorbell");
INDEXBUS_ASSERT(INDEXBUS_ALIGNOF(ByteorDoorbell) == 128, "alignment of ByteorDoorbell");
INDEXBUS_ASSERT(offsetof(ByteorDoorbell, value) == 0, "offset of ByteorDoorbell.value");
INDEXBUS_ASSERT(offsetof(ByteorDoorbell, announced) == 8, "offset of ByteorDoorbell.announced");

/* rings of slots: a cursor, gates, slots at sequence & (capacity - 1) */
typedef struct ByteorEvents1x1 {
    ByteorHeader header; /* what the region is */
    ByteorLaneShape shape; /* the parameters of this layout; written by: creator */
    ByteorOwned cursor[1]; /* messages published on each ring; written by: producer */
    ByteorMark mark[1]; /* the mark of each ring; written by: producer */
    ByteorWord closed[1]; /* -1 while open, else the final sequence; written by: producer */
    ByteorOwned gate[1]; /* messages that each reader has done with; gates of ring 0 first; written by: reader */
    ByteorOwned lane_closed; /* 0 while producers may come; 1 once none may; written by: creator */
    ByteorDoorbell producer_bell[1]; /* what each producer waits on */
    ByteorDoorbell reader_bell[1]; /* what each reader waits on */
    uint8_t slots[1024][64]; /* the messages: those of ring 0 first; written by: producer */
} ByteorEvents1x1;
INDEXBUS_ASSERT(sizeof(ByteorEvents1x1) == 66560, "size of ByteorEvents1x1");
INDEXBUS_ASSERT(INDEXBUS_ALIGNOF(ByteorEvents1x1) == 128, "alignment of ByteorEvents1x1");
INDEXBUS_ASSERT(offsetof(ByteorEvents1x1, header) == 0, "offset of ByteorEvents1x1.header");
INDEXBUS_ASSERT(offsetof(ByteorEvents1x1, shape) == 64, "offset of ByteorEvents1x1.shape");
INDEXBUS_ASSERT(offsetof(ByteorEvents1x1, cursor) == 128, "offset of ByteorEvents1x1.cursor");
INDEXBUS_ASSERT(offsetof(ByteorEvents1x1, mark) == 256, "offset of ByteorEvents1x1.mark");
INDEXBUS_ASSERT(offsetof(ByteorEvents1x1, closed) == 384, "offset of ByteorEvents1x1.closed");
INDEXBUS_ASSERT(offsetof(ByteorEvents1x1, gate) == 512, "offset of ByteorEvents1x1.gate");
INDEXBUS_ASSERT(offsetof(ByteorEvents1x1, lane_closed) == 640, "offset of ByteorEvents1x1.lane_closed");
INDEXBUS_ASSERT(offsetof(ByteorEvents1x1, producer_bell) == 768, "offset of ByteorEvents1x1.producer_bell");
INDEXBUS_ASSERT(offsetof(ByteorEvents1x1, reader_bell) == 896, "offset of ByteorEvents1x1.reader_bell");
INDEXBUS_ASSERT(offsetof(ByteorEvents1x1, slots) == 1024, "offset of ByteorEvents1x1.slots");

/* rings of slots: a cursor, gates, slots at sequence & (capacity - 1) */
typedef struct ByteorEvents3x1 {
    ByteorHeader header; /* what the region is */
    ByteorLaneShape shape; /* the parameters of this layout; written by: creator */
    ByteorOwned cursor[3]; /* messages published on each ring; written by: producer */
    ByteorMark mark[3]; /* the mark of each ring; written by: producer */
    ByteorWord closed[3]; /* -1 while open, else the final sequence; written by: producer */
    ByteorOwned gate[3]; /* messages that each reader has done with; gates of ring 0 first; written by: reader */
    ByteorOwned lane_closed; /* 0 while producers may come; 1 once none may; written by: creator */
    ByteorDoorbell producer_bell[3]; /* what each producer waits on */
    ByteorDoorbell reader_bell[3]; /* what each reader waits on */
    uint8_t slots[3072][64]; /* the messages: those of ring 0 first; written by: producer */
} ByteorEvents3x1;
INDEXBUS_ASSERT(sizeof(ByteorEvents3x1) == 199168, "size of ByteorEvents3x1");
INDEXBUS_ASSERT(INDEXBUS_ALIGNOF(ByteorEvents3x1) == 128, "alignment of ByteorEvents3x1");
INDEXBUS_ASSERT(offsetof(ByteorEvents3x1, header) == 0, "offset of ByteorEvents3x1.header");
INDEXBUS_ASSERT(offsetof(ByteorEvents3x1, shape) == 64, "offset of ByteorEvents3x1.shape");
INDEXBUS_ASSERT(offsetof(ByteorEvents3x1, cursor) == 128, "offset of ByteorEvents3x1.cursor");
INDEXBUS_ASSERT(offsetof(ByteorEvents3x1, mark) == 512, "offset of ByteorEvents3x1.mark");
INDEXBUS_ASSERT(offsetof(ByteorEvents3x1, closed) == 896, "offset of ByteorEvents3x1.closed");
INDEXBUS_ASSERT(offsetof(ByteorEvents3x1, gate) == 1280, "offset of ByteorEvents3x1.gate");
INDEXBUS_ASSERT(offsetof(ByteorEvents3x1, lane_closed) == 1664, "offset of ByteorEvents3x1.lane_closed");
INDEXBUS_ASSERT(offsetof(ByteorEvents3x1, producer_bell) == 1792, "offset of ByteorEvents3x1.producer_bell");
INDEXBUS_ASSERT(offsetof(ByteorEvents3x1, reader_bell) == 2176, "offset of ByteorEvents3x1.reader_bell");
INDEXBUS_ASSERT(offsetof(ByteorEvents3x1, slots) == 2560, "offset of ByteorEvents3x1.slots");

/* rings of slots: a cursor, gates, slots at sequence & (capacity - 1) */
typedef struct ByteorSlots4 {
    ByteorHeader header; /* what the region is */
    ByteorLaneShape shape; /* the parameters of this layout; written by: creator */
    ByteorOwned cursor[1]; /* messages published on each ring; written by: producer */
    ByteorMark mark[1]; /* the mark of each ring; written by: producer */
    ByteorWord closed[1]; /* -1 while open, else the final sequence; written by: producer */
    ByteorOwned gate[4]; /* messages that each reader has done with; gates of ring 0 first; written by: reader */
    ByteorOwned lane_closed; /* 0 while producers may come; 1 once none may; written by: creator */
    ByteorDoorbell producer_bell[1]; /* what each producer waits on */
    ByteorDoorbell reader_bell[4]; /* what each reader waits on */
    uint8_t dead[1][1024]; /* 1 where this filtering stage took the slot's record out; written by: stage */
    uint8_t slots[1024][256]; /* the messages: those of ring 0 first; written by: producer */
} ByteorSlots4;
INDEXBUS_ASSERT(sizeof(ByteorSlots4) == 264960, "size of ByteorSlots4");
INDEXBUS_ASSERT(INDEXBUS_ALIGNOF(ByteorSlots4) == 128, "alignment of ByteorSlots4");
INDEXBUS_ASSERT(offsetof(ByteorSlots4, header) == 0, "offset of ByteorSlots4.header");
INDEXBUS_ASSERT(offsetof(ByteorSlots4, shape) == 64, "offset of ByteorSlots4.shape");
INDEXBUS_ASSERT(offsetof(ByteorSlots4, cursor) == 128, "offset of ByteorSlots4.cursor");
INDEXBUS_ASSERT(offsetof(ByteorSlots4, mark) == 256, "offset of ByteorSlots4.mark");
INDEXBUS_ASSERT(offsetof(ByteorSlots4, closed) == 384, "offset of ByteorSlots4.closed");
INDEXBUS_ASSERT(offsetof(ByteorSlots4, gate) == 512, "offset of ByteorSlots4.gate");
INDEXBUS_ASSERT(offsetof(ByteorSlots4, lane_closed) == 1024, "offset of ByteorSlots4.lane_closed");
INDEXBUS_ASSERT(offsetof(ByteorSlots4, producer_bell) == 1152, "offset of ByteorSlots4.producer_bell");
INDEXBUS_ASSERT(offsetof(ByteorSlots4, reader_bell) == 1280, "offset of ByteorSlots4.reader_bell");
INDEXBUS_ASSERT(offsetof(ByteorSlots4, dead) == 1792, "offset of ByteorSlots4.dead");
INDEXBUS_ASSERT(offsetof(ByteorSlots4, slots) == 2816, "offset of ByteorSlots4.slots");

/* rings of slots: a cursor, gates, slots at sequence & (capacity - 1) */
typedef struct ByteorFanout4 {
    ByteorHeader header; /* what the region is */
    ByteorLaneShape shape; /* the parameters of this layout; written by: creator */
    ByteorOwned cursor[1]; /* messages published on each ring; written by: producer */
    ByteorMark mark[1]; /* the mark of each ring; written by: producer */
    ByteorWord closed[1]; /* -1 while open, else the final sequence; written by: producer */
    ByteorOwned gate[4]; /* messages that each reader has done with; gates of ring 0 first; written by: reader */
    ByteorOwned lane_closed; /* 0 while producers may come; 1 once none may; written by: creator */
    ByteorDoorbell producer_bell[1]; /* what each producer waits on */
    ByteorDoorbell reader_bell[4]; /* what each reader waits on */
    uint8_t slots[1024][64]; /* the messages: those of ring 0 first; written by: producer */
} ByteorFanout4;
INDEXBUS_ASSERT(sizeof(ByteorFanout4) == 67328, "size of ByteorFanout4");
INDEXBUS_ASSERT(INDEXBUS_ALIGNOF(ByteorFanout4) == 128, "alignment of ByteorFanout4");
INDEXBUS_ASSERT(offsetof(ByteorFanout4, header) == 0, "offset of ByteorFanout4.header");
INDEXBUS_ASSERT(offsetof(ByteorFanout4, shape) == 64, "offset of ByteorFanout4.shape");
INDEXBUS_ASSERT(offsetof(ByteorFanout4, cursor) == 128, "offset of ByteorFanout4.cursor");
INDEXBUS_ASSERT(offsetof(ByteorFanout4, mark) == 256, "offset of ByteorFanout4.mark");
INDEXBUS_ASSERT(offsetof(ByteorFanout4, closed) == 384, "offset of ByteorFanout4.closed");
INDEXBUS_ASSERT(offsetof(ByteorFanout4, gate) == 512, "offset of ByteorFanout4.gate");
INDEXBUS_ASSERT(offsetof(ByteorFanout4, lane_closed) == 1024, "offset of ByteorFanout4.lane_closed");
INDEXBUS_ASSERT(offsetof(ByteorFanout4, producer_bell) == 1152, "offset of ByteorFanout4.producer_bell");
INDEXBUS_ASSERT(offsetof(ByteorFanout4, reader_bell) == 1280, "offset of ByteorFanout4.reader_bell");
INDEXBUS_ASSERT(offsetof(ByteorFanout4, slots) == 1792, "offset of ByteorFanout4.slots");

/* how all waiters are woken that share a bell */
typedef struct ByteorSharedBell {
    INDEXBUS_ALIGNAS(128) ByteorAtomicI64 value; /* rung by adding one; the low half is a futex word; written by: writer, by adding */
    ByteorAtomicI64 announced; /* set to 1 by whoever may block, to 0 by who rings; written by: anyone */
    uint8_t unused0[112];
} ByteorSharedBell;
INDEXBUS_ASSERT(sizeof(ByteorSharedBell) == 128, "size of ByteorSharedBell");
INDEXBUS_ASSERT(INDEXBUS_ALIGNOF(ByteorSharedBell) == 128, "alignment of ByteorSharedBell");
INDEXBUS_ASSERT(offsetof(ByteorSharedBell, value) == 0, "offset of ByteorSharedBell.value");
INDEXBUS_ASSERT(offsetof(ByteorSharedBell, announced) == 8, "offset of ByteorSharedBell.announced");

/* one value, copied out word by word */
typedef struct ByteorValue {
    ByteorAtomicI64 stamp; /* when it was put, in nanoseconds of the monotonic clock */
    ByteorAtomicI64 length; /* its length in bytes */
    uint8_t data[256]; /* the value, in whole words */
} ByteorValue;
INDEXBUS_ASSERT(sizeof(ByteorValue) == 272, "size of ByteorValue");
INDEXBUS_ASSERT(INDEXBUS_ALIGNOF(ByteorValue) == 8, "alignment of ByteorValue");
INDEXBUS_ASSERT(offsetof(ByteorValue, stamp) == 0, "offset of ByteorValue.stamp");
INDEXBUS_ASSERT(offsetof(ByteorValue, length) == 8, "offset of ByteorValue.length");
INDEXBUS_ASSERT(offsetof(ByteorValue, data) == 16, "offset of ByteorValue.data");

/* the latest value, in slots that are written over */
typedef struct ByteorState256 {
    ByteorHeader header; /* what the region is */
    ByteorStateShape shape; /* the parameters of this layout; written by: creator */
    uint8_t unused0[40];
    ByteorOwned cursor; /* values published; written by: writer */
    ByteorWord intent; /* values whose slots may be written over: cursor, or one more; written by: writer */
    ByteorWord closed; /* -1 while open, else the final cursor; written by: writer */
    ByteorSharedBell bell; /* what all readers wait on */
    ByteorValue slots[4]; /* the values, the latest at (cursor - 1) & mask; written by: writer */
    uint8_t unused1[64];
} ByteorState256;
INDEXBUS_ASSERT(sizeof(ByteorState256) == 1792, "size of ByteorState256");
INDEXBUS_ASSERT(INDEXBUS_ALIGNOF(ByteorState256) == 128, "alignment of ByteorState256");
INDEXBUS_ASSERT(offsetof(ByteorState256, header) == 0, "offset of ByteorState256.header");
INDEXBUS_ASSERT(offsetof(ByteorState256, shape) == 64, "offset of ByteorState256.shape");
INDEXBUS_ASSERT(offsetof(ByteorState256, cursor) == 128, "offset of ByteorState256.cursor");
INDEXBUS_ASSERT(offsetof(ByteorState256, intent) == 256, "offset of ByteorState256.intent");
INDEXBUS_ASSERT(offsetof(ByteorState256, closed) == 384, "offset of ByteorState256.closed");
INDEXBUS_ASSERT(offsetof(ByteorState256, bell) == 512, "offset of ByteorState256.bell");
INDEXBUS_ASSERT(offsetof(ByteorState256, slots) == 640, "offset of ByteorState256.slots");

/* what lies in one segment of a journal */
typedef struct ByteorSegment {
    INDEXBUS_ALIGNAS(64) ByteorAtomicI64 number; /* number of the segment in the whole log */
    ByteorAtomicI64 first; /* sequence of its first record */
    ByteorAtomicI64 tail; /* bytes used in it, once the next segment has begun; 0 before */
    uint64_t log; /* in a file of its own: the generation of the journal that it belongs to */
    uint8_t unused0[32];
} ByteorSegment;
INDEXBUS_ASSERT(sizeof(ByteorSegment) == 64, "size of ByteorSegment");
INDEXBUS_ASSERT(INDEXBUS_ALIGNOF(ByteorSegment) == 64, "alignment of ByteorSegment");
INDEXBUS_ASSERT(offsetof(ByteorSegment, number) == 0, "offset of ByteorSegment.number");
INDEXBUS_ASSERT(offsetof(ByteorSegment, first) == 8, "offset of ByteorSegment.first");
INDEXBUS_ASSERT(offsetof(ByteorSegment, tail) == 16, "offset of ByteorSegment.tail");
INDEXBUS_ASSERT(offsetof(ByteorSegment, log) == 24, "offset of ByteorSegment.log");

/* a segmented log with its readers' positions */
typedef struct ByteorJournal4 {
    ByteorHeader header; /* what the region is */
    ByteorJournalShape shape; /* the parameters of this layout; written by: creator */
    uint8_t unused0[32];
    ByteorOwned cursor; /* position behind the last committed record, in bytes of the whole log; written by: writer */
    ByteorWord sequence; /* number of records committed; a successor counts it anew, from the first of its segment; written by: writer */
    ByteorWord intent; /* position up to which bytes may be written over; written by: writer */
    ByteorMark mark; /* the mark of the log; written by: writer */
    ByteorWord closed; /* -1 while open, else the final position; written by: writer */
    ByteorOwned gate[4]; /* position of each reader; written by: reader */
    ByteorSharedBell bell; /* what all readers wait on */
    ByteorSegment segment[3]; /* what lies in each segment; written by: writer */
    uint8_t unused1[64];
    uint8_t records[3][65536]; /* the records of each segment; written by: writer */
} ByteorJournal4;
INDEXBUS_ASSERT(sizeof(ByteorJournal4) == 198272, "size of ByteorJournal4");
INDEXBUS_ASSERT(INDEXBUS_ALIGNOF(ByteorJournal4) == 128, "alignment of ByteorJournal4");
INDEXBUS_ASSERT(offsetof(ByteorJournal4, header) == 0, "offset of ByteorJournal4.header");
INDEXBUS_ASSERT(offsetof(ByteorJournal4, shape) == 64, "offset of ByteorJournal4.shape");
INDEXBUS_ASSERT(offsetof(ByteorJournal4, cursor) == 128, "offset of ByteorJournal4.cursor");
INDEXBUS_ASSERT(offsetof(ByteorJournal4, sequence) == 256, "offset of ByteorJournal4.sequence");
INDEXBUS_ASSERT(offsetof(ByteorJournal4, intent) == 384, "offset of ByteorJournal4.intent");
INDEXBUS_ASSERT(offsetof(ByteorJournal4, mark) == 512, "offset of ByteorJournal4.mark");
INDEXBUS_ASSERT(offsetof(ByteorJournal4, closed) == 640, "offset of ByteorJournal4.closed");
INDEXBUS_ASSERT(offsetof(ByteorJournal4, gate) == 768, "offset of ByteorJournal4.gate");
INDEXBUS_ASSERT(offsetof(ByteorJournal4, bell) == 1280, "offset of ByteorJournal4.bell");
INDEXBUS_ASSERT(offsetof(ByteorJournal4, segment) == 1408, "offset of ByteorJournal4.segment");
INDEXBUS_ASSERT(offsetof(ByteorJournal4, records) == 1664, "offset of ByteorJournal4.records");

/* one numbered segment of a log */
typedef struct ByteorSegmentFile {
    INDEXBUS_ALIGNAS(128) ByteorHeader header; /* what the region is */
    ByteorSegmentShape shape; /* the parameters of this layout; written by: creator */
    uint8_t unused0[56];
    ByteorSegment segment; /* what lies here; written by: writer */
    uint8_t unused1[64];
    uint8_t records[65536]; /* the records; written by: writer */
} ByteorSegmentFile;
INDEXBUS_ASSERT(sizeof(ByteorSegmentFile) == 65792, "size of ByteorSegmentFile");
INDEXBUS_ASSERT(INDEXBUS_ALIGNOF(ByteorSegmentFile) == 128, "alignment of ByteorSegmentFile");
INDEXBUS_ASSERT(offsetof(ByteorSegmentFile, header) == 0, "offset of ByteorSegmentFile.header");
INDEXBUS_ASSERT(offsetof(ByteorSegmentFile, shape) == 64, "offset of ByteorSegmentFile.shape");
INDEXBUS_ASSERT(offsetof(ByteorSegmentFile, segment) == 128, "offset of ByteorSegmentFile.segment");
INDEXBUS_ASSERT(offsetof(ByteorSegmentFile, records) == 256, "offset of ByteorSegmentFile.records");

/* a doorbell that neighbours ring, and counters that only the runner writes */
typedef struct ByteorRunner {
    INDEXBUS_ALIGNAS(128) ByteorAtomicI64 bell; /* rung by adding one; a futex word; written by: anyone, by adding */
    ByteorAtomicI64 announced; /* 1 while the runner may block on its bell; written by: runner */
    uint8_t unused0[112];
    ByteorAtomicI64 at; /* sequence of the message a stage was last called with; written by: runner */
    ByteorAtomicI64 filtered; /* messages that the stage took out; written by: runner */
    ByteorAtomicI64 waits; /* times there was nothing to do; written by: runner */
    ByteorAtomicI64 blocks; /* times the runner slept on its bell; written by: runner */
    ByteorAtomicI64 crowded; /* of the waits, how many were for room; written by: runner */
    ByteorAtomicI64 waiting; /* what it waits for now: 0 nothing, it works; 1 records; 2 room; written by: runner */
    ByteorAtomicI64 beat; /* turns spent waiting: it goes up as long as a waiting runner looks; written by: runner */
    uint8_t unused1[72];
    ByteorAtomicI64 sizes[32]; /* batches by size: bucket b counts sizes from 2^b; written by: runner */
} ByteorRunner;
INDEXBUS_ASSERT(sizeof(ByteorRunner) == 512, "size of ByteorRunner");
INDEXBUS_ASSERT(INDEXBUS_ALIGNOF(ByteorRunner) == 128, "alignment of ByteorRunner");
INDEXBUS_ASSERT(offsetof(ByteorRunner, bell) == 0, "offset of ByteorRunner.bell");
INDEXBUS_ASSERT(offsetof(ByteorRunner, announced) == 8, "offset of ByteorRunner.announced");
INDEXBUS_ASSERT(offsetof(ByteorRunner, at) == 128, "offset of ByteorRunner.at");
INDEXBUS_ASSERT(offsetof(ByteorRunner, filtered) == 136, "offset of ByteorRunner.filtered");
INDEXBUS_ASSERT(offsetof(ByteorRunner, waits) == 144, "offset of ByteorRunner.waits");
INDEXBUS_ASSERT(offsetof(ByteorRunner, blocks) == 152, "offset of ByteorRunner.blocks");
INDEXBUS_ASSERT(offsetof(ByteorRunner, crowded) == 160, "offset of ByteorRunner.crowded");
INDEXBUS_ASSERT(offsetof(ByteorRunner, waiting) == 168, "offset of ByteorRunner.waiting");
INDEXBUS_ASSERT(offsetof(ByteorRunner, beat) == 176, "offset of ByteorRunner.beat");
INDEXBUS_ASSERT(offsetof(ByteorRunner, sizes) == 256, "offset of ByteorRunner.sizes");

/* what the runners of one plant share */
typedef struct ByteorPlant4 {
    ByteorHeader header; /* what the region is */
    ByteorPlantShape shape; /* the parameters of this layout; written by: creator */
    uint8_t unused0[56];
    ByteorOwned owner; /* the supervisor, which holds a lock here; written by: supervisor */
    ByteorWord stop; /* 0 run on; else stop as soon as the pending batch is done; written by: supervisor */
    ByteorRunner runner[4]; /* each runner's doorbell and counters */
} ByteorPlant4;
INDEXBUS_ASSERT(sizeof(ByteorPlant4) == 2432, "size of ByteorPlant4");
INDEXBUS_ASSERT(INDEXBUS_ALIGNOF(ByteorPlant4) == 128, "alignment of ByteorPlant4");
INDEXBUS_ASSERT(offsetof(ByteorPlant4, header) == 0, "offset of ByteorPlant4.header");
INDEXBUS_ASSERT(offsetof(ByteorPlant4, shape) == 64, "offset of ByteorPlant4.shape");
INDEXBUS_ASSERT(offsetof(ByteorPlant4, owner) == 128, "offset of ByteorPlant4.owner");
INDEXBUS_ASSERT(offsetof(ByteorPlant4, stop) == 256, "offset of ByteorPlant4.stop");
INDEXBUS_ASSERT(offsetof(ByteorPlant4, runner) == 384, "offset of ByteorPlant4.runner");

/* where a role stands in one of its outputs */
typedef struct ByteorPut {
    ByteorAtomicI64 position; /* messages put to it */
    ByteorAtomicI64 mark_field; /* its mark */
    ByteorAtomicI64 mark_word; /* second word of the mark */
    ByteorAtomicI64 dropped; /* messages that found it full and were dropped */
} ByteorPut;
INDEXBUS_ASSERT(sizeof(ByteorPut) == 32, "size of ByteorPut");
INDEXBUS_ASSERT(INDEXBUS_ALIGNOF(ByteorPut) == 8, "alignment of ByteorPut");
INDEXBUS_ASSERT(offsetof(ByteorPut, position) == 0, "offset of ByteorPut.position");
INDEXBUS_ASSERT(offsetof(ByteorPut, mark_field) == 8, "offset of ByteorPut.mark_field");
INDEXBUS_ASSERT(offsetof(ByteorPut, mark_word) == 16, "offset of ByteorPut.mark_word");
INDEXBUS_ASSERT(offsetof(ByteorPut, dropped) == 24, "offset of ByteorPut.dropped");

/* one buffer of a progress record */
typedef struct ByteorRecord {
    INDEXBUS_ALIGNAS(128) ByteorAtomicI64 epoch; /* number of the commit; stored last */
    ByteorAtomicI64 ended; /* how far `end` is: -1 not begun, else records of it that were sent */
    ByteorAtomicI64 filtered; /* messages taken out */
    ByteorAtomicI64 late; /* messages left out because their field fell */
    ByteorAtomicI64 rows; /* rows of keyed state in use */
    ByteorAtomicI64 logged; /* rows of keyed state in this record */
    ByteorAtomicI64 input[1]; /* position in each input */
    ByteorPut output[1]; /* position in each output, and its mark */
    uint8_t tail[64]; /* flat state, or the log of the rows that changed: number, then row */
    uint8_t unused0[104];
} ByteorRecord;
INDEXBUS_ASSERT(sizeof(ByteorRecord) == 256, "size of ByteorRecord");
INDEXBUS_ASSERT(INDEXBUS_ALIGNOF(ByteorRecord) == 128, "alignment of ByteorRecord");
INDEXBUS_ASSERT(offsetof(ByteorRecord, epoch) == 0, "offset of ByteorRecord.epoch");
INDEXBUS_ASSERT(offsetof(ByteorRecord, ended) == 8, "offset of ByteorRecord.ended");
INDEXBUS_ASSERT(offsetof(ByteorRecord, filtered) == 16, "offset of ByteorRecord.filtered");
INDEXBUS_ASSERT(offsetof(ByteorRecord, late) == 24, "offset of ByteorRecord.late");
INDEXBUS_ASSERT(offsetof(ByteorRecord, rows) == 32, "offset of ByteorRecord.rows");
INDEXBUS_ASSERT(offsetof(ByteorRecord, logged) == 40, "offset of ByteorRecord.logged");
INDEXBUS_ASSERT(offsetof(ByteorRecord, input) == 48, "offset of ByteorRecord.input");
INDEXBUS_ASSERT(offsetof(ByteorRecord, output) == 56, "offset of ByteorRecord.output");
INDEXBUS_ASSERT(offsetof(ByteorRecord, tail) == 88, "offset of ByteorRecord.tail");

/* a role's progress, in two buffers */
typedef struct ByteorRole1x1 {
    ByteorHeader header; /* what the region is */
    ByteorRoleShape shape; /* the parameters of this layout; written by: creator */
    uint8_t unused0[24];
    ByteorOwned owner; /* the role, which holds a lock here; the word is its number of starts; written by: role */
    ByteorWord end_count; /* records that `end` gave; read once `ended` is 0 or more; written by: role */
    uint64_t generation[2]; /* of each lane it has positions in, once; written by: role */
    uint8_t unused1[112];
    ByteorRecord record[2]; /* the newer epoch is valid; written by: role */
    uint8_t table[64]; /* the rows of keyed state; written by: role */
    uint8_t unused2[64];
    uint8_t end[64]; /* the records that `end` gave; written by: role */
    uint8_t unused3[64];
} ByteorRole1x1;
INDEXBUS_ASSERT(sizeof(ByteorRole1x1) == 1280, "size of ByteorRole1x1");
INDEXBUS_ASSERT(INDEXBUS_ALIGNOF(ByteorRole1x1) == 128, "alignment of ByteorRole1x1");
INDEXBUS_ASSERT(offsetof(ByteorRole1x1, header) == 0, "offset of ByteorRole1x1.header");
INDEXBUS_ASSERT(offsetof(ByteorRole1x1, shape) == 64, "offset of ByteorRole1x1.shape");
INDEXBUS_ASSERT(offsetof(ByteorRole1x1, owner) == 128, "offset of ByteorRole1x1.owner");
INDEXBUS_ASSERT(offsetof(ByteorRole1x1, end_count) == 256, "offset of ByteorRole1x1.end_count");
INDEXBUS_ASSERT(offsetof(ByteorRole1x1, generation) == 384, "offset of ByteorRole1x1.generation");
INDEXBUS_ASSERT(offsetof(ByteorRole1x1, record) == 512, "offset of ByteorRole1x1.record");
INDEXBUS_ASSERT(offsetof(ByteorRole1x1, table) == 1024, "offset of ByteorRole1x1.table");
INDEXBUS_ASSERT(offsetof(ByteorRole1x1, end) == 1152, "offset of ByteorRole1x1.end");

/* what precedes a record of a journal; records start at multiples of 8 and never cross a segment */
typedef struct ByteorRecordHeader {
    uint32_t length; /* length of the payload */
    uint32_t flags; /* COMMITTED, PADDING (nothing more in this segment); stored with the length, as one word, last */
    int64_t sequence; /* number of the record */
    int64_t order; /* its order word; 0 without the capability */
} ByteorRecordHeader;
INDEXBUS_ASSERT(sizeof(ByteorRecordHeader) == 24, "size of ByteorRecordHeader");
INDEXBUS_ASSERT(INDEXBUS_ALIGNOF(ByteorRecordHeader) == 8, "alignment of ByteorRecordHeader");
INDEXBUS_ASSERT(offsetof(ByteorRecordHeader, length) == 0, "offset of ByteorRecordHeader.length");
INDEXBUS_ASSERT(offsetof(ByteorRecordHeader, flags) == 4, "offset of ByteorRecordHeader.flags");
INDEXBUS_ASSERT(offsetof(ByteorRecordHeader, sequence) == 8, "offset of ByteorRecordHeader.sequence");
INDEXBUS_ASSERT(offsetof(ByteorRecordHeader, order) == 16, "offset of ByteorRecordHeader.order");

/* Offsets in any `lane`: rings of slots: a cursor, gates, slots at sequence & (capacity - 1). Copy the shape once, check the copy, and use that. */
static inline uint64_t byteor_lane_cursor_at(ByteorLaneShape shape, uint64_t i) {
    (void)shape;
    return 128 + i * 128;
}
static inline uint64_t byteor_lane_mark_at(ByteorLaneShape shape, uint64_t i) {
    return 128 + 128 * shape.rings + i * 128;
}
static inline uint64_t byteor_lane_closed_at(ByteorLaneShape shape, uint64_t i) {
    return 128 + 256 * shape.rings + i * 128;
}
static inline uint64_t byteor_lane_gate_at(ByteorLaneShape shape, uint64_t i) {
    return 128 + 384 * shape.rings + i * 128;
}
static inline uint64_t byteor_lane_lane_closed_at(ByteorLaneShape shape) {
    return 128 + 384 * shape.rings + 128 * shape.gates * shape.rings;
}
static inline uint64_t byteor_lane_producer_bell_at(ByteorLaneShape shape, uint64_t i) {
    return 256 + 384 * shape.rings + 128 * shape.gates * shape.rings + i * 128;
}
static inline uint64_t byteor_lane_reader_bell_at(ByteorLaneShape shape, uint64_t i) {
    return 256 + 512 * shape.rings + 128 * shape.gates * shape.rings + i * 128;
}
static inline uint64_t byteor_lane_order_at(ByteorLaneShape shape, uint64_t i) {
    return 256 + 512 * shape.rings + 256 * shape.gates * shape.rings + i * 8;
}
static inline uint64_t byteor_lane_length_at(ByteorLaneShape shape, uint64_t i) {
    return indexbus_up(256 + 512 * shape.rings + 256 * shape.gates * shape.rings + 8 * shape.capacity * shape.orders * shape.rings, 128) + i * 4;
}
static inline uint64_t byteor_lane_dead_at(ByteorLaneShape shape, uint64_t i) {
    return indexbus_up(indexbus_up(256 + 512 * shape.rings + 256 * shape.gates * shape.rings + 8 * shape.capacity * shape.orders * shape.rings, 128) + 4 * shape.capacity * shape.lengths * shape.rings, 128) + i * indexbus_up(shape.capacity * shape.rings, 128);
}
static inline uint64_t byteor_lane_slots_at(ByteorLaneShape shape, uint64_t i) {
    return indexbus_up(indexbus_up(256 + 512 * shape.rings + 256 * shape.gates * shape.rings + 8 * shape.capacity * shape.orders * shape.rings, 128) + 4 * shape.capacity * shape.lengths * shape.rings, 128) + indexbus_up(shape.capacity * shape.rings, 128) * shape.filters + i * shape.slot_bytes;
}
static inline uint64_t byteor_lane_schema_at(ByteorLaneShape shape, uint64_t i) {
    return indexbus_up(indexbus_up(indexbus_up(256 + 512 * shape.rings + 256 * shape.gates * shape.rings + 8 * shape.capacity * shape.orders * shape.rings, 128) + 4 * shape.capacity * shape.lengths * shape.rings, 128) + indexbus_up(shape.capacity * shape.rings, 128) * shape.filters + shape.capacity * shape.rings * shape.slot_bytes, 128) + i * 1;
}
static inline uint64_t byteor_lane_bytes(ByteorLaneShape shape) {
    return indexbus_up(indexbus_up(indexbus_up(indexbus_up(256 + 512 * shape.rings + 256 * shape.gates * shape.rings + 8 * shape.capacity * shape.orders * shape.rings, 128) + 4 * shape.capacity * shape.lengths * shape.rings, 128) + indexbus_up(shape.capacity * shape.rings, 128) * shape.filters + shape.capacity * shape.rings * shape.slot_bytes, 128) + shape.schema_bytes, 128);
}

/* Offsets in any `state`: the latest value, in slots that are written over. Copy the shape once, check the copy, and use that. */
static inline uint64_t byteor_state_cursor_at(ByteorStateShape shape) {
    (void)shape;
    return 128;
}
static inline uint64_t byteor_state_intent_at(ByteorStateShape shape) {
    (void)shape;
    return 256;
}
static inline uint64_t byteor_state_closed_at(ByteorStateShape shape) {
    (void)shape;
    return 384;
}
static inline uint64_t byteor_state_bell_at(ByteorStateShape shape) {
    (void)shape;
    return 512;
}
static inline uint64_t byteor_state_slots_at(ByteorStateShape shape, uint64_t i) {
    return 640 + i * (16 + indexbus_up(shape.slot_bytes, 8));
}
static inline uint64_t byteor_state_schema_at(ByteorStateShape shape, uint64_t i) {
    return indexbus_up(640 + 16 * shape.capacity + indexbus_up(shape.slot_bytes, 8) * shape.capacity, 128) + i * 1;
}
static inline uint64_t byteor_state_bytes(ByteorStateShape shape) {
    return indexbus_up(indexbus_up(640 + 16 * shape.capacity + indexbus_up(shape.slot_bytes, 8) * shape.capacity, 128) + shape.schema_bytes, 128);
}

/* Offsets in any `journal`: a segmented log with its readers' positions. Copy the shape once, check the copy, and use that. */
static inline uint64_t byteor_journal_cursor_at(ByteorJournalShape shape) {
    (void)shape;
    return 128;
}
static inline uint64_t byteor_journal_sequence_at(ByteorJournalShape shape) {
    (void)shape;
    return 256;
}
static inline uint64_t byteor_journal_intent_at(ByteorJournalShape shape) {
    (void)shape;
    return 384;
}
static inline uint64_t byteor_journal_mark_at(ByteorJournalShape shape) {
    (void)shape;
    return 512;
}
static inline uint64_t byteor_journal_closed_at(ByteorJournalShape shape) {
    (void)shape;
    return 640;
}
static inline uint64_t byteor_journal_gate_at(ByteorJournalShape shape, uint64_t i) {
    (void)shape;
    return 768 + i * 128;
}
static inline uint64_t byteor_journal_bell_at(ByteorJournalShape shape) {
    return 768 + 128 * shape.gates;
}
static inline uint64_t byteor_journal_segment_at(ByteorJournalShape shape, uint64_t i) {
    return 896 + 128 * shape.gates + i * 64;
}
static inline uint64_t byteor_journal_records_at(ByteorJournalShape shape, uint64_t i) {
    return indexbus_up(896 + 128 * shape.gates + 64 * shape.segments, 128) + i * shape.segment_bytes;
}
static inline uint64_t byteor_journal_schema_at(ByteorJournalShape shape, uint64_t i) {
    return indexbus_up(indexbus_up(896 + 128 * shape.gates + 64 * shape.segments, 128) + shape.segment_bytes * shape.segments, 128) + i * 1;
}
static inline uint64_t byteor_journal_bytes(ByteorJournalShape shape) {
    return indexbus_up(indexbus_up(indexbus_up(896 + 128 * shape.gates + 64 * shape.segments, 128) + shape.segment_bytes * shape.segments, 128) + shape.schema_bytes, 128);
}

/* Offsets in any `segment`: one numbered segment of a log. Copy the shape once, check the copy, and use that. */
static inline uint64_t byteor_segment_segment_at(ByteorSegmentShape shape) {
    (void)shape;
    return 128;
}
static inline uint64_t byteor_segment_records_at(ByteorSegmentShape shape) {
    (void)shape;
    return 256;
}
static inline uint64_t byteor_segment_bytes(ByteorSegmentShape shape) {
    return indexbus_up(256 + shape.segment_bytes, 128);
}

/* Offsets in any `plant`: what the runners of one plant share. Copy the shape once, check the copy, and use that. */
static inline uint64_t byteor_plant_owner_at(ByteorPlantShape shape) {
    (void)shape;
    return 128;
}
static inline uint64_t byteor_plant_stop_at(ByteorPlantShape shape) {
    (void)shape;
    return 256;
}
static inline uint64_t byteor_plant_runner_at(ByteorPlantShape shape, uint64_t i) {
    (void)shape;
    return 384 + i * 512;
}
static inline uint64_t byteor_plant_bytes(ByteorPlantShape shape) {
    return 384 + 512 * shape.runners;
}

/* Offsets in any `role`: a role's progress, in two buffers. Copy the shape once, check the copy, and use that. */
static inline uint64_t byteor_role_owner_at(ByteorRoleShape shape) {
    (void)shape;
    return 128;
}
static inline uint64_t byteor_role_end_count_at(ByteorRoleShape shape) {
    (void)shape;
    return 256;
}
static inline uint64_t byteor_role_generation_at(ByteorRoleShape shape, uint64_t i) {
    (void)shape;
    return 384 + i * 8;
}
static inline uint64_t byteor_role_record_at(ByteorRoleShape shape, uint64_t i) {
    return indexbus_up(384 + 8 * shape.inputs + 8 * shape.outputs, 128) + i * (indexbus_up(48 + 8 * shape.inputs + 32 * shape.outputs + indexbus_up(shape.tail_bytes, 8), 128));
}
static inline uint64_t byteor_role_table_at(ByteorRoleShape shape) {
    return indexbus_up(384 + 8 * shape.inputs + 8 * shape.outputs, 128) + 2 * indexbus_up(48 + 8 * shape.inputs + 32 * shape.outputs + indexbus_up(shape.tail_bytes, 8), 128);
}
static inline uint64_t byteor_role_end_at(ByteorRoleShape shape) {
    return indexbus_up(indexbus_up(384 + 8 * shape.inputs + 8 * shape.outputs, 128) + 2 * indexbus_up(48 + 8 * shape.inputs + 32 * shape.outputs + indexbus_up(shape.tail_bytes, 8), 128) + indexbus_up(shape.table_bytes, 8), 128);
}
static inline uint64_t byteor_role_bytes(ByteorRoleShape shape) {
    return indexbus_up(indexbus_up(indexbus_up(384 + 8 * shape.inputs + 8 * shape.outputs, 128) + 2 * indexbus_up(48 + 8 * shape.inputs + 32 * shape.outputs + indexbus_up(shape.tail_bytes, 8), 128) + indexbus_up(shape.table_bytes, 8), 128) + indexbus_up(shape.end_bytes, 8), 128);
}

#endif /* BYTEOR_V1_H */
