"""Output in pieces: exact in rows, complete under their names, and never over what is there."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from byteor.edges.contract import Sink
from byteor.edges.open import open_sink
from byteor.edges.rolling import Roll, RollingSink, roll_from
from byteor.exec.schema import dtype
from byteor.spec.build import egress, message_type

TICK = message_type("tick", {"n": "i64"})
EGRESS = egress("out", "tick", format="csv")


def rows(first: int, count: int) -> np.ndarray:
    made = np.zeros(count, dtype=dtype(TICK))
    made["n"] = np.arange(first, first + count)
    return made


def piece(path: Path) -> Sink:
    return open_sink(EGRESS, TICK, path)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def numbers(folder: Path) -> list[list[int]]:
    return [[int(line) for line in (folder / name).read_text().splitlines()[1:]] for name in names(folder)]


@pytest.mark.parametrize("cut", [1, 2, 3, 7, 10])
def test_pieces_have_the_same_rows_however_they_came(tmp_path: Path, cut: int) -> None:
    sink = RollingSink(tmp_path / "out.csv", Roll(rows=4), piece)
    for first in range(0, 10, cut):
        sink.write(rows(first, min(cut, 10 - first)))
    sink.finish()
    assert names(tmp_path) == ["out-000001.csv", "out-000002.csv", "out-000003.csv"]
    assert numbers(tmp_path) == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]]


def test_a_piece_is_complete_while_the_run_goes_on_and_no_empty_one_follows(tmp_path: Path) -> None:
    sink = RollingSink(tmp_path / "out.csv", Roll(rows=2), piece)
    sink.write(rows(0, 4))
    assert numbers(tmp_path) == [[0, 1], [2, 3]]
    sink.finish()
    assert len(names(tmp_path)) == 2


def test_without_rows_there_is_one_empty_piece(tmp_path: Path) -> None:
    RollingSink(tmp_path / "out.csv", Roll(rows=2), piece).finish()
    assert numbers(tmp_path) == [[]]


def test_by_seconds_a_piece_ends_with_the_first_rows_after_its_time(tmp_path: Path) -> None:
    clock = iter([0.0, 1.0, 5.0, 6.0, 7.0])
    sink = RollingSink(tmp_path / "out.csv", Roll(seconds=5.0), piece, lambda: next(clock))
    for first in range(3):
        sink.write(rows(first, 1))
    sink.finish()
    assert numbers(tmp_path) == [[0, 1], [2]]


def test_what_is_complete_stays_when_the_run_is_given_up(tmp_path: Path) -> None:
    sink = RollingSink(tmp_path / "out.csv", Roll(rows=2), piece)
    sink.write(rows(0, 3))
    sink.abort()
    sink.abort()
    assert numbers(tmp_path) == [[0, 1]]


def test_another_run_goes_on_behind_the_pieces_that_are_there(tmp_path: Path) -> None:
    for _ in range(2):
        sink = RollingSink(tmp_path / "out.csv", Roll(rows=2), piece)
        sink.write(rows(0, 3))
        sink.finish()
    (tmp_path / "out-1.csv").touch()
    assert [name for name in names(tmp_path) if len(name) == 14] == [f"out-{n:06}.csv" for n in (1, 2, 3, 4)]


def test_a_roll_is_rows_or_seconds() -> None:
    assert roll_from("1000") == Roll(rows=1000) and roll_from("60s") == Roll(seconds=60.0)
    assert all(roll_from(text) is None for text in ("", "0", "-1", "1.5", "10m", "s", "1 000"))
