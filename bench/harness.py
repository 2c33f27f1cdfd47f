"""Measure contenders side by side: calibrated, warmed up, interleaved round by round.

Rule 1. A round of every contender follows a round of every other, so that what the machine does meets all alike.
Rule 2. A figure is the median of its rounds with their range; a ratio is made round by round.
Rule 3. Each contender gets as many messages as fill the round's time: short rounds flatter nobody.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

ROUNDS = 7
SECONDS = 0.4


@dataclass(frozen=True, slots=True)
class Effort:
    """How much to measure: rounds, seconds a round, and the factor by which all else is made smaller."""

    rounds: int = ROUNDS
    seconds: float = SECONDS
    tiny: bool = False


class Took(NamedTuple):
    """What a round took: seconds, and seconds of CPU."""

    seconds: float
    cpu: float


class Clock:
    """Measure a piece of work of this process: `with Clock() as clock: ...`, then `clock.took`."""

    def __enter__(self) -> Clock:
        self._cpu, self._began = time.process_time(), time.perf_counter()
        return self

    def __exit__(self, *_: object) -> None:
        self.took = Took(time.perf_counter() - self._began, time.process_time() - self._cpu)


@dataclass(frozen=True, slots=True)
class Contender:
    """One that competes: `round(n)` does `n` messages and answers what they took; `step` divides every n."""

    name: str
    round: Callable[[int], Took]
    step: int = 1
    least: int = 1


@dataclass(slots=True)
class Series:
    """The rounds of one contender: messages per second, and CPU nanoseconds per message."""

    name: str
    rates: list[float] = field(default_factory=list)
    cpu_ns: list[float] = field(default_factory=list)

    @property
    def median(self) -> float:
        return statistics.median(self.rates)


def measure(contenders: Sequence[Contender], effort: Effort) -> dict[str, Series]:
    """Run all contenders `effort.rounds` times, one after the other in each round."""
    sizes = {one.name: calibrated(one, effort.seconds) for one in contenders}
    found = {one.name: Series(one.name) for one in contenders}
    for _ in range(effort.rounds):
        for one in contenders:
            _round(one, sizes[one.name], found[one.name])
    return found


def calibrated(one: Contender, seconds: float) -> int:
    """Find how many messages fill `seconds`; the runs that it takes are the warm-up."""
    n = one.least * one.step
    while True:
        took = one.round(n).seconds
        if took >= seconds / 2:
            return max(one.least, round(n * seconds / took / one.step)) * one.step
        n *= min(8, max(2, int(seconds / max(took, 1e-6))))


def _round(one: Contender, n: int, into: Series) -> None:
    took = one.round(n)
    into.rates.append(n / took.seconds)
    into.cpu_ns.append(took.cpu / n * 1e9)


def ratios(ours: Series, peer: Series) -> list[float]:
    """How many times faster ours is, round by round."""
    return [a / b for a, b in zip(ours.rates, peer.rates, strict=True)]


def best(series: Sequence[Series]) -> Series:
    """The fastest of several forms of one peer."""
    return max(series, key=lambda one: one.median)


def percentile(values: Sequence[float], q: float) -> float:
    """The value that the share `q` of all does not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(q * len(ordered)))]
