"""Layouts are append-only: what a vector holds stays where it is.

Rule 1. A vector whose first line says draft follows the tables; once it says frozen, only new cells may differ.
Rule 2. Freezing is one edit: the first line of a file under spec/vectors/layouts.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from byteor.abi import document

VECTORS = Path(__file__).resolve().parents[2] / "spec" / "vectors" / "layouts"
CURRENT = {"indexbus_v1": document.indexbus_v1_vectors, "byteor_v1": document.byteor_v1_vectors}
STATUS = (document.DRAFT, "# status: frozen")


def tables(text: str) -> dict[str, list[str]]:
    """The rows of each table, under the rows that name its kind, its parameters and itself."""
    blocks = [block.splitlines() for block in text.split("\n\n")[1:]]
    found = {}
    for rows in blocks:
        head = [row for row in rows if not row[0].isdigit()]
        name = " ".join(row.partition(" bytes ")[0] for row in head)
        found[name] = rows[len(head) - 1 :]
    return found


def broken(old: str, new: str) -> list[str]:
    """What the newer text no longer holds of the older, or puts where something might be already."""
    now = tables(new)
    faults = []
    for name, (size, *rows) in tables(old).items():
        if name not in now:
            faults.append(f"{name}: is gone")
            continue
        grown, *kept = now[name]
        faults += [f"{name}: {row}: moved, changed or gone" for row in rows if row not in kept]
        last = max(int(row.split()[0]) for row in rows)
        faults += [f"{name}: {row}: not at the end" for row in kept if row not in rows and int(row.split()[0]) <= last]
        if _bytes(grown) < _bytes(size):
            faults.append(f"{name}: shrank")
    return faults


def _bytes(row: str) -> int:
    return int(row.partition(" bytes ")[2].split()[0])


@pytest.mark.parametrize("name", CURRENT)
def test_vectors_are_kept(name: str) -> None:
    text = (VECTORS / f"{name}.txt").read_text()
    assert text.partition("\n")[0] in STATUS
    assert broken(text, CURRENT[name]()) == []


def test_there_is_a_vector_for_every_file_and_every_table() -> None:
    assert {path.stem for path in VECTORS.iterdir()} == set(CURRENT)
    for name, current in CURRENT.items():
        assert list(tables((VECTORS / f"{name}.txt").read_text())) == list(tables(current()))


OLD = """\
# status: frozen

kind 1 a
n 4
layout a bytes 16 align 8
0 x u64
8 y u32

layout b bytes 4 align 4
0 z u32
"""


@pytest.mark.parametrize(
    ("change", "faults"),
    [
        (("bytes 16 align 8\n0 x u64\n8 y u32", "bytes 16 align 8\n0 x u64\n8 y u32\n12 w u32"), 0),
        (("8 y u32", "8 y u32\n64 w u64"), 0),
        (("8 y u32", "12 y u32"), 1),
        (("8 y u32", "8 y i32"), 2),
        (("8 y u32", "8 why u32"), 2),
        (("\n8 y u32", ""), 1),
        (("0 x u64", "0 x u64\n4 w u32"), 1),
        (("bytes 16", "bytes 8"), 1),
        (("layout b", "layout c"), 1),
        (("n 4", "n 5"), 1),
    ],
)
def test_a_planted_change_is_found(change: tuple[str, str], faults: int) -> None:
    assert change[0] in OLD
    assert len(broken(OLD, OLD.replace(*change))) == faults
