"""A link: how one side of a lane that crosses hosts reaches the other side.

Rule 1. Standard library only, and plain data: a link is written into a plant's manifest, and read back from it.
Rule 2. One side listens, the other connects and connects again; which of them sends does not matter for that.
Rule 3. A generation names one run of a plant on all its hosts: positions of another one mean nothing.
Rule 4. Certificate, key and authority are given together: both sides show who they are, or neither does.
Rule 5. What a certificate has to name is the host of an address, as others reach it.

    Link("in_to_tax", OUT, "tcp", 0x1f2e3d4c, connect="10.0.0.2:7447")
    Link("in_to_tax", IN, "tcp", 0x1f2e3d4c, listen="0.0.0.0:7447", certificate="b.pem", key="b.key", authority="c.pem")
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

OUT, IN = "out", "in"
FABRICS = ("tcp", "zenoh")
SUFFIX = {OUT: ".out", IN: ".in"}  # of a bridge's role, behind the name of its lane


@dataclass(frozen=True, slots=True)
class Link:
    """One end of a lane that crosses hosts; `out` takes from the lane and ships, `in` receives and puts into it.

    `listen` and `connect` are `host:port`, and exactly one of them is given. `certificate`, `key` and `authority` are
    paths of PEM files, all empty where the fabric is not to be encrypted. `generation` is an unsigned 64-bit number
    that both sides share; `peer` is the other host's name, for people to read. `name` stands for the lane's in the
    name of the role, where several hosts read one lane. `own_name` and `peer_name` are what the two certificates have
    to name; without them, the one that connects expects the host of its address, and all else may be of any name.
    """

    lane: str
    side: str
    fabric: str
    generation: int
    listen: str = ""
    connect: str = ""
    certificate: str = ""
    key: str = ""
    authority: str = ""
    peer: str = ""
    name: str = ""
    own_name: str = ""
    peer_name: str = ""

    @property
    def role(self) -> str:
        """The name of the role that tends this end: `LANE.out` or `LANE.in`."""
        return (self.name or self.lane) + SUFFIX[self.side]

    @property
    def address(self) -> str:
        """Where this end listens, or where it connects to."""
        return self.listen or self.connect

    @property
    def expects(self) -> str:
        """The name that the other end's certificate has to bear; empty where any will do."""
        return bare(self.peer_name or self.connect.rpartition(":")[0])

    @property
    def secure(self) -> bool:
        """Whether both sides show certificates."""
        return bool(self.certificate)


def bare(host: str) -> str:
    """A host as certificates name it: an IPv6 number without brackets, and without the interface behind it."""
    return host.strip("[]").partition("%")[0].rstrip(".")


def to_data(link: Link) -> dict[str, Any]:
    """A link as plain data, for JSON."""
    return asdict(link)


def from_data(data: Mapping[str, Any]) -> Link:
    """A link from what `to_data` gave."""
    return Link(**data)
