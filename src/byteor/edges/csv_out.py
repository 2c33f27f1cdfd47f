"""CSV out: a header, then one line per row, joined by column and not by row.

Rule 1. Null values leave as the egress's `null_text`; a text is quoted only where a reader needs it.
        A text that is itself the reader's null text comes back as missing where the field declares a null.
Rule 2. Each batch is written whole, so a stream's reader sees it at once.
"""

from __future__ import annotations

import numpy as np
import pyarrow.compute as pc

from byteor.edges import files
from byteor.edges.arrow_out import texts_of
from byteor.edges.csv_in import columns_of
from byteor.spec.model import Egress, Field, MessageType


class CsvSink:
    """Rows as CSV lines."""

    def __init__(self, egress: Egress, message: MessageType, where: str) -> None:
        self._null, self._columns = egress.null_text, columns_of(message)
        self._output = files.Output(egress.name, where)
        with self._output.beginning():
            self._output.write((",".join(name for _, _, name in self._columns) + "\n").encode())

    def write(self, rows: np.ndarray) -> None:
        if len(rows):
            self._output.write(self._lines(rows))

    def _lines(self, rows: np.ndarray) -> memoryview:
        texts = []
        for field, index, name in self._columns:
            values = rows[field.name] if index is None else rows[field.name][:, index]
            texts.append(texts_of(Field(name, field.type, null=field.null), values, self._null))
        if len(texts) == 1:  # an empty line would be no row
            texts = [pc.if_else(pc.equal(texts[0], ""), '""', texts[0])]
        lines = pc.binary_join_element_wise(pc.binary_join_element_wise(*texts, ","), "", "\n")
        _, offsets, letters = lines.buffers()
        spots = np.frombuffer(offsets, dtype=np.int32)[lines.offset : lines.offset + len(lines) + 1]
        return memoryview(letters)[spots[0] : spots[-1]]

    def finish(self) -> None:
        self._output.finish()

    def abort(self) -> None:
        self._output.abort()
