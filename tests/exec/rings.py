"""Small rings for the tests of the executor: one message type, a few stages, a plain oracle.

The stages are few and fixed, since each one costs a compilation.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from byteor import run
from byteor.exec.run import Run
from byteor.exec.stage import stage
from byteor.spec.build import SingleRingBuilder, message_type
from byteor.spec.model import SingleRing, State

TICK = message_type("tick", {"key": "u32", "px": "i64", "qty": "i64", "tag": "bytes(3)"})
TOTAL = message_type("total", {"key": "u32", "n": "i64", "sum": "i64"})
ROW = np.dtype([("key", "<u4"), ("px", "<i8"), ("qty", "<i8"), ("tag", "S3")])


def ticks(count: int) -> np.ndarray:
    """Rows that differ, with a few keys."""
    rows = np.zeros(count, ROW)
    rows["key"] = np.arange(count) * 7 % 13
    rows["px"] = np.arange(count)
    rows["qty"] = np.arange(count)[::-1]
    rows["tag"] = [b"abc"[: i % 4] for i in range(count)]
    return rows


def bump(rec: Any) -> None:
    rec.px += rec.qty


def odd(rec: Any) -> Any:
    return rec.px % 2 == 1


def some(rec: Any) -> Any:
    if rec.key == 3:
        return False


def double(batch: Any) -> None:
    batch["qty"] *= 2


def small(batch: Any, p: Any) -> Any:
    return batch["qty"] < p.most


def seen(batch: Any, live: Any) -> None:
    for i in range(len(batch)):
        if live[i]:
            batch[i].px += 1


@stage
def total(rec: Any, state: Any) -> None:
    state.n += 1
    state.sum += rec.px


@total.end
def total_end(out: Any, state: Any) -> int:
    for i in range(len(state)):
        out[i] = state[i]
    return len(state)


@stage
def tally(batch: Any, state: Any, index: Any) -> None:
    for i in range(len(batch)):
        if index[i] >= 0:
            row = state[index[i]]
            row.n += 1
            row.sum += batch[i].px


@tally.end
def tally_end(out: Any, state: Any) -> int:
    out[: len(state)] = state
    return len(state)


STAGES: dict[str, Any] = {f.__name__: f for f in (bump, odd, some, double, small, seen, total, tally)}
FORMS: dict[str, dict[str, Any]] = {
    "bump": {"reads": ("px", "qty"), "writes": ("px",)},
    "odd": {"min_out": 0, "reads": ("px",), "writes": ()},
    "some": {"min_out": 0, "reads": ("key",), "writes": ()},
    "double": {"form": "batch", "reads": ("qty",), "writes": ("qty",)},
    "small": {"form": "batch", "min_out": 0, "params": {"most": 150}, "reads": ("qty",), "writes": ()},
    "seen": {"form": "batch", "reads": ("px",), "writes": ("px",)},
    "total": {"state": State("total", ("key",), 64), "end": "total", "reads": ("key", "px"), "writes": ()},
    "tally": {"form": "batch", "state": State("total", ("key",), 64), "end": "total", "reads": ("px",), "writes": ()},
}


def ring(
    *stages: tuple[str, tuple[str, ...]], emit: str = "rows", plain: tuple[str, ...] = (), **fields: Any
) -> SingleRing:
    """A ring of named stages, each with those it comes after."""
    builder = SingleRingBuilder("test", TICK, **{"capacity": 64, **fields}).type(TOTAL)
    for name, after in stages:
        builder.stage(name, f"rings:{name}", after, **{"compiled": name not in plain, **FORMS[name]})
    sort = ("key",) if emit != "rows" else ()
    return builder.egress("out", emit=emit, sort=sort).build()


def bring_up(spec: SingleRing, **options: Any) -> Run:
    return run(spec, {s.name: STAGES[s.name] for s in spec.stages}, **options)


def chunks(rows: np.ndarray, size: int) -> Iterator[np.ndarray]:
    for at in range(0, len(rows), size):
        yield rows[at : at + size]


def through(spec: SingleRing, rows: np.ndarray, **options: Any) -> dict[str, bytes]:
    """All that leaves a run, by egress."""
    out: dict[str, bytes] = {}
    with bring_up(spec, **options) as made:
        name = "out"
        if spec.egress and spec.egress.emit == "end":
            for part in chunks(rows, 50):
                made.ingress().send(part)
            made.ingress().close()
            out["out"] = b"".join(batch.tobytes() for batch in made.egress())
            return out
        out[name] = b"".join(batch.tobytes() for batch in made.through(chunks(rows, 50), name))
        if spec.egress and spec.egress.emit == "both":
            out["out.end"] = b"".join(batch.tobytes() for batch in made.egress("out.end"))
    return out


def by_hand(spec: SingleRing, rows: np.ndarray) -> dict[str, bytes]:
    """The same by a loop over dictionaries that shares no code with the executor."""
    kept, totals = [], {}
    for row in rows:
        rec = {name: row[name].item() for name in ROW.names or ()}
        alive = [True] * len(spec.stages)
        for i, one in enumerate(spec.stages):
            before = all(alive[j] for j in one.depends_on)
            alive[i] = before and _naive(one.name, rec, totals)
        if all(alive):
            kept.append(tuple(rec.values()))
    out = np.array(kept, ROW)
    ends = np.array([(k, *v) for k, v in sorted(totals.items())], [("key", "<u4"), ("n", "<i8"), ("sum", "<i8")])
    emit = spec.egress.emit if spec.egress else "rows"
    if emit == "end":
        return {"out": ends.tobytes()}
    return {"out": out.tobytes()} | ({"out.end": ends.tobytes()} if emit == "both" else {})


def _naive(name: str, rec: dict[str, Any], totals: dict[int, list[int]]) -> bool:
    if name == "bump":
        rec["px"] += rec["qty"]
    elif name == "double":
        rec["qty"] *= 2
    elif name == "seen":
        rec["px"] += 1
    elif name in ("total", "tally"):
        entry = totals.setdefault(rec["key"], [0, 0])
        entry[0] += 1
        entry[1] += rec["px"]
    elif name == "odd":
        return bool(rec["px"] % 2 == 1)
    elif name == "some":
        return bool(rec["key"] != 3)
    elif name == "small":
        return bool(rec["qty"] < 150)
    return True


def sharded(spec: SingleRing, shards: int) -> SingleRing:
    return replace(spec, shards=shards, ordering="per_key" if shards > 1 else "strict", shard_key="key")
