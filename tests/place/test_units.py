"""Units that start parts: the texts, and that those who read them take them.

Rule 1. `BYTEOR_GOLDEN=write` writes the texts anew; a reader of the diff is the judge.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from byteor.lower.examine import examine
from byteor.place import units
from byteor.place.examine import Placed
from byteor.place.examine import examine as examine_place

HERE = Path(__file__).parent
PLACE = """\
place = 1
plan = "plan.toml"

[tls]
authority = "tls/ca.pem"
certificate = "tls/{host}.pem"
key = "tls/{host}.key"

[[host]]
name = "east"
address = "10.0.0.1:7400"
roles = ["orders", "clean", "count", "counted"]

[[host]]
name = "West_1"
address = "west.plants:7400"
listen = "0.0.0.0"
roles = ["tax", "taxed"]
"""


def placed() -> Placed:
    return examine_place(PLACE, "place.toml", examine((HERE / "plan.toml").read_text(), "plan.toml"))


def unit(host: str, command: str = "/usr/bin/byteor", place: str = "/srv/my plant/100%/place.toml") -> str:
    hosts, _, _ = placed().usable()
    found = hosts.named(host)
    assert found is not None
    return units.systemd("orders", found, units.Where(command, place, f"/dev/shm/byteor-orders-{host}"))


def manifests() -> str:
    hosts, _, made = placed().usable()
    return units.kubernetes("orders", hosts, made, units.Where("byteor", "/srv/plant/place.toml", "", "shop/orders:1"))


def held(name: str, text: str) -> None:
    """Hold a text to its golden file."""
    path = HERE / "golden" / name
    if os.environ.get("BYTEOR_GOLDEN") == "write":
        path.write_text(text)
    assert text == path.read_text()


def test_the_unit_of_a_host_is_the_one_in_the_file() -> None:
    held("east.service", unit("east"))


def test_the_manifests_are_those_in_the_file() -> None:
    held("orders.yaml", manifests())


def test_systemd_takes_the_unit(tmp_path: Path) -> None:
    analyze = shutil.which("systemd-analyze") or pytest.skip("no systemd-analyze")
    path = tmp_path / "byteor-orders-east.service"
    path.write_text(unit("east", sys.executable, str(tmp_path / "a b" / "place.toml")))
    done = subprocess.run([analyze, "verify", "--man=no", path], capture_output=True, text=True, check=False)
    ours = [line for line in done.stderr.splitlines() if path.name in line]
    assert ours == [] and done.returncode == 0, done.stderr


def test_the_manifests_are_yaml_that_says_what_is_meant() -> None:
    yaml = pytest.importorskip("yaml")
    docs: list[dict[str, Any]] = list(yaml.safe_load_all(manifests()))
    assert [(doc["kind"], doc["metadata"]["name"]) for doc in docs] == [
        ("Job", "orders-east"),
        ("Service", "west"),
        ("Job", "orders-west-1"),
    ]
    service, job = docs[1], docs[2]["spec"]["template"]
    assert service["spec"]["selector"].items() <= job["metadata"]["labels"].items()
    (container,) = job["spec"]["containers"]
    assert [port["port"] for port in service["spec"]["ports"]] == [port["containerPort"] for port in container["ports"]]
    assert container["command"][:4] == ["byteor", "host", "--name", "West_1"]
    mounts = {mount["name"]: mount["mountPath"] for mount in container["volumeMounts"]}
    assert mounts == {"lanes": "/dev/shm", "tls": "/srv/plant/tls"}
    assert {volume["name"] for volume in job["spec"]["volumes"]} == set(mounts)
