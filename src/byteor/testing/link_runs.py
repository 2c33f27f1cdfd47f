"""One plant cut into parts of several hosts, on one machine: every lane that crosses goes over a fabric.

Rule 1. Where roles run is given by name; what touches a journal stays together.
Rule 2. The ends of a link meet at a port of this machine, or at a relay before it.
"""

from __future__ import annotations

import random
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from byteor.fabric.link import IN, OUT, Link
from byteor.plant.wiring import Part, local
from byteor.spec.flow import flow_of
from byteor.spec.lane_graph import LaneGraph
from byteor.testing.plant_runs import Plant

HERE = "127.0.0.1"
Certificates = Mapping[str, str]  # certificate, key, authority


@dataclass(frozen=True, slots=True)
class Crossing:
    """A lane that crosses from one host to another."""

    lane: str
    from_: str
    to: str


def scattered(graph: LaneGraph, hosts: tuple[str, ...], dice: random.Random) -> dict[str, str]:
    """Put every role on a host by chance; who shares a journal shares a host."""
    flow = flow_of(graph)
    found = {role.name: dice.choice(hosts) for role in flow.roles}
    for number, lane in enumerate(graph.lanes):
        if lane.kind == "journal":
            together = [role.name for role in (*flow.writers[number], *flow.readers[number])]
            _join(found, together)
    return found


def _join(found: dict[str, str], names: list[str]) -> None:
    """Bring some roles, and whoever is with them by a journal already, to one host."""
    for name in names:
        found[name] = found[names[0]]


def crossings(graph: LaneGraph, where: Mapping[str, str]) -> tuple[Crossing, ...]:
    """The lanes that cross, once for each host that reads them."""
    flow, found = flow_of(graph), []
    for number, lane in enumerate(graph.lanes):
        writers = {where[role.name] for role in flow.writers[number]}
        readers = dict.fromkeys(where[role.name] for role in flow.readers[number])
        found += [Crossing(lane.name, one, to) for one in writers for to in readers if to != one]
    return tuple(found)


def split(
    plant: Plant,
    where: Mapping[str, str],
    fabric: str = "tcp",
    certificates: Mapping[str, Certificates] | None = None,
    before: Callable[[int], int] = lambda port: port,
    generation: int = 1,
) -> dict[str, Plant]:
    """The parts of a plant by host; `before` gives the port of a relay before one."""
    graph = plant.wanted.graph
    links: dict[str, list[Link]] = {host: [] for host in where.values()}
    for one in crossings(graph, where):
        port = free_port()
        ends = {
            one.from_: Link(
                one.lane, OUT, fabric, generation, connect=f"{HERE}:{before(port)}", name=f"{one.lane}_{one.to}"
            ),
            one.to: Link(one.lane, IN, fabric, generation, listen=f"{HERE}:{port}"),
        }
        for host, link in ends.items():
            pems: Mapping[str, Any] = (certificates or {}).get(host, {})
            links[host].append(replace(link, **pems))
    return {host: _part(plant, where, host, tuple(found)) for host, found in links.items()}


def _part(plant: Plant, where: Mapping[str, str], host: str, links: tuple[Link, ...]) -> Plant:
    part = Part(tuple(name for name, at in where.items() if at == host), links)
    graph, wanted = local(plant.wanted.graph, part), plant.wanted
    ins = {at.ingress.name for at in graph.ingresses}
    outs = {at.egress.name for at in graph.egresses} | {bridge.to for bridge in graph.bridges}
    outs |= {at.to for at in graph.ingresses}
    names = {role.stage.name for role in graph.stages}
    mine = replace(
        wanted,
        codes={name: code for name, code in wanted.codes.items() if name in names},
        inputs={name: place for name, place in wanted.inputs.items() if name in ins},
        outputs={name: place for name, place in wanted.outputs.items() if name in outs},
        part=part,
    )
    expected = {name: what for name, what in plant.expected.items() if name in mine.outputs}
    return Plant(f"{plant.name} on {host}", mine, expected)


def free_port() -> int:
    """A port that nobody listens at just now."""
    with socket.create_server((HERE, 0)) as made:
        return int(made.getsockname()[1])
