"""A chain of roles in processes that waits for input: started, looked at while nothing comes, and ended.

Rule 1. It is started by the command, from nothing; it is ready when every role has committed its beginning.
Rule 2. What processes used is read from the scheduler's own count of nanoseconds, every thread of them.
"""

from __future__ import annotations

import itertools
import os
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.start import BYTEOR, environment

HEAD = """plan = 2
name = "chain"
target = "lane_graph"

[types.row]
a = "i64"
b = "i64"

[[ingress]]
name = "in"
type = "row"

"""
STAGE = """[[stage]]
name = "s{0}"
call = "chained:step"
reads = ["a"]
writes = ["b"]

"""
LINK = """[[connect]]
from = "{0}"
to = "{1}"

"""
STEP = "def step(row):\n    row.b = row.a + 1\n"


@dataclass
class Chain:
    """A plant that waits; `seconds` it took until it was ready."""

    process: subprocess.Popen[bytes]
    pipe: Path
    seconds: float

    def used(self) -> dict[int, int]:
        """Nanoseconds on a core so far, by process."""
        pids = [self.process.pid, *_below(self.process.pid)]
        return {pid: sum(_on_core(pid)) for pid in pids}

    def end(self) -> float:
        """Close the input, and answer how long it took until all had ended."""
        began = time.perf_counter()
        os.close(os.open(self.pipe, os.O_WRONLY))  # it opens once the ingress reads, and then there is no more
        _, told = self.process.communicate()
        if self.process.returncode:
            raise RuntimeError(told.decode())
        return time.perf_counter() - began


def plan(roles: int) -> str:
    """A chain of so many roles, its ends among them."""
    names = ["in", *(f"s{n}" for n in range(roles - 2)), "out"]
    stages = "".join(STAGE.format(n) for n in range(roles - 2))
    links = "".join(LINK.format(*pair) for pair in itertools.pairwise(names))
    return HEAD + stages + '[[egress]]\nname = "out"\n\n' + links


@contextmanager
def chain(roles: int) -> Iterator[Chain]:
    """Start a chain in a new folder, and come back when it is ready."""
    with tempfile.TemporaryDirectory(prefix="byteor-bench-", dir="/dev/shm") as name:
        folder = Path(name)
        (folder / "chain.toml").write_text(plan(roles))
        (folder / "chained.py").write_text(STEP)
        os.mkfifo(folder / "in.raw")
        ends = ("-i", f"in={folder / 'in.raw'}", "-o", f"out={folder / 'out.raw'}")
        more = ("--processes", "--wait", "block", "--dir", str(folder / "plant"))
        began, quiet = time.perf_counter(), subprocess.DEVNULL
        command = [*BYTEOR, "run", str(folder / "chain.toml"), *ends, *more]
        with subprocess.Popen(command, env=environment(), stdout=quiet, stderr=subprocess.PIPE) as process:
            while not _is_ready(folder / "plant"):
                if process.poll() is not None:
                    raise RuntimeError(process.communicate()[1].decode())
                time.sleep(0.02)
            yield Chain(process, folder / "in.raw", time.perf_counter() - began)


def _is_ready(where: Path) -> bool:
    from byteor.diag import Refused
    from byteor.plant.processes import look

    try:
        return all(role.epoch for role in look(where)[1].roles)
    except (Refused, FileNotFoundError):
        return False


def _below(pid: int) -> list[int]:
    """The processes that came of one."""
    children = [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return [*children, *(one for child in children for one in _below(child))]


def _on_core(pid: int) -> Iterator[int]:
    for task in Path(f"/proc/{pid}/task").iterdir():
        yield int((task / "schedstat").read_text().split()[0])
