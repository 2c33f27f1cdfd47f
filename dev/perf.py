"""The bench, `bench/`, started from here.

Rule 1. Nothing is measured or decided here.
"""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Sequence

from dev.steps import ROOT


def perf(families: Sequence[str], as_json: bool, plot: bool, update: bool, rounds: int) -> int:
    sys.path[:0] = [str(ROOT / "src"), str(ROOT)]
    os.environ.setdefault("BYTEOR_CACHE", str(ROOT / "build" / "compiled"))
    main = importlib.import_module("bench.main").main
    return int(main(families, as_json=as_json, plot=plot, update=update, rounds=rounds))
