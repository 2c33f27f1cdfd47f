"""`byteor doctor`: what this machine offers, and what follows from it.

Rule 1. Every line is asked of the machine itself, and none needs what another line may find missing.
Rule 2. A warning says what will be slower or not there; nothing that is asked changes anything.
"""

from __future__ import annotations

import ctypes
import importlib.metadata
import importlib.util
import os
import platform
import shutil
import struct
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import byteor
from byteor.cli import output
from byteor.cli.output import Json

OK, WARN = "ok", "warn"
NEEDED = ("numpy", "numba", "llvmlite")
FUTEX_CALL = {"x86_64": 202, "aarch64": 98}
FUTEX_WAKE = 1
OFD_SETLK = 37  # Linux's number; `fcntl` names it only where the headers of its build did
SMALL_SHM = 256 << 20
SYS = Path("/sys")


@dataclass(frozen=True, slots=True)
class Line:
    """One fact: its name, what was found, how it is judged, and what follows from it."""

    name: str
    status: str
    value: str
    follows: str = ""


def _versions() -> Iterator[Line]:
    python = f"{platform.python_implementation()} {platform.python_version()}"
    yield Line("python", OK, f"{python}, {platform.machine()}, {platform.system()}")
    yield Line("byteor", OK, byteor.__version__)
    for name in (*NEEDED, "pyarrow"):
        if importlib.util.find_spec(name):
            yield Line(name, OK, importlib.metadata.version(name))
        elif name in NEEDED:
            yield Line(name, WARN, "missing", f"nothing runs: pip install {name}")
        else:
            yield Line(name, WARN, "missing", "no CSV, Parquet or Arrow files: pip install 'byteor[arrow]'")


def _cores() -> Line:
    whole = os.cpu_count() or 1
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else whole
    value = f"{usable} of {whole} usable"
    if usable < 2:
        return Line("cores", WARN, value, "stages take turns; `spin` and `yield` would burn the one core")
    return Line("cores", OK, value, f"up to {usable} runners side by side; with more, keep `backoff` or `block`")


def _shm() -> Line:
    folder = Path("/dev/shm")
    if not folder.is_dir():
        return Line("shared memory", WARN, "no /dev/shm", "regions would lie in ordinary files")
    usage = shutil.disk_usage(folder)
    value = f"{_size(usage.free)} of {_size(usage.total)} free"
    if usage.free < SMALL_SHM:
        return Line("shared memory", WARN, value, "large rings in shared memory do not fit; make /dev/shm larger")
    return Line("shared memory", OK, value)


def _size(count: float) -> str:
    return f"{count / 2**30:.1f} GiB" if count >= 2**30 else f"{count / 2**20:.1f} MiB"


def _cache() -> Line:
    """The folder of compiled loops: how much is in it, and whether more can be kept."""
    if not importlib.util.find_spec("numba"):
        return Line("compile cache", WARN, "unknown", "numba is missing")
    from byteor.kernel.cache import folder

    where = folder()
    files = [path for path in where.rglob("*") if path.is_file()] if where.is_dir() else []
    value = f"{where}, {len(files)} files, {_size(sum(path.stat().st_size for path in files))}"
    if not _writable(where):
        return Line("compile cache", WARN, value, "every run compiles anew; set BYTEOR_CACHE to a folder of your own")
    if where.is_dir() and os.name == "posix" and where.stat().st_mode & 0o077:
        return Line("compile cache", WARN, value, "others may read it: chmod 700")
    return Line("compile cache", OK, value, "" if files else "the first run compiles, which takes a while")


def _writable(where: Path) -> bool:
    """Whether files can be kept there, or in the nearest folder above that exists."""
    there = next(path for path in (where, *where.parents) if path.exists())
    return there.is_dir() and os.access(there, os.W_OK | os.X_OK)


def _futex() -> Line:
    """Wake nobody, to see that the call is there."""
    number = FUTEX_CALL.get(platform.machine())
    if sys.platform != "linux" or number is None:
        return Line("futex", WARN, "none", "`block` sleeps in short naps instead of waiting for a word")
    word = ctypes.c_uint32(0)
    if ctypes.CDLL(None, use_errno=True).syscall(number, ctypes.byref(word), FUTEX_WAKE, 1, None, None, 0) < 0:
        said = os.strerror(ctypes.get_errno())
        return Line("futex", WARN, said, "`block` will not wait properly; use `backoff`")
    return Line("futex", OK, "works")


def _locks() -> Line:
    """Lock a file of its own by an open file description, as regions are locked."""
    if sys.platform != "linux":
        return Line("file locks", WARN, "no OFD locks", "regions cannot be shared between processes")
    import fcntl

    with tempfile.TemporaryFile() as file:
        lock = struct.pack("hhqqi4x", fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0)
        try:
            fcntl.fcntl(file, OFD_SETLK, lock)
        except OSError as e:
            return Line("file locks", WARN, e.strerror or "", "regions cannot be shared between processes")
    return Line("file locks", OK, "OFD locks work")


def _huge_pages() -> Line:
    found = _read(SYS / "kernel/mm/transparent_hugepage/enabled")
    shm = _read(SYS / "kernel/mm/transparent_hugepage/shmem_enabled")
    if not found:
        return Line("huge pages", OK, "not told")
    value = f"{_chosen(found)}, in shared memory {_chosen(shm)}"
    follows = "very large rings may miss the TLB more often" if _chosen(found) == "never" else ""
    return Line("huge pages", OK, value, follows)


def _chosen(text: str) -> str:
    return text.partition("[")[2].partition("]")[0] or "not told"


def _clock() -> Line:
    found = _read(SYS / "devices/system/clocksource/clocksource0/current_clocksource")
    if found and found not in ("tsc", "arch_sys_counter", "kvm-clock"):
        return Line("clock source", WARN, found, "reading the time takes a system call; stages with `clock` are slower")
    return Line("clock source", OK, found or "not told")


def _read(path: Path) -> str:
    return path.read_text().strip() if path.is_file() and os.access(path, os.R_OK) else ""


def _compiler() -> Line:
    found = next((path for name in ("cc", "gcc", "clang") if (path := shutil.which(name))), None)
    if found is None:
        return Line("C compiler", OK, "none", "only tests of the C headers want one")
    return Line("C compiler", OK, found)


ASKED: tuple[Callable[[], Line], ...] = (_cores, _shm, _cache, _futex, _locks, _huge_pages, _clock, _compiler)


def lines() -> list[Line]:
    """Ask everything."""
    return [*_versions(), *(ask() for ask in ASKED)]


def doctor(as_json: Json = False) -> None:
    """Say what this machine offers, and what follows from it."""
    found = lines()
    warned = sum(line.status == WARN for line in found)
    if as_json:
        return output.put_json({"status": WARN if warned else OK, "lines": [asdict(line) for line in found]})
    width = max(len(line.name) for line in found)
    for line in found:
        print(f"{line.status:<4}  {line.name:<{width}}  {line.value}")
        if line.follows:
            print(f"{'':<{width + 8}}-> {line.follows}")
    print(f"\n{warned or 'no'} warning{'s' * (warned != 1)}")
