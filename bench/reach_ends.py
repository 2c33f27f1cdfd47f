"""What carries records to another host, one library each: run by the bench, as a program.

`python -m bench.reach_ends NAME SECONDS FOLDER` answers one line of JSON: records per second in frames and one by one,
and the median and p99 of a record there and back in microseconds.

Rule 1. Each library is used as its own pages show, with messages of one record, or of 64 KiB.
Rule 2. The near end runs on one core, the far end on another; a server between them where it finds room.
"""

from __future__ import annotations

import functools
import json
import os
import signal
import socket
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bench.reach_talk import (
    FRAME,
    HERE,
    NUMBER,
    RECORD,
    WINDOW,
    Measured,
    Run,
    Wrong,
    apart,
    ended,
    far,
    free_port,
    near,
    pin,
)

RUNS: dict[str, Run] = {}


def contender(name: str) -> Callable[[Run], Run]:
    """Put a contender into the table."""

    def put(run: Run) -> Run:
        RUNS[name] = run
        return run

    return put


# TCP of the standard library


class Tcp:
    """A blocking socket; small messages leave one by one, or together where they are coalesced."""

    def __init__(self, end: socket.socket, coalesced: bool) -> None:
        end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._recv = end.recv_into
        self._out, self._coalesced = end.makefile("wb", FRAME), coalesced
        self._memory, self._begin, self._end = memoryview(bytearray(WINDOW)), 0, 0
        self.flush = self._out.flush if coalesced else int
        self._send, self._write = end.sendall, self._out.write

    def send(self, data: memoryview) -> object:
        return self._write(data) if self._coalesced and len(data) < FRAME else self._send(data)

    def recv(self, size: int) -> memoryview:
        """Read what is there, up to a frame at a time; the memory is read round and round."""
        if self._end - self._begin < size:
            self._read(size)
        self._begin += size
        return self._memory[self._begin - size : self._begin]

    def _read(self, size: int) -> None:
        left = self._end - self._begin
        if self._begin + FRAME + size > len(self._memory):
            self._memory[:left] = self._memory[self._begin : self._end]
            self._begin, self._end = 0, left
        while self._end - self._begin < size:
            n = self._recv(self._memory[self._end : max(self._begin + FRAME, self._begin + size)])
            if n == 0:
                raise Wrong("the connection was closed")
            self._end += n


def _tcp(coalesced: bool, secure: bool = False) -> Run:
    def run(seconds: float, folder: Path) -> Measured:
        wraps = _wraps(folder) if secure else (_plain, _plain)
        with socket.create_server((HERE, 0)) as server:
            pid = apart(lambda: far(Tcp(wraps[1](server.accept()[0]), coalesced)), 1)
            with wraps[0](socket.create_connection(server.getsockname())) as end:
                found = near(Tcp(end, coalesced), seconds)
        ended([pid])
        return found

    return run


def _plain(end: socket.socket) -> socket.socket:
    return end


def _wraps(folder: Path) -> tuple[Any, Any]:
    """How both sides wrap a socket: by the settings of a link, with certificates of one authority."""
    from byteor.fabric.link import IN, OUT, Link
    from byteor.fabric.tls import context_of

    here, there = pems(folder)
    of_near = context_of(Link("raw", OUT, "tcp", 1, connect=f"{HERE}:1", **here))
    of_far = context_of(Link("raw", IN, "tcp", 1, listen=f"{HERE}:1", **there))
    assert of_near is not None and of_far is not None
    return (
        lambda end: of_near.wrap_socket(end, server_hostname=HERE),
        lambda end: of_far.wrap_socket(end, server_side=True),
    )


def pems(folder: Path) -> list[dict[str, str]]:
    """The certificates of both hosts, made before."""
    return [
        {"certificate": f"{folder}/{name}.pem", "key": f"{folder}/{name}.key", "authority": f"{folder}/ca.pem"}
        for name in ("near", "far")
    ]


RUNS["TCP"] = _tcp(False)
RUNS["TCP, coalesced"] = _tcp(True)
RUNS["TCP, mTLS"] = _tcp(True, True)


# zenoh


class Zenoh:
    """A publisher that waits rather than to drop, and a subscriber."""

    def __init__(self, port: int, side: str) -> None:
        import zenoh

        from byteor.fabric.link import OUT, Link
        from byteor.fabric.zenoh import settings

        of = {"connect": f"{HERE}:{port}"} if side == OUT else {"listen": f"{HERE}:{port}"}
        config = zenoh.Config()
        for key, value in settings(Link("raw", side, "zenoh", 1, **of)).items():
            config.insert_json5(key, json.dumps(value))
        self.session = zenoh.open(config)
        mine, theirs = ("bench/there", "bench/back") if side == OUT else ("bench/back", "bench/there")
        heard = self.session.declare_subscriber(theirs, zenoh.handlers.FifoChannel(WINDOW // RECORD + 8))
        self._recv = heard.recv
        self._publisher = self.session.declare_publisher(
            mine, congestion_control=zenoh.CongestionControl.BLOCK, express=True
        )
        self._put = self._publisher.put
        while not self._publisher.matching_status.matching:  # type: ignore[attr-defined]
            time.sleep(0.01)

    def send(self, data: memoryview) -> None:
        self._put(bytes(data))

    def flush(self) -> None:
        """Everything has left already."""

    def recv(self, _size: int) -> Any:
        return self._recv().payload.to_bytes()


@contender("zenoh")
def _zenoh(seconds: float, _folder: Path) -> Measured:
    port = free_port()

    def other() -> None:
        end = Zenoh(port, "in")
        far(end)
        time.sleep(0.2)  # until the last has left
        end.session.close()

    pid = apart(other, 1)
    end = Zenoh(port, "out")
    found = near(end, seconds)
    end.session.close()
    ended([pid])
    return found


# Arrow Flight


class Exchange:
    """One side of a DoExchange: batches of one column of 64 bytes."""

    def __init__(self, reader: Any, writer: Any) -> None:
        import pyarrow as pa

        self._pa, self._kind, self._reader, self._writer = pa, pa.binary(RECORD), reader, writer
        self._schema = pa.schema([("record", self._kind)])
        writer.begin(self._schema)

    def send(self, data: memoryview) -> None:
        pa = self._pa
        if len(data) < RECORD:
            self._writer.write_metadata(bytes(data))
            return
        column = pa.Array.from_buffers(self._kind, len(data) // RECORD, [None, pa.py_buffer(data)])
        self._writer.write_batch(pa.RecordBatch.from_arrays([column], schema=self._schema))

    def flush(self) -> None:
        """Everything has left already."""

    def recv(self, _size: int) -> memoryview:
        chunk = self._reader.read_chunk()
        return memoryview(chunk.app_metadata if chunk.data is None else chunk.data.column(0).buffers()[1])


@contender("Arrow Flight")
def _flight(seconds: float, _folder: Path) -> Measured:
    reading, writing = os.pipe()

    def other() -> None:
        import pyarrow.flight as flight

        class Server(flight.FlightServerBase):  # type: ignore[misc]
            def do_exchange(self, _context: Any, _descriptor: Any, reader: Any, writer: Any) -> None:
                far(Exchange(reader, writer))

        server = Server(f"grpc://{HERE}:0")
        os.write(writing, NUMBER.pack(server.port))
        server.serve()

    pid = apart(other, 1)
    port = NUMBER.unpack(os.read(reading, 8))[0]
    import pyarrow.flight as flight

    with flight.connect(f"grpc://{HERE}:{port}") as client:
        writer, reader = client.do_exchange(flight.FlightDescriptor.for_command(b"bench"))
        found = near(Exchange(reader, writer), seconds)
        writer.done_writing()
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    return found


def runs(name: str) -> Run:
    """How a contender is measured."""
    if name.startswith("byteor"):
        from bench.reach_ours import run

        return functools.partial(run, name)
    if name not in RUNS:
        from bench.reach_servers import RUNS as OTHERS

        return OTHERS[name]  # what these start is not to stay on one core
    pin(0)
    return RUNS[name]


if __name__ == "__main__":
    print(json.dumps(runs(sys.argv[1])(float(sys.argv[2]), Path(sys.argv[3]))))
