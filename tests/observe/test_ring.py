"""A ring in processes is seen as a plant is: its ring is the lane of all roles."""

from __future__ import annotations

from pathlib import Path

import pytest

from byteor.observe import data
from byteor.observe.meter import measure
from byteor.observe.why import judge
from tests.observe import made

RING = """plan = 2
name = "made"
target = "single_ring"

[types.row]
a = "i64"
b = "i64"

[ring]
type = "row"
capacity = 64

[[ingress]]

[[stage]]
name = "first"
call = "parts:sleeps"
compiled = false
reads = ["a"]
writes = ["b"]

[[stage]]
name = "second"
call = "parts:looks"
after = ["first"]
reads = ["a", "b"]
writes = []

[[egress]]
"""


@pytest.mark.stress
def test_a_ring_that_runs(tmp_path: Path) -> None:
    with made.running(tmp_path, RING) as plant:
        window = plant.until(lambda w: w.status().role("second").taken >= 20)
        motion = measure(window, 1.0)
        verdict = judge(window, motion)
        seen = data.of_plant(window, motion)
    assert (verdict.what, verdict.names) == ("stage", ("first",)), verdict
    assert "`ring` before it was full" in verdict.sentence
    roles = {role["name"]: role for role in seen["roles"]}
    assert set(roles) == {"in", "first", "second", "out"} and roles["first"]["starts"] == 1
    assert roles["in"]["put"] >= roles["first"]["taken"] >= roles["second"]["taken"] >= roles["out"]["taken"] >= 0
    assert roles["first"]["alive"] and roles["first"]["shares"]["works"] > 0.5
    (ring,) = seen["lanes"]
    assert ring["capacity"] == 64 and ring["published"] >= roles["in"]["put"] - 64
