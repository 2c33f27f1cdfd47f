"""A plant on two machines under Ray in trouble: actor, raylet and head killed, machines cut off; the bytes the same.

Rule 1. What is done and checked stands in `tests.place`; here is in which order, how long, and what is printed.
Rule 2. However it ends, nothing of the machines is left.
"""

from __future__ import annotations

import signal
import sys
import tempfile
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

from dev.steps import ROOT


def stress(cuts: Sequence[float]) -> int:
    """Meet one trouble after the other; 1 when anything was wrong, or cannot be tried here."""
    sys.path[:0] = [str(ROOT / "src"), str(ROOT)]
    if find_spec("ray") is None:
        print("Ray is not installed: pip install 'byteor[ray]'")
        return 1
    from _pytest.outcomes import Skipped

    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        return int(not _all_fine(cuts))
    except Skipped as why:
        print(why)
        return 1


def _all_fine(cuts: Sequence[float]) -> bool:
    from tests.place.cluster import cluster
    from tests.place.ray_troubles import Troubled, troubles

    fine = True
    with tempfile.TemporaryDirectory(prefix="byteor-ray-", dir="/dev/shm") as folder, cluster(Path(folder)) as machines:
        for name, meet in troubles(cuts).items():
            seen = Troubled(machines, Path(folder) / name.replace(" ", "-")).run(name, meet)
            print(seen, flush=True)
            fine = fine and seen.fine
    return fine
