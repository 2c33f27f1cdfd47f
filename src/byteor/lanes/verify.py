"""A journal held to its own rules: every record in its place, with its number, up to the last that was committed.

Rule 1. Looking changes nothing; a writer may go on meanwhile. What it wrote over is not judged.
Rule 2. Damage is told where it begins; behind it, the next segment is looked at.
"""

from __future__ import annotations

from dataclasses import dataclass

from byteor.diag import Diagnostic, Refused
from byteor.lanes import findings as t
from byteor.lanes.segments import Records, walk
from byteor.lanes.shelf import missing


@dataclass(frozen=True, slots=True)
class Verified:
    """What a journal holds: its segments, sound records, the bytes up to the cursor, and what is wrong with it."""

    segments: int
    records: int
    bytes: int
    findings: tuple[Diagnostic, ...]


def counted(name: str, log: Records) -> int:
    """The records committed, by the segment of the last one: a dead writer may not have come to say so."""
    end = log.end
    if end == 0:
        return 0
    number = (end - 1) // log.segment_bytes
    begin = number * log.segment_bytes
    at, records = walk(log.log(number), begin, end, log.first_of(number))
    if at != end:
        raise Refused([t.JOURNAL_DAMAGED.at(name, f"record {records}, at {at} of {end} bytes, is none")])
    return records


def verified(name: str, log: Records) -> Verified:
    """Walk every segment."""
    end, there = log.end, log.numbers()
    found = list(missing(name, log.oldest, there, -(-end // log.segment_bytes)))
    wanted, records, before = None, 0, log.oldest - 1
    for number in there:
        wanted, before = wanted if number == before + 1 else None, number
        try:
            first, last, faults = _walked(name, log, number, end)
        except Refused as refused:
            found, wanted = found + list(refused.diagnostics), None
            continue
        if number < log.oldest:
            continue
        records += last - first
        found += faults
        if wanted not in (None, first):
            found.append(t.JOURNAL_DAMAGED.at(name, f"segment {number} begins with record {first}, not {wanted}"))
        wanted = None if faults else last
    return Verified(len(there), records, end, tuple(found))


def _walked(name: str, log: Records, number: int, end: int) -> tuple[int, int, list[Diagnostic]]:
    """The first record of a segment, the one behind its last, and what is wrong in between."""
    begin = number * log.segment_bytes
    stop = min(end, begin + log.segment_bytes)
    first = log.first_of(number)
    at, last = walk(log.log(number), begin, stop, first)
    said = f"record {last}, at {at} in segment {number}, is none"
    return first, last, [] if at == stop else [t.JOURNAL_DAMAGED.at(name, said)]
