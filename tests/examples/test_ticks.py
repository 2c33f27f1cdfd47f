"""The smallest example runs as a program and from the shell."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from byteor.cli.asked import Asked
from byteor.cli.carry import carry_out

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "ticks"


def test_the_program_prints_the_values() -> None:
    done = subprocess.run([sys.executable, str(EXAMPLE / "run.py")], capture_output=True, text=True)
    assert done.stdout == "[15.0, 40.0, 120.0]\n", done.stderr


def test_the_shell_writes_them(tmp_path: Path) -> None:
    out = tmp_path / "values.csv"
    asked = Asked(inputs=(str(EXAMPLE / "ticks.csv"),), outputs=(str(out),))
    assert carry_out(str(EXAMPLE / "plan.toml"), asked).exit == 0
    assert out.read_text() == "price,size,value\n1.5,10,15\n2,20,40\n4,30,120\n"
