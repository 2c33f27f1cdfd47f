"""The tables as numpy types.

Rule 1. Offsets and sizes are the table's; numpy adds no padding of its own.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from byteor.abi.layout import Cell, Layout, Scalar


def dtype(table: Layout) -> np.dtype[np.void]:
    """Give the structured type of a layout; arrays of none are left out."""
    members = [one for one in table.members if one.count and one.type.bytes]
    return np.dtype(
        {
            "names": [one.name for one in members],
            "formats": [_format(one) for one in members],
            "offsets": [one.offset for one in members],
            "itemsize": table.bytes,
        }
    )


def _format(one: Cell) -> Any:
    base = _scalar(one.type) if isinstance(one.type, Scalar) else dtype(one.type)
    return (base, (one.count,)) if one.is_array else base


def _scalar(type: Scalar) -> Any:
    return (type.numpy, (type.block,)) if type.block else type.numpy
