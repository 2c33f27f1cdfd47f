"""The hot entries of roles, compiled to be looked at: commits, ends, and the turns of every form and policy.

Rule 1. One form has all that can be compiled into a stage's turns: what another leaves out is looked at here.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from byteor.kernel import commit, feed, links, moves, steps, turns
from byteor.kernel.hot import hot
from byteor.kernel.plain import view
from byteor.kernel.wait import Waiter

ROW = np.dtype([("a", "<i8"), ("b", "<i8")])
WORD = 0  # addresses and counts; only their types matter
WAITER = Waiter(0, 0, 0, 0, 0)
DESK = commit.Desk(*[0] * len(commit.Desk._fields))
FEED = feed.Feed(*[0] * len(feed.Feed._fields))
MOVER = moves.Mover(*[0] * len(moves.Mover._fields))

Entry = tuple[Any, tuple[Any, ...]]
RULED_OUT = {"feed_rows": ("has_news",)}  # it waits for room alone, so LLVM takes this away; other entries have it


@hot
def keep_some(record: Any, out: Any, src: Any, live: Any, index: Any, state: Any, p: Any) -> Any:
    state.a += record.a
    return record.a % 2 == 0


@hot
def give_two(record: Any, out: Any, src: Any, live: Any, index: Any, state: Any, p: Any) -> Any:
    out[0], out[1] = record, record
    state.a += record.a
    return 2


@hot
def mask_some(batch: Any, out: Any, src: Any, live: Any, index: Any, state: Any, p: Any) -> Any:
    return batch["a"] % 2 == 0


@hot
def give_batch(batch: Any, out: Any, src: Any, live: Any, index: Any, state: Any, p: Any) -> Any:
    out[: len(batch)] = batch
    return len(batch)


@hot
def row_of(keys: Any, slot: Any) -> Any:
    return keys[slot]


STAGES = {
    "message": (steps.make_message_work, keep_some),
    "giving": (steps.make_giving_work, give_two),
    "batch": (steps.make_batch_work, mask_some),
    "giving batch": (steps.make_giving_batch_work, give_batch),
}


def _stages() -> dict[str, Entry]:
    rows, numbers = np.zeros(4, ROW), np.zeros(4, np.int64)
    scratch = np.zeros(4, np.bool_), np.zeros(4, np.int32), np.zeros(4, np.int32)
    bench = steps.Bench(rows, numbers, rows, 0, 0, 0, 0, 0, *scratch)
    form = steps.Form(filters=True, raises=True, keyed=True, masks=True, min_out=0, max_out=2)
    found = {}
    for name, (make, call) in STAGES.items():
        work = make(view(ROW), view(ROW), call, row_of, form)
        found[f"turns, {name}"] = turns.make_turns(work), (DESK, bench, 4, WAITER)
    lean = steps.make_message_work(view(ROW), view(ROW), keep_some, row_of, steps.Form(filters=True, raises=True))
    found["turns, message, lean"] = turns.make_turns(lean), (DESK, bench, 4, WAITER)
    return found


def _movers() -> dict[str, Entry]:
    pairs = [(pick, "") for pick in moves.PICKS] + [("", route) for route in moves.ROUTES if route]
    found = {}
    for pick, route in pairs:
        work = moves.make_mover(moves.PICKS[pick], moves.ROUTES[route])
        found[f"turns, {pick or route or 'bridge'}"] = turns.make_turns(work), (DESK, MOVER, 4, WAITER)
    return found


def role_entries() -> dict[str, Entry]:
    """Every hot entry of a role by name, with its arguments."""
    return {
        "commit": (commit.commit, (DESK,)),
        "settle": (commit.settle, (DESK,)),
        "recover": (commit.recover, (DESK,)),
        "read_record": (commit.read_record, (WORD, WORD, WORD, 4, 2)),
        "close_outputs": (commit.close_outputs, (DESK,)),
        "feed_rows": (feed.feed_rows, (DESK, FEED, 4, 4, WAITER)),
        "await_turn": (feed.await_turn, (DESK, 1, WAITER)),
        "settle_turn": (feed.settle_turn, (DESK,)),
        "look_at_lane": (links.look_at_lane, (DESK,)),
        "settle_link": (links.settle_link, (DESK,)),
        "post": (links.post, (WORD, WORD, WORD)),
        "await_mail": (links.await_mail, (DESK, WORD, WORD, WAITER)),
        "await_credit": (links.await_credit, (DESK, WORD, WORD, WAITER)),
        **_stages(),
        **_movers(),
    }
