"""The two ends of a run: where rows are sent and where they are collected, over one ring or over shards.

Rule 1. Both kinds answer alike: `send` and `collect` say how many, and come back when patience is over.
Rule 2. Over shards, rows leave in the order in which they came, whatever shard they went through.
"""

from __future__ import annotations

from typing import Any

import numba
import numpy as np
from numba.core import types

from byteor.backings import mem
from byteor.exec.graph import Graph
from byteor.exec.shard import Outside, Shard
from byteor.kernel import keyhash
from byteor.kernel import ring as kernel
from byteor.kernel import shards as sharded
from byteor.kernel.hot import short, waiting
from byteor.kernel.wait import BRIEFLY, ring

_HASHED = 4096  # keys that are hashed together: what they need stays in the first cache
_OWNED = 65_536  # rows whose shards are found before they are scattered


class Ends:
    """What both kinds share."""

    def __init__(self, graph: Graph, rings: mem.Rings, shards: list[Shard], around: Outside, limit: int) -> None:
        self._rings, self._shards, self._limit = rings, shards, limit
        self._marks = graph.marks(graph.egress)
        self._egress = graph.egress
        self._ring_sources = around.bells([s.ends[i] for s in shards for i in graph.sources])
        self._ring_ingress = around.bells([around.ingress])
        self._ring_all = around.bells([around.ingress, around.egress, *(end for s in shards for end in s.ends)])
        patience = BRIEFLY[around.strategy]
        closed = self.words.address("closed")
        self._sender = around.waiter(closed, around.ingress, patience)
        self._collector = around.waiter(closed, around.egress, patience)
        self._close = short(kernel.close, types.int64, types.int64, numba.typeof(self._ring_all))

    @property
    def words(self) -> mem.Words:
        """The words of the stream as a whole: its cursor, `closed`, and the egress's position as its last gate."""
        raise NotImplementedError

    @property
    def sent(self) -> int:
        return self.words.read("cursor")

    @property
    def is_closed(self) -> bool:
        return self.words.read("closed") >= 0

    def close(self) -> None:
        """Say that nothing follows."""
        self._close(self.words.address("cursor"), self.words.address("closed"), self._ring_all)

    def ring_all(self) -> None:
        """Wake whoever sleeps."""
        waiting(ring)(self._ring_all)


class Straight(Ends):
    """The ends of one ring."""

    def __init__(self, graph: Graph, rings: mem.Rings, shards: list[Shard], around: Outside, limit: int) -> None:
        super().__init__(graph, rings, shards, around, limit)
        self._send, self._collect = waiting(kernel.send), waiting(kernel.collect)
        self._boundary, self._sinks = shards[0].cells(graph.boundary), shards[0].cells(graph.sinks)
        self._seen = np.zeros(1, np.int64)

    @property
    def words(self) -> mem.Words:
        return self._shards[0].ring.words

    def resume(self) -> None:
        """Go on with a ring that another has sent into: what was seen of its readers is what they have done by now."""
        gates = range(len(self.words.values("gate")))
        boundary = {self.words.address("gate", i): self.words.read("gate", i) for i in gates}
        self._seen[0] = min(min(boundary[address] for address in self._boundary), self.sent)

    def send(self, rows: np.ndarray, patience: int | None = None) -> int:
        waiter = self._sender if patience is None else self._sender._replace(patience=patience)
        cursor, slots = self.words.address("cursor"), self._rings.slots
        sent = self._send(cursor, self._seen, self._boundary, slots, rows, waiter, self._ring_sources, self._limit)
        return int(sent)

    def fill(self, loop: Any, count: int, p: np.ndarray, piece: int) -> int:
        """Let a compiled source make up to `count` messages in place; answer how many before patience was over."""
        cursor, slots = self.words.address("cursor"), self._rings.slots
        made = loop(cursor, self._seen, self._boundary, slots, count, p, self._sender, self._ring_sources, piece)
        return int(made)

    def collect(self, out: np.ndarray, patience: int | None = None) -> int:
        waiter = self._collector if patience is None else self._collector._replace(patience=patience)
        gate, rings = self.words.address("gate", self._egress), self._rings
        return int(
            self._collect(self._sinks, gate, rings.slots, rings.dead, self._marks, out, waiter, self._ring_ingress)
        )

    @property
    def drained(self) -> bool:
        return self._shards[0].drained(self._egress)


class Sharded(Ends):
    """The ends of several rings: rows go to the shard of their key."""

    def __init__(self, graph: Graph, rings: mem.Rings, shards: list[Shard], around: Outside, limit: int) -> None:
        self._words = mem.ring_words(1)
        super().__init__(graph, rings, shards, around, limit)
        self._scatter, self._gather = waiting(sharded.scatter), waiting(sharded.gather)
        self._owners_of = waiting(keyhash.owners_of)
        spec = shards[0].spec
        assert rings.slots.dtype.fields is not None and spec.shard_key is not None
        self._key, kind = spec.shard_key, rings.slots.dtype.fields[spec.shard_key][0]
        self._key_size = kind.itemsize
        whole = np.dtype({"names": ["key"], "formats": [kind], "itemsize": -(-kind.itemsize // 8) * 8})
        self._keys, self._hashes = np.zeros(_OWNED, whole), np.empty(_HASHED, np.uint64)
        self._owners = np.empty(_OWNED, np.uint16)
        every = range(len(shards))
        self._at, self._seen, self._taken = (np.zeros(len(shards), np.int64) for _ in range(3))
        self._places = np.zeros(1 << (len(shards) * spec.capacity - 1).bit_length(), np.uint16)
        self._routes = sharded.Routes(
            cursors=tuple(shards[i].ring.words.address("cursor") for i in every),
            gates=tuple(shards[i].ring.words.address("gate", graph.egress) for i in every),
            boundaries=tuple(shards[i].cells(graph.boundary) for i in every),
            sinks=tuple(shards[i].cells(graph.sinks) for i in every),
            route=self._words.address("cursor"),
            gathered=self._words.address("gate"),
            capacity=spec.capacity,
        )

    @property
    def words(self) -> mem.Words:
        return self._words

    def send(self, rows: np.ndarray, patience: int | None = None) -> int:
        waiter = self._sender if patience is None else self._sender._replace(patience=patience)
        sent = 0
        for first in range(0, max(1, len(rows)), _OWNED):
            part = rows[first : first + _OWNED]
            args = (self._rings.slots, self._places, self._owned(part), part, self._at, self._seen, waiter)
            taken = int(self._scatter(self._routes, *args, self._ring_sources, self._limit))
            sent += taken
            if taken < len(part):
                break
        return sent

    def _owned(self, rows: np.ndarray) -> np.ndarray:
        """The shard of each row."""
        keys, owners = self._keys[: len(rows)], self._owners[: len(rows)]
        keys["key"] = rows[self._key]
        words = keys.view(np.uint64).reshape(len(rows), keys.itemsize // 8)
        self._owners_of(words, self._key_size, len(self._shards), self._hashes, owners)
        return owners

    def close(self) -> None:
        for shard in self._shards:
            words = shard.ring.words
            self._close(words.address("cursor"), words.address("closed"), self._ring_all)
        super().close()

    def collect(self, out: np.ndarray, patience: int | None = None) -> int:
        waiter = self._collector if patience is None else self._collector._replace(patience=patience)
        args = (self._rings.slots, self._places, self._rings.dead, self._marks, out, self._taken, waiter)
        return int(self._gather(self._routes, *args, self._ring_ingress))

    @property
    def drained(self) -> bool:
        return self._words.read("closed") == self._words.read("gate")


def ends(graph: Graph, rings: mem.Rings, shards: list[Shard], around: Outside, limit: int) -> Straight | Sharded:
    """The ends that fit: of one ring, or of several."""
    return (Straight if len(shards) == 1 else Sharded)(graph, rings, shards, around, limit)
