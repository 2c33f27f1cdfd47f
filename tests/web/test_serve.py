"""The studio's server: its table, its headers, and whom it answers; no browser and no network is needed for that."""

from __future__ import annotations

import http.client
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from byteor import diag
from byteor.web import archive, serve
from tests.cli.project import byteor

FILES = {"index.html": "<!doctype html>", "theme.js": "", "assets/index.css": "", "secret.txt": "kept"}
RUNTIME = {
    "pyodide.mjs": "export {}",
    "pyodide.asm.wasm": "\0asm",
    "python_stdlib.zip": "PK",
    "pyodide-lock.json": "{}",
}


def written(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


@pytest.fixture
def port(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """A studio of small files, as it is served."""
    runtime = written(tmp_path / "runtime", RUNTIME)
    monkeypatch.setattr(serve, "INTERFACE", written(tmp_path / "site", FILES))
    monkeypatch.setattr(serve, "runtime_folder", lambda: runtime)
    with serve.server(0) as made:
        thread = threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield made.server_port
        made.shutdown()
        thread.join()


def ask(port: int, path: str, method: str = "GET", **headers: str) -> tuple[int, dict[str, str], bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    connection.request(method, path, headers=headers)
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    return answer.status, dict(answer.getheaders()), body


@pytest.mark.parametrize(
    ("path", "type"),
    [
        ("/", "text/html; charset=utf-8"),
        ("/index.html?x=1", "text/html; charset=utf-8"),
        ("/theme.js", "text/javascript; charset=utf-8"),
        ("/assets/index.css", "text/css; charset=utf-8"),
        ("/pyodide/pyodide.mjs", "text/javascript; charset=utf-8"),
        ("/pyodide/pyodide.asm.wasm", "application/wasm"),
        ("/byteor.whl", "application/zip"),
    ],
)
def test_every_answer_has_its_type_and_the_policy(port: int, path: str, type: str) -> None:
    status, headers, _ = ask(port, path)
    assert (status, headers["Content-Type"]) == (200, type)
    policy = headers["Content-Security-Policy"]
    assert "'wasm-unsafe-eval'" in policy and "'unsafe-eval'" not in policy and "'unsafe-inline'" not in policy
    assert "default-src 'none'" in policy and "http" not in policy
    assert headers["X-Content-Type-Options"] == "nosniff"


def test_the_wheel_is_made_of_this_installation(port: int) -> None:
    assert ask(port, "/byteor.whl")[2] == archive.wheel()


@pytest.mark.parametrize(
    "path", ["/secret.txt", "/../secret.txt", "/%2e%2e/site/secret.txt", "//etc/passwd", "/nothing.js"]
)
def test_what_is_not_in_the_table_is_not_there(port: int, path: str) -> None:
    assert ask(port, path)[0] == 404


@pytest.mark.parametrize("host", ["example.org", "127.0.0.1", "127.0.0.1:1", "localhost.example.org", ""])
def test_another_host_is_refused(port: int, host: str) -> None:
    status, _, body = ask(port, "/", Host=host)
    assert (status, body) == (421, b"")


def test_this_host_has_two_names(port: int) -> None:
    assert ask(port, "/", Host=f"localhost:{port}")[0] == ask(port, "/", Host=f"127.0.0.1:{port}")[0] == 200


def test_what_is_unchanged_is_not_sent_again(port: int) -> None:
    tag = ask(port, "/")[1]["ETag"]
    status, headers, body = ask(port, "/", **{"If-None-Match": tag})
    assert (status, headers["ETag"], body) == (304, tag, b"")


def test_a_head_has_no_body_and_a_post_no_answer(port: int) -> None:
    status, headers, body = ask(port, "/", "HEAD")
    assert (status, body, headers["Content-Length"]) == (200, b"", str(len(FILES["index.html"])))
    assert ask(port, "/", "POST")[0] == 501


def test_the_page_has_the_policy_of_the_server() -> None:
    page = (Path(__file__).parents[2] / "web/index.html").read_text()
    policy = serve.POLICY.partition("; frame-ancestors")[0]  # which a page cannot set for itself
    assert f'content="{policy}"' in page


def test_what_is_not_installed_is_a_finding(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serve, "INTERFACE", tmp_path)
    monkeypatch.setattr(serve, "RUNTIME", "no_such_distribution")
    with pytest.raises(diag.Refused) as refused:
        serve.table()
    assert [d.code for d in refused.value.diagnostics] == ["W003", "W004"]
    done = byteor("studio", "--port", "0", "--no-browser")
    assert done.exit_code == 2 and "pip install 'byteor[studio]'" in done.stderr
    assert byteor("studio", "--port", "65536").exit_code == 2


def test_the_runtime_is_found_where_it_is_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written(
        tmp_path / "small_runtime", {"__init__.py": "", **{f"files/{name}": text for name, text in RUNTIME.items()}}
    )
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(serve, "RUNTIME", "small_runtime")
    assert serve.runtime_folder() == tmp_path / "small_runtime/files"
    assert "small_runtime" not in sys.modules
