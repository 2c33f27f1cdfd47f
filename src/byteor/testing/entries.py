"""What is compiled to be looked at: every hot entry of the kernel, with arguments like those it is run with.

Rule 1. Two cells, two bells, two shards: no operation is left out because there is nothing for it to do.
Rule 2. Stages are small: what is looked at is the loop around them.
Rule 3. Every atomic operation in the kernel's source belongs to an entry; `kernel_sites` names them all.
"""

from __future__ import annotations

import ast
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

import byteor.kernel
from byteor.kernel import ends, handles, journal, lanes, loops, objects, ring, shards, state, wait
from byteor.kernel.atomics import (
    cas,
    exchange,
    fence_acquire,
    fence_release,
    fence_seq_cst,
    fetch_add,
    load_acquire,
    load_relaxed,
    spin_hint,
    store_relaxed,
    store_release,
)
from byteor.kernel.hot import hot
from byteor.kernel.ring import advance
from byteor.testing.role_entries import RULED_OUT, role_entries
from byteor.testing.tagged import Compiled, Tree, calls

ROW = np.dtype([("a", "<i8"), ("b", "<i8")])
WORD, HANDLE, PAIR, END = 0, 0, (0, 0), objects.Handle(bytes(8), None)  # addresses; only their types matter
PLACE = state.Place(0, 0, 0, 1, 3)
LOG = journal.Log(0, 0, 0, 0, 0, 2, 64)
WAITER = wait.Waiter(0, 0, 0, 0, 0)
PORT = loops.Port(PAIR, 0, 0, PAIR, PAIR, 0, 4)
ROUTES = shards.Routes(PAIR, PAIR, (PAIR, PAIR), (PAIR, PAIR), 0, 0, 2)


def _rows() -> Any:
    return np.zeros(4, ROW)


def _numbers(kind: Any = np.int64) -> Any:
    return np.zeros(4, kind)


def _dead() -> Any:
    return np.zeros((2, 4), np.uint8)


# Small stages


@hot
def fill(record: Any, number: Any, p: Any) -> None:
    record.a = number
    record.b = -number


@hot
def keep_even(record: Any, live: Any, index: Any, state: Any, p: Any) -> Any:
    record.b += record.a
    return record.a % 2 == 0


@hot
def mask_even(batch: Any, live: Any, index: Any, state: Any, p: Any) -> Any:
    return batch["a"] % 2 == 0


@hot
def row_of(keys: Any, slot: Any) -> Any:
    return keys[slot]


@hot
def rows_of(keys: Any, slot: Any, live: Any, index: Any) -> Any:
    for i in range(len(live)):
        index[i] = keys[slot + i]
    return index[0]


# Every operation, and the orders that a death would show


@hot
def each_operation(a: Any, b: Any, slots: Any) -> None:
    """Each operation once, with payload between, so that none is next to its like."""
    slots[0].a = load_relaxed(a)
    fence_acquire()
    slots[0].b = load_acquire(b)
    fence_release()
    store_relaxed(a, slots[1].a)
    fence_seq_cst()
    slots[1].b = fetch_add(b, 3)
    spin_hint()
    slots[2].a = exchange(a, 4)
    slots[2].b = cas(b, 5, 6)
    store_release(b, 7)


@hot
def put_one(cursor: Any, slots: Any, sequence: Any, a: Any, b: Any) -> None:
    """A producer's last steps: the payload, then the cursor."""
    slot = slots[sequence & (len(slots) - 1)]
    slot.a = a
    slot.b = b
    store_release(cursor, sequence + 1)


@hot
def pass_on(gate: Any, dead: Any, sequence: Any, first: Any, second: Any, bells: Any) -> None:
    """A filtering stage's last steps: its dead cells, then the gate."""
    dead[0, sequence & 3] = first
    dead[1, sequence & 3] = second
    advance(gate, sequence + 1, bells)


def _message_loop(**shape: bool) -> Any:
    return loops.make_message_loop(keep_even, row_of, loops.Shape(raises=True, keyed=True, skips=True, **shape))


def _batch_loop(**shape: bool) -> Any:
    return loops.make_batch_loop(mask_even, rows_of, loops.Shape(skips=True, keyed=True, masks=True, **shape))


def _entries() -> dict[str, tuple[Any, tuple[Any, ...]]]:
    rows, numbers, dead = _rows(), _numbers(), _dead()
    stage = (PORT, rows, dead, rows, numbers, rows, WAITER)
    lives = (_numbers(np.bool_), _numbers(np.int32))
    places = _numbers(np.uint16)
    return {
        "each operation": (each_operation, (WORD, WORD, rows)),
        "wait_past": (wait.wait_past, (PAIR, 0, WAITER)),
        "ring": (wait.ring, (PAIR,)),
        "send": (ring.send, (WORD, numbers, PAIR, rows, rows, WAITER, PAIR, 4)),
        "collect": (ring.collect, (PAIR, WORD, rows, dead, PAIR, rows, WAITER, PAIR)),
        "close": (ring.close, (WORD, WORD, PAIR)),
        "advance": (ring.advance, (WORD, 0, PAIR)),
        "source loop": (ring.make_source_loop(fill), (WORD, numbers, PAIR, rows, 4, rows, WAITER, PAIR, 4)),
        "message loop, filters": (_message_loop(filters=True), stage),
        "message loop": (_message_loop(), stage),
        "batch loop, filters": (_batch_loop(filters=True, live=True), (*stage, *lives)),
        "batch loop": (_batch_loop(), (*stage, *lives)),
        "publish": (shards.publish, (ROUTES, numbers, 0, PAIR)),
        "scatter": (shards.scatter, (ROUTES, rows, places, numbers, rows, numbers, numbers, WAITER, PAIR, 4)),
        "wait_news": (lanes.wait_news, (PAIR, numbers, PAIR, numbers, WORD, 0, 0)),
        "look": (lanes.look, (WORD,)),
        "try_send": (ends.try_send, (HANDLE, rows[0])),
        "try_send_many": (ends.try_send_many, (HANDLE, rows)),
        "try_receive": (ends.try_receive, (HANDLE, rows[0])),
        "try_receive_many": (ends.try_receive_many, (HANDLE, rows)),
        "take_row": (ends.take_row, (HANDLE, 4)),
        "send_bytes": (objects.send_bytes, (END, END)),
        "send_record": (objects.send_record, (END, END)),
        "receive_bytes": (objects.receive_bytes, (END, END)),
        "receive_record": (objects.receive_record, (END, END)),
        "state, put": (state.put, (PLACE, WORD, 3)),
        "state, get": (state.get, (PLACE, WORD, 2)),
        "journal, append": (journal.append, (LOG, WORD, 4)),
        "journal, take": (journal.take, (LOG, WORD, WORD)),
        "journal, extend": (journal.extend, (LOG, LOG, WORD, 4)),
        "journal, walk": (journal.walk, (LOG, 0, 0, 0)),
        "try_put": (handles.try_put, (HANDLE, rows[0])),
        "try_get": (handles.try_get, (HANDLE, rows[0], 2)),
        "try_append": (handles.try_append, (HANDLE, rows[0])),
        "try_take": (handles.try_take, (HANDLE, rows[0], 2)),
        "ring_all": (lanes.ring_all, (WORD,)),
        "wait_change": (lanes.wait_change, (WORD, 0, WORD, 0, WORD, 0, 0)),
        "gather": (shards.gather, (ROUTES, rows, places, dead, PAIR, rows, numbers, WAITER, PAIR)),
        **role_entries(),
    }


ENTRIES = _entries()
BEFORE_DEATH: dict[str, tuple[Any, tuple[Any, ...]]] = {
    "put_one": (put_one, (WORD, _rows(), 0, 1, 2)),
    "pass_on": (pass_on, (WORD, _dead(), 0, 1, 0, (0,))),
}


def compiled(name: str, tree: Tree) -> Compiled:
    """An entry, compiled; what it cannot come to is not asked for."""
    function, args = ENTRIES[name]
    whole = tree(function, *args)
    left_out = RULED_OUT.get(name, ())
    return replace(whole, asked={n: site for n, site in whole.asked.items() if site.function not in left_out})


def kernel_sites() -> set[tuple[str, int, str]]:
    """Every operation that the kernel's source asks for: file, line, name."""
    found = set()
    for path in sorted(Path(byteor.kernel.__file__).parent.glob("*.py")):
        if path.stem != "atomics":  # where they are defined
            tree = ast.parse(path.read_text(encoding="utf-8"))
            found |= {(path.stem, call.lineno, name) for name, call in calls(tree)}
    return found
