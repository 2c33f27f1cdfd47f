"""Metrics of a run that goes on: scraped over HTTP, read by a parser that is not ours; logs as JSON lines."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from byteor.exec.snapshot import Snapshot, StageSnapshot
from tests.observe import made

pytest.importorskip("prometheus_client")
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from byteor.observe.metrics import RunCollector

NAMES = ("first", "second", "third")
SUPERVISED = '[[supervise]]\nrole = "second"\n'
Samples = dict[tuple[str, str], float]


def events(plant: made.Plant, last: str) -> list[dict[str, Any]]:
    """The log up to an event."""
    assert plant.child.stderr is not None
    found: list[dict[str, Any]] = []
    while not found or found[-1]["event"] != last:
        found.append(json.loads(plant.child.stderr.readline()))
    return found


def read(text: str, label: str) -> Samples:
    """The samples by their name and one label."""
    families = text_string_to_metric_families(text)
    return {(s.name, s.labels.get(label, "")): s.value for family in families for s in family.samples}


def scraped(url: str, label: str) -> Samples:
    with urllib.request.urlopen(url) as answer:
        assert answer.headers["Content-Type"].startswith("text/plain")
        return read(answer.read().decode(), label)


def test_a_scrape_of_a_plant_and_its_restarts(tmp_path: Path) -> None:
    stages = made.stage("first"), made.stage("second", "sleeps", False), made.stage("third")
    plan = made.chain(*stages, names=NAMES, capacity=64) + SUPERVISED
    with made.running(tmp_path, plan, "--metrics", "0", "--log", "json") as plant:
        said = events(plant, "metrics_served")
        url = said[-1]["url"]
        assert url.startswith("http://127.0.0.1:")
        window = plant.moves()
        once = scraped(url, "role")
        assert once["byteor_role_put_total", "out"] >= 50 and once["byteor_role_alive", "second"] == 1
        assert once["byteor_role_restarts_total", "second"] == 0
        assert once["byteor_role_batch_count", "first"] >= 1
        lanes = scraped(url, "lane")
        assert lanes["byteor_lane_capacity", "first_to_second"] == 64
        for kills in (1, 2):
            os.kill(window.status().role("second").pid, signal.SIGKILL)
            window = plant.until(lambda w, n=kills: w.status().role("second").starts == n + 1)  # type: ignore[misc]
            again = scraped(url, "role")
            assert again["byteor_role_restarts_total", "second"] == kills
            assert again["byteor_role_taken_total", "second"] >= once["byteor_role_taken_total", "second"]
        log = events(plant, "role_ready")
        assert {one["role"] for one in log if one["event"] == "role_starting"} >= {"second"}
        assert all(one["time"].endswith("Z") and one["level"] == "info" for one in said + log)


def test_a_ring_has_metrics_too() -> None:
    registry = CollectorRegistry()
    now = Snapshot("running", 7, 5, False, (StageSnapshot("value", 6, 1, 1, 2, 4),))
    registry.register(RunCollector("ticks", lambda: now))
    found = read(generate_latest(registry).decode(), "stage")
    assert found["byteor_stage_processed_total", "value"] == 6 and found["byteor_stage_lag", "value"] == 1


def test_the_dashboard_asks_for_metrics_that_there_are(tmp_path: Path) -> None:
    import byteor

    plan = made.chain(made.stage("first"), names=("first",))
    with byteor.run(plan, stages={"first": lambda row: None}, folder=tmp_path, interpreted=True) as run:
        registry = CollectorRegistry()
        registry.register(RunCollector("made", run.snapshot))
        known = {name for name, _ in read(generate_latest(registry).decode(), "role")} | {"byteor_role_batch_bucket"}
        run.ingress().close()
    board = json.loads((Path(__file__).resolve().parents[2] / "examples/grafana/byteor.json").read_text())
    asked = {
        name for panel in board["panels"] for t in panel["targets"] for name in re.findall(r"byteor_\w+", t["expr"])
    }
    assert len(asked) >= 12 and asked <= known
    assert len({panel["id"] for panel in board["panels"]}) == len(board["panels"])


def test_the_log_of_a_run_to_its_end(tmp_path: Path) -> None:
    plan = made.chain(made.stage("first"), names=("first",))
    path = made.write(tmp_path, plan)
    (tmp_path / "in.csv").write_text("a,b\n1,0\n2,0\n")
    asked = made.command("run", str(path), "-i", "in=in.csv", "-o", "out=out.csv", "--log", "json", "--json")
    done = subprocess.run(asked, cwd=tmp_path, text=True, capture_output=True, check=True)
    last = [json.loads(line) for line in done.stderr.splitlines()][-1]
    assert (last["event"], last["status"], last["messages_in"], last["exit"]) == ("run_ended", "done", 2, 0)
    assert json.loads(done.stdout)["messages_out"] == 2


def test_a_form_of_log_that_is_none(tmp_path: Path) -> None:
    path = made.write(tmp_path, made.chain(made.stage("first"), names=("first",)))
    done = subprocess.run(made.command("run", str(path), "--log", "xml"), text=True, capture_output=True, check=False)
    assert done.returncode == 2 and "`xml` is no form of a log" in done.stderr
