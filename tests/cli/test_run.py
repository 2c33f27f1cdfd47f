"""`byteor run`: what it writes, what it reports, how it ends."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.project import OUT, PLAN, ROWS, VALUE, byteor, project, said

KEYS = (
    "status spec_sha256 stages_sha256 messages_in messages_out filtered dropped skipped seconds rate_per_s stages exit"
)


def test_a_run_writes_its_output_and_reports(tmp_path: Path) -> None:
    p = project(tmp_path, compiled=True)
    done = p.run("--json")
    data = said(done)
    assert done.exit_code == 0
    assert Path(p.path("out.csv")).read_text() == OUT
    assert set(KEYS.split()) == set(data)
    assert (data["status"], data["messages_in"], data["messages_out"], data["filtered"]) == ("done", 3, 2, 1)
    assert data["stages"][0]["name"] == "value" and set(data["stages"][0]) >= {"processed", "batch_p50", "batch_p99"}


@pytest.mark.parametrize("more", [(), ("--single-thread",), ("--interpreted",), ("--single-thread", "--interpreted")])
def test_stdin_to_stdout_keeps_the_report_apart(tmp_path: Path, more: tuple[str, ...]) -> None:
    p = project(tmp_path)
    done = byteor("run", p.plan, "-i", "-", "-o", "-", *more, stdin="price,size\n" + ROWS)
    assert done.exit_code == 0
    assert done.stdout == OUT
    assert "done: 3 in, 2 out, 1 filtered" in done.stderr


def test_a_spec_runs_like_its_plan(tmp_path: Path) -> None:
    p = project(tmp_path)
    assert byteor("convert", p.plan, p.path("spec.kv")).exit_code == 0
    done = byteor("run", p.path("spec.kv"), "-i", p.path("in.csv"), "-o", p.path("out.csv"))
    assert done.exit_code == 0
    assert Path(p.path("out.csv")).read_text() == OUT


@pytest.mark.parametrize("compiled", [False, True])
@pytest.mark.parametrize("more", [(), ("--single-thread",)])
def test_a_stage_that_raises_is_named_with_sequence_and_cause(
    tmp_path: Path, compiled: bool, more: tuple[str, ...]
) -> None:
    body = "def value(tick):\n    if tick.size == 0:\n        raise ValueError('no size')\n    return True\n"
    p = project(tmp_path, body, compiled=compiled)
    done = p.run(*more)
    assert done.exit_code == 1
    assert "stage `value` at message 1: ValueError: no size" in done.stderr and "X010" in done.stderr
    assert p.left() == []
    data = said(p.run("--json", *more))
    assert data["status"] == "failed"
    assert data["error"]["stage"] == "value" and data["error"]["sequence"] == 1
    assert data["error"]["cause"] == "ValueError: no size"


def test_what_does_not_compile_is_a_finding_with_its_line(tmp_path: Path) -> None:
    p = project(tmp_path, "def value(tick):\n    tick.value = open('x')\n    return True\n", compiled=True)
    done = p.run()
    assert done.exit_code == 2
    assert "error[X003]" in done.stderr and "line 2" in done.stderr
    assert "Traceback" not in done.stderr and p.left() == []


def test_a_bad_row_fails_the_run(tmp_path: Path) -> None:
    p = project(tmp_path, rows="1.5,10\nfive,1\n")
    done = p.run()
    assert done.exit_code == 2
    assert "error[E011]" in done.stderr and "line 3" in done.stderr
    assert p.left() == []
    assert said(p.run("--json"))["findings"][0]["code"] == "E011"


def test_skipped_rows_are_counted_and_kept(tmp_path: Path) -> None:
    p = project(tmp_path, rows="1.5,10\nfive,1\n4.0,30\n", bad="skip")
    done = p.run("--json", "--rejects", p.path("bad.jsonl"))
    assert done.exit_code == 3
    assert (said(done)["skipped"], said(done)["messages_in"]) == (1, 2)
    assert "five" in Path(p.path("bad.jsonl")).read_text()


def test_no_option_changes_the_output(tmp_path: Path) -> None:
    p = project(tmp_path)
    for more in (["--wait", "block", "--batch", "1"], ["--set", "single_ring.capacity=1"], ["--repeat", "1"]):
        assert p.run(*more).exit_code == 0
        assert Path(p.path("out.csv")).read_text() == OUT


@pytest.mark.parametrize(
    ("more", "code", "words"),
    [
        (["--set", "single_ring.capacty=1"], "K", "did you mean `capacity`"),
        (["--set", "single_ring.capacity=3"], "S020", "not a power of two"),
        (["--set", "capacity"], "X011", "has no `=`"),
        (["--wait", "sleep"], "X011", "no wait strategy `sleep`"),
        (["--input", "in=again.csv"], "X011", "`in` is given twice"),
        (["--output", "aut=x.csv"], "X011", "did you mean `out`"),
    ],
)
def test_a_bad_option_is_a_finding(tmp_path: Path, more: list[str], code: str, words: str) -> None:
    p = project(tmp_path)
    done = p.run(*more)
    assert done.exit_code == 2
    assert f"error[{code}" in done.stderr or f"warning[{code}" in done.stderr
    assert words in done.stderr and "Traceback" not in done.stderr
    assert p.left() == []
    assert said(p.run("--json", *more))["status"] == "refused"


def test_missing_files_are_findings(tmp_path: Path) -> None:
    p = project(tmp_path)
    nothing = p.path("nothing")
    for arguments in (["run", nothing], ["check", nothing], ["run", p.plan, "-i", nothing + ".csv"]):
        done = byteor(*arguments)
        assert done.exit_code == 2 and "error[E003]" in done.stderr
    done = byteor("run", p.plan, "-i", p.path("in.csv"), "-o", p.path("no/where.csv"))
    assert done.exit_code == 2 and "error[E006]" in done.stderr
    done = byteor("run", p.plan)
    assert done.exit_code == 2 and "`in` has no input" in done.stderr


def test_usage_errors_exit_as_findings_do(tmp_path: Path) -> None:
    for arguments in (["run"], ["run", "x", "--batch", "0"], ["fly"], ["check", "--what"]):
        assert byteor(*arguments).exit_code == 2


def test_a_limit_is_of_messages_in(tmp_path: Path) -> None:
    p = project(tmp_path, rows="1.0,1\n" * 500)
    assert said(p.run("--json", "--limit", "123"))["messages_in"] == 123
    assert said(p.run("--json", "--limit", "7", "--repeat", "3"))["messages_in"] == 7
    assert said(p.run("--json", "--repeat", "3"))["messages_in"] == 1500


def test_a_failure_leaves_an_older_output_as_it_was(tmp_path: Path) -> None:
    p = project(tmp_path, rows="x,y\n")
    Path(p.path("out.csv")).write_text("before\n")
    assert p.run().exit_code == 2
    assert Path(p.path("out.csv")).read_text() == "before\n"


def test_a_missing_column_may_be_what_a_stage_makes(tmp_path: Path) -> None:
    p = project(tmp_path)
    plan = Path(p.plan)
    plan.write_text(plan.read_text().replace('reads = ["price", "size"]\n', ""))
    done = p.run()
    assert done.exit_code == 2 and "no column `value`" in done.stderr


ENDS = VALUE.replace("def value", "import byteor\n\n@byteor.stage\ndef value").replace("(tick)", "(tick, state)")
ENDS = ENDS.replace("    return", "    state.value += tick.value\n    return")
ENDS += "\n@value.end\ndef finish(out, state):\n    out[0] = state\n    return 1\n"


@pytest.mark.parametrize("more", [(), ("--single-thread",)])
def test_rows_and_end_records_go_to_places_of_their_own(tmp_path: Path, more: tuple[str, ...]) -> None:
    plan = PLAN.replace("[ring]", '[types.sum]\nvalue = "f64"\n\n[ring]')
    plan = plan.replace('writes = ["value"]\n', 'writes = ["value"]\nstate = { type = "sum" }\nend = "sum"\n')
    p = project(tmp_path, ENDS, plan=plan + 'emit = "both"\n')
    done = byteor(
        "run",
        p.plan,
        "-i",
        p.path("in.csv"),
        "-o",
        "out=" + p.path("rows.csv"),
        "-o",
        "out.end=" + p.path("sum.csv"),
        *more,
    )
    assert done.exit_code == 0, done.stderr
    assert Path(p.path("rows.csv")).read_text() == OUT
    assert Path(p.path("sum.csv")).read_text() == "value\n135\n"


def test_an_open_that_fails_is_a_failure_and_no_traceback(tmp_path: Path) -> None:
    stages = "import byteor\n\n@byteor.stage\ndef value(tick):\n    return True\n"
    stages += "\n@value.open\ndef connect(p):\n    raise ConnectionError('nobody answers')\n"
    p = project(tmp_path, stages)
    done = p.run()
    assert done.exit_code == 1 and "ConnectionError: nobody answers" in done.stderr
    assert said(p.run("--json"))["status"] == "failed" and p.left() == []


def test_a_full_disk_is_a_failure(tmp_path: Path) -> None:
    p = project(tmp_path)
    done = byteor("run", p.plan, "-i", p.path("in.csv"), "-o", "/dev/full")
    assert done.exit_code == 1 and "No space left" in done.stderr and "Traceback" not in done.stderr


SIDES = """
got = []


def rows():
    yield (1.5, 10)
    yield (4.0, 30)


def keep(batches):
    for batch in batches:
        got.extend(batch['value'].tolist())
    print(got)


def broken():
    yield (1.5, 10)
    raise KeyError('gone')
"""


def test_python_sources_and_sinks_run_beside_the_plan(tmp_path: Path) -> None:
    p = project(tmp_path)
    (tmp_path / f"sides_{tmp_path.name}.py").write_text(SIDES)
    where = f"python:sides_{tmp_path.name}:"
    done = byteor("run", p.plan, "-i", where + "rows", "-o", where + "keep")
    assert done.exit_code == 0 and "[15.0, 120.0]" in done.stdout
    done = byteor("run", p.plan, "-i", where + "broken", "-o", p.path("out.csv"))
    assert done.exit_code == 1 and "KeyError: 'gone'" in done.stderr and p.left() == []


def test_debug_tells_a_stage_that_writes_what_it_did_not_declare(tmp_path: Path) -> None:
    p = project(tmp_path)
    Path(p.path("stages.py")).write_text("def value(tick):\n    tick.size = 0\n")
    done = p.run("--debug")
    assert done.exit_code == 1
    assert "it changed `size`" in done.stderr
    assert p.left() == []
