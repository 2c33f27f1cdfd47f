"""What the compiler and the machine make of the kernel, printed by the package's own `byteor.testing`.

Rule 1. Nothing is decided here; what was asked and what was found is said by the reports themselves.
"""

from __future__ import annotations

import importlib
import sys
from typing import Any

from dev.steps import ROOT


def _testing(name: str) -> Any:
    sys.path.insert(0, str(ROOT / "src"))
    return importlib.import_module(f"byteor.testing.{name}")


def emitted() -> int:
    return int(_testing("emitted").report())


def litmus(rounds: int) -> int:
    return int(_testing("threads").report(rounds))
