"""Long load: rings with slow stages, full rings, failing stages and stopped runs, one after the other.

Rule 1. Every run is checked to the message: what came in is what stages did, what was filtered and what came out.
Rule 2. After a warm-up, memory and descriptors stay flat; a time line shows them while it runs. What was freed,
        and the allocator only keeps for later, does not count: it is given back before anybody looks.
Rule 3. The choices are drawn from a seed, so a run that failed can be repeated.
"""

from __future__ import annotations

import ctypes
import gc
import os
import random
import sys
import time
from collections import Counter
from dataclasses import dataclass, field, replace
from typing import Any

from dev.steps import ROOT

LINE_SECONDS = 30.0
FLAT = 1.05


def bump(rec: Any) -> None:
    rec.value += 1


def third(rec: Any) -> Any:
    return rec.number % 3 != 0


def slow(batch: Any) -> None:
    """Let the ring behind it fill."""
    time.sleep(0.0005)


def tally(rec: Any, state: Any) -> None:
    state.n += 1
    state.sum += rec.value


def tally_end(out: Any, state: Any) -> int:
    for i in range(len(state)):
        out[i] = state[i]
    return len(state)


def fails(rec: Any, p: Any) -> None:
    if rec.number == p.at:
        raise ValueError


def fill(rec: Any, number: int) -> None:
    rec.number, rec.value, rec.key = number, number * 2, number % 7


@dataclass
class Tally:
    """What was done so far."""

    runs: Counter[str] = field(default_factory=Counter)
    messages: int = 0
    wrong: list[str] = field(default_factory=list)


def _specs() -> dict[str, Any]:
    from byteor.exec.stage import stage
    from byteor.spec.build import SingleRingBuilder, message_type
    from byteor.spec.model import State

    kind = message_type("load", {"number": "i64", "value": "i64", "key": "u8"})
    total = message_type("total", {"key": "u8", "n": "i64", "sum": "i64"})
    tallied = stage(tally)
    tallied.end(tally_end)
    codes = {"bump": bump, "third": third, "slow": slow, "tally": tallied, "fails": fails}

    def ring(*stages: tuple[str, list[str], dict[str, Any]]) -> Any:
        builder = SingleRingBuilder("soak", kind).type(total)
        for name, after, fields in stages:
            builder.stage(name, f"soak:{name}", after, **fields)
        emit = "both" if any(name == "tally" for name, *_ in stages) else "rows"
        return builder.egress("out", emit=emit, sort=("key",) if emit == "both" else ()).build()

    one = {"reads": ("value",), "writes": ("value",)}
    keep = {"min_out": 0, "reads": ("number",), "writes": ()}
    late = {"form": "batch", "compiled": False, "reads": (), "writes": ()}
    sums = {"state": State("total", ("key",), 16), "end": "total", "reads": ("key", "value"), "writes": ()}
    specs = {
        "chain": ring(("bump", [], one), ("third", ["bump"], keep)),
        "slow": ring(("bump", [], one), ("slow", ["bump"], late), ("third", ["slow"], keep)),
        "diamond": ring(("bump", [], one), ("third", [], keep), ("tally", ["bump", "third"], sums)),
        "fails": ring(
            ("bump", [], one), ("fails", ["bump"], {"params": {"at": 0}, "reads": ("number",), "writes": ()})
        ),
    }
    return {"specs": specs, "codes": codes}


def _bring_up(made: dict[str, Any], name: str, dice: random.Random, **fields: Any) -> Any:
    from byteor import run

    shards = dice.choice([1, 1, 3]) if name == "diamond" else 1
    per_key = {"shards": shards, "ordering": "per_key", "shard_key": "key"} if shards > 1 else {}
    spec = replace(made["specs"][name], capacity=dice.choice([1, 2, 8, 64, 4096, 65536]), **per_key, **fields)
    codes = {stage.name: made["codes"][stage.name] for stage in spec.stages}
    wait = dice.choice(["yield", "backoff", "backoff", "block"])
    return run(spec, codes, wait=wait, batch=dice.choice([1, 7, 256, 4096]))


def _rows(count: int) -> Any:
    import numpy as np

    rows = np.zeros(count, [("number", "<i8"), ("value", "<i8"), ("key", "u1")])
    rows["number"] = np.arange(count)
    rows["value"] = rows["number"] * 2
    rows["key"] = rows["number"] % 7
    return rows


def _whole(made: dict[str, Any], name: str, dice: random.Random) -> tuple[int, str]:
    """A run to its end: every message is accounted for, and its value is right."""
    import numpy as np

    run = _bring_up(made, name, dice)
    roomy = run.spec.capacity >= 64  # a smaller ring pays a change of threads every few messages
    count = dice.choice([20_000, 200_000, 400_000] if roomy and name != "slow" else [500, 2_000])
    with run:
        parts = list(run.through(np.array_split(_rows(count), 9), "out"))
        ends = list(run.egress("out.end")) if name == "diamond" else []
    report = run.report()
    out = np.concatenate(parts) if parts else _rows(0)
    done = {stage.processed for stage in report.stages}
    kept = np.arange(count)[np.arange(count) % 3 != 0]
    checks = {
        "status": report.status == "done",
        "in": report.messages_in == count and done == {count},
        "filtered": report.filtered == count - len(kept),
        "order": bool(np.array_equal(out["number"], kept)),
        "values": bool(np.array_equal(out["value"], kept * 2 + 1)),
        "ends": not ends
        or (int(ends[0]["n"].sum()), int(ends[0]["sum"].sum())) == (len(kept), int((kept * 2 + 1).sum())),
    }
    return count, " ".join(name for name, right in checks.items() if not right)


def _failing(made: dict[str, Any], dice: random.Random) -> tuple[int, str]:
    """A run whose stage raises: the failure names its message, and everything is joined."""
    import numpy as np

    from byteor.exec.runners import StageFailed
    from byteor.spec.build import params_from

    at = dice.randrange(2_000)
    spec = made["specs"]["fails"]
    stages = (spec.stages[0], replace(spec.stages[1], params=params_from({"at": at})))
    run = _bring_up(made, "fails", dice, stages=stages)
    try:
        with run:
            for _ in run.through(np.array_split(_rows(3_000), 7)):
                pass
    except StageFailed as e:
        return at, "" if (e.stage, e.sequence) == ("fails", at) else f"failed at {e.sequence} instead of {at}"
    return at, "it did not fail"


def _stopped(made: dict[str, Any], dice: random.Random) -> tuple[int, str]:
    """A run that is stopped in the middle: nothing hangs, and nobody has done more than came in."""
    run = _bring_up(made, "chain", dice)
    run.start()
    sent = run.ingress().try_send(_rows(dice.choice([1, 100, 4_000])))
    run.stop_and_join()
    done = [stage.processed for stage in run.report().stages]
    return sent, "" if done == sorted(done, reverse=True) and done[0] <= sent else f"sent {sent}, done {done}"


def _one(made: dict[str, Any], dice: random.Random, tally: Tally) -> None:
    name = dice.choice(["chain", "chain", "slow", "diamond", "diamond", "fails", "stopped"])
    state = dice.getstate()
    if name == "fails":
        messages, wrong = _failing(made, dice)
    elif name == "stopped":
        messages, wrong = _stopped(made, dice)
    else:
        messages, wrong = _whole(made, name, dice)
    gc.collect()  # a ring of plain stages is freed by the collector; what is left after it is what counts
    tally.runs[name] += 1
    tally.messages += messages
    if wrong:
        tally.wrong.append(f"run {tally.runs.total()} ({name}): {wrong}; dice {hash(state):x}")


def _give_back() -> None:
    """Let the system have what nobody uses: garbage, and the C library's free memory where it can be asked."""
    gc.collect()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)


def _memory() -> float:
    """Resident MiB."""
    with open("/proc/self/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20


def _descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))


def _line(began: float, tally: Tally) -> tuple[float, int]:
    _give_back()
    memory, descriptors = _memory(), _descriptors()
    spent = time.monotonic() - began
    rate = tally.messages / spent if spent else 0.0
    runs = ", ".join(f"{name} {n}" for name, n in sorted(tally.runs.items()))
    print(
        f"{spent:7.0f} s  {tally.messages:12,} messages  {rate:10,.0f}/s  RSS {memory:7.1f} MiB  "
        f"{descriptors} descriptors  {len(tally.wrong)} wrong  runs: {runs}",
        flush=True,
    )
    return memory, descriptors


def soak(minutes: float, seed: int) -> int:
    """Load rings for `minutes`; 0 when every run balanced and memory and descriptors stayed flat."""
    sys.path.insert(0, str(ROOT / "src"))
    made, dice, tally = _specs(), random.Random(seed), Tally()
    began, end = time.monotonic(), time.monotonic() + minutes * 60
    warm_up = time.monotonic() + min(180.0, minutes * 15)
    flat: tuple[float, int] | None = None
    line = began
    while time.monotonic() < end:
        _one(made, dice, tally)
        if time.monotonic() >= line:
            line += LINE_SECONDS
            now = _line(began, tally)
            if flat is None and time.monotonic() >= warm_up:
                flat = now
                print("        after the warm-up: from here on memory and descriptors must be flat", flush=True)
    memory, descriptors = _line(began, tally)
    for wrong in tally.wrong[:20]:
        print(wrong)
    is_flat = flat is None or (memory <= flat[0] * FLAT and descriptors == flat[1])
    print(f"{tally.runs.total()} runs, {len(tally.wrong)} wrong, {'flat' if is_flat else 'NOT FLAT'}, seed {seed}")
    return int(bool(tally.wrong) or not is_flat)
