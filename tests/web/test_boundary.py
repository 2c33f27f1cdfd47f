"""The boundary: the command's own answers, in every Python the same, whatever it is asked."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tomllib
import types
import typing
import zipfile
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any, Literal

import pytest

from byteor import web
from byteor.answers import shapes
from byteor.web import archive, boundary
from tests.cli.project import byteor
from tests.web import vectors

ROOT = vectors.ROOT
NEWEST = 20


@cache
def asked() -> list[vectors.Request]:
    return vectors.requests()


@cache
def answered() -> list[str]:
    return [web.call(name, request) for name, request in asked()]


def pythons() -> list[str]:
    """This Python, and one of each other version that we run on and that starts here."""
    others = [minor for minor in range(11, NEWEST) if minor != sys.version_info.minor]
    return [sys.executable, *filter(None, map(python_of, others))]


def python_of(minor: int) -> str:
    managed = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    kept = [str(place) for place in sorted(managed.glob(f"3.{minor}.*/bin/python"))]
    places = [place for place in (shutil.which(f"python3.{minor}"), *kept) if place]
    starts = (place for place in places if subprocess.run([place, "-c", ""], capture_output=True).returncode == 0)
    return next(starts, "")


# One answer for all


COMMANDS = {
    "check": ("check",),
    "lower": ("lower",),
    "convert": ("convert",),
    "describe": ("describe",),
    "hash": ("hash",),
    "graph": ("graph", "--format", "svg"),
}


@pytest.mark.parametrize("command", COMMANDS)
def test_answers_are_the_command_line_s_own(tmp_path: Path, command: str) -> None:
    whole = ("flights", "plant.kv", "P017-missing-key", "lone surrogate", "mark", "K009-unknown-key")
    for name, text in vectors.documents().items():
        if command == "check" or name in whole:
            place = tmp_path / "document"
            place.write_bytes(text.encode("utf-8", "surrogatepass"))
            said = web.call(command, json.dumps({"document": text}))
            assert byteor(*COMMANDS[command], "--json", str(place)).stdout == said, name


def test_other_answers_are_the_command_line_s_own(tmp_path: Path) -> None:
    old, new = (ROOT / f"spec/vectors/{name}.kv" for name in ("chain", "diamond"))
    pair = json.dumps({"old": old.read_text(), "new": new.read_text()})
    assert web.diff(pair) == byteor("diff", "--json", str(old), str(new)).stdout
    assert web.explain('{"code": "s045"}') == byteor("explain", "--json", "s045").stdout
    assert web.explain('{"code": "S999"}') == byteor("explain", "--json", "S999").stdout
    assert web.explain("{}") == byteor("explain", "--json").stdout
    assert web.schema("{}") == byteor("schema").stdout
    header = json.dumps({"header": old.read_text()})
    assert web.schema(header) == byteor("schema", "--json", "--header", str(old)).stdout
    plan = json.dumps({"document": (ROOT / "examples/flights/plan.toml").read_text(), "explain": True})
    said = byteor("lower", "--json", "--explain", str(ROOT / "examples/flights/plan.toml")).stdout
    assert web.lower(plan) == said
    assert json.loads(web.version("{}"))["byteor"] in byteor("--version").stdout


@pytest.mark.stress
def test_every_python_gives_the_same_bytes(tmp_path: Path) -> None:
    place = tmp_path / "requests.json"
    place.write_text(json.dumps(asked()))
    running = []
    for seed, python in enumerate(pythons()):
        env = {**os.environ, "PYTHONPATH": str(ROOT / "src"), "PYTHONHASHSEED": str(seed)}
        command = [python, str(ROOT / "tests/web/vectors.py"), str(place)]
        out = tmp_path / f"{seed}.json"
        running.append((python, out, subprocess.Popen(command, env=env, stdout=out.open("wb"))))
    for python, out, process in running:
        assert process.wait() == 0, python
        assert json.loads(out.read_text()) == answered(), python


def test_the_boundary_alone_knows_every_code() -> None:
    code = "import sys; from byteor import web; sys.stdout.write(web.explain('{}'))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=os.environ)
    tables = {f"byteor.{path.parent.name}.findings" for path in (ROOT / "src/byteor").glob("*/findings.py")}
    assert tables - {"byteor.web.findings"} <= set(sys.modules) and done.stdout == byteor("explain", "--json").stdout


# What is promised of answers


def fits(value: Any, hint: Any) -> bool:
    """Whether a value has the shape that a hint declares, no key more and none less."""
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin is Literal:
        return value in arguments
    if origin in (typing.Union, types.UnionType):
        return any(fits(value, one) for one in arguments)
    if origin is list:
        return isinstance(value, list) and all(fits(item, arguments[0]) for item in value)
    if origin is dict:
        return isinstance(value, dict) and (arguments[1] is Any or all(fits(v, arguments[1]) for v in value.values()))
    if typing.is_typeddict(hint):
        hints = typing.get_type_hints(hint)
        return (
            isinstance(value, dict) and list(value) == list(hints) and all(fits(value[k], h) for k, h in hints.items())
        )
    return type(value) is hint


def test_every_answer_has_its_declared_shape() -> None:
    for (name, _), answer in zip(asked(), answered(), strict=True):
        wanted = boundary.SIGNATURES[name].return_annotation if name in boundary.SIGNATURES else shapes.Refused
        assert fits(json.loads(answer), wanted | shapes.Refused), (name, answer[:300])


def test_what_does_not_fit_is_seen() -> None:
    good = {"spec_sha256": "a"}
    assert fits(good, shapes.Hashed)
    assert not fits({**good, "more": 1}, shapes.Hashed) and not fits({"spec_sha256": 1}, shapes.Hashed)


def test_the_questions_are_ten() -> None:
    wanted = "check lower convert describe hash diff graph explain schema version"
    assert list(boundary.CALLS) == wanted.split()


def codes(answer: str) -> list[str]:
    return [finding["code"] for finding in json.loads(answer)["findings"]]


@pytest.mark.parametrize("request_", vectors.BAD)
def test_a_bad_request_is_refused(request_: str) -> None:
    assert set(codes(web.check(request_))) == {"W002"}


def test_a_request_is_refused_for_its_size_before_it_is_read() -> None:
    assert codes(web.check("[" * (boundary.MAX_REQUEST + 1))) == ["W001"]


def test_an_unknown_question_is_refused() -> None:
    said = json.loads(web.call("<script>" * 100, "{}"))["findings"][0]
    assert said["code"] == "W002" and len(said["message"]) < 120 and "check" in said["help"]


def test_a_drawing_knows_the_lines_of_its_parts() -> None:
    text = (ROOT / "examples/ticks/plan.toml").read_text()
    lines = json.loads(web.graph(json.dumps({"document": text})))["lines"]
    first, last = lines["single_ring.stages.0"]
    assert text.splitlines()[first - 1] == "[[stage]]" and text.splitlines()[last - 1].startswith("writes")
    plan = json.loads(web.graph(json.dumps({"document": text, "plan": True})))["lines"]
    assert plan["stage.0"] == [first, last]


# The wheel for browsers


def test_the_wheel_is_the_package_s_own_files_and_always_the_same() -> None:
    assert archive.wheel() == archive.wheel()
    with zipfile.ZipFile(BytesIO(archive.wheel())) as made:
        names = [name for name in made.namelist() if name.startswith("byteor/")]
        for name in names:
            assert made.read(name) == (ROOT / "src" / name).read_bytes()
        assert made.testzip() is None
    layers = {name.split("/")[1] for name in names}
    assert {"spec", "plan", "lower", "views", "answers", "web"} <= layers
    kept = {name for name in names if name.split("/")[1] in ("kernel", "exec", "lanes", "transport", "edges", "cli")}
    assert {Path(name).name for name in kept} <= {"findings.py", "__init__.py"}


def test_the_wheel_runs_alone_without_what_a_browser_lacks(tmp_path: Path) -> None:
    (tmp_path / "byteor.whl").write_bytes(archive.wheel())
    code = "import sys\nfor n in 'numpy numba fcntl mmap ctypes threading subprocess'.split(): sys.modules[n] = None\n"
    code += "from byteor import web; import byteor; print(byteor.__file__); print(web.check(sys.argv[1]))"
    request = json.dumps({"document": (ROOT / "examples/ticks/plan.toml").read_text()})
    env = {**os.environ, "PYTHONPATH": str(tmp_path / "byteor.whl")}
    done = subprocess.run([sys.executable, "-c", code, request], env=env, cwd=tmp_path, capture_output=True, text=True)
    place, _, said = done.stdout.partition("\n")
    assert done.returncode == 0, done.stderr
    assert str(tmp_path) in place and json.loads(said)["status"] == "ok"


def test_versions_are_said_alike_everywhere() -> None:
    ours, runtime = (tomllib.loads((ROOT / f"{at}pyproject.toml").read_text())["project"] for at in ("", "runtime/"))
    package = json.loads((ROOT / "web/package.json").read_text())
    assert ours["version"] == package["version"]
    assert runtime["version"] == package["dependencies"]["pyodide"]
    assert f"byteor-pyodide=={runtime['version']}" in ours["optional-dependencies"]["studio"]
