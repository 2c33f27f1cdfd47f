"""What the tests of regions share: one small region, children that answer, a wait for a lock."""

from __future__ import annotations

import fcntl
import os
import struct
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from byteor.diag import Refused
from byteor.transport import regions
from byteor.transport.header import Header, Wanted

KIND, BYTES, GENERATION = 128, 4096, 77
HEADER = Header(kind=KIND, layout_bytes=BYTES, capabilities=1, layout_hash=b"l" * 16, schema_hash=b"s" * 16)
WANTED = Wanted(kind=KIND, required=1, layout_hash=b"l" * 16, schema_hash=b"s" * 16)
NOBODY = 65534
OTHER = 99  # a child's status for what it did not expect
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only the superuser can become another user")


def fill(memory: Any) -> None:
    """Write a pattern behind the header."""
    memory[64:] = 7


def make(path: Path | str, header: Header = HEADER) -> None:
    """Create a region and let go of it."""
    regions.create(path, header, fill).close()


def code_of(work: Callable[[], object]) -> str:
    """The one code with which `work` is refused."""
    with pytest.raises(Refused) as caught:
        work()
    (finding,) = caught.value.diagnostics
    return finding.code


def forked(work: Callable[[], object]) -> int:
    """The pid of a child that does `work`: status 0, the number of the code of its refusal, or OTHER."""
    pid = os.fork()
    if pid:
        return pid
    status = OTHER
    try:
        work()
        status = 0
    except Refused as refused:
        status = int(refused.diagnostics[0].code[1:])
    except BaseException:
        traceback.print_exc()
        raise
    finally:
        os._exit(status)


def status_of(pid: int) -> int:
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def in_child(work: Callable[[], object]) -> int:
    """Do `work` in a child to its end; its status."""
    return status_of(forked(work))


def as_nobody(work: Callable[[], object]) -> Callable[[], object]:
    """The same work as a user without rights."""

    def lowered() -> None:
        os.seteuid(NOBODY)
        work()

    return lowered


def wait_free(path: Path | str, offset: int) -> None:
    """Block until the byte is free, whoever frees it."""
    fd = os.open(path, os.O_RDWR)
    fcntl.fcntl(fd, fcntl.F_OFD_SETLKW, struct.pack("hhqqi4x", fcntl.F_WRLCK, os.SEEK_SET, offset, 1, 0))  # type: ignore[attr-defined]
    os.close(fd)
