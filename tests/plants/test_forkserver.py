"""Roles are forked from one process, which hands over pid, pidfd and status, and keeps nothing back."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from byteor.plant import channel, forkserver
from byteor.plant.channel import Captured, Listener, Report
from byteor.plant.forks import Born, Ended, Event, Forks, Lost

BODIES = "tests.plants.bodies"


class Asker:
    """A forkserver and what came from it."""

    def __init__(self, preload: tuple[str, ...] = (BODIES,)) -> None:
        self.shown: list[tuple[str, str]] = []
        self.forks = Forks(lambda name, line: self.shown.append((name, line)), preload)
        self.events: list[Event] = []

    def ask(self, body: str, **argument: Any) -> tuple[Listener, Captured]:
        mine, theirs = channel.pair()
        reading, writing = os.pipe()
        self.forks.ask(body, f"{BODIES}:{body}", argument, theirs.fileno(), writing)
        theirs.close()
        os.close(writing)
        return Listener(mine), Captured(body, reading, lambda name, line: self.shown.append((name, line)))

    def until(self, kind: type[Any]) -> Any:
        """Wait for an event of a kind, and take it."""
        while True:
            for event in self.events:
                if isinstance(event, kind):
                    self.events.remove(event)
                    return event
            select.select([self.forks], [], [])
            self.events += self.forks.heard()


def last(listener: Listener) -> Report:
    """What was said last, when all has been said."""
    said: list[Report] = []
    while not listener.gone:
        select.select([listener], [], [])
        said += listener.heard()
    return said[-1]


@pytest.fixture
def asker() -> Iterator[Asker]:
    made = Asker()
    yield made
    made.forks.close()


def test_a_child_has_what_it_needs_and_no_more(asker: Asker) -> None:
    listener, output = asker.ask("looks", status=7, text="ü" * 1000)
    born = asker.until(Born)
    found = last(listener).data
    assert found["descriptors"] == [0, 1, 2, 3] and found["threads"] == 1 and found["ignored"] == [True, True]
    assert found["pools"] == "1" and found["argument"] == {"status": 7, "text": "ü" * 1000}
    assert asker.until(Ended) == Ended(born.pid, 7)
    assert select.select([born.pidfd], [], [], 0)[0], "a dead process shows on its pidfd"
    for fd in (born.pidfd,):
        os.close(fd)
    listener.close()
    output.close()


def test_many_children_and_each_its_own(asker: Asker) -> None:
    asked = [asker.ask("quick", text=f"line {i}\npart") for i in range(12)]
    born = [asker.until(Born) for _ in asked]
    assert {asker.until(Ended) for _ in asked} == {Ended(b.pid, 0) for b in born}
    for i, (listener, output) in enumerate(asked):
        assert last(listener) == Report("done", data={"counters": {"in": 3}})
        asker.shown.clear()
        output.close()
        assert asker.shown == [("quick", f"line {i}"), ("quick", "part")]
        listener.close()
    for b in born:
        os.close(b.pidfd)


def test_what_a_body_raises_is_told_and_printed(asker: Asker) -> None:
    listener, output = asker.ask("raises")
    os.close(asker.until(Born).pidfd)
    assert asker.until(Ended).status == 1
    assert last(listener) == Report("failed", "RuntimeError: no such luck")
    output.close()
    assert asker.shown[0] == ("raises", "Traceback (most recent call last):")
    listener, output = asker.ask("refuses", path="/plant")
    os.close(asker.until(Born).pidfd)
    assert asker.until(Ended).status == 2
    (finding,) = last(listener).findings
    assert (finding.path, finding.code) == ("/plant", "X044")


def test_children_outlive_their_server(asker: Asker) -> None:
    listener, output = asker.ask("waits")
    born = asker.until(Born)
    while not any(report.kind == "ready" for report in listener.heard()):
        select.select([listener], [], [])
    waiting, _ = asker.ask("quick")
    os.kill(asker.forks.pid, signal.SIGKILL)
    lost = asker.until(Lost)
    assert lost.ready and set(lost.asked) <= {"quick"}
    assert not select.select([born.pidfd], [], [], 0)[0]
    listener.order("stop")
    assert last(listener).data == {"heard": ["stop"], "why": "stopped"}
    select.select([born.pidfd], [], [])
    os.close(born.pidfd)
    for end in (listener, waiting, output):
        end.close()


def test_a_server_ends_with_its_supervisor() -> None:
    code = (
        "import sys; from byteor.plant.forks import Forks\n"
        "import select\n"
        "f = Forks(print, ())\n"
        "while not f.ready: select.select([f], [], []); f.heard()\n"
        "print(f.pid, flush=True); sys.stdin.read()"
    )
    parent = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    server = os.pidfd_open(int(parent.stdout.readline()))
    parent.kill()
    parent.communicate()
    select.select([server], [], [])
    os.close(server)


def test_what_is_loaded_for_all_starts_no_thread() -> None:
    """With numpy, numba and compiled code loaded there still is one thread, else nothing would be forked."""
    asker = Asker((*forkserver.PRELOAD, BODIES))
    listener, output = asker.ask("looks", status=0)
    os.close(asker.until(Born).pidfd)
    assert last(listener).data["loaded"] == ["numba", "numpy"]
    listener.close()
    output.close()
    asker.forks.close()


def test_a_signal_to_the_group_ends_neither_server_nor_child(asker: Asker) -> None:
    """A Ctrl-C reaches every process of the terminal, the server in the middle of its start among them."""
    os.kill(asker.forks.pid, signal.SIGINT)
    listener, output = asker.ask("waits")
    born = asker.until(Born)
    for pid in (asker.forks.pid, born.pid):
        os.kill(pid, signal.SIGINT)
        os.kill(pid, signal.SIGTERM)
    listener.order("drain")
    assert last(listener).data["heard"] == ["drain"] and asker.until(Ended).status == 0
    os.close(born.pidfd)
    listener.close()
    output.close()


def test_no_fork_beside_a_second_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    mine, theirs = forkserver.socket.socketpair(forkserver.socket.AF_UNIX, forkserver.socket.SOCK_SEQPACKET)
    monkeypatch.setattr(forkserver, "tasks", lambda: 2)
    forkserver.send(mine, {"ticket": 1, "run": "none:none", "argument": {}})
    mine.shutdown(forkserver.socket.SHUT_WR)
    assert forkserver.Server(theirs).serve() is None
    assert forkserver.receive(mine) == ({"ticket": 1, "refused": "it has 2 threads, and must have one"}, [])
    mine.close()
    theirs.close()


def test_long_lines_and_odd_bytes_are_shown() -> None:
    shown: list[str] = []
    reading, writing = os.pipe()
    output = Captured("role", reading, lambda name, line: shown.append(line))
    os.write(writing, b"a\nb\xff" + b"x" * channel.LONGEST)
    assert output.show()
    os.write(writing, b"\rc\r\nno end")
    os.close(writing)
    output.close()
    assert shown == ["a", "b\\xff" + "x" * channel.LONGEST, "\rc", "no end"]
