"""The placement document as values: hosts, what runs on each, and how lanes cross between them.

Rule 1. Declaration order is document order, a default may be left out, and a list of tables has a singular name.
Rule 2. A document may be wrong; `document` reads its shape, `rules` hold it against the plant that it places.
Rule 3. Nothing here is part of the spec: its hash does not know where roles run.
"""

from __future__ import annotations

from dataclasses import dataclass

TCP = "tcp"
FABRICS = (TCP, "zenoh")
HERE = "{host}"  # in a path: the name of the host that reads it


@dataclass(frozen=True, slots=True)
class Tls:
    """The PEM files by which hosts know each other; `{host}` in a path stands for the name of each."""

    authority: str
    certificate: str
    key: str


@dataclass(frozen=True, slots=True)
class File:
    """What is behind a boundary, on the host where its role runs."""

    name: str
    path: str


@dataclass(frozen=True, slots=True)
class Host:
    """One machine: how the others reach it, and what runs there.

    `address` is `name:port`; its links listen at that port and at those that follow. `listen` is the address that is
    bound, where that is another one (`0.0.0.0` in a container). `dir` is the folder of its part.
    """

    name: str
    address: str
    roles: tuple[str, ...]
    listen: str | None = None
    dir: str | None = None


@dataclass(frozen=True, slots=True)
class LinkIntent:
    """What is wanted of one lane where it arrives at host `to`; what is left out is as for all lanes.

    `capacity` is that of the lane on both sides. `bytes_per_second` and `round_trip_us` say what it has to carry, and
    how far: they change nothing, a lane that is too small for them is told.
    """

    lane: str
    to: str
    port: int | None = None
    fabric: str | None = None
    capacity: int | None = None
    bytes_per_second: int | None = None
    round_trip_us: int | None = None


@dataclass(frozen=True, slots=True)
class Hosts:
    """A whole placement. `plan` is the path of the plan or spec, from this document's folder.

    `run` is a word that tells one run of the plant from the next. `input` and `output` are places by boundary.
    """

    place: int
    plan: str
    run: str = ""
    fabric: str = TCP
    bytes_per_second: int | None = None
    round_trip_us: int | None = None
    input: tuple[File, ...] = ()
    output: tuple[File, ...] = ()
    tls: Tls | None = None
    host: tuple[Host, ...] = ()
    link: tuple[LinkIntent, ...] = ()

    def named(self, name: str) -> Host | None:
        """The host of a name."""
        return next((host for host in self.host if host.name == name), None)
