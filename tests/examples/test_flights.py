"""The flights against an independent computation, and byte-identical however they ran.

Rule 1. The oracle is pandas on the file itself; it shares no code with the stages.
Rule 2. The whole file runs once; a slice of it runs through the grid of options.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pandas
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from byteor.cli.asked import Asked
from byteor.cli.carry import carry_out
from byteor.cli.report import as_data

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / "examples" / "flights"
PLAN = str(EXAMPLE / "plan.toml")
USED = ["carrier", "month", "dest", "dep_delay", "arr_delay"]
HUBS = ["ATL", "CLT", "DEN", "DFW", "IAH", "LAX", "MIA", "MSP", "ORD", "PHX", "SFO"]
SLICE = 3_000


@pytest.fixture(scope="module")
def flights() -> Path:
    sys.path.insert(0, str(EXAMPLE))
    from data import unpack

    return unpack(ROOT / "build" / "flights")


@pytest.fixture(scope="module")
def some(flights: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Every 112th flight, as CSV and as Parquet."""
    folder = tmp_path_factory.mktemp("flights")
    lines = flights.read_text().splitlines(keepends=True)
    made = {"csv": folder / "some.csv", "parquet": folder / "some.parquet"}
    made["csv"].write_text("".join([lines[0], *lines[1 :: (len(lines) - 1) // SLICE]]))
    frame = pandas.read_csv(made["csv"], keep_default_na=False, na_values=["NA", ""])
    pq.write_table(pa.Table.from_pandas(frame[USED], preserve_index=False), made["parquet"])
    return made


def expected(source: Path) -> pandas.DataFrame:
    """The same statistics by pandas."""
    frame = pandas.read_csv(source, usecols=USED, keep_default_na=False, na_values=["NA", ""])
    frame["cancelled"] = frame.dep_delay.isna()
    frame = frame[frame.cancelled | frame.arr_delay.notna()]
    frame["to_hub"] = frame.dest.isin(HUBS)
    frame["late"] = frame.arr_delay > 15
    frame["gain"] = frame.dep_delay - frame.arr_delay
    by = frame.groupby(["carrier", "month"], sort=True)
    out = pandas.DataFrame({"flights": by.size()})
    for name in ("cancelled", "late", "to_hub"):
        out[name] = by[name].sum()
    for name, column in (("dep_delay_sum", "dep_delay"), ("arr_delay_sum", "arr_delay"), ("gain_sum", "gain")):
        out[name] = by[column].sum().astype("int64")
    out["arr_delay_max"] = by.arr_delay.max()
    flown = out.flights - out.cancelled
    out["dep_delay_mean"] = out.dep_delay_sum / flown
    out["arr_delay_mean"] = out.arr_delay_sum / flown
    out["late_share"] = out.late / flown
    return out.reset_index()


def agrees(table: Path, source: Path) -> bool:
    got, wanted = pq.read_table(table).to_pandas(), expected(source)
    assert list(got.columns) == list(wanted.columns)
    for name in got.columns:
        left, right = got[name], wanted[name]
        same = (left == right) | (left.isna() & right.isna())
        assert same.all(), f"{name}: {left[~same].tolist()[:5]} is not {right[~same].tolist()[:5]}"
    return len(got) == len(wanted)


def test_all_flights_agree_with_pandas_exactly(flights: Path, tmp_path: Path) -> None:
    table = tmp_path / "out.parquet"
    outcome = carry_out(PLAN, Asked(inputs=(str(flights),), outputs=(str(table),)))
    data = as_data(outcome)
    assert outcome.exit == 0 and data["status"] == "done"
    assert (data["messages_in"], data["messages_out"], data["filtered"]) == (336_776, 185, 1_175)
    assert [stage["processed"] for stage in data["stages"]] == [336_776] * 5
    assert agrees(table, flights)


@pytest.fixture(scope="module")
def reference(some: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> bytes:
    table = tmp_path_factory.mktemp("reference") / "out.parquet"
    assert carry_out(PLAN, Asked(inputs=(str(some["csv"]),), outputs=(str(table),))).exit == 0
    assert agrees(table, some["csv"])
    return table.read_bytes()


SHARDED = ("single_ring.shards=2", "single_ring.ordering=per_key", "single_ring.shard_key=carrier")
EACH = ("single_ring.stages.3.call=stages:hub_each", "single_ring.stages.3.form=message")
GRID = [
    *[{"wait": wait, "batch": batch} for wait in ("spin", "yield", "backoff", "block") for batch in (1, 7, 64, 4096)],
    *[{"interpreted": True, "batch": batch} for batch in (1, 7, 64, 4096)],
    *[{"single_thread": True, "batch": batch} for batch in (1, 4096)],
    {"single_thread": True, "interpreted": True, "batch": 7},
    {"settings": EACH, "batch": 64},
    {"settings": (*EACH, *SHARDED)},
    {"settings": SHARDED},
    {"settings": SHARDED, "single_thread": True, "batch": 7},
    {"settings": ("single_ring.capacity=1",)},
    {"settings": ("single_ring.capacity=2",), "single_thread": True},
    {"settings": ("single_ring.capacity=64",), "batch": 7},
    {"settings": ("single_ring.capacity=64", "single_ring.slot_bytes=64"), "wait": "block"},
]


def named(options: dict[str, Any]) -> str:
    return ",".join(f"{key}={value}" for key, value in options.items())


@pytest.mark.parametrize(
    ("format", "options"),
    [*[("csv", options) for options in GRID], *[("parquet", options) for options in GRID[::4]]],
    ids=lambda value: value if isinstance(value, str) else named(value),
)
def test_the_bytes_do_not_depend_on_how_it_ran(
    some: dict[str, Path], reference: bytes, tmp_path: Path, format: str, options: dict[str, Any]
) -> None:
    table = tmp_path / "out.parquet"
    outcome = carry_out(PLAN, Asked(inputs=(str(some[format]),), outputs=(str(table),), **options))
    assert outcome.exit == 0, outcome.error
    assert table.read_bytes() == reference


def test_repeat_sends_the_same_records_again(some: dict[str, Path]) -> None:
    once = carry_out(PLAN, Asked(inputs=(str(some["csv"]),))).report
    thrice = carry_out(PLAN, Asked(inputs=(str(some["csv"]),), repeat=3)).report
    assert (thrice.messages_in, thrice.filtered) == (3 * once.messages_in, 3 * once.filtered)


def test_limit_stops_after_so_many_messages(some: dict[str, Path]) -> None:
    assert carry_out(PLAN, Asked(inputs=(str(some["csv"]),), limit=1_001)).report.messages_in == 1_001
    assert carry_out(PLAN, Asked(inputs=(str(some["csv"]),), limit=5_000, repeat=4)).report.messages_in == 5_000


def test_the_flights_pipeline_says_what_it_touches() -> None:
    from typer.testing import CliRunner

    from byteor.cli.app import app

    done = CliRunner().invoke(app, ["check", "--resolve", "--strict", PLAN])
    assert done.exit_code == 0, done.output
