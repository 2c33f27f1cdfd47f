"""What every test shares: one compile cache beside the build, and generated inputs that never vary."""

from __future__ import annotations

import os
from pathlib import Path

from hypothesis import settings

ROOT = Path(__file__).resolve().parent.parent

# Compiled loops are kept between runs, but not among the user's own; `make clean` removes them.
os.environ.setdefault("BYTEOR_CACHE", str(ROOT / "build" / "compiled"))

settings.register_profile("fixed", derandomize=True, deadline=None, database=None)
settings.load_profile("fixed")
