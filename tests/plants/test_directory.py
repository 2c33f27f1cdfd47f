"""A plant's folder is private, held by one supervisor, readable from outside, and gone when it is removed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from byteor.diag import Refused
from byteor.plant import directory, findings, manifest
from byteor.plant.manifest import Manifest
from byteor.transport import locks
from tests.transport.support import NOBODY, as_root, code_of, make

FULL = Manifest(
    "flights",
    "1f2e",
    spec="kv\n",
    placement="{}",
    folder="/plans",
    stages={"model": "ab" * 32},
    inputs={"in": "a.csv"},
    outputs={"out": "b.csv"},
    sources={"in": {"size": 3}},
    options={"batch": 4096},
    generations={"lane.0": 2**63 - 1},
)


def test_a_manifest_reads_as_it_was_written() -> None:
    assert manifest.decode(manifest.encode(FULL), "/plant") == FULL


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{",
        '{"byteor_plant": 2}',
        '{"byteor_plant": 1}',
        manifest.encode(FULL).replace('"own": true', '"own": 1'),
        manifest.encode(FULL).replace('"own"', '"odd"'),
        manifest.encode(FULL).replace('"kv\\n"', '"kv", "spec": "kv"'),
        "[" * 100_000,
        " " * (manifest.LARGEST + 1),
    ],
)
def test_what_is_no_manifest_is_told(text: str) -> None:
    assert code_of(lambda: manifest.decode(text, "/plant")) == findings.NOT_A_PLANT.code


def test_a_plant_is_made_left_found_resumed_and_removed(tmp_path: Path) -> None:
    held = directory.create("a plant/x", parent=tmp_path)
    assert held.where.parent == tmp_path and held.where.name.startswith("byteor-a_plant_x-")
    assert os.stat(held.where).st_mode & 0o777 == 0o700
    assert all(os.stat(held.path(name)).st_mode & 0o777 == 0o600 for name in os.listdir(held.where))
    held.write(replace(held.manifest, spec="text"))
    (seen,) = directory.listing(tmp_path)
    assert seen == directory.Seen(held.where, held.manifest, True, os.getpid())
    held.release()
    assert directory.look(held.where) == replace(seen, live=False)
    with directory.resume(held.where) as again:
        assert again.manifest.spec == "text" and again.manifest.token == held.manifest.token
        (again.where / "journal").mkdir()
        (again.where / "journal" / "0").write_bytes(b"x")
        again.remove()
    assert list(tmp_path.iterdir()) == [] and directory.listing(tmp_path) == ()


def test_a_folder_that_was_there_stays_empty(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir(mode=0o700)
    directory.create("x", tmp_path / "mine").remove()
    assert list((tmp_path / "mine").iterdir()) == []


def test_two_plants_in_one_folder(tmp_path: Path) -> None:
    with directory.create("x", tmp_path / "p") as held:
        for work in (lambda: directory.create("y", tmp_path / "p"), lambda: directory.resume(tmp_path / "p")):
            with pytest.raises(Refused) as caught:
                work()
            assert [d.code for d in caught.value.diagnostics] == [findings.HELD.code]
            assert findings.status_of(caught.value.diagnostics) == 4
            assert f"process {os.getpid()}" in str(caught.value)
        assert held.manifest.own
    assert code_of(lambda: directory.create("y", tmp_path / "p")) == findings.TAKEN.code


def foreign(path: Path) -> None:
    path.mkdir(mode=0o700)
    os.chown(path, NOBODY, -1)


def open_to_all(path: Path) -> None:
    path.mkdir()
    path.chmod(0o755)


def with_something(path: Path) -> None:
    path.mkdir(mode=0o700)
    (path / "thesis.txt").write_text("mine")


REFUSED: list[tuple[Callable[[Path], object], str]] = [
    (open_to_all, "X043"),
    (with_something, "X044"),
    (lambda path: path.write_text("a file"), "T003"),
    (lambda path: path.symlink_to(path.parent), "T003"),
    (lambda path: path.mkdir(mode=0o700), ""),
]


@pytest.mark.parametrize(("make_it", "code"), REFUSED)
def test_a_new_plant_takes_only_what_is_its_own(make_it: Callable[[Path], object], code: str, tmp_path: Path) -> None:
    path = tmp_path / "p"
    make_it(path)
    if not code:
        directory.create("x", path).remove()
        return
    before = sorted(tmp_path.rglob("*"))
    assert code_of(lambda: directory.create("x", path)) == code
    assert sorted(tmp_path.rglob("*")) == before


@as_root
def test_another_users_folder_is_refused(tmp_path: Path) -> None:
    foreign(tmp_path / "p")
    assert code_of(lambda: directory.create("x", tmp_path / "p")) == findings.NOT_PRIVATE.code


def test_a_missing_parent_is_told(tmp_path: Path) -> None:
    assert code_of(lambda: directory.create("x", tmp_path / "none" / "p")) == "T003"
    assert code_of(lambda: directory.look(tmp_path / "none")) == "T004"


def test_what_is_no_plant_is_not_resumed(tmp_path: Path) -> None:
    (tmp_path / "p").mkdir(mode=0o700)
    assert code_of(lambda: directory.resume(tmp_path / "p")) == findings.NOT_A_PLANT.code
    held = directory.create("x", tmp_path / "q")
    held.path(directory.MANIFEST).write_text("{")
    held.release()
    assert code_of(lambda: directory.resume(tmp_path / "q")) == findings.NOT_A_PLANT.code
    assert not locks.held(held.lock, directory.OFFSET), "who is refused lets go"
    held.path(directory.MANIFEST).unlink()
    assert code_of(lambda: directory.resume(tmp_path / "q")) == findings.NOT_A_PLANT.code


def test_lost_and_cut_regions_are_told(tmp_path: Path) -> None:
    held = directory.create("x", tmp_path / "p")
    for name in ("a", "b", "c"):
        make(held.path(name))
    known = {name: directory.regions.inspect(held.path(name)).header for name in ("a", "b", "c")}
    held.write(replace(held.manifest, generations={n: h.generation for n, h in known.items() if h is not None}))
    assert directory.lost(held.where, held.manifest) == directory.cut(held.where, held.manifest) == ()
    held.path("a").unlink()
    held.path("b").unlink()
    make(held.path("b"))
    os.truncate(held.path("c"), 1000)
    held.release()
    with pytest.raises(Refused) as caught:
        directory.resume(held.where)
    assert [(d.path, d.code) for d in caught.value.diagnostics] == [(str(held.path(n)), "X041") for n in ("a", "b")]
    assert findings.status_of(caught.value.diagnostics) == 5
    (found,) = directory.cut(held.where, held.manifest)
    assert (found.path, found.code, found.message) == (str(held.path("c")), "X049", "it has 1000 bytes of 4096")


def test_what_was_left_beside_outputs_goes_with_the_plant(tmp_path: Path) -> None:
    held = directory.create("x", tmp_path / "p")
    held.write(replace(held.manifest, outputs={"out": str(tmp_path / "out.csv"), "log": "-"}))
    (tmp_path / f".out.csv.{held.manifest.token}.spool").write_bytes(b"records")
    (tmp_path / "out.csv").write_text("another run's")
    held.remove()
    assert [path.name for path in tmp_path.iterdir()] == ["out.csv"]


KILLED = """
import os, signal, sys
from byteor.plant import directory
directory.create("x", sys.argv[1])
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_who_was_killed_holds_nothing(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-c", KILLED, str(tmp_path / "p")])
    seen = directory.look(tmp_path / "p")
    assert not seen.live and seen.pid != os.getpid()
    directory.resume(tmp_path / "p").remove()
    assert list(tmp_path.iterdir()) == []


def test_who_supervises_is_read_without_trust(tmp_path: Path) -> None:
    lock = tmp_path / "supervisor"
    for text in ("", "[]", '{"pid": "x", "started": 0}', "\x00"):
        lock.write_text(text)
        assert directory.supervisor(lock) == (0, 0)
    lock.write_text(json.dumps({"pid": 7, "started": 8}))
    assert directory.supervisor(lock) == (7, 8)
