"""The proof's tables, printed by the package's own `byteor.testing`.

Rule 1. Nothing is decided here; what ran, within which bounds, is said by the report itself.
"""

from __future__ import annotations

import importlib
import sys
from typing import Any

from dev.steps import ROOT


def _report() -> Any:
    sys.path.insert(0, str(ROOT / "src"))
    return importlib.import_module("byteor.testing.report")


def explore(full: bool) -> int:
    return int(_report().explore(full=full))


def mutants(full: bool) -> int:
    return int(_report().mutants(full=full))
