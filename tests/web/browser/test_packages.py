"""What is built: the same bytes twice, small enough, and wheels that work in an empty environment with no network."""

from __future__ import annotations

import functools
import http.server
import json
import os
import re
import shutil
import subprocess
import sys
import threading
import zipfile
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from dev import browser as tools
from tests.web.browser.studio import Studio
from tests.web.vectors import ROOT


def contents(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_two_builds_are_the_same_bytes(tmp_path: Path) -> None:
    for config, built in (("vite.studio.ts", tools.SITE), ("vite.client.ts", tools.CLIENT)):
        again = tmp_path / config
        tools.npm(
            "exec", "--offline", "--", "vite", "build", "--config", config, "--outDir", str(again), "--emptyOutDir"
        )
        made = contents(again)
        assert made and {name: contents(built)[name] for name in made} == made


def test_the_scripts_keep_to_their_budget() -> None:
    assert 50_000 < tools.javascript() <= tools.BUDGET


def test_the_npm_package_holds_what_a_page_needs(tmp_path: Path) -> None:
    place = tools.node()
    listed = subprocess.run(
        [f"{place}/npm", "pack", "--dry-run", "--json"], cwd=tools.WEB, capture_output=True, text=True
    )
    files = {file["path"] for file in json.loads(listed.stdout)[0]["files"]}
    declared = {f"dist/client/{name}.d.ts" for name in ("index", "answers", "client", "json", "messages")}
    assert {"dist/client/index.js", "dist/client/worker.js", "dist/client/byteor.whl", "assets.mjs", *declared} <= files
    assert {"README.md", "LICENSE-APACHE", "LICENSE-MIT"} <= files
    subprocess.run([f"{place}/node", str(tools.WEB / "assets.mjs"), str(tmp_path / "a/b")], check=True)
    assert set(contents(tmp_path / "a/b")) == {"byteor.whl", *(f"pyodide/{name}" for name in tools.RUNTIME_FILES)}
    pinned = json.loads((tools.WEB / "package.json").read_text())
    versions = [*pinned["dependencies"].values(), *pinned["devDependencies"].values()]
    assert all(re.fullmatch(r"\d+\.\d+\.\d+", version) for version in versions)


def test_a_plain_file_server_suffices_under_any_path(browser: Any, tmp_path: Path) -> None:
    (tmp_path / "some/where").mkdir(parents=True)
    (tmp_path / "some/where/studio").symlink_to(tools.STUDIO)

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_: Any) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(tmp_path))) as served:
        thread = threading.Thread(target=served.serve_forever)
        thread.start()
        context = browser.new_context()
        studio = Studio(context.new_page(), f"http://127.0.0.1:{served.server_port}/some/where/studio/")
        studio.open()
        expect(studio.status).to_have_text("No findings")
        studio.held()
        context.close()
        served.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheels of byteor and of the runtime, as they are released."""
    target = tmp_path_factory.mktemp("wheels")
    assert tools.pack(target) == 0
    return target


def test_the_wheels_hold_what_they_should(wheels: Path) -> None:
    (ours,) = wheels.glob("byteor-*.whl")
    (runtime,) = wheels.glob("byteor_pyodide-*.whl")
    with zipfile.ZipFile(ours) as made:
        site = [info for info in made.infolist() if info.filename.startswith("byteor/web/site/")]
    assert {"index.html", "theme.js", "icon.svg"} <= {Path(info.filename).name for info in site}
    assert 100_000 < sum(info.compress_size for info in site) < 200_000
    assert not [info for info in site if info.filename.endswith((".wasm", ".whl", ".zip"))]
    with zipfile.ZipFile(runtime) as made:
        names = {Path(name).name for name in made.namelist()}
        licences = [made.read(name) for name in made.namelist() if name.endswith(("LICENSE", "LICENSE.txt"))]
    assert set(tools.RUNTIME_FILES) <= names
    assert len(licences) == 2 and all(b"Mozilla Public License Version 2.0" in text for text in licences)
    assert 5_000_000 < runtime.stat().st_size < 8_000_000


@pytest.mark.timeout(900)
def test_an_empty_environment_serves_the_studio_with_the_network_off(wheels: Path, tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-m", "venv", str(tmp_path / "venv")], check=True)
    python = str(tmp_path / "venv/bin/python")
    (ours,) = wheels.glob("byteor-*.whl")
    wanted = f"byteor[studio] @ {ours.as_uri()}"
    install = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--find-links", str(wheels)]
    subprocess.run([*install, wanted], check=True)
    script = Path(__file__).parent / "offline.py"
    alone = ["unshare", "--net"] if shutil.which("unshare") and os.geteuid() == 0 else []
    command = [*alone, sys.executable, str(script), str(tmp_path / "venv/bin/byteor")]
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, env={**os.environ, "PYTHONPATH": str(ROOT)}
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert re.search(r"No findings; network (off|refused)", done.stdout)
