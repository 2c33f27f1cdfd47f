"""What every lane promises, as checks that run over any backing, between threads or between processes.

Rule 1. A check gets a setting, makes its lanes by it, and runs the other ends as peers; it knows of no backing.
Rule 2. A peer is a function at the top of a module: it is given a lane of its own, and what it answers comes back.
Rule 3. Nothing sleeps and nothing is timed: a check waits for what it wants, and a watchdog ends what hangs.
"""

from __future__ import annotations

import multiprocessing
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from byteor import lanes
from byteor.diag import Refused
from byteor.lanes.outcome import Closed, Outcome

ROW = np.dtype([("number", "<i8"), ("twice", "<i8")])
Peer = Callable[..., Any]


@dataclass
class Beside:
    """A peer under way; `answer` waits for it and gives what it returned, or raises what it raised."""

    wait: Callable[[], Any]
    _got: list[Any] = field(default_factory=list)

    def answer(self) -> Any:
        if not self._got:
            self._got.append(self.wait())
        if isinstance(self._got[0], BaseException):
            raise AssertionError(f"a peer failed: {self._got[0]!r}") from self._got[0]
        return self._got[0]


@dataclass
class Setting:
    """Where lanes lie and what peers are: `mem` or `shm`, threads or processes."""

    backing: str
    peers: str
    folder: Path
    _count: int = 0

    def create(self, kind: str = "events", dtype: Any = ROW, **options: Any) -> Any:
        """Make a lane of the next name."""
        self._count += 1
        name = f"lane{self._count}"
        return lanes.create(name, dtype, kind=kind, backing=self.backing, folder=self.folder, **options)

    def beside(self, lane: Any, peer: Peer, *arguments: Any) -> Beside:
        """Run `peer(lane, *arguments)` at the same time."""
        if self.peers == "threads":
            return _thread(peer, lane, arguments)
        return _process(peer, lane.name, self.folder, arguments)


def _thread(peer: Peer, lane: Any, arguments: tuple[Any, ...]) -> Beside:
    got: list[Any] = []
    thread = threading.Thread(target=lambda: got.append(_tried(peer, lane, *arguments)), daemon=True)
    thread.start()

    def wait() -> Any:
        thread.join()
        return got[0]

    return Beside(wait)


def _process(peer: Peer, name: str, folder: Path, arguments: tuple[Any, ...]) -> Beside:
    context = multiprocessing.get_context("fork")
    answers = context.SimpleQueue()

    def work() -> None:
        with lanes.open(name, folder=folder) as lane:
            answers.put(_tried(peer, lane, *arguments))

    process = context.Process(target=work, daemon=True)
    process.start()

    def wait() -> Any:
        process.join()
        return RuntimeError(f"it ended with {process.exitcode}") if answers.empty() else answers.get()

    return Beside(wait)


def _tried(peer: Peer, *arguments: Any) -> Any:
    try:
        return peer(*arguments)
    except Exception as error:  # noqa: BLE001 (it is raised where the peer is asked for its answer)
        return error


Check = Callable[[Setting], None]
CHECKS: dict[str, Check] = {}


def check(name: str) -> Callable[[Check], Check]:
    """Put a check into the table."""

    def put(function: Check) -> Check:
        assert name not in CHECKS
        CHECKS[name] = function
        return function

    return put


# Peers


def rows(first: int, count: int) -> np.ndarray[Any, Any]:
    """Messages that show when they are torn."""
    made = np.zeros(count, ROW)
    made["number"] = np.arange(first, first + count)
    made["twice"] = 2 * made["number"]
    return made


def whole(batch: Any) -> list[int]:
    """The numbers of a batch, none of which is torn."""
    assert np.array_equal(batch["twice"], 2 * batch["number"]), "a torn message"
    return list(batch["number"].tolist())


def send_rows(lane: Any, first: int, count: int, piece: int, close: bool = True) -> None:
    """Send a run of rows in pieces."""
    sender = lane.sender()
    for at in range(first, first + count, piece):
        sender.send_many(rows(at, min(piece, first + count - at)))
    sender.close() if close else sender.leave()


def send_each(lane: Any, first: int, count: int) -> None:
    """Send a run of rows one by one."""
    with lane.sender() as sender:
        for n in range(first, first + count):
            sender.send((n, 2 * n))


def receive_rows(lane: Any, limit: int | None = None) -> list[int]:
    """Receive to the end of the stream."""
    with lane.reader() as reader:
        return [number for batch in reader.batches(limit) for number in whole(batch)]


def receive_each(lane: Any) -> list[int]:
    """Receive to the end of the stream, one by one."""
    with lane.reader() as reader:
        return [number for row in reader for number in whole(np.asarray(row).reshape(1))]


def receive_some(lane: Any, count: int) -> list[int]:
    """Receive so many and give them back, then leave."""
    with lane.reader() as reader:
        return [int(reader.receive()["number"]) for _ in range(count)]


def send_texts(lane: Any, texts: list[bytes]) -> None:
    """Send raw messages."""
    with lane.sender() as sender:
        sender.send_many(texts)


# Checks

COUNT = 5000


def _stream(setting: Setting, sending: Peer, receiving: Peer, given: tuple[int, ...], **options: Any) -> None:
    with setting.create(**options) as lane:
        peers = [setting.beside(lane, receiving) for _ in range(lane.readers)]
        setting.beside(lane, sending, 0, COUNT, *given).answer()
        for peer in peers:
            assert peer.answer() == list(range(COUNT))


@check("events: every message once, in order, by batches")
def _(setting: Setting) -> None:
    _stream(setting, send_rows, receive_rows, (100,), capacity=64)


@check("events: every message once, in order, one by one, on doorbells")
def _(setting: Setting) -> None:
    _stream(setting, send_each, receive_each, (), capacity=4, may_block=True)


@check("events: a ring of one slot")
def _(setting: Setting) -> None:
    with setting.create(capacity=1, may_block=True) as lane:
        peer = setting.beside(lane, receive_rows)
        send_rows(lane, 0, 200, 7)
        assert peer.answer() == list(range(200))


@check("fanout: each reader sees each message once")
def _(setting: Setting) -> None:
    _stream(setting, send_rows, receive_rows, (64,), kind="fanout", readers=3, capacity=32)


@check("events: of several producers each is in order, and the lane ends when it is finished")
def _(setting: Setting) -> None:
    with setting.create(producers=3, capacity=16) as lane:
        senders = [setting.beside(lane, send_rows, 10_000 * i, 500, 50) for i in range(3)]
        reader = setting.beside(lane, receive_rows)
        for sender in senders:
            sender.answer()
        lane.finish()
        got = reader.answer()
        for i in range(3):
            assert [n for n in got if n // 10_000 == i] == list(range(10_000 * i, 10_000 * i + 500))
        assert len(got) == 1500


@check("events: a finished lane takes no more")
def _(setting: Setting) -> None:
    with setting.create(producers=2) as lane, lane.sender() as sender, lane.reader() as reader:
        sender.send((1, 2))
        lane.finish()
        assert sender.try_send((2, 4)) is Outcome.CLOSED
        _raises(Closed, lambda: sender.send_many(rows(2, 2)))
        assert whole(reader.receive_many()) == [1]
        assert not reader.ended, "somebody lives who might have sent"
        sender.close()
        _raises(Closed, reader.receive)


@check("events: full and empty are answers, and waits end in time")
def _(setting: Setting) -> None:
    with setting.create(capacity=2) as lane, lane.reader() as reader:
        sender = lane.sender()
        assert reader.try_receive() is None and len(reader.try_receive_many()) == 0
        assert [sender.try_send((n, 2 * n)) for n in range(3)] == [Outcome.SENT, Outcome.SENT, Outcome.FULL]
        assert sender.try_send_many(rows(2, 2)) == 0
        _raises(TimeoutError, lambda: sender.send((2, 4), timeout=0))
        assert whole(reader.receive_many()) == [0, 1]
        assert sender.try_send((2, 4)) is Outcome.FULL, "what is looked at is not given back yet"
        reader.release()
        assert sender.try_send((2, 4)) is Outcome.SENT
        assert whole(reader.receive_many()) == [2]
        _raises(TimeoutError, lambda: reader.receive(timeout=0))
        sender.close()
        _raises(Closed, reader.receive)


@check("events: raw messages of every length, none cut")
def _(setting: Setting) -> None:
    texts = [bytes([n % 251]) * (n % 33) for n in range(300)]
    with setting.create(dtype=None, slot_bytes=32, capacity=8) as lane, lane.reader() as reader:
        peer = setting.beside(lane, send_texts, texts)
        assert [bytes(text) for text in reader] == texts
        peer.answer()


@check("events: a message longer than its slot is refused")
def _(setting: Setting) -> None:
    with setting.create(dtype=None, slot_bytes=4) as lane, lane.sender() as sender:
        assert sender.try_send(b"12345") is Outcome.TOO_LONG
        _raises(Refused, lambda: sender.send(b"12345"))
        assert sender.try_send(b"1234") is Outcome.SENT


@check("events: other types are refused, and nothing is sent")
def _(setting: Setting) -> None:
    with setting.create() as lane, lane.sender() as sender, lane.reader() as reader:
        _raises(Refused, lambda: sender.send_many(np.zeros(3)))
        _raises(Refused, lambda: sender.send(np.zeros(1, [("number", "<f8"), ("twice", "<i8")])[0]))
        assert reader.try_receive() is None


@check("events: a sender that comes after another goes on where it was")
def _(setting: Setting) -> None:
    with setting.create(capacity=8) as lane:
        reader = setting.beside(lane, receive_rows)
        for first in (0, 300, 600):
            setting.beside(lane, send_rows, first, 300, 11, first == 600).answer()
        assert reader.answer() == list(range(900))


@check("events: a reader that comes after another goes on where it was, at least once")
def _(setting: Setting) -> None:
    with setting.create(capacity=64) as lane:
        lane.sender().send_many(rows(0, 40))
        assert setting.beside(lane, receive_some, 10).answer() == list(range(10))
        first = lane.reader()
        assert whole(first.receive_many(5)) == list(range(10, 15))
        first.leave()
        assert setting.beside(lane, receive_some, 30).answer() == list(range(10, 40))


@check("fanout: a reader that was given up holds nobody back, and cannot come back")
def _(setting: Setting) -> None:
    with setting.create("fanout", readers=2, capacity=4) as lane:
        reader, sender = lane.reader(0), lane.sender()
        assert sender.try_send_many(rows(0, 4)) == 4
        assert whole(reader.receive_many()) == [0, 1, 2, 3]
        reader.release()
        assert sender.try_send((4, 8)) is Outcome.FULL
        lane.detach(1)
        _raises(Refused, lambda: lane.reader(1))
        _raises(Refused, lambda: lane.detach(0))
        assert sender.send_many(rows(4, 4)) == 4
        assert whole(reader.receive_many()) == [4, 5, 6, 7]


@check("events: one owner to a cell")
def _(setting: Setting) -> None:
    with setting.create() as lane, lane.sender(), lane.reader():
        _raises(Refused, lane.sender)
        _raises(Refused, lane.reader)
        _raises(Refused, lambda: lane.reader(0))


# States and journals


def put_values(lane: Any, count: int) -> None:
    """Put values, the last of which is numbered `count`."""
    with lane.writer() as writer:
        for n in range(1, count + 1):
            writer.put((n, 2 * n))


def get_values(lane: Any) -> list[int]:
    """Get the latest values until none follows; none is torn, and each has its own number."""
    reader = lane.reader()
    got: list[int] = []
    while True:
        try:
            value = reader.get_newer()
        except Closed:
            return got
        got += whole(np.asarray(value).reshape(1))
        assert got[-1] == reader.sequence


def append_records(lane: Any, first: int, count: int, close: bool = True) -> None:
    """Append records of many lengths."""
    writer = lane.writer()
    assert writer.records == first
    for n in range(first, first + count):
        assert writer.append(record(n)) == n
    writer.close() if close else writer.leave()


def record(number: int) -> bytes:
    """A record that tells its number, its length, and when it is torn."""
    return number.to_bytes(4, "little") * (1 + number % 50)


def take_records(lane: Any, replay: bool = False, first: int = 0) -> list[int]:
    """Take records to the end of the log, and count those that a gap says are missing."""
    return list(_numbers(lane.replay(first) if replay else lane.reader()))


def _numbers(taking: Any) -> Iterator[int]:
    for found in taking:
        if isinstance(found, lanes.Gap):
            assert found.first is not None and found.records is not None
            yield from range(found.first, found.first + found.records)
        else:
            number = int.from_bytes(found[:4], "little")
            assert found == record(number), "a torn record"
            yield number


def _latest(setting: Setting, **options: Any) -> None:
    with setting.create("state", **options) as lane:
        peers = [setting.beside(lane, get_values) for _ in range(2)]
        setting.beside(lane, put_values, COUNT).answer()
        for peer in peers:
            got = peer.answer()
            assert got == sorted(set(got)) and got[-1] == COUNT


@check("state: the latest value, whole, and the last one at the end")
def _(setting: Setting) -> None:
    _latest(setting)


@check("state: the same on a doorbell that all readers share")
def _(setting: Setting) -> None:
    _latest(setting, may_block=True)


@check("state: a writer that comes after another goes on behind the last value")
def _(setting: Setting) -> None:
    with setting.create("state") as lane:
        for n in range(1, 4):
            setting.beside(lane, _put_one, n).answer()
            assert int(lane.reader().get()["number"]) == n
        reader = lane.reader(wait="spin")
        assert int(reader.get_newer()["number"]) == 3
        _raises(TimeoutError, lambda: reader.get_newer(timeout=0))


def _put_one(lane: Any, number: int) -> None:
    writer = lane.writer()
    assert writer.sequence == number - 1
    writer.put((number, 2 * number))
    writer.leave()


def _log(setting: Setting, **options: Any) -> None:
    with setting.create("journal", None, segment_bytes=4096, readers=2, **options) as lane:
        peers = [setting.beside(lane, take_records, replay) for replay in (False, False, True)]
        setting.beside(lane, append_records, 0, COUNT).answer()
        for peer in peers:
            assert peer.answer() == list(range(COUNT))
        assert lane.verify().findings == ()


@check("journal: every record in order, or in a gap")
def _(setting: Setting) -> None:
    _log(setting)


@check("journal: the same on a doorbell that all readers share")
def _(setting: Setting) -> None:
    _log(setting, may_block=True)


@check("journal that keeps all: every record in order, and none in a gap")
def _(setting: Setting) -> None:
    _log(setting, retain="all")
    with setting.create("journal", None, segment_bytes=4096, retain="all", may_block=True) as lane:
        peer = setting.beside(lane, take_records)
        append_records(lane, 0, 500)
        assert peer.answer() == list(range(500))
        assert setting.beside(lane, take_records, True, 123).answer() == list(range(123, 500))
        seen = lane.verify()
        assert (seen.records, seen.findings) == (500, ()) and len(lane.segments()) == seen.segments > 10


@check("journal: writers and readers that come after others go on where they were")
def _(setting: Setting) -> None:
    for retain in ("overwrite", "all"):
        with setting.create("journal", None, retain=retain) as lane:
            for first in (0, 100, 200):
                setting.beside(lane, append_records, first, 100, first == 200).answer()
            reader = lane.reader()
            assert [int.from_bytes(reader.receive()[:4], "little") for _ in range(3)] == [0, 1, 2]
            reader.leave()
            assert setting.beside(lane, take_records).answer() == list(range(2, 300))


def _raises(kind: type[BaseException], work: Callable[[], object]) -> None:
    with _expected(kind):
        work()


@contextmanager
def _expected(kind: type[BaseException]) -> Iterator[None]:
    try:
        yield
    except kind:
        return
    raise AssertionError(f"no {kind.__name__}")
