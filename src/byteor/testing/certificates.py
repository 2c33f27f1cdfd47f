"""Certificates for tests of links: an authority, and one for each host, made by the `openssl` of this machine."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Sequence
from ipaddress import ip_address
from pathlib import Path

LOOPBACK = ("localhost", "127.0.0.1")
KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")


def can_make() -> bool:
    """Whether certificates can be made here."""
    return shutil.which("openssl") is not None


def authority(folder: Path) -> Path:
    """Make an authority in a folder; answer with its certificate."""
    folder.mkdir(parents=True, exist_ok=True)
    _openssl(
        folder, "req", "-x509", *KEY, "-keyout", "ca.key", "-out", "ca.pem", "-days", "2", "-subj", "/CN=authority"
    )
    return folder / "ca.pem"


def certificate(
    folder: Path, name: str, trusts: Path | None = None, hosts: Sequence[str] = LOOPBACK, days: int = 2
) -> dict[str, str]:
    """Make a certificate of the authority in a folder; what a link is given: it, its key, and whom it trusts.

    It names `hosts`, names and numbers alike; with -1 for `days` it expired yesterday.
    """
    _openssl(folder, "req", *KEY, "-keyout", f"{name}.key", "-out", f"{name}.csr", "-subj", f"/CN={name}")
    names = folder / "names"
    names.write_text(f"subjectAltName={','.join(map(_named, hosts))}\n")
    _openssl(
        *(folder, "x509", "-req", "-in", f"{name}.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial"),
        *("-out", f"{name}.pem", "-days", str(days), "-extfile", "names"),
    )
    return {
        "certificate": str(folder / f"{name}.pem"),
        "key": str(folder / f"{name}.key"),
        "authority": str(trusts or folder / "ca.pem"),
    }


def _named(host: str) -> str:
    """A host as a certificate names it."""
    try:
        return f"IP:{ip_address(host)}"
    except ValueError:
        return f"DNS:{host}"


def _openssl(folder: Path, *args: str) -> None:
    subprocess.run(["openssl", *args], cwd=folder, check=True, capture_output=True)
