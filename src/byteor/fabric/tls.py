"""Both sides show certificates of one authority, or the link is not encrypted.

Rule 1. Each side takes a certificate that its authority has signed, for now, and for the name it expects there.
Rule 2. A host looks at its own certificate first: what is wrong with that is told where it lies.
Rule 3. TLS 1.3, nothing older.
"""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from ipaddress import ip_address
from typing import Any

from byteor.diag import Diagnostic, Refused
from byteor.fabric.findings import BAD_KEYS, HALF_ENCRYPTED, WRONG_CERTIFICATE, WRONG_NAME
from byteor.fabric.link import Link

RECORD = (b"\x15\x03", b"\x16\x03")  # how an alert and a handshake of TLS begin
_NAMES = (62, 64)  # of OpenSSL, when a certificate is for another host, or another number
_PLAIN = ("WRONG_VERSION_NUMBER", "HTTP_REQUEST", "RECORD_LAYER_FAILURE", "PACKET_LENGTH_TOO_LONG")


def context_of(link: Link) -> ssl.SSLContext | None:
    """How a link is encrypted; None where it is not. Raise with what is wrong with this host's certificate."""
    if not link.secure:
        return None
    fault = own_fault(link.role, link.certificate, link.key, link.own_name)
    if fault is not None:
        raise Refused([fault])
    made = _context(ssl.PROTOCOL_TLS_SERVER if link.listen else ssl.PROTOCOL_TLS_CLIENT, link.certificate, link.key)
    made.check_hostname = bool(link.connect)
    made.verify_mode = ssl.CERT_REQUIRED
    try:
        made.load_verify_locations(link.authority)
    except OSError as e:
        raise Refused([BAD_KEYS.at(link.role, f"{e.strerror or e}: {link.authority}")]) from e
    return made


def _context(protocol: int, certificate: str, key: str) -> ssl.SSLContext:
    made = ssl.SSLContext(protocol)
    made.minimum_version = ssl.TLSVersion.TLSv1_3
    made.hostname_checks_common_name = False
    if certificate:
        made.load_cert_chain(certificate, key)
    return made


# this host's own


def own_fault(path: str, certificate: str, key: str, name: str) -> Diagnostic | None:
    """What is wrong with a host's own certificate: it cannot be used, is not of this time, or names another host.

    It is shown to somebody in the same process, who trusts it, and nobody else.
    """
    try:
        shows, sees = _context(ssl.PROTOCOL_TLS_SERVER, certificate, key), _context(ssl.PROTOCOL_TLS_CLIENT, "", "")
        sees.load_verify_locations(certificate)
    except OSError as e:
        return BAD_KEYS.at(path, f"{e.strerror or e}: {certificate}, {key}")
    sees.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    sees.check_hostname = bool(name)
    try:
        _meet(shows, sees, name)
    except ssl.SSLCertVerificationError as e:
        return _unfit(path, f"`{certificate}` of this host", name, e)
    return None


def _meet(shows: ssl.SSLContext, sees: ssl.SSLContext, name: str) -> None:
    """Let one side show its certificate to the other, in memory."""
    there, back = ssl.MemoryBIO(), ssl.MemoryBIO()
    server = shows.wrap_bio(there, back, server_side=True)
    client = sees.wrap_bio(back, there, server_hostname=name or None)
    waiting = [client, server]
    while waiting:
        try:
            waiting[0].do_handshake()
            waiting.pop(0)
        except ssl.SSLWantReadError:
            waiting.reverse()


# the other end's


def names_of(shown: Mapping[str, Any]) -> tuple[str, ...]:
    """The hosts that a certificate names."""
    return tuple(value.strip() for kind, value in shown.get("subjectAltName", ()) if kind in ("DNS", "IP Address"))


def bears(shown: Mapping[str, Any], name: str) -> bool:
    """Whether a certificate names a host: a number as a number, a name by its letters or behind a `*.`."""
    number = _number(name)
    if number is not None:
        return any(_number(value) == number for value in names_of(shown))
    wild = "*." + name.partition(".")[2]
    return any(value.lower() in (name.lower(), wild.lower()) for value in names_of(shown))


def _number(text: str) -> Any:
    try:
        return ip_address(text)
    except ValueError:
        return None


def fault_of(link: Link, e: OSError) -> Diagnostic | None:
    """What the failure of a connection says of certificates; None where it may be an accident."""
    if isinstance(e, ssl.SSLCertVerificationError):
        return _unfit(link.role, f"the certificate at {link.address}", link.expects, e)
    reason = getattr(e, "reason", None) or ""
    if "ALERT" in reason or "CERT" in reason:
        message = f"{link.address}: {_WORDS.get(reason, _NOT_TAKEN)} ({reason.lower().replace('_', ' ')})"
        return WRONG_CERTIFICATE.at(link.role, message, help=_HELP[WRONG_CERTIFICATE])
    if reason in _PLAIN:
        return one_sided(link)
    return None


_NOT_TAKEN = "the other end does not take the certificate of this host"
_HELP = {
    WRONG_CERTIFICATE: "give both hosts certificates of one authority, which have not expired",
    WRONG_NAME: "name the host of the address in its certificate's subjectAltName",
}
_WORDS = {"PEER_DID_NOT_RETURN_A_CERTIFICATE": "it showed no certificate"}


def one_sided(link: Link, why: str = "") -> Diagnostic:
    """The finding for a link of which only one end is encrypted."""
    other = "is not encrypted, and this one is" if link.secure else "is encrypted, and this one is not"
    message = f"{link.address}: the other end {other}{why}"
    return HALF_ENCRYPTED.at(link.role, message, help="start both hosts with the same placement")


def _unfit(path: str, whose: str, expected: str, e: ssl.SSLCertVerificationError) -> Diagnostic:
    if e.verify_code in _NAMES:
        return WRONG_NAME.at(path, f"{whose} does not name `{expected}`", help=_HELP[WRONG_NAME])
    return WRONG_CERTIFICATE.at(path, f"{whose} is not taken: {e.verify_message}", help=_HELP[WRONG_CERTIFICATE])
