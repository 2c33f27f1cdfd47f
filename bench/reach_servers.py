"""What carries records through somebody in the middle: NATS with its server, and calls of a Ray actor.

Rule 1. A server, or a cluster, is started for the round and ended with it.
Rule 2. The two ends speak as in `reach_talk`, in the way of their library: by coroutines, or by calls.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import sys
import time
from collections import deque
from pathlib import Path
from typing import Any

from bench.reach_talk import (
    DONE,
    EACH,
    FRAME,
    HERE,
    LAST,
    LOOK,
    NUMBER,
    RECORD,
    WINDOW,
    Measured,
    Run,
    Wrong,
    apart,
    ended,
    free_port,
    phases,
    pin,
    shares,
)

# NATS


def nats(seconds: float, folder: Path) -> Measured:
    port = free_port()
    found = Path(sys.executable).parent / "nats-server"
    program = str(found) if found.exists() else shutil.which("nats-server") or ""
    command = [program, "-a", HERE, "-p", str(port), "-P", str(folder / "nats.pid")]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    reading, writing = os.pipe()
    try:
        pin(0)
        pid = apart(lambda: asyncio.run(_nats_far(port, writing)), 1)
        os.read(reading, 1)  # it listens
        measured = asyncio.run(_nats_near(port, seconds))
        ended([pid])
    finally:
        server.kill()
        server.wait()
    return measured


async def _nats_end(port: int, mine: str, theirs: str) -> tuple[Any, Any, Any]:
    from nats import connect

    end = await connect(f"nats://{HERE}:{port}", connect_timeout=10, max_reconnect_attempts=50)
    heard = await end.subscribe(theirs, pending_msgs_limit=1 << 20, pending_bytes_limit=1 << 28)

    async def send(data: Any) -> None:
        await end.publish(mine, bytes(data))

    async def recv() -> bytes:
        message = await heard.next_msg(timeout=30)
        return bytes(message.data)

    return end, send, recv


async def _nats_far(port: int, ready: int) -> None:
    end, send, recv = await _nats_end(port, "back", "there")
    await end.flush()
    os.write(ready, b"x")
    number = 0
    for name, _ in phases(1):
        each, got, number = EACH // (FRAME if name == "frames" else RECORD), 0, 0
        while number != LAST:
            data = await recv()
            number = NUMBER.unpack_from(data)[0]
            if number not in (got, LAST):
                raise Wrong(f"{number} came, {got} was next")
            got += 1
            if name == "trips":
                await send(data)
            elif number == LAST or got % each == 0:
                await send(DONE)
    await end.drain()


async def _nats_near(port: int, seconds: float) -> Measured:
    end, send, recv = await _nats_end(port, "there", "back")
    await end.flush()
    found: Measured = {}
    for name, duration in phases(seconds):
        if name == "trips":
            found |= shares(await _nats_trips(send, recv, duration))
        else:
            found[name] = await _nats_stream(send, recv, FRAME if name == "frames" else RECORD, duration)
    await end.close()
    return found


async def _nats_stream(send: Any, recv: Any, size: int, seconds: float) -> float:
    memory, window, each, clock = memoryview(bytearray(size)), WINDOW // size, EACH // size, time.perf_counter
    look = LOOK if size == RECORD else 1
    sent = acked = 0
    began = clock()
    while sent % look or clock() < began + seconds:
        NUMBER.pack_into(memory, 0, sent)
        await send(memory)
        sent += 1
        if sent - acked >= window:
            await recv()
            acked += each
    NUMBER.pack_into(memory, 0, LAST)
    await send(memory)
    for _ in range((sent - acked) // each + 1):
        await recv()
    return sent * size / RECORD / (clock() - began)


async def _nats_trips(send: Any, recv: Any, seconds: float) -> list[int]:
    memory, clock, took = memoryview(bytearray(RECORD)), time.perf_counter_ns, list[int]()
    began = now = clock()
    while now < began + seconds * 1e9:
        NUMBER.pack_into(memory, 0, len(took))
        await send(memory)
        await recv()
        after = clock()
        took.append(after - now)
        now = after
    NUMBER.pack_into(memory, 0, LAST)
    await send(memory)
    await recv()
    return took


# Ray


class RayFar:
    """The actor: it checks the order, and gives a record back."""

    def __init__(self) -> None:
        pin(1)
        self.got = 0

    def begin(self) -> None:
        self.got = 0

    def take(self, data: bytes) -> bytes:
        if int.from_bytes(data[:8], "little") != self.got:
            raise ValueError(f"{self.got} was next")
        self.got += 1
        return data if len(data) == RECORD else b""


def ray_calls(seconds: float, folder: Path) -> Measured:
    os.environ |= {"RAY_USAGE_STATS_ENABLED": "0", "RAY_DEDUP_LOGS": "0", "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0"}
    import ray

    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False, logging_level="error", _node_ip_address=HERE)

    try:
        other = ray.remote(num_cpus=1)(RayFar).remote()
        ray.get(other.begin.remote())
        pin(0)
        found: Measured = {}
        for name, duration in phases(seconds):
            ray.get(other.begin.remote())
            if name == "trips":
                found |= shares(_ray_trips(ray, other, duration))
            else:
                found[name] = _ray_stream(ray, other, FRAME if name == "frames" else RECORD, duration)
    finally:
        ray.shutdown()
    return found


def _ray_stream(ray: Any, other: Any, size: int, seconds: float) -> float:
    """Calls whose results are the acknowledgements; those of small records are fewer on their way."""
    memory, window, clock = memoryview(bytearray(size)), min(WINDOW // size, 1024), time.perf_counter
    calls: deque[Any] = deque()
    sent, began = 0, clock()
    while clock() < began + seconds:
        NUMBER.pack_into(memory, 0, sent)
        calls.append(other.take.remote(bytes(memory)))
        sent += 1
        if len(calls) >= window:
            ray.get([calls.popleft() for _ in range(window // 4)])
    ray.get(list(calls))
    return sent * size / RECORD / (clock() - began)


def _ray_trips(ray: Any, other: Any, seconds: float) -> list[int]:
    memory, clock, took = memoryview(bytearray(RECORD)), time.perf_counter_ns, list[int]()
    began = now = clock()
    while now < began + seconds * 1e9:
        NUMBER.pack_into(memory, 0, len(took))
        ray.get(other.take.remote(bytes(memory)))
        after = clock()
        took.append(after - now)
        now = after
    return took


RUNS: dict[str, Run] = {"NATS": nats, "Ray actor calls": ray_calls}
