"""A plant on several hosts gives the bytes of one, goes on where a host died, and never mixes two runs."""

from __future__ import annotations

import os
import shutil
import signal
from pathlib import Path
from typing import Any

import pytest

from byteor.cli.asked import Asked
from byteor.cli.carry import carry_out
from byteor.plant import processes
from byteor.plant.supervisor import Supervisor
from tests.place.hosts import KILL, TERM, Host, await_that, certificates, given_up

HERE = Path(__file__).parent
PLACE = """\
place = 1
plan = "orders.toml"
{head}
[input]
in = "{source}"

[output]
out = "out.csv"

[[host]]
name = "a"
address = "127.0.0.1:{port}"
roles = ["in", "tax"]

[[host]]
name = "b"
address = "127.0.0.1:{more}"
roles = ["dear", "both", "out"]
"""
TLS = '[tls]\nauthority = "ca.pem"\ncertificate = "{host}.pem"\nkey = "{host}.key"\n'
ROWS = 20_000


def placed(folder: Path, head: str = "", source: str = "orders.csv", dirs: bool = False) -> tuple[Host, Host]:
    """Lay a plant out in a folder: its plan, its code, its input, and a placement on two hosts of this machine."""
    for name in ("orders.toml", "shop.py"):
        shutil.copy(HERE / name, folder)
    rows = "".join(f"{i},{i % 200},0\n" for i in range(ROWS))
    (folder / "orders.csv").write_text("id,price,total\n" + rows)
    port = 20_000 + os.getpid() % 10_000 + (hash(str(folder)) % 100) * 200
    path = folder / "place.toml"
    path.write_text(PLACE.replace("{head}", head).format(source=source, port=port, more=port + 100, host="{host}"))
    if dirs:  # as the helper of hosts has them
        text = path.read_text()
        for name in ("a", "b"):
            text = text.replace(f'name = "{name}"', f'name = "{name}"\ndir = "{folder}/part-{name}"')
        path.write_text(text)
    return Host(path, "a"), Host(path, "b")


@pytest.fixture
def alone(tmp_path: Path) -> bytes:
    """What the plant gives on one host."""
    placed(tmp_path)
    out = tmp_path / "alone.csv"
    outcome = carry_out(str(tmp_path / "orders.toml"), Asked((f"in={tmp_path}/orders.csv",), (f"out={out}",)))
    assert outcome.exit == 0, outcome.error
    return out.read_bytes()


def test_two_hosts_give_the_bytes_of_one_and_are_over_then(tmp_path: Path, alone: bytes) -> None:
    a, b = placed(tmp_path, TLS)
    certificates(tmp_path, ("a", "b"))
    with given_up((a, b)):
        a.start(), b.start()
        assert [host.end()[0] for host in (a, b)] == [0, 0]
        assert (tmp_path / "out.csv").read_bytes() == alone
        assert sorted(path.name for path in b.folder.iterdir()) == ["ended.json", "manifest.json", "supervisor"]
        (tmp_path / "out.csv").unlink()
        again, other = a.here(), b.here("--run", "tomorrow")
        assert (again.exit_code, again.stdout) == (0, "a: done already; `--new` starts anew\n")
        assert other.exit_code == 5 and "X061" in other.stderr
        assert not (tmp_path / "out.csv").exists()


@pytest.mark.stress
def test_hosts_go_on_where_they_were_killed(tmp_path: Path, alone: bytes) -> None:
    a, b = placed(tmp_path)
    with given_up((a, b)):
        a.start()
        await_that(lambda: a.depth("tax_out") == 256)  # nobody takes: the lane fills
        assert a.end(KILL)[0] == -KILL
        b.start(), a.start()
        await_that(lambda: b.taken("tax_out.in") > 0)
        status = b.end(TERM)[0]
        assert status in (143, 0) and b.folder.exists()
        b.start()
        assert [host.end()[0] for host in (a, b)] == [0, 0]
    assert (tmp_path / "out.csv").read_bytes() == alone


@pytest.mark.stress
@pytest.mark.parametrize("wiped", ["a", "b"])
def test_a_wiped_folder_is_refused_on_both_hosts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, wiped: str) -> None:
    hosts = dict(zip("ab", placed(tmp_path, source="python:shop:rows"), strict=True))
    monkeypatch.setenv("BYTEOR_TEST_OVER", str(tmp_path / "over"))  # nothing more crosses
    with given_up(tuple(hosts.values())):
        for host in hosts.values():
            host.start()
        await_that(lambda: hosts["a"].taken("tax_out.out") == 1000)
        host = hosts[wiped]
        assert host.end(TERM)[0] == 143
        shutil.rmtree(host.folder)
        host.start()
        for host in hosts.values():
            status, _, err = host.end()
            assert status == 5 and "F008" in err, err


def test_a_signal_before_there_is_a_supervisor_stops_the_part(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Signalled(Supervisor):
        def __init__(self, *given: Any, **more: Any) -> None:
            super().__init__(*given, **more)
            signal.raise_signal(TERM)

    monkeypatch.setattr(processes, "Supervisor", Signalled)
    a, _ = placed(tmp_path)
    said = a.here()
    assert (said.exit_code, a.folder.exists()) == (143, True), said.stderr


def test_a_signal_in_a_bring_up_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "_compile", lambda *given: signal.raise_signal(TERM))
    a, _ = placed(tmp_path)
    said = a.here()
    assert (said.exit_code, a.folder.exists()) == (143, False), said.stderr


def test_what_is_not_on_a_host_is_a_finding(tmp_path: Path) -> None:
    a, b = placed(tmp_path, TLS)
    said = a.here()
    assert said.exit_code == 2 and said.stderr.count("[X062]") == 3
    certificates(tmp_path, ("b",), ("10.0.0.9",))
    said = b.here()
    assert said.exit_code == 2 and "[F011]" in said.stderr and "place.toml:" in said.stderr
    assert "does not name `127.0.0.1`" in said.stderr and not b.folder.exists()
    b.name = "c"
    said = b.here()
    assert said.exit_code == 2 and "[X063]" in said.stderr and not b.folder.exists()
