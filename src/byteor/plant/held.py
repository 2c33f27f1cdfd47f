"""What a stage holds in a plant: its state's table, its parameters; worked on in private, kept in the role's region.

Rule 1. Flat state is the tail of the record; keyed state a table of private rows, whose home is the role's region.
Rule 2. Rows are whole words, so that a commit copies words.
Rule 3. A successor makes its index of keys anew from the rows that were committed.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from byteor.exec.schema import dtype
from byteor.exec.state import keys_of, parameters, spans_of
from byteor.kernel import commit as c
from byteor.kernel.hot import waiting
from byteor.kernel.keys import Keys, make_row_of
from byteor.plant.blocks import row_bytes
from byteor.plant.desk import WORD, Desk
from byteor.spec.model import Stage

NO_STATE = np.dtype([("_", "u1")])


class Held:
    """The arrays of one stage: `table`, `keys` where the state is keyed, `p` of one row."""

    def __init__(self, desk: Desk, stage: Stage) -> None:
        self.desk, self.p = desk, parameters(stage.params)
        self.keys: Keys | None = None
        self.row_of: Any = None
        self.table = np.zeros(1, NO_STATE)
        if stage.state is None:
            return
        kind = dtype(desk.wiring.types[stage.state.type], row_bytes(desk.wiring, stage))
        if not stage.state.by:
            self.table = desk.tail.view(kind)
            return
        self.table = desk.rows[: stage.state.max * kind.itemsize // WORD].view(kind)
        port = desk.role.inputs[0]
        message = dtype(desk.wiring.type(port), desk.wiring.lane(port).slot_bytes)
        self._spans = spans_of(stage.state.by, message, kind)
        self.keys = keys_of(desk.blocks.lanes[port.lane].array("slots", message), self.table)
        self.row_of = make_row_of(self._spans)

    @property
    def rows(self) -> np.ndarray:
        """The rows in use."""
        return self.table[: int(self.keys.used[0])] if self.keys else self.table

    def restore(self) -> None:
        """Take over what was committed: flat state came with the record, keyed state is copied from its home."""
        if self.keys is None:
            return
        home = self.desk.book.array("table", np.int64)
        self.desk.rows[: len(home)] = home
        used = int(self.desk.now[c.ROWS // WORD])
        find = waiting(make_row_of(tuple((to, to, n) for _, to, n in self._spans)))
        again = Keys(self.keys.rows, self.keys.rows, self.keys.index, self.keys.used)
        for row in range(used):
            find(again, row)

    def bring_home(self) -> None:
        """Copy the whole table to its home: before the first commit, when nobody can look."""
        if self.keys is not None:
            home = self.desk.book.array("table", np.int64)
            home[:] = self.desk.rows[: len(home)]
            self.desk.now[c.ROWS // WORD] = self.keys.used[0]
