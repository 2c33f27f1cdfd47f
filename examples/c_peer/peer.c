/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* A program that shares lanes with Python, from the generated header alone.
 *
 *     cc -std=c11 -O2 -I spec examples/c_peer/peer.c -o peer
 *     peer send LANE COUNT        peer receive LANE COUNT [READER]
 *
 * Rule 1. Everything that the region says of itself is copied once, checked, and used as the copy.
 * Rule 2. An end holds the lock of its cell, on a descriptor that is never mapped.
 * Rule 3. Message n has n * (2 i + 1) as its word i; whoever receives checks each word, the order, and a sum.
 */
#define _GNU_SOURCE
#include "byteor_v1.h"

#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { WORDS = 8, BYTES = 8 * WORDS, RECORD = sizeof(ByteorRecordHeader) + BYTES };

typedef struct Lane {
    unsigned char *memory;
    ByteorHeader header;
    const char *path;
    int kind, lock;
    uint64_t reader; /* the number of the gate to win */
} Lane;

typedef struct Tally {
    int64_t next, missed, sum;
} Tally;

static _Noreturn void fail(const char *path, const char *what) {
    fprintf(stderr, "%s: %s\n", path, what);
    exit(1);
}

/* Shared words. */

static int64_t *word(const Lane *lane, uint64_t at) { return (int64_t *)(void *)(lane->memory + at); }
static int64_t relaxed(const int64_t *at) { return __atomic_load_n(at, __ATOMIC_RELAXED); }
static int64_t acquire(const int64_t *at) { return __atomic_load_n(at, __ATOMIC_ACQUIRE); }
static void put(int64_t *at, int64_t value) { __atomic_store_n(at, value, __ATOMIC_RELAXED); }
static void release(int64_t *at, int64_t value) { __atomic_store_n(at, value, __ATOMIC_RELEASE); }

/* Payload that is written over while it is read goes word by word. */
static void copy_words(int64_t *to, const int64_t *from, int64_t words) {
    for (int64_t i = 0; i < words; i++) put(to + i, relaxed(from + i));
}

static void idle(int *turns) {
    if (++*turns % 64 == 0) sched_yield();
}

/* Messages. */

static void fill(int64_t *words, int64_t number) {
    for (int64_t i = 0; i < WORDS; i++) words[i] = number * (2 * i + 1);
}

static void take(Tally *tally, const int64_t *words, const char *path) {
    int64_t folded = 0;
    for (int64_t i = 0; i < WORDS; i++) {
        if (words[i] != words[0] * (2 * i + 1)) fail(path, "a torn message");
        folded ^= words[i];
    }
    if (words[0] < tally->next) fail(path, "a message out of order");
    tally->missed += words[0] - tally->next;
    tally->next = words[0] + 1;
    tally->sum = (tally->sum * 31 + folded) & ((INT64_C(1) << 56) - 1);
}

/* Regions and cells. */

static void map(Lane *lane, const char *path) {
    struct stat facts;
    int fd = open(path, O_RDWR | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &facts) != 0) fail(path, "it cannot be opened");
    if (pread(fd, &lane->header, sizeof lane->header, 0) != (ssize_t)sizeof lane->header) fail(path, "it has no header");
    const IndexbusLayoutHeader *abi = &lane->header.abi;
    if (abi->magic != INDEXBUS_MAGIC || abi->version != INDEXBUS_VERSION) fail(path, "it is no region of this version");
    if (lane->header.initialized.value != INDEXBUS_READY) fail(path, "it is not ready");
    if (facts.st_size != (off_t)abi->layout_bytes) fail(path, "its length is not what its header says");
    if (abi->capabilities & BYTEOR_CAPABILITIES_REQUIRED) fail(path, "it has a capability that is not known here");
    void *memory = mmap(NULL, abi->layout_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (memory == MAP_FAILED) fail(path, "it cannot be mapped");
    close(fd);
    lane->memory = memory;
    lane->path = path;
    lane->kind = abi->flags & INDEXBUS_KIND_MASK;
}

static void shape(const Lane *lane, void *copy, size_t size) { memcpy(copy, lane->memory + BYTEOR_SHAPE_AT, size); }

static void hold_to(const Lane *lane, uint64_t bytes) {
    if (bytes != lane->header.abi.layout_bytes) fail(lane->path, "its length is not what its shape says");
}

/* Win a cell: its lock first, then the names for people. */
static ByteorOwned *win(Lane *lane, uint64_t at) {
    struct flock range = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = (off_t)at, .l_len = 1};
    lane->lock = open(lane->path, O_RDWR | O_NOFOLLOW | O_CLOEXEC);
    if (lane->lock < 0 || fcntl(lane->lock, F_OFD_SETLK, &range) != 0) fail(lane->path, "its cell is taken");
    ByteorOwned *cell = (ByteorOwned *)(void *)(lane->memory + at);
    memset(cell->name, 0, sizeof cell->name);
    strcpy((char *)cell->name, "c peer");
    put(&cell->pid, getpid());
    return cell;
}

static void leave(Lane *lane, ByteorOwned *cell) {
    put(&cell->pid, 0);
    close(lane->lock);
}

/* Events and fanout: a ring with a cursor and gates. */

static ByteorLaneShape ring_shape(const Lane *lane) {
    ByteorLaneShape it;
    shape(lane, &it, sizeof it);
    if (it.rings != 1 || !it.gates || !it.capacity || it.capacity & (it.capacity - 1) || it.slot_bytes != BYTES)
        fail(lane->path, "its shape is not one for this peer");
    hold_to(lane, byteor_lane_bytes(it));
    return it;
}

static void send_ring(Lane *lane, int64_t count) {
    ByteorLaneShape it = ring_shape(lane);
    ByteorOwned *cell = win(lane, byteor_lane_cursor_at(it, 0));
    int64_t *cursor = &cell->value.value, next = relaxed(cursor), capacity = (int64_t)it.capacity, seen = 0;
    for (; next < count; next++) {
        for (int turns = 0; next - seen >= capacity; idle(&turns)) {
            seen = next; /* a reader that left for good is past all */
            for (uint64_t g = 0; g < it.gates; g++) {
                int64_t gate = acquire(word(lane, byteor_lane_gate_at(it, g)));
                seen = gate < seen ? gate : seen;
            }
        }
        fill(word(lane, byteor_lane_slots_at(it, (uint64_t)(next & (capacity - 1)))), next);
        release(cursor, next + 1);
    }
    release(word(lane, byteor_lane_closed_at(it, 0)), next);
    leave(lane, cell);
}

static void receive_ring(Lane *lane, Tally *tally) {
    ByteorLaneShape it = ring_shape(lane);
    if (lane->reader >= it.gates) fail(lane->path, "it has no such reader");
    ByteorOwned *cell = win(lane, byteor_lane_gate_at(it, lane->reader));
    int64_t *cursor = word(lane, byteor_lane_cursor_at(it, 0)), *closed = word(lane, byteor_lane_closed_at(it, 0));
    int64_t taken = relaxed(&cell->value.value), mask = (int64_t)it.capacity - 1;
    for (int turns = 0; acquire(closed) != taken; idle(&turns)) {
        for (int64_t seen = acquire(cursor); taken < seen; release(&cell->value.value, ++taken))
            take(tally, word(lane, byteor_lane_slots_at(it, (uint64_t)(taken & mask))), lane->path);
    }
    leave(lane, cell);
}

/* State: slots that are written over, judged by `intent`. */

static ByteorStateShape state_shape(const Lane *lane) {
    ByteorStateShape it;
    shape(lane, &it, sizeof it);
    if (it.capacity < 4 || it.capacity & (it.capacity - 1) || it.slot_bytes != BYTES)
        fail(lane->path, "its shape is not one for this peer");
    hold_to(lane, byteor_state_bytes(it));
    return it;
}

enum { STAMP = offsetof(ByteorValue, stamp) / 8, LENGTH = offsetof(ByteorValue, length) / 8 };
enum { DATA = offsetof(ByteorValue, data) / 8, VALUE = DATA + WORDS };

static void send_state(Lane *lane, int64_t count) {
    ByteorStateShape it = state_shape(lane);
    ByteorOwned *cell = win(lane, byteor_state_cursor_at(it));
    int64_t *cursor = &cell->value.value, *intent = word(lane, byteor_state_intent_at(it)), value[VALUE];
    int64_t next = relaxed(cursor);
    for (; next < count; next++) {
        struct timespec now;
        clock_gettime(CLOCK_MONOTONIC, &now);
        value[STAMP] = now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
        value[LENGTH] = BYTES;
        fill(value + DATA, next);
        put(intent, next + 1);
        __atomic_thread_fence(__ATOMIC_RELEASE);
        copy_words(word(lane, byteor_state_slots_at(it, (uint64_t)next & (it.capacity - 1))), value, VALUE);
        release(cursor, next + 1);
    }
    release(word(lane, byteor_state_closed_at(it)), next);
    leave(lane, cell);
}

static void receive_state(Lane *lane, Tally *tally) {
    ByteorStateShape it = state_shape(lane);
    int64_t *cursor = word(lane, byteor_state_cursor_at(it)), *intent = word(lane, byteor_state_intent_at(it));
    int64_t *closed = word(lane, byteor_state_closed_at(it)), last = 0, value[VALUE], mask = (int64_t)it.capacity - 1;
    for (int turns = 0; acquire(closed) != last; idle(&turns)) {
        int64_t sequence = acquire(cursor);
        if (sequence == last) continue;
        copy_words(value, word(lane, byteor_state_slots_at(it, (uint64_t)((sequence - 1) & mask))), VALUE);
        __atomic_thread_fence(__ATOMIC_ACQUIRE);
        if (relaxed(intent) - sequence > mask) continue; /* it was passed, and looks again */
        if (value[DATA] != sequence - 1) fail(lane->path, "a value of another number");
        take(tally, value + DATA, lane->path);
        last = sequence;
    }
}

/* Journals that are written over. */

enum { HEAD = sizeof(ByteorRecordHeader) / 8, SEQUENCE = offsetof(ByteorRecordHeader, sequence) / 8 };
static const int64_t COMMITTED = (int64_t)BYTEOR_RECORD_COMMITTED << 32, PADDING = (int64_t)BYTEOR_RECORD_PADDING << 32;

typedef struct Log {
    const Lane *lane;
    ByteorJournalShape it;
    int64_t *cursor, *sequence, *intent, length, whole;
} Log;

static Log journal(const Lane *lane) {
    Log log = {.lane = lane};
    shape(lane, &log.it, sizeof log.it);
    ByteorJournalShape it = log.it;
    if (it.segments < 2 || it.segments > 1024 || it.segment_bytes < 4096 || it.segment_bytes & (it.segment_bytes - 1))
        fail(lane->path, "its shape is not one for this peer");
    hold_to(lane, byteor_journal_bytes(it));
    log.cursor = word(lane, byteor_journal_cursor_at(it));
    log.sequence = word(lane, byteor_journal_sequence_at(it));
    log.intent = word(lane, byteor_journal_intent_at(it));
    log.length = (int64_t)it.segment_bytes;
    log.whole = log.length * (int64_t)it.segments;
    return log;
}

static int64_t *at(const Log *log, int64_t position) {
    return word(log->lane, byteor_journal_records_at(log->it, 0) + (uint64_t)(position % log->whole));
}

static ByteorSegment *row(const Log *log, int64_t position) {
    uint64_t number = (uint64_t)(position / log->length) % log->it.segments;
    return (ByteorSegment *)(void *)word(log->lane, byteor_journal_segment_at(log->it, number));
}

/* End the segment before `position`, whose last `rest` bytes are free, and begin the one there. */
static void turn(const Log *log, int64_t position, int64_t rest, int64_t number) {
    if (position > 0) {
        if (rest > 0) put(at(log, position - rest), COMMITTED | PADDING | (rest - 8));
        put(&row(log, position - 1)->tail.value, log->length - rest);
    }
    put(&row(log, position)->number.value, position / log->length);
    put(&row(log, position)->first.value, number);
    put(&row(log, position)->tail.value, 0);
}

static void send_journal(Lane *lane, int64_t count) {
    Log log = journal(lane);
    ByteorOwned *cell = win(lane, byteor_journal_cursor_at(log.it));
    if (relaxed(log.cursor) != 0) fail(lane->path, "this peer begins logs, and does not go on with them");
    int64_t end = 0, record[RECORD / 8] = {0};
    for (int64_t number = 0; number < count; number++) {
        int64_t rest = (log.length - end % log.length) % log.length;
        int64_t begin = RECORD <= rest ? end : end + rest;
        record[0] = COMMITTED | BYTES;
        record[SEQUENCE] = number;
        fill(record + HEAD, number);
        put(log.intent, begin + RECORD);
        __atomic_thread_fence(__ATOMIC_RELEASE);
        if (begin % log.length == 0) turn(&log, begin, rest, number);
        copy_words(at(&log, begin) + 1, record + 1, RECORD / 8 - 1);
        put(at(&log, begin), record[0]);
        put(log.sequence, number + 1);
        release(log.cursor, end = begin + RECORD);
    }
    release(word(lane, byteor_journal_closed_at(log.it)), end);
    leave(lane, cell);
}

/* Take one record; answer where to go on, which is the same place when nothing is there. */
static int64_t take_record(const Log *log, int64_t position, Tally *tally) {
    int64_t record[RECORD / 8], rest = log->length - position % log->length;
    if (position >= acquire(log->cursor)) return position;
    int64_t size = rest < RECORD ? rest : RECORD;
    copy_words(record, at(log, position), size / 8);
    __atomic_thread_fence(__ATOMIC_ACQUIRE);
    int64_t intent = relaxed(log->intent);
    if (intent - position > log->whole) return ((intent - 1) / log->length - (int64_t)log->it.segments + 1) * log->length;
    if (record[0] == (COMMITTED | PADDING | (rest - 8))) return position + rest;
    if (record[0] != (COMMITTED | BYTES)) fail(log->lane->path, "what is there is no record");
    if (record[SEQUENCE] != record[HEAD]) fail(log->lane->path, "a record of another number");
    take(tally, record + HEAD, log->lane->path);
    return position + RECORD;
}

static void receive_journal(Lane *lane, Tally *tally) {
    Log log = journal(lane);
    if (lane->reader >= log.it.gates) fail(lane->path, "it has no such reader");
    ByteorOwned *cell = win(lane, byteor_journal_gate_at(log.it, lane->reader));
    int64_t *closed = word(lane, byteor_journal_closed_at(log.it)), position = relaxed(&cell->value.value);
    for (int turns = 0; acquire(closed) != position; idle(&turns)) {
        int64_t next;
        while ((next = take_record(&log, position, tally)) != position) release(&cell->value.value, position = next);
    }
    leave(lane, cell);
}

int main(int argc, char **argv) {
    if (argc != 4 && argc != 5) fail("peer", "usage: peer send LANE COUNT | peer receive LANE COUNT [READER]");
    Lane lane = {.lock = -1, .reader = argc == 5 ? strtoull(argv[4], NULL, 10) : 0};
    Tally tally = {0, 0, 0};
    int sends = strcmp(argv[1], "send") == 0;
    int64_t count = strtoll(argv[3], NULL, 10);
    map(&lane, argv[2]);
    if (lane.kind == BYTEOR_KIND_EVENTS || lane.kind == BYTEOR_KIND_FANOUT)
        sends ? send_ring(&lane, count) : receive_ring(&lane, &tally);
    else if (lane.kind == BYTEOR_KIND_STATE)
        sends ? send_state(&lane, count) : receive_state(&lane, &tally);
    else if (lane.kind == BYTEOR_KIND_JOURNAL)
        sends ? send_journal(&lane, count) : receive_journal(&lane, &tally);
    else
        fail(argv[2], "it is no lane that this peer knows");
    if (!sends) {
        tally.missed += count - tally.next;
        printf("%lld missed, sum %lld\n", (long long)tally.missed, (long long)tally.sum);
    }
    return 0;
}
