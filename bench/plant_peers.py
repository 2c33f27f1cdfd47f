"""The flights plant written with `multiprocessing` and queues: a process for each stage, records in batches.

Rule 1. It does what examples/flights-plant does, and writes the same two files.
Rule 2. It is written as someone who knows the tools would: pyarrow at both ends, bounded queues, lists of tuples
    between, stages as loops over iterators. Every worker gets a part of each batch, be it empty, so that the order
    can be had back and nobody waits for ever.
Rule 3. `python -m bench.plant_peers DATA OUT BATCH` is a process that does it once.
"""

from __future__ import annotations

import heapq
import json
import multiprocessing
import multiprocessing.connection
import sys
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from itertools import islice
from operator import itemgetter
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

LEAST, CALM, PER_MPH = 20, 15.0, 0.5
MINUTES, QUIET = 120.0, 6 * 3600
WORKERS = 3
IN_FLIGHT = 16_384  # records in a queue, so that batches of any size are held back alike
EVENT = pa.schema(
    [
        ("time_hour", pa.timestamp("s", "UTC")),
        ("source", pa.uint8()),
        ("carrier", pa.string()),
        ("flight", pa.int32()),
        ("origin", pa.string()),
        ("dest", pa.string()),
        ("dep_delay", pa.int16()),
        ("wind_speed", pa.float64()),
        ("visib", pa.float64()),
        ("usual", pa.float64()),
        ("score", pa.float64()),
    ]
)
# A record is a tuple; these are its places.
TIME, SOURCE, CARRIER, FLIGHT, ORIGIN, DEST, DELAY, WIND, VISIB, USUAL, SCORE = range(11)
Record = tuple[Any, ...]
Queue = Any


def run(data: Path, out: Path, batch: int) -> None:
    """Start every process, and wait until the files are written."""
    fork = multiprocessing.get_context("fork")

    def queue() -> Queue:
        return fork.Queue(max(4, IN_FLIGHT // batch))

    weather, flights, merged, scored, to_alert, alerts = (queue() for _ in range(6))
    to_workers, from_workers = ([queue() for _ in range(WORKERS)] for _ in range(2))
    work: list[tuple[Any, ...]] = [
        (source, data / "weather.parquet", as_weather, ["time_hour", "origin", "wind_speed", "visib"], weather, batch),
        (source, data / "flights.parquet", as_flight, ["time_hour", *EVENT.names[2:7]], flights, batch),
        (merge, weather, flights, merged, batch),
        (enrich, merged, to_workers),
        *((score, taken, given) for taken, given in zip(to_workers, from_workers, strict=True)),
        (join, from_workers, [scored, to_alert]),
        (alert, to_alert, alerts),
        (write_events, scored, out / "events.parquet"),
        (write_alerts, alerts, out / "alerts.jsonl"),
    ]
    processes = [fork.Process(target=function, args=given) for function, *given in work]
    for process in processes:
        process.start()
    left = {process.sentinel: process for process in processes}
    while left:
        for ended in multiprocessing.connection.wait(list(left)):
            left.pop(ended).join()
        if any(process.exitcode for process in processes):
            for process in processes:
                process.terminate()
            raise RuntimeError(f"processes ended with {[process.exitcode for process in processes]}")


def source(path: Path, make: Callable[..., Record], columns: list[str], to: Queue, batch: int) -> None:
    """Read a file in the order of its times, equal ones as they stand."""
    table = pq.read_table(path, columns=columns)
    table = table.append_column("row", pa.array(range(len(table)))).sort_by(
        [("time_hour", "ascending"), ("row", "ascending")]
    )
    times = table["time_hour"].cast(pa.timestamp("s", "UTC")).cast(pa.int64()).to_pylist()
    rows = zip(times, *(table[name].to_pylist() for name in columns[1:]), strict=True)
    send((make(*row) for row in rows), to, batch)


def as_weather(at: int, origin: str, wind: float | None, visib: float | None) -> Record:
    return at, 0, "", 0, origin, "", None, wind, visib, None, None


def as_flight(at: int, carrier: str, flight: int, origin: str, dest: str, delay: int | None) -> Record:
    return at, 1, carrier, flight, origin, dest, delay, None, None, None, None


def send(records: Iterable[Record], to: Queue, batch: int) -> None:
    left = iter(records)
    while some := list(islice(left, batch)):
        to.put(some)
    to.put(None)


def received(queue: Queue) -> Iterator[list[Record]]:
    return iter(queue.get, None)


def each(queue: Queue) -> Iterator[Record]:
    for some in received(queue):
        yield from some


def merge(weather: Queue, flights: Queue, to: Queue, batch: int) -> None:
    """Merge by time; of equal times the weather comes first."""
    send(heapq.merge(each(weather), each(flights), key=itemgetter(TIME)), to, batch)


def enrich(queue: Queue, workers: list[Queue]) -> None:
    """Give each flight the last weather of its airport, and spread the flights by carrier, each with its place."""
    last: dict[str, tuple[float | None, float | None]] = {}
    for some in received(queue):
        parts: list[list[Any]] = [[] for _ in workers]
        for place, record in enumerate(some):
            if record[SOURCE] == 0:
                last[record[ORIGIN]] = record[WIND], record[VISIB]
                continue
            parts[hash_of(record[CARRIER]) % len(workers)].append(
                (place, (*record[:WIND], *last.get(record[ORIGIN], (None, None)), None, None))
            )
        for part, worker in zip(parts, workers, strict=True):
            worker.put(part)
    for worker in workers:
        worker.put(None)


def hash_of(carrier: str) -> int:
    return sum(carrier.encode())


def score(queue: Queue, to: Queue) -> None:
    """Say what delay was usual for a carrier so far."""
    sums: dict[str, tuple[int, int]] = {}
    for some in received(queue):
        given = []
        for place, record in some:
            flights, minutes = sums.get(record[CARRIER], (0, 0))
            delay, wind, usual, late = record[DELAY], record[WIND], None, None
            if flights >= LEAST:
                usual = minutes / flights
                if wind is not None and wind > CALM:
                    usual += PER_MPH * (wind - CALM)
                if delay is not None:
                    late = delay - usual
            if delay is not None:
                sums[record[CARRIER]] = flights + 1, minutes + delay
            given.append((place, (*record[:USUAL], usual, late)))
        to.put(given)
    to.put(None)


def join(workers: list[Queue], to: list[Queue]) -> None:
    """Put the parts of each batch back into its order, and give it to all."""
    for parts in zip(*map(received, workers), strict=True):
        some = [record for _, record in sorted((one for part in parts for one in part), key=itemgetter(0))]
        for queue in to:
            queue.put(some)
    for queue in to:
        queue.put(None)


def alert(queue: Queue, to: Queue) -> None:
    """Tell of flights much later than usual, a carrier at most once in six hours."""
    told: dict[str, tuple[int, int]] = {}
    for some in received(queue):
        found = []
        for record in some:
            late = record[SCORE]
            if late is None or late <= MINUTES:
                continue
            carrier, at = record[CARRIER], record[TIME]
            last, number = told.get(carrier, (-QUIET, 0))
            if at - last < QUIET:
                continue
            told[carrier] = at, number + 1
            text = f"{carrier} {record[FLIGHT]} left {late:.0f} minutes later than usual"
            found.append((at, carrier, record[FLIGHT], record[ORIGIN], late, number + 1, text))
        if found:
            to.put(found)
    to.put(None)


def write_events(queue: Queue, path: Path) -> None:
    with pq.ParquetWriter(path, EVENT) as writer:
        rows: list[Record] = []
        for some in received(queue):
            rows += some
            if len(rows) >= 65_536:
                writer.write_table(table(rows))
                rows = []
        writer.write_table(table(rows))


def table(rows: list[Record]) -> pa.Table:
    columns = zip(*rows, strict=True) if rows else [[] for _ in EVENT]
    return pa.table([pa.array(column, field.type) for column, field in zip(columns, EVENT, strict=True)], EVENT)


def write_alerts(queue: Queue, path: Path) -> None:
    names = ("time_hour", "carrier", "flight", "origin", "score", "number", "text")
    with open(path, "w") as file:
        for at, *rest in each(queue):
            told = datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
            file.write(json.dumps(dict(zip(names, (told, *rest), strict=True)), separators=(",", ":")) + "\n")


if __name__ == "__main__":
    run(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]))
