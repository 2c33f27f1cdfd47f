"""The Fanout lane: one producer, several readers, each of which sees every message once, without a copy.

Rule 1. It is the ring of the Events lane under a kind of its own: one ring, and as many gates as readers.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from byteor.abi.byteor_v1 import FANOUT
from byteor.lanes import events


def create(path: Path | None, dtype: Any = None, *, readers: int = 2, **options: Any) -> events.Lane:
    """Make a lane that so many readers see whole."""
    return events.create(path, dtype, readers=readers, kind=FANOUT, **options)


def attach(path: Path, dtype: Any = None, *, wait: float = 1.0) -> events.Lane:
    """Open a lane whose messages are of this type; without one, as bytes."""
    return events.attach(path, dtype, wait=wait, kind=FANOUT)
