"""Ray on this machine as on two: a head and a node, each in a network namespace, and each kept alive.

Rule 1. A machine is its namespaces, of network and of processes: what runs in it was started here, and goes with it.
Rule 2. A Ray that ends is started again, as a service manager does it.
Rule 3. Who is cut off hears nothing and is told nothing: what is sent goes to nobody.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from byteor.cli.on_ray import resource_of
from tests.place.hosts import COMMAND, ROOT, await_that, inside, ip_in, namespaces

NEAR, FAR = NAMES = "near", "far"  # the head's machine, and that of a node
PORT = 6379
STORE = 80_000_000  # bytes, the least that Ray takes
LOOK = 0.2
NOBODY = "02:00:00:00:00:00"
RAY = (sys.executable, "-c", "from ray.scripts.scripts import main; main()", "start", "--block")
GCS, RAYLET, ACTOR, PART = "/gcs_server ", "/raylet/raylet ", "ray::Keeper", "byteor.cli import main"
FIRST = "while :; do sleep 1 & wait; done"
OURS = (ACTOR, PART, "byteor.plant.forkserver")


@dataclass(slots=True)
class Machine:
    """One machine: how to run something on it, and the Ray that is kept alive there."""

    name: str
    space: str
    first: subprocess.Popen[bytes]
    via: tuple[str, ...]
    words: tuple[str, ...]
    log: Path
    environment: dict[str, str]
    starts: int = 0
    kept: bool = True
    ray: subprocess.Popen[bytes] | None = field(default=None)

    def keep(self) -> None:
        """Start Ray, unless it runs."""
        if not self.kept or (self.ray is not None and self.ray.poll() is None):
            return
        self.starts += 1
        with self.log.open("ab") as log:
            command = [*self.via, *RAY, *self.words]
            self.ray = subprocess.Popen(command, env=self.environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def run(self, *words: str) -> subprocess.Popen[str]:
        """Run `byteor` there."""
        pipe = subprocess.PIPE
        return subprocess.Popen(
            [*self.via, *COMMAND, *words], env=self.environment, text=True, stdout=pipe, stderr=pipe
        )

    def signal(self, command: subprocess.Popen[str], number: int) -> None:
        """Send a signal to what was run there, not to who brought it in."""
        for pid in _children(command.pid):
            os.kill(pid, number)

    def processes(self) -> dict[int, str]:
        """What runs there: the command of each process."""
        said = subprocess.run(["ip", "netns", "pids", self.space], capture_output=True, text=True, check=False)
        found = {int(word): _command(int(word)) for word in said.stdout.split()}
        return {pid: command for pid, command in found.items() if command}

    def those(self, *words: str) -> list[int]:
        """The processes there in whose command one of the words stands."""
        return [pid for pid, command in self.processes().items() if any(word in command for word in words)]

    def kill(self, *words: str) -> list[int]:
        """Kill those, with SIGKILL."""
        found = self.those(*words)
        for pid in found:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        return found

    def cut(self, off: bool) -> None:
        """Cut the machine off from the others, or join it again: what it sends goes to nobody."""
        said = subprocess.run(["ip", "-j", "-n", self.space, "route"], capture_output=True, text=True, check=True)
        for way in json.loads(said.stdout):
            to = way["dst"], "dev", way["dev"]
            if off:
                ip_in(self.space, "neigh", "replace", *to, "lladdr", NOBODY, "nud", "permanent")
            else:
                ip_in(self.space, "neigh", "del", *to)


def _command(pid: int) -> str:
    """The command of a process; nothing for one that has ended."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        return ""


@contextlib.contextmanager
def cluster(folder: Path) -> Iterator[dict[str, Machine]]:
    """Two machines under Ray, and the folder of their logs; nothing of them is left. Skipped where not allowed."""
    over = threading.Event()
    with contextlib.ExitStack() as undone:
        addresses = undone.enter_context(namespaces(NAMES))
        inner = Path(tempfile.mkdtemp(prefix="byteor-ray-", dir="/tmp"))  # sockets need a short path
        undone.callback(shutil.rmtree, inner, ignore_errors=True)
        settings = {"RAY_USAGE_STATS_ENABLED": "0", "RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": secrets.token_hex(32)}
        machines = {name: _machine(name, addresses, folder, inner, settings) for name in NAMES}
        keeper = threading.Thread(target=_kept, args=(machines, over))
        undone.callback(_ended, machines, keeper, over)
        keeper.start()
        yield machines


def _machine(name: str, addresses: dict[str, str], folder: Path, inner: Path, settings: dict[str, str]) -> Machine:
    head = f"{addresses[NEAR]}:{PORT}"
    words = ["--head", f"--port={PORT}", "--include-dashboard=false"] if name == NEAR else [f"--address={head}"]
    words += [f"--node-ip-address={addresses[name]}", f"--temp-dir={inner / name}", "--num-cpus=1"]
    words += [f"--object-store-memory={STORE}", f"--resources={json.dumps({resource_of(name): 1})}"]
    path = os.pathsep.join([str(ROOT / "src"), os.environ.get("PYTHONPATH", "")])
    own = {"PYTHONPATH": path, "RAY_ADDRESS": head, **settings}
    first, via = _booted(inside(NAMES, name))
    log = folder / f"ray-{name}.log"
    return Machine(name, inside(NAMES, name)[-1], first, via, tuple(words), log, {**os.environ, **own})


def _booted(via: tuple[str, ...]) -> tuple[subprocess.Popen[bytes], tuple[str, ...]]:
    """Start the first process of a machine, which takes in orphans; and what runs others beside it."""
    made = subprocess.Popen([*via, "unshare", "--pid", "--fork", "--kill-child", "--mount-proc", "sh", "-c", FIRST])
    await_that(lambda: made.poll() is not None or bool(_children(made.pid)))
    if made.poll() is not None:
        pytest.skip("this process may not make namespaces of processes")
    return made, ("nsenter", "--target", str(_children(made.pid)[0]), "--net", "--pid", "--mount")


def _children(pid: int) -> list[int]:
    try:
        return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


def _kept(machines: dict[str, Machine], over: threading.Event) -> None:
    """Keep Ray alive on all machines, until it is over."""
    while not over.wait(LOOK):
        for machine in machines.values():
            machine.keep()


def _ended(machines: dict[str, Machine], keeper: threading.Thread, over: threading.Event) -> None:
    """End all that runs on the machines: with its first process, each of a machine's ends."""
    over.set()
    keeper.join()
    for machine in machines.values():
        machine.first.kill()
        machine.first.wait()
        if machine.ray is not None:
            machine.ray.wait()
    await_that(lambda: not any(machine.processes() for machine in machines.values()))
