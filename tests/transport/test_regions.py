"""Regions from creation to removal: whole or not there, found by name, judged on the descriptor."""

from __future__ import annotations

import errno
import gc
import os
import signal
import stat
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from byteor.diag import Refused
from byteor.transport import files, regions
from byteor.transport.header import Header, Wanted, decode
from tests.transport.support import BYTES, HEADER, KIND, WANTED, code_of, fill, forked, in_child, make, status_of


def test_what_is_created_is_opened(folder: Path) -> None:
    path = folder / "ticks"
    with regions.create(path, HEADER, fill) as mine, regions.open(path, WANTED) as theirs:
        assert theirs.header == mine.header
        assert 0 < theirs.generation < 2**63
        assert theirs.size == len(theirs.memory) == BYTES
        assert (theirs.memory[64:] == 7).all()
        mine.memory[100] = 9
        assert theirs.memory[100] == 9
        assert theirs.address != mine.address
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert path.stat().st_size == BYTES
    assert path.stat().st_blocks * 512 >= BYTES


def test_the_bytes_of_a_header(tmp_path: Path) -> None:
    make(tmp_path / "a", replace(HEADER, flags=0x0300))
    raw = (tmp_path / "a").read_bytes()[:64]
    at = {"magic": (0, 4), "version": (4, 2), "flags": (6, 2), "capabilities": (8, 4), "layout_bytes": (12, 4)}
    at["initialized"] = (16, 4)
    words = {name: int.from_bytes(raw[a : a + n], sys.byteorder) for name, (a, n) in at.items()}
    assert words == {
        "magic": 0x53554249,
        "version": 1,
        "flags": 0x0300 | KIND,
        "capabilities": 1,
        "layout_bytes": BYTES,
        "initialized": 2,
    }
    assert raw[20:24] == bytes(4)
    assert raw[32:] == b"l" * 16 + b"s" * 16
    header = decode(raw)
    assert header is not None
    assert header.generation == int.from_bytes(raw[24:32], sys.byteorder)
    assert header.encode() == raw


@pytest.mark.parametrize("bad", [{"kind": 256}, {"flags": 1}, {"layout_hash": b"short"}, {"capabilities": 2**32}])
def test_values_that_do_not_fit_are_the_callers_error(tmp_path: Path, bad: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="not fit"):
        make(tmp_path / "a", replace(HEADER, **bad))
    assert os.listdir(tmp_path) == []


def test_each_creation_is_a_generation_of_its_own(tmp_path: Path) -> None:
    path = tmp_path / "a"
    seen = set()
    for _ in range(5):
        make(path)
        seen.add(regions.open(path, WANTED).generation)
        regions.remove(path)
    assert len(seen) == 5


def test_the_mask_of_the_process_does_not_matter(tmp_path: Path) -> None:
    before = os.umask(0o777)
    try:
        make(tmp_path / "a")
    finally:
        os.umask(before)
    regions.open(tmp_path / "a", WANTED).close()


# Whole or not there


def no_tmpfile(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the file system one that must name its files."""
    real = os.open

    def refusing(path: Any, flags: int, *rest: Any, **more: Any) -> int:
        if flags & os.O_TMPFILE == os.O_TMPFILE:
            raise OSError(errno.EOPNOTSUPP, "not here")
        return real(path, flags, *rest, **more)

    monkeypatch.setattr(os, "open", refusing)


@pytest.fixture(params=["nameless", "named"])
def sort(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    if request.param == "named":
        no_tmpfile(monkeypatch)
    return str(request.param)


def test_nobody_sees_half_a_region(folder: Path, sort: str) -> None:
    seen: list[bool] = []
    path = folder / "a"

    def initialise(memory: Any) -> None:
        seen.append(path.exists())
        assert len(os.listdir(folder)) == (0 if sort == "nameless" else 1)

    regions.create(path, HEADER, initialise).close()
    assert seen == [False]
    assert os.listdir(folder) == ["a"]


def test_nothing_stays_of_a_failed_creation(folder: Path, sort: str) -> None:
    def initialise(memory: Any) -> None:
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        regions.create(folder / "a", HEADER, initialise)
    assert os.listdir(folder) == []


def test_nothing_stays_of_a_creator_that_was_killed(folder: Path) -> None:
    child = forked(lambda: regions.create(folder / "a", HEADER, lambda _: os.kill(os.getpid(), signal.SIGKILL)))
    assert status_of(child) == -signal.SIGKILL
    assert os.listdir(folder) == []


def test_a_creator_that_was_overtaken_is_told(folder: Path, sort: str) -> None:
    path = folder / "a"
    assert code_of(lambda: regions.create(path, HEADER, lambda _: make(path))) == "T005"
    assert os.listdir(folder) == ["a"]
    regions.open(path, WANTED).close()


def test_of_two_creators_at_once_one_wins(folder: Path) -> None:
    for turn in range(8):
        path = folder / str(turn)
        ready, go = os.pipe()

        def race(path: Path = path, ready: int = ready, go: int = go) -> None:
            os.close(go)
            os.read(ready, 1)  # returns when the parent closes its end
            make(path)

        children = [forked(race), forked(race)]
        os.close(ready)
        os.close(go)
        assert sorted(map(status_of, children)) == [0, 5]
        regions.open(path, WANTED).close()


def test_descriptors_are_given_back(folder: Path) -> None:
    for _ in range(3):
        with regions.create(folder / "a", HEADER, fill):
            with pytest.raises(Refused):
                make(folder / "a")
            with pytest.raises(Refused):
                regions.open(folder / "a", replace(WANTED, kind=1))
            regions.open(folder / "a", WANTED)
            regions.inspect(folder / "a")
        regions.remove(folder / "a")
    gc.collect()
    links = [os.path.join("/proc/self/fd", name) for name in os.listdir("/proc/self/fd")]
    assert [where for link in links if os.path.islink(link) and str(folder) in (where := os.readlink(link))] == []


# Memory


def test_a_view_outlives_its_region(tmp_path: Path) -> None:
    region = regions.create(tmp_path / "a", HEADER, fill)
    view = region.memory[64:128]
    region.close()
    region.close()
    assert len(region.memory) == 0
    for use in (lambda: region.removed, lambda: region.held(64), lambda: region.try_lock(64)):
        with pytest.raises(ValueError, match="is closed"):
            use()
    gc.collect()
    assert (view == 7).all()


def test_a_region_can_be_touched_and_pinned(folder: Path) -> None:
    how = regions.Mapping(prefault=True, mlock=True)
    header = replace(HEADER, layout_bytes=1 << 14)
    with regions.create(folder / "a", header, fill, how) as region:
        assert _locked_kb(region.address) == 16
    with regions.open(folder / "a", WANTED, how=how) as region:
        assert _locked_kb(region.address) == 16


def _locked_kb(address: int) -> int:
    """What the system says of the mapping at `address`."""
    inside = False
    for row in Path("/proc/self/smaps").read_text().splitlines():
        head = row.split()[0]
        if "-" in head and not head.endswith(":"):
            low, _, high = head.partition("-")
            inside = int(low, 16) <= address < int(high, 16)
        elif inside and head == "Locked:":
            return int(row.split()[1])
    raise AssertionError("no such mapping")


def test_a_region_can_be_opened_to_read_only(tmp_path: Path) -> None:
    make(tmp_path / "a")
    with regions.open(tmp_path / "a", WANTED, how=regions.Mapping(writable=False)) as region:
        assert not region.memory.flags.writeable
        assert (region.memory[64:] == 7).all()


def test_a_region_lives_on_in_a_forked_child(tmp_path: Path) -> None:
    with regions.create(tmp_path / "a", HEADER, fill) as region:

        def write() -> None:
            region.memory[100] = 42

        assert in_child(write) == 0
        assert region.memory[100] == 42


# Waiting for a creator


class Time:
    """A clock that only sleeping moves; at a given sleep something happens."""

    def __init__(self, at: int = -1, event: Any = None) -> None:
        self.time, self.slept, self.at, self.event = 0.0, [], at, event  # type: ignore[var-annotated]

    def now(self) -> float:
        return self.time

    def sleep(self, seconds: float) -> None:
        self.time += seconds
        self.slept.append(seconds)
        if len(self.slept) == self.at:
            self.event()

    @property
    def clock(self) -> regions.Clock:
        return regions.Clock(self.now, self.sleep)


def set_state(path: Path, state: int) -> None:
    with path.open("r+b") as file:
        file.seek(16)
        file.write(state.to_bytes(4, sys.byteorder))


@pytest.mark.parametrize("state", [0, 1])
def test_an_opener_waits_for_the_creator(tmp_path: Path, state: int) -> None:
    path = tmp_path / "a"
    make(path)
    set_state(path, state)
    time = Time(3, lambda: set_state(path, 2))
    regions.open(path, WANTED, wait=1.0, clock=time.clock).close()
    assert len(time.slept) == 3


def test_an_opener_waits_no_longer_than_it_was_told(tmp_path: Path) -> None:
    path = tmp_path / "a"
    make(path)
    set_state(path, 1)
    time = Time()
    assert code_of(lambda: regions.open(path, WANTED, wait=0.7, clock=time.clock)) == "T021"
    assert sum(time.slept) == pytest.approx(0.7)
    assert max(time.slept) <= regions.LONGEST_PAUSE
    assert len(time.slept) < 30
    time = Time()
    assert code_of(lambda: regions.open(path, WANTED, wait=0.0, clock=time.clock)) == "T021"
    assert time.slept == []


def test_nobody_waits_for_what_cannot_become_right(tmp_path: Path) -> None:
    path = tmp_path / "a"
    make(path)
    set_state(path, 3)
    time = Time()
    assert code_of(lambda: regions.open(path, WANTED, clock=time.clock)) == "T022"
    assert time.slept == []


# Judged on the descriptor


def replacing(monkeypatch: pytest.MonkeyPatch, path: Path, by: Path) -> None:
    """Put another file under the name, at the moment after the name was opened."""
    real = os.open

    def opening(what: Any, flags: int, *rest: Any, **more: Any) -> int:
        fd = real(what, flags, *rest, **more)
        if what == str(path) and by.exists():
            os.replace(by, path)
        return fd

    monkeypatch.setattr(os, "open", opening)


def test_a_replaced_file_is_judged_as_it_was_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, good = tmp_path / "a", tmp_path / "good"
    path.write_bytes(bytes(BYTES))
    path.chmod(0o644)
    make(good)
    replacing(monkeypatch, path, good)
    assert code_of(lambda: regions.open(path, WANTED)) == "T011"
    regions.open(path, WANTED).close()


def test_a_replaced_file_is_mapped_as_it_was_judged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, other = tmp_path / "a", tmp_path / "other"
    make(path)
    other.write_bytes(bytes(10))
    replacing(monkeypatch, path, other)
    with regions.open(path, WANTED) as region:
        assert (region.memory[64:] == 7).all()
        assert region.removed
    assert code_of(lambda: regions.open(path, WANTED)) == "T011"


def test_a_file_that_shrinks_while_it_is_opened_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a"
    make(path)
    real = regions.validate

    def shrinking(*given: Any) -> Any:
        found = real(*given)
        os.truncate(path, 100)
        return found

    monkeypatch.setattr(regions, "validate", shrinking)
    assert code_of(lambda: regions.open(path, WANTED)) == "T019"


# Looking, listing, removing


def test_a_look_tells_all_without_a_mapping(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a"
    make(path)
    monkeypatch.setattr(regions, "_mapped", None)
    seen = regions.inspect(path)
    assert (seen.path, seen.size, seen.findings, seen.owned) == (str(path), BYTES, (), False)
    assert seen.header is not None
    assert (seen.header.kind, seen.header.layout_hash) == (KIND, b"l" * 16)
    path.chmod(0o640)
    os.truncate(path, 100)
    assert {d.code for d in regions.inspect(path).findings} == {"T011", "T019"}
    os.truncate(path, 10)
    seen = regions.inspect(path)
    assert (seen.header, seen.size) == (None, 10)


def test_a_folder_lists_its_regions_alone(folder: Path) -> None:
    make(folder / "b")
    make(folder / "a")
    make(folder / "cut")
    os.truncate(folder / "cut", 20)
    (folder / "note").write_text("not a region")
    (folder / "empty").touch()
    (folder / "folder").mkdir()
    (folder / "link").symlink_to("a")
    os.mkfifo(folder / "pipe")
    with regions.create(folder / "c", HEADER, fill) as region, region.try_lock(64) or pytest.fail():
        seen = regions.listing(folder)
    assert [Path(one.path).name for one in seen] == ["a", "b", "c", "cut"]
    assert [one.owned for one in seen] == [False, False, True, False]
    assert [[d.code for d in one.findings] for one in seen] == [[], [], [], ["T019"]]
    assert code_of(lambda: regions.listing(folder / "none")) == "T003"
    assert code_of(lambda: regions.listing(folder / "note")) == "T003"


def test_a_region_is_removed_unless_it_is_owned(folder: Path) -> None:
    path = folder / "a"
    region = regions.create(path, HEADER, fill)
    owner = region.try_lock(2048)
    assert owner is not None
    with pytest.raises(Refused, match="2048"):
        regions.remove(path)
    assert owner.release()
    assert not region.removed
    regions.remove(path)
    assert region.removed
    assert (region.memory[64:] == 7).all()
    assert code_of(lambda: regions.remove(path)) == "T004"
    assert code_of(lambda: region.try_lock(2048)) == "T025"
    assert not region.held(2048)


def test_broken_regions_can_be_removed(tmp_path: Path) -> None:
    path = tmp_path / "a"
    for size, mode in ((10, 0o600), (BYTES, 0o644), (BYTES * 2, 0o600)):
        make(path)
        os.truncate(path, size)
        path.chmod(mode)
        regions.remove(path)
        assert not path.exists()


def test_what_is_no_region_is_not_removed(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_text("precious")
    assert code_of(lambda: regions.remove(path)) == "T012"
    link = tmp_path / "link"
    link.symlink_to("b")
    make(tmp_path / "b")
    assert code_of(lambda: regions.remove(link)) == "T008"
    assert sorted(os.listdir(tmp_path)) == ["a", "b", "link"]


def test_a_name_that_changed_hands_is_not_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, other = tmp_path / "a", tmp_path / "other"
    make(path)
    make(other)
    replacing(monkeypatch, path, other)
    assert code_of(lambda: regions.remove(path)) == "T023"
    assert path.exists()


def test_other_failures_say_which_region(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(*_: Any, **__: Any) -> int:
        raise OSError(errno.EIO, "broken disk")

    monkeypatch.setattr(os, "posix_fallocate", failing)
    with pytest.raises(OSError, match="broken disk") as caught:
        make(tmp_path / "a")
    assert caught.value.__notes__ == [f"while working on the region {tmp_path / 'a'}"]
    assert os.listdir(tmp_path) == []


def test_without_proc_the_reason_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    region = regions.create(tmp_path / "a", HEADER, fill)
    real = os.open

    def hiding(path: Any, *rest: Any, **more: Any) -> int:
        if str(path).startswith("/proc/"):
            raise FileNotFoundError(errno.ENOENT, "no such file")
        return real(path, *rest, **more)

    monkeypatch.setattr(os, "open", hiding)
    with pytest.raises(OSError, match="/proc"):
        region.held(64)


def test_a_relative_path_is_of_the_current_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    make("a")
    assert [seen.path for seen in regions.listing("")] == ["./a"]
    regions.remove("a")
    assert os.listdir() == []


def test_facts_are_copied_once(tmp_path: Path) -> None:
    with regions.create(tmp_path / "a", HEADER, fill) as region:
        region.memory[:64] = np.frombuffer(Header(kind=1, layout_bytes=64).encode(), np.uint8)
        assert (region.size, region.header.kind) == (BYTES, KIND)


def test_it_can_be_imported_where_there_is_no_fcntl() -> None:
    code = """
import sys
sys.modules["fcntl"] = None
sys.platform = "darwin"
from byteor.diag import Refused
from byteor.transport import locks, regions, findings
from byteor.transport.header import Header, Wanted
for work in (
    lambda: regions.create("a", Header(1, 64), len),
    lambda: regions.open("a", Wanted()),
    lambda: regions.inspect("a"),
    lambda: regions.listing("."),
    lambda: regions.remove("a"),
    lambda: locks.try_lock("a", 0),
    lambda: locks.held("a", 0),
):
    try:
        work()
    except Refused as refused:
        assert [d.code for d in refused.diagnostics] == ["T001"]
    else:
        sys.exit("not refused")
"""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr


def test_wanted_is_nothing_by_default(tmp_path: Path) -> None:
    make(tmp_path / "a", replace(HEADER, capabilities=1 << 16))
    regions.open(tmp_path / "a", Wanted()).close()
    assert files.MODE == 0o600
