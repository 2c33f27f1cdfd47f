"""The two ends in use: compiled ends, an event loop, wrong options, and views that are what they say."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import numba
import numpy as np
import pytest

from byteor import lanes
from byteor.diag import Refused
from byteor.lanes.look import look
from byteor.lanes.typed import schema_text

ROW = np.dtype([("n", "<i8"), ("px", "<f8")])
WIDE = np.dtype([("n", "<i8"), ("more", "<i8", (7,))])


@numba.njit(nogil=True)
def produce(handle: Any, count: Any) -> Any:
    rows = np.zeros(1, WIDE)
    for i in range(count):
        rows[0].n = i
        rows[0].more[6] = -i
        while not lanes.try_send(handle, rows[0]):
            pass


@numba.njit(nogil=True)
def consume(handle: Any, count: Any) -> Any:
    rows = np.zeros(1, WIDE)
    for i in range(count):
        while not lanes.try_receive(handle, rows[0]):
            pass
        if rows[0].n != i or rows[0].more[6] != -i:
            return i
    return count


@numba.njit(nogil=True)
def produce_many(handle: Any, count: Any, rows: Any) -> Any:
    done = 0
    while done < count:
        piece = rows[: min(len(rows), count - done)]
        for i in range(len(piece)):
            piece[i].n = done + i
        sent = 0
        while sent < len(piece):
            sent += lanes.try_send_many(handle, piece[sent:])
        done += len(piece)


@numba.njit(nogil=True)
def consume_many(handle: Any, count: Any, rows: Any) -> Any:
    total = 0
    done = 0
    while done < count:
        n = lanes.try_receive_many(handle, rows)
        for i in range(n):
            total += rows[i].n
        done += n
    return total


def beside(work: Any, *arguments: Any) -> threading.Thread:
    thread = threading.Thread(target=work, args=arguments, daemon=True)
    thread.start()
    return thread


@pytest.mark.parametrize("may_block", [False, True])
def test_compiled_ends_exchange_records(folder: Path, may_block: bool) -> None:
    with lanes.create("ticks", WIDE, capacity=64, may_block=may_block) as lane:
        sender, reader = lane.sender(), lane.reader()
        thread = beside(produce, sender.compiled, 5000)
        assert consume(reader.compiled, 5000) == 5000
        thread.join()
        assert (sender.position, reader.position) == (5000, 5000)
        rows = np.zeros(16, WIDE)
        thread = beside(produce_many, sender.compiled, 3000, rows)
        assert consume_many(reader.compiled, 3000, rows.copy()) == 3000 * 2999 // 2
        thread.join()


def test_both_sorts_of_ends_take_turns(folder: Path) -> None:
    with lanes.create("ticks", WIDE, capacity=4) as lane:
        sender, reader = lane.sender(), lane.reader()
        row = np.zeros(1, WIDE)
        to, source = sender.compiled, reader.compiled
        for n in range(20):
            row["n"] = n
            assert lanes.try_send(to, row[0]) if n % 2 else sender.try_send(row[0])
            if n % 3:
                assert lanes.try_receive(source, row[0]) and row[0]["n"] == n
            else:
                assert reader.receive()["n"] == n
                reader.release()
        with pytest.raises(ValueError, match="not of the lane's type"):
            lanes.try_send(to, np.zeros(1, ROW)[0])


def test_compiled_readers_take_rings_in_turn(folder: Path) -> None:
    with lanes.create("ticks", WIDE, producers=3) as lane:
        row = np.zeros(1, WIDE)
        for ring in range(3):
            row["n"] = ring
            lane.sender(ring).send_many(row.repeat(2))
        reader = lane.reader().compiled
        got = []
        while lanes.try_receive(reader, row[0]):
            got.append(int(row[0]["n"]))
        assert got == [0, 1, 2, 0, 1, 2]


def test_an_end_that_has_left_does_nothing(folder: Path) -> None:
    with lanes.create("ticks", WIDE, producers=2) as lane:
        sender, reader, row = lane.sender(), lane.reader(), np.zeros(1, WIDE)
        to, source = sender.compiled, reader.compiled
        sender.send_many(row.repeat(3))
        reader.leave()
        assert reader.try_receive() is None and not lanes.try_receive(source, row[0])
        with pytest.raises(lanes.Closed):
            reader.receive()
        sender.leave()
        assert sender.try_send(row[0]) is lanes.Outcome.CLOSED and not lanes.try_send(to, row[0])
        assert sender.try_send_many(row) == 0
        with pytest.raises(lanes.Closed):
            sender.send_many(row)
        assert lane.positions() == (3, [0])


def test_a_forked_child_has_no_ends(folder: Path) -> None:
    with lanes.create("ticks", ROW) as lane, lane.sender() as sender, lane.reader() as reader:
        sender.send((1, 1.5))
        pid = os.fork()
        if not pid:
            idle = reader.try_receive() is None and sender.try_send((2, 2.5)) is lanes.Outcome.CLOSED
            sender.close()
            os._exit(0 if idle else 1)
        assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
        assert lane.positions() == (1, [0])
        assert not reader.ended and reader.receive()["n"] == 1


def test_an_event_loop_goes_on(folder: Path) -> None:
    async def talk() -> list[int]:
        with lanes.create("ticks", ROW, capacity=2) as lane:
            sender, reader = lane.sender(), lane.reader()

            async def produce() -> None:
                for n in range(50):
                    await sender.asend((n, 0.5))
                sender.close()

            task = asyncio.create_task(produce())
            got = [int(row["n"]) async for row in reader]
            await task
            return got

    async def wait_in_vain() -> None:
        with lanes.create("quiet", ROW) as lane:
            await lane.reader().areceive(timeout=0)

    assert asyncio.run(talk()) == list(range(50))
    with pytest.raises(TimeoutError):
        asyncio.run(wait_in_vain())


def test_what_is_received_is_a_view_that_nobody_can_write(folder: Path) -> None:
    with lanes.create("ticks", ROW) as lane, lane.sender() as sender, lane.reader() as reader:
        sender.send_many(np.array([(1, 1.5), (2, 2.5)], ROW))
        batch = reader.receive_many()
        assert batch.base is not None and not batch.flags.owndata
        with pytest.raises(ValueError, match="read-only"):
            batch["n"] = 0


def code_of(work: Any) -> str:
    with pytest.raises(Refused) as caught:
        work()
    return caught.value.diagnostics[0].code


def test_each_refusal_has_its_code(folder: Path) -> None:
    def make(name: str = "a", dtype: Any = ROW, **options: Any) -> Any:
        return lambda: lanes.create(name, dtype, **options)

    assert code_of(make("a/b")) == "T030"
    assert code_of(make("..")) == "T030"
    assert code_of(make(kind="queue")) == "T031"
    assert code_of(make(dtype=None)) == "T031"
    assert code_of(make(readers=0)) == "T031"
    assert code_of(make(dtype=[("x", object)])) == "T032"
    assert code_of(make(dtype=">i8")) == "T032"
    assert code_of(make(capacity=3)) == "A001"
    with lanes.create("ticks", ROW) as lane:
        assert code_of(lambda: lanes.open("ticks", WIDE)) == "T018"
        assert code_of(lambda: lanes.create("ticks", ROW)) == "T005"
        assert code_of(lambda: lane.reader(7)) == "T035"
        assert code_of(lambda: lane.reader(wait="block")) == "T037"
        assert code_of(lambda: lane.reader(wait="never")) == "T031"
        assert code_of(lambda: lane.sender().send_many(np.zeros(2))) == "T034"
        assert code_of(lambda: lane.sender()) == "T035"
        assert code_of(lambda: lane.sender(0)) == "T036"
    with lanes.create("texts", slot_bytes=8) as lane:
        assert code_of(lambda: lane.sender().compiled) == "T038"
        assert code_of(lambda: lane.reader().compiled) == "T038"
    with pytest.raises(Refused, match="T004"):
        lanes.open("nothing")


def test_the_text_of_a_type_is_canonical() -> None:
    inner = np.dtype([("a", "<i2"), ("b", "S3", (2,))])
    assert schema_text(np.dtype([("x", "<f8"), ("in", inner, (2,))])) == (
        "message bytes 24\n0 x <f8\n8 in[2]*8.a <i2\n10 in[2]*8.b[2] |S3\n"
    )
    assert schema_text(np.dtype("i8")) == "message bytes 8\n0 . <i8\n"
    assert schema_text(np.dtype([("é", "<i8")])) == "message bytes 8\n0 \\xe9 <i8\n"


def test_ctrl_c_ends_a_wait(folder: Path) -> None:
    code = (
        "import byteor, sys\n"
        "lane = byteor.lanes.create('ticks', '<i8', may_block=True)\n"
        "lane.sender()\n"
        "reader = lane.reader()\n"
        "try:\n"
        "    print('ready', flush=True)\n"
        "    reader.receive()\n"
        "except KeyboardInterrupt: sys.exit(7)\n"
    )
    child = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, env=os.environ)
    assert child.stdout is not None
    assert child.stdout.readline() == b"ready\n"
    child.send_signal(signal.SIGINT)
    assert child.wait() == 7
    child.stdout.close()


def test_words_that_say_nonsense_do_no_harm(folder: Path) -> None:
    random = np.random.default_rng(1)
    odd = [-(2**63), -1, 0, 1, 7, 2**40, 2**62, 2**63 - 2]
    rows = np.zeros(3, ROW)
    for _ in range(200):
        with lanes.create("ticks", ROW, capacity=4, backing="mem") as lane:
            sender, reader = lane.sender(), lane.reader()
            sender.send_many(rows)
            for cell in random.choice(["cursor", "gate", "closed", "lane_closed"], 2):
                lane._block.write(cell, int(random.choice(odd)))
            sender.try_send((1, 1.0))
            sender.try_send_many(rows)
            assert len(reader.try_receive_many()) <= 4
            with pytest.raises((TimeoutError, lanes.Closed)):
                for _ in range(9):
                    reader.receive(timeout=0)
                    reader.leave()


def test_headers_that_say_nonsense_are_findings(folder: Path) -> None:
    with lanes.create("ticks", ROW, capacity=4):
        pass
    raw = (folder / "ticks").read_bytes()
    random = np.random.default_rng(1)
    refused = 0
    for _ in range(400):
        bent = bytearray(raw)
        for at in random.integers(0, 128, random.integers(1, 4)):
            bent[at] = random.choice([0, 1, 2, 128, 255, random.integers(256)])
        if bent[16:20] != raw[16:20]:
            continue  # its creator would be waited for
        (folder / "bent").write_bytes(bent)
        os.chmod(folder / "bent", 0o600)
        assert isinstance(look(folder / "bent").findings, tuple)
        try:
            lanes.open("bent", ROW).close()
        except Refused:
            refused += 1
    assert refused > 200
