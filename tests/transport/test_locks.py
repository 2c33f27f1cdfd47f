"""Locks tell who is alive: each trap of open file descriptions, and each way to end."""

from __future__ import annotations

import fcntl
import mmap
import os
import signal
import struct
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from byteor.diag import Refused
from byteor.transport import locks, regions
from tests.transport.support import HEADER, WANTED, fill, forked, in_child, make, status_of, wait_free

CELL, OTHER_CELL = 128, 256


@pytest.fixture
def path(folder: Path) -> Path:
    make(folder / "a")
    return folder / "a"


class Holder:
    """A child that holds a cell until it is told to end, or is killed."""

    def __init__(self, path: Path, cell: int = CELL) -> None:
        ready, told = os.pipe()
        wait, self.go = os.pipe()

        def hold() -> None:
            os.close(self.go)
            owner = locks.try_lock(path, cell)
            assert owner is not None
            os.write(told, b"x")
            os.read(wait, 1)

        self.pid = forked(hold)
        os.close(told)
        os.close(wait)
        assert os.read(ready, 1) == b"x"
        os.close(ready)

    def end(self) -> int:
        os.close(self.go)
        return status_of(self.pid)


@pytest.fixture
def holder(path: Path) -> Iterator[Holder]:
    made = Holder(path)
    yield made
    try:
        os.kill(made.pid, signal.SIGKILL)
        os.waitpid(made.pid, 0)
    except (ProcessLookupError, ChildProcessError):
        pass  # it has ended already


def won(path: Path, cell: int = CELL) -> locks.Owner:
    owner = locks.try_lock(path, cell)
    assert owner is not None
    return owner


def test_one_cell_has_one_owner(path: Path) -> None:
    assert not locks.held(path, CELL)
    owner = won(path)
    assert (owner.path, owner.offset, owner.pid, owner.alive) == (str(path), CELL, os.getpid(), True)
    assert locks.held(path, CELL)
    assert locks.try_lock(path, CELL) is None
    assert not locks.held(path, OTHER_CELL)
    with won(path, OTHER_CELL) as second:
        assert second.alive
    assert not locks.held(path, OTHER_CELL)
    assert locks.held(path, CELL)
    assert owner.release()
    assert not owner.release()
    assert not owner.alive
    assert not locks.held(path, CELL)
    won(path).release()


def test_cells_beyond_the_end_of_the_file_can_be_owned(path: Path) -> None:
    with won(path, 1 << 40):
        assert locks.held(path, 1 << 40)
        assert not locks.held(path, (1 << 40) - 1)


def test_an_owner_is_not_forgotten_with_its_object(path: Path) -> None:
    owner = won(path)
    kept = [o for o in locks._HELD if o is owner]
    del owner
    assert locks.held(path, CELL)
    assert kept.pop().release()
    assert not locks.held(path, CELL)


def test_no_descriptor_stays_of_a_lock_that_was_lost(path: Path) -> None:
    with won(path):
        before = len(os.listdir("/proc/self/fd"))
        for _ in range(3):
            assert locks.try_lock(path, CELL) is None
            assert locks.held(path, CELL)
        assert len(os.listdir("/proc/self/fd")) == before


def test_threads_are_told_apart(path: Path) -> None:
    answers: list[bool] = []
    with won(path):
        thread = threading.Thread(target=lambda: answers.append(locks.try_lock(path, CELL) is None))
        thread.start()
        thread.join()
    assert answers == [True]


def test_a_region_asks_for_its_own_file(path: Path) -> None:
    """Another file under the same name has other owners."""
    with regions.open(path, WANTED) as region:
        path.unlink()
        make(path)
        with won(path):
            assert not region.held(CELL)
        with regions.open(path, WANTED) as successor, successor.try_lock(CELL) or pytest.fail():
            assert successor.held(CELL)
            assert locks.held(path, CELL)
            assert not region.held(CELL)


# Traps


def test_a_query_on_the_owners_own_descriptor_would_say_free(path: Path) -> None:
    with won(path) as owner:
        assert locks.first_held(owner._fd, CELL, 1) is None  # the trap
        assert locks.held(path, CELL)
        with regions.open(path, WANTED) as region:
            assert region.held(CELL)


def test_the_locks_descriptor_is_not_the_mapped_one(folder: Path) -> None:
    region = regions.create(folder / "a", HEADER, fill)
    view = region.memory
    owner = region.try_lock(CELL)
    assert owner is not None
    assert owner.release()
    assert not locks.held(folder / "a", CELL)
    with region.try_lock(CELL) or pytest.fail():
        region.close()  # neither does closing the region end a lock, nor the mapping that lives on keep one
        assert locks.held(folder / "a", CELL)
    assert not locks.held(folder / "a", CELL)
    assert view[CELL] == 7


def test_a_mapping_of_the_locks_descriptor_would_keep_it(path: Path) -> None:
    """Why the descriptor is never handed out: this is what a mapping does."""
    fd = os.open(path, os.O_RDWR)
    flock = struct.pack("hhqqi4x", fcntl.F_WRLCK, os.SEEK_SET, CELL, 1, 0)
    fcntl.fcntl(fd, fcntl.F_OFD_SETLK, flock)  # type: ignore[attr-defined]
    mapping = mmap.mmap(fd, 4096)
    os.close(fd)
    assert locks.held(path, CELL)
    mapping.close()
    assert not locks.held(path, CELL)


def test_a_duplicate_does_not_keep_a_lock_that_was_released(path: Path) -> None:
    owner = won(path)
    copy = os.dup(owner._fd)
    assert owner.release()
    assert not locks.held(path, CELL)
    os.close(copy)


def test_closing_other_descriptors_keeps_the_lock(path: Path) -> None:
    """POSIX locks would vanish with any descriptor of the file that is closed."""
    with won(path):
        os.close(os.open(path, os.O_RDWR))
        regions.open(path, WANTED).close()
        regions.inspect(path)
        assert locks.held(path, CELL)


def test_a_forked_child_owns_nothing(path: Path) -> None:
    owner = won(path)

    def work() -> None:
        assert not owner.alive
        assert owner._fd == -1
        assert not locks._HELD
        assert not owner.release()
        with owner:  # what a child does on its way out of its parent's blocks
            pass
        assert locks.held(path, CELL)
        assert locks.try_lock(path, CELL) is None
        with won(path, OTHER_CELL):
            assert locks.held(path, OTHER_CELL)

    assert in_child(work) == 0
    assert owner.alive
    assert locks.held(path, CELL)
    assert owner.release()


def test_a_forked_child_does_not_keep_its_parents_lock(path: Path) -> None:
    """The owner dies without a word; its child lives on."""
    ready, told = os.pipe()
    wait, go = os.pipe()

    def owner_that_dies() -> None:
        won(path)
        child = forked(lambda: (os.close(go), os.write(told, b"x"), os.read(wait, 1)))
        assert child
        os.kill(os.getpid(), signal.SIGKILL)

    pid = forked(owner_that_dies)
    assert os.read(ready, 1) == b"x"  # the child is past its start
    assert status_of(pid) == -signal.SIGKILL
    assert not locks.held(path, CELL)
    for fd in (ready, told, wait, go):
        os.close(fd)


def test_a_program_that_is_started_gets_no_lock(path: Path) -> None:
    with won(path), subprocess.Popen(["cat"], stdin=subprocess.PIPE, close_fds=False) as other:
        links = [f"/proc/{other.pid}/fd/{name}" for name in os.listdir(f"/proc/{other.pid}/fd")]
        assert str(path) not in [os.readlink(link) for link in links]
        assert other.stdin is not None
        other.stdin.close()


def test_a_fork_waits_for_a_lock_that_is_being_won(path: Path) -> None:
    """Else the child would have a descriptor that it does not know of."""
    inside, leave = threading.Event(), threading.Event()
    done: list[object] = []

    def slow(access: int) -> int:
        fd = os.open(path, access)
        inside.set()
        assert leave.wait(60)
        return fd

    def descriptors() -> list[str]:
        links = [f"/proc/self/fd/{name}" for name in os.listdir("/proc/self/fd")]
        return [link for link in links if os.path.islink(link) and os.readlink(link) == str(path)]

    def look() -> None:
        assert descriptors() == []

    thread = threading.Thread(target=lambda: done.append(locks.claim(slow, str(path), CELL)))
    thread.start()
    assert inside.wait(60)
    assert not locks._GATE.acquire(blocking=False)
    forker = threading.Thread(target=lambda: done.append(in_child(look)))
    forker.start()
    leave.set()
    thread.join()
    forker.join()
    status, owner = sorted(done, key=lambda one: not isinstance(one, int))
    assert status == 0
    assert isinstance(owner, locks.Owner)
    assert len(descriptors()) == 1
    assert owner.release()


# Ways to end


def test_a_lock_ends_with_its_process(path: Path, holder: Holder) -> None:
    assert locks.held(path, CELL)
    assert locks.try_lock(path, CELL) is None
    assert holder.end() == 0
    assert not locks.held(path, CELL)
    won(path).release()


def test_a_lock_ends_when_its_owner_is_killed(path: Path, holder: Holder) -> None:
    os.kill(holder.pid, signal.SIGKILL)
    wait_free(path, CELL)  # ends under the watchdog: memory is torn down before files
    assert not locks.held(path, CELL)


def test_a_zombie_owns_nothing(path: Path, holder: Holder) -> None:
    os.kill(holder.pid, signal.SIGKILL)
    os.waitid(os.P_PID, holder.pid, os.WEXITED | os.WNOWAIT)
    assert "Z" in Path(f"/proc/{holder.pid}/stat").read_text().rpartition(")")[2].split()[0]
    assert not locks.held(path, CELL)


def test_who_is_stopped_is_alive(path: Path, holder: Holder) -> None:
    os.kill(holder.pid, signal.SIGSTOP)
    os.waitid(os.P_PID, holder.pid, os.WSTOPPED)
    assert locks.held(path, CELL)
    os.kill(holder.pid, signal.SIGCONT)
    assert holder.end() == 0


def test_of_many_one_wins_and_each_has_its_turn(path: Path) -> None:
    """Successors win a cell one after the other, each after the death of the one before."""
    for _ in range(5):
        one = Holder(path)
        assert locks.try_lock(path, CELL) is None
        os.kill(one.pid, signal.SIGKILL)
        wait_free(path, CELL)
        one.end()


def test_a_removal_waits_for_nobody(path: Path, holder: Holder) -> None:
    assert regions.inspect(path).owned
    with pytest.raises(Refused, match=str(CELL)):
        regions.remove(path)
    assert holder.end() == 0
    assert not regions.inspect(path).owned
    regions.remove(path)


def test_this_process_is_named_for_people() -> None:
    pid, started = locks.this_process()
    assert pid == os.getpid()
    assert started > 0
    assert locks.this_process() == (pid, started)
