"""`byteor place`: what a placement makes of a plant, and the units that start its parts.

Rule 1. It reads documents and runs nothing; what it prints is for people, or for systemd and Kubernetes.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Annotated, Any

import typer

from byteor import diag
from byteor.cli import output
from byteor.cli.host import usual
from byteor.cli.loading import PlacedPlant, placed_plant
from byteor.cli.output import Json
from byteor.exec import findings as x
from byteor.place import document, units
from byteor.place.cut import Cut, out_name
from byteor.place.model import Host, Hosts
from byteor.spec.kv import spec_sha256

PRINTS = ("systemd", "kubernetes")
IMAGE = "IMAGE"


def place(
    where: Annotated[str, typer.Argument(metavar="FILE", help="A placement.")],
    name: Annotated[str, typer.Option("--host", help="One host alone.")] = "",
    form: Annotated[
        str, typer.Option("--print", metavar="systemd|kubernetes", help="Print the units that start its parts.")
    ] = "",
    command: Annotated[str, typer.Option(help="Where `byteor` is on the hosts; by default where it is here.")] = "",
    at: Annotated[str, typer.Option("--at", metavar="DIR", help="Where the documents are on the hosts.")] = "",
    image: Annotated[str, typer.Option(help="The image of the pods, for Kubernetes.")] = IMAGE,
    as_json: Json = False,
) -> None:
    """Show what a placement makes of its plant: hosts, roles, and the lanes that cross. Or print units."""
    with output.told(as_json):
        plant = placed_plant(where)
        hosts, made = plant.hosts, plant.cut
        _judge(hosts, name, form)
        if not form:
            return _show(plant, name, as_json)
        chosen = [host for host in hosts.host if name in ("", host.name)]
        path = str(Path(at or Path(where).absolute().parent) / Path(where).name)
        program = command or shutil.which("byteor") or "byteor"
        text = _printed(form, plant.subject.graph.name, chosen, hosts, made, units.Where(program, path, "", image))
        output.put({"format": form, "text": text}, "text", as_json)


def _judge(hosts: Hosts, name: str, form: str) -> None:
    found = []
    if form and form not in PRINTS:
        found.append(
            x.RUN_OPTION.at("print", f"`{form}` is none of what is printed", help=f"use {' or '.join(PRINTS)}")
        )
    if name and hosts.named(name) is None:
        help = f"there is {', '.join(f'`{host.name}`' for host in hosts.host)}"
        found.append(x.RUN_OPTION.at("host", f"there is no host `{name}`", help=help))
    if found:
        raise diag.Refused(found)


def _printed(form: str, plant: str, chosen: list[Host], hosts: Hosts, made: Cut, where: units.Where) -> str:
    if form == "kubernetes":
        return units.kubernetes(plant, hosts, made, where, chosen[0].name if len(chosen) == 1 else "")
    texts = []
    for host in chosen:
        own = units.Where(where.command, where.place, host.dir or usual(plant, host.name))
        head = f"# byteor-{plant}-{host.name}.service\n"
        texts.append(head + units.systemd(plant, host, own))
    return "\n".join(texts)


def _show(plant: PlacedPlant, name: str, as_json: bool) -> None:
    hosts, made = plant.hosts, plant.cut
    spec, sha = spec_sha256(plant.seen.spec), document.place_sha256(hosts)
    generation = document.generation_of(spec, hosts)
    parts = [part for part in made.parts if name in ("", part.host)]
    links = [one for one in made.crossings if name in ("", one.from_, one.to)]
    if as_json:
        data: dict[str, Any] = {"spec_sha256": spec, "place_sha256": sha, "run": f"{generation:016x}"}
        rows = [{"host": part.host, "roles": list(part.roles)} for part in parts]
        lanes = [
            {"lane": one.lane, "from": one.from_, "to": one.to, "fabric": one.fabric, "address": one.connect}
            for one in links
        ]
        return output.put_json({**data, "hosts": rows, "lanes": lanes})
    for part in parts:
        print(f"{part.host}: {', '.join(part.roles)}")
    for one in links:
        slots = one.capacity or plant.subject.graph.lanes[one.number].capacity
        print(f"  {out_name(one)}: {one.from_} -> {one.to} at {one.connect}, {one.fabric}, {slots:,} slots")
    print(f"spec {spec[:16]}, placement {sha[:16]}, run {generation:016x}")
