"""What all ends have in common, and all lanes: they leave, or close, and a `with` block does one of the two.

Rule 1. Who leaves gives its cell back as it is; who closes settles what it has under way first.
Rule 2. A block that ends well closes; one that ends by an exception leaves.
"""

from __future__ import annotations

from typing import Self

from byteor.abi.byteor_v1 import OPEN
from byteor.diag import Refused
from byteor.lanes import findings as t
from byteor.lanes.cells import Block, Owner, win


class End:
    """One end of a lane, with the cell that it has won."""

    def __init__(self, owner: Owner) -> None:
        self._owner = owner

    def _settle(self) -> None:
        """Finish what `close` promises before the cell is given back."""

    def close(self) -> None:
        """Settle what is under way, and leave."""
        self._settle()
        self.leave()

    def leave(self) -> None:
        """Leave, to be continued by somebody else."""
        self._owner.leave()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        self.close() if kind is None else self.leave()


class AnyLane:
    """One lane, with those of its ends that were taken by this object."""

    def __init__(self, name: str, block: Block) -> None:
        self.name, self._block = name, block
        self._ends: list[End] = []

    @property
    def path(self) -> str:
        """Its file; empty for a lane in the memory of this process."""
        return self._block.path

    @property
    def generation(self) -> int:
        """The number that tells this lane from one that is made anew under its name."""
        return self._block.generation

    def _written_by(self, name: str) -> Owner:
        """Win the cursor of a lane that one writer has at a time, as long as it is open."""
        owner = win(self._block, "cursor", [0], name)
        if owner is None:
            raise Refused([t.IN_USE.at(self.name, "its writer lives")])
        if self._block.read("closed") != OPEN:
            owner.leave()
            raise Refused([t.NO_CELL.at(self.name, "its writer has closed it")])
        return owner

    def close(self) -> None:
        """Close the ends that were taken by this object, and let go; the file stays."""
        self._let_go(closing=True)

    def _let_go(self, closing: bool) -> None:
        for end in self._ends:
            end.close() if closing else end.leave()
        self._block.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        self._let_go(closing=kind is None)
