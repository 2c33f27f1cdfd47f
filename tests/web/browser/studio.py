"""The studio as its tests use it: by what a reader sees, clicks and types."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

from playwright.sync_api import expect, sync_playwright

from dev import browser as tools

FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
LOAD = 90_000  # milliseconds for a worker to be there, on the slowest machine
AXE = tools.WEB / "node_modules/axe-core/axe.min.js"


@contextlib.contextmanager
def launched(*more: str) -> Iterator[Any]:
    """A Chromium."""
    expect.set_options(timeout=10_000)
    with sync_playwright() as playwright:
        made = playwright.chromium.launch(executable_path=tools.chromium(), args=[*FLAGS, *more])
        yield made
        made.close()


class Studio:
    """One page."""

    def __init__(self, page: Any, address: str) -> None:
        self.page, self.address = page, address
        self.errors: list[str] = []
        self.foreign: list[str] = []
        self.dialogs: list[str] = []
        page.set_default_timeout(15_000)
        page.on("console", self._console)
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("request", self._request)
        page.on("dialog", lambda dialog: (self.dialogs.append(dialog.message), dialog.dismiss()))

    def _console(self, message: Any) -> None:
        if message.type in ("error", "warning"):
            self.errors.append(message.text)

    def _request(self, request: Any) -> None:
        if not request.url.startswith((self.address, "data:", "blob:")):
            self.foreign.append(request.url)

    def held(self) -> None:
        """What must be true of every page whenever a test ends."""
        found = self.errors[:], self.foreign[:], self.dialogs[:]
        self.errors.clear()
        assert found == ([], [], [])

    def open(self, fragment: str = "") -> Studio:
        self.page.goto(self.address + fragment)
        self.settled()
        return self

    def settled(self) -> None:
        """Wait until the document as it stands has been answered."""
        expect(self.page.locator("main")).to_have_attribute("aria-busy", "false", timeout=LOAD)

    @property
    def status(self) -> Any:
        return self.page.locator("#status")

    def load(self, text: str | bytes, name: str = "plan.toml") -> Studio:
        """Import a document as a file."""
        data = text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text
        self.page.set_input_files("#file", {"name": name, "mimeType": "text/plain", "buffer": data})
        self.settled()
        return self
