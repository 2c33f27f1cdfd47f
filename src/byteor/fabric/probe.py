"""Why nobody answers at an address: asked by a connection of our own, which says nothing and is closed again.

Rule 1. Whoever listens there is shown this host's certificate, as a link would; so both sides judge as they will.
Rule 2. What only may be a matter of certificates is told as a warning: those of a wrong certificate end a link.
"""

from __future__ import annotations

import socket
import ssl
import time

from byteor.diag import Diagnostic
from byteor.fabric.link import Link
from byteor.fabric.tls import fault_of, one_sided

CONNECTING = 1.0  # seconds that a connection may take
GREETING = 2.0  # and the certificate of the other side
REFUSAL = 0.5  # and its word that it does not take this one's
LEAST = 0.05  # of any of them
CLOSED_EARLY = ", or it closes connections before it shows a certificate"


def probe(link: Link, context: ssl.SSLContext | None, seconds: float) -> Diagnostic | str:
    """A finding about the certificates at the address that a link connects to, or words for what else is wrong."""
    until = time.monotonic() + seconds
    try:
        end = socket.create_connection(split(link.connect), _left(until, CONNECTING))
    except OSError as e:
        return str(e)
    with end:
        end.settimeout(_left(until, GREETING))
        return _unencrypted(link, end) if context is None else _encrypted(link, context, end, until)


def _left(until: float, most: float) -> float:
    return min(most, max(until - time.monotonic(), LEAST))


def _encrypted(link: Link, context: ssl.SSLContext, end: socket.socket, until: float) -> Diagnostic | str:
    try:
        secured = context.wrap_socket(end, server_hostname=link.expects)
    except OSError as e:
        return fault_of(link, e) or one_sided(link, CLOSED_EARLY)
    with secured:
        try:
            secured.settimeout(_left(until, REFUSAL))
            secured.recv(1)
        except OSError as e:
            return fault_of(link, e) or "somebody is there, whose certificate is good"
    return "somebody is there, whose certificate is good, and closes the connection"


def _unencrypted(link: Link, end: socket.socket) -> Diagnostic | str:
    """Whoever answers a greeting of TLS in kind is encrypted."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    try:
        context.wrap_socket(end).close()
    except OSError as e:
        return one_sided(link) if "ALERT" in (getattr(e, "reason", None) or "") else "somebody is there, and is silent"
    return one_sided(link)


def split(address: str) -> tuple[str, int]:
    """Host and port of an address."""
    host, _, port = address.rpartition(":")
    return host.strip("[]"), int(port)
