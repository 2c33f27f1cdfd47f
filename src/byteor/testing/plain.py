"""Plain memory in a world: private words by address, and rows that are found by base and index.

Rule 1. A private word is no scheduling point and nobody's but its actor's: it must have been set up, or it is a fault.
Rule 2. Rows and side arrays are payload: every access is checked for what came before it.
Rule 3. One lifter, one memory: the functions stay the same, what they see is emptied for each world.
"""

from __future__ import annotations

from typing import Any

from byteor.kernel.plain import U8
from byteor.testing.lift import Lifter
from byteor.testing.memory import Array, Slots
from byteor.testing.world import World

WORD = 8
ROW = 16  # bytes of a record of two words
OFFSETS = {"a": 0, "b": 8}
_FIELDS = {offset: name for name, offset in OFFSETS.items()}


class Plain:
    """What the operations of `byteor.kernel.plain` see."""

    def __init__(self) -> None:
        self.words: dict[int, int] = {}
        self.rows: dict[int, Slots] = {}
        self.sides: dict[int, Array] = {}

    def clear(self) -> None:
        """Empty all for a new world."""
        for part in (self.words, self.rows, self.sides):
            part.clear()

    def names(self) -> dict[str, Any]:
        """The operations by name, as a lifter takes them."""
        words = {"own": self.words.__getitem__, "keep": self.words.__setitem__}
        rows = {"copy_row": self.copy_row, "clear_rows": self.clear_rows, "peek": self.peek, "poke": self.poke}
        return {**words, **rows, "row_word": self.row_word, "set_row_word": self.set_row_word}

    # What a scenario sets up

    def block(self, world: World, name: str, words: int, value: int = 0) -> int:
        """Make private words; answer the first one's address."""
        address = world.word(name)
        for i in range(words):
            self.words[address + WORD * i] = value
        return address

    def table(self, world: World, name: str, count: int) -> int:
        """Make rows; answer their address."""
        address = world.word(name)
        self.rows[address] = world.slots(count, name=name)
        return address

    def side(self, world: World, name: str, count: int) -> int:
        """Make a side array; answer its address."""
        address = world.word(name)
        self.sides[address] = world.array(count, name=name)
        return address

    # The operations

    def view(self, address: int, count: int) -> Slots:
        """So many rows from an address on."""
        found: Slots = self.rows[address][:count]
        return found

    def row_word(self, base: int, index: int) -> Any:
        """A word of a side array."""
        return self.sides[base][index]

    def set_row_word(self, base: int, index: int, value: int) -> None:
        """Set a word of a side array."""
        self.sides[base][index] = value

    def copy_row(self, to: int, at: int, to_size: int, source: int, start: int, size: int, count: int) -> None:
        """Copy whole rows; both sides have rows of one size."""
        assert to_size == size == ROW and count % ROW == 0, f"{count} bytes of rows of {size} into rows of {to_size}"
        n = count // ROW
        self.rows[to][at : at + n] = self.rows[source][start : start + n]

    def clear_rows(self, to: int, at: int, size: int, count: int) -> None:
        """Set whole rows to zeros."""
        assert size == ROW, f"rows of {size}"
        for record in self.rows[to][at : at + count]:
            record.a = record.b = 0

    def peek(self, base: int, index: int, size: int, offset: int, kind: int) -> int:
        """An integer of a row: one of its two words, or a byte of them."""
        assert size == ROW, f"rows of {size}"
        value: int = self.rows[base][index][_FIELDS[offset & -WORD]]
        return value >> 8 * (offset % WORD) & 0xFF if kind == U8 else value

    def poke(self, base: int, index: int, size: int, offset: int, _kind: int, value: int) -> None:
        """Set a word of a row."""
        assert size == ROW, f"rows of {size}"
        self.rows[base][index][_FIELDS[offset]] = value


class Table:
    """Private words seen as rows of two, such as a stage's state."""

    def __init__(self, words: dict[int, int], address: int) -> None:
        self._words, self._address = words, address

    def __getitem__(self, row: int) -> Row:
        return Row(self._words, self._address + ROW * row)


class Row:
    """One of them."""

    __slots__ = ("_address", "_words")

    def __init__(self, words: dict[int, int], address: int) -> None:
        object.__setattr__(self, "_words", words)
        object.__setattr__(self, "_address", address)

    def __getattr__(self, name: str) -> Any:
        return self._words[self._address + OFFSETS[name]]

    def __setattr__(self, name: str, value: int) -> None:
        self._words[self._address + OFFSETS[name]] = value


def plain_of(lift: Lifter) -> Plain:
    """The plain memory of what this lifter lifts."""
    if "peek" not in lift.constants:
        lift.constants.update(Plain().names())
    found: Plain = lift.constants["peek"].__self__
    return found
