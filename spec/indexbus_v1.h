/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* IndexBus ABI v1: the header of every region; all other layouts are for interchange only. */
/* Written from the tables in byteor.abi by `python -m dev gen`. Host-endian; append-only. */

#ifndef INDEXBUS_V1_H
#define INDEXBUS_V1_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
#define INDEXBUS_ASSERT(condition, text) static_assert(condition, text)
#define INDEXBUS_ALIGNAS(n) alignas(n)
#define INDEXBUS_ALIGNOF(type) alignof(type)
#else
#define INDEXBUS_ASSERT(condition, text) _Static_assert(condition, text)
#define INDEXBUS_ALIGNAS(n) _Alignas(n)
#define INDEXBUS_ALIGNOF(type) _Alignof(type)
#endif

/* Shared words: reach `value` through atomic operations alone. */
typedef struct IndexbusAtomicU32 { INDEXBUS_ALIGNAS(4) uint32_t value; } IndexbusAtomicU32;
typedef struct IndexbusAtomicU64 { INDEXBUS_ALIGNAS(8) uint64_t value; } IndexbusAtomicU64;

/* Round up to a multiple of `step`. */
static inline uint64_t indexbus_up(uint64_t size, uint64_t step) { return (size + step - 1) / step * step; }

#define INDEXBUS_MAGIC UINT32_C(0x53554249) /* "IBUS" */
#define INDEXBUS_VERSION 1
#define INDEXBUS_KIND_MASK 0x00ff /* of `flags` */
#define INDEXBUS_UNINITIALIZED 0 /* values of `initialized` */
#define INDEXBUS_INITIALIZING 1
#define INDEXBUS_READY 2 /* the only one that a reader accepts */
#define INDEXBUS_CAPABILITY_SEQUENCED_SLOTS UINT32_C(0x00020000)
#define INDEXBUS_QUEUE_CAPACITY 1024
#define INDEXBUS_RECORD_COMMITTED 1 /* flag of a journal's record */
#define INDEXBUS_ENVELOPE_MAGIC UINT32_C(0x314d5355) /* "USM1" */
#define INDEXBUS_KIND_STATE 1 /* overwrite-latest (number chosen here) */
#define INDEXBUS_KIND_JOURNAL 2 /* segmented log (number chosen here) */
#define INDEXBUS_KIND_SEQUENCER 3 /* sequences (number chosen here) */
#define INDEXBUS_KIND_EVENTS_CHAIN 100 /* pooled slots and index queues */
#define INDEXBUS_KIND_SEQUENCED_SLOTS 101 /* ring with stage gates */

/* what the creator chose, in the order of the family's parameters */
typedef struct IndexbusSequencerShape {
    uint64_t gates; /* stages; from 1 to 64; written by: creator */
} IndexbusSequencerShape;
INDEXBUS_ASSERT(sizeof(IndexbusSequencerShape) == 8, "size of IndexbusSequencerShape");
INDEXBUS_ASSERT(INDEXBUS_ALIGNOF(IndexbusSequencerShape) == 8, "alignment of IndexbusSequencerShape");
INDEXBUS_ASSERT(offsetof(IndexbusSequencerShape, gates) == 0, "offset of IndexbusSequencerShape.gates");

/* what the creator chose, in the order of the family's parameters */
typedef struct IndexbusSequencedSlotsShape {
    uint64_t gates; /* stages; from 1 to 64; written by: creator */
} IndexbusSequencedSlotsShape;
INDEXBUS_ASSERT(sizeof(IndexbusSequencedSlotsShape) == 8, "size of IndexbusSequencedSlotsShape");
INDEXBUS_ASSERT(INDEXBUS_ALIGNOF(IndexbusSequencedSlotsShape) == 8, "alignment of IndexbusSequencedSlotsShape");
INDEXBUS_ASSERT(offsetof(IndexbusSequencedSlotsShape, gates) == 0, "offset of IndexbusSequencedSlotsShape.gates");

/* what the creator chose, in the order of the family's parameters */
typedef struct IndexbusEventsChainShape {
    uint64_t queues; /* queues of each sort; from 1 to 64; written by: creator */
} IndexbusEventsChainShape;
INDEXBUS_ASSERT(sizeof(IndexbusEventsChainShape) == 8, "size of IndexbusEventsChainShape");
INDEXBUS_ASSERT(INDEXBUS_ALIGNOF(IndexbusEventsChainShape) == 8, "alignment of IndexbusEventsChainShape");
INDEXBUS_ASSERT(offsetof(IndexbusEventsChainShape, queues) == 0, "offset of IndexbusEventsChainShape.queues");

/* what the creator chose, in the order of the family's parameters */
typedef struct IndexbusStateShape {
    uint64_t max; /* longest value; from 1 to 2147483648; written by: creator */
} IndexbusStateShape;
INDEXBUS_ASSERT(sizeof(IndexbusStateShape) == 8, "size of IndexbusStateShape");
INDEXBUS_ASSERT(INDEXBUS_ALIGNOF(IndexbusStateShape) == 8, "alignment of IndexbusStateShape");
INDEXBUS_ASSERT(offsetof(IndexbusStateShape, max) == 0, "offset of IndexbusStateShape.max");

/* what the creator chose, in the order of the family's parameters */
typedef struct IndexbusJournalShape {
    uint64_t subscribers; /* subscribers; from 1 to 64; written by: creator */
    uint64_t segments; /* segments; from 2 to 1024; written by: creator */
    uint64_t segment_bytes; /* bytes of a segment; from 64 to 2147483648; written by: creator */
} IndexbusJournalShape;
INDEXBUS_ASSERT(sizeof(IndexbusJournalShape) == 24, "size of IndexbusJournalShape");
INDEXBUS_ASSERT(INDEXBUS_ALIGNOF(IndexbusJournalShape) == 8, "alignment of IndexbusJournalShape");
INDEXBUS_ASSERT(offsetof(IndexbusJournalShape, subscribers) == 0, "offset of IndexbusJournalShape.subscribers");
INDEXBUS_ASSERT(offsetof(IndexbusJournalShape, segments) == 8, "offset of IndexbusJournalShape.segments");
INDEXBUS_ASSERT(offsetof(IndexbusJournalShape, segment_bytes) == 16, "offset of IndexbusJournalShape.segment_bytes");

/* the first 16 bytes of every region */
typedef struct IndexbusLayoutHeader {
    uint32_t magic; /* INDEXBUS_MAGIC: "IBUS"; written by: creator */
    uint16_t version; /* INDEXBUS_VERSION; written by: creator */
    uint16_t flags; /* the region's kind in the low 8 bits; the others are 0; written by: creator */
    uint32_t capabilities; /* what a reader must or may know of this region; written by: creator */
    uint32_t layout_bytes; /* size of the region; written by: creator */
} IndexbusLayoutHeader;
INDEXBUS_ASSERT(sizeof(IndexbusLayoutHeader) == 16, "size of IndexbusLayoutHeader");
INDEXBUS_ASSERT(INDEXBUS_ALIGNOF(IndexbusLayoutHeader) == 4, "alignment of IndexbusLayoutHeader");
INDEXBUS_ASSERT(offsetof(IndexbusLayoutHeader, magic) == 0, "offset of IndexbusLayoutHeader.magic");
INDEXBUS_ASSERT(offsetof(IndexbusLayoutHeader, version) == 4, "offset of IndexbusLayoutHeader.version");
INDEXBUS_ASSERT(offsetof(IndexbusLayoutHeader, flags) == 6, "offset of IndexbusLayoutHeader.flags");
INDEXBUS_ASSERT(offsetof(IndexbusLayoutHeader, capabilities) == 8, "offset of IndexbusLayoutHeader.capabilities");
INDEXBUS_ASSERT(offsetof(IndexbusLayoutHeader, layout_bytes) == 12, "offset of IndexbusLayoutHeader.layout_bytes");

/* the latest value, under an odd and even sequence */
typedef struct IndexbusStateLayout256 {
    IndexbusLayoutHeader header; /* the region's header; this layout has no `initialized` */
    IndexbusAtomicU64 seq; /* even: stable; odd: being written; written by: writer */
    uint32_t len; /* length of the value; written by: writer */
    uint32_t pad; /* 0 */
    uint8_t data[256]; /* the value; written by: writer */
} IndexbusStateLayout256;
INDEXBUS_ASSERT(sizeof(IndexbusStateLayout256) == 288, "size of IndexbusStateLayout256");
INDEXBUS_ASSERT(INDEXBUS_ALIGNOF(IndexbusStateLayout256) == 8, "alignment of IndexbusStateLayout256");
INDEXBUS_ASSERT(offsetof(IndexbusStateLayout256, header) == 0, "offset of IndexbusStateLayout256.header");
INDEXBUS_ASSERT(offsetof(IndexbusStateLayout256, seq) == 16, "offset of IndexbusStateLayout256.seq");
INDEXBUS_ASSERT(offsetof(IndexbusStateLayout256, len) == 24, "offset of IndexbusStateLayout256.len");
INDEXBUS_ASSERT(offsetof(IndexbusStateLayout256, pad) == 28, "offset of IndexbusStateLayout256.pad");
INDEXBUS_ASSERT(offsetof(IndexbusStateLayout256, data) == 32, "offset of IndexbusStateLayout256.data");

/* one segment of a journal */
typedef struct IndexbusJournalSegment {
    INDEXBUS_ALIGNAS(64) uint32_t segment_id; /* number of the segment */
    uint32_t segment_len; /* its length */
    IndexbusAtomicU64 tail; /* bytes used */
    uint8_t unused0[48];
} IndexbusJournalSegment;
INDEXBUS_ASSERT(sizeof(IndexbusJournalSegment) == 64, "size of IndexbusJournalSegment");
INDEXBUS_ASSERT(INDEXBUS_ALIGNOF(IndexbusJournalSegment) == 64, "alignment of IndexbusJournalSegment");
INDEXBUS_ASSERT(offsetof(IndexbusJournalSegment, segment_id) == 0, "offset of IndexbusJournalSegment.segment_id");
INDEXBUS_ASSERT(offsetof(IndexbusJournalSegment, segment_len) == 4, "offset of IndexbusJournalSegment.segment_len");
INDEXBUS_ASSERT(offsetof(IndexbusJournalSegment, tail) == 8, "offset of IndexbusJournalSegment.tail");

/* a segmented log */
typedef struct IndexbusJournalLayout4 {
    IndexbusLayoutHeader header; /* the region's header */
    IndexbusAtomicU32 initialized; /* 0, then 1 while being made, then 2: ready; written by: creator */
    uint8_t unused0[44];
    IndexbusAtomicU64 pub_pos; /* position behind the last record; written by: publisher */
    uint8_t unused1[56];
    IndexbusAtomicU32 active_segment; /* segment that is written; written by: publisher */
    uint8_t unused2[60];
    IndexbusJournalSegment segments[3]; /* the segments; written by: publisher */
    IndexbusAtomicU64 sub_pos[4]; /* position of each subscriber; written by: subscriber */
    uint8_t unused3[32];
    uint8_t segment_bufs[3][65536]; /* the records; written by: publisher */
} IndexbusJournalLayout4;
INDEXBUS_ASSERT(sizeof(IndexbusJournalLayout4) == 197056, "size of IndexbusJournalLayout4");
INDEXBUS_ASSERT(INDEXBUS_ALIGNOF(IndexbusJournalLayout4) == 64, "alignment of IndexbusJournalLayout4");
INDEXBUS_ASSERT(offsetof(IndexbusJournalLayout4, header) == 0, "offset of IndexbusJournalLayout4.header");
INDEXBUS_ASSERT(offsetof(IndexbusJournalLayout4, initialized) == 16, "offset of IndexbusJournalLayout4.initialized");
INDEXBUS_ASSERT(offsetof(IndexbusJournalLayout4, pub_pos) == 64, "offset of IndexbusJournalLayout4.pub_pos");
INDEXBUS_ASSERT(offsetof(IndexbusJournalLayout4, active_segment) == 128, "offset of IndexbusJournalLayout4.active_segment");
INDEXBUS_ASSERT(offsetof(IndexbusJournalLayout4, segments) == 192, "offset of IndexbusJournalLayout4.segments");
INDEXBUS_ASSERT(offsetof(IndexbusJournalLayout4, sub_pos) == 384, "offset of IndexbusJournalLayout4.sub_pos");
INDEXBUS_ASSERT(offsetof(IndexbusJournalLayout4, segment_bufs) == 448, "offset of IndexbusJournalLayout4.segment_bufs");

/* one sequence on a cache line of its own */
typedef struct IndexbusGate {
    INDEXBUS_ALIGNAS(64) IndexbusAtomicU64 sequence; /* how far */
    uint8_t unused0[56];
} IndexbusGate;
INDEXBUS_ASSERT(sizeof(IndexbusGate) == 64, "size of IndexbusGate");
INDEXBUS_ASSERT(INDEXBUS_ALIGNOF(IndexbusGate) == 64, "alignment of IndexbusGate");
INDEXBUS_ASSERT(offsetof(IndexbusGate, sequence) == 0, "offset of IndexbusGate.sequence");

/* a cursor and its gates */
typedef struct IndexbusSequencerLayout4 {
    IndexbusLayoutHeader header; /* the region's header */
    IndexbusAtomicU32 initialized; /* 0, then 1 while being made, then 2: ready; written by: creator */
    uint8_t unused0[44];
    IndexbusAtomicU64 cursor; /* sequences published; written by: producer */
    uint8_t unused1[56];
    IndexbusGate gating[4]; /* one per stage: how far it is done; written by: stage */
} IndexbusSequencerLayout4;
INDEXBUS_ASSERT(sizeof(IndexbusSequencerLayout4) == 384, "size of IndexbusSequencerLayout4");
INDEXBUS_ASSERT(INDEXBUS_ALIGNOF(IndexbusSequencerLayout4) == 64, "alignment of IndexbusSequencerLayout4");
INDEXBUS_ASSERT(offsetof(IndexbusSequencerLayout4, header) == 0, "offset of IndexbusSequencerLayout4.header");
INDEXBUS_ASSERT(offsetof(IndexbusSequencerLayout4, initialized) == 16, "offset of IndexbusSequencerLayout4.initialized");
INDEXBUS_ASSERT(offsetof(IndexbusSequencerLayout4, cursor) == 64, "offset of IndexbusSequencerLayout4.cursor");
INDEXBUS_ASSERT(offsetof(IndexbusSequencerLayout4, gating) == 128, "offset of IndexbusSequencerLayout4.gating");

/* one slot of a pool */
typedef struct IndexbusSlot {
    uint32_t next_free; /* index of the next free slot */
    uint32_t refcnt; /* how many hold this slot */
    uint32_t len; /* length of what the slot holds */
    uint32_t pad; /* 0 */
    uint8_t data[256]; /* the payload */
} IndexbusSlot;
INDEXBUS_ASSERT(sizeof(IndexbusSlot) == 272, "size of IndexbusSlot");
INDEXBUS_ASSERT(INDEXBUS_ALIGNOF(IndexbusSlot) == 4, "alignment of IndexbusSlot");
INDEXBUS_ASSERT(offsetof(IndexbusSlot, next_free) == 0, "offset of IndexbusSlot.next_free");
INDEXBUS_ASSERT(offsetof(IndexbusSlot, refcnt) == 4, "offset of IndexbusSlot.refcnt");
INDEXBUS_ASSERT(offsetof(IndexbusSlot, len) == 8, "offset of IndexbusSlot.len");
INDEXBUS_ASSERT(offsetof(IndexbusSlot, pad) == 12, "offset of IndexbusSlot.pad");
INDEXBUS_ASSERT(offsetof(IndexbusSlot, data) == 16, "offset of IndexbusSlot.data");

/* slots that are handed out by index */
typedef struct IndexbusSlotPool {
    INDEXBUS_ALIGNAS(64) IndexbusAtomicU64 free_head; /* first free slot in the low half, a tag in the high half (chosen here) */
    uint8_t unused0[56];
    IndexbusSlot slots[1024]; /* the slots */
} IndexbusSlotPool;
INDEXBUS_ASSERT(sizeof(IndexbusSlotPool) == 278592, "size of IndexbusSlotPool");
INDEXBUS_ASSERT(INDEXBUS_ALIGNOF(IndexbusSlotPool) == 64, "alignment of IndexbusSlotPool");
INDEXBUS_ASSERT(offsetof(IndexbusSlotPool, free_head) == 0, "offset of IndexbusSlotPool.free_head");
INDEXBUS_ASSERT(offsetof(IndexbusSlotPool, slots) == 64, "offset of IndexbusSlotPool.slots");

/* slot indices, from one producer to one consumer (interior chosen here) */
typedef struct IndexbusSpscQueue {
    INDEXBUS_ALIGNAS(64) IndexbusAtomicU64 head; /* indices taken; written by: consumer */
    uint8_t unused0[56];
    IndexbusAtomicU64 tail; /* indices put; written by: producer */
    uint8_t unused1[56];
    uint32_t entries[1024]; /* slot indices; written by: producer */
} IndexbusSpscQueue;
INDEXBUS_ASSERT(sizeof(IndexbusSpscQueue) == 4224, "size of IndexbusSpscQueue");
INDEXBUS_ASSERT(INDEXBUS_ALIGNOF(IndexbusSpscQueue) == 64, "alignment of IndexbusSpscQueue");
INDEXBUS_ASSERT(offsetof(IndexbusSpscQueue, head) == 0, "offset of IndexbusSpscQueue.head");
INDEXBUS_ASSERT(offsetof(IndexbusSpscQueue, tail) == 64, "offset of IndexbusSpscQueue.tail");
INDEXBUS_ASSERT(offsetof(IndexbusSpscQueue, entries) == 128, "offset of IndexbusSpscQueue.entries");

/* one entry of a queue with several producers (chosen here) */
typedef struct IndexbusMpscCell {
    IndexbusAtomicU64 sequence; /* turn of the entry */
    uint32_t index; /* slot index */
    uint32_t pad; /* 0 */
} IndexbusMpscCell;
INDEXBUS_ASSERT(sizeof(IndexbusMpscCell) == 16, "size of IndexbusMpscCell");
INDEXBUS_ASSERT(INDEXBUS_ALIGNOF(IndexbusMpscCell) == 8, "alignment of IndexbusMpscCell");
INDEXBUS_ASSERT(offsetof(IndexbusMpscCell, sequence) == 0, "offset of IndexbusMpscCell.sequence");
INDEXBUS_ASSERT(offsetof(IndexbusMpscCell, index) == 8, "offset of IndexbusMpscCell.index");
INDEXBUS_ASSERT(offsetof(IndexbusMpscCell, pad) == 12, "offset of IndexbusMpscCell.pad");

/* slot indices, from several producers to one consumer (interior chosen here) */
typedef struct IndexbusMpscQueue {
    INDEXBUS_ALIGNAS(64) IndexbusAtomicU64 head; /* indices taken; written by: consumer */
    uint8_t unused0[56];
    IndexbusAtomicU64 tail; /* indices claimed */
    uint8_t unused1[56];
    IndexbusMpscCell cells[1024]; /* entries */
} IndexbusMpscQueue;
INDEXBUS_ASSERT(sizeof(IndexbusMpscQueue) == 16512, "size of IndexbusMpscQueue");
INDEXBUS_ASSERT(INDEXBUS_ALIGNOF(IndexbusMpscQueue) == 64, "alignment of IndexbusMpscQueue");
INDEXBUS_ASSERT(offsetof(IndexbusMpscQueue, head) == 0, "offset of IndexbusMpscQueue.head");
INDEXBUS_ASSERT(offsetof(IndexbusMpscQueue, tail) == 64, "offset of IndexbusMpscQueue.tail");
INDEXBUS_ASSERT(offsetof(IndexbusMpscQueue, cells) == 128, "offset of IndexbusMpscQueue.cells");

/* pooled slots forwarded by index */
typedef struct IndexbusEventsChainLayout4 {
    IndexbusLayoutHeader header; /* the region's header */
    IndexbusAtomicU32 initialized; /* 0, then 1 while being made, then 2: ready; written by: creator */
    uint8_t unused0[44];
    IndexbusSlotPool pool; /* where payloads are */
    IndexbusSpscQueue spsc[4]; /* between neighbouring stages */
    IndexbusMpscQueue mpsc[4]; /* into stages with several producers */
} IndexbusEventsChainLayout4;
INDEXBUS_ASSERT(sizeof(IndexbusEventsChainLayout4) == 361600, "size of IndexbusEventsChainLayout4");
INDEXBUS_ASSERT(INDEXBUS_ALIGNOF(IndexbusEventsChainLayout4) == 64, "alignment of IndexbusEventsChainLayout4");
INDEXBUS_ASSERT(offsetof(IndexbusEventsChainLayout4, header) == 0, "offset of IndexbusEventsChainLayout4.header");
INDEXBUS_ASSERT(offsetof(IndexbusEventsChainLayout4, initialized) == 16, "offset of IndexbusEventsChainLayout4.initialized");
INDEXBUS_ASSERT(offsetof(IndexbusEventsChainLayout4, pool) == 64, "offset of IndexbusEventsChainLayout4.pool");
INDEXBUS_ASSERT(offsetof(IndexbusEventsChainLayout4, spsc) == 278656, "offset of IndexbusEventsChainLayout4.spsc");
INDEXBUS_ASSERT(offsetof(IndexbusEventsChainLayout4, mpsc) == 295552, "offset of IndexbusEventsChainLayout4.mpsc");

/* a sequenced ring of pooled slots */
typedef struct IndexbusSequencedSlotsLayout4 {
    IndexbusLayoutHeader header; /* the region's header */
    IndexbusAtomicU32 initialized; /* 0, then 1 while being made, then 2: ready; written by: creator */
    uint8_t unused0[44];
    IndexbusAtomicU64 cursor; /* sequences published; written by: producer */
    uint8_t unused1[56];
    IndexbusGate gating[4]; /* one per stage: how far it is done; written by: stage */
    IndexbusSlotPool pool; /* where payloads are */
    uint32_t ring[1024]; /* slot index of each sequence (chosen here); written by: producer */
} IndexbusSequencedSlotsLayout4;
INDEXBUS_ASSERT(sizeof(IndexbusSequencedSlotsLayout4) == 283072, "size of IndexbusSequencedSlotsLayout4");
INDEXBUS_ASSERT(INDEXBUS_ALIGNOF(IndexbusSequencedSlotsLayout4) == 64, "alignment of IndexbusSequencedSlotsLayout4");
INDEXBUS_ASSERT(offsetof(IndexbusSequencedSlotsLayout4, header) == 0, "offset of IndexbusSequencedSlotsLayout4.header");
INDEXBUS_ASSERT(offsetof(IndexbusSequencedSlotsLayout4, initialized) == 16, "offset of IndexbusSequencedSlotsLayout4.initialized");
INDEXBUS_ASSERT(offsetof(IndexbusSequencedSlotsLayout4, cursor) == 64, "offset of IndexbusSequencedSlotsLayout4.cursor");
INDEXBUS_ASSERT(offsetof(IndexbusSequencedSlotsLayout4, gating) == 128, "offset of IndexbusSequencedSlotsLayout4.gating");
INDEXBUS_ASSERT(offsetof(IndexbusSequencedSlotsLayout4, pool) == 384, "offset of IndexbusSequencedSlotsLayout4.pool");
INDEXBUS_ASSERT(offsetof(IndexbusSequencedSlotsLayout4, ring) == 278976, "offset of IndexbusSequencedSlotsLayout4.ring");

/* what precedes a journal's payload, which is padded to 8 bytes */
typedef struct IndexbusRecordHeader {
    uint32_t payload_len; /* length of the payload */
    IndexbusAtomicU32 flags; /* INDEXBUS_RECORD_COMMITTED is set last */
} IndexbusRecordHeader;
INDEXBUS_ASSERT(sizeof(IndexbusRecordHeader) == 8, "size of IndexbusRecordHeader");
INDEXBUS_ASSERT(INDEXBUS_ALIGNOF(IndexbusRecordHeader) == 4, "alignment of IndexbusRecordHeader");
INDEXBUS_ASSERT(offsetof(IndexbusRecordHeader, payload_len) == 0, "offset of IndexbusRecordHeader.payload_len");
INDEXBUS_ASSERT(offsetof(IndexbusRecordHeader, flags) == 4, "offset of IndexbusRecordHeader.flags");

/* `indexbus-msg` v1, little-endian: what precedes an untyped message in its slot */
typedef struct IndexbusMsgHeader {
    uint32_t magic; /* INDEXBUS_ENVELOPE_MAGIC: "USM1" */
    uint16_t flags; /* 0; a decoder rejects flags that it does not know */
    uint8_t codec_id; /* how the payload is encoded */
    uint8_t header_len; /* length of this header; a decoder skips what it does not know */
    uint64_t schema_id; /* what the payload is */
    uint32_t msg_type; /* which message */
    uint16_t msg_version; /* of which version */
    uint16_t payload_len; /* length of the payload; header and payload fit the slot */
} IndexbusMsgHeader;
INDEXBUS_ASSERT(sizeof(IndexbusMsgHeader) == 24, "size of IndexbusMsgHeader");
INDEXBUS_ASSERT(INDEXBUS_ALIGNOF(IndexbusMsgHeader) == 8, "alignment of IndexbusMsgHeader");
INDEXBUS_ASSERT(offsetof(IndexbusMsgHeader, magic) == 0, "offset of IndexbusMsgHeader.magic");
INDEXBUS_ASSERT(offsetof(IndexbusMsgHeader, flags) == 4, "offset of IndexbusMsgHeader.flags");
INDEXBUS_ASSERT(offsetof(IndexbusMsgHeader, codec_id) == 6, "offset of IndexbusMsgHeader.codec_id");
INDEXBUS_ASSERT(offsetof(IndexbusMsgHeader, header_len) == 7, "offset of IndexbusMsgHeader.header_len");
INDEXBUS_ASSERT(offsetof(IndexbusMsgHeader, schema_id) == 8, "offset of IndexbusMsgHeader.schema_id");
INDEXBUS_ASSERT(offsetof(IndexbusMsgHeader, msg_type) == 16, "offset of IndexbusMsgHeader.msg_type");
INDEXBUS_ASSERT(offsetof(IndexbusMsgHeader, msg_version) == 20, "offset of IndexbusMsgHeader.msg_version");
INDEXBUS_ASSERT(offsetof(IndexbusMsgHeader, payload_len) == 22, "offset of IndexbusMsgHeader.payload_len");

/* Offsets in any `sequencer`: a cursor and its gates. Copy the shape once, check the copy, and use that. */
static inline uint64_t indexbus_sequencer_initialized_at(IndexbusSequencerShape shape) {
    (void)shape;
    return 16;
}
static inline uint64_t indexbus_sequencer_cursor_at(IndexbusSequencerShape shape) {
    (void)shape;
    return 64;
}
static inline uint64_t indexbus_sequencer_gating_at(IndexbusSequencerShape shape, uint64_t i) {
    (void)shape;
    return 128 + i * 64;
}
static inline uint64_t indexbus_sequencer_bytes(IndexbusSequencerShape shape) {
    return 128 + 64 * shape.gates;
}

/* Offsets in any `sequenced_slots`: a sequenced ring of pooled slots. Copy the shape once, check the copy, and use that. */
static inline uint64_t indexbus_sequenced_slots_initialized_at(IndexbusSequencedSlotsShape shape) {
    (void)shape;
    return 16;
}
static inline uint64_t indexbus_sequenced_slots_cursor_at(IndexbusSequencedSlotsShape shape) {
    (void)shape;
    return 64;
}
static inline uint64_t indexbus_sequenced_slots_gating_at(IndexbusSequencedSlotsShape shape, uint64_t i) {
    (void)shape;
    return 128 + i * 64;
}
static inline uint64_t indexbus_sequenced_slots_pool_at(IndexbusSequencedSlotsShape shape) {
    return 128 + 64 * shape.gates;
}
static inline uint64_t indexbus_sequenced_slots_ring_at(IndexbusSequencedSlotsShape shape, uint64_t i) {
    return 278720 + 64 * shape.gates + i * 4;
}
static inline uint64_t indexbus_sequenced_slots_bytes(IndexbusSequencedSlotsShape shape) {
    return 282816 + 64 * shape.gates;
}

/* Offsets in any `events_chain`: pooled slots forwarded by index. Copy the shape once, check the copy, and use that. */
static inline uint64_t indexbus_events_chain_initialized_at(IndexbusEventsChainShape shape) {
    (void)shape;
    return 16;
}
static inline uint64_t indexbus_events_chain_pool_at(IndexbusEventsChainShape shape) {
    (void)shape;
    return 64;
}
static inline uint64_t indexbus_events_chain_spsc_at(IndexbusEventsChainShape shape, uint64_t i) {
    (void)shape;
    return 278656 + i * 4224;
}
static inline uint64_t indexbus_events_chain_mpsc_at(IndexbusEventsChainShape shape, uint64_t i) {
    return 278656 + 4224 * shape.queues + i * 16512;
}
static inline uint64_t indexbus_events_chain_bytes(IndexbusEventsChainShape shape) {
    return 278656 + 20736 * shape.queues;
}

/* Offsets in any `state`: the latest value, under an odd and even sequence. Copy the shape once, check the copy, and use that. */
static inline uint64_t indexbus_state_seq_at(IndexbusStateShape shape) {
    (void)shape;
    return 16;
}
static inline uint64_t indexbus_state_len_at(IndexbusStateShape shape) {
    (void)shape;
    return 24;
}
static inline uint64_t indexbus_state_pad_at(IndexbusStateShape shape) {
    (void)shape;
    return 28;
}
static inline uint64_t indexbus_state_data_at(IndexbusStateShape shape) {
    (void)shape;
    return 32;
}
static inline uint64_t indexbus_state_bytes(IndexbusStateShape shape) {
    return indexbus_up(32 + shape.max, 8);
}

/* Offsets in any `journal`: a segmented log. Copy the shape once, check the copy, and use that. */
static inline uint64_t indexbus_journal_initialized_at(IndexbusJournalShape shape) {
    (void)shape;
    return 16;
}
static inline uint64_t indexbus_journal_pub_pos_at(IndexbusJournalShape shape) {
    (void)shape;
    return 64;
}
static inline uint64_t indexbus_journal_active_segment_at(IndexbusJournalShape shape) {
    (void)shape;
    return 128;
}
static inline uint64_t indexbus_journal_segments_at(IndexbusJournalShape shape, uint64_t i) {
    (void)shape;
    return 192 + i * 64;
}
static inline uint64_t indexbus_journal_sub_pos_at(IndexbusJournalShape shape, uint64_t i) {
    return 192 + 64 * shape.segments + i * 8;
}
static inline uint64_t indexbus_journal_segment_bufs_at(IndexbusJournalShape shape, uint64_t i) {
    return indexbus_up(192 + 64 * shape.segments + 8 * shape.subscribers, 64) + i * shape.segment_bytes;
}
static inline uint64_t indexbus_journal_bytes(IndexbusJournalShape shape) {
    return indexbus_up(indexbus_up(192 + 64 * shape.segments + 8 * shape.subscribers, 64) + shape.segment_bytes * shape.segments, 64);
}

#endif /* INDEXBUS_V1_H */
