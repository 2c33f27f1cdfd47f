"""Commands that show documents and the machine: diff, graph, schema, doctor, and the profile of the original."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.project import byteor, project, said


def test_diff_says_equal_different_or_why_it_cannot(tmp_path: Path) -> None:
    p = project(tmp_path)
    other = tmp_path / "other.toml"
    other.write_text(Path(p.plan).read_text().replace("capacity = 64", "capacity = 128"))
    same = byteor("diff", p.plan, p.plan)
    assert (same.exit_code, same.stdout) == (0, "")
    done = byteor("diff", p.plan, str(other))
    assert done.exit_code == 1 and "~ capacity: 64 -> 128  (single_ring.capacity)\n" in done.stdout
    data = said(byteor("diff", "--json", p.plan, str(other)))
    assert data["status"] == "different" and data["old"] != data["new"]
    assert data["changes"][0] == {
        "what": "changed",
        "subject": "capacity",
        "path": "single_ring.capacity",
        "old": "64",
        "new": "128",
    }
    other.write_text("nonsense")
    assert byteor("diff", p.plan, str(other)).exit_code == 2


@pytest.mark.parametrize(
    ("form", "begins"), [("text", "demo "), ("svg", "<svg "), ("mermaid", "flowchart TB"), ("dot", "digraph ")]
)
def test_graph_draws_in_every_form(tmp_path: Path, form: str, begins: str) -> None:
    p = project(tmp_path)
    done = byteor("graph", p.plan, "--format", form, "--top-down")
    assert done.exit_code == 0 and (done.stdout.startswith(begins) or form == "text")
    assert said(byteor("graph", p.plan, "--format", form, "--top-down", "--json"))["text"] == done.stdout
    assert byteor("graph", p.plan, "--format", form, "--plan").exit_code == 0


def test_graph_refuses_what_it_cannot_draw(tmp_path: Path) -> None:
    p = project(tmp_path)
    done = byteor("graph", p.plan, "--format", "dott")
    assert done.exit_code == 2 and "did you mean `dot`?" in done.stderr
    spec = tmp_path / "spec.kv"
    spec.write_text(byteor("lower", p.plan).stdout)
    assert byteor("graph", "--plan", str(spec)).exit_code == 2


def test_schema_prints_a_schema_or_structs(tmp_path: Path) -> None:
    p = project(tmp_path)
    assert json.loads(byteor("schema").stdout)["title"] == "A byteor plan"
    assert "_Static_assert(sizeof(struct " in byteor("schema", "--header", p.plan).stdout


def test_the_profile_of_the_original_is_a_check(tmp_path: Path) -> None:
    p = project(tmp_path)
    plan = Path(p.plan)
    assert byteor("check", "--profile", "v1", p.plan).exit_code == 0
    plan.write_text(plan.read_text().replace("capacity = 64", "capacity = 2048"))
    done = byteor("check", "--profile", "v1", p.plan)
    assert done.exit_code == 2 and "S090" in done.stderr and byteor("check", p.plan).exit_code == 0
    assert byteor("check", "--profile", "v9", p.plan).exit_code == 2


def test_doctor_has_a_line_for_each_thing_it_asks() -> None:
    lines = said(byteor("doctor", "--json"))["lines"]
    assert {"python", "numba", "cores", "compile cache", "futex", "file locks", "clock source"} <= {
        line["name"] for line in lines
    }
    assert all(line["status"] in ("ok", "warn") for line in lines)
    assert "warning" in byteor("doctor").stdout
