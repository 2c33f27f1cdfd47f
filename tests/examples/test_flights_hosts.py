"""The flights plant on two and three hosts gives the bytes of one: on loopback, in network namespaces, by each fabric.

Rule 1. All links show certificates; the placements are the example's own, with other addresses and files.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from byteor.cli.asked import Apart, Asked
from byteor.cli.carry import carry_out
from byteor.place import document
from byteor.place.model import File, Hosts, Tls
from byteor.testing.certificates import LOOPBACK
from tests.examples.test_flights_plant import EXAMPLE, module
from tests.examples.test_flights_plant import data as data
from tests.place.hosts import NUMBERS, Host, certificates, given_up, inside, namespaces

# Its loops are compiled once: for minutes, where the machine has other things to do.
pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]
OUTPUTS = {"events": "events.parquet", "alerts": "alerts.jsonl"}
Placed = tuple[Hosts, dict[str, tuple[str, ...]]]  # with what enters each host
Where = Callable[[Hosts], contextlib.AbstractContextManager[Placed]]


@pytest.fixture(scope="module")
def alone(data: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """What the plant gives on one host."""
    folder = tmp_path_factory.mktemp("alone")
    inputs = tuple(f"{name}={data / name}.csv" for name in ("weather", "flights"))
    outcome = carry_out(
        str(EXAMPLE / "plan.toml"),
        Asked(inputs, tuple(f"{name}={folder / file}" for name, file in OUTPUTS.items()), apart=Apart()),
    )
    assert outcome.exit == 0, outcome.error
    return {name: (folder / file).read_bytes() for name, file in OUTPUTS.items()}


def placed(count: str, folder: Path, data: Path) -> Hosts:
    """The example's placement, with files of this test and with certificates."""
    hosts = document.read((EXAMPLE / f"{count}-hosts.toml").read_text()).hosts
    assert hosts is not None
    certificates(folder, [host.name for host in hosts.host], (*LOOPBACK, *NUMBERS))
    return replace(
        hosts,
        plan=str(EXAMPLE / "plan.toml"),
        input=tuple(File(name, str(data / f"{name}.csv")) for name in ("weather", "flights")),
        output=tuple(File(name, str(folder / file)) for name, file in OUTPUTS.items()),
        tls=Tls("ca.pem", "{host}.pem", "{host}.key"),
    )


@contextlib.contextmanager
def on_loopback(hosts: Hosts) -> Iterator[Placed]:
    """The hosts on this machine, at ports of this test."""
    first = 20_000 + os.getpid() % 10_000
    moved = [replace(host, address=f"127.0.0.1:{first + 10 * i}") for i, host in enumerate(hosts.host)]
    yield replace(hosts, host=tuple(moved)), {host.name: () for host in moved}


@contextlib.contextmanager
def in_namespaces(hosts: Hosts) -> Iterator[Placed]:
    """Each host in a network of its own."""
    names = [host.name for host in hosts.host]
    with namespaces(names) as addresses:
        moved = [replace(host, address=f"{addresses[host.name]}:7400") for host in hosts.host]
        yield replace(hosts, host=tuple(moved)), {name: inside(names, name) for name in names}


@pytest.mark.stress
@pytest.mark.parametrize("fabric", ["tcp", "zenoh"])
@pytest.mark.parametrize("where", [on_loopback, in_namespaces])
@pytest.mark.parametrize("count", ["two", "three"])
def test_several_hosts_give_the_bytes_of_one(
    data: Path, alone: dict[str, bytes], tmp_path: Path, count: str, where: Where, fabric: str
) -> None:
    with where(replace(placed(count, tmp_path, data), fabric=fabric)) as (hosts, via):
        path = tmp_path / "place.toml"
        path.write_text(document.encode(hosts))
        parts = [Host(path, name, via[name]) for name in via]
        with given_up(parts):
            for part in parts:
                part.start()
            ends = [part.end() for part in parts]
    assert [status for status, *_ in ends] == [0] * len(parts), ends
    assert {name: (tmp_path / file).read_bytes() for name, file in OUTPUTS.items()} == alone
    assert module("verify").differences(data, tmp_path) == []
