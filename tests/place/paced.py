"""A source that lasts as long as a trouble: the same rows always, a few at a time until somebody says to end."""

import time
from pathlib import Path

import numpy as np

ROWS, CHUNK, EVERY = 100_000, 50, 0.02  # 40 s of rows; the last ones wait for the word
KIND = np.dtype([("id", "i8"), ("price", "i8"), ("total", "i8")])
HERE = Path(__file__).parent


def rows():  # type: ignore[no-untyped-def]
    """All rows; once `over` is there, as fast as they are taken."""
    over, began = HERE / "over", HERE / "began"
    if not began.exists():
        began.write_text(repr(time.time()))
    since = float(began.read_text())
    for at in range(0, ROWS, CHUNK):
        made = np.zeros(CHUNK, KIND)
        made["id"] = np.arange(at, at + CHUNK)
        made["price"] = made["id"] % 200
        last = at + CHUNK == ROWS
        while not over.exists() and (last or time.time() < since + EVERY * at / CHUNK):
            time.sleep(EVERY / 4)
        yield made
