"""What `make run` starts finds all that it names: it is a program, and no other test imports it."""

from __future__ import annotations

import runpy
from pathlib import Path

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


def test_the_program_of_the_flights_can_be_started() -> None:
    assert callable(runpy.run_path(str(EXAMPLES / "flights" / "run.py"), run_name="looked_at")["main"])
