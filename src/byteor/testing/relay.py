"""A relay before a port: it delays what passes, breaks connections by chance, and can be cut without a word.

Rule 1. Bytes keep their order and are never changed: loss is a connection that is reset in the midst of them.
Rule 2. While it is cut, everything is swallowed, new connections too: nobody is told, as with a dead cable.
Rule 3. One thread, one selector; what is due later lies in a queue for each direction.
Rule 4. It may lead elsewhere from a moment on; whoever looks on sees what came, before it goes on.
"""

from __future__ import annotations

import contextlib
import random
import selectors
import socket
import struct
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

PIECE = 64 << 10
_RESET = struct.pack("ii", 1, 0)  # a close that linger makes a reset


@dataclass(slots=True, eq=False)
class Way:
    """One direction of a connection: what came in, and when it may go on."""

    source: socket.socket
    target: socket.socket
    forth: bool
    waiting: deque[tuple[float, bytes]] = field(default_factory=deque)
    ended: bool = False


class Relay:
    """A relay from a port of its own to another one, in a thread."""

    def __init__(
        self, target: int, delay: float = 0.0, loss: float = 0.0, seed: int = 1, host: str = "127.0.0.1"
    ) -> None:
        self.delay, self.loss, self.cut = delay, loss, False
        self.resets = 0
        self.look: Callable[[Way, bytes], object] = lambda way, data: None
        self._turned = False
        self._target = (host, target)
        self._dice = random.Random(seed)
        self._listener = socket.create_server((host, 0))
        self._listener.setblocking(False)
        self.port = int(self._listener.getsockname()[1])
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._listener, selectors.EVENT_READ)
        self._ways: list[Way] = []
        self._going = True
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def __enter__(self) -> Relay:
        return self

    def __exit__(self, *_: object) -> None:
        self._going = False
        self._thread.join()
        for way in self._ways:
            way.source.close()
        self._listener.close()
        self._selector.close()

    def lead(self, target: int) -> None:
        """Lead to another port from now on: what is connected is reset."""
        self._target = (self._target[0], target)
        self._turned = True

    def _run(self) -> None:
        while self._going:
            if self._turned:
                self._turned = False
                for way in tuple(self._ways):
                    self._end(way, reset=True)
            for key, _ in self._selector.select(0.002 if any(way.waiting for way in self._ways) else 0.05):
                if key.fileobj is self._listener:
                    self._accept()
                elif key.data in self._ways:
                    self._read(key.data)
            for way in tuple(self._ways):
                if way in self._ways:
                    self._pass(way)

    def _accept(self) -> None:
        end, _ = self._listener.accept()
        try:
            if self.cut:
                raise OSError
            there = socket.create_connection(self._target, 1.0)
        except OSError:
            end.close()
            return
        for one in (end, there):
            one.setblocking(False)
            one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for way in (Way(end, there, True), Way(there, end, False)):
            self._ways.append(way)
            self._selector.register(way.source, selectors.EVENT_READ, way)

    def _read(self, way: Way) -> None:
        if self.cut or sum(len(data) for _, data in way.waiting) > 16 * PIECE:
            time.sleep(0.0005)  # it is swallowed later: nobody is told meanwhile
            return
        try:
            data = way.source.recv(PIECE)
        except OSError:
            self._end(way, reset=True)
            return
        if self.loss and self._dice.random() < self.loss:
            self.resets += 1
            self._end(way, reset=True)
        elif data:
            self.look(way, data)
            way.waiting.append((time.monotonic() + self.delay, data))
        else:
            way.ended = True
            self._selector.unregister(way.source)

    def _pass(self, way: Way) -> None:
        """Let go on what is due."""
        while way.waiting and not self.cut and way.waiting[0][0] <= time.monotonic():
            due, data = way.waiting.popleft()
            try:
                n = way.target.send(data)
            except BlockingIOError:
                n = 0
            except OSError:
                self._end(way, reset=True)
                return
            if n < len(data):
                way.waiting.appendleft((due, data[n:]))
                return
        if way.ended and not way.waiting:
            self._end(way, reset=False)

    def _end(self, way: Way, reset: bool) -> None:
        """End a connection, both ways."""
        for one in [w for w in self._ways if w.source in (way.source, way.target)]:
            self._ways.remove(one)
            with contextlib.suppress(KeyError, ValueError):
                self._selector.unregister(one.source)
            if reset:
                with contextlib.suppress(OSError):
                    one.source.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            one.source.close()
