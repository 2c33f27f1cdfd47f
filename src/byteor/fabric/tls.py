"""Both sides show certificates of one authority, or the link is not encrypted.

Rule 1. Who may be the other end is said by the authority alone; the name in a certificate is not looked at.
Rule 2. TLS 1.3, nothing older.
"""

from __future__ import annotations

import ssl

from byteor.diag import Refused
from byteor.fabric.findings import BAD_KEYS
from byteor.fabric.link import Link

_TRUST = ("CERT", "UNKNOWN_CA", "ALERT", "WRONG_VERSION")  # in the reasons of failures that are no accident


def context_of(link: Link) -> ssl.SSLContext | None:
    """How a link is encrypted; None where it is not."""
    if not link.secure:
        return None
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER if link.listen else ssl.PROTOCOL_TLS_CLIENT)
    made.minimum_version = ssl.TLSVersion.TLSv1_3
    made.check_hostname = False
    made.verify_mode = ssl.CERT_REQUIRED
    try:
        made.load_cert_chain(link.certificate, link.key)
        made.load_verify_locations(link.authority)
    except OSError as e:
        raise Refused(
            [BAD_KEYS.at(link.role, f"{e.strerror or e}: {link.certificate}, {link.key}, {link.authority}")]
        ) from e
    return made


def is_distrust(e: OSError) -> bool:
    """Whether a connection failed because one side does not trust the other."""
    if isinstance(e, ssl.SSLCertVerificationError):
        return True
    return isinstance(e, ssl.SSLError) and any(word in str(e.reason or e) for word in _TRUST)
