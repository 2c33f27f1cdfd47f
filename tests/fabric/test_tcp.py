"""The TCP fabric: messages in place, connections that come and go, and who is not let in."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator

import pytest

from byteor.diag import Refused
from byteor.fabric import findings, silence, tcp
from byteor.fabric.messages import DATA, NOTHING, PROBE, Line, Message, encode
from byteor.fabric.probe import split
from byteor.testing import certificates
from byteor.testing.link_runs import HERE
from byteor.testing.relay import Relay
from tests.fabric.ends import End, links, pems_in, until

LINE = Line(1, 2, bytes(16))
BODY = bytes(range(256)) * 1024
needs_openssl = pytest.mark.skipif(not certificates.can_make(), reason="openssl is not on this machine")


def message(n: int, length: int = 0) -> Message:
    return Message(DATA if length else PROBE, 0, length, LINE, 3, 4, n, 0, NOTHING)


@pytest.fixture(params=[False, pytest.param(True, marks=needs_openssl)], ids=["plain", "tls"])
def ends(request: pytest.FixtureRequest) -> Iterator[tuple[End, End]]:
    more: dict[str, dict[str, str]] = {}
    if request.param:
        pems = pems_in(request.getfixturevalue("tmp_path"))
        more = {"near": pems["near"], "far": pems["far"]}
    out, into = links("tcp", **more)
    with End(tcp.Tcp, into) as far, End(tcp.Tcp, out) as near:
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
    out, _ = links("tcp")
    with End(tcp.Tcp, out) as near:
        assert not near.fabric.up() and not near.fabric.send(encode(message(1)))


def test_no_peer_is_told_at_both_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(silence, "NO_PEER_AFTER", 0.2)
    out, into = links("tcp")
    for link in (out, into):
        with End(tcp.Tcp, link) as end:
            assert until(lambda end=end: end.said)
        assert {d.code for d in end.said} == {findings.NO_PEER.code} and len(end.said) == 1
        assert link.address in end.said[0].message


def test_who_speaks_another_language_is_told_and_let_go() -> None:
    out, into = links("tcp")
    with End(tcp.Tcp, into) as far:
        with socket.create_connection(split(out.connect)) as stranger:
            stranger.sendall(b"GET / HTTP/1.1\r\n" + bytes(200))
            assert until(lambda: far.said)
        assert far.said[0].code == findings.STRANGER.code
        with End(tcp.Tcp, out) as near:
            assert until(lambda: near.fabric.send(encode(message(1))) and until(lambda: far.got, 0.2))


def test_an_address_that_is_taken_is_a_finding() -> None:
    _, into = links("tcp")
    with End(tcp.Tcp, into), pytest.raises(Refused, match=findings.BAD_ADDRESS.code):
        tcp.Tcp(into, print).open()


def test_half_a_message_of_a_broken_connection_is_forgotten() -> None:
    out, into = links("tcp")
    with End(tcp.Tcp, into) as far, Relay(split(into.listen)[1]) as relay:
        with socket.create_connection((HERE, relay.port)) as half:
            half.sendall(encode(message(1, 1000)) + bytes(500))
            assert until(lambda: far.fabric.up())
        with End(tcp.Tcp, out) as near:
            assert until(lambda: near.fabric.send(encode(message(2))) and until(lambda: far.got, 0.2))
    assert {at for at, _ in far.got} == {2}
