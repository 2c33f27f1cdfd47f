"""The journal that keeps all its records: numbered files, read from anywhere, held to what they should be."""

from __future__ import annotations

import asyncio
import os
import shlex
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from byteor import lanes
from byteor.kernel import journal as kernel
from byteor.lanes.look import look
from byteor.lanes.outcome import Closed, Died
from tests.lanes.killing import OnTheMachine, code_of, forked, killed
from tests.lanes.test_journal import SEGMENT, number_of, prepared, text

FILL = np.dtype([("number", "<i8"), ("price", "<f8")])
BODY = 1000 - kernel.DATA - 12  # records of 1000 bytes: four to a segment, and 96 of padding


def keeping(dtype: Any = None, **options: Any) -> Any:
    """Make a journal that keeps all, in short segments."""
    return lanes.create("log", dtype, kind="journal", retain="all", **{"segment_bytes": SEGMENT, **options})


def filled(count: int, **options: Any) -> Any:
    """One with so many records of 1000 bytes."""
    lane = keeping(**options)
    writer = lane.writer()
    for n in range(count):
        writer.append(text(n, BODY))
    writer.leave()
    return lane


KEPT: list[Any] = [None]  # what is open, and must stay so


def numbers(taking: Any) -> list[int]:
    """The numbers of all records that are there now."""
    found: list[int] = []
    while (record := taking.try_receive()) is not None:
        found.append(number_of(record))
    return found


@pytest.mark.parametrize("backing", ["mem", "shm"])
def test_nothing_is_ever_written_over(folder: Path, backing: str) -> None:
    with filled(40, backing=backing) as lane:
        assert lane.retain == "all"
        assert numbers(lane.reader()) == list(range(40))
        assert [(s.number, s.first, s.position, s.bytes) for s in lane.segments()[:2]] == [
            (0, 0, 0, 4000),
            (1, 4, SEGMENT, 4000),
        ]
        assert len(lane.segments()) == 10
        seen = lane.verify()
        assert (seen.segments, seen.records, seen.bytes, seen.findings) == (10, 40, 9 * SEGMENT + 4000, ())


def test_segments_are_files_of_their_declared_length(folder: Path) -> None:
    with filled(9) as lane:
        files = sorted(os.listdir(folder))
        assert files == ["log", "log.00000000", "log.00000001", "log.00000002"]
        assert [s.path for s in lane.segments()] == [str(folder / name) for name in files[1:]]
        assert {os.stat(folder / name).st_size for name in files[1:]} == {SEGMENT + 256}
    lanes.remove("log")
    assert os.listdir(folder) == []


def test_records_fill_segments_to_the_last_byte(folder: Path) -> None:
    with keeping() as lane:
        writer, reader = lane.writer(), lane.reader()
        sizes = [0, 1, 7, SEGMENT - 4 * kernel.DATA - 64, SEGMENT - kernel.DATA - 12, 3, 2500, 2500, 0]
        for number, size in enumerate(sizes):
            assert writer.append(text(number, size)) == number
            assert reader.try_receive() == text(number, size)
        assert lane.verify().findings == () and lane.verify().records == len(sizes)


@pytest.mark.parametrize("backing", ["mem", "shm"])
def test_a_replay_begins_at_any_record_and_at_any_position(folder: Path, backing: str) -> None:
    with filled(11, backing=backing) as lane:
        assert numbers(lane.replay()) == list(range(11))
        for first in (3, 4, 7, 10, 11):
            assert numbers(lane.replay(first)) == list(range(first, 11))
        begun = lane.replay()
        assert [number_of(begun.receive()) for _ in range(6)] == list(range(6))
        assert numbers(lane.replay(position=begun.position)) == list(range(6, 11))
        assert begun.record == 6


def test_a_replay_of_a_log_that_is_written_over_begins_with_a_gap(folder: Path) -> None:
    with lanes.create("log", kind="journal", segments=2, segment_bytes=SEGMENT) as lane:
        writer = lane.writer()
        for n in range(13):
            writer.append(text(n, BODY))
        assert lane.replay().receive() == lanes.Gap(2 * SEGMENT, 0, 8)
        assert lane.replay(3).receive() == lanes.Gap(None, 3, 5)
        assert numbers(lane.replay(8)) == [8, 9, 10, 11, 12]
        assert numbers(lane.replay(10)) == [10, 11, 12]
        assert [s.number for s in lane.segments()] == [2, 3]
        assert lane.verify().records == 5 and lane.verify().findings == ()


def test_readers_come_back_to_their_gates_and_successors_to_the_cursor(folder: Path) -> None:
    with filled(6, readers=2) as lane, lanes.open("log") as other:
        first = lane.reader(0)
        assert [number_of(first.receive()) for _ in range(5)] == [0, 1, 2, 3, 4]
        first.leave()
        assert number_of(other.reader(0).receive()) == 4
        writer = other.writer()
        assert writer.records == 6 and writer.append(text(6, 3000)) == 6
        assert numbers(other.reader(1)) == list(range(7))
        writer.close()
        assert [number_of(record) for record in lane.replay()] == list(range(7))
        assert code_of(lane.writer) == "T035"


def test_no_space_left_stops_the_writer_and_costs_nothing_else() -> None:
    script = (
        "import byteor\n"
        "lane = byteor.lanes.create('log', kind='journal', retain='all', segment_bytes=1 << 16, folder='/mnt')\n"
        "writer = lane.writer()\n"
        "try:\n"
        "    while True: writer.append(bytes(60000))\n"
        "except byteor.Refused as refused: print(refused.diagnostics[0].code)\n"
        "seen = lane.verify()\n"
        "print(seen.records == writer.records > 2, seen.findings, len(list(lane.segments())) == writer.records)\n"
        "print(writer.append(b'') == writer.records - 1, len(bytes(lane.replay(1).receive())))\n"
    )
    python = f"{sys.executable} -c {shlex.quote(script)}"
    mounted = f"mount -t tmpfs -o size=512k,mode=700 none /mnt && exec {python}"
    done = subprocess.run(["unshare", "-Urm", "sh", "-c", mounted], capture_output=True, text=True)
    if "unshare" in done.stderr and done.returncode:
        pytest.skip("no mount namespaces here")
    assert done.stdout == "T007\nTrue () True\nTrue 60000\n", done.stderr


def bend(path: Path, at: int, data: bytes) -> None:
    """Change a few bytes of a file."""
    with open(path, "r+b") as file:
        file.seek(at)
        file.write(data)


def test_what_is_torn_or_missing_is_told(folder: Path) -> None:
    with filled(12):
        pass
    os.rename(folder / "log.00000001", folder / "kept")
    with lanes.open("log") as lane:
        seen = lane.verify()
        assert [d.code for d in seen.findings] == ["T040"] and seen.records == 8
        assert number_of(lane.replay(8).receive()) == 8
        reader = lane.replay()
        assert [number_of(reader.receive()) for _ in range(4)] == [0, 1, 2, 3]
        assert code_of(reader.receive) == "T040"
    os.rename(folder / "kept", folder / "log.00000001")
    bend(folder / "log.00000001", 256 + 1000, bytes(8))  # the head of record 5
    with lanes.open("log") as lane:
        seen = lane.verify()
        assert [d.code for d in seen.findings] == ["T042"] and seen.records == 9
        reader = lane.replay()
        assert [number_of(reader.receive()) for _ in range(5)] == [0, 1, 2, 3, 4]
        assert code_of(reader.receive) == "T042"
    bend(folder / "log.00000002", 256 + 3000, bytes(8))  # the last record
    with lanes.open("log") as lane:
        assert code_of(lane.writer) == "T042"
        assert look(lane.path).cells[0].state == "free"
    bend(folder / "log.00000000", 128, (5).to_bytes(8, "little"))  # its number
    with lanes.open("log") as lane:
        assert code_of(lane.replay().receive) == "T041"
        assert sorted(d.code for d in lane.verify().findings) == ["T041", "T042", "T042"]


def test_files_of_another_journal_are_not_taken_for_its_own(folder: Path) -> None:
    with filled(9):
        pass
    os.remove(folder / "log")
    assert code_of(keeping) == "T005"
    for path in folder.iterdir():
        os.rename(path, path.with_name(path.name.replace("log", "old")))
    with filled(2):
        pass
    os.rename(folder / "old.00000001", folder / "log.00000001")
    with lanes.open("log") as lane, lane.writer() as writer:
        writer.append(text(2, BODY))
        writer.append(text(3, BODY))
        assert code_of(lambda: writer.append(text(4, BODY))) == "T041"
        assert numbers(lane.reader()) == [0, 1, 2, 3]
    lanes.remove("log")
    assert sorted(os.listdir(folder)) == ["log.00000001", "old.00000000", "old.00000002"]


@pytest.mark.parametrize("fsync", ["segment", "commit"])
def test_records_are_forced_to_the_disk(folder: Path, fsync: str, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[int] = []
    with keeping(fsync=fsync) as lane:
        kept = os.fdatasync
        monkeypatch.setattr(os, "fdatasync", lambda fd: synced.append(os.fstat(fd).st_ino) or kept(fd))
        writer = lane.writer()
        for n in range(5):
            writer.append(text(n, BODY))
    name_of = {os.stat(folder / name).st_ino: name for name in os.listdir(folder)}
    names = [name_of[inode] for inode in synced]
    turned = ["log.00000000", "log"]
    assert names == {"segment": turned, "commit": [*turned * 4, "log.00000000", "log.00000001", "log"]}[fsync]
    assert code_of(lambda: keeping(fsync="always")) == "T031"
    assert code_of(lambda: lanes.create("x", kind="journal", fsync="commit")) == "T031"


def dying(extend: OnTheMachine, stop: int, record: bytes) -> None:
    """A process wins the lane and dies before operation `stop` of an `extend`."""

    def work() -> None:
        with lanes.open("log") as lane:
            assert extend.run(stop, *logs(lane.writer(), record)) == stop
            os.kill(os.getpid(), signal.SIGKILL)

    killed(forked(work))


def logs(writer: Any, record: bytes) -> tuple[Any, ...]:
    """The arguments of the kernel's `extend` for a record."""
    log = writer._log
    now, source, words = prepared(writer, record, log)
    rest = -now.end % SEGMENT
    last = KEPT[0] = now.at((now.end - 1) // SEGMENT)
    return last.log, now.at((now.end if 8 * words <= rest else now.end + rest) // SEGMENT).log, source, words


@pytest.mark.parametrize("before", [3, pytest.param(4, marks=pytest.mark.stress)])
def test_a_writer_killed_before_any_of_its_operations(folder: Path, before: int) -> None:
    extend, record, total, stop = OnTheMachine(kernel.extend), text(before, 100), 1, 0
    while stop < total:
        with filled(before) as lane:
            if total == 1:
                writer = lane.writer()
                total = extend.run(10**6, *logs(writer, record))
                assert numbers(lane.reader()) == list(range(before + 1))
            else:
                dying(extend, stop, record)
                stop += 1
                assert numbers(lane.replay()) == list(range(before)) and lane.verify().findings == ()
                assert lane.writer().append(text(before, 9)) == before
                assert numbers(lane.reader()) == list(range(before + 1)) and lane.verify().findings == ()
        lanes.remove("log")
    assert total > 20


def test_typed_records_and_an_event_loop(folder: Path) -> None:
    async def take(lane: Any) -> list[int]:
        reader = lane.reader()
        first = await reader.areceive(timeout=5)
        return [int(first["number"]), *[int(row["number"]) async for row in reader]]

    with keeping(FILL) as lane:
        with lane.writer() as writer:
            for n in range(300):
                writer.append((n, n / 2))
        assert asyncio.run(take(lane)) == list(range(300))


def test_a_waiter_is_told_the_death_of_the_writer(folder: Path) -> None:
    with filled(3, may_block=True) as lane:
        killed(forked(lambda: [lanes.open("log").writer(), os.kill(os.getpid(), signal.SIGKILL)]))
        replay = lane.replay(3, wait="block")
        with pytest.raises(Died):
            replay.receive()
        lane.writer().close()
        with pytest.raises(Closed):
            replay.receive()
