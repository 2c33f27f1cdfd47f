"""One host's part of a plant: what it is to be, and whether it is begun, gone on with, or over.

Rule 1. What is not on this host is asked for nothing here: no code, no files, no regions.
Rule 2. To start a part twice does no harm: one that is left goes on, one that has ended stays ended.
Rule 3. A folder belongs to one run of the plant on all its hosts; another run is refused, never mixed in.
Rule 4. Names of the placement become links here: below, nothing knows documents.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from byteor.diag import Diagnostic, Refused
from byteor.exec.resolve import resolve
from byteor.fabric.link import IN, OUT, Link, bare
from byteor.fabric.tls import own_fault
from byteor.place.cut import Crossing, Cut, Subject, name_of
from byteor.place.model import HERE, Host, Hosts, Tls
from byteor.plant import directory, ending, findings, processes
from byteor.plant.body import refuse
from byteor.plant.logs import audits
from byteor.plant.processes import Processes, Say, Wanted
from byteor.plant.unsupported import unsupported
from byteor.plant.wiring import Part, local
from byteor.spec.lane_graph import LaneGraph
from byteor.spec.placement import Place, Placement

GENERATION, HOST = "generation", "host"  # what the options of a part hold beside those of any plant
OVER = ("done", "drained")
LINK_RESTARTS = 1000  # ends of links keep nothing that a successor could not find again
STREAMS = ("-", "python:")


@dataclass(frozen=True, slots=True)
class Asked:
    """Which host this is, which run, where the placement's paths begin, and what was said beside the document."""

    host: str
    generation: int
    folder: Path
    code: Path
    inputs: Mapping[str, str]
    outputs: Mapping[str, str]
    options: Mapping[str, Any]
    restarts: int | None = None


def wanted_of(hosts: Hosts, subject: Subject, made: Cut, asked: Asked) -> Wanted:
    """What this host's part of the plant is to be; raise with all that is wrong with its code."""
    here = made.part(asked.host)
    tls = _pem(hosts.tls, asked) if here.out or here.into else None
    names = {host.name: bare(name_of(host.address)) for host in hosts.host}
    links = [_link(one, side, asked, tls, names) for side, ones in ((OUT, here.out), (IN, here.into)) for one in ones]
    part = Part(here.roles, tuple(links), here.capacities)
    graph = local(subject.graph, part)
    codes, found = resolve(graph, asked.code)
    refuse([*unsupported(subject.graph), *found])
    return Wanted(
        subject.graph,
        _placement(subject, part, asked),
        asked.code,
        codes,
        _places({file.name: file.path for file in hosts.input}, asked.inputs, _ingresses(graph), asked),
        _places({file.name: file.path for file in hosts.output}, asked.outputs, _egresses(graph), asked),
        {**asked.options, HOST: asked.host, GENERATION: asked.generation},
        part,
    )


def lacking(hosts: Hosts, asked: Asked) -> tuple[Diagnostic, ...]:
    """What the placement asks for that is not on this host."""
    if (here := hosts.named(asked.host)) is None:
        known = ", ".join(f"`{host.name}`" for host in hosts.host)
        return (findings.NO_HOST.at("host", f"there is no host `{asked.host}`", help=f"there is {known}"),)
    return tuple(_unusable(_pem(hosts.tls, asked), here))


def _pem(tls: Tls | None, asked: Asked) -> Tls | None:
    if tls is None:
        return None
    at = [str(asked.folder / path.replace(HERE, asked.host)) for path in (tls.authority, tls.certificate, tls.key)]
    return Tls(*at)


def _unusable(tls: Tls | None, host: Host) -> Iterator[Diagnostic]:
    """What is wrong with the certificates here, before anything is made."""
    missing = tuple(_missing(tls))
    yield from missing
    if tls is not None and not missing:
        fault = own_fault("tls.certificate", tls.certificate, tls.key, bare(name_of(host.address)))
        yield from () if fault is None else (fault,)


def _missing(tls: Tls | None) -> Iterator[Diagnostic]:
    """The files of certificates that cannot be read here."""
    for key in () if tls is None else ("authority", "certificate", "key"):
        path = getattr(tls, key)
        try:
            with open(path, "rb"):
                pass
        except OSError as e:
            yield findings.NO_CERTIFICATE.at(f"tls.{key}", f"`{path}` cannot be read: {e.strerror}")


def _link(one: Crossing, side: str, asked: Asked, tls: Tls | None, names: Mapping[str, str]) -> Link:
    """One end of a lane that crosses: the far one listens, for it is the one that says when it is ready."""
    pem = {} if tls is None else {"certificate": tls.certificate, "key": tls.key, "authority": tls.authority}
    far = {"connect": one.connect, "peer": one.to} if side == OUT else {"listen": one.listen, "peer": one.from_}
    name = f"{one.lane}_{one.to}" if one.several and side == OUT else ""
    known = {"own_name": names[asked.host], "peer_name": names[far["peer"]]}
    return Link(one.lane, side, one.fabric, asked.generation, name=name, **far, **pem, **known)


def _placement(subject: Subject, part: Part, asked: Asked) -> Placement:
    """Where the roles of this host run; ends of links come back."""
    whole = subject.placement or Placement(subject.graph.name, "none", ())
    lines = [whole.place(name) for name in part.roles]
    if asked.restarts is not None:
        lines = [replace(line, restart="on_failure", limit=asked.restarts) for line in lines]
    ends = [Place(link.role, restart="on_failure", limit=LINK_RESTARTS) for link in part.links]
    return replace(whole, roles=(*lines, *ends))


def _ingresses(graph: LaneGraph) -> list[str]:
    return [at.ingress.name for at in graph.ingresses]


def _egresses(graph: LaneGraph) -> list[str]:
    return [*(at.egress.name for at in graph.egresses), *audits(graph)]


def _places(said: Mapping[str, str], given: Mapping[str, str], names: list[str], asked: Asked) -> dict[str, str]:
    """The files of boundaries that are here: the document's from its folder, those given from that of the command."""
    found = {name: _at(asked.folder, path) for name, path in said.items()}
    found |= {name: _at(Path.cwd(), path) for name, path in given.items()}
    return {name: path for name, path in found.items() if name in names}


def _at(folder: Path, path: str) -> str:
    return path if path.startswith(STREAMS) else str((folder / path).absolute())


def open_part(wanted: Wanted, where: Path, anew: bool, say: Say = str) -> Processes | str:
    """Begin a part in an empty place, or go on with the one that is left; the status of one that has ended."""
    if anew:
        give_up(where)
    if not _is_there(where):
        return processes.bring_up(wanted, where, say)
    held = directory.take(where)
    try:
        _hold_to_run(held, wanted)
        half = not held.manifest.generations and not (over := ending.read(where).status)
    except BaseException:
        held.release()
        raise
    if half:  # whoever made it was killed before anything could run
        held.remove()
        return processes.bring_up(wanted, where, say)
    held.release()
    return over if not held.manifest.generations else processes.resume(where)


def give_up(where: Path) -> None:
    """Take away what is left of a part, if anything is and nobody runs it."""
    if _is_there(where):
        directory.take(where).remove()


def _is_there(where: Path) -> bool:
    """Whether a folder holds a part, or the beginning of one."""
    return (where / directory.LOCK).exists()


def _hold_to_run(held: directory.Held, wanted: Wanted) -> None:
    """Refuse a folder of another run; one that never came to run has none."""
    known, now = held.manifest.options, wanted.options
    if held.manifest.spec and any(known.get(key) != now[key] for key in (HOST, GENERATION)):
        there = f"host `{known[HOST]}` of run {known[GENERATION]:x}" if known.get(GENERATION) else "a plant of one host"
        message = f"it holds {there}, this is `{now[HOST]}` of run {now[GENERATION]:x}"
        raise Refused([findings.OTHER_RUN.at(str(held.where), message)])


def close_part(made: Processes, status: str, ended: Any) -> bool:
    """Leave a part as its end asks for: only a mark of one that is over, and all of any other; whether it is over."""
    over = status in OVER and not _unheard(made)
    if status not in OVER or over:
        ending.write(made.held.where, status, ended)
    if over:
        made.held.spend(ending.FILE)
    else:
        made.held.release()
    return over


def _unheard(made: Processes) -> tuple[str, ...]:
    """The links whose far side has not said that it has everything."""
    return tuple(role.name for role in made.snapshot().roles if role.kind in (IN, OUT) and role.unheard)
