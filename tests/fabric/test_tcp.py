"""The TCP fabric: messages in place, connections that come and go, and who is not let in."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from byteor.diag import Diagnostic, Refused
from byteor.fabric import findings, tcp
from byteor.fabric.link import IN, OUT, Link
from byteor.fabric.messages import DATA, NOTHING, PROBE, Line, Message, encode
from byteor.testing import certificates
from byteor.testing.link_runs import HERE, free_port
from byteor.testing.relay import Relay

LINE = Line(1, 2, bytes(16))
BODY = bytes(range(256)) * 1024
needs_openssl = pytest.mark.skipif(not certificates.can_make(), reason="openssl is not on this machine")


def message(n: int, length: int = 0) -> Message:
    return Message(DATA if length else PROBE, 0, length, LINE, 3, 4, n, 0, NOTHING)


class End:
    """One end, which receives in a thread; what it got and said."""

    def __init__(self, link: Link) -> None:
        self.said: list[Diagnostic] = []
        self.fabric = tcp.Tcp(link, self.said.append)
        self.got: list[tuple[int, bytes]] = []
        self.failure: Refused | None = None
        self._body = bytearray()
        self._going = True
        self._thread = threading.Thread(target=self._receive, daemon=True)

    def __enter__(self) -> End:
        self.fabric.open()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._going = False
        self._thread.join()
        self.fabric.close()

    def _place(self, m: Message) -> Sequence[memoryview]:
        self._body = bytearray(m.length)
        whole = memoryview(self._body)
        return [whole[:100], whole[100:]] if m.length > 100 else [whole]

    def _receive(self) -> None:
        try:
            while self._going:
                m = self.fabric.recv(0.05, self._place)
                if m is not None:
                    self.got.append((m.at, bytes(self._body[: m.length])))
        except Refused as e:
            self.failure = e


def until(fact: Callable[[], object], seconds: float = 20.0) -> bool:
    """Wait for a fact."""
    end = time.monotonic() + seconds
    while not fact():
        if time.monotonic() > end:
            return False
        time.sleep(0.005)
    return True


def links(**more: dict[str, str]) -> tuple[Link, Link]:
    port = free_port()
    out = Link("a", OUT, "tcp", 7, connect=f"{HERE}:{port}", peer="far", **more.get("out", {}))
    return out, Link("a", IN, "tcp", 7, listen=f"{HERE}:{port}", **more.get("into", {}))


@pytest.fixture(scope="module")
def pems(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    one, other = tmp_path_factory.mktemp("one"), tmp_path_factory.mktemp("other")
    certificates.authority(one)
    certificates.authority(other)
    return {
        "near": certificates.certificate(one, "near"),
        "far": certificates.certificate(one, "far"),
        "strange": certificates.certificate(other, "strange", one / "ca.pem"),
        "distrusts": {**certificates.certificate(one, "distrusts"), "authority": str(other / "ca.pem")},
    }


@pytest.fixture(params=[False, pytest.param(True, marks=needs_openssl)], ids=["plain", "tls"])
def ends(request: pytest.FixtureRequest) -> Iterator[tuple[End, End]]:
    more = {}
    if request.param:
        pems = request.getfixturevalue("pems")
        more = {"out": pems["near"], "into": pems["far"]}
    out, into = links(**more)
    with End(into) as far, End(out) as near:
        yield near, far


def test_messages_arrive_in_place_both_ways(ends: tuple[End, End]) -> None:
    near, far = ends
    assert until(lambda: near.fabric.up() and far.fabric.up())
    head = encode(message(1, len(BODY)))
    assert near.fabric.send(head, [memoryview(BODY)[:1000], memoryview(BODY)[1000:]])
    assert near.fabric.send(encode(message(2)))
    assert far.fabric.send(encode(message(3, 5)), [memoryview(b"hello")])
    assert until(lambda: len(far.got) == 2 and near.got)
    assert far.got == [(1, BODY), (2, b"")] and near.got == [(3, b"hello")]


def test_both_ways_at_once_do_not_wait_for_each_other(ends: tuple[End, End]) -> None:
    near, far = ends
    assert until(lambda: near.fabric.up() and far.fabric.up())

    def sending(end: End) -> None:
        for n in range(64):
            assert end.fabric.send(encode(message(n, len(BODY))), [memoryview(BODY)])

    threads = [threading.Thread(target=sending, args=(end,)) for end in ends]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert until(lambda: len(near.got) == len(far.got) == 64)
    assert all(body == BODY for _, body in (*near.got, *far.got))


def test_a_connection_comes_back_with_another_number(ends: tuple[End, End]) -> None:
    near, far = ends
    assert until(lambda: near.fabric.up() and far.fabric.up())
    before = near.fabric.up()
    near.fabric.reset()
    assert until(lambda: near.fabric.up() > before)
    assert until(lambda: near.fabric.send(encode(message(9))) and until(lambda: far.got, 0.2))


def test_nothing_is_sent_where_nobody_is() -> None:
    out, _ = links()
    with End(out) as near:
        assert not near.fabric.up() and not near.fabric.send(encode(message(1)))


def test_no_peer_is_told_at_both_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tcp, "NO_PEER_AFTER", 0.2)
    out, into = links()
    for link in (out, into):
        with End(link) as end:
            assert until(lambda end=end: end.said)
        assert {d.code for d in end.said} == {findings.NO_PEER.code} and len(end.said) == 1
        assert link.address in end.said[0].message


def test_who_speaks_another_language_is_told_and_let_go() -> None:
    out, into = links()
    with End(into) as far:
        with socket.create_connection(tcp.split(out.connect)) as stranger:
            stranger.sendall(b"GET / HTTP/1.1\r\n" + bytes(200))
            assert until(lambda: far.said)
        assert far.said[0].code == findings.STRANGER.code
        with End(out) as near:
            assert until(lambda: near.fabric.send(encode(message(1))) and until(lambda: far.got, 0.2))


def test_an_address_that_is_taken_is_a_finding() -> None:
    _, into = links()
    with End(into), pytest.raises(Refused, match=findings.BAD_ADDRESS.code):
        tcp.Tcp(into, print).open()


def test_keys_that_cannot_be_read_are_a_finding(tmp_path: Path) -> None:
    bad = {"certificate": str(tmp_path / "no.pem"), "key": "no.key", "authority": "no.pem"}
    _, into = links(into=bad)
    with pytest.raises(Refused, match=findings.BAD_KEYS.code):
        tcp.Tcp(into, print).open()


@needs_openssl
@pytest.mark.parametrize(("near", "far"), [("strange", "far"), ("near", "distrusts"), ("distrusts", "far")])
def test_a_wrong_certificate_is_a_finding_at_both_ends(pems: dict[str, Any], near: str, far: str) -> None:
    out, into = links(out=pems[near], into=pems[far])
    with End(into) as listening, End(out) as connecting:
        assert until(lambda: connecting.failure and listening.said)
    assert connecting.failure is not None
    assert connecting.failure.diagnostics[0].code == findings.WRONG_CERTIFICATE.code
    assert {d.code for d in listening.said} == {findings.STRANGER.code}


@needs_openssl
def test_a_plain_end_is_not_let_in(pems: dict[str, Any]) -> None:
    out, into = links(into=pems["far"])
    with End(into) as listening, End(out):
        assert until(lambda: listening.said)
    assert listening.said[0].code == findings.STRANGER.code


def test_half_a_message_of_a_broken_connection_is_forgotten() -> None:
    out, into = links()
    with End(into) as far, Relay(tcp.split(into.listen)[1]) as relay:
        with socket.create_connection((HERE, relay.port)) as half:
            half.sendall(encode(message(1, 1000)) + bytes(500))
            assert until(lambda: far.fabric.up())
        with End(out) as near:
            assert until(lambda: near.fabric.send(encode(message(2))) and until(lambda: far.got, 0.2))
    assert {at for at, _ in far.got} == {2}
