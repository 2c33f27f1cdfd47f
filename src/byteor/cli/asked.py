"""What a command line asks of a run, and what comes of it before anything starts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from byteor.cli.log import PLAIN, Log
from byteor.lower.examine import Examined

if TYPE_CHECKING:
    from byteor.edges.rolling import Roll


@dataclass(frozen=True, slots=True)
class Apart:
    """That a plant runs in processes: in which folder, whether that is kept, and how often a role may come back."""

    dir: str | None = None
    keep: bool = False
    restarts: int | None = None


@dataclass(frozen=True, slots=True)
class Asked:
    """What the command line asks for."""

    inputs: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()
    wait: str = ""
    batch: int = 4096
    limit: int | None = None
    repeat: int | None = None
    interpreted: bool = False
    single_thread: bool = False
    settings: tuple[str, ...] = ()
    rejects: str | None = None
    roll: Roll | None = None
    debug: bool = False
    apart: Apart | None = None
    log: Log = PLAIN
    backing: str = "mem"


@dataclass(frozen=True, slots=True)
class Prepared:
    """What is to run: the document, its spec with its edits made, and the places of its boundaries."""

    seen: Examined
    spec: Any
    inputs: dict[str, str]
    places: dict[str, str]
