"""Names that a spec takes, made of those that an author writes.

Rule 1. The same plan gives the same names: who comes first keeps its name, who comes later gets a number.
"""

from __future__ import annotations

import re


def sanitised(name: str) -> str:
    """Make a name that fits a spec: other characters become `_`."""
    made = re.sub(r"[^A-Za-z0-9_-]+", "_", name)[:60]
    return made if re.match(r"[A-Za-z_]", made) else f"_{made}"


def free(name: str, taken: dict[str, int]) -> str:
    """Number a name that is taken; `taken` holds the last number of each."""
    made = name
    while made in taken:
        taken[name] += 1
        made = f"{name[:52]}_{taken[name]}"
    taken[made] = 1
    return made
