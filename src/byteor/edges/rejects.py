"""The file that `--rejects` names: every skipped row, with its place and the reason.

Rule 1. One JSON object a line: `boundary`, `line` (for tables the row), `reason`, `text`.
Rule 2. The file appears when the run is over, also when it is empty.
"""

from __future__ import annotations

import json

from byteor.edges import files


class RejectsFile:
    """Keep rejected rows in a file."""

    def __init__(self, where: str) -> None:
        self._output = files.Output("rejects", where)

    def write(self, boundary: str, line: int, reason: str, text: str) -> None:
        row = {"boundary": boundary, "line": line, "reason": reason, "text": text}
        self._output.write((json.dumps(row, ensure_ascii=False) + "\n").encode(errors="backslashreplace"))

    def finish(self) -> None:
        """Give the file its name."""
        self._output.finish()

    def abort(self) -> None:
        """Leave nothing."""
        self._output.abort()
