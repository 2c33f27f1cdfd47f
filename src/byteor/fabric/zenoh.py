"""The fabric of zenoh: a key for each direction of a lane, encrypted if the link has certificates.

Rule 1. What zenoh promises is not relied on: it loses without a word where a connection stalls for five seconds.
Rule 2. zenoh connects by itself, and tells neither failures nor why: who is not there is told after five seconds.
Rule 3. Nothing is imported before a link asks for it.
"""

from __future__ import annotations

import contextlib
import json
import queue
import time
from collections.abc import Sequence
from importlib import import_module
from typing import Any

from byteor.diag import Refused
from byteor.fabric import findings
from byteor.fabric.contract import NO_PEER_AFTER, Place, Say
from byteor.fabric.link import OUT, Link
from byteor.fabric.messages import HEAD_BYTES, Message, decode
from byteor.fabric.tcp import no_peer
from byteor.fabric.tls import context_of

LOOK = 0.05  # seconds between two looks at who is there
FULL = 1024  # messages that wait to be received; what comes beyond is lost, and asked for again
_WHY = "zenoh does not say why; it is not there, cannot be reached, or one side does not trust the other"


class Zenoh:
    """One end of a link over zenoh."""

    def __init__(self, link: Link, say: Say) -> None:
        try:
            self._zenoh: Any = import_module("zenoh")
        except ImportError as e:
            raise Refused([findings.NO_ZENOH.at(link.role, "it is to be carried by zenoh")]) from e
        self._link, self._say = link, say
        self._waiting: queue.Queue[bytes] = queue.Queue(FULL)
        self._session: Any = None
        self._publisher: Any = None
        self._number = self._made = 0
        self._since = time.monotonic()
        self._told = False

    def open(self) -> None:
        context_of(self._link)  # keys that cannot be read are told here, not by silence
        self._session = self._opened()
        there, back = (f"byteor/{self._link.generation:016x}/{self._link.lane}/{way}" for way in ("there", "back"))
        mine, theirs = (there, back) if self._link.side == OUT else (back, there)
        self._subscriber = self._session.declare_subscriber(theirs, self._came)
        self._publisher = self._session.declare_publisher(
            mine, congestion_control=self._zenoh.CongestionControl.BLOCK, express=True
        )
        self._since = time.monotonic()

    def _opened(self) -> Any:
        config = self._zenoh.Config()
        for key, value in settings(self._link).items():
            config.insert_json5(key, json.dumps(value))
        try:
            return self._zenoh.open(config)
        except self._zenoh.ZError as e:
            raise Refused([findings.BAD_ADDRESS.at(self._link.role, f"{self._link.address}: {e}")]) from e

    def _came(self, sample: Any) -> None:
        with contextlib.suppress(queue.Full):  # a fabric may lose
            self._waiting.put_nowait(sample.payload.to_bytes())

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
            self._number, self._told = self._made, False
        elif not there and self._number:
            self._number, self._since = 0, time.monotonic()
        if not there and not self._told and time.monotonic() - self._since >= NO_PEER_AFTER:
            self._told = True
            self._say(no_peer(self._link, _WHY))

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
            "verify_name_on_connect": False,
        }
    return found
