"""Times as texts and back, without pyarrow: ISO 8601 in UTC.

Rule 1. A text without a zone is UTC; digits finer than the unit are refused, never cut.
Rule 2. A time outside of `SPANS`, which other readers may not know, leaves, and comes in, as its integer.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

DIGITS = {"s": 0, "ms": 3, "us": 6, "ns": 9}
SPANS = {"s": ("0001", "9999"), "ms": ("0001", "9999"), "us": ("0001", "9999"), "ns": ("1678", "2262")}
YEARS = {unit: np.array(span, "M8[Y]").astype(f"M8[{unit}]").astype("i8") for unit, span in SPANS.items()}
EPOCH = datetime(1970, 1, 1)
ISO = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d)(?::(\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?)?(?:(Z)|([+-])(\d\d)(?::?(\d\d))?)?)?",
    re.ASCII,
)


def parse(text: str, unit: str) -> int | None:
    """Read a time as a count of `unit` since 1970; None when it is none."""
    if re.fullmatch(r"-?[0-9]{1,20}", text):
        return int(text)
    m = ISO.fullmatch(text)
    if not m or len(m[7] or "") > DIGITS[unit]:
        return None
    try:
        moment = datetime(int(m[1]), int(m[2]), int(m[3]), int(m[4] or 0), int(m[5] or 0), int(m[6] or 0))
    except ValueError:
        return None
    offset = (int(m[10] or 0) * 60 + int(m[11] or 0)) * (-1 if m[9] == "-" else 1)
    if int(m[10] or 0) > 23 or int(m[11] or 0) > 59:
        return None
    seconds = (moment - EPOCH) // timedelta(seconds=1) - offset * 60
    return int(seconds * 10 ** DIGITS[unit]) + int((m[7] or "0").ljust(DIGITS[unit], "0"))


def from_datetime(moment: datetime, unit: str) -> int | None:
    """Count a datetime in `unit`; None when the unit is too coarse for it."""
    plain = moment.astimezone(UTC).replace(tzinfo=None) if moment.tzinfo else moment
    micros = (plain - EPOCH) // timedelta(microseconds=1)
    if unit == "ns":
        return int(micros * 1000)
    count, rest = divmod(micros, 10 ** (6 - DIGITS[unit]))
    return None if rest else int(count)


def whole(moment: np.datetime64, unit: str) -> int | None:
    """Count a numpy time in `unit`; None when the unit is too coarse for it, or it is no time."""
    count = moment.astype(f"M8[{unit}]")
    return None if np.isnat(moment) or count != moment else int(count.astype("i8"))


def texts(values: np.ndarray, unit: str) -> np.ndarray:
    """Give times as texts, an `S` array."""
    low, high = YEARS[unit]
    near = (values >= low) & (values <= high)
    moments: Any = np.where(near, values, 0).view(f"M8[{unit}]")
    iso = np.char.add(np.datetime_as_string(moments).astype("S"), b"Z")
    return iso if near.all() else np.where(near, iso, values.astype("S21"))
