"""Fields that the ring makes itself: an input need not have them.

Rule 1. The plan alone decides, never the input: a field is made where a stage writes it without reading it,
        and every stage that reads it comes after such a stage.
Rule 2. Before they are made, such fields hold their null value, else zero.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from byteor.exec.schema import dtype, null_value
from byteor.spec import dag
from byteor.spec.model import IDENTITY, MessageType, SingleRing, Stage


def ring_type(spec: SingleRing) -> MessageType:
    """Give the type of the ring's slots."""
    return next(message for message in spec.types if message.name == spec.type)


def made(spec: SingleRing) -> tuple[str, ...]:
    """Name the fields that the ring makes itself."""
    before = dag.ancestors(spec.stages)
    outside = (spec.shard_key, spec.ingress.sort_by)
    names = [field.name for field in ring_type(spec).fields if field.name not in outside]
    return tuple(name for name in names if _is_made(name, spec.stages, before))


def _is_made(name: str, stages: tuple[Stage, ...], before: list[int]) -> bool:
    makers = sum(1 << i for i, stage in enumerate(stages) if name in (stage.writes or ()) and not _reads(stage, name))
    readers = [i for i, stage in enumerate(stages) if _reads(stage, name)]
    return makers != 0 and all(before[i] & makers for i in readers)


def _reads(stage: Stage, name: str) -> bool:
    if stage.call == IDENTITY:
        return False
    keys = stage.state.by if stage.state else ()
    return stage.reads is None or name in stage.reads or name in keys


def input_type(spec: SingleRing) -> MessageType:
    """Give the type that an input must fill: the ring's, without what the ring makes itself."""
    whole, own = ring_type(spec), made(spec)
    return replace(whole, fields=tuple(field for field in whole.fields if field.name not in own))


class Widened:
    """Batches of a source as records of the ring; each is valid until the next one is taken, unless `kept`."""

    def __init__(self, spec: SingleRing, batches: Iterator[np.ndarray], kept: bool = False) -> None:
        self._batches, self._kept = batches, kept
        whole = ring_type(spec)
        self._blank = np.zeros(1, dtype(whole, spec.slot_bytes))
        for field in whole.fields:
            if (null := null_value(field)) is not None:
                self._blank[field.name] = null
        self._room = self._blank[:0]

    def __iter__(self) -> Iterator[np.ndarray]:
        for rows in self._batches:
            yield rows if rows.dtype == self._blank.dtype else self._widen(rows)

    def _widen(self, rows: np.ndarray) -> np.ndarray:
        if self._kept or len(self._room) < len(rows):
            self._room = np.repeat(self._blank, len(rows))
        wide = self._room[: len(rows)]
        for name in rows.dtype.names or ():
            wide[name] = rows[name]
        return wide
