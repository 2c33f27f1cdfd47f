"""Lines of text: each is one record of one `bytes(N)` field.

Rule 1. A line ends with LF or CR LF; its end is no part of the record. Empty lines are records too.
Rule 2. A line longer than the field is a bad row; a record with a line end in it cannot be written.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from byteor.edges import files, findings
from byteor.edges.blocks import Block, whole_rows
from byteor.edges.rows import Bad, Judge, plain
from byteor.edges.texts import pack, unpack
from byteor.exec.schema import dtype, scalar_of
from byteor.spec.model import Egress, MessageType

LF, CR = 10, 13


def check_type(message: MessageType, name: str, where: str) -> None:
    """Refuse a type that is not one `bytes(N)` field."""
    fields = message.fields
    if len(fields) == 1 and fields[0].count == 1 and scalar_of(fields[0]).kind == "bytes":
        return
    said = f"`lines` needs a type of one `bytes(N)` field, and `{message.name}` is another"
    raise files.refused(findings.TYPE_FOR_FORMAT, name, where, said, "use `csv` or `jsonl` for several fields")


class LinesReader:
    """Lines of a text file or stream."""

    def __init__(self, message: MessageType, where: str, judge: Judge) -> None:
        check_type(message, judge.name, where)
        self.field, self.where, self.judge = message.fields[0], where, judge
        self._dtype = dtype(message)

    def check(self) -> None:
        """A text file has no header: its first line is its first record."""

    def read(self) -> Iterator[np.ndarray]:
        with files.opened(self.where) as file:
            for block in whole_rows(files.blocks(file, self.where), self.judge):
                yield self._rows(block)

    def _rows(self, block: Block) -> np.ndarray:
        data = block.data if block.data.endswith(b"\n") else block.data + b"\n"
        letters = np.frombuffer(data, dtype=np.uint8)
        breaks = np.flatnonzero(letters == LF)
        starts = np.append(0, breaks[:-1] + 1)
        ends = breaks - ((breaks > starts) & (letters[breaks - 1] == CR))
        column, long = pack(letters, starts, ends, scalar_of(self.field).size)
        why = "{} bytes, where the field has " + str(scalar_of(self.field).size)
        bad = [Bad(int(i), self.field.name, findings.TOO_LONG, why.format(ends[i] - starts[i])) for i in long]
        return self.judge.settle(
            column.view(self._dtype),
            bad,
            line=lambda row: block.line + 1 + row,
            text=lambda row: plain(data[starts[row] : ends[row]]),
        )


class LinesSink:
    """Records as lines."""

    def __init__(self, egress: Egress, message: MessageType, where: str) -> None:
        check_type(message, egress.name, where)
        self._name, self._field = egress.name, message.fields[0].name
        self._output = files.Output(egress.name, where)

    def write(self, rows: np.ndarray) -> None:
        letters, offsets = unpack(rows[self._field])
        if (letters == LF).any():
            message = f"a value of `{self._field}` has a line end in it"
            raise files.refused(findings.UNWRITABLE, self._name, self._output.where, message)
        self._output.write(np.insert(letters, offsets[1:], LF).tobytes())

    def finish(self) -> None:
        self._output.finish()

    def abort(self) -> None:
        self._output.abort()
