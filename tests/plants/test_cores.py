"""Processes of a plant get the cores that their roles name, and `balanced` deals the others out."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from byteor.plant.cores import missing, spread
from byteor.spec.placement import Place, Placement
from tests.cli.project import byteor
from tests.plants.bad import PLAN, ROW, bad

MEMBERS = {"in": ("in",), "work": ("work", "more"), "out": ("out",), "log": ("log",)}
CORES = "import os\n\ndef work(row):\n    row.b = sum(1 << core for core in os.sched_getaffinity(0))\n"


def placement(pinning: str, **cores: int) -> Placement:
    return Placement("p", pinning, tuple(Place(role, cpu=core) for role, core in cores.items()))


@pytest.fixture
def four(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: {0, 1, 2, 5})


@pytest.mark.usefixtures("four")
def test_what_nobody_names_is_dealt() -> None:
    assert spread(MEMBERS, placement("none")) == dict.fromkeys(MEMBERS, ())
    assert spread(MEMBERS, placement("balanced")) == {"in": (0,), "work": (1,), "out": (2,), "log": (5,)}
    named = spread(MEMBERS, placement("balanced", work=5, more=1))
    assert named == {"in": (0,), "work": (1, 5), "out": (2,), "log": (0,)}
    assert spread(MEMBERS, placement("none", out=2)) == {"in": (), "work": (), "out": (2,), "log": ()}


@pytest.mark.usefixtures("four")
def test_a_core_that_is_not_here() -> None:
    (told,) = missing(placement("none", work=1, out=4))
    assert (
        told.code == "X056" and told.path == "placement.roles.1.cpu" and "core 4; there are 0, 1, 2, 5" in told.message
    )


def test_a_role_runs_on_its_core(tmp_path: Path) -> None:
    core = max(os.sched_getaffinity(0))
    pin = f'[[pin]]\nrole = "work"\ncpu = {core}\n\n[[egress]]'
    plant = bad(tmp_path, PLAN, CORES, {"[[egress]]": pin})
    assert byteor(*plant.run()).exit_code == 0
    rows = np.fromfile(tmp_path / "out.raw", ROW)
    assert set(rows["b"]) == {1 << core}
