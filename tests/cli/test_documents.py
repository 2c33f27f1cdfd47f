"""Commands that read documents, explain codes, make projects and look after the cache."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import byteor as package
from byteor import diag
from byteor.cli import explain
from byteor.plan.page import explain as page
from tests.cli.project import byteor, project, said


def test_check_says_ok_and_the_hash(tmp_path: Path) -> None:
    p = project(tmp_path)
    sha = byteor("hash", p.plan).stdout.strip()
    assert byteor("check", p.plan).stdout == f"{p.plan}: ok, spec {sha}\n"
    data = said(byteor("check", "--json", "--resolve", "--strict", p.plan))
    assert (data["status"], data["form"], data["spec_sha256"], data["findings"]) == ("ok", "plan", sha, [])


def test_every_form_of_a_document_has_the_same_hash(tmp_path: Path) -> None:
    p = project(tmp_path)
    sha = byteor("hash", p.plan).stdout
    byteor("convert", p.plan, p.path("spec.kv"))
    byteor("convert", p.path("spec.kv"), p.path("spec.json"))
    for name in ("spec.kv", "spec.json"):
        assert byteor("hash", p.path(name)).stdout == sha
        assert said(byteor("hash", "--json", p.path(name)))["spec_sha256"] == sha.strip()
    again = byteor("convert", "--to", "kv", p.path("spec.json")).stdout
    assert again == Path(p.path("spec.kv")).read_text() == byteor("lower", p.plan).stdout


def test_a_document_may_come_from_stdin(tmp_path: Path) -> None:
    text = Path(project(tmp_path).plan).read_text()
    assert byteor("lower", "-", stdin=text).stdout.startswith("byteor.kv=1\nkind=single_ring\n")
    assert byteor("check", "-", stdin="nonsense").exit_code == 2


def test_findings_are_told_with_their_lines_all_at_once(tmp_path: Path) -> None:
    p = project(tmp_path)
    plan = Path(p.plan)
    plan.write_text(plan.read_text().replace("capacity = 64", "capacity = 63").replace('"f64"', '"f63"'))
    done = byteor("check", p.plan)
    assert done.exit_code == 2 and "Traceback" not in done.stderr
    assert done.stderr.count("error[") >= 3 and f"{p.plan}:12" in done.stderr
    data = said(byteor("check", "--json", p.plan))
    assert data["status"] == "refused" and data["spec_sha256"] is None
    assert {"path", "code", "message", "help", "line"} <= set(data["findings"][0])


def test_an_unknown_key_is_a_warning_that_running_refuses(tmp_path: Path) -> None:
    p = project(tmp_path)
    spec = Path(p.path("spec.kv"))
    spec.write_text(byteor("lower", p.plan).stdout + "single_ring.colour=red\n")
    assert byteor("check", str(spec)).exit_code == 0
    assert byteor("check", "--strict", str(spec)).exit_code == 2
    assert byteor("convert", str(spec)).exit_code == 2
    assert byteor("run", str(spec), "-i", p.path("in.csv")).exit_code == 2


def test_check_resolve_looks_at_the_code(tmp_path: Path) -> None:
    p = project(tmp_path, "def other(tick): ...\n")
    assert byteor("check", p.plan).exit_code == 0
    done = byteor("check", "--resolve", p.plan)
    assert done.exit_code == 2 and "error[X001]" in done.stderr and f"{p.plan}:" in done.stderr


def test_check_resolve_proposes_what_a_stage_touches(tmp_path: Path) -> None:
    p = project(tmp_path)
    plan = Path(p.plan)
    plan.write_text(plan.read_text().replace('reads = ["price", "size"]\nwrites = ["value"]\n', ""))
    shown = byteor("check", "--resolve", p.plan).stdout
    assert 'reads = ["price", "size"]' in shown and 'writes = ["value"]' in shown


def test_describe_and_lower_explain(tmp_path: Path) -> None:
    p = project(tmp_path)
    assert "single ring `ticks`" in byteor("describe", p.plan).stdout
    assert "single ring" in said(byteor("describe", "--json", p.plan))["text"]
    assert "slot_bytes" in byteor("lower", "--explain", p.plan).stdout
    assert said(byteor("lower", "--explain", "--json", p.plan))["notes"]
    assert said(byteor("lower", "--json", p.plan))["kind"] == "single_ring"


def test_every_code_is_explained() -> None:
    explain.rules()
    for code, rule in diag.RULES.items():
        assert rule.name in page(code)
    assert byteor("explain", "S045").stdout == page("S045")
    assert {code[0] for code in explain.rules()} >= set("EKLPSX")
    assert len(byteor("explain").stdout.splitlines()) == len(diag.RULES)
    assert said(byteor("explain", "--json", "s045"))["name"] == "race"
    assert byteor("explain", "S999").exit_code == 2


def test_a_new_project_runs(tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    assert byteor("new", str(folder)).exit_code == 0
    plan, out = str(folder / "plan.toml"), folder / "totals.csv"
    assert byteor("check", "--resolve", "--strict", plan).exit_code == 0
    done = byteor("run", plan, "--input", str(folder / "data.csv"), "--output", str(out))
    assert done.exit_code == 0, done.stderr
    assert out.read_text() == "symbol,trades,value\nAAA,1,1050\nBBB,2,1015\nCCC,1,1000\n"
    assert byteor("new", str(folder)).exit_code == 2
    assert "mine" in (folder / "README.md").read_text()


def test_version() -> None:
    assert byteor("--version").stdout == f"byteor {package.__version__}\n"


def test_cache_clear_removes_what_was_compiled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BYTEOR_CACHE", str(tmp_path / "compiled"))
    (tmp_path / "compiled").mkdir(mode=0o700)
    (tmp_path / "compiled" / "one.nbi").write_bytes(b"x" * 100)
    data = said(byteor("cache", "clear", "--json"))
    assert (data["files"], data["bytes"]) == (1, 100)
    assert not (tmp_path / "compiled").exists()


def test_without_typer_one_line_says_what_to_install() -> None:
    code = "import sys; sys.modules['typer'] = None; from byteor.cli import main; main()"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr == "byteor: the command line needs typer: pip install 'byteor[cli]'\n"


def test_reading_a_document_loads_neither_numpy_nor_numba(tmp_path: Path) -> None:
    p = project(tmp_path)
    code = "import sys; from byteor.cli.app import app; app(['hash', sys.argv[1]], standalone_mode=False)"
    code += "; assert not {'numpy', 'numba', 'pyarrow'} & set(sys.modules), 'loaded'"
    done = subprocess.run([sys.executable, "-c", code, p.plan], capture_output=True, text=True, env=os.environ)
    assert done.returncode == 0, done.stderr
