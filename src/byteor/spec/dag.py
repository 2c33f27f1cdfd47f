"""The order that a ring's stages have by their dependencies.

Rule 1. Indices only; dependencies that name no earlier stage are not followed, a rule names them.
Rule 2. Sets of stages are bits of an integer: bit i is stage i.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from byteor.spec.model import Stage


def ancestors(stages: Sequence[Stage]) -> list[int]:
    """For each stage, those that every record has left before it arrives there."""
    before: list[int] = []
    for i, stage in enumerate(stages):
        bits = 0
        for j in stage.depends_on:
            if 0 <= j < i:
                bits |= before[j] | (1 << j)
        before.append(bits)
    return before


def sources(stages: Sequence[Stage]) -> tuple[int, ...]:
    """The stages that wait for the producer alone."""
    return tuple(i for i, stage in enumerate(stages) if not stage.depends_on)


def sinks(stages: Sequence[Stage]) -> tuple[int, ...]:
    """The stages that nobody waits for: together they are the release boundary."""
    waited_for = {j for stage in stages for j in stage.depends_on}
    return tuple(i for i in range(len(stages)) if i not in waited_for)


def parallel(stages: Sequence[Stage]) -> Iterator[tuple[int, int]]:
    """The pairs of stages that no dependency orders."""
    before = ancestors(stages)
    for j in range(len(stages)):
        for i in range(j):
            if not before[j] >> i & 1:
                yield i, j
