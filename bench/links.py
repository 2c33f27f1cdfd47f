"""Two plain Python processes and what is between them, one library each: run by the bench, as a program.

`python links.py KIND LIBRARY SECONDS` answers one line of JSON. `trips`: 64 bytes there and back, the next when the
one before is back. `rows`: records of 16 bytes one way, as fast as they go.

Rule 1. Each library is used as its own pages show; who can spin spins, the others wait in their own way.
Rule 2. Both processes have a core of their own. A message of one byte ends the talk.
Rule 3. Of rows the receiver sums up what it got: nobody is fast by not looking.
"""

from __future__ import annotations

import ctypes
import json
import multiprocessing
import os
import struct
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from typing import Any

MESSAGE, END = bytes(64), b"\0"
BATCH, BYTES = 4096, 16
SPAWN = multiprocessing.get_context("spawn")
Begin = Callable[..., None]  # start the second process with what it needs to find the first
Once = Callable[[bytes], None]
LINKS: dict[tuple[str, str], tuple[Any, Any]] = {}


def link(kind: str, name: str) -> Callable[[type], type]:
    """Put a library into the table: its first process and its second."""

    def put(sides: type) -> type:
        LINKS[kind, name] = sides.first, sides.second  # type: ignore[attr-defined]
        return sides

    return put


def pin(which: int) -> None:
    with suppress(AttributeError, IndexError):
        os.sched_setaffinity(0, {sorted(os.sched_getaffinity(0))[which]})


# 64 bytes there and back


@link("trips", "byteor")
class Byteor:
    @staticmethod
    def first(stack: ExitStack, begin: Begin) -> Once:
        from byteor import lanes

        names = [f"bench-{os.getpid()}-{way}" for way in ("there", "back")]
        there, back = (stack.enter_context(lanes.create(name, slot_bytes=64)) for name in names)
        for name in names:
            stack.callback(lanes.remove, name)
        stack.callback(there.close), stack.callback(back.close)
        send, receive = there.sender().try_send, back.reader().try_receive
        begin(*names)

        def once(message: bytes) -> None:
            while not send(message):
                pass
            while receive() is None:
                pass

        return once

    @staticmethod
    def second(there: str, back: str) -> None:
        from byteor import lanes

        with lanes.open(there) as source, lanes.open(back) as to:
            receive, send = source.reader().try_receive, to.sender().try_send
            message = b""
            while message != END:
                while (message := receive()) is None:
                    pass
                while not send(message):
                    pass


@link("trips", "pyaeron")
class Pyaeron:
    @staticmethod
    def first(stack: ExitStack, begin: Begin) -> Once:
        import pyaeron

        driver = stack.enter_context(pyaeron.MediaDriver())
        aeron = stack.enter_context(pyaeron.Aeron(dir=driver.dir))
        publication = aeron.add_exclusive_publication(pyaeron.IPC_CHANNEL, 1)
        subscription = aeron.add_subscription(pyaeron.IPC_CHANNEL, 2)
        begin(driver.dir)
        publication.await_connected()
        offer, poll = publication.offer, subscription.poll

        def once(message: bytes) -> None:
            while not offer(message):
                pass
            while not poll(_nothing):
                pass

        return once

    @staticmethod
    def second(folder: str) -> None:
        import pyaeron

        with pyaeron.Aeron(dir=folder) as aeron:
            subscription = aeron.add_subscription(pyaeron.IPC_CHANNEL, 1)
            publication = aeron.add_exclusive_publication(pyaeron.IPC_CHANNEL, 2)
            publication.await_connected()
            offer, poll, ended = publication.offer, subscription.poll, []

            def back(message: Any, _header: Any) -> None:
                while not offer(message):
                    pass
                if len(message) == 1:
                    ended.append(True)

            while not ended:
                poll(back)
            time.sleep(0.2)  # until the other side has taken the last


def _nothing(_message: Any, _header: Any) -> None:
    return None


class Block(ctypes.Structure):
    """The payload of iceoryx2, whose types are those of ctypes; the last one begins with 1."""

    _fields_ = (("data", ctypes.c_uint8 * 64),)


LAST = b"\1" * 64


@link("trips", "iceoryx2")
class Iceoryx2:
    @staticmethod
    def ports(there: str, back: str) -> tuple[Any, Any, Any]:
        import iceoryx2

        node = iceoryx2.NodeBuilder.new().create(iceoryx2.ServiceType.Ipc)
        out, home = (
            node.service_builder(iceoryx2.ServiceName.new(name)).publish_subscribe(Block).open_or_create()
            for name in (there, back)
        )
        publisher, subscriber = out.publisher_builder().create(), home.subscriber_builder().create()
        while out.dynamic_config.number_of_subscribers < 1:
            time.sleep(0.001)
        return node, publisher, subscriber

    @staticmethod
    def first(_stack: ExitStack, begin: Begin) -> Once:
        there, back = (f"bench-{os.getpid()}-{way}" for way in ("there", "back"))
        begin(back, there)
        node, publisher, subscriber = Iceoryx2.ports(there, back)
        send, receive = publisher.send_copy, subscriber.receive

        def once(message: bytes, _node: Any = node) -> None:
            send(Block.from_buffer_copy(message if message != END else LAST))
            while receive() is None:
                pass

        return once

    @staticmethod
    def second(there: str, back: str) -> None:
        _node, publisher, subscriber = Iceoryx2.ports(there, back)
        send, receive, last = publisher.send_copy, subscriber.receive, 0
        while not last:
            while (sample := receive()) is None:
                pass
            payload = sample.payload().contents
            last = payload.data[0]
            send(payload)


@link("trips", "pyzmq")
class Zmq:
    @staticmethod
    def first(stack: ExitStack, begin: Begin) -> Once:
        import zmq

        address = f"ipc:///tmp/bench-{os.getpid()}"
        socket = stack.enter_context(zmq.Context().socket(zmq.PAIR))
        socket.bind(address)
        begin(address)

        def once(message: bytes) -> None:
            socket.send(message)
            socket.recv()

        return once

    @staticmethod
    def second(address: str) -> None:
        import zmq

        with zmq.Context() as context, context.socket(zmq.PAIR) as socket:
            socket.connect(address)
            message = b""
            while message != END:
                message = socket.recv()
                socket.send(message)


def _by_queues(make: Callable[[], Any]) -> Callable[[ExitStack, Begin], Once]:
    """The first side of a library of queues."""

    def first(_stack: ExitStack, begin: Begin) -> Once:
        there, back = make(), make()
        begin(there, back)

        def once(message: bytes) -> None:
            there.put(message)
            back.get()

        return once

    return first


def _echo_by_queues(there: Any, back: Any) -> None:
    message = b""
    while message != END:
        message = there.get()
        back.put(message)


def _faster_fifo() -> Any:
    import faster_fifo
    import faster_fifo_reduction  # noqa: F401  lets a spawned process have a queue

    return faster_fifo.Queue(max_size_bytes=1 << 20)


@link("trips", "faster-fifo")
class FasterFifo:
    first = staticmethod(_by_queues(_faster_fifo))
    second = staticmethod(_echo_by_queues)


@link("trips", "multiprocessing.Queue")
class Queue:
    first = staticmethod(_by_queues(lambda: SPAWN.Queue()))
    second = staticmethod(_echo_by_queues)


@link("trips", "multiprocessing.Pipe")
class Pipe:
    @staticmethod
    def first(_stack: ExitStack, begin: Begin) -> Once:
        here, there = SPAWN.Pipe()
        begin(there)

        def once(message: bytes) -> None:
            here.send_bytes(message)
            here.recv_bytes()

        return once

    @staticmethod
    def second(pipe: Any) -> None:
        message = b""
        while message != END:
            message = pipe.recv_bytes()
            pipe.send_bytes(message)


# Records of 16 bytes, one way: the first side sends a batch at a call, the second answers the sum of what it got


def _rows() -> Any:
    import numpy as np

    rows = np.zeros(BATCH, [("px", "<i8"), ("qty", "<i8")])
    rows["px"], rows["qty"] = np.arange(BATCH), 1
    return rows


@link("rows", "byteor")
class ByteorRows:
    @staticmethod
    def first(stack: ExitStack, begin: Begin) -> Any:
        from byteor import lanes

        rows, name = _rows(), f"bench-{os.getpid()}"
        lane = stack.enter_context(lanes.create(name, rows.dtype, capacity=65_536))
        stack.callback(lanes.remove, name)
        stack.callback(lane.close)
        sender = lane.sender(wait="spin")
        begin(name)
        return lambda: sender.send_many(rows), sender.close

    @staticmethod
    def second(there: Callable[[], None], name: str) -> tuple[int, int]:
        from byteor import lanes

        count = total = 0
        with lanes.open(name) as lane:
            for batch in lane.reader(wait="spin").batches():
                if not count:
                    there()
                count += len(batch)
                total += int(batch["px"].sum())
        return count, total


def _rows_by_queue(make: Callable[[], Any], put: Callable[[Any, Any], None]) -> Callable[[ExitStack, Begin], Any]:
    def first(_stack: ExitStack, begin: Begin) -> Any:
        queue, rows = make(), _rows()
        begin(queue)
        return lambda: put(queue, rows), lambda: queue.put(None)

    return first


def _record_by_record(queue: Any, rows: Any) -> None:
    raw = rows.tobytes()
    for at in range(0, len(raw), BYTES):
        queue.put(raw[at : at + BYTES])


def _in_batches(queue: Any, rows: Any) -> None:
    queue.put(rows)


def _many_records(queue: Any, rows: Any) -> None:
    raw = rows.tobytes()
    records = [raw[at : at + BYTES] for at in range(0, len(raw), BYTES)]
    for at in range(0, len(records), 256):
        queue.put_many(records[at : at + 256], timeout=60)


def _records_of(there: Callable[[], None], queue: Any) -> tuple[int, int]:
    count = total = 0
    while (record := queue.get()) is not None:
        if not count:
            there()
        count += 1
        total += struct.unpack("<qq", record)[0]
    return count, total


def _arrays_of(there: Callable[[], None], queue: Any) -> tuple[int, int]:
    count = total = 0
    while (rows := queue.get()) is not None:
        if not count:
            there()
        count += len(rows)
        total += int(rows["px"].sum())
    return count, total


def _many_of(there: Callable[[], None], queue: Any) -> tuple[int, int]:
    count = total = 0
    while True:
        for record in queue.get_many(timeout=60, max_messages_to_get=1000):
            if record is None:
                return count, total
            if not count:
                there()
            count += 1
            total += struct.unpack("<qq", record)[0]


def _bounded() -> Any:
    return SPAWN.Queue(4096)


LINKS["rows", "multiprocessing.Queue"] = _rows_by_queue(_bounded, _record_by_record), _records_of
LINKS["rows", "multiprocessing.Queue of arrays"] = _rows_by_queue(_bounded, _in_batches), _arrays_of
LINKS["rows", "faster-fifo, put_many"] = _rows_by_queue(_faster_fifo, _many_records), _many_of
LINKS["rows", "faster-fifo of arrays"] = _rows_by_queue(_faster_fifo, _in_batches), _arrays_of


# Both sides


def _second(kind: str, name: str, pipe: Any, cores: int, given: tuple[Any, ...]) -> None:
    pin(1 % cores)
    since = 0.0

    def there() -> None:
        nonlocal since
        pipe.send("there")
        since = time.process_time()

    answer = LINKS[kind, name][1](*([there] if kind == "rows" else []), *given)
    pipe.send((answer, time.process_time() - since))


def run(kind: str, name: str, seconds: float) -> dict[str, Any]:
    """Run both sides."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 1
    here, there = SPAWN.Pipe()
    others = []

    def begin(*given: Any) -> None:
        process = SPAWN.Process(target=_second, args=(kind, name, there, cores, given))
        process.start()
        others.append(process)

    with ExitStack() as stack:
        side = LINKS[kind, name][0](stack, begin)
        pin(0)
        found = trips(side, seconds) if kind == "trips" else rows(*side, here, seconds)
        if kind == "trips":
            here.recv()
        for process in others:
            process.join()
    return found


def trips(once: Once, seconds: float) -> dict[str, Any]:
    """Let messages go there and back; answer the median, p99 and p99.9 of the trips, and how many there were."""
    clock = time.perf_counter_ns
    once(MESSAGE)  # the other side is there
    took: list[int] = []
    for duration in (seconds / 4, seconds):  # the first is the warm-up
        took.clear()
        now = clock()
        end = now + duration * 1e9
        while now < end or not took:
            once(MESSAGE)
            after = clock()
            took.append(after - now)
            now = after
    once(END)
    took.sort()
    shares = {"median": 0.5, "p99": 0.99, "p99.9": 0.999}
    return {"trips": len(took), **{which: took[int(share * len(took))] for which, share in shares.items()}}


def rows(give: Callable[[], object], end: Callable[[], object], answer: Any, seconds: float) -> dict[str, Any]:
    """Send batches for so long; answer the rate until all of them were summed up."""
    give()
    answer.recv()  # the other side has begun
    began, before = time.perf_counter(), time.process_time()
    batches = 1
    while time.perf_counter() < began + seconds:
        give()
        batches += 1
    end()
    (count, total), cpu = answer.recv()
    took = time.perf_counter() - began
    assert count == batches * BATCH and total == batches * (BATCH * (BATCH - 1) // 2), "records were lost"
    return {"rate": (count - BATCH) / took, "cpu_ns": (time.process_time() - before + cpu) / count * 1e9}


if __name__ == "__main__":
    print(json.dumps(run(sys.argv[1], sys.argv[2], float(sys.argv[3]))))
