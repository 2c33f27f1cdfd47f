"""CSV in: whole rows by blocks, every column read as text, then one cast per column.

Rule 1. A block ends at a row's end, so memory is bounded by the block and not by the file.
Rule 2. A line number is the line in the file, the header is line 1; a row that spans lines has its first.
Rule 3. Empty lines are no rows. A row with another number of columns is a bad row.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator

import numpy as np
import pyarrow as pa

from byteor.edges import files, findings
from byteor.edges.arrow_in import column
from byteor.edges.blocks import Block, lines_in, whole_rows
from byteor.edges.csv_rows import cut, has_open_quote, row_spans, texts_of
from byteor.edges.rows import Bad, Judge, plain, short
from byteor.exec.schema import dtype
from byteor.spec.model import Field, MessageType

BOM = b"\xef\xbb\xbf"


def columns_of(message: MessageType) -> list[tuple[Field, int | None, str]]:
    """Give each scalar of the type its CSV column: the field's name, or `name.0`, `name.1` for several."""
    single = [(f, None, f.name) if f.count == 1 else None for f in message.fields]
    return [
        spot
        for f, one in zip(message.fields, single, strict=True)
        for spot in ([one] if one else [(f, i, f"{f.name}.{i}") for i in range(f.count)])
    ]


class CsvReader:
    """Rows of a CSV file or stream."""

    def __init__(self, message: MessageType, where: str, judge: Judge, null_text: tuple[str, ...]) -> None:
        self.message, self.where, self.judge = message, where, judge
        self.null_text = null_text
        self._dtype = dtype(message)

    def check(self) -> None:
        """Read the header, and no more."""
        with files.opened(self.where) as file:
            for block in whole_rows(files.blocks(file, self.where, 1 << 16), self.judge):
                self._header(block)
                return

    def read(self) -> Iterator[np.ndarray]:
        with files.opened(self.where) as file:
            names: list[str] | None = None
            for block in whole_rows(files.blocks(file, self.where), self.judge, cut):
                if names is None:
                    names, block = self._header(block)
                yield self._rows(names, block)
            if names is None:
                raise self.judge.refuse(findings.EMPTY, f"`{self.where}` has no header line")

    def _header(self, block: Block) -> tuple[list[str], Block]:
        """Read the first row as names; give unneeded columns names that nothing asks for."""
        data = block.data.removeprefix(BOM)
        spans = row_spans(data, None)
        if not len(spans.starts):
            raise self.judge.refuse(findings.EMPTY, f"`{self.where}` has no header line")
        end = int(spans.ends[0])
        names = self._names(plain(data[spans.starts[0] : end]))
        self._check_header(names)
        wanted = {name for _, _, name in columns_of(self.message)}
        unique = [name if name in wanted else f"\0{i}" for i, name in enumerate(names)]
        return unique, Block(data[end:], lines_in(data[:end]))

    def _names(self, line: str) -> list[str]:
        try:
            return next(csv.reader([line]))
        except csv.Error as error:
            raise self.judge.refuse(findings.NO_HEADER, f"the first line {short(line)} is no header") from error

    def _check_header(self, names: list[str]) -> None:
        wanted = [name for _, _, name in columns_of(self.message)]
        shown = short(",".join(names))
        missing = [name for name in wanted if name not in names]
        double = [name for name in wanted if names.count(name) > 1]
        if len(missing) == len(wanted):
            message = f"the first line {shown} names none of the fields of `{self.message.name}`"
            raise self.judge.refuse(findings.NO_HEADER, message, help="put the column names on the first line")
        if double:
            raise self.judge.refuse(findings.NO_HEADER, f"the first line names `{double[0]}` twice")
        if missing:
            raise self.judge.missing_columns(missing, names)

    def _rows(self, names: list[str], block: Block) -> np.ndarray:
        wanted = [name for _, _, name in columns_of(self.message)]
        try:
            table, ragged = texts_of(block.data, names, wanted)
        except pa.ArrowInvalid as error:
            message = f"the lines after line {block.line} cannot be read as CSV"
            raise self.judge.refuse(findings.NOT_THE_FORMAT, message) from error
        rows = np.zeros(table.num_rows, dtype=self._dtype)
        bad: list[Bad] = []
        for field, index, name in columns_of(self.message):
            one = Field(name, field.type, null=field.null)
            values, wrong = column(one, table.column(name).combine_chunks(), self.null_text)
            target = rows[field.name] if index is None else rows[field.name][:, index]
            target[...] = values
            bad += wrong
        if has_open_quote(block.data, len(rows) + len(ragged)):
            raise self._open_quote(block)
        return self._settle(block, rows, bad, ragged) if bad or ragged else rows

    def _settle(self, block: Block, rows: np.ndarray, bad: list[Bad], ragged: dict[int, str]) -> np.ndarray:
        """Number the rows as they stand in the block, ragged ones among them, and let the judge decide."""
        total = len(rows) + len(ragged)
        spans = row_spans(block.data, total)
        good = np.setdiff1d(np.arange(total), np.array(list(ragged), dtype=np.int64))
        whole = np.zeros(total, dtype=self._dtype)
        whole[good] = rows
        moved = [Bad(int(good[b.row]), b.column, b.rule, b.why) for b in bad]
        moved += [Bad(row, "", findings.BAD_ROW, why) for row, why in ragged.items()]
        return self.judge.settle(
            whole,
            moved,
            line=lambda row: block.line + 1 + int(spans.lines[row]),
            text=lambda row: plain(block.data[spans.starts[row] : spans.ends[row]]),
        )

    def _open_quote(self, block: Block) -> Exception:
        at = block.data.rfind(b'"')
        line = block.line + 1 + lines_in(block.data[:at])
        message = f"a quoted text is not closed; the last quote stands on line {line}"
        return self.judge.refuse(findings.OPEN_QUOTE, message, help="close the quote")
