"""The studio in a real browser; only `make test-web` comes here, which has built it and has a Chromium.

Rule 1. A page that writes an error to its console, or asks another host for anything, fails its test.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[3]
HERE = os.environ.get("BYTEOR_WEB") == "1"
collect_ignore_glob = [] if HERE else ["test_*.py"]

if HERE:
    from tests.web.browser.studio import Studio, launched


@pytest.fixture(scope="session")
def address() -> Iterator[str]:
    """Where `byteor studio` of this checkout is served."""
    path = os.pathsep.join([str(ROOT / "src"), str(ROOT / "runtime/src")])
    command = [sys.executable, "-c", "from byteor.cli import main; main()", "studio", "--port", "0", "--no-browser"]
    with subprocess.Popen(command, env={**os.environ, "PYTHONPATH": path}, stdout=subprocess.PIPE, text=True) as served:
        found = re.search(r"http://\S+", served.stdout.readline() if served.stdout else "")
        assert found, "the studio did not say where it is"
        yield found[0]
        served.terminate()


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    with launched() as made:
        yield made


@pytest.fixture
def studio(browser: Any, address: str) -> Iterator[Any]:
    """A studio that nobody used before."""
    context = browser.new_context(viewport={"width": 1360, "height": 860}, color_scheme="light")
    made = Studio(context.new_page(), address)
    yield made
    made.held()
    context.close()
