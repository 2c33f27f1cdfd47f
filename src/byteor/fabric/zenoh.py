"""The fabric of zenoh: a key for each direction of a lane, encrypted if the link has certificates.

Rule 1. What zenoh promises is not relied on: it loses without a word where a connection stalls for five seconds.
Rule 2. zenoh connects by itself, and tells neither failures nor why: while nobody is there, whoever listens at the
    address is asked by a connection of our own. The listening end learns no more than that nobody came.
Rule 3. Nothing is imported before a link asks for it.
"""

from __future__ import annotations

import json
import queue
import ssl
import time
from collections.abc import Sequence
from importlib import import_module
from typing import Any

from byteor.diag import Diagnostic, Refused
from byteor.fabric import findings
from byteor.fabric.contract import Place, Say
from byteor.fabric.link import OUT, Link
from byteor.fabric.messages import HEAD_BYTES, Message, decode
from byteor.fabric.probe import probe
from byteor.fabric.silence import Silence
from byteor.fabric.tls import context_of

LOOK = 0.05  # seconds between two looks at who is there
OPENING = 3000  # milliseconds that one attempt of zenoh may take
ASKING = 3.5  # seconds that an answer may take
ASK = 1.0  # seconds without anybody, after which the address is asked why
FULL = 1024  # messages that wait to be received; what comes beyond is lost, and asked for again
_WHY = "it is not there, cannot reach this end, or does not trust it; the other end tells which"


class Zenoh:
    """One end of a link over zenoh."""

    def __init__(self, link: Link, say: Say) -> None:
        try:
            self._zenoh: Any = import_module("zenoh")
        except ImportError as e:
            raise Refused([findings.NO_ZENOH.at(link.role, "it is to be carried by zenoh")]) from e
        self._link, self._say = link, say
        self._waiting: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        self._session: Any = None
        self._publisher: Any = None
        self._number = self._made = 0
        self._silence = Silence(link, say)
        self._silence.why = _WHY
        self._context: ssl.SSLContext | None = None
        self._asked = 0.0

    def open(self) -> None:
        self._context = context_of(self._link)  # keys that cannot be read are told here, not by silence
        self._session = self._opened()
        there, back = (f"byteor/{self._link.generation:016x}/{self._link.lane}/{way}" for way in ("there", "back"))
        mine, theirs = (there, back) if self._link.side == OUT else (back, there)
        self._subscriber = self._session.declare_subscriber(theirs, self._came)
        self._publisher = self._session.declare_publisher(
            mine, congestion_control=self._zenoh.CongestionControl.BLOCK, express=True
        )
        self._silence.begin()
        self._asked = time.monotonic()

    def _opened(self) -> Any:
        config = self._zenoh.Config()
        for key, value in settings(self._link).items():
            config.insert_json5(key, json.dumps(value))
        try:
            return self._zenoh.open(config)
        except self._zenoh.ZError as e:
            raise Refused([findings.BAD_ADDRESS.at(self._link.role, f"{self._link.address}: {e}")]) from e

    def _came(self, sample: Any) -> None:
        if self._waiting.qsize() < FULL:  # a fabric may lose
            self._waiting.put(sample.payload.to_bytes())

    def up(self) -> int:
        return self._number

    def send(self, head: bytes, parts: Sequence[memoryview] = (), wait: bool = True) -> bool:
        if not self._number:
            return False
        try:
            self._publisher.put(b"".join((head, *parts)))
        except self._zenoh.ZError:
            return False
        return True

    def recv(self, timeout: float, place: Place) -> Message | None:
        until = time.monotonic() + timeout
        before = self._number
        while (data := self._next(until)) is None:
            self._look()
            if self._number != before or time.monotonic() >= until:
                return None
        return self._placed(data, place)

    def _next(self, until: float) -> bytes | None:
        left = min(LOOK, until - time.monotonic())
        try:
            return self._waiting.get(timeout=left) if left > 0 else self._waiting.get_nowait()
        except queue.Empty:
            return None

    def _placed(self, data: bytes, place: Place) -> Message | None:
        message = decode(data)
        if message is None or len(data) != HEAD_BYTES + message.length:
            self._say(findings.STRANGER.at(self._link.role, "what came is no message of a link"))
            return None
        at = HEAD_BYTES
        for part in place(message):
            part[:] = data[at : at + len(part)]
            at += len(part)
        return message

    def _look(self) -> None:
        """See whether anybody is there."""
        there = bool(self._publisher.matching_status.matching)
        if there and not self._number:
            self._made += 1
            self._number = self._made
        elif not there and self._number:
            self._number, self._asked = 0, time.monotonic()
            self._silence.begin()
        if not there:
            self._silence.check()
            self._ask()

    def _ask(self) -> None:
        """Ask who is at the address, now and then; a certificate that is not taken ends the link."""
        if not self._link.connect or time.monotonic() - self._asked < ASK:
            return
        why = probe(self._link, self._context, self._silence.at_most(ASKING))
        self._asked = time.monotonic()
        if isinstance(why, Diagnostic) and why.is_error:
            raise Refused([why])
        self._silence.why = why

    def reset(self) -> None:
        """Nothing: zenoh gives connections up by itself."""

    def close(self) -> None:
        if self._session is not None:
            self._session.close()


def settings(link: Link) -> dict[str, Any]:
    """How zenoh is set up: it meets nobody but the other end."""
    kind = "tls" if link.secure else "tcp"
    found: dict[str, Any] = {
        "mode": "peer",
        "scouting/multicast/enabled": False,
        "scouting/gossip/enabled": False,
        "listen/endpoints": [f"{kind}/{link.listen}"] if link.listen else [],
        "connect/endpoints": [f"{kind}/{link.connect}"] if link.connect else [],
        "connect/exit_on_failure": False,
        "connect/timeout_ms": -1,
        "transport/unicast/open_timeout": OPENING,
        "connect/retry": {"period_init_ms": 100, "period_max_ms": 500, "period_increase_factor": 2},
    }
    if link.secure:
        found["transport/link/tls"] = {
            "root_ca_certificate": link.authority,
            "listen_certificate": link.certificate,
            "listen_private_key": link.key,
            "connect_certificate": link.certificate,
            "connect_private_key": link.key,
            "enable_mtls": True,
            "verify_name_on_connect": True,
        }
    return found
