"""The compiled ends of states and journals, beside the plain ones."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import Any

import numba
import numpy as np
import pytest

from byteor import lanes
from tests.lanes.killing import code_of

ROW = np.dtype([("number", "<i8"), ("twice", "<i8")])


@numba.njit(nogil=True)
def put_all(handle: Any, count: Any) -> Any:
    row = np.zeros(1, ROW)
    for n in range(1, count + 1):
        row[0].number, row[0].twice = n, 2 * n
        if not lanes.try_put(handle, row[0]):
            return n
    return count


@numba.njit(nogil=True)
def get_until(handle: Any, count: Any) -> Any:
    row, last = np.zeros(1, ROW), 0
    while last < count:
        number = lanes.try_get(handle, row[0], 64)
        if number >= 0:
            if number < last or row[0].number != number or row[0].twice != 2 * number:
                return -number
            last = number
    return last


@numba.njit(nogil=True)
def append_some(handle: Any, first: Any, count: Any) -> Any:
    row = np.zeros(1, ROW)
    for n in range(first, first + count):
        row[0].number, row[0].twice = n, 2 * n
        if not lanes.try_append(handle, row[0]):
            return n - first
    return count


@numba.njit(nogil=True)
def take_some(handle: Any, first: Any) -> Any:
    row, n = np.zeros(1, ROW), first
    while True:
        answer = lanes.try_take(handle, row[0], 64)
        if answer != 1:
            return n, answer
        if row[0].number != n or row[0].twice != 2 * n:
            return -1, n
        n += 1


def test_states_are_put_and_got_by_handle(folder: Path) -> None:
    with lanes.create("best", ROW, kind="state", may_block=True) as lane:
        writer, reader = lane.writer(), lane.reader()
        assert get_until(reader.compiled, 0) == 0
        thread = threading.Thread(target=put_all, args=(writer.compiled, 20_000), daemon=True)
        thread.start()
        assert get_until(reader.compiled, 20_000) == 20_000
        thread.join()
        before = time.monotonic_ns()
        assert put_all(writer.compiled, 1) == 1 and reader.get()["number"] == 1
        assert before <= time.monotonic_ns() - reader.age * 1e9 + 1e6 and reader.sequence == 20_001
        writer.put((5, 10))
        assert writer.sequence == 20_002
        writer.leave()
        assert put_all(writer.compiled, 3) == 1, "who has left puts nothing"
    assert code_of(lambda: lanes.create("raw", slot_bytes=8, kind="state").reader().compiled) == "T038"


@pytest.mark.parametrize("backing", ["mem", "shm"])
def test_journals_are_appended_to_and_taken_from_by_handle(folder: Path, backing: str) -> None:
    lane = lanes.create("log", ROW, kind="journal", segments=2, segment_bytes=4096, backing=backing)
    with lane:
        writer, reader = lane.writer(), lane.reader()
        assert append_some(writer.compiled, 0, 50) == 50 and writer.records == 50
        assert take_some(reader.compiled, 0) == (50, 0) and reader.position == lane.verify().bytes
        assert writer.append((50, 100)) == 50 and append_some(writer.compiled, 51, 400) == 400
        assert take_some(reader.compiled, 51) == (51, -1)
        gap = reader.try_receive()
        assert isinstance(gap, lanes.Gap) and gap.first == 50
        assert take_some(reader.compiled, 0)[1] == -1, "the record behind the gap is Python's to give"
        first = int(reader.try_receive()["number"])
        assert first == 50 + (gap.records or 0)
        assert take_some(reader.compiled, first + 1) == (451, 0)
        writer.leave()
        assert append_some(writer.compiled, 0, 1) == 0


@pytest.mark.parametrize("backing", ["mem", "shm"])
def test_files_are_begun_by_python(folder: Path, backing: str) -> None:
    lane = lanes.create("log", ROW, kind="journal", retain="all", segment_bytes=4096, backing=backing)
    with lane:
        writer, replay, done, turns = lane.writer(), lane.replay(), 0, 0
        while done < 1000:
            done += append_some(writer.compiled, done, 1000 - done)
            if done < 1000:
                assert writer.append((done, 2 * done)) == done
                done, turns = done + 1, turns + 1
        assert turns == len(lane.segments()) == 10
        taken = 0
        while taken < 1000:
            taken, answer = take_some(replay.compiled, taken)
            if answer:
                assert int(replay.receive()["number"]) == taken
                taken += 1
        assert lane.verify().findings == () and replay.record == 1000
    if backing == "shm":
        made = lanes.create("forced", ROW, kind="journal", retain="all", fsync="commit")
        assert code_of(lambda: made.writer().compiled) == "T038"
