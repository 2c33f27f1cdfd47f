"""`byteor run` in pieces, and twice under other batch limits."""

from __future__ import annotations

from pathlib import Path

from tests.cli.project import OUT, PLAN, Project, byteor, project, said

BATCH = PLAN.replace("min_out = 0", 'form = "batch"')
MEAN = "def value(batch):\n    batch['value'] = batch['price'] - batch['price'].mean()\n"
PLUS = "def value(batch):\n    batch['value'] = batch['price'] + 1\n"
ROWS = "".join(f"{n}.5,1\n" for n in range(40))


def test_output_rolls_into_numbered_pieces(tmp_path: Path) -> None:
    p = project(tmp_path)
    assert p.run("--roll", "1").exit_code == 0
    assert p.left() == ["out-000001.csv", "out-000002.csv"]
    head, *lines = OUT.splitlines()
    assert [Path(p.path(name)).read_text() for name in p.left()] == [f"{head}\n{line}\n" for line in lines]


def test_a_roll_that_cannot_be_is_refused(tmp_path: Path) -> None:
    p = project(tmp_path)
    assert "X011" in p.run("--roll", "ten").stderr
    done = byteor("run", p.plan, "-i", p.path("in.csv"), "-o", "-", "--roll", "10")
    assert done.exit_code == 2 and "cannot be written in pieces" in done.stderr and p.left() == []


def varied(folder: Path, stages: str, *more: str, plan: str = BATCH) -> tuple[Project, list[str]]:
    p = project(folder, stages, rows=ROWS, plan=plan)
    return p, ["run", p.plan, "--input", p.path("in.csv"), "--vary-batches", "--single-thread", *more]


def test_varying_batches_finds_nothing_where_borders_mean_nothing(tmp_path: Path) -> None:
    p, command = varied(tmp_path, PLUS)
    assert byteor(*command).exit_code == 0
    assert byteor(*command, "--output", p.path("out.csv")).exit_code == 0
    assert len(Path(p.path("out.csv")).read_text().splitlines()) == 41


def test_varying_batches_finds_what_depends_on_borders(tmp_path: Path) -> None:
    p, command = varied(tmp_path, MEAN)
    done = byteor(*command, "--output", p.path("out.csv"))
    assert done.exit_code == 2 and "error[X030] batch-dependent: `out` differs at byte" in done.stderr
    data = said(byteor(*command, "--json"))
    assert data["status"] == "refused" and data["findings"][0]["code"] == "X030"


def test_varying_batches_says_what_the_spec_knows(tmp_path: Path) -> None:
    _, command = varied(tmp_path, MEAN, plan=BATCH.replace('form = "batch"', 'form = "batch"\nborders = true'))
    assert "looks at batch borders" in byteor(*command).stderr


def test_varying_batches_needs_files(tmp_path: Path) -> None:
    p, command = varied(tmp_path, PLUS)
    for more in (("-o", "-"), ("--roll", "5", "-o", p.path("out.csv"))):
        done = byteor(*command, *more)
        assert done.exit_code == 2 and "X011" in done.stderr
    done = byteor("run", p.plan, "-i", "-", "--vary-batches", stdin="price,size\n1,2\n")
    assert done.exit_code == 2 and "cannot be read twice" in done.stderr
