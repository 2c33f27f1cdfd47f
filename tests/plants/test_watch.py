"""The main thread of a role sleeps until its runners are over, an order comes, or its supervisor is gone."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from byteor.plant import channel, directory, findings, watch
from byteor.plant.channel import Listener, Teller
from byteor.transport import locks
from tests.transport.support import code_of

HOLDER = """
import sys
from byteor.plant import directory
held = directory.create("x", sys.argv[1])
print("held", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def holder(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """A process that supervises nothing and holds a plant's lock."""
    command = [sys.executable, "-c", HOLDER, str(tmp_path / "p")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None and process.stdout.readline() == "held\n"
        yield process
        process.kill()


class Told:
    """A watch in this thread, and what it was told; its runners end when they are told to stop."""

    def __init__(self, teller: Teller | None, lock: Path | None, obedient: bool = True) -> None:
        self.orders: list[str] = []
        self.watch = watch.Watch(teller, lock, self.order)
        self.obedient = obedient

    def order(self, what: str) -> None:
        self.orders.append(what)
        if what == "stop" and self.obedient:
            self.watch.over()

    def wait(self) -> str:
        with self.watch:
            return self.watch.wait()


def test_the_end_of_the_runners_ends_the_wait() -> None:
    told = Told(None, None)
    threading.Thread(target=told.watch.over).start()
    assert told.wait() == watch.OVER and told.orders == []


def test_orders_come_in_order_and_a_closed_channel_is_none() -> None:
    mine, theirs = channel.pair()
    listener, teller = Listener(mine), Teller(theirs)
    told = Told(teller, None)
    for order in ("open", "drain", "stop"):
        listener.order(order)
    listener.close()
    assert told.wait() == watch.STOPPED and told.orders == ["open", "drain", "stop"]
    assert not teller.tell("done"), "nobody is there to hear it, which is no error"
    told = Told(teller, None)
    threading.Timer(0.01, told.watch.over).start()
    assert told.wait() == watch.OVER and told.orders == []
    teller.close()


@pytest.mark.parametrize("seen", [True, False])
def test_a_dead_supervisor_is_a_stop(
    holder: subprocess.Popen[str], tmp_path: Path, seen: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Woken by its pidfd, or, where its pid means nothing, by asking for its lock."""
    lock = tmp_path / "p" / directory.LOCK
    if not seen:
        lock.write_text(json.dumps({"pid": os.getpid(), "started": 1}))
        monkeypatch.setattr(watch, "LOOK", 0.005)
    found = watch.supervisor_of(lock)
    assert found.alive and (found.pidfd >= 0) == seen
    found.close()
    told = Told(None, lock)
    holder.kill()
    assert told.wait() == watch.LOST and told.orders == ["stop"]


def test_another_supervisor_is_not_ones_own(holder: subprocess.Popen[str], tmp_path: Path) -> None:
    """Who takes the plant over waits for the end of the roles that it finds."""
    told = Told(None, tmp_path / "p" / directory.LOCK)
    holder.kill()
    holder.wait()
    with directory.resume(tmp_path / "p"):
        assert told.wait() == watch.LOST


def test_a_removed_plant_has_no_supervisor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch, "LOOK", 0.005)
    held = directory.create("x", tmp_path / "p")
    held.lock.write_text("")  # this process's own pid would not die
    told = Told(None, held.lock)
    held.remove()
    assert told.wait() == watch.LOST


def test_a_runner_that_does_not_come_back_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch, "PATIENCE", 0.01)
    mine, theirs = channel.pair()
    listener, teller = Listener(mine), Teller(theirs)
    listener.order("stop")
    assert Told(teller, None, obedient=False).wait() == watch.LEFT
    listener.close()
    teller.close()


def test_by_hand_the_first_signal_drains_and_the_second_stops() -> None:
    told = Told(None, None)
    with told.watch.signals():
        os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGTERM)
        assert told.wait() == watch.STOPPED
    assert told.orders == ["drain", "stop"]
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL


def test_a_role_by_hand_waits_for_a_supervisor_so_long(tmp_path: Path) -> None:
    lock = tmp_path / "p" / directory.LOCK
    assert code_of(lambda: watch.await_supervisor(lock, 0)) == findings.NO_SUPERVISOR.code
    made: list[directory.Held] = []

    def come(seconds: float) -> None:
        made.append(directory.create("x", tmp_path / "p"))

    watch.await_supervisor(lock, 60, come)
    assert len(made) == 1 and locks.held(lock, directory.OFFSET)
    made[0].remove()
