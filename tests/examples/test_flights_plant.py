"""The flights plant against an independent computation by pandas: the stages alone, and as it runs in all its ways.

Rule 1. Four days of January stand for the year: all carriers, wind beyond the calm, and alerts are in them.
Rule 2. The stages alone are put through the oracle of plants, so that a wrong file names who was wrong.
"""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pandas
import pytest

from byteor.cli.asked import Apart, Asked
from byteor.cli.carry import carry_out
from byteor.cli.report import as_data
from byteor.lower import lower
from byteor.plan import document
from byteor.spec.lane_graph import LaneGraph
from tests.plants.oracle import expected
from tests.plants.rows import packed

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / "examples" / "flights-plant"
DAYS = ("2013,1,1,", "2013,1,2,", "2013,1,3,", "2013,1,4,")


def module(name: str) -> ModuleType:
    """One of the example's modules, by its file: another example has modules of the same names."""
    made = ModuleType(name)
    exec(compile((EXAMPLE / f"{name}.py").read_text(), EXAMPLE / f"{name}.py", "exec"), made.__dict__)
    return made


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The first days of both files."""
    sys.path.insert(0, str(ROOT / "examples" / "flights"))
    from data import FLIGHTS, WEATHER, unpack

    folder = tmp_path_factory.mktemp("four days")
    for name in (FLIGHTS, WEATHER):
        lines = unpack(ROOT / "build" / "flights", name).read_text().splitlines(keepends=True)
        some = [line for line in lines[1:] if line.startswith(DAYS) or line[4:].startswith(DAYS)]
        (folder / name).write_text("".join([lines[0], *some]))
    return folder


def rows(path: Path, kind: np.dtype[np.void]) -> np.ndarray:
    """A file as records."""
    frame = pandas.read_csv(path, keep_default_na=False, na_values=["NA", ""], parse_dates=["time_hour"])
    made = np.zeros(len(frame), kind)
    for name in kind.names or ():
        column = frame[name].fillna(-32768) if name == "dep_delay" else frame[name]
        if name == "time_hour":
            column = column.dt.tz_localize(None).astype("M8[s]").astype("int64")
        made[name] = np.array(column, kind[name])
    return made


def test_the_stages_give_what_pandas_gives(data: Path) -> None:
    stages, verify = module("stages"), module("verify")
    graph = lower(document.read((EXAMPLE / "plan.toml").read_text()).plan).spec
    assert isinstance(graph, LaneGraph)
    kinds = {
        at.ingress.name: packed(next(t for t in graph.types if t.name == at.ingress.type)) for at in graph.ingresses
    }
    sources = {name: rows(data / f"{name}.csv", kind) for name, kind in kinds.items()}
    code = {role.stage.name: getattr(stages, role.stage.call.partition(":")[2]) for role in graph.stages}
    got, wanted = expected(graph, code, sources).egresses, verify.events(data)
    for name in ("carrier", "flight", "origin", "dest", "wind_speed", "visib", "usual", "score"):
        column = got["events"][name]
        column = column.astype(str) if column.dtype.kind == "S" else column
        assert np.array_equal(column, wanted[name].to_numpy(), equal_nan=column.dtype.kind == "f"), name
    told = [(row["text"].decode(), row["score"], row["number"]) for row in got["alerts"]]
    assert told == [(row["text"], row["score"], row["number"]) for row in verify.alerts(wanted)]
    assert len(told) > 20 and (wanted.wind_speed > verify.CALM).any() and wanted.score.notna().any()


# Its loops are compiled once: for minutes, where the machine has other things to do.
pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]
WAYS: dict[str, dict[str, Any]] = {
    "threads": {},
    "small batches, asleep": {"batch": 7, "wait": "block"},
    "one thread": {"single_thread": True, "batch": 64},
    "processes": {"apart": Apart()},
}


@pytest.mark.parametrize(
    "way", [pytest.param(way, marks=[] if way == "processes" else pytest.mark.stress) for way in WAYS]
)
def test_both_files_agree_with_pandas_however_the_plant_runs(data: Path, tmp_path: Path, way: str) -> None:
    inputs = tuple(f"{name}={data / name}.csv" for name in ("weather", "flights"))
    outputs = (f"events={tmp_path / 'events.parquet'}", f"alerts={tmp_path / 'alerts.jsonl'}")
    outcome = carry_out(str(EXAMPLE / "plan.toml"), Asked(inputs, outputs, **WAYS[way]))
    told = as_data(outcome)
    assert outcome.exit == 0, outcome.error
    assert (told["status"], told["dropped"]) == ("done", 0)
    assert module("verify").differences(data, tmp_path) == []
