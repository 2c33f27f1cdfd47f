"""Edges that are gone on with: outputs from a spool, inputs from a position, the same bytes after any death."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from byteor import diag
from byteor.edges import findings, resume, spool
from byteor.edges.open import FORMATS, open_sink, open_source
from byteor.edges.spool import Spooled
from byteor.exec.schema import dtype
from byteor.spec.model import Egress, Field, Ingress, MessageType

ROW = MessageType("row", (Field("id", "i64"), Field("sym", "bytes(6)"), Field("px", "f64", null="nan")))
LINE = MessageType("line", (Field("text", "bytes(16)"),))
EGRESS = Egress("out", "row", "", "", "rows", (), 100)
INGRESS = Ingress("in", "row", "", ("",), "fail", None)
TOKEN = "1f2e3d4c"


def rows_of(message: MessageType, first: int, end: int) -> np.ndarray:
    rows = np.zeros(end - first, dtype(message))
    numbers = np.arange(first, end)
    if message is LINE:
        rows["text"] = numbers.astype("S16")
        return rows
    rows["id"], rows["px"] = numbers, numbers / 8
    rows["sym"] = numbers.astype("S6")
    return rows


def whole(path: Path, message: MessageType, n: int) -> bytes:
    """The file as one sink writes it undisturbed."""
    sink = open_sink(EGRESS, message, path)
    sink.write(rows_of(message, 0, n))
    sink.finish()
    data = path.read_bytes()
    path.unlink()
    return data


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("format", FORMATS)
def test_a_successor_cuts_off_and_goes_on(format: str, tmp_path: Path) -> None:
    """What was written and not committed is written again, and the file is as if nobody had died."""
    message, where = (LINE if format == "lines" else ROW), tmp_path / f"out.{format}"
    if format == "lines":
        where = tmp_path / "out.txt"
    expected = whole(where, message, 1050)
    first = Spooled(EGRESS, message, str(where), TOKEN)
    first.check()
    assert names(tmp_path) == []
    first.open(0)
    first.write(rows_of(message, 0, 700))
    first.write(rows_of(message, 0, 9))  # torn off by a death before the commit
    first.leave()
    assert names(tmp_path) == [f".{where.name}.{TOKEN}.spool"]
    then = Spooled(EGRESS, message, str(where), TOKEN)
    then.open(650)
    assert then.spool.length == 650
    then.write(rows_of(message, 650, 1050))
    then.convert()
    then.finish()
    assert where.read_bytes() == expected
    then.leave()
    assert names(tmp_path) == [where.name]


def test_slots_wider_than_records_are_packed(tmp_path: Path) -> None:
    outlet = Spooled(EGRESS, ROW, str(tmp_path / "out.raw"), TOKEN)
    outlet.open(0)
    slots = np.zeros(50, dtype(ROW, 64))
    for name in slots.dtype.names or ():
        slots[name] = rows_of(ROW, 0, 50)[name]
    outlet.write(slots[10:20])
    outlet.write(slots[:0])
    outlet.convert()
    outlet.finish()
    outlet.leave()
    assert (tmp_path / "out.raw").read_bytes() == rows_of(ROW, 10, 20).tobytes()


POINTS: dict[str, Callable[[pytest.MonkeyPatch], None]] = {
    "before the file": lambda patch: patch.setattr(spool, "open_sink", die),
    "in the middle of it": lambda patch: patch.setattr(spool.Spool, "batches", some_then_die),
    "before the rename": lambda patch: patch.setattr(spool.os, "replace", die),
    "after the rename": lambda patch: patch.setattr(spool.Spooled, "leave", die),
    "before the spool is gone": lambda patch: patch.setattr(spool.Spool, "remove", die),
}


def die(*_: Any, **__: Any) -> Any:
    os.kill(os.getpid(), signal.SIGKILL)


def some_then_die(self: Any, rows: int = 0) -> Any:
    yield rows_of(ROW, 0, 300)
    die()


@pytest.mark.parametrize("point", POINTS)
def test_killed_while_finishing_and_done_again(point: str, tmp_path: Path) -> None:
    """Whatever a death left, the next one makes the same file, and nothing else stays."""
    where = tmp_path / "out.parquet"
    expected = whole(where, ROW, 500)
    pid = os.fork()
    if pid == 0:
        with pytest.MonkeyPatch.context() as patch:
            POINTS[point](patch)
            outlet = Spooled(EGRESS, ROW, str(where), TOKEN)
            outlet.open(0)
            outlet.write(rows_of(ROW, 0, 500))
            outlet.convert()
            outlet.finish()
            outlet.leave()
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == -signal.SIGKILL
    again = Spooled(EGRESS, ROW, str(where), TOKEN)
    again.open(500)
    again.convert()
    again.finish()
    again.leave()
    assert where.read_bytes() == expected and names(tmp_path) == [where.name]


def test_what_a_dead_plant_left_is_cleared_and_no_more(tmp_path: Path) -> None:
    where = tmp_path / "out[1].csv"
    where.write_text("an older file")
    outlet = Spooled(EGRESS, ROW, str(where), TOKEN)
    outlet.open(0)
    outlet.write(rows_of(ROW, 0, 5))
    other = Spooled(EGRESS, ROW, str(where), "another1")
    other.open(0)
    (tmp_path / f"..out[1].{TOKEN}.csv.77.part").touch()
    (tmp_path / f".out[1].{TOKEN}.csv").touch()
    outlet.leave()
    spool.clear(str(where), TOKEN)
    assert names(tmp_path) == [".out[1].csv.another1.spool", "out[1].csv"]
    assert where.read_text() == "an older file"
    spool.clear("-", TOKEN)
    other.leave()


def code_of(work: Callable[[], object]) -> str:
    with pytest.raises(diag.Refused) as caught:
        work()
    (finding,) = caught.value.diagnostics
    assert finding.path.split(".")[0] in ("in", "out")
    return finding.code


def test_a_cut_spool_is_refused(tmp_path: Path) -> None:
    outlet = Spooled(EGRESS, ROW, str(tmp_path / "a.csv"), TOKEN)
    outlet.open(0)
    outlet.write(rows_of(ROW, 0, 5))
    outlet.leave()
    assert code_of(lambda: outlet.open(6)) == findings.SPOOL_CUT.code


@pytest.mark.parametrize("where", ["-", "python:json:dumps", "/dev/null"])
def test_what_cannot_be_taken_back_is_not_restarted(where: str) -> None:
    (found,) = spool.judge_output("out", where, "on_failure")
    assert (found.path, found.code) == ("out", findings.NOT_EXACT.code)
    assert spool.judge_output("out", where, "never") == ()
    assert code_of(lambda: Spooled(EGRESS, ROW, where, TOKEN)) == findings.NOT_EXACT.code


def test_what_a_format_refuses_is_told_before_the_run(tmp_path: Path) -> None:
    outlet = Spooled(EGRESS, ROW, str(tmp_path / "a.txt"), TOKEN)
    assert code_of(outlet.check) == "E019" and names(tmp_path) == []
    assert code_of(lambda: Spooled(EGRESS, ROW, str(tmp_path), TOKEN)) in ("E001", "E004")
    assert code_of(lambda: Spooled(EGRESS, ROW, str(tmp_path / "none" / "a.csv"), TOKEN)) == "E006"


# inputs


@pytest.mark.parametrize("format", ["csv", "raw", "npy", "jsonl", "parquet"])
@pytest.mark.parametrize("position", [0, 1, 100, 101, 999, 1000])
def test_a_source_goes_on_from_a_position(format: str, position: int, tmp_path: Path) -> None:
    where = tmp_path / f"in.{format}"
    sink = open_sink(EGRESS, ROW, where)
    sink.write(rows_of(ROW, 0, 1000))
    sink.finish()
    source = open_source(INGRESS, ROW, where, batch=100)
    batches = list(resume.rows_after("in", str(where), source, position))
    assert all(0 < len(rows) <= 100 for rows in batches) and source.position == 1000
    got = np.concatenate([rows_of(ROW, 0, 0), *batches])
    assert got.tobytes() == rows_of(ROW, position, 1000).tobytes()
    assert code_of(lambda: list(resume.rows_after("in", str(where), source, 1001))) == findings.SOURCE_CHANGED.code
    assert sum(map(len, source)) == 1000, "an iteration starts at the first row again"


def test_skipped_rows_are_no_positions(tmp_path: Path) -> None:
    """A position counts what the source gave; bad rows that were left out are left out again."""
    where = tmp_path / "in.csv"
    where.write_text("id,sym,px\n1,a,1\nx,b,2\n3,c,3\n4,d,4\n")
    source = open_source(Ingress("in", "row", "", ("",), "skip", None), ROW, where)
    (rows,) = resume.rows_after("in", str(where), source, 1)
    assert rows["id"].tolist() == [3, 4] and source.skipped == 1


def replaced(path: Path) -> None:
    path.rename(path.with_name("old"))
    path.write_text("a,b\n1,2\n3,4\n")


CHANGES: list[tuple[Callable[[Path], object], str]] = [
    (lambda path: None, ""),
    (lambda path: path.open("a").write("5,6\n"), ""),
    (lambda path: os.truncate(path, 3), "E026"),
    (lambda path: path.write_bytes(path.read_bytes()[::-1]), "E026"),
    (replaced, "E026"),
    (lambda path: (path.unlink(), path.mkdir()), "E004"),
    (lambda path: path.unlink(), "E003"),
]


@pytest.mark.parametrize(("change", "code"), CHANGES)
def test_another_input_is_seen(change: Callable[[Path], object], code: str, tmp_path: Path) -> None:
    where = tmp_path / "in.csv"
    where.write_text("a,b\n1,2\n")
    os.utime(where, ns=(1, 1))
    known = resume.identity(str(where))
    change(where)
    try:
        found = resume.changed("in", str(where), known)
    except diag.Refused as refused:
        found = refused.diagnostics
    assert [d.code for d in found] == ([code] if code else [])


def test_what_cannot_be_read_again_is_not_restarted() -> None:
    source = open_source(INGRESS, ROW, iter([]))
    (found,) = resume.judge_input("in", "<iterator>", source, "on_failure")
    assert (found.path, found.code) == ("in", findings.NOT_REREADABLE.code)
    assert resume.judge_input("in", "<iterator>", source, "never") == ()
    assert resume.identity("-") == {} and resume.changed("in", "-", {}) == ()
