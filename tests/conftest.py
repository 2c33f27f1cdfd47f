"""What every test shares: a compile cache beside the build, Ctrl-C as a terminal has it, inputs that never vary."""

from __future__ import annotations

import os
import signal
from pathlib import Path

from hypothesis import settings

ROOT = Path(__file__).resolve().parent.parent

# Compiled loops are kept between runs, but not among the user's own; `make clean` removes them.
os.environ.setdefault("BYTEOR_CACHE", str(ROOT / "build" / "compiled"))

# A shell's background commands ignore Ctrl-C, and so would every child of a test that sends one.
signal.signal(signal.SIGINT, signal.default_int_handler)

settings.register_profile("fixed", derandomize=True, deadline=None, database=None)
settings.load_profile("fixed")
