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
WIDE = {"width": 1360, "height": 860}
HERE = os.environ.get("BYTEOR_WEB") == "1"
collect_ignore_glob = [] if HERE else ["test_*.py"]

pytest.register_assert_rewrite("tests.web.browser.studio")
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


@pytest.fixture(scope="session")
def opened(browser: Any, address: str) -> Any:
    """One page for all tests that leave nothing behind: loading Python takes longer than most of them."""
    return Studio(browser.new_context(viewport=WIDE, color_scheme="light").new_page(), address).open()


@pytest.fixture
def studio(opened: Any) -> Iterator[Any]:
    yield opened
    opened.held()


@pytest.fixture
def fresh(browser: Any, address: str) -> Iterator[Any]:
    """A page of its own, which remembers nothing and is not open yet."""
    context = browser.new_context(viewport=WIDE, color_scheme="light")
    made = Studio(context.new_page(), address)
    yield made
    made.held()
    context.close()
