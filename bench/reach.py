"""A lane that crosses hosts, beside what carries it: 64-byte records in frames, over loopback.

Rule 1. Ours are the two roles with every acknowledgement and every commit; the near lane is always full, the far one
    always empty, so nothing but the link is measured.
Rule 2. The others carry frames of 64 KiB and answer once, at the end.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import socket
import struct
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from bench.harness import Contender, Effort, Took, measure, ratios
from bench.results import Family
from byteor.exec.load import load
from byteor.fabric.link import IN, OUT, Link
from byteor.kernel.wait import BLOCK, FOREVER, Waiter
from byteor.plant import links
from byteor.plant.blocks import in_memory, made
from byteor.plant.desk import Desk
from byteor.plant.wiring import Part, wire
from byteor.testing import certificates
from byteor.testing.link_runs import HERE, free_port

RECORD, FRAME, SLOTS = 64, 64 << 10, 1 << 15
PLAN = """
plan = 2
name = "reach"
target = "lane_graph"
[types.record]
{fields}
[[ingress]]
name = "in"
type = "record"
[[egress]]
name = "out"
[[connect]]
from = "in"
to = "out"
""".format(fields="\n".join(f'w{k} = "i64"' for k in range(8)))
Pems = Sequence[dict[str, str]]


def measured(effort: Effort) -> Family:
    """Measure all in turns."""
    family = Family(
        "reach",
        "A lane to another host",
        "64-byte records over loopback, two processes: both roles of a link with acknowledgements and commits, beside "
        "the fabric alone with frames of 64 KiB.",
    )
    with tempfile.TemporaryDirectory() as folder:
        found = measure(list(_contenders(Path(folder))), effort)
    for one in found.values():
        family.rate("in frames", one, unit="M rec/s")
    for name, raw in (("tcp", "TCP"), ("zenoh", "zenoh")):
        if f"byteor {name}" in found:
            family.at_least(f"reach {name}", 0.8, ratios(found[f"byteor {name}"], found[raw]))
        else:
            family.unmeasured(f"reach {name}", "≥ 0.8×", f"{name} is not installed")
    family.remarks += _left_out()
    return family


def _contenders(folder: Path) -> Sequence[Contender]:
    found = [Contender("TCP", raw_tcp, FRAME // RECORD), Contender("byteor tcp", _linked("tcp"), 1, 1 << 16)]
    if certificates.can_make():
        certificates.authority(folder)
        pems = [certificates.certificate(folder, host) for host in ("near", "far")]
        found.append(Contender("byteor tcp, mTLS", _linked("tcp", pems), 1, 1 << 16))
    if importlib.util.find_spec("zenoh"):
        found.append(Contender("zenoh", _apart(raw_zenoh), FRAME // RECORD))
        found.append(Contender("byteor zenoh", _apart(_linked("zenoh")), 1, 1 << 16))
    return found


def _left_out() -> list[str]:
    """Peers that cannot be measured on this machine."""
    there = {"NATS": shutil.which("nats-server"), "Ray": importlib.util.find_spec("ray")}
    return [f"{name} is left out: it is not installed" for name, found in there.items() if not found]


def _forked(work: Callable[[], object]) -> int:
    pid = os.fork()
    if pid == 0:
        work()
        os._exit(0)
    return pid


def _apart(round: Callable[[int], Took]) -> Callable[[int], Took]:
    """Rounds in processes of their own: zenoh's threads do not outlive a fork, and are not to be forked."""

    def apart(n: int) -> Took:
        reading, writing = os.pipe()
        pid = _forked(lambda: os.write(writing, struct.pack("dd", *round(n))))
        os.close(writing)
        with open(reading, "rb") as told:
            took = Took(*struct.unpack("dd", told.read()))
        os.waitpid(pid, 0)
        return took

    return apart


# the fabrics alone


def raw_tcp(n: int) -> Took:
    """Frames over a blocking socket, one byte back."""
    total, memory = n * RECORD, memoryview(bytearray(SLOTS * RECORD))
    with socket.create_server((HERE, 0)) as server:

        def far() -> None:
            end, _ = server.accept()
            got = 0
            while got < total:
                at = got % len(memory)
                got += end.recv_into(memory[at : at + FRAME])
            end.sendall(b"x")

        pid = _forked(far)
        with socket.create_connection(server.getsockname()) as near:
            began, cpu = time.perf_counter(), time.process_time()
            for at in range(0, total, FRAME):
                near.sendall(memory[at % len(memory) : at % len(memory) + FRAME])
            near.recv(1)
            took = Took(time.perf_counter() - began, time.process_time() - cpu)
    os.waitpid(pid, 0)
    return took


def raw_zenoh(n: int) -> Took:
    """Frames from a publisher to a subscriber that counts them, one message back."""
    from byteor.fabric.zenoh import Zenoh

    frames, body = n * RECORD // FRAME, memoryview(bytes(FRAME))
    near, far = _pair("zenoh", 1, ())

    def counting() -> None:
        import zenoh

        end = Zenoh(far, print)
        end.open()
        seen = 0

        def came(sample: Any) -> None:
            nonlocal seen
            seen += len(sample.payload.to_bytes()) == FRAME

        end._session.declare_subscriber("bench/frames", came)
        while seen < frames:
            time.sleep(0.0005)
        end._session.put("bench/done", b"x", congestion_control=zenoh.CongestionControl.BLOCK)
        time.sleep(0.2)
        end.close()

    pid = _forked(counting)
    end = Zenoh(near, print)
    end.open()
    done: list[object] = []
    end._session.declare_subscriber("bench/done", done.append)
    publisher = end._session.declare_publisher(
        "bench/frames", congestion_control=end._zenoh.CongestionControl.BLOCK, express=True
    )
    while not publisher.matching_status.matching:
        time.sleep(0.01)
    began, cpu = time.perf_counter(), time.process_time()
    for _ in range(frames):
        publisher.put(bytes(body))
    while not done:
        time.sleep(0.0005)
    took = Took(time.perf_counter() - began, time.process_time() - cpu)
    end.close()
    os.waitpid(pid, 0)
    return took


# ours


def _pair(fabric: str, generation: int, pems: Pems) -> tuple[Link, Link]:
    port = free_port()
    near, far = pems or ({}, {})
    lane = load(PLAN).spec.lanes[0].name
    return (
        Link(lane, OUT, fabric, generation, connect=f"{HERE}:{port}", **near),
        Link(lane, IN, fabric, generation, listen=f"{HERE}:{port}", **far),
    )


class Emptied(links.LinkIn):
    """A far side whose lane is read as soon as it is filled."""

    def _took(self, i: Any) -> None:
        super()._took(i)
        self.desk.blocks.lanes[0].write("gate", i.pos)


def runner(link: Link) -> Any:
    """The runner of one end, and the lane that it works at."""
    graph = load(PLAN).spec
    part = Part(("out",) if link.side == IN else (), (link,), {link.lane: SLOTS})
    wiring = wire(graph, part)
    blocks = made(wiring, in_memory, True)
    role = next(role for role in wiring.roles if role.is_link)
    kind = links.LinkOut if link.side == OUT else Emptied
    return kind(Desk(wiring, role, blocks, True), 4096, link), blocks.lanes[0]


def _linked(fabric: str, pems: Pems = ()) -> Callable[[int], Took]:
    def round(n: int) -> Took:
        near, far = _pair(fabric, 1, pems)
        pid = _forked(lambda: _advance(*runner(far)))
        took = _advance(*runner(near), cursor=n, closed=n)
        os.waitpid(pid, 0)
        return took

    return round


def _advance(one: Any, lane: Any, **words: int) -> Took:
    """Run an end to its end; the time from when the far side is there."""
    stop = np.zeros(1, np.int64)
    waiter = Waiter(0, stop.ctypes.data, one.bell, BLOCK, FOREVER)
    one.prepare()
    one.open()
    one.attach()
    one.start(waiter)
    while one.link.side == OUT and not one.state.peer_home:
        time.sleep(0.001)
    began, cpu = time.perf_counter(), time.process_time()
    for name in ("cursor", "closed"):
        if name in words:
            lane.write(name, words[name])
    one.post()
    one.advance(waiter)
    took = Took(time.perf_counter() - began, time.process_time() - cpu)
    one.leave()
    return took
