"""Run families and tell what was measured.

Rule 1. With `--json` stdout holds one JSON object and nothing else; all else goes to stderr.
Rule 2. The exit status is 1 when a goal was missed or a figure fell far below the stored one.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from bench import machine, report
from bench.families import FAMILIES, run
from bench.harness import ROUNDS, SECONDS, Effort

QUIET, PATIENCE = 0.5, 60.0  # the load to wait for, and for how many seconds at most


def main(names: Sequence[str], *, as_json: bool, plot: bool, update: bool, rounds: int = ROUNDS) -> int:
    """Measure the families, all by default."""
    unknown = [name for name in names if name not in FAMILIES]
    if unknown:
        print(f"there is no family {', '.join(unknown)}; there is {', '.join(FAMILIES)}", file=sys.stderr)
        return 2
    data = measured(names or list(FAMILIES), Effort(rounds), as_json)
    if as_json:
        print(json.dumps(data, indent=1, ensure_ascii=False))
    if update:
        report.keep(data)
    elif plot:
        picture = report.ROOT / "build" / "performance.png"
        report.draw(data, picture)
        print(f"picture: {picture}", file=sys.stderr)
    worse = [line for family in data["families"].values() for line in report.against_baseline(family)]
    for line in worse:
        print(f"far below the stored figure: {line}", file=sys.stderr)
    return int(bool(worse) or any(goal["met"] is False for goal in data["goals"]))


def measured(names: Sequence[str], effort: Effort, silent: bool) -> dict[str, Any]:
    """Measure families one after the other, and show each as soon as it is there."""
    load = machine.wait_until_quiet(QUIET, PATIENCE)
    if load > QUIET:
        print(f"the machine is busy (load {load:.1f}): figures will spread", file=sys.stderr)
    data: dict[str, Any] = {"machine": machine.describe(), "rounds": effort.rounds, "seconds": SECONDS, "families": {}}
    for name in names:
        print(f"measuring {name} ...", file=sys.stderr, flush=True)
        data["families"][name] = asdict(run(name, effort))
        if not silent:
            print(report.text(data["families"][name]), flush=True)
    data["goals"] = [goal for family in data["families"].values() for goal in family["goals"]]
    return data
