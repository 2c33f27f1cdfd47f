"""Files and streams as blocks of bytes in, and as outputs that appear only when complete.

Rule 1. `-` is stdin or stdout; neither is closed here.
Rule 2. A regular file is written beside its final name and renamed over it at `finish`; a pipe or device as it is.
Rule 3. What refuses before the first byte is a finding; what fails later is `OSError` with the path in a note.
"""

from __future__ import annotations

import contextlib
import os
import stat
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import IO, BinaryIO

from byteor import diag
from byteor.edges import findings

BLOCK = 256 << 10
ROW_LIMIT = 64 << 20
STREAM = "-"


def refused(rule: diag.Rule, name: str, where: str, message: str, help: str = "") -> diag.Refused:
    """Make the refusal of a whole input or output."""
    return diag.Refused([rule.at(name, message, help=help)], diag.Source(where))


def check_input(name: str, where: str) -> None:
    """Refuse what is not there, is a folder, or may not be read."""
    if where == STREAM:
        return
    path = Path(where)
    if not path.exists():
        raise refused(findings.NO_FILE, name, where, f"`{where}` does not exist")
    if path.is_dir():
        raise refused(findings.NOT_A_FILE, name, where, f"`{where}` is a folder", "name a file in it")
    if not os.access(path, os.R_OK, effective_ids=os.access in os.supports_effective_ids):
        raise refused(findings.NOT_READABLE, name, where, f"`{where}` may not be read by this user")


def rereadable(where: str) -> bool:
    """Tell whether the input can be read again from its start."""
    return where != STREAM and Path(where).is_file()


@contextlib.contextmanager
def opened(where: str) -> Iterator[IO[bytes]]:
    """Open an input for reading; stdin stays open."""
    if where == STREAM:
        yield sys.stdin.buffer
    else:
        with open(where, "rb") as file:
            yield file


def blocks(file: IO[bytes], where: str, size: int = BLOCK) -> Iterator[bytes]:
    """Read what is there, at most `size` bytes at a time; a slow pipe gives small blocks at once."""
    read = getattr(file, "read1", None) or file.read
    with noted(where):
        while block := read(size):
            yield block


@contextlib.contextmanager
def noted(where: str) -> Iterator[None]:
    """Name the file in an error of the outside world."""
    try:
        yield
    except OSError as error:
        error.add_note(f"at `{where}`")
        raise


class Output:
    """One output of bytes: `file` takes them, `finish` gives it its name, `abort` leaves nothing."""

    def __init__(self, name: str, where: str) -> None:
        self.where = where
        self._final: Path | None = None
        self._temporary: Path | None = None
        self.file: BinaryIO
        if where == STREAM:
            self.file = sys.stdout.buffer
            return
        path = Path(os.path.realpath(where))
        check_output(name, where, path)
        try:
            self._open(path)
        except OSError as error:
            raise refused(findings.NOT_WRITABLE, name, where, f"`{where}` cannot be written") from error

    def _open(self, path: Path) -> None:
        if path.exists() and not stat.S_ISREG(path.stat().st_mode):
            self.file = open(path, "wb")
            return
        temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
        self.file = open(temporary, "w+b")
        self._final, self._temporary = path, temporary

    @contextlib.contextmanager
    def beginning(self) -> Iterator[None]:
        """Leave nothing behind when what every such file begins with cannot be written."""
        try:
            yield
        except BaseException:
            self.abort()
            raise

    def write(self, data: bytes | memoryview) -> None:
        """Append bytes; on a stream they leave at once."""
        with noted(self.where):
            self.file.write(data)
            if self._temporary is None:
                self.file.flush()

    def finish(self) -> None:
        """Close the file and rename it into place."""
        with noted(self.where):
            if self.where == STREAM:
                self.file.flush()
                return
            self.file.close()
            if self._temporary is not None and self._final is not None:
                os.replace(self._temporary, self._final)
                self._temporary = None

    def abort(self) -> None:
        """Remove the temporary file; a stream keeps what it was given."""
        if self.where != STREAM:
            with contextlib.suppress(OSError):  # a full disk may refuse the last flush; the file goes away anyhow
                self.file.close()
        if self._temporary is not None:
            self._temporary.unlink(missing_ok=True)
            self._temporary = None


def check_output(name: str, where: str, path: Path) -> None:
    """Refuse what is a folder, or has none."""
    if path.is_dir():
        raise refused(findings.NOT_A_FILE, name, where, f"`{where}` is a folder", "name a file in it")
    if not path.parent.is_dir():
        help = f"make the folder `{Path(where).parent}` first"
        raise refused(findings.NOT_WRITABLE, name, where, f"the folder of `{where}` does not exist", help)
