"""The compile cache is hit in every new process, and never stale."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from byteor.kernel import cache

STAGES = """
import helper
from helper import direct

def f(rec):
    rec.px = direct(rec.px) + helper.reached(rec.px)
"""
HELPER = """
from numba import njit

@njit
def direct(x):
    return x * {factor}

@njit
def reached(x):
    return x * 10
"""
PROGRAM = """
import numpy as np, sys
sys.path.insert(0, ".")
import stages
from byteor.exec import compiler
from byteor.exec.stage import as_stage
from byteor.kernel.loops import Port, Shape
from byteor.kernel.wait import NOBODY, SPIN, Waiter
from byteor.backings import mem
from byteor.spec.build import stage

ring = mem.create(1, np.dtype([("px", "<i8")]), 4).shards[0]
ring.slots["px"] = 1
end, control, none = mem.runner(), mem.control(), np.zeros(1, [("_", "u1")])
spec = stage("f", "stages:f", "t")
call = compiler.adapted(spec, as_stage(stages.f))
facts = compiler.facts(call, compiler.signature(spec, ring.slots, none, none))
loop = compiler.loop(spec.form, call, None, Shape(raises=facts.raises))
port = Port((ring.words.address("cursor"),), ring.words.address("gate"), end.address("at"), NOBODY, (-1,), -1, 4)
waiter = Waiter(ring.words.address("closed"), control.address("stop"), end.address("bell"), SPIN, 0)
ring.words.write("cursor", 1)
loop(port, ring.slots, ring.dead, none, 0, none, waiter)
hits = sum(loop.stats.cache_hits.values())
print(int(ring.slots["px"][0]), "hit" if hits else "miss")
"""


def process(folder: Path, program: str = PROGRAM) -> str:
    """Run the stage once in a new process; answer with its result and whether its loop came from the cache."""
    environment = {**os.environ, "BYTEOR_CACHE": str(folder / "cache"), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=folder, env=environment, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def write_helper(folder: Path, factor: int) -> None:
    (folder / "helper.py").write_text(HELPER.format(factor=factor))


def test_an_edited_helper_in_another_file_is_compiled_anew(tmp_path: Path) -> None:
    (tmp_path / "stages.py").write_text(STAGES)
    write_helper(tmp_path, 2)
    assert [process(tmp_path), process(tmp_path)] == ["12 miss", "12 hit"]
    write_helper(tmp_path, 3)
    assert [process(tmp_path), process(tmp_path)] == ["13 miss", "13 hit"]
    write_helper(tmp_path, 2)
    assert process(tmp_path) == "12 hit"


def test_two_modules_with_the_same_stage_do_not_share_what_is_compiled(tmp_path: Path) -> None:
    (tmp_path / "stages.py").write_text(STAGES)
    write_helper(tmp_path, 2)
    assert process(tmp_path) == "12 miss"
    (tmp_path / "stages.py").rename(tmp_path / "renamed.py")
    assert process(tmp_path, PROGRAM.replace("import stages", "import renamed as stages")) == "12 miss"


def reaches(constant: object) -> object:
    def f() -> object:
        return constant

    return f


@pytest.mark.parametrize(("one", "other"), [(1, 2), (1, 1.0), (1, True), ((1, 2), (1, 3)), ("a", "b")])
def test_what_a_function_closes_over_is_part_of_its_fingerprint(one: object, other: object) -> None:
    assert cache.fingerprint(reaches(one)) == cache.fingerprint(reaches(one))
    assert cache.fingerprint(reaches(one)) != cache.fingerprint(reaches(other))


def test_what_no_fingerprint_can_hold_is_not_cached() -> None:
    with pytest.raises(cache.Opaque):
        cache.fingerprint(reaches(object()))
    assert cache.fingerprint(reaches(object()), lenient=True)


def test_the_folder_is_private_and_cleared_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BYTEOR_CACHE", str(tmp_path / "cache"))
    facts = cache.remembered(reaches(1), "here", lambda: {"n": 1})
    assert facts == {"n": 1} == cache.remembered(reaches(1), "here", lambda: {"n": 2})
    assert stat.S_IMODE((tmp_path / "cache").stat().st_mode) == 0o700
    files, size = cache.clear()
    assert (files, size > 0) == (1, True)
    assert not (tmp_path / "cache").exists()


def test_a_folder_that_others_may_write_is_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BYTEOR_CACHE", str(tmp_path))
    tmp_path.chmod(0o777)
    assert cache.remembered(reaches(1), "here", lambda: {"n": 1}) == {"n": 1}
    assert list(tmp_path.iterdir()) == []


def test_the_folder_is_trimmed_from_its_oldest_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for age, name in enumerate(("new", "old", "oldest")):
        (tmp_path / name).write_bytes(b"x" * 100)
        os.utime(tmp_path / name, (1000 - age, 1000 - age))
    monkeypatch.setattr(cache, "LIMIT_BYTES", 250)
    cache._trim(tmp_path)
    assert sorted(f.name for f in tmp_path.iterdir()) == ["new", "old"]
