"""The zenoh fabric: messages in place both ways, and what it says where nobody is."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from byteor.diag import Diagnostic, Refused
from byteor.fabric import findings
from byteor.fabric import zenoh as fabric
from byteor.fabric.link import IN, OUT, Link
from byteor.fabric.messages import DATA, NOTHING, Line, Message, encode
from byteor.testing import certificates
from byteor.testing.link_runs import HERE, free_port

needs_openssl = pytest.mark.skipif(not certificates.can_make(), reason="openssl is not on this machine")
HEAD = Message(DATA, 0, 5, Line(1, 2, bytes(16)), 3, 4, 5, 1, NOTHING)


def links(near: dict[str, str], far: dict[str, str]) -> tuple[Link, Link]:
    port = free_port()
    out = Link("a", OUT, "zenoh", 7, connect=f"{HERE}:{port}", **near)
    return out, Link("a", IN, "zenoh", 7, listen=f"{HERE}:{port}", **far)


def meet(near: fabric.Zenoh, far: fabric.Zenoh, met: Callable[[], object], seconds: float) -> bool:
    until = time.monotonic() + seconds
    while not met() and time.monotonic() < until:
        near.recv(0.01, lambda m: ())
        far.recv(0.01, lambda m: ())
    return bool(met())


def crossed(out: Link, into: Link) -> None:
    pytest.importorskip("zenoh")
    near, far = fabric.Zenoh(out, print), fabric.Zenoh(into, print)
    far.open()
    near.open()
    try:
        assert meet(near, far, lambda: near.up() and far.up(), 30)
        for sender, receiver in ((near, far), (far, near)):
            memory = bytearray(5)

            def place(m: Message, memory: bytearray = memory) -> Sequence[memoryview]:
                return [memoryview(memory)[:2], memoryview(memory)[2:]]

            assert sender.send(encode(HEAD), [memoryview(b"he"), memoryview(b"llo")])
            assert receiver.recv(20, place) == HEAD and memory == b"hello"
    finally:
        near.close()
        far.close()


def test_messages_arrive_in_place_both_ways() -> None:
    crossed(*links({}, {}))


@needs_openssl
def test_so_they_do_with_certificates(tmp_path: Path) -> None:
    certificates.authority(tmp_path)
    crossed(*links(certificates.certificate(tmp_path, "near"), certificates.certificate(tmp_path, "far")))


@needs_openssl
def test_a_wrong_certificate_is_never_silent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("zenoh")
    monkeypatch.setattr(fabric, "NO_PEER_AFTER", 1.0)
    certificates.authority(tmp_path / "one")
    certificates.authority(tmp_path / "other")
    trusted = certificates.certificate(tmp_path / "one", "far")
    strange = certificates.certificate(tmp_path / "other", "near", tmp_path / "one" / "ca.pem")
    out, into = links(strange, trusted)
    said: list[Diagnostic] = []
    near, far = fabric.Zenoh(out, said.append), fabric.Zenoh(into, said.append)
    far.open()
    near.open()
    try:
        assert meet(near, far, lambda: len(said) == 2, 30)
        assert {d.code for d in said} == {findings.NO_PEER.code} and not near.up()
        assert not near.send(encode(HEAD), [memoryview(b"hello")])
    finally:
        near.close()
        far.close()


def test_a_missing_package_is_a_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> None:
        raise ImportError(name)

    monkeypatch.setattr(fabric, "import_module", missing)
    with pytest.raises(Refused, match=findings.NO_ZENOH.code):
        fabric.Zenoh(links({}, {})[0], print)
