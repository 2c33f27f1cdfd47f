"""Hosts for tests: a process of `byteor host` for each, on this machine or in network namespaces of its own.

Rule 1. Whoever starts a host ends it: nothing is left, whatever the test did.
Rule 2. Namespaces are joined in pairs by veth; each has one address, which all others reach.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from byteor.cli.app import app
from byteor.testing.certificates import LOOPBACK, authority, can_make, certificate

ROOT = Path(__file__).resolve().parents[2]
COMMAND = (sys.executable, "-c", "from byteor.cli import main; main()")
PATIENCE = 120.0
NUMBERS = tuple(f"10.77.0.{i}" for i in range(1, 9))  # of hosts in network namespaces


class Host:
    """One host of a placement, with the folder of its part beside the placement."""

    def __init__(self, place: Path, name: str, via: Sequence[str] = ()) -> None:
        self.place, self.name, self.via = place, name, via
        self.folder = place.parent / f"part-{name}"
        self.run: subprocess.Popen[str] | None = None

    def start(self, *more: str) -> Host:
        """Start its part, or start it again."""
        words = [*self.words, *more]
        environment = {**os.environ, "PYTHONPATH": f"{ROOT / 'src'}"}
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "stdin": subprocess.DEVNULL}
        self.run = subprocess.Popen([*self.via, *COMMAND, *words], text=True, env=environment, **pipes)  # type: ignore[call-overload]
        return self

    def here(self, *more: str) -> Result:
        """Ask for its part in this very process: for what is answered before anything runs."""
        return CliRunner().invoke(app, [*self.words, *more])

    @property
    def words(self) -> list[str]:
        return ["host", "--name", self.name, "--place", str(self.place), "--resume", str(self.folder)]

    def end(self, number: int | None = None) -> tuple[int, str, str]:
        """Wait for its end, after a signal if one is given: the status, and what it said."""
        assert self.run is not None
        if number is not None:
            self.run.send_signal(number)
        out, err = self.run.communicate(timeout=PATIENCE)
        return self.run.returncode, out, err

    def taken(self, role: str) -> int:
        """How many records a role has taken by now; -1 where that cannot be seen yet."""
        from byteor.diag import Refused
        from byteor.observe.window import Window

        with contextlib.suppress(Refused):
            return next(one.taken for one in Window(self.folder).status().roles if one.name == role)
        return -1

    def depth(self, lane: str) -> int:
        """How many records lie in a lane by now; -1 where that cannot be seen yet."""
        from byteor.diag import Refused
        from byteor.observe.window import Window

        with contextlib.suppress(Refused):
            return next(one.depth for one in Window(self.folder).status().lanes if one.name == lane)
        return -1

    def give_up(self) -> None:
        if self.run is not None and self.run.poll() is None:
            self.run.kill()
            self.run.communicate()


@contextlib.contextmanager
def given_up(hosts: Sequence[Host]) -> Iterator[None]:
    """Leave no process, and say what the hosts said when a test failed."""
    try:
        yield
    finally:
        for host in hosts:
            host.give_up()
        await_that(lambda: not any(_runs_in(host.folder) for host in hosts))


def _runs_in(folder: Path) -> bool:
    """Whether a role of a folder still lives: after the death of its supervisor it stops by itself."""
    from byteor.diag import Refused
    from byteor.observe.window import Window

    with contextlib.suppress(Refused):
        return any(role.alive for role in Window(folder).status().roles)
    return False


def await_that(true: Callable[[], bool]) -> None:
    """Wait until something is so; the watchdog of the tests ends what never comes."""
    while not true():
        time.sleep(0.01)


def certificates(folder: Path, names: Sequence[str], hosts: Sequence[str] = LOOPBACK) -> None:
    """Make an authority and a certificate for each name: `ca.pem`, `NAME.pem`, `NAME.key`; all are good for `hosts`."""
    if not can_make():
        pytest.skip("no openssl to make certificates with")
    authority(folder)
    for name in names:
        certificate(folder, name, hosts=hosts)


@contextlib.contextmanager
def namespaces(names: Sequence[str]) -> Iterator[dict[str, str]]:
    """A network namespace for each name, all joined; the address of each. Skipped where that is not allowed."""
    if os.geteuid() or shutil.which("ip") is None:
        pytest.skip("network namespaces need root, and `ip`")
    tag = f"byteor-{os.getpid()}"
    spaces = {name: f"{tag}-{i}" for i, name in enumerate(names)}
    addresses = dict(zip(names, NUMBERS, strict=False))
    with contextlib.ExitStack() as undone:
        for name, space in spaces.items():
            if _ip("netns", "add", space).returncode:
                pytest.skip("this process may not make network namespaces")
            undone.callback(_ip, "netns", "del", space)
            ip_in(space, "link", "set", "lo", "up")
            ip_in(space, "addr", "add", f"{addresses[name]}/32", "dev", "lo")
        for k, (one, two) in enumerate(itertools.combinations(names, 2)):
            _join(k, (spaces[one], addresses[one]), (spaces[two], addresses[two]))
        yield addresses


def _join(number: int, one: tuple[str, str], two: tuple[str, str]) -> None:
    """Join two namespaces by a pair of veth, and let each know the way to the other."""
    ends = [f"b{os.getpid() % 100000}x{number}{side}" for side in "lr"]
    made = _ip("link", "add", ends[0], "type", "veth", "peer", "name", ends[1])
    if made.returncode:
        pytest.skip(f"no veth: {made.stderr.strip()}")
    for end, (space, own), (_, other) in ((ends[0], one, two), (ends[1], two, one)):
        _ip("link", "set", end, "netns", space)
        ip_in(space, "link", "set", end, "up")
        ip_in(space, "route", "add", f"{other}/32", "dev", end, "src", own)


def inside(names: Sequence[str], name: str) -> tuple[str, ...]:
    """What runs a command in the namespace of a host."""
    return ("ip", "netns", "exec", f"byteor-{os.getpid()}-{list(names).index(name)}")


def _ip(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["ip", *words], capture_output=True, text=True, check=False)


def ip_in(space: str, *words: str) -> None:
    """Change the network of a namespace."""
    done = _ip("-n", space, *words)
    assert not done.returncode, done.stderr


TERM, KILL = signal.SIGTERM, signal.SIGKILL
