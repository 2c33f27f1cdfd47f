"""The studio, served to this machine alone: the interface, Python for browsers, and the files of this installation.

Rule 1. What is served is a table made at the start; no path of a request ever reaches the file system.
Rule 2. Every answer has a type from a table of our own: a browser given the wrong one for `.wasm` waits for ever.
Rule 3. Who asks for another host than this one is refused, so that no foreign page can read along.
"""

from __future__ import annotations

import hashlib
import importlib.util
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from byteor.diag import Refused
from byteor.web import archive
from byteor.web import findings as w

ADDRESS = "127.0.0.1"
INTERFACE = Path(__file__).parent / "site"
RUNTIME = "byteor_pyodide"
RUNTIME_AT = "/pyodide/"
TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".mjs": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".wasm": "application/wasm",
    ".whl": "application/zip",
    ".zip": "application/zip",
}
POLICY = (
    "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; worker-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-cache",  # what is unchanged is not sent again: every answer has a tag
}


@dataclass(frozen=True, slots=True)
class Served:
    """One answer: its bytes, their type and their tag."""

    data: bytes
    type: str
    tag: str


Table = dict[str, Served]


def table() -> Table:
    """Everything that is served, by path; raises `Refused` where a part of it is not installed."""
    found = []
    if not (INTERFACE / "index.html").is_file():
        help = "install a released wheel, or run `make studio`"
        found.append(w.NO_INTERFACE.at("", "the studio's interface is not there", help=help))
    if (runtime := runtime_folder()) is None:
        help = "pip install 'byteor[studio]'"
        found.append(w.NO_RUNTIME.at("", "Python for browsers is not installed", help=help))
    if found or runtime is None:
        raise Refused(found)
    made = {path: _served(data, path) for path, data in [*_files(INTERFACE, "/"), *_files(runtime, RUNTIME_AT)]}
    made[f"/{archive.NAME}"] = _served(archive.wheel(), archive.NAME)
    made["/"] = made["/index.html"]
    return made


def runtime_folder() -> Path | None:
    """Where Python for browsers lies; None where it is not installed."""
    spec = importlib.util.find_spec(RUNTIME)
    folder = Path(spec.origin).parent / "files" if spec and spec.origin else None
    return folder if folder and (folder / "pyodide.mjs").is_file() else None


def _files(folder: Path, at: str) -> Iterator[tuple[str, bytes]]:
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.suffix in TYPES:
            yield at + path.relative_to(folder).as_posix(), path.read_bytes()


def _served(data: bytes, name: str) -> Served:
    return Served(data, TYPES[Path(name).suffix], f'"{hashlib.sha256(data).hexdigest()[:32]}"')


class Handler(BaseHTTPRequestHandler):
    """Answers from the table."""

    server_version = "byteor"
    sys_version = ""
    protocol_version = "HTTP/1.1"
    timeout = 60

    def __init__(self, served: Table, *given: Any) -> None:
        self._table = served
        super().__init__(*given)

    def do_GET(self) -> None:
        self._answer(body=True)

    def do_HEAD(self) -> None:
        self._answer(body=False)

    def _answer(self, body: bool) -> None:
        served = self._table.get(self.path.partition("?")[0])
        if self.headers.get("Host") not in self._hosts():
            self._end(HTTPStatus.MISDIRECTED_REQUEST)
        elif served is None:
            self._end(HTTPStatus.NOT_FOUND)
        elif served.tag in self.headers.get("If-None-Match", ""):
            self._end(HTTPStatus.NOT_MODIFIED, served)
        else:
            self._end(HTTPStatus.OK, served, body)

    def _hosts(self) -> tuple[str, ...]:
        port = self.connection.getsockname()[1]
        return f"{ADDRESS}:{port}", f"localhost:{port}"

    def _end(self, status: HTTPStatus, served: Served | None = None, body: bool = False) -> None:
        data = served.data if served and status is HTTPStatus.OK else b""
        self.send_response(status)
        for name, value in HEADERS.items():
            self.send_header(name, value)
        if served:
            self.send_header("Content-Type", served.type)
            self.send_header("ETag", served.tag)
        if status is not HTTPStatus.NOT_MODIFIED:
            self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if body:
            self.wfile.write(data)

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing: the terminal belongs to whoever started the studio."""


class Server(ThreadingHTTPServer):
    """Listens to this machine alone."""

    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A browser that leaves in the middle of an answer is no fault."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


def server(port: int) -> Server:
    """Make a server that listens; port 0 is any that is free."""
    return Server((ADDRESS, port), partial(Handler, table()))
