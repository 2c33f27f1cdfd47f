"""Keyed state: which row of a table belongs to a message's key.

Rule 1. A key is the bytes of its fields; it stands in the row itself, so a table explains itself.
Rule 2. Rows are given out in order of first appearance and never taken back.
Rule 3. A full table is an answer (-1), never an eviction.
"""

from __future__ import annotations

import functools
from typing import Any, NamedTuple

from byteor.kernel.hot import hot

_PRIME = 0x100000001B3
_SEED = 0x345678


class Keys(NamedTuple):
    """A table's index: messages and rows as bytes, slots of the hash index (-1 is free), rows in use."""

    messages: Any  # u8[slots, bytes of a slot]
    rows: Any  # u8[rows, bytes of a row]
    index: Any  # i32[a power of two, at least twice the rows]
    used: Any  # i64[1]


@functools.cache
def make_row_of(spans):
    """The function that finds a slot's row; `spans` are (offset in slot, offset in row, bytes)."""

    @hot
    def mixed(keys, slot):
        h = _SEED
        for at, _, n in spans:
            for k in range(at, at + n):
                h = ((h ^ keys.messages[slot, k]) * _PRIME) & 0x7FFFFFFFFFFF
        return h ^ (h >> 23)

    @hot
    def same(keys, slot, row):
        for at, to, n in spans:
            for k in range(n):
                if keys.messages[slot, at + k] != keys.rows[row, to + k]:
                    return False
        return True

    @hot
    def row_of(keys, slot):
        """The row of this slot's key, made when new; -1 when the table is full."""
        mask = len(keys.index) - 1
        i = mixed(keys, slot) & mask
        while keys.index[i] >= 0:
            if same(keys, slot, keys.index[i]):
                return keys.index[i]
            i = (i + 1) & mask
        row = keys.used[0]
        if row == len(keys.rows):
            return -1
        for at, to, n in spans:
            for k in range(n):
                keys.rows[row, to + k] = keys.messages[slot, at + k]
        keys.index[i] = row
        keys.used[0] = row + 1
        return row

    return row_of


@functools.cache
def make_rows_of(row_of):
    """The function that finds the state's row for each slot of a batch."""

    @hot
    def rows_of(keys, slot, live, index):
        """Fill `index`, -1 where not live; answer how many are filled before the table is full."""
        for i in range(len(index)):
            index[i] = -1
            if live[i]:
                index[i] = row_of(keys, slot + i)
                if index[i] < 0:
                    return i
        return len(index)

    return rows_of
