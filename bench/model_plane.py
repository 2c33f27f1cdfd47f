"""How long the model plane takes: plans read, checked, lowered, encoded, decoded; of a thousand stages and of ten.

Run it as `python -m bench.model_plane [STAGES ...]`: it prints a table. Nothing may grow faster than the plan, so each
column is about ten times the one before it.
"""

from __future__ import annotations

import gc
import sys
import time
from collections.abc import Callable
from typing import Any

from byteor import diag
from byteor.lower import lower
from byteor.plan import document
from byteor.plan.document import lane_graph
from byteor.plan.model import Plan
from byteor.spec import kv, rules
from byteor.spec.describe import describe

SIZES = (100, 1_000, 10_000)
ROUNDS = 3
TYPES = {"tick": {"time": "i64", "key": "u32", "px": "f64"}}


def chain(stages: int) -> Plan:
    """One way through all stages."""
    made = lane_graph("chain", TYPES).ingress("in", type="tick").egress("out")
    names = [f"stage_{i}" for i in range(stages)]
    for name in names:
        made.stage(name, "stages:f", reads=["px"], writes=["px"])
    return made.connect("in", *names, "out").plan


def diamonds(stages: int) -> Plan:
    """Fanouts whose branches meet again in merges by time, one after the other."""
    made = lane_graph("diamonds", TYPES).ingress("in", type="tick").egress("out")
    before = "in"
    for i in range(0, stages, 2):
        left, right, join = f"left_{i}", f"right_{i}", f"join_{i}"
        made.stage(left, "stages:f", writes=["px"]).stage(right, "stages:f", writes=["px"], min_out=0)
        made.connect(before, left, lane={"renumber": True}).connect(before, right, lane={"renumber": True})
        made.merge(join, [left, right], field="time")
        before = join
    return made.connect(before, "out").plan


def best(work: Callable[[], Any]) -> tuple[float, Any]:
    """The shortest of a few rounds in milliseconds of CPU, and what the work gave."""
    took, made = [], None
    for _ in range(ROUNDS):
        gc.collect()
        began = time.process_time()
        made = work()
        took.append(time.process_time() - began)
    return min(took) * 1e3, made


def column(plan: Plan) -> dict[str, float]:
    """Every step for one plan."""
    toml = document.encode(plan)
    times: dict[str, float] = {}
    times["read the plan (TOML)"], read = best(lambda: document.read(toml))
    times["lower (with all checks)"], lowered = best(lambda: lower(read.plan))
    assert not diag.errors(lowered.all_findings)
    times["encode"], text = best(lambda: kv.encode(lowered.spec))
    times["decode"], decoded = best(lambda: kv.decode(text))
    times["check"], _ = best(lambda: rules.validate(decoded.spec))
    times["describe"], _ = best(lambda: describe(decoded.spec))
    times["decode, check, lower, encode"] = sum(
        times[k] for k in ("decode", "check", "lower (with all checks)", "encode")
    )
    return times


def table(make: Callable[[int], Plan], sizes: tuple[int, ...]) -> str:
    columns = [column(make(size)) for size in sizes]
    head = f"{make.__name__ + ', ms':<32}" + "".join(f"{size:>12,}" for size in sizes)
    rows = [f"{name:<32}" + "".join(f"{one[name]:>12,.1f}" for one in columns) for name in columns[0]]
    return "\n".join([head, *rows])


def main() -> None:
    sizes = tuple(int(word) for word in sys.argv[1:]) or SIZES
    for make in (chain, diamonds):
        print(table(make, sizes), end="\n\n")


if __name__ == "__main__":
    main()
