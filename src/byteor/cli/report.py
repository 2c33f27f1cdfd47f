"""What a run says when it is over: one JSON object, or a few lines.

Rule 1. The report says what was lost, and so does the exit status.
"""

from __future__ import annotations

import signal
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from byteor.cli import output
from byteor.exec.run import Report


@dataclass(frozen=True, slots=True)
class Outcome:
    """One run as the command line tells it; `error` is what stopped it, with more in `details`."""

    report: Report
    status: str  # done | drained | aborted | failed | refused
    skipped: int
    signal: int
    error: str = ""
    details: dict[str, Any] | None = None
    fixed: int = 0  # the exit status that the findings ask for, if any
    places: Mapping[str, str] = field(default_factory=dict)

    @property
    def exit(self) -> int:
        if self.fixed:
            return self.fixed
        if self.status in ("failed", "refused"):
            return output.FAILED if self.status == "failed" else output.FOUND
        if self.status == "aborted":
            return output.INTERRUPTED
        if self.status == "drained":
            return output.TERMINATED if self.signal == signal.SIGTERM else output.INTERRUPTED
        return output.LOSSY if self.skipped or self.report.dropped else output.DONE


def as_data(outcome: Outcome) -> dict[str, Any]:
    """The outcome as plain data."""
    data = asdict(outcome.report)
    stages = [{k: v for k, v in stage.items() if k != "lag"} for stage in data.pop("stages")]
    seconds = {"seconds": round(data.pop("seconds"), 6), "rate_per_s": round(data.pop("rate_per_s"), 1)}
    data |= {"status": outcome.status, "skipped": outcome.skipped, **seconds, "stages": stages}
    return {**data, "exit": outcome.exit, **(outcome.details or {})}


def as_text(outcome: Outcome) -> str:
    """The outcome for people."""
    r = outcome.report
    lost = "".join(f", {n:,} {word}" for n, word in ((r.dropped, "dropped"), (outcome.skipped, "skipped")) if n)
    lines = [f"{outcome.status}: {r.messages_in:,} in, {r.messages_out:,} out, {r.filtered:,} filtered{lost}"]
    lines.append(f"  {r.seconds:.3f} s, {r.rate_per_s:,.0f} messages/s")
    width = max(len(stage.name) for stage in r.stages)
    lines.append(f"  {'stage':<{width}} {'processed':>12} {'filtered':>10} {'batch p50':>10} {'p99':>6}")
    for s in r.stages:
        lines.append(f"  {s.name:<{width}} {s.processed:>12,} {s.filtered:>10,} {s.batch_p50:>10,} {s.batch_p99:>6,}")
    if outcome.status in ("done", "drained"):
        lines += [f"  {name} -> {place}" for name, place in outcome.places.items()]
    lines.append(f"  spec {r.spec_sha256[:16]}, stages {r.stages_sha256[:16]}")
    return "\n".join(lines)


def show(outcome: Outcome, as_json: bool = False) -> None:
    """Print the report: on stdout, unless rows went there."""
    from byteor.cli.boundaries import streams_out

    stream = sys.stderr if streams_out(outcome.places) else sys.stdout
    if as_json:
        return output.put_json(as_data(outcome), stream)
    if outcome.error:
        print(outcome.error.rstrip("\n"), file=sys.stderr)
    print(as_text(outcome), file=stream, flush=True)
