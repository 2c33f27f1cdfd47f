"""Every code of the edges has a trigger, and bad rows are told all at once, with their lines."""

from __future__ import annotations

import io
import json
import os
import resource
import stat
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from byteor import diag
from byteor.edges import findings, open, resume
from byteor.edges.open import open_sink, open_source
from byteor.edges.rejects import RejectsFile
from byteor.edges.spool import Spooled
from byteor.exec.schema import dtype
from byteor.spec.model import Egress, Field, Ingress, MessageType

TRADE = MessageType(
    "trade",
    (
        Field("id", "u8"),
        Field("price", "f64", null="nan"),
        Field("sym", "bytes(4)"),
        Field("at", "timestamp(s)"),
        Field("live", "bool"),
    ),
)
LINE = MessageType("line", (Field("text", "bytes(4)"),))
INGRESS = Ingress("in", "trade", "", ("", "NA"), "fail", None)
SKIP = Ingress("in", "trade", "", ("", "NA"), "skip", None)
EGRESS = Egress("out", "trade", "", "", "rows", (), 100)
HEAD = "id,price,sym,at,live\n"
GOOD = "1,2.5,IBM,2013-01-01T10:00:00Z,true\n"


def source(path: Path, text: str | bytes, message: MessageType = TRADE, ingress: Ingress = INGRESS) -> list[np.ndarray]:
    """Write a file and read it."""
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return list(open_source(ingress, message, path))


def csv(tmp: Path, text: str | bytes) -> list[np.ndarray]:
    return source(tmp / "a.csv", text)


def sink(where: Any, rows: np.ndarray | None = None, message: MessageType = TRADE, **more: Any) -> None:
    """Write rows to a new sink, which is given up when it refuses."""
    out = open_sink(EGRESS, message, where, **more)
    try:
        out.write(np.zeros(1, dtype(message)) if rows is None else rows)
        out.finish()
    finally:
        out.abort()


def unreadable(tmp: Path) -> Iterator[np.ndarray]:
    """Read a file that the system refuses, whoever runs this."""
    (tmp / "a.csv").write_text(HEAD)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "access", lambda *a, **k: False)
        return iter(open_source(INGRESS, TRADE, tmp / "a.csv"))


def without_pyarrow(tmp: Path) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, "pyarrow", None)
        open_sink(EGRESS, TRADE, tmp / "a.parquet")


def wrong_column(tmp: Path) -> None:
    pq.write_table(pa.table({name: [[1]] for name in ("id", "price", "sym", "at", "live")}), tmp / "a.parquet")
    open_source(INGRESS, TRADE, tmp / "a.parquet")


def text_bytes() -> np.ndarray:
    rows = np.zeros(1, dtype(TRADE))
    rows["sym"] = b"\xff"
    return rows


def shorter_than_taken(tmp: Path) -> None:
    (tmp / "a.csv").write_text(HEAD + GOOD)
    list(resume.rows_after("in", "a.csv", open_source(INGRESS, TRADE, tmp / "a.csv"), 2))


def cut_spool(tmp: Path) -> None:
    outlet = Spooled(EGRESS, TRADE, str(tmp / "a.csv"), "token")
    try:
        outlet.open(1)
    finally:
        outlet.spool.remove()


def no_room(tmp: Path) -> None:
    """Write more than this process may: a file system that is full answers alike."""
    outlet = Spooled(EGRESS, TRADE, str(tmp / "a.csv"), "token")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    outlet.open(0)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (8, before[1]))
        outlet.write(np.zeros(100, dtype(TRADE)))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        outlet.spool.remove()


def refuse(found: tuple[diag.Diagnostic, ...]) -> None:
    raise diag.Refused(found)


TRIGGERS: dict[str, Callable[[Path], Any]] = {
    "E001": lambda tmp: open_sink(EGRESS, TRADE, tmp / "a.xyz"),
    "E002": without_pyarrow,
    "E003": lambda tmp: open_source(INGRESS, TRADE, tmp / "none.csv"),
    "E004": lambda tmp: open_source(INGRESS, TRADE, tmp, format="csv"),
    "E005": unreadable,
    "E006": lambda tmp: open_sink(EGRESS, TRADE, tmp / "none" / "a.csv"),
    "E007": lambda tmp: csv(tmp, ""),
    "E008": lambda tmp: csv(tmp, "1,2,3\n"),
    "E009": lambda tmp: csv(tmp, "id,price,live\n"),
    "E010": wrong_column,
    "E011": lambda tmp: csv(tmp, HEAD + GOOD.replace("2.5", "2,5".replace(",", "x"))),
    "E012": lambda tmp: csv(tmp, HEAD + GOOD.replace("1,", "256,", 1)),
    "E013": lambda tmp: csv(tmp, HEAD + GOOD.replace("IBM", "GOOGL")),
    "E014": lambda tmp: csv(tmp, HEAD + GOOD.replace("1,", "NA,", 1)),
    "E015": lambda tmp: csv(tmp, HEAD + GOOD + "1,2\n"),
    "E016": lambda tmp: csv(tmp, HEAD + 21 * GOOD.replace("true", "maybe")),
    "E017": lambda tmp: source(tmp / "a.raw", b"123"),
    "E018": lambda tmp: source(tmp / "a.parquet", b"not a Parquet file"),
    "E019": lambda tmp: sink(tmp / "a.txt"),
    "E020": lambda tmp: open_source(INGRESS, TRADE, "python:no_such_module:f"),
    "E021": lambda tmp: list(open_source(INGRESS, TRADE, [1, 2])),
    "E022": lambda tmp: sink(tmp / "a.parquet", text_bytes()),
    "E023": lambda tmp: sink(next),
    "E024": lambda tmp: open_source(INGRESS, TRADE, "-", format="parquet"),
    "E025": lambda tmp: csv(tmp, HEAD + GOOD + GOOD.replace("IBM", '"IBM') + GOOD),
    "E026": shorter_than_taken,
    "E027": lambda tmp: refuse(resume.judge_input("in", "-", open_source(INGRESS, TRADE, iter([])), "on_failure")),
    "E028": lambda tmp: Spooled(EGRESS, TRADE, "-", "token"),
    "E029": cut_spool,
    "E030": no_room,
}


def test_every_code_has_a_trigger() -> None:
    """The table of codes and the table of triggers are the same set, and each code has its page."""
    codes = {code: rule for code, rule in diag.RULES.items() if code.startswith("E")}
    assert set(codes) == set(TRIGGERS) and findings.EMPTY.code in codes
    assert all(rule.doc.startswith("What: ") for rule in codes.values())
    assert all("\nWhy: " in rule.doc and "\nInstead: " in rule.doc for rule in codes.values())


@pytest.mark.parametrize("code", TRIGGERS)
def test_trigger(code: str, tmp_path: Path) -> None:
    """The trigger refuses with its code, and leaves no output and no part of one."""
    before = set(tmp_path.iterdir())
    with pytest.raises(diag.Refused) as caught:
        TRIGGERS[code](tmp_path)
    expected = {"E011", "E016"} if code == "E016" else {code}
    assert {d.code for d in caught.value.diagnostics} == expected
    assert all(d.path.split(".")[0] in ("in", "out") for d in caught.value.diagnostics)
    written = {path.name for path in set(tmp_path.iterdir()) - before}
    assert written <= {"a.csv", "a.raw"} or code in ("E010", "E018")


def test_all_bad_rows_at_once(tmp_path: Path) -> None:
    """One refusal names every bad row, by line and column, in the order of the file."""
    rows = [GOOD, "\n", "999,x,IBM,2013-01-01,1\n", GOOD, "1,2,toolong,soon,false\n", "1\n"]
    with pytest.raises(diag.Refused) as caught:
        csv(tmp_path, HEAD + "".join(rows))
    paths = [(d.path, d.code) for d in caught.value.diagnostics]
    assert paths == [
        ("in.4.id", "E012"),
        ("in.4.price", "E011"),
        ("in.6.at", "E011"),
        ("in.6.sym", "E013"),
        ("in.7", "E015"),
    ]
    assert "line 4, column `id`: `999` is outside of u8" in str(caught.value)


def test_skip_keeps_the_rejects(tmp_path: Path) -> None:
    """Under `skip` the good rows stay, the bad ones are counted, and the rejects keep them as they were."""
    bad = ["999,x,IBM,2013-01-01,1", "1,2,toolong,soon,false", '1,"a\nb"', "1"]
    text = HEAD + GOOD + "\n".join(bad) + "\n" + GOOD
    (tmp_path / "a.csv").write_text(text)
    rejects = RejectsFile(str(tmp_path / "rejects.jsonl"))
    rows = open_source(SKIP, TRADE, tmp_path / "a.csv", rejects=rejects)
    assert sum(map(len, rows)) == rows.position == 2 and rows.skipped == 4
    assert not (tmp_path / "rejects.jsonl").exists()
    rejects.finish()
    kept = [json.loads(line) for line in (tmp_path / "rejects.jsonl").read_text().splitlines()]
    assert [row["line"] for row in kept] == [3, 4, 5, 7] and [row["text"] for row in kept] == bad
    assert kept[0]["reason"] == "id: `999` is outside of u8; price: `x` is no f64"


@pytest.mark.parametrize("format", ["jsonl", "parquet", "arrow"])
def test_skip_in_other_formats(format: str, tmp_path: Path) -> None:
    """Bad rows are counted and kept in every format, by line or by row."""
    where = tmp_path / f"a.{format}"
    good = {"id": 1, "price": None, "sym": "IBM", "at": "2013-01-01T10:00:00Z", "live": True}
    rows = [good, good | {"id": 300}, good | {"sym": None}, good | {"at": "soon", "live": None}, good]
    if format == "jsonl":
        where.write_text("\n".join(map(json.dumps, rows)) + "\n[1]\n{\n")
    else:
        table = pa.Table.from_pylist(rows)
        pq.write_table(table, where) if format == "parquet" else _ipc(table, where)
    rejects = RejectsFile(str(tmp_path / "r"))
    got = open_source(SKIP, TRADE, where, rejects=rejects)
    assert np.concatenate(list(got))["id"].tolist() == [1, 1]
    rejects.finish()
    kept = [json.loads(line) for line in (tmp_path / "r").read_text().splitlines()]
    more = 2 if format == "jsonl" else 0
    assert got.skipped == len(kept) == 3 + more
    assert [row["line"] for row in kept] == [2, 3, 4, 6, 7][: 3 + more]
    assert kept[2]["reason"] == "at: `soon` is no timestamp(s); live: no value, and the field declares no null"


def _ipc(table: Any, where: Path) -> None:
    with pa.ipc.new_file(where, table.schema) as writer:
        writer.write_table(table)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("2013-01-01T10:00:00Z", 1357034400),
        ("2013-01-01 10:00:00", 1357034400),
        ("2013-01-01T12:00:00+02:00", 1357034400),
        ("2013-01-01T05:00-0500", 1357034400),
        ("2013-01-01", 1356998400),
        ("1357034400", 1357034400),
        ("-5", -5),
        ("2013-13-01", None),
        ("2013-01-01T10:00:00.5Z", None),
        ("10:00", None),
        ("NA", None),
    ],
)
def test_times(text: str, value: int | None, tmp_path: Path) -> None:
    """CSV and JSON Lines read the same times, alone and mixed in one column."""
    good = [GOOD, GOOD.replace("Z", ""), GOOD.replace("2013-01-01T10:00:00Z", "17")]
    line = GOOD.replace("2013-01-01T10:00:00Z", text)
    row = {"id": 1, "price": 1, "sym": "", "at": text, "live": False}
    for path, content, place in (
        (tmp_path / "a.csv", HEAD + line, 0),
        (tmp_path / "b.csv", HEAD + "".join(good) + line, 3),
        (tmp_path / "a.jsonl", json.dumps(row), 0),
    ):
        rows = np.concatenate([np.zeros(0, dtype(TRADE)), *source(path, content, ingress=SKIP)])
        assert rows["at"].tolist()[place:] == ([] if value is None else [value])


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_line_ends_and_quotes(end: str, tmp_path: Path) -> None:
    """Lines are counted through quoted line ends, whatever ends a line, and a BOM is no part of the header."""
    quoted = '1,2,"a\nb",2013-01-01,1'
    rows = [HEAD[:-1], quoted, "", '1,2,"""",2013-01-01,0', "x,2,c,2013-01-01,1", GOOD[:-1]]
    with pytest.raises(diag.Refused) as caught:
        csv(tmp_path, b"\xef\xbb\xbf" + end.join(rows).encode())
    assert [d.path for d in caught.value.diagnostics] == ["in.6.id"]
    rows[4] = GOOD[:-1]
    got = np.concatenate(csv(tmp_path, b"\xef\xbb\xbf" + end.join(rows).encode()))
    assert got["sym"].tolist() == [b"a\nb", b'"', b"IBM", b"IBM"]


def test_extra_columns_and_order_do_not_matter(tmp_path: Path) -> None:
    """Columns are found by name; what the type does not name is not read, even twice."""
    text = "x,live,at,x,sym,price,id\n?,0,2013-01-01,?,a,1e300,7\n"
    assert csv(tmp_path, text)[0].tolist() == [(7, 1e300, b"a", 1356998400, False)]


def test_output_appears_only_when_complete(tmp_path: Path) -> None:
    """Nothing stands under the name before `finish`; an old file stays until then, and after an `abort`."""
    where = tmp_path / "a.csv"
    where.write_text("old")
    out = open_sink(EGRESS, TRADE, where)
    out.write(np.zeros(3, dtype(TRADE)))
    assert where.read_text() == "old"
    out.abort()
    assert where.read_text() == "old" and list(tmp_path.iterdir()) == [where]
    sink(where)
    assert where.read_text().startswith(HEAD) and list(tmp_path.iterdir()) == [where]


class Stream:
    """Stand in for `sys.stdin` or `sys.stdout`, counting flushes."""

    def __init__(self, data: bytes = b"") -> None:
        self.buffer = self
        self.bytes, self.flushes = io.BytesIO(data), 0

    def read1(self, size: int) -> bytes:
        return self.bytes.read(min(size, 7))

    def peek(self, size: int) -> bytes:
        return self.bytes.getvalue()[:size]

    def __getattr__(self, name: str) -> Any:
        return getattr(self.bytes, name)

    def flush(self) -> None:
        self.flushes += 1


@pytest.mark.parametrize("format", ["csv", "jsonl", "raw", "arrow", "lines"])
def test_streams(format: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows go through stdout and stdin, each batch flushed; a stream cannot be read again."""
    message = LINE if format == "lines" else TRADE
    rows = np.zeros(5, dtype(message))
    out = Stream()
    monkeypatch.setattr(sys, "stdout", out)
    sink("-", rows, message, format=format)
    assert out.flushes > 0
    monkeypatch.setattr(sys, "stdin", Stream(out.bytes.getvalue()))
    got = open_source(INGRESS, message, "-", format=format)
    assert np.concatenate(list(got)).tobytes() == rows.tobytes() and not got.rereadable


def test_pipe_as_a_file(tmp_path: Path) -> None:
    """A named pipe or a device is written as it is, never replaced by a file."""
    sink("/dev/null", format="csv")
    assert stat.S_ISCHR(os.stat("/dev/null").st_mode)


def test_sort_by_says_so() -> None:
    """A sorted source keeps the order of equal keys, and says what it costs."""
    rows = [(3, 1.0, "a", 0, True), (1, 2.0, "b", 0, True), (3, 0.0, "c", 0, True), (2, 0.0, "d", 0, True)]
    got = open_source(Ingress("in", "trade", "", (), "fail", "id"), TRADE, rows, batch=3)
    parts = list(got)
    assert [len(part) for part in parts] == [3, 1] and "sorted by `id`" in got.note
    assert np.concatenate(parts)["sym"].tolist() == [b"b", b"d", b"a", b"c"]


def test_formats_say_the_same_as_the_messages() -> None:
    """The table of suffixes names known formats only."""
    assert set(open.SUFFIXES.values()) == set(open.FORMATS)
