"""The two tables that `python -m dev` prints: what was explored, and what became of the mutants.

Rule 1. A line says what was run within which bounds, and whether the bounds were all there is.
Rule 2. The answer is an exit status: 0 only if nothing failed and no mutant survived unexplained.
"""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator

from byteor.testing import (
    handle_scenarios,
    journal_scenarios,
    lane_scenarios,
    link_model,
    link_mutants,
    link_scenarios,
    object_scenarios,
    plant_alone,
    plant_ends,
    plant_movers,
    plant_orders,
    plant_scenarios,
    plant_stages,
    scenarios,
    shapes,
    shards,
    sources,
    state_scenarios,
)
from byteor.testing import mutants as rules
from byteor.testing.equivalents import ARGUMENTS
from byteor.testing.explore import Outcome, sample
from byteor.testing.explore import explore as everything
from byteor.testing.lab import TABLE, Entry
from byteor.testing.lift import Lifter

FILLED = (
    shapes,
    sources,
    shards,
    scenarios,
    lane_scenarios,
    object_scenarios,
    state_scenarios,
    journal_scenarios,
    handle_scenarios,
    plant_stages,
    plant_movers,
    plant_alone,
    plant_scenarios,
    plant_orders,
    plant_ends,
    link_scenarios,
)  # importing them fills the table
ORDERS = ("order weakened", "fence dropped")
RANDOM = 5000  # random schedules beyond a bound
MUTANT_LIMIT = 400  # schedules of one scenario: what kills does so early


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def chosen(full: bool) -> Iterator[Entry]:
    """The scenarios of the default bounds, or all."""
    return (entry for entry in TABLE.values() if full or not entry.full)


def quick_first(entries: Iterable[Entry]) -> list[Entry]:
    """Those of one actor first: what they can tell they tell at once."""
    return sorted(entries, key=lambda entry: "alone" not in entry.name)


def word_of(outcome: Outcome) -> str:
    """exhausted, bounded or FAILED."""
    return "FAILED" if outcome.finding else "exhausted" if outcome.exhausted else "bounded"


def search(entry: Entry) -> Outcome:
    """Explore up to the entry's bound; where that was not all, add random schedules."""
    outcome = everything(entry.lifted(Lifter()), entry.limit)
    if outcome.finding is not None or outcome.exhausted:
        return outcome
    random = sample(entry.lifted(Lifter()), RANDOM, seed=1)
    return Outcome(outcome.schedules + random.schedules, False, random.finding)


def explore(full: bool = False) -> int:
    """Print operation and bounds, schedules, seconds, and whether that was all; 1 when one failed."""
    failed = 0
    for entry in chosen(full):
        begun = time.perf_counter()
        outcome = search(entry)
        spent = time.perf_counter() - begun
        _say(f"{entry.name:88s} {outcome.schedules:8d} {spent:7.2f} s  {word_of(outcome)}")
        if outcome.finding is not None:
            _say(f"  {outcome.finding}")
        failed |= outcome.finding is not None
    return failed | _explore_links(full)


def _explore_links(full: bool) -> int:
    """The same for both sides of a link: not schedules but states, each looked at once."""
    failed = 0
    for case, bounds in _link_cases(full).items():
        begun = time.perf_counter()
        seen = link_model.search(bounds)
        spent = time.perf_counter() - begun
        _say(f"{f'link: {case} ({bounds})':88s} {seen.states:8d} {spent:7.2f} s  {seen.word}, states")
        if seen.word == "FAILED":
            _say(f"  {seen.finding}: {' | '.join(seen.trail)}")
        failed |= seen.word == "FAILED"
    return failed


def _link_cases(full: bool) -> dict[str, link_model.Bounds]:
    """What may go wrong between both sides of a link, of the default bounds, or all."""
    return {**link_mutants.CASES, **(link_mutants.MORE if full else {})}


def verdicts(full: bool = False, only: tuple[str, ...] = (), but: tuple[str, ...] = ()) -> Iterator[rules.Verdict]:
    """Judge all mutants of what the scenarios run, or those of some rules and not of some modules."""
    families = {entry.name: entry.lifted for entry in quick_first(chosen(full))}
    return rules.judge_all(families, MUTANT_LIMIT * (10 if full else 1), ARGUMENTS, only, but)


def summary(judged: Iterable[rules.Verdict]) -> tuple[str, int]:
    """One line about all verdicts, and the exit status."""
    judged = tuple(judged)
    words = Counter(v.word for v in judged)
    stale = rules.unused(ARGUMENTS, judged)
    share = words["equivalent"] / max(1, len(judged))
    line = f"{len(judged)} mutants: " + ", ".join(f"{n} {word}" for word, n in sorted(words.items()))
    line += "".join(f"\nno mutant needs the argument of `{name}`" for name in stale)
    return line, int(bool(words["survived"] or stale or share > 0.1))


def mutants(full: bool = False) -> int:
    """Print each mutant and what became of it; 1 when one survived without an argument."""
    judged = []
    for verdict in verdicts(full):
        judged.append(verdict)
        how = f"{verdict.killed_by} | {verdict.reason}" if verdict.killed_by else verdict.argument
        _say(f"{verdict.word:10s} {verdict.mutant.name:90s} {how}")
    line, status = summary(judged)
    _say(line)
    return status | _of_links(full)


def _of_links(full: bool) -> int:
    """The same for both sides of a link, whose functions are no hot ones."""
    judged = tuple(link_mutants.judge_all(_link_cases(full)))
    for one in judged:
        _say(f"{one.word:10s} {one.name:90s} {one.killed_by} | {one.reason}")
    survived = sum(one.word == "survived" for one in judged)
    _say(f"{len(judged)} mutants of links: {len(judged) - survived} killed, {survived} survived")
    return int(survived > 0)
