"""Ends of links for tests of fabrics: what one gets and says, strangers without a link, and certificates."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from byteor.diag import Diagnostic, Refused
from byteor.fabric.contract import Fabric, Say
from byteor.fabric.link import IN, OUT, Link
from byteor.fabric.messages import Message
from byteor.testing import certificates
from byteor.testing.link_runs import HERE, free_port

Pems = Mapping[str, dict[str, str]]


class End:
    """One end, which receives in a thread; what it got and said."""

    def __init__(self, fabric: Callable[[Link, Say], Fabric], link: Link) -> None:
        self.said: list[Diagnostic] = []
        self.fabric: Any = fabric(link, self.said.append)
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

    @property
    def codes(self) -> list[str]:
        """The codes of all that it said, and of what it ended with."""
        return [d.code for d in (*self.said, *(self.failure.diagnostics if self.failure else ()))]

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


def links(fabric: str, near: Mapping[str, str] = {}, far: Mapping[str, str] = {}) -> tuple[Link, Link]:
    """Both ends of a link, which the far one awaits."""
    port = free_port()
    out = Link("a", OUT, fabric, 7, connect=f"{HERE}:{port}", peer="far", **near)
    return out, Link("a", IN, fabric, 7, listen=f"{HERE}:{port}", **far)


def pems_in(folder: Path) -> Pems:
    """Certificates of two authorities: good ones, and one for each thing that can be wrong."""
    one, other = folder / "one", folder / "other"
    certificates.authority(one)
    certificates.authority(other)
    return {
        "near": certificates.certificate(one, "near"),
        "far": certificates.certificate(one, "far"),
        "strange": certificates.certificate(other, "strange", one / "ca.pem"),
        "distrusts": {**certificates.certificate(one, "distrusts"), "authority": str(other / "ca.pem")},
        "expired": certificates.certificate(one, "expired", days=-1),
        "elsewhere": certificates.certificate(one, "elsewhere", hosts=("elsewhere", "10.0.0.9")),
    }


@contextlib.contextmanager
def listening(link: Link, pem: Mapping[str, str], answer: bytes = b"") -> Iterator[None]:
    """Somebody at the address of a link who shows a certificate without looking at it; without one, who answers so."""
    context = None
    if pem:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(pem["certificate"], pem["key"])
    host, _, port = link.connect.rpartition(":")
    with socket.create_server((host, int(port))) as server:
        server.settimeout(0.05)
        going = [True]
        thread = threading.Thread(target=_listen, args=(server, context, answer, going), daemon=True)
        thread.start()
        yield
        going.clear()
        thread.join()


def _listen(server: socket.socket, context: ssl.SSLContext | None, answer: bytes, going: list[bool]) -> None:
    while going:
        with contextlib.suppress(OSError):
            end, _ = server.accept()
            with end:
                end.settimeout(2.0)
                if context is None:
                    end.recv(1000)
                    end.sendall(answer)
                else:
                    with context.wrap_socket(end, server_side=True) as secured:
                        secured.recv(1)


def greeted(link: Link, pem: Mapping[str, str], trusts: str) -> str:
    """Connect to an end with a certificate, or with none; what is said of that."""
    context = ssl.create_default_context(cafile=trusts)
    if pem:
        context.load_cert_chain(pem["certificate"], pem["key"])
    host, _, port = link.connect.rpartition(":")
    with socket.create_connection((host, int(port))) as end, context.wrap_socket(end, server_hostname=host) as secured:
        try:
            return "closed" if secured.recv(1) == b"" else "open"
        except OSError as e:
            return str(e)
