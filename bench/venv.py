"""The environments of the peers: CPython 3.12 where there is one, with what `peers.txt` or another list names.

Rule 1. They lie in `build/bench/` and are made anew when the list has changed; ours runs in them from this tree.
Rule 2. What cannot be had is told as a sentence, and the families go on without it.
"""

from __future__ import annotations

import functools
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

HERE = Path(__file__).resolve().parent
WANTED = "3.12"
PLACES = ("/usr/bin", "/usr/local/bin", "~/.pyenv/versions/3.12*/bin", "~/.local/share/uv/python/cpython-3.12*/bin")


def _candidates() -> Iterator[str]:
    yield os.environ.get("BYTEOR_BENCH_PYTHON", "")
    yield shutil.which(f"python{WANTED}") or ""
    for place in PLACES:
        folder = Path(place).expanduser()
        yield from (str(path) for path in folder.parent.parent.glob(f"{folder.parent.name}/bin/python{WANTED}"))
    yield sys.executable


def _version(python: str) -> str:
    code = "import sys; print('%d.%d' % sys.version_info[:2])"
    return subprocess.run([python, "-c", code], capture_output=True, text=True).stdout.strip()


@functools.cache
def interpreter() -> tuple[str, str]:
    """CPython 3.12 if there is one, else this one; and its version."""
    found = [(python, _version(python)) for python in dict.fromkeys(_candidates()) if Path(python).is_file()]
    return next((one for one in found if one[1] == WANTED), found[-1])


@functools.cache
def made(which: str = "peers") -> tuple[str, str]:
    """The interpreter of the environment that a list describes, and what went wrong; one of the two is empty."""
    python, version = interpreter()
    listed = HERE / f"{which}.txt"
    folder = HERE.parent / "build" / "bench" / (f"python-{version}" if which == "peers" else f"{which}-{version}")
    inside, mark = folder / "bin" / "python", folder / "made-of"
    digest = hashlib.sha256(listed.read_bytes()).hexdigest()
    if mark.is_file() and mark.read_text() == digest:
        return str(inside), ""
    for command in (
        [python, "-m", "venv", str(folder)],
        [str(inside), "-m", "pip", "install", "-q", "-r", str(listed)],
    ):
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            return "", f"the peers' environment could not be made: {(done.stderr or done.stdout).strip()[-200:]}"
    mark.write_text(digest)
    return str(inside), ""


def environment(version: str) -> dict[str, str]:
    """The variables of a process there."""
    cache = HERE.parent / "build" / "bench" / f"compiled-{version}"
    return {**os.environ, "PYTHONPATH": str(HERE.parent / "src"), "BYTEOR_CACHE": str(cache)}
