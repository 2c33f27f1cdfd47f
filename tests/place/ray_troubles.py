"""A plant on two machines under Ray, and one trouble each: what was killed or cut, and whether the bytes are the same.

Rule 1. A trouble comes in the midst of the rows, and the rows go on behind it.
Rule 2. What is left is looked for among the processes of both machines, from the end of the command on.
"""

from __future__ import annotations

import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from byteor.cli.asked import Asked
from byteor.cli.carry import carry_out
from byteor.plant import directory
from tests.place.cluster import ACTOR, FAR, GCS, NEAR, OURS, RAYLET, Machine
from tests.place.hosts import Host

HERE = Path(__file__).parent
SOURCE = "python:paced:rows"
PLACE = """\
place = 1
plan = "orders.toml"

[input]
in = "{source}"

[output]
out = "out.csv"

[[host]]
name = "near"
address = "10.77.0.1:17400"
dir = "{folder}/near"
roles = ["in", "tax"]

[[host]]
name = "far"
address = "10.77.0.2:17400"
dir = "{folder}/far"
roles = ["dear", "both", "out"]
"""
CROSSING = "tax_out.in"
PATIENCE = 150.0  # seconds for what must come
LEFT = 10.0  # seconds after which nothing may be left
SOME = 2000  # records on either side of a trouble
LOOK = 0.1


@dataclass(slots=True)
class Seen:
    """What one run was like; the commands, by their exit status."""

    trouble: str = ""
    seconds: float = 0.0
    identical: bool = False
    left: float | None = None
    commands: list[int] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def fine(self) -> bool:
        return self.identical and self.left is not None

    def __str__(self) -> str:
        same = "identical" if self.identical else "NOT IDENTICAL"
        left = "LEFT: processes after 10 s" if self.left is None else f"nothing left after {self.left:.1f} s"
        ends = ", ".join(str(status) for status in self.commands)
        notes = "".join(f"\n  {note}" for note in self.notes)
        return f"{self.trouble:<12} {self.seconds:6.1f} s  {same}, {left}, commands ended with {ends}{notes}"


class Troubled:
    """One run of a placed plant on the machines of a cluster."""

    def __init__(self, machines: Mapping[str, Machine], folder: Path, on: str = "ray://auto") -> None:
        self.machines, self.folder, self.on = machines, folder, on
        self.seen, self.began = Seen(), time.monotonic()
        folder.mkdir()
        for name in ("orders.toml", "shop.py", "paced.py"):
            shutil.copy(HERE / name, folder)
        self.place = folder / "place.toml"
        self.place.write_text(PLACE.format(folder=folder, source=SOURCE))
        self.far = Host(self.place, FAR)
        self.far.folder = folder / FAR

    def run(self, trouble: str, meet: Callable[[Troubled], object]) -> Seen:
        """Run to the end with a trouble in between, and judge."""
        self.seen.trouble = trouble
        try:
            self.command = self.start()
            self.flows(SOME)
            meet(self)
            (self.folder / "over").touch()
            while (status := self.ended()) != 0 and len(self.seen.commands) < 3:
                self.note(f"the command has ended with {status}: it is given again")
                self.command = self.start()
        finally:
            self.seen.seconds = time.monotonic() - self.began
            self.seen.left = self._left()
            self.machines[NEAR].kill(*OURS), self.machines[FAR].kill(*OURS)
        out = self.folder / "out.csv"
        self.seen.identical = out.exists() and out.read_bytes() == self._alone()
        return self.seen

    def start(self, *more: str) -> subprocess.Popen[str]:
        """Give the command on the head's machine."""
        plan, place = str(self.folder / "orders.toml"), str(self.place)
        return self.machines[NEAR].run("run", plan, "--place", place, "--on", self.on, *more)

    def ended(self, command: subprocess.Popen[str] | None = None) -> int:
        """Wait for the end of a command; its status."""
        command = command or self.command
        out, err = command.communicate(timeout=PATIENCE)
        said = [line for line in err.splitlines() if line.startswith(("the head", "left:", "error", "near", "far"))]
        self.note(f"status {command.returncode}: {' | '.join([*out.splitlines(), *said])}")
        self.seen.commands.append(command.returncode)
        return command.returncode

    def note(self, text: str) -> None:
        """Keep what happened, and when."""
        self.seen.notes.append(f"{time.monotonic() - self.began:6.1f} s  {text}")

    def await_that(self, true: Callable[[], bool], what: str) -> None:
        """Wait until something is so, and note when it was."""
        until = time.monotonic() + PATIENCE
        while not true():
            if time.monotonic() > until:
                print([m.processes() for m in self.machines.values()], self.command.poll())
                raise AssertionError(f"{self.seen.trouble}: not within {PATIENCE:g} s: {what}\n{self.seen}")
            time.sleep(LOOK)
        self.note(what)

    def flows(self, more: int = SOME) -> None:
        """Wait until so many records more have come over."""
        goal = max(0, self.far.taken(CROSSING)) + more
        self.await_that(lambda: self.far.taken(CROSSING) >= goal, f"{goal} records have come over")

    def parts(self) -> list[tuple[int, int]]:
        """The supervisors of the parts: who has them, and since when."""
        return [directory.supervisor(self.folder / name / directory.LOCK) for name in self.machines]

    def compare(self, before: list[tuple[int, int]]) -> None:
        """Note whether the parts are those from before."""
        same = ", ".join(
            f"{name} {'went on' if one == two else 'was begun again'}"
            for name, one, two in zip(self.machines, before, self.parts(), strict=True)
        )
        self.note(same)

    def _left(self) -> float | None:
        """After how many seconds nothing is left; None where something was after the longest."""
        began = time.monotonic()
        while time.monotonic() < began + LEFT:
            if not any(machine.those(*OURS) for machine in self.machines.values()):
                return time.monotonic() - began
            time.sleep(LOOK)
        self.note(f"left: {[machine.processes() for machine in self.machines.values()]}")
        return None

    def _alone(self) -> bytes:
        """What the plant gives on one host."""
        out = self.folder / "alone.csv"
        outcome = carry_out(str(self.folder / "orders.toml"), Asked((f"in={SOURCE}",), (f"out={out}",)))
        assert outcome.exit == 0, outcome.error
        return out.read_bytes()


def nothing(run: Troubled) -> None:
    """Let it run."""
    run.flows()


def actors(run: Troubled) -> None:
    """Kill both actors: the parts go on under the next ones."""
    before = run.parts()
    old = {pid for machine in run.machines.values() for pid in machine.kill(ACTOR)}
    run.note(f"killed {len(old)} actors")
    run.await_that(lambda: _there(run, ACTOR, old) == 2, "both are back")
    run.flows()
    run.compare(before)


def raylet(run: Troubled) -> None:
    """Kill the raylet of the far node: the part goes on, an actor comes to the next raylet."""
    before = run.parts()
    old = set(run.machines[FAR].those(ACTOR))
    run.machines[FAR].kill(RAYLET)
    run.await_that(lambda: not old & set(run.machines[FAR].those(ACTOR)), "its actor is gone")
    run.flows()
    run.compare(before)
    run.await_that(lambda: _there(run, ACTOR, old) == 2, "an actor is back")
    run.flows()


def head(run: Troubled) -> None:
    """Kill the head: the parts go on, and who asks a new head for them finds them."""
    before = run.parts()
    run.machines[NEAR].kill(GCS)
    run.flows(10 * SOME)
    run.compare(before)


def cut(seconds: float) -> Callable[[Troubled], None]:
    """Cut the machines off from each other, for longer than Ray waits for a node."""

    def meet(run: Troubled) -> None:
        before = run.parts()
        for machine in run.machines.values():
            machine.cut(off=True)
        until = time.monotonic() + seconds
        run.note("cut")
        while time.monotonic() < until:
            time.sleep(LOOK)
        for machine in run.machines.values():
            machine.cut(off=False)
        run.note(f"joined; Ray was started {[machine.starts for machine in run.machines.values()]} times")
        run.flows()
        run.compare(before)

    return meet


def left(number: int) -> Callable[[Troubled], None]:
    """End the command by a signal: the parts go on, and the next command waits for them."""

    def meet(run: Troubled) -> None:
        before = run.parts()
        run.machines[NEAR].signal(run.command, number)
        status = run.ended()
        assert status == 128 + number, status
        run.flows()
        run.compare(before)
        run.command = run.start()

    return meet


def stopped(run: Troubled) -> None:
    """Stop all parts by the command for it, see that nothing is left, and go on."""
    status = run.ended(run.start("--stop"))
    assert status == 0 and run.ended() == 143
    after = run._left()
    run.note("processes are left" if after is None else f"nothing left after {after:.1f} s")
    assert after is not None
    run.command = run.start()
    run.flows()


TERM, INT = signal.SIGTERM, signal.SIGINT


def troubles(cuts: Sequence[float]) -> dict[str, Callable[[Troubled], None]]:
    """All of them by name; the head's is the last one, for what was known to it is lost."""
    known = {"none": nothing, "actors": actors, "raylet": raylet, "left": left(INT), "stopped": stopped}
    return {**known, **{f"cut {seconds:g} s": cut(seconds) for seconds in cuts}, "head": head}


def _there(run: Troubled, word: str, old: set[int]) -> int:
    return sum(len(set(machine.those(word)) - old) for machine in run.machines.values())
