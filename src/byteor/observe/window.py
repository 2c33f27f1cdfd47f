"""A plant's folder, open to look at as often as one likes.

Rule 1. Everything is mapped once, and read only: a look is loads, and no role notices.
Rule 2. A plant is named by its folder, or by the name of its plan where one such plant lies under the usual parent.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from byteor.diag import Refused
from byteor.observe.ring_window import RingLook
from byteor.plant import directory, findings, shared
from byteor.plant.manifest import Manifest
from byteor.plant.status import Status, status_of
from byteor.plant.wiring import part_of, wire
from byteor.spec.kv import decode
from byteor.spec.lane_graph import LaneGraph
from byteor.spec.model import SingleRing
from byteor.spec.placement import decode as decode_placement
from byteor.transport import locks


def find(plant: str, parent: str = directory.PARENT) -> Path:
    """The folder of a plant."""
    if "/" in plant or Path(plant, directory.MANIFEST).exists():
        return Path(plant)
    named = [seen for seen in directory.listing(parent) if seen.manifest.name == plant]
    live = [seen for seen in named if seen.live]
    chosen = live if len(live) == 1 else named
    if len(chosen) == 1:
        return chosen[0].where
    if chosen:
        places = ", ".join(str(seen.where) for seen in chosen)
        found = findings.SEVERAL.at(plant, f"{len(chosen)} plants have this name", help=f"give the folder: {places}")
        raise Refused([found])
    help = "`byteor status` lists the plants there are; a plant has a folder when it runs with `--processes`"
    raise Refused([findings.NOT_A_PLANT.at(plant, f"no plant of this name is under {parent}", help=help)])


class LanesLook:
    """The regions of a plant of lanes, mapped to be looked at."""

    def __init__(self, seen: directory.Seen, graph: LaneGraph) -> None:
        self.wiring = wire(graph, part_of(seen.manifest.part))
        known = seen.manifest.generations
        self.blocks = shared.attach(self.wiring, seen.where, known, self.wiring.roles, looks=True)
        waits = [("runner_waiting", role.number) for role in self.wiring.roles]
        self._waiting = _places(self.blocks.plant, waits)
        self._rings = [_ring(block) for block in self.blocks.lanes if block is not None]

    def status(self) -> Status:
        """How the plant stands now."""
        return status_of(self.wiring, self.blocks)

    def waiting(self) -> np.ndarray:
        """What each role waits for now, by its number."""
        return np.asarray(self.blocks.plant.words[self._waiting])

    def fills(self) -> list[float]:
        """How full each lane of rings is now, from 0 to 1; in the order of the status."""
        return [
            max(0, int(words[cursor] - words[gates].min())) / capacity for words, cursor, gates, capacity in self._rings
        ]


def _places(block: Any, cells: Sequence[tuple[str, int]]) -> np.ndarray:
    """Where cells of a region stand among its words: found once, for looks must be short."""
    base = block.address("header")
    return np.array([block.address(name, number) - base for name, number in cells], np.int64) // 8


def _ring(block: Any) -> tuple[np.ndarray, int, np.ndarray, int]:
    """A lane's words, the places of its cursor and its gates among them, and how many slots it has."""
    gates = _places(block, [("gate", number) for number in range(len(block.values("gate")))])
    return block.words, int(_places(block, [("cursor", 0)])[0]), gates, block.params["capacity"]


def title_of(manifest: Manifest) -> str:
    """What a plant is called by people: its name, and the host's where only a part of it is here."""
    host = manifest.options.get("host")
    return f"{manifest.name} on {host}" if host else manifest.name


class Window:
    """One plant or ring, mapped to be looked at."""

    def __init__(self, where: Path) -> None:
        seen = directory.look(where)
        if not seen.manifest.generations:
            message = "its regions are not made yet" if seen.live else "it never came to run"
            raise Refused([findings.NOT_A_PLANT.at(str(where), message)])
        spec = decode(seen.manifest.spec, "manifest").spec
        assert spec is not None, "a manifest's spec was valid when it was written"
        self.where, self.manifest, self.supervisor = seen.where, seen.manifest, seen.pid
        self._look = RingLook(seen, spec) if isinstance(spec, SingleRing) else LanesLook(seen, spec)
        self.wiring, self.blocks = self._look.wiring, self._look.blocks
        placement = decode_placement(seen.manifest.placement)
        self.processes: dict[str, tuple[str, ...]] = {}
        for role in self.wiring.roles:
            name = placement.place(role.name).group or role.name
            self.processes[name] = (*self.processes.get(name, ()), role.name)
        self.status, self.waiting, self.fills = self._look.status, self._look.waiting, self._look.fills

    @property
    def title(self) -> str:
        """The plant's name, and the host's where this is the part of one."""
        return title_of(self.manifest)

    @property
    def live(self) -> bool:
        """Whether a supervisor has the plant now."""
        lock = self.where / directory.LOCK
        return lock.exists() and locks.held(lock, directory.OFFSET)
