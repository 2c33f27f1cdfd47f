"""An output that can be taken back: packed records in a hidden file, which becomes the file asked for at the end.

Rule 1. A record's place in the spool is its number. A successor opens it at the number that was committed; what
    lies behind that was never committed, and is cut off.
Rule 2. `convert` writes the file from the spool, under a hidden name, and `finish` renames it. Killed anywhere and
    both done again, they give the same file.
Rule 3. The spool stays until `leave` after a finish, so that one who is killed before it is known to be finished is
    followed by one who can finish again. `clear` removes what such a death left.
Rule 4. All names are the plant's own, by its token: two plants beside each other do not meet.

    outlet = Spooled(egress, message, "out.parquet", token)     # or a finding: E006, E028
    outlet.open(written); outlet.write(records); outlet.convert(); outlet.finish()
    outlet.leave()
    clear("out.parquet", token)                                  # when the plant is removed
"""

from __future__ import annotations

import contextlib
import errno
import glob
import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from byteor import diag
from byteor.edges import files, findings
from byteor.edges.contract import BATCH
from byteor.edges.open import PYTHON, format_of, open_sink
from byteor.edges.raw import packed
from byteor.edges.resume import ON_FAILURE
from byteor.exec.schema import dtype
from byteor.spec.model import Egress, MessageType

SUFFIX = ".spool"
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def can_be_exact(where: str) -> bool:
    """Whether an output is a file, which has one name at the end, and none before."""
    if where == files.STREAM or where.startswith(PYTHON):
        return False
    path = Path(os.path.realpath(where))
    return path.is_dir() or path.is_file() or not path.exists()  # a folder is refused as such


def judge_output(name: str, where: str, restart: str) -> tuple[diag.Diagnostic, ...]:
    """What speaks against restarting the egress `name`."""
    if restart != ON_FAILURE or can_be_exact(where):
        return ()
    message = f"`{where}` cannot be taken back, and `{name}` is to be restarted"
    return (findings.NOT_EXACT.at(name, message, help=f'set `restart = "never"` for `{name}`, or give it a file'),)


class Spool:
    """The hidden file: `length` is how many records it holds."""

    def __init__(self, name: str, message: MessageType, where: str, path: Path) -> None:
        self.name, self.where, self.path = name, where, path
        self.length = 0
        self._dtype = dtype(message)
        self._fd = -1

    def open(self, length: int) -> None:
        """Open it with its first `length` records, and none behind them."""
        try:
            self._fd = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise files.refused(
                findings.NOT_WRITABLE, self.name, self.where, f"`{self.where}` cannot be written"
            ) from error
        there = os.fstat(self._fd).st_size // self._dtype.itemsize
        if there < length:
            self.close()
            message = f"{there} records are kept for `{self.where}`, where {length} were committed"
            raise files.refused(findings.SPOOL_CUT, self.name, self.where, message)
        self.truncate(length)

    def truncate(self, length: int) -> None:
        """Cut off what lies behind the first `length` records."""
        with files.noted(self.where):
            os.ftruncate(self._fd, length * self._dtype.itemsize)
        self.length = length

    def append(self, rows: np.ndarray) -> None:
        """Write rows behind the last one; they are written when this returns."""
        left = packed(rows, self._dtype).view(np.uint8).data
        at = self.length * self._dtype.itemsize
        with self.telling():
            while left:
                done = os.pwrite(self._fd, left, at)
                left, at = left[done:], at + done
        self.length += len(rows)

    @contextlib.contextmanager
    def telling(self) -> Iterator[None]:
        """Refuse, where there is no room; name the file in other errors of the outside world."""
        try:
            with files.noted(self.where):
                yield
        except OSError as error:
            if error.errno not in FULL:
                raise
            raise files.refused(
                findings.NO_ROOM, self.name, self.where, f"there is no room for `{self.where}`"
            ) from error

    def batches(self, rows: int = BATCH) -> Iterator[np.ndarray]:
        """All records, some at a time."""
        size = self._dtype.itemsize
        with files.noted(self.where):
            for start in range(0, self.length, rows):
                data = os.pread(self._fd, min(rows, self.length - start) * size, start * size)
                yield np.frombuffer(data, self._dtype)

    def close(self) -> None:
        """Let go of the file, and leave it."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def remove(self) -> None:
        """Take the file away."""
        self.close()
        self.path.unlink(missing_ok=True)


class Spooled:
    """An output of a role that may be restarted."""

    def __init__(self, egress: Egress, message: MessageType, where: str, token: str, format: str | None = None) -> None:
        if not can_be_exact(where):
            raise diag.Refused(judge_output(egress.name, where, ON_FAILURE))
        self._egress, self._message, self.where = egress, message, where
        self._format = format_of(egress.name, where, format, egress.format)
        self._final = Path(os.path.realpath(where))
        files.check_output(egress.name, where, self._final)
        self._hidden = _hidden(self._final, token)
        self.spool = Spool(egress.name, message, where, _spool(self._final, token))
        self._finished = False

    def check(self) -> None:
        """Refuse what the format or the folder refuses, and leave nothing."""
        try:
            open_sink(self._egress, self._message, self._hidden, format=self._format).abort()
        except diag.Refused as refused:
            raise self._placed(refused) from refused

    def _placed(self, refused: diag.Refused) -> diag.Refused:
        """The same refusal, of the file that the user named."""
        found = [
            d.rule.at(d.path, d.message.replace(str(self._hidden), self.where), d.related, d.help)
            for d in refused.diagnostics
        ]
        return diag.Refused(found, diag.Source(self.where))

    def open(self, written: int) -> None:
        """Begin, or go on behind the first `written` records."""
        self.spool.open(written)

    def write(self, records: np.ndarray) -> None:
        self.spool.append(records)

    def convert(self) -> None:
        """Make the file of the spool, under its hidden name."""
        _clear_parts(self._hidden)
        sink = open_sink(self._egress, self._message, self._hidden, format=self._format)
        try:
            with self.spool.telling():
                for rows in self.spool.batches():
                    sink.write(rows)
                sink.finish()
        except diag.Refused as refused:
            sink.abort()
            raise self._placed(refused) from refused
        except BaseException:
            sink.abort()
            raise

    def finish(self) -> None:
        """Give the file that was made its name."""
        with files.noted(self.where):
            os.replace(self._hidden, self._final)
        self._finished = True

    def leave(self) -> None:
        """Let go; the spool goes with it if the output is complete."""
        if self._finished:
            self.spool.remove()
        else:
            self.spool.close()


def clear(where: str, token: str) -> None:
    """Remove what a plant left beside an output: only for a plant that is over."""
    if can_be_exact(where):
        final = Path(os.path.realpath(where))
        hidden = _hidden(final, token)
        _clear_parts(hidden)
        hidden.unlink(missing_ok=True)
        _spool(final, token).unlink(missing_ok=True)


def _spool(final: Path, token: str) -> Path:
    return final.with_name(f".{final.name}.{token}{SUFFIX}")


def _hidden(final: Path, token: str) -> Path:
    return final.with_name(f".{final.stem}.{token}{final.suffix}")


def _clear_parts(hidden: Path) -> None:
    """Remove the parts of a file of this plant alone, whose writer was killed."""
    for part in hidden.parent.glob(f".{glob.escape(hidden.name)}.*.part"):
        part.unlink(missing_ok=True)
