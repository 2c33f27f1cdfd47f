"""The fabric of the standard library: one TCP connection a link, encrypted if it has certificates.

Rule 1. Sockets never block: who waits does so in one `poll`, on all that can bring an end to the waiting.
Rule 2. One connection at a time. A new one replaces the old one: its peer has given that up.
Rule 3. Of a broken connection nothing is kept, not even half a message.
Rule 4. TLS wants one caller at a time, whichever way the bytes go: a lock, held only while nothing waits.
"""

from __future__ import annotations

import contextlib
import os
import select
import socket
import ssl
import threading
import time
from collections.abc import Sequence

from byteor.diag import Diagnostic, Refused
from byteor.fabric import findings
from byteor.fabric.contract import Place, Say
from byteor.fabric.link import Link
from byteor.fabric.messages import HEAD_BYTES, MAGIC, Message, decode
from byteor.fabric.probe import CLOSED_EARLY, CONNECTING, GREETING, probe, split
from byteor.fabric.silence import Silence
from byteor.fabric.tls import RECORD, bears, context_of, fault_of, names_of, one_sided

PAUSE = 0.05  # between two attempts
STALL = 5.0  # seconds without a byte, in the midst of a message
BUFFER = 4 << 20


class Gone(Exception):
    """The connection is no more."""


class Connection:
    """One connection: bytes out and in, none of which waits."""

    def __init__(self, end: socket.socket) -> None:
        self.end = end
        self.fd = end.fileno()
        self._head = bytearray(HEAD_BYTES)
        self._got = 0
        self._lock = threading.Lock()
        self.secure = isinstance(end, ssl.SSLSocket)
        self.heard = False
        end.setblocking(False)

    def read(self, into: memoryview) -> int:
        """Read what is there; 0 when nothing is."""
        try:
            with self._lock if self.secure else contextlib.nullcontext():
                n = self.end.recv_into(into)
        except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            return 0
        except OSError as e:
            raise Gone(e) from e
        if n == 0:
            raise Gone
        return n

    def write(self, parts: list[memoryview]) -> int:
        """Write what can be taken; 0 when nothing can."""
        try:
            if not self.secure:
                return self.end.sendmsg(parts)
            with self._lock:
                return self.end.send(parts[0])
        except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            return 0
        except OSError as e:
            raise Gone(e) from e

    def head(self) -> Message | None:
        """The next head, once all of it is there; raise for what is none."""
        while self._got < HEAD_BYTES:
            n = self.read(memoryview(self._head)[self._got :])
            if n == 0:
                return None
            self._got += n
        self._got = 0
        message = decode(self._head)
        if message is None:
            raise Strange(self._head)
        self.heard = True
        return message

    def close(self) -> None:
        self.end.close()


class Strange(Exception):
    """What came is no message of a link."""

    def __init__(self, head: bytes | bytearray) -> None:
        super().__init__()
        self.encrypted = bytes(head[:2]) in RECORD


class Tcp:
    """One end of a link over TCP."""

    def __init__(self, link: Link, say: Say) -> None:
        self._link, self._say = link, say
        self._context: ssl.SSLContext | None = None
        self._listener: socket.socket | None = None
        self._connection: Connection | None = None
        self._number = self._made = 0
        self._sending = threading.Lock()
        self._wake = -1
        self._silence = Silence(link, say)
        self._in_vain = self._asked = False

    def open(self) -> None:
        self._context = context_of(self._link)
        if self._link.listen:
            self._listener = _listening(self._link)
        self._wake = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
        self._silence.begin()

    def up(self) -> int:
        return self._number

    # sending

    def send(self, head: bytes, parts: Sequence[memoryview] = (), wait: bool = True) -> bool:
        if not self._sending.acquire(blocking=wait):
            return False
        try:
            connection = self._connection
            return connection is not None and self._sent(connection, [memoryview(head), *parts])
        finally:
            self._sending.release()

    def _sent(self, connection: Connection, left: list[memoryview]) -> bool:
        try:
            while left:
                n = connection.write(left)
                if n == 0 and not _ready(connection.fd, select.POLLOUT, STALL):
                    raise Gone(TimeoutError("it takes nothing"))
                left = _behind(left, n)
        except (Gone, ValueError) as e:  # a socket that was closed meanwhile has no number
            self._drop(connection, str(e))
            return False
        return True

    # receiving

    def recv(self, timeout: float, place: Place) -> Message | None:
        until = time.monotonic() + timeout
        connection = self._connection
        if connection is None:
            self._connect(until)
            return None  # whoever calls looks at once whether there is a new one
        try:
            return self._received(connection, until, place)
        except Gone as e:
            self._broken(connection, e)
        except Strange as e:
            self._strange(connection, e)
        return None

    def _received(self, connection: Connection, until: float, place: Place) -> Message | None:
        while (message := connection.head()) is None:
            left = until - time.monotonic()
            if left <= 0:
                self._not_heard(connection)
                return None
            self._await(connection, left)
        return message if self._filled(connection, place(message)) else None

    def _filled(self, connection: Connection, places: Sequence[memoryview]) -> bool:
        """Receive the rest of a message; no, when it did not come whole."""
        for part in places:
            got = 0
            while got < len(part):
                n = connection.read(part[got:])
                if n == 0 and not self._await(connection, STALL):
                    self._drop(connection, "it stopped in the midst of a message")
                    return False
                got += n
        return True

    def _await(self, connection: Connection, seconds: float) -> bool:
        """Wait for bytes; a new connection takes the place of this one."""
        poll = select.poll()
        poll.register(connection.fd, select.POLLIN)
        poll.register(self._wake, select.POLLIN)
        if self._listener is not None:
            poll.register(self._listener.fileno(), select.POLLIN)
        found = {fd for fd, _ in poll.poll(seconds * 1000)}
        if self._listener is not None and self._listener.fileno() in found:
            raise Gone
        return connection.fd in found

    def _not_heard(self, connection: Connection) -> None:
        """Who listens tells of a connection that is silent; who connects gives it up and makes another."""
        if not connection.heard and self._listener is not None:
            self._silence.why = "somebody is connected, and says nothing"
            self._silence.check()

    # connections

    def _connect(self, until: float) -> None:
        """Make a connection, if that can be done in time."""
        while self._connection is None and (left := until - time.monotonic()) > 0:
            end = self._accepted(left) if self._listener is not None else self._reached(left)
            if end is None:
                self._silence.check()
                continue
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._made += 1
            self._connection, self._number = Connection(end), self._made

    def _accepted(self, seconds: float) -> socket.socket | None:
        assert self._listener is not None
        if not _ready(self._listener.fileno(), select.POLLIN, min(seconds, CONNECTING)):
            return None
        try:
            end, (host, *_) = self._listener.accept()
        except OSError:  # it was gone before it was taken
            return None
        end.settimeout(self._silence.at_most(GREETING))
        try:
            return self._let_in(end, host) if self._context else end
        except OSError as e:
            fault = fault_of(self._link, e)
            self._stranger(host, fault.message if fault else str(e))
            end.close()
            return None

    def _let_in(self, end: socket.socket, host: str) -> socket.socket | None:
        """Let one in who shows the certificate that is expected here."""
        assert self._context is not None
        if end.recv(len(MAGIC), socket.MSG_PEEK) == MAGIC:
            self._silence.tell(one_sided(self._link, f"; it connected from {host}"), host)
            end.close()
            return None
        secured = self._context.wrap_socket(end, server_side=True)
        shown, expected = secured.getpeercert() or {}, self._link.expects
        if not expected or bears(shown, expected):
            return secured
        named = ", ".join(f"`{name}`" for name in names_of(shown)) or "nobody"
        self._stranger(host, f"its certificate names {named}, and not `{expected}`")
        secured.close()
        return None

    def _stranger(self, host: str, why: str) -> None:
        finding = findings.STRANGER.at(self._link.role, f"a connection from {host} was closed: {why}")
        self._silence.tell(finding, finding.message)

    def _reached(self, seconds: float) -> socket.socket | None:
        if self._in_vain:
            _ready(self._wake, select.POLLIN, min(PAUSE, seconds))
        self._in_vain, end = True, None
        try:
            end = socket.create_connection(split(self._link.connect), self._silence.at_most(CONNECTING))
            if self._context is None:
                return end
            end.settimeout(self._silence.at_most(GREETING))
            return self._context.wrap_socket(end, server_hostname=self._link.expects)
        except OSError as e:
            if end is not None:
                end.close()
            self._judge(e, one_sided(self._link, CLOSED_EARLY) if end is not None else str(e))
            return None

    def _broken(self, connection: Connection, gone: Gone) -> None:
        """A connection ended; where that was for want of trust, there is no use in another."""
        cause = gone.__cause__
        self._drop(connection, str(cause or "it was closed, or another one came"))
        if isinstance(cause, OSError) and not connection.heard and self._listener is None:
            self._judge(cause, f"it closed the connection before it said a word: {cause}")
        if not connection.heard:
            self._ask_why()
            self._silence.check()

    def _strange(self, connection: Connection, e: Strange) -> None:
        """What came is no message; it may be encrypted."""
        self._drop(connection, "it speaks another language")
        if e.encrypted and not connection.secure:
            self._silence.tell(one_sided(self._link), findings.HALF_ENCRYPTED.code)
        else:
            finding = findings.STRANGER.at(self._link.role, "what came is no message of a link")
            self._silence.tell(finding, finding.message)

    def _judge(self, e: OSError, otherwise: Diagnostic | str) -> None:
        """Raise where certificates are not taken; remember what else it may be."""
        fault = fault_of(self._link, e)
        if fault is not None and fault.is_error:
            raise Refused([fault]) from e
        self._silence.why = fault or otherwise

    def _ask_why(self) -> None:
        """Where connections are made, and are closed without a word, see whether it is encrypted there."""
        if self._context is None and self._listener is None and self._silence.is_due() and not self._asked:
            self._asked = True
            self._silence.why = probe(self._link, None, self._silence.at_most(GREETING))

    def _drop(self, connection: Connection, why: str) -> None:
        if self._connection is connection:
            self._connection, self._number = None, 0
            self._in_vain = not connection.heard
            self._silence.why = why
            if connection.heard:
                self._asked = False
                self._silence.begin()
            connection.close()

    def reset(self) -> None:
        if (connection := self._connection) is not None:
            self._drop(connection, "it did not answer")

    def close(self) -> None:
        self.reset()
        if self._listener is not None:
            self._listener.close()
        if self._wake >= 0:
            os.close(self._wake)
            self._wake = -1


def _listening(link: Link) -> socket.socket:
    host, port = split(link.listen)
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        made = socket.create_server((host, port), family=family, backlog=4)
    except OSError as e:
        raise Refused([findings.BAD_ADDRESS.at(link.role, f"{link.listen}: {e}")]) from e
    made.setblocking(False)
    return made


def _ready(fd: int, what: int, seconds: float) -> bool:
    poll = select.poll()
    poll.register(fd, what)
    return bool(poll.poll(seconds * 1000))


def _behind(parts: list[memoryview], n: int) -> list[memoryview]:
    """What is left behind the first `n` bytes."""
    for k, part in enumerate(parts):
        if n < len(part):
            return [part[n:], *parts[k + 1 :]]
        n -= len(part)
    return []
