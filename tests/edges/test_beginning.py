"""An output whose beginning cannot be written leaves nothing behind."""

from __future__ import annotations

from pathlib import Path
from typing import Any, BinaryIO

import pytest

from byteor.edges import files
from byteor.edges.open import open_sink
from byteor.spec.build import egress, message_type


class Full:
    """A file on a full disk."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def write(self, data: Any) -> int:
        raise OSError(28, "No space left on device")

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)


@pytest.mark.parametrize("format", ["csv", "npy", "parquet"])
def test_nothing_is_left(format: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[BinaryIO] = []

    def full(self: Any, path: Path) -> None:
        really(self, path)
        opened.append(self.file)
        self.file = Full(self.file)

    really = files.Output._open
    monkeypatch.setattr(files.Output, "_open", full)
    with pytest.raises(OSError, match="No space"):
        open_sink(egress("out", "t"), message_type("t", {"x": "i64"}), str(tmp_path / f"out.{format}"))
    assert list(tmp_path.iterdir()) == []
    assert opened[0].closed
