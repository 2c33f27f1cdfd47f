"""From a link to its fabric, by name."""

from __future__ import annotations

from byteor.fabric.contract import Fabric, Say
from byteor.fabric.link import Link
from byteor.fabric.tcp import Tcp
from byteor.fabric.zenoh import Zenoh


def open_fabric(link: Link, say: Say) -> Fabric:
    """The fabric that a link names; nothing is opened yet."""
    return Zenoh(link, say) if link.fabric == "zenoh" else Tcp(link, say)
