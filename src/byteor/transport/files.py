"""Files that may be regions: opened without trust, made whole before they have a name.

Rule 1. What is judged is the open descriptor, never the name: a name may change its meaning at any time.
Rule 2. A new file gets its name last, by a link, which never replaces what is there.
Rule 3. What the system refuses for a known reason is a finding; any other failure is an OSError with a note.
"""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import stat
import sys
from collections.abc import Callable, Iterable, Iterator

from byteor.diag import Diagnostic, Refused, Rule
from byteor.transport import findings as t

Path = str | os.PathLike[str]
MODE = 0o600
_REASONS: dict[int | None, Rule] = {
    errno.ENOENT: t.MISSING,
    errno.ENOTDIR: t.NO_FOLDER,
    errno.ENAMETOOLONG: t.BAD_PATH,
    errno.EEXIST: t.EXISTS,
    errno.EACCES: t.NO_PERMISSION,
    errno.EPERM: t.NO_PERMISSION,
    errno.EROFS: t.NO_PERMISSION,
    errno.ENOSPC: t.NO_SPACE,
    errno.EDQUOT: t.NO_SPACE,
    errno.EFBIG: t.NO_SPACE,
    errno.ENOMEM: t.NO_SPACE,
    errno.ELOOP: t.SYMLINK,
    errno.EISDIR: t.NOT_A_REGION,
    errno.ENXIO: t.NOT_A_REGION,
}


def located(path: Path) -> str:
    """The path as text, once this system and this path can have a region at all."""
    where = os.fspath(path)
    if sys.platform != "linux":
        raise Refused([t.NOT_LINUX.at(where, f"this is {sys.platform}", help="use `mem`, in one process")])
    if os.path.basename(where) in ("", ".", "..") or not _encodable(where):
        shown = where.encode("ascii", "backslashreplace").decode().replace("\0", "\\0")
        raise Refused([t.BAD_PATH.at(shown, "it does not end in a name that a file can have")])
    return where


def _encodable(text: str) -> bool:
    try:
        return b"\0" not in os.fsencode(text)
    except UnicodeEncodeError:
        return False


@contextlib.contextmanager
def telling(path: str) -> Iterator[None]:
    """Turn what the system refuses inside into a finding, or note the region on the error."""
    try:
        yield
    except OSError as error:
        rule = _REASONS.get(error.errno)
        if rule is t.MISSING and not os.path.isdir(os.path.dirname(path) or "."):
            rule = t.NO_FOLDER
        if rule is None:
            error.add_note(f"while working on the region {path}")
            raise
        raise Refused([rule.at(path, (error.strerror or "no reason given").lower())]) from error


def refuse(found: Iterable[Diagnostic]) -> None:
    """Raise what was found, if anything."""
    if findings := tuple(found):
        raise Refused(findings)


Judge = Callable[[os.stat_result, str], Iterator[Diagnostic]]


def kind(facts: os.stat_result, path: str) -> Iterator[Diagnostic]:
    """Judge what it is."""
    if not stat.S_ISREG(facts.st_mode):
        yield t.NOT_A_REGION.at(path, "it is not an ordinary file")


def owner(facts: os.stat_result, path: str) -> Iterator[Diagnostic]:
    """Judge whose it is."""
    if facts.st_uid != (user := os.geteuid()):
        yield t.WRONG_OWNER.at(path, f"it belongs to user {facts.st_uid}, this is user {user}")


def mode(facts: os.stat_result, path: str) -> Iterator[Diagnostic]:
    """Judge who else may use it."""
    if (found := stat.S_IMODE(facts.st_mode)) != MODE:
        yield t.WRONG_MODE.at(path, f"its permissions are {found:04o}, not {MODE:04o}")


TRUSTED: tuple[Judge, ...] = (owner, mode)


@contextlib.contextmanager
def opened(path: str, access: int, judges: tuple[Judge, ...] = TRUSTED) -> Iterator[int]:
    """Open an ordinary file that passes these judges; give its descriptor for as long as the block lasts."""
    # O_NONBLOCK: to open a pipe must not wait for its other end.
    flags = access | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
    with telling(path):
        fd = os.open(path, flags)
    try:
        facts = os.fstat(fd)
        refuse(kind(facts, path))
        refuse(judged(facts, path, judges))
        yield fd
    finally:
        os.close(fd)


def judged(facts: os.stat_result, path: str, judges: tuple[Judge, ...] = TRUSTED) -> Iterator[Diagnostic]:
    """What these judges find wrong with a file before its first byte is read."""
    return (found for judge in judges for found in judge(facts, path))


def again(fd: int, access: int) -> int:
    """Open the very file of a descriptor anew: a description of its own, whatever the name leads to by now."""
    try:
        return os.open(f"/proc/self/fd/{fd}", access | os.O_CLOEXEC)
    except FileNotFoundError as error:
        raise OSError(errno.ENOSYS, "this needs /proc, which is not mounted") from error


@contextlib.contextmanager
def made(path: str, size: int) -> Iterator[int]:
    """Allocate a nameless file; when the block ends well it gets its name, else nothing stays."""
    if os.path.lexists(path):
        raise Refused([t.EXISTS.at(path, "the name is taken")])
    with contextlib.ExitStack() as end:
        with telling(path):
            folder = os.open(os.path.dirname(path) or ".", os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
            end.callback(os.close, folder)
            fd, source = _nameless(folder, end)
            end.callback(os.close, fd)
            os.fchmod(fd, MODE)  # the process's mask may have taken bits away
            os.posix_fallocate(fd, 0, size)
        yield fd
        with telling(path):
            os.link(source, os.path.basename(path), src_dir_fd=folder, dst_dir_fd=folder, follow_symlinks=True)


_NO_TMPFILE = (errno.EOPNOTSUPP, errno.EISDIR, errno.EINVAL)


def _nameless(folder: int, end: contextlib.ExitStack) -> tuple[int, str]:
    """A new file in `folder` and what to link it from; where the file system must name it, `end` unnames it."""
    flags = os.O_RDWR | os.O_CLOEXEC
    try:
        fd = os.open(".", flags | os.O_TMPFILE, MODE, dir_fd=folder)
        return fd, f"/proc/self/fd/{fd}"  # what a name-giving link may start from
    except OSError as error:
        if error.errno not in _NO_TMPFILE:
            raise
    name = f".byteor-{secrets.token_hex(8)}.tmp"
    fd = os.open(name, flags | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, MODE, dir_fd=folder)
    end.callback(os.unlink, name, dir_fd=folder)
    return fd, name
