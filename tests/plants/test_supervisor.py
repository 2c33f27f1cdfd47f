"""A supervisor opens a plant when all are ready, restarts what may be restarted, and leaves no process behind."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from byteor.plant import directory, findings
from byteor.plant.channel import DONE, READY, Report
from byteor.plant.process import Outcome, Role
from byteor.plant.supervisor import SERVERS, Ground, Pauses, Supervisor

BODIES = "tests.plants.bodies"
SOON = Pauses(first=0.001, patience=0.2)


def role(name: str, body: str, restart: str = "never", limit: int = 0, ingress: bool = False, **argument: Any) -> Role:
    return Role(name, f"{BODIES}:{body}", argument, restart, limit, ingress)


class Stage:
    """A supervisor and what it was told; `on` is called with it when a role has said something."""

    def __init__(self, *roles: Role, on: Callable[[Stage, str, str], object] = lambda *_: None, **ground: Any) -> None:
        self.said: list[tuple[str, str]] = []
        self.shown: list[tuple[str, str]] = []
        self.seen: set[int] = set()
        self.before = sorted(os.listdir("/proc/self/fd"))

        def heard(name: str, report: Report) -> None:
            self.said.append((name, report.kind))
            self.seen.update(self.supervisor.pids.values())
            on(self, name, report.kind)

        self.supervisor = Supervisor(
            roles,
            Ground(heard=heard, **ground),
            lambda name, line: self.shown.append((name, line)),
            (BODIES,),
            SOON,
        )

    def run(self) -> dict[str, Outcome]:
        outcomes = {outcome.role: outcome for outcome in self.supervisor.run()}
        assert sorted(os.listdir("/proc/self/fd")) == self.before, "a supervisor closes what it opened"
        assert not any(alive(pid) for pid in self.seen), "no process stays"
        return outcomes

    def kill(self, name: str) -> None:
        processes = self.supervisor._processes  # a role may have told its pid before its server has
        os.kill(processes[name].pid if name in processes else self.supervisor.pids[name], signal.SIGKILL)


def alive(pid: int) -> bool:
    """Whether a process runs; one that is dead and not yet reaped does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return False


def codes(found: tuple[Any, ...]) -> list[str]:
    return [d.code for d in found]


def test_all_done() -> None:
    stage = Stage(*(role(f"r{i}", "quick", text=f"text {i}") for i in range(3)))
    outcomes = stage.run()
    assert stage.supervisor.status == "done" and stage.supervisor.opened
    assert outcomes["r1"] == Outcome("r1", "done", 0, 0, data={"counters": {"in": 3}})
    assert sorted(stage.shown) == [(f"r{i}", f"text {i}") for i in range(3)]


def test_the_first_ask_drains_and_the_ingresses_alone_are_told(tmp_path: Path) -> None:
    """What follows an ingress ends by the end of its lane, which here a file stands for."""

    def on(stage: Stage, name: str, kind: str) -> None:
        if kind == DONE:
            (tmp_path / "end").write_bytes(b"!")
        elif stage.supervisor.opened and not stage.supervisor._asked:
            stage.supervisor.ask()

    os.mkfifo(tmp_path / "end")
    keeper = os.open(tmp_path / "end", os.O_RDWR)
    stage = Stage(role("in", "waits", ingress=True), role("mid", "reads", path=str(tmp_path / "end")), on=on)
    outcomes = stage.run()
    os.close(keeper)
    assert outcomes["in"].data == {"heard": ["open", "drain"], "why": "over"}
    assert outcomes["mid"].data == {"heard": ["open"]}
    assert stage.supervisor.status == "drained" and not stage.supervisor.aborted


def test_the_second_ask_stops_at_once_also_who_hears_nothing() -> None:
    def on(stage: Stage, name: str, kind: str) -> None:
        if stage.supervisor.opened and stage.supervisor._asked == 0:
            stage.supervisor.ask()
            stage.supervisor.ask()

    stage = Stage(role("in", "waits", ingress=True, stubborn=True), role("mid", "waits"), on=on)
    outcomes = stage.run()
    assert {outcome.status for outcome in outcomes.values()} == {"stopped"}
    assert outcomes["in"].exit == 0 or outcomes["in"].exit == -signal.SIGKILL
    assert stage.supervisor.status == "aborted" and stage.supervisor.findings == ()


def test_an_ask_to_stop_drains_nothing() -> None:
    """An ingress that is told to drain closes its lane: who goes on with the plant would find its end there."""

    def on(stage: Stage, name: str, kind: str) -> None:
        if stage.supervisor.opened and stage.supervisor._asked == 0:
            stage.supervisor.ask(stop=True)

    stage = Stage(role("in", "waits", ingress=True), role("mid", "waits"), on=on)
    assert stage.run()["in"].data["heard"] == ["open", "stop"]
    assert stage.supervisor.status == "aborted"


def test_an_ask_before_all_are_ready_stops() -> None:
    stage = Stage(role("a", "waits"), role("b", "waits"))
    stage.supervisor.ask()
    assert {outcome.status for outcome in stage.run().values()} == {"stopped"}
    assert stage.supervisor.status == "aborted" and not stage.supervisor.opened


def test_all_that_refuse_are_told_and_nothing_is_opened() -> None:
    refusing = [role(f"r{i}", "refuses", "on_failure", 3, path=f"/plant{i}") for i in range(2)]
    stage = Stage(*refusing, role("well", "waits"))
    outcomes = stage.run()
    assert [(d.path, d.code) for d in stage.supervisor.findings] == [("/plant0", "X044"), ("/plant1", "X044")]
    assert outcomes["well"].status == "stopped" and "open" not in outcomes["well"].data.get("heard", ())
    assert stage.supervisor.status == "refused" and not stage.supervisor.opened


def test_never_means_never() -> None:
    stage = Stage(role("in", "waits", ingress=True), role("mid", "waits"), on=killer("mid"))
    outcomes = stage.run()
    assert outcomes["mid"].status == "died" and outcomes["mid"].exit == -signal.SIGKILL
    assert outcomes["in"].status == "stopped"
    assert codes(stage.supervisor.findings) == [findings.ROLE_DIED.code]
    assert stage.supervisor.findings[0].message == "`mid`: it was killed by SIGKILL"
    assert stage.supervisor.status == "failed"


def killer(name: str, times: int = 1) -> Callable[[Stage, str, str], object]:
    """Kill a role once it is ready, so many times."""
    left = [times]

    def on(stage: Stage, said_by: str, kind: str) -> None:
        if said_by == name and kind == READY and left[0]:
            left[0] -= 1
            stage.kill(name)

    return on


@pytest.mark.parametrize("ready", [False, True])
def test_a_successor_follows_the_dead(ready: bool, tmp_path: Path) -> None:
    dying = role("mid", "dies", "on_failure", 5, attempts=str(tmp_path / "a"), times=3, ready=ready)
    stage = Stage(dying, role("in", "quick"))
    outcomes = stage.run()
    assert outcomes["mid"].restarts == 3 and outcomes["mid"].status == "done"
    assert ("mid", "attempt 4") in stage.shown and stage.supervisor.status == "done"


def test_a_limit_is_a_limit(tmp_path: Path) -> None:
    stage = Stage(role("mid", "dies", "on_failure", 2, attempts=str(tmp_path / "a"), times=9), role("in", "waits"))
    outcomes = stage.run()
    assert outcomes["mid"].restarts == 2 and (tmp_path / "a").read_text() == "xxx"
    assert codes(stage.supervisor.findings) == [findings.RESTART_LIMIT.code, findings.ROLE_DIED.code]
    assert stage.supervisor.findings[0].message == "`mid` ended 3 times, its limit is 2"


@pytest.mark.parametrize(("body", "text"), [("raises", "RuntimeError: no such luck"), ("fails", "division by zero")])
def test_what_raises_is_tried_again_and_told(body: str, text: str) -> None:
    stage = Stage(role("mid", body, "on_failure", 1))
    outcome = stage.run()["mid"]
    assert (outcome.status, outcome.restarts, outcome.exit, outcome.text) == ("failed", 1, 1, text)
    assert codes(outcome.findings) == [findings.RESTART_LIMIT.code, findings.ROLE_FAILED.code]


def test_no_successor_before_the_lock_is_free(tmp_path: Path) -> None:
    asked: list[str] = []

    def free(name: str) -> bool:
        asked.append(name)
        return len(asked) in (1, 4)

    dying = role("mid", "dies", "on_failure", 1, attempts=str(tmp_path / "a"), times=1)
    stage = Stage(dying, free=free)
    assert stage.run()["mid"].status == "done" and asked == ["mid"] * 4


def test_a_role_of_a_plant_that_was_left_is_waited_for() -> None:
    """Whoever resumes a plant may come before its roles have noticed that their supervisor is gone."""
    asked: list[str] = []
    stage = Stage(role("mid", "quick"), free=lambda name: bool(asked.append(name)) or len(asked) > 2)
    assert stage.run()["mid"].status == "done" and len(asked) == 3


def test_a_cut_region_is_not_gone_on_with(tmp_path: Path) -> None:
    found = findings.REGION_CUT.at("/plant/lane.0", "it has 0 bytes of 4096")
    argument = {"attempts": str(tmp_path / "a"), "times": 9, "signal": int(signal.SIGBUS)}
    stage = Stage(role("mid", "dies", "on_failure", 5, **argument), damage=lambda: (found,))
    assert stage.run()["mid"].restarts == 0 and stage.supervisor.findings == (found,)
    assert stage.supervisor.status == "refused"


def test_a_death_that_nobody_explains_may_have_been_a_cut_region() -> None:
    found = findings.REGION_CUT.at("/plant/lane.0", "it has 0 bytes of 4096")

    def on(stage: Stage, name: str, kind: str) -> None:
        if kind == READY:
            stage.kill("forkserver")
            stage.kill("mid")

    stage = Stage(role("mid", "waits", "on_failure", 5), on=on, damage=lambda: (found,))
    assert stage.run()["mid"].restarts == 0 and stage.supervisor.findings == (found,)


def test_who_sleeps_is_woken_after_a_death(tmp_path: Path) -> None:
    rung: list[int] = []
    dying = role("mid", "dies", "on_failure", 1, attempts=str(tmp_path / "a"), times=1)
    Stage(dying, ring=lambda: rung.append(1)).run()
    assert len(rung) == 2, "once for the death, once for the end"


def test_a_lost_forkserver_is_replaced_and_nobody_notices() -> None:
    """Its children live on, a death that nobody can explain is restarted, and a successor comes from the new one."""
    servers: list[int] = []

    def on(stage: Stage, name: str, kind: str) -> None:
        if stage.supervisor.opened and not servers:
            servers.append(stage.supervisor.pids["forkserver"])
            stage.kill("forkserver")
            stage.kill("mid")
        elif name == "mid" and kind == READY and servers:
            servers.append(stage.supervisor.pids["forkserver"])
            stage.supervisor.ask()

    stage = Stage(role("in", "waits", ingress=True), role("mid", "waits", "on_failure", 1, ingress=True), on=on)
    outcomes = stage.run()
    assert [outcome.status for outcome in outcomes.values()] == ["done", "done"]
    assert outcomes["mid"].restarts == 1 and outcomes["in"].restarts == 0
    assert servers[0] != servers[1] and stage.supervisor.status == "drained"


@pytest.mark.parametrize("times", [1, 99])
def test_a_forkserver_that_is_killed_before_it_can_work_is_replaced(times: int) -> None:
    """Not for ever: what kills one after the other is told."""
    killed: set[int] = set()

    def kills(name: str) -> bool:
        pid = stage.supervisor.pids["forkserver"]
        if len(killed) < times:
            killed.add(pid)
            os.kill(pid, signal.SIGKILL)
        return True

    stage = Stage(role("mid", "quick"), free=kills)
    outcome = stage.run()["mid"]
    assert (outcome.status, len(killed)) == (("done", 1) if times == 1 else ("stopped", SERVERS))


def test_a_forkserver_lost_among_its_asks_starts_each_role_once(tmp_path: Path) -> None:
    """Roles that were asked for and not yet spoken of are neither lost nor doubled."""
    killed: list[str] = []

    def on(stage: Stage, name: str, kind: str) -> None:
        if not killed:
            killed.append(name)
            stage.kill("forkserver")

    roles = [role(f"r{i}", "dies", attempts=str(tmp_path / f"a{i}"), times=0) for i in range(8)]
    stage = Stage(*roles, on=on)
    outcomes = stage.run()
    assert {outcome.status for outcome in outcomes.values()} == {"done"}, stage.supervisor.findings
    assert [(tmp_path / f"a{i}").read_text() for i in range(8)] == ["x"] * 8


def test_a_forkserver_that_cannot_start_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    stage = Stage(role("a", "quick"))
    stage.supervisor._preload = ("no_such_module_anywhere",)
    assert stage.run()["a"].status == "stopped"
    assert codes(stage.supervisor.findings) == [findings.NO_FORKSERVER.code]
    assert stage.shown[-1] == ("forkserver", "ModuleNotFoundError: No module named 'no_such_module_anywhere'")
    assert stage.supervisor.status == "refused"


def test_an_error_of_the_supervisor_leaves_no_process() -> None:
    def on(stage: Stage, name: str, kind: str) -> None:
        if stage.supervisor.opened:
            raise ZeroDivisionError

    stage = Stage(role("a", "waits"), role("b", "waits", stubborn=True), on=on)
    with pytest.raises(ZeroDivisionError):
        stage.run()
    assert stage.seen and not any(alive(pid) for pid in stage.seen)


SUPERVISOR = """
import os, signal, sys
from pathlib import Path
from byteor.plant import directory
from byteor.plant.process import Role
from byteor.plant.supervisor import Ground, Supervisor

where = Path(sys.argv[1])
held = directory.create("orphans", where / "plant")

def heard(name, report):
    if supervisor.opened:
        (where / "pid").write_text(str(supervisor.pids["in"]))
        os.kill(os.getpid(), signal.SIGKILL)

bodies = "tests.plants.bodies"
role = Role("in", f"{bodies}:waits", {"lock": str(held.lock), "note": str(where / "note")})
supervisor = Supervisor([role], Ground(heard=heard), print, (bodies,))
supervisor.run()
"""


def test_roles_whose_supervisor_is_killed_stop_and_leave_everything(tmp_path: Path) -> None:
    path = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run([sys.executable, "-c", SUPERVISOR, str(tmp_path)], env=path)
    assert done.returncode == -signal.SIGKILL
    with contextlib.suppress(ProcessLookupError):  # it has stopped already
        orphan = os.pidfd_open(int((tmp_path / "pid").read_text()))
        select.select([orphan], [], [])
        os.close(orphan)
    assert (tmp_path / "note").read_text() == "lost open stop"
    with directory.resume(tmp_path / "plant") as again:
        assert again.manifest.name == "orphans"
