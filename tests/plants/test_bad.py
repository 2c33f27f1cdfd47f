"""What can go wrong with a plant in processes: a finding with its code, the right exit status, and nothing left behind.

Rule 1. Whatever was wrong, no folder of the plant, no output, no hidden file and no process stays.
Rule 2. Most of it happens in this process; where somebody must die or wait, the command has one of its own.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from byteor.exec.load import load
from byteor.plant import directory, findings
from byteor.spec.kv import encode
from byteor.testing.plant_runs import MARK, living
from tests.cli.project import byteor
from tests.plants.bad import HALTS, PLAN, WORK, Bad, bad, codes, wanted

RAISES = "def work(row):\n    row.b = 1 // (row.a - 500)\n"
DIES = "import os\n\ndef work(row):\n    if row.a == 500:\n        os.kill(os.getpid(), 9)\n"
KEYED = {'writes = ["b"]': 'writes = ["b"]\nstate = { type = "sum", by = ["a"], max = 8 }'}
ELSEWHERE = "import sys\n\nif 'typer' not in sys.modules:\n    sys.path.append('only in a role')\n\n" + WORK


def nothing(plant: Bad) -> None:
    """Leave the plant as it was written."""


@dataclass(frozen=True)
class Situation:
    """What is bent, and what must come of it."""

    code: str
    status: int = 2
    edits: Mapping[str, str] = field(default_factory=dict)
    work: str = WORK
    more: tuple[str, ...] = ()
    ends: Mapping[str, str] = field(default_factory=dict)
    prepare: Callable[[Bad], object] = nothing
    stays: tuple[str, ...] = ()


def narrow(plant: Bad) -> None:
    """A spec by hand, with a lane too small for its messages."""
    graph = load(plant.path("plan.toml")).spec
    lanes = tuple(replace(lane, slot_bytes=8) for lane in graph.lanes)
    (plant.folder / "plan.toml").unlink()
    (plant.folder / "plan.kv").write_text(encode(replace(graph, lanes=lanes)))


def open_to_all(plant: Bad) -> None:
    plant.where.mkdir()
    plant.where.chmod(0o755)


def taken(plant: Bad) -> None:
    plant.where.mkdir(mode=0o700)
    (plant.where / "mine").write_text("")


def alone(plant: Bad) -> None:
    os.mkfifo(plant.folder / "pipe.raw")


SITUATIONS = {
    "the stage's module is missing": Situation("X001", edits={"parts:work": "partz:work"}),
    "the stage's module raises": Situation("X001", work="raise ValueError('no')\n"),
    "the stage is not compilable": Situation(
        "X003", edits={"compiled = false": "compiled = true"}, work="def work(row):\n    row.b = open('x')\n"
    ),
    "the stage raises at message 500": Situation("X010", 1, work=RAISES),
    "the stage filters, and must not": Situation("X010", 1, work="def work(row):\n    return row.a < 500\n"),
    "one key too many for the state": Situation(
        "X010", 1, edits=KEYED, work="def work(row, state):\n    state.n += 1\n"
    ),
    "the restart limit is reached": Situation("X046", 1, work=RAISES, more=("--restarts", "2")),
    "the role's process dies": Situation("X045", 1, work=DIES),
    "the parent of the plant's folder is missing": Situation("T003", more=("--dir", "{0}/no/such")),
    "the plant's folder is open to others": Situation("X043", prepare=open_to_all, stays=("plant",)),
    "the plant's folder holds something": Situation("X044", prepare=taken, stays=("plant",)),
    "a type that its next role does not take": Situation(
        "S044", edits={'writes = ["b"]': 'writes = ["b"]\nout = "sum"'}
    ),
    "a core that is not here": Situation(
        "X056", edits={"[[egress]]": '[[pin]]\nrole = "work"\ncpu = 4096\n\n[[egress]]'}
    ),
    "a lane too small for its message": Situation("S021", prepare=narrow),
    "a lane too small for what comes of one record": Situation(
        "S118", edits={'writes = ["b"]': 'out = "row"\nmax_out = 99'}, work="def work(row, out):\n    return 0\n"
    ),
    "the egress is not writable": Situation("E006", ends={"o": "no/out.raw"}),
    "the input is missing": Situation("E003", ends={"i": "nope.raw"}),
    "the input ends in the middle of a record": Situation(
        "E017", prepare=lambda plant: (plant.folder / "in.raw").write_bytes(b"x" * 17)
    ),
    "an input that cannot be read again, of a role that may restart": Situation(
        "E027", prepare=alone, ends={"i": "pipe.raw"}, more=("--restarts", "2")
    ),
    "an unknown boundary": Situation("X011", more=("-o", "nobody=x.raw")),
    "the command's own stream as an input": Situation("X011", more=("-i", "in=-")),
}


@pytest.mark.parametrize("name", SITUATIONS)
def test_situation(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told = SITUATIONS[name]
    plant = bad(tmp_path, PLAN, told.work, told.edits)
    told.prepare(plant)
    monkeypatch.setenv(MARK, str(tmp_path))
    result = byteor(*(part.format(tmp_path) for part in plant.run(*told.more, **told.ends)))
    assert result.exit_code == told.status and told.code in codes(result.stdout), result.output
    assert "Traceback" not in result.output
    assert plant.left() == list(told.stays)


# what happens to a plant that runs


def halted(plant: Bad, *more: str) -> subprocess.Popen[str]:
    """Start a plant, and come back when its stage waits in the middle of its stream."""
    child = plant.command(*plant.run(*more))
    plant.until(lambda: _taken(plant) >= 490, child)
    return child


def _taken(plant: Bad) -> int:
    from byteor.plant.processes import look

    try:
        return look(plant.where)[1].role("work").taken
    except (directory.Refused, OSError):
        return 0


def go(plant: Bad) -> None:
    (plant.folder / "go").touch()


def ended(child: subprocess.Popen[str]) -> tuple[int, list[str]]:
    stdout, stderr = child.communicate()
    assert "Traceback" not in stderr, stderr
    return child.returncode, codes(stdout)


def test_two_plants_on_one_folder(tmp_path: Path) -> None:
    plant = bad(tmp_path, work=HALTS)
    first = halted(plant)
    second = plant.command(*plant.run(o="other.raw"))
    assert ended(second) == (4, [findings.HELD.code])
    held = plant.command("role", str(plant.where), "--name", "work")
    assert held.wait() == 4 and findings.ROLE_HELD.code in held.communicate()[1]
    unknown = plant.command("role", str(plant.where), "--name", "wrok")
    assert unknown.wait() == 2 and findings.NO_ROLE.code in unknown.communicate()[1]
    go(plant)
    assert ended(first) == (0, [])
    assert (tmp_path / "out.raw").read_bytes() == wanted() and plant.left() == ["out.raw"]


def test_a_region_that_is_cut_under_a_live_role(tmp_path: Path) -> None:
    """The role dies of SIGBUS; nobody is restarted, and the finding names the region."""
    plant = bad(tmp_path, work=HALTS)
    child = halted(plant, "--restarts", "9")
    os.truncate(plant.where / "lane.work_to_out", 0)
    go(plant)
    status, found = ended(child)
    assert (status, found[0]) == (2, findings.REGION_CUT.code) and plant.left() == []


def left(plant: Bad) -> None:
    """Leave the plant in the middle of its stream: its supervisor is killed, and its roles stop by themselves."""
    child = halted(plant)
    child.kill()
    child.communicate()
    assert living(str(plant.folder)) == []


def resumed(plant: Bad) -> tuple[int, list[str]]:
    return ended(plant.command("run", "--resume", str(plant.where), "--json", "--keep"))


@pytest.mark.stress
def test_resuming_what_is_not_what_it_was(tmp_path: Path) -> None:
    """Whatever is another one by then is told, and once it is back again the plant goes on exactly."""
    plant = bad(tmp_path, work=HALTS)
    left(plant)
    go(plant)
    for path, code, status in (
        (plant.where / "lane.work_to_out", findings.REGION_LOST.code, 5),
        (plant.where / "manifest.json", findings.NOT_A_PLANT.code, 2),
        (plant.folder / "parts.py", findings.STAGE_CHANGED.code, 2),
        (plant.folder / "in.raw", "E026", 2),
    ):
        path.rename(tmp_path / "kept")
        other = HALTS.replace("+ 1", "+ 2").encode() if path.suffix == ".py" else bytes(16 * 400)
        path.write_bytes(other)
        path.chmod(0o600)
        assert resumed(plant) == (status, [code]), path
        (tmp_path / "kept").replace(path)
    assert resumed(plant) == (0, [])
    assert (tmp_path / "out.raw").read_bytes() == wanted() and plant.left() == ["out.raw"]


@pytest.mark.stress
def test_resuming_an_output_whose_records_are_gone(tmp_path: Path) -> None:
    plant = bad(tmp_path, work=HALTS)
    left(plant)
    go(plant)
    (spool,) = plant.folder.glob(".out.raw.*.spool")
    os.truncate(spool, 16)
    assert resumed(plant) == (2, ["E029"]) and not (tmp_path / "out.raw").exists()


@pytest.mark.stress
def test_a_source_that_vanishes_before_a_restart(tmp_path: Path) -> None:
    plant = bad(tmp_path, work=HALTS)
    child = halted(plant, "--restarts", "9")
    (plant.folder / "in.raw").unlink()
    os.kill(_pid(plant, "in"), signal.SIGKILL)
    status, found = ended(child)
    assert (status, found) == (2, ["E003"]) and plant.left() == []


def _pid(plant: Bad, role: str) -> int:
    from byteor.plant.processes import look

    return look(plant.where)[1].role(role).pid


@pytest.mark.parametrize("times", [pytest.param(1, marks=pytest.mark.stress), 2])
def test_interrupts(times: int, tmp_path: Path) -> None:
    """The first one drains; the second stops at once, and nothing stays."""
    plant = bad(tmp_path, work=HALTS)
    child = halted(plant)
    assert child.stderr is not None
    child.send_signal(signal.SIGINT)
    for line in child.stderr:
        if "draining" in line:
            break
    if times == 1:
        go(plant)
    else:
        child.send_signal(signal.SIGINT)
    stdout, _ = child.communicate()
    assert child.returncode == 130 and json.loads(stdout)["status"] == ("drained" if times == 1 else "aborted")
    assert plant.left() == (["out.raw"] if times == 1 else [])


# no room

SMALL = """
import subprocess, sys
size, where, *command = sys.argv[1:]
subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", where], check=True)
done = subprocess.run(command)
print("LEFT", sorted(__import__("os").listdir(where)), file=sys.stderr)
sys.exit(done.returncode)
"""


def in_little_room(plant: Bad, room: Path, size: str, *arguments: str) -> tuple[int, str, str]:
    """Run a command where a folder is a small file system of its own."""
    room.mkdir()
    if subprocess.run(["unshare", "-Urm", "true"], check=False, capture_output=True).returncode:
        pytest.skip("no namespaces of one's own here")
    call = [sys.executable, "-c", "from byteor.cli import main; main()", *arguments]
    command = ["unshare", "-Urm", sys.executable, "-c", SMALL, size, str(room), *call]
    environment = {**os.environ, MARK: str(plant.folder)}
    done = subprocess.run(command, cwd=plant.folder, env=environment, text=True, capture_output=True, check=False)
    assert "LEFT []" in done.stderr and "Traceback" not in done.stderr, done.stderr
    return done.returncode, codes(done.stdout)[0], done.stderr


def test_no_room_for_the_regions(tmp_path: Path) -> None:
    plant = bad(tmp_path)
    room = tmp_path / "room"
    status, code, _ = in_little_room(plant, room, "16k", *plant.run(f"--dir={room}/plant"))
    assert (status, code) == (2, "T007") and plant.left() == []


def test_no_room_for_the_output(tmp_path: Path) -> None:
    plant = bad(tmp_path)
    status, code, _ = in_little_room(plant, tmp_path / "room", "8k", *plant.run(o="room/out.raw"))
    assert (status, code) == (2, "E030") and plant.left() == []
