"""A role's desk: the private tables that its hot functions work with, filled from the plant's blocks.

Rule 1. Masks, sizes and addresses are private copies: what stands in a region can change under a reader.
Rule 2. All private words are one array; it lives as long as the desk.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from byteor.backings.mem import lines
from byteor.exec.schema import dtype
from byteor.kernel import commit as c
from byteor.kernel.order import LOWEST
from byteor.kernel.plain import I64, KINDS
from byteor.plant.blocks import Blocks, book_params, row_bytes
from byteor.plant.failpoints import SHIPPED, Death, Steps, mortal
from byteor.plant.wiring import RINGS, Port, Role, Wiring
from byteor.spec.lane_graph import Merge, Order
from byteor.spec.model import IDENTITY, Stage

WORD = 8
_NOTHING = -1


class Desk:
    """The private words of a role, and the addresses that lead to its lanes."""

    def __init__(self, wiring: Wiring, role: Role, blocks: Blocks, blocking: bool) -> None:
        self.wiring, self.role, self.blocks = wiring, role, blocks
        self.book = blocks.books[role.number]
        params = book_params(wiring, role)
        inputs, outputs = params["inputs"], params["outputs"]
        stage = role.stage
        keyed = bool(stage and stage.state and stage.state.by)
        flat = params["tail_bytes"] // WORD if (stage and stage.state and not keyed) or role.is_link else 0
        self.words = c.TAKEN // WORD + inputs + outputs * c.PUT // WORD + flat
        rows = stage.state.max if stage and stage.state and keyed else 0
        row_words = row_bytes(wiring, stage) // WORD if stage and stage.state else 0
        bells = [blocks.plant.address("runner_bell", n) for n in role.rings] if blocking else []
        sizes = [self.words, 2 * self.words, inputs * c.IN // WORD, outputs * c.OUT // WORD]
        sizes += [max(1, len(bells)), rows + 1, rows + 1, rows * row_words + 1]
        self._memory = lines(WORD * sum(sizes)).view(np.int64)
        parts = np.split(self._memory, np.cumsum(sizes)[:-1])
        self.now, _, self._ins, self._outs, table, self.touched, self.stamps, self.rows = parts
        table[: len(bells)] = bells
        at = [part.ctypes.data for part in parts]
        orders = _orders(wiring, role)
        self.hot = c.Desk(
            *(at[0], at[1], self.words),
            *(self.book.address("record_epoch"), self._stride()),
            *(at[2], inputs, at[3], outputs),
            *(at[4], len(bells)),
            *_key(wiring, role, orders),
            *(at[7], self.book.address("table"), row_words, at[5]),
        )
        self.steps: Steps = SHIPPED
        self._death: Death | None = None
        for i, port in enumerate(role.inputs):
            if blocks.lanes[port.lane] is not None:  # a journal is no ring: its role knows where it stands
                self._fill_input(i, port)
        for j, port in enumerate(role.outputs):
            if blocks.lanes[port.lane] is not None:
                self._fill_output(j, port, orders)

    def doom(self, deaths: Sequence[tuple[str, int]]) -> None:
        """Let this start of the role die where its turn among `deaths` says."""
        self._death = Death(deaths, self.book.read("owner"))
        self.steps, self.hot = mortal(), self._death.desk(self.hot)

    def at(self, point: str) -> None:
        """Pass a point between two steps: who was told to die there does."""
        if self._death is not None:
            self._death.at(point)

    def _stride(self) -> int:
        return int(self.book.address("record_epoch", 1) - self.book.address("record_epoch"))

    def _fill_input(self, i: int, port: Port) -> None:
        block, lane = self.blocks.lanes[port.lane], self.wiring.lane(port)
        row = self._ins[i * c.IN // WORD :]
        self._fill(row, block, lane.order, port.lane)
        row[c.GATE // WORD] = block.address("gate", port.gate)
        row[c.NUMBERING // WORD] = lane.order.numbering if lane.order else 0
        row[c.LANE // WORD] = port.lane
        row[c.SEEN_FIELD // WORD] = row[c.SEEN_WORD // WORD] = LOWEST

    def _fill_output(self, j: int, port: Port, orders: Sequence[Order | None]) -> None:
        block, lane = self.blocks.lanes[port.lane], self.wiring.lane(port)
        row = self._outs[j * c.OUT // WORD :]
        self._fill(row, block, lane.order, port.lane)
        row[c.GATE // WORD] = block.address("gate", 0)
        row[c.READERS // WORD] = block.params["gates"]
        row[c.DROPS // WORD] = lane.on_full == "drop"
        row[c.STARTS // WORD] = _starts(self.role, lane.order, port.lane, orders)
        self.now[self.put(j) + c.FIELD // WORD] = self.now[self.put(j) + c.WORD // WORD] = LOWEST

    def _fill(self, row: np.ndarray, block: object, order: Order | None, number: int) -> None:
        cells = {c.CURSOR: "cursor", c.CLOSED: "closed", c.SLOTS: "slots"}
        if order is not None:
            cells[c.MARK] = "mark"
            if order.numbering != number:
                cells[c.ORDERS] = "order"
        for at, name in cells.items():
            row[at // WORD] = block.address(name)  # type: ignore[attr-defined]
        row[c.MASK // WORD] = block.params["capacity"] - 1  # type: ignore[attr-defined]
        row[c.SIZE // WORD] = block.params["slot_bytes"]  # type: ignore[attr-defined]

    def taken(self, i: int = 0) -> int:
        """Where in `now` the position in input `i` stands."""
        return c.TAKEN // WORD + i

    def put(self, j: int = 0) -> int:
        """Where in `now` the words of output `j` begin."""
        return c.TAKEN // WORD + self.hot.inputs + j * c.PUT // WORD

    def seen(self, at: int, i: int = 0) -> int:
        """What was last seen of input `i`, by the column."""
        return int(self._ins[i * c.IN // WORD + at // WORD])

    def room(self, j: int = 0) -> int:
        """The first sequence of output `j` without a free slot, as last seen."""
        return int(self._outs[j * c.OUT // WORD + c.ROOM // WORD])

    @property
    def drops(self) -> bool:
        """Whether the output drops what it has no room for."""
        return bool(self._outs[c.DROPS // WORD])

    @property
    def starts(self) -> int:
        """Whether order words begin at the output."""
        return int(self._outs[c.STARTS // WORD])

    @property
    def tail(self) -> np.ndarray:
        """The words of flat state in `now`, or those of a link."""
        return self.now[self.put(self.hot.outputs) :]


def _orders(wiring: Wiring, role: Role) -> list[Order | None]:
    """The orders of what comes in; a journal has none to give: its records are numbered as they leave it."""
    return [wiring.lane(port).order if wiring.lane(port).kind in RINGS else None for port in role.inputs]


def _starts(role: Role, order: Order | None, number: int, before: Sequence[Order | None]) -> int:
    """Whether order words begin at an output, and whence its mark comes: what may write the field knows no bound."""
    if order is None or (order.numbering != number and any(before)):
        return c.INHERITS
    same = bool(before) and all(one is not None and one.by == order.by for one in before)
    same = same and _keeps(role.stage, order.by)
    return c.FROM_INPUTS if same else c.FROM_RECORDS


def _keeps(stage: Stage | None, field: str) -> bool:
    """Whether a role leaves a field as it is."""
    if stage is None or stage.call == IDENTITY:
        return True
    return stage.in_place and stage.writes is not None and field not in stage.writes


def _key(wiring: Wiring, role: Role, before: Sequence[Order | None]) -> tuple[int, int, int]:
    """Where the field that orders lies in inputs and in outputs, and its kind; -1 where nothing orders."""
    after = [wiring.lane(port).order for port in role.outputs]
    by = next((order.by for order in after if order), None)
    if isinstance(role.part, Merge) and role.part.policy == "by_field":
        by = role.part.field
    if by is None:
        return _NOTHING, _NOTHING, I64
    out = _place(wiring, role.outputs[0], by) if any(after) else None
    ordered = bool(before) and all(order is not None and order.by == by for order in before)
    into = _place(wiring, role.inputs[0], by) if ordered else None
    place = into or out
    return into[0] if into else _NOTHING, out[0] if out else _NOTHING, place[1] if place else I64


def _place(wiring: Wiring, port: Port, name: str) -> tuple[int, int]:
    fields = dtype(wiring.type(port)).fields
    assert fields is not None
    return fields[name][1], KINDS[fields[name][0].str[1:]]
