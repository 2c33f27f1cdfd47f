"""`byteor top` in a terminal that is none: what stands on the screen, and what keys do."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import signal
import struct
import sys
import termios
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from byteor.cli.screen import ORDER, SORTS, View, in_order, picture
from byteor.cli.top import press
from byteor.observe.meter import measure
from tests.observe import made

pyte = pytest.importorskip("pyte")
NAMES = ("first", "second", "third")
ROWS, COLUMNS = 30, 150


class Terminal:
    """A command in a pseudo-terminal, and the screen that it draws."""

    def __init__(self, *arguments: str) -> None:
        self.screen = pyte.Screen(COLUMNS, ROWS)
        self._stream = pyte.ByteStream(self.screen)
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.environ.update(TERM="xterm-256color", COLUMNS=str(COLUMNS), LINES=str(ROWS))
            os.execv(sys.executable, made.command(*arguments))
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))

    @property
    def text(self) -> str:
        return "\n".join(self.screen.display)

    def press(self, keys: bytes) -> None:
        os.write(self.fd, keys)

    def until(self, holds: Callable[[str], object]) -> str:
        """Draw until something stands there; the test's watchdog ends what never does."""
        while not holds(self.text):
            self._read()
        return self.text

    def _read(self) -> None:
        select.select([self.fd], [], [], 1.0)
        self._stream.feed(os.read(self.fd, 1 << 16))

    def left(self) -> int:
        """Wait until the command has left; its status."""
        try:
            while True:
                self._read()
        except OSError:  # the other end is closed
            pass
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])


def roles(text: str) -> list[str]:
    return list(re.findall(r"^(\w+) +(?:ingress|stage|egress) ", text, re.MULTILINE))


@pytest.fixture(scope="module")
def plant(tmp_path_factory: pytest.TempPathFactory) -> Iterator[made.Plant]:
    stages = made.stage("first"), made.stage("second", "sleeps", False), made.stage("third")
    folder = tmp_path_factory.mktemp("top")
    with made.running(folder, made.chain(*stages, names=NAMES, capacity=64)) as running:
        running.moves()
        yield running


def test_the_screen_and_its_keys(plant: made.Plant) -> None:
    terminal = Terminal("top", str(plant.folder), "--every", "0.25")
    everybody = ["in", *NAMES, "out"]
    text = terminal.until(lambda text: "second` holds the plant back" in text and len(roles(text)) == len(everybody))
    assert "made runs under process" in text and "by work" in text
    assert sorted(roles(text)) == sorted(everybody) and roles(text)[0] == "second"
    terminal.until(lambda text: "third_to_out" in text)
    terminal.press(b"N")
    terminal.until(lambda text: "by plan" in text and roles(text) == everybody)
    terminal.press(b"I")
    terminal.until(lambda text: roles(text) == everybody[::-1])
    terminal.press(b"l")
    terminal.until(lambda text: "LANE" not in text)
    terminal.press(b"\x1bOP")
    terminal.until(lambda text: "Keys" in text and "sort by work" in text)
    terminal.press(b"h")
    terminal.until(lambda text: "Keys" not in text)
    terminal.press(b" ")
    terminal.until(lambda text: "HELD" in text)
    terminal.press(b"\x1b[21~")
    assert terminal.left() == 0


def test_ctrl_c_leaves_and_gives_the_terminal_back(plant: made.Plant) -> None:
    terminal = Terminal("top", str(plant.folder))
    terminal.until(lambda text: "ROLE" in text)
    os.kill(terminal.pid, signal.SIGINT)
    assert terminal.left() == 0


def test_a_picture(plant: made.Plant, tmp_path: Path) -> None:
    motion = measure(plant.window(), 0.2)
    drawn = picture(plant.window(), motion)
    assert (
        drawn.startswith("<svg") and "first_to_second" in drawn and drawn.count("http") == 1
    )  # the name of the format


def test_sorts_and_odd_keys(plant: made.Plant) -> None:
    motion, view = measure(plant.window(), 0.2), View()
    for key in SORTS:
        assert press(view, key)
        shown = [SORTS[key][1](one) for one in in_order(motion, view)]
        assert shown == sorted(shown, reverse=True)
    assert press(view, ORDER) and [one.now.name for one in in_order(motion, view)] == ["in", *NAMES, "out"]
    assert not press(view, "x") and not press(view, "")
    for _ in range(20):
        press(view, "+")
    assert view.every == 60.0
