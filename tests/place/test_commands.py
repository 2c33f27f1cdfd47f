"""What the commands say of placements: findings of both documents, why lanes cross, units, and parts at a glance."""

from __future__ import annotations

import json
import re
import shutil
import sys
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from byteor.cli.app import app
from byteor.plant import directory, ending, hosts
from tests.place.hosts import Host
from tests.place.test_hosts import placed


def asked(*words: str | Path) -> Result:
    result: Result = CliRunner().invoke(app, list(map(str, words)), catch_exceptions=False)
    return result


@pytest.fixture
def laid(tmp_path: Path) -> tuple[Host, Host]:
    return placed(tmp_path, dirs=True)


def test_check_tells_of_the_plan_and_of_the_placement(laid: tuple[Host, Host]) -> None:
    place = laid[0].place
    plan = place.parent / "orders.toml"
    said = asked("check", plan, "--place", place)
    assert said.exit_code == 0 and said.stdout.count("ok, ") == 2
    data = json.loads(asked("check", plan, "--place", place, "--json").stdout)
    assert data["place"]["status"] == "ok" and len(data["place"]["place_sha256"]) == 64
    place.write_text(place.read_text().replace('"tax"]', '"tacks"]'))
    said = asked("check", plan, "--place", place)
    assert said.exit_code == 2 and "P072" in said.stderr and "P075" in said.stderr
    assert json.loads(asked("check", plan, "--place", place, "--json").stdout)["place"]["status"] == "refused"
    assert asked("host", "--name", "a", "--place", place).exit_code == 2


WRONG = """\
place = 1
plan = "orders.toml"
fabric = "udp"
round_trip_us = 0

[input]
inn = "orders.csv"

[[host]]
name = "a b"
address = "127.0.0.1"
roles = ["in", "tacks"]

[[host]]
name = "b"
address = "127.0.0.1:0"
roles = ["dear", "both", "out", "in"]

[[link]]
lane = "no_lane"
to = "c"
port = 70000
"""


def test_check_tells_all_that_is_wrong_with_a_placement_at_once(laid: tuple[Host, Host]) -> None:
    place = laid[0].place
    place.write_text(WRONG)
    plan = place.parent / "orders.toml"
    said = asked("check", plan, "--place", place)
    told = re.findall(r"\[(P\d+)\]", said.stderr)
    assert said.exit_code == 2 and set(told) == {"P071", "P072", "P073", "P075", "P076", "P077", "P078", "P080"}
    assert said.stderr.count(" --> ") == len(told) == 12
    data = json.loads(asked("check", plan, "--place", place, "--json").stdout)
    assert [one["code"] for one in data["place"]["findings"]] == told


def test_lower_says_why_lanes_cross(laid: tuple[Host, Host]) -> None:
    place = laid[0].place
    said = asked("lower", place.parent / "orders.toml", "--explain", "--place", place).stdout
    assert (
        "`tax` writes lane `tax_out` on a, `dear` and `both` read it on b: `tax_out.out` ships it to 127.0.0.1:" in said
    )


def test_place_shows_hosts_and_prints_units(laid: tuple[Host, Host]) -> None:
    place = laid[0].place
    assert asked("place", place).stdout.startswith(
        "a: in, tax\nb: dear, both, out\n  tax_out.out: a -> b at 127.0.0.1:"
    )
    data = json.loads(asked("place", place, "--json").stdout)
    assert [one["lane"] for one in data["lanes"]] == ["tax_out"] and len(data["run"]) == 16
    unit = asked("place", place, "--print", "systemd", "--host", "b", "--command", "/bin/byteor", "--at", "/srv").stdout
    assert f"ExecStart=/bin/byteor host --name b --place /srv/place.toml --resume {laid[1].folder} --log json\n" in unit
    assert 'kind: "Job"' in asked("place", place, "--print", "kubernetes").stdout
    assert asked("place", place, "--print", "crontab", "--host", "c").stderr.count("error[") == 2


def test_the_schema_of_placements_is_printed() -> None:
    assert json.loads(asked("schema", "--place").stdout)["properties"]["place"]["const"] == 1


def wanted(host: Host) -> hosts.Wanted:
    from byteor.cli.host import wanted_at

    options = {"wait": "", "batch": 64, "interpreted": True, "limit": None, "rejects": None}
    return wanted_at(str(host.place), host.name, "", ((), ()), options, None)[0]


def test_a_part_is_begun_gone_on_with_or_over(laid: tuple[Host, Host]) -> None:
    a, _ = laid
    made = hosts.open_part(wanted(a), a.folder, anew=False)
    assert not isinstance(made, str)
    said = a.here()
    assert said.exit_code == 4 and "X040" in said.stderr  # somebody has it
    assert not hosts.close_part(made, "failed", ())
    again = hosts.open_part(wanted(a), a.folder, anew=False)
    assert not isinstance(again, str) and again.held.manifest.token == made.held.manifest.token
    assert hosts.close_part(again, "done", ())
    assert hosts.open_part(wanted(a), a.folder, anew=False) == "done"
    anew = hosts.open_part(wanted(a), a.folder, anew=True)
    assert not isinstance(anew, str) and anew.held.manifest.token != made.held.manifest.token
    anew.held.remove()


def test_a_part_that_was_killed_as_it_was_made_is_begun(laid: tuple[Host, Host]) -> None:
    a, _ = laid
    for has_manifest in (True, False):
        directory.create("orders", a.folder).release()
        if not has_manifest:
            (a.folder / directory.MANIFEST).unlink()
        (a.folder / "lane.x").touch()
        made = hosts.open_part(wanted(a), a.folder, anew=False)
        assert not isinstance(made, str) and "lane.x" not in {path.name for path in a.folder.iterdir()}
        made.held.remove()
        shutil.rmtree(a.folder, ignore_errors=True)


def test_a_part_whose_region_is_gone_is_lost(laid: tuple[Host, Host]) -> None:
    a, _ = laid
    made = hosts.open_part(wanted(a), a.folder, anew=False)
    assert not isinstance(made, str)
    hosts.close_part(made, "failed", ())
    (a.folder / "lane.tax_out").unlink()
    said = a.here()
    assert said.exit_code == 5 and "X041" in said.stderr


def test_status_shows_all_parts_here_or_asks_for_them(laid: tuple[Host, Host], monkeypatch: pytest.MonkeyPatch) -> None:
    a, b = laid
    said = asked("status", "--place", a.place)
    assert said.exit_code == 1 and "no part" in said.stderr
    made = [hosts.open_part(wanted(host), host.folder, anew=False) for host in (a, b)]
    for one, status in zip(made, ("failed", "done"), strict=True):
        assert not isinstance(one, str)
        hosts.close_part(one, status, ())
    said = asked("status", "--place", a.place)
    assert f"orders on a is left; nobody runs it, in {a.folder}" in said.stdout and "tax_out.out" in said.stdout
    assert f"orders on b is over, in {b.folder}: done" in said.stdout
    assert [one["host"] for one in json.loads(asked("status", a.folder, b.folder, "--json").stdout)["plants"]] == [
        "a",
        "b",
    ]
    monkeypatch.setenv("PATH", str(Path(sys.executable).parent), prepend=":")
    via = asked("status", "--place", a.place, "--via", "env BYTEOR_AT={address}")
    assert via.exit_code == 0 and "orders on a" in via.stdout and "orders on b is over" in via.stdout
    assert ending.read(b.folder).status == "done"
    gone = asked("status", "--place", a.place, "--via", "false {name}")
    assert gone.stdout == "a: status 1\n\nb: status 1\n"
