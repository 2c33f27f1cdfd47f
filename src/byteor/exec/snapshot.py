"""What a run is like at one moment, as immutable values.

Rule 1. Read from outside the loops, word by word: each figure was true, not all at one instant.
Rule 2. Batch sizes are counted by powers of two: a percentile is rounded down to one.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class StageSnapshot:
    """One stage: messages done, taken out, and what lies before it (`lag`)."""

    name: str
    processed: int
    filtered: int
    lag: int
    batch_p50: int
    batch_p99: int


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One run: messages published and given to the egress, whether the stream is closed, its stages."""

    status: str
    messages_in: int
    messages_out: int
    closed: bool
    stages: tuple[StageSnapshot, ...]

    @property
    def filtered(self) -> int:
        return sum(stage.filtered for stage in self.stages)


def percentile(counts: list[int], share: float) -> int:
    """The batch size that `share` of the batches do not exceed, down to a power of two; 0 without batches."""
    rest = share * sum(counts)
    for bucket, count in enumerate(counts):
        rest -= count
        if count and rest <= 0:
            return int(2**bucket)
    return 0
