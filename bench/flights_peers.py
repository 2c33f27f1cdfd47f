"""The flights computed without a ring: by pyarrow, and by plain Python generators.

Rule 1. Both do what the stages of examples/flights do, and give the same sums per carrier and month.
Rule 2. Each is written as someone who knows the tool would write it.
Rule 3. `python -m bench.flights_peers WHO FILE` is a process that does it once.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

COLUMNS = ["carrier", "month", "dest", "dep_delay", "arr_delay"]
HUBS = ["ATL", "CLT", "DEN", "DFW", "IAH", "LAX", "MIA", "MSP", "ORD", "PHX", "SFO"]
MINUTES = 15
Sums = dict[tuple[str, int], tuple[int, int, int, int]]  # flights, late, sums of arrival delay and gain


def by_arrow(path: Path) -> Sums:
    """Compute by pyarrow, on as many cores as it likes."""
    table = pq.read_table(path, columns=COLUMNS)
    cancelled = pc.is_null(table["dep_delay"])
    keep = pc.or_(cancelled, pc.is_valid(table["arr_delay"]))
    table = table.append_column("cancelled", cancelled).filter(keep)
    late = pc.and_(pc.invert(table["cancelled"]), pc.fill_null(pc.greater(table["arr_delay"], MINUTES), False))
    gain = pc.subtract(table["dep_delay"], table["arr_delay"])
    hub = pc.is_in(table["dest"], value_set=pa.array(HUBS))
    for name, made in (("late", late), ("gain", gain), ("to_hub", hub)):
        table = table.append_column(name, made)
    wanted = [("month", "count"), ("cancelled", "sum"), ("late", "sum"), ("to_hub", "sum"), ("dep_delay", "sum")]
    wanted += [("arr_delay", "sum"), ("gain", "sum"), ("arr_delay", "max")]
    made = (
        table.group_by(["carrier", "month"])
        .aggregate(wanted)
        .sort_by([("carrier", "ascending"), ("month", "ascending")])
    )
    columns = [made[name].to_pylist() for name in ("month_count", "late_sum", "arr_delay_sum", "gain_sum")]
    keys = zip(made["carrier"].to_pylist(), made["month"].to_pylist(), strict=True)
    return dict(zip(keys, zip(*columns, strict=True), strict=True))


class Flight:
    """One flight on its way through the generators."""

    __slots__ = ("arr_delay", "cancelled", "carrier", "dep_delay", "dest", "gain", "late", "month", "to_hub")

    def __init__(self, carrier: str, month: int, dest: str, dep_delay: int | None, arr_delay: int | None) -> None:
        self.carrier, self.month, self.dest = carrier, month, dest
        self.dep_delay, self.arr_delay = dep_delay, arr_delay


def flights(path: Path) -> Iterator[Flight]:
    for batch in pq.ParquetFile(path).iter_batches(65_536, columns=COLUMNS):
        for row in zip(*(column.to_pylist() for column in batch.columns), strict=True):
            yield Flight(*row)


def clean(stream: Iterable[Flight]) -> Iterator[Flight]:
    for flight in stream:
        flight.cancelled = flight.dep_delay is None
        if flight.cancelled or flight.arr_delay is not None:
            yield flight


def late(stream: Iterable[Flight]) -> Iterator[Flight]:
    for flight in stream:
        flight.late = flight.arr_delay is not None and flight.arr_delay > MINUTES
        yield flight


def gain(stream: Iterable[Any]) -> Iterator[Flight]:
    for flight in stream:
        flight.gain = 0 if flight.arr_delay is None or flight.dep_delay is None else flight.dep_delay - flight.arr_delay
        yield flight


def hub(stream: Iterable[Flight]) -> Iterator[Flight]:
    hubs = frozenset(HUBS)
    for flight in stream:
        flight.to_hub = flight.dest in hubs
        yield flight


def by_generators(path: Path) -> Sums:
    """Compute by a chain of generators."""
    table: dict[tuple[str, int], list[int]] = {}
    for flight in hub(gain(late(clean(flights(path))))):
        row = table.setdefault((flight.carrier, flight.month), [0, 0, 0, 0, 0, 0, 0, -32768])
        row[0] += 1
        row[1] += flight.to_hub
        if flight.cancelled:
            row[2] += 1
            continue
        row[3] += flight.late
        row[4] += flight.dep_delay
        row[5] += flight.arr_delay
        row[6] += flight.gain
        row[7] = max(row[7], flight.arr_delay)
    return {key: (row[0], row[3], row[5], row[6]) for key, row in table.items()}


PEERS = {"arrow": by_arrow, "generators": by_generators}

if __name__ == "__main__":
    print(len(PEERS[sys.argv[1]](Path(sys.argv[2]))))
