"""What a browser runs, as a wheel: the very files of this package, no others and no copies.

Rule 1. The same files give the same bytes, on every machine and Python: nothing is compressed, no time is kept.
Rule 2. Of layers that a browser has no use for, only the tables of findings go in: `explain` knows every code.
"""

from __future__ import annotations

import base64
import hashlib
import io
import zipfile
from collections.abc import Iterator
from pathlib import Path

from byteor import answers

PACKAGE = Path(__file__).parent.parent
WHOLE = ("spec", "plan", "lower", "place", "views", "answers")
FILES = ("__init__.py", "py.typed", "diag.py", "web/__init__.py", "web/boundary.py")
NAME = "byteor.whl"
_EPOCH = (1980, 1, 1, 0, 0, 0)


def members() -> Iterator[str]:
    """The files that go in, relative to the package."""
    found = {*FILES}
    for layer in WHOLE:
        found.update(path.relative_to(PACKAGE).as_posix() for path in (PACKAGE / layer).glob("*.py"))
    for path in PACKAGE.glob("*/findings.py"):
        found |= {f"{path.parent.name}/findings.py", f"{path.parent.name}/__init__.py"}
    yield from sorted(found)


def wheel() -> bytes:
    """Make the wheel."""
    version = answers.version()["byteor"]
    about = f"byteor-{version}.dist-info"
    files = {f"byteor/{name}": (PACKAGE / name).read_bytes() for name in members()}
    files[f"{about}/METADATA"] = f"Metadata-Version: 2.1\nName: byteor\nVersion: {version}\n".encode()
    files[f"{about}/WHEEL"] = b"Wheel-Version: 1.0\nGenerator: byteor\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    files[f"{about}/RECORD"] = _record(files, f"{about}/RECORD")
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as made:
        for name, data in files.items():
            made.writestr(zipfile.ZipInfo(name, _EPOCH), data)
    return out.getvalue()


def _record(files: dict[str, bytes], own: str) -> bytes:
    rows = []
    for name, data in files.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
        rows.append(f"{name},sha256={digest},{len(data)}\n")
    return "".join([*rows, f"{own},,\n"]).encode()
