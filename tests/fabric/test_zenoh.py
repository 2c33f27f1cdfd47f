"""The zenoh fabric: messages in place both ways, and what it says where nobody is."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from byteor.diag import Refused
from byteor.fabric import findings
from byteor.fabric import zenoh as fabric
from byteor.fabric.link import Link
from byteor.fabric.messages import DATA, NOTHING, Line, Message, encode
from byteor.testing import certificates
from tests.fabric.ends import links

needs_openssl = pytest.mark.skipif(not certificates.can_make(), reason="openssl is not on this machine")
HEAD = Message(DATA, 0, 5, Line(1, 2, bytes(16)), 3, 4, 5, 1, NOTHING)


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
    crossed(*links("zenoh"))


@needs_openssl
def test_so_they_do_with_certificates(tmp_path: Path) -> None:
    certificates.authority(tmp_path)
    crossed(*links("zenoh", certificates.certificate(tmp_path, "near"), certificates.certificate(tmp_path, "far")))


def test_a_missing_package_is_a_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> None:
        raise ImportError(name)

    monkeypatch.setattr(fabric, "import_module", missing)
    with pytest.raises(Refused, match=findings.NO_ZENOH.code):
        fabric.Zenoh(links("zenoh")[0], print)
