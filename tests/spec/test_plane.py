"""The model plane runs where a browser runs it: whole, and on the standard library alone."""

from __future__ import annotations

import subprocess
import sys

import pytest

import byteor.lower  # noqa: F401 - it brings the tables of the whole plane
from byteor import diag
from byteor.plan.page import diagnostics_page, explain, near_codes

LACKING = (
    "numpy",
    "numba",
    "pyarrow",
    "fcntl",
    "mmap",
    "ctypes",
    "threading",
    "subprocess",
    "multiprocessing",
    "resource",
)

WHOLE_WAY = """
import sys
for name in sys.argv[1:]:
    sys.modules[name] = None
from byteor import diag
from byteor.lower import lower
from byteor.plan import document
from byteor.plan.page import diagnostics_page, explain
from byteor.spec import describe, kv, rules
from byteor.views import diff, graph, header, schema, svg, texts
plan = (
    document.single_ring("demo", "tick", {"tick": {"px": "f64"}})
    .ingress().stage("a", "m:f", params={"x": 1.5}).egress().plan
)
for form in ("toml", "json"):
    assert document.read(document.encode(plan, form)).plan == plan
plant = document.lane_graph("demo", {"tick": {"px": "f64"}}).ingress("in", type="tick").egress()
plant = plant.connect("in", "out").plan
for spec in (lower(plan).spec, lower(plant).spec):
    assert kv.decode(kv.encode(spec)).spec == spec and not rules.validate(spec)
    assert describe.describe(spec)
assert explain("S020") and diagnostics_page()
drawn = graph.graph_of(spec)
assert svg.svg(drawn) and texts.text(drawn) and not diff.diff(spec, spec)
assert header.header(spec) and schema.plan_schema()
broken = document.read(document.encode(plan).replace("plan = 2", "plan = 3"))
print(diag.render(broken.findings, broken.source))
"""


@pytest.mark.skipif(sys.platform == "emscripten", reason="this is a browser's Python, and it has no processes")
def test_the_whole_way_needs_nothing_that_a_browser_lacks() -> None:
    done = subprocess.run(
        [sys.executable, "-c", WHOLE_WAY, *LACKING], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "error[P016] plan-version" in done.stdout


def test_explain_knows_codes_and_names() -> None:
    assert explain("s020") == explain("bad-capacity")
    assert "power of two" in (explain("S020") or "")
    assert explain("S999") is None
    assert "S045 race" in near_codes("rase")


def test_the_page_holds_every_rule() -> None:
    page = diagnostics_page()
    assert all(f"### {rule.code} {rule.name}" in page for rule in diag.RULES.values())
