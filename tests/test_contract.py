"""What may not drift: layers, public names, hygiene of the sources, generated files.

Rule 1. A check that could pass by looking at nothing is shown to fail on a planted fault.
"""

from __future__ import annotations

import ast
import configparser
import importlib
import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

import byteor
from dev import size

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "src" / "byteor"
SOURCES = sorted(PACKAGE.rglob("*.py"))
MODEL_PLANE = ("diag", "spec", "plan", "lower", "place", "views")
BROWSER_LACKS = ("numpy", "numba", "llvmlite", "fcntl", "mmap", "ctypes", "threading", "subprocess", "multiprocessing")
# The last only looks at what it compiles.
COMPILERS = ("kernel/hot.py", "exec/compiler.py", "plant/compile.py", "testing/tagged.py")


def child(code: str, *arguments: str, path: Path = ROOT / "src") -> subprocess.CompletedProcess[str]:
    """Run `code` in an interpreter of its own that sees the package under `path`."""
    return subprocess.run(
        [sys.executable, "-c", code, *arguments],
        env={**os.environ, "PYTHONPATH": str(path)},
        cwd=ROOT,
        capture_output=True,
        text=True,
    )


def name_of(path: Path) -> str:
    return path.relative_to(PACKAGE).as_posix()


# Layers


def lint_imports(path: Path) -> subprocess.CompletedProcess[str]:
    code = "from importlinter.cli import lint_imports_command as c; c()"
    return child(code, "--no-cache", "--no-logo", "--config", str(ROOT / ".importlinter"), path=path)


def test_layers_are_kept() -> None:
    done = lint_imports(ROOT / "src")
    assert done.returncode == 0, done.stdout
    assert "Contracts: 6 kept, 0 broken" in done.stdout


@pytest.mark.slow
@pytest.mark.parametrize(
    ("file", "line", "contract"),
    [
        ("utils.py", "", "layers"),
        ("kernel/ring.py", "import byteor.exec", "layers"),
        ("backings/mem.py", "import byteor.spec.model", "planes"),
        ("spec/model.py", "import numpy", "model"),
        ("spec/model.py", "import byteor.abi", "model"),
        ("kernel/ring.py", "from llvmlite import ir", "orders"),
    ],
)
def test_a_planted_import_breaks_its_contract(tmp_path: Path, file: str, line: str, contract: str) -> None:
    shutil.copytree(PACKAGE, tmp_path / "byteor", ignore=shutil.ignore_patterns("__pycache__"))
    target = tmp_path / "byteor" / file
    text = target.read_text() if target.exists() else ""
    target.write_text(f"{text}\n{line}\n")
    done = lint_imports(tmp_path)
    contracts = configparser.ConfigParser()
    contracts.read(ROOT / ".importlinter")
    assert done.returncode != 0
    assert f"{contracts[f'importlinter:contract:{contract}']['name']} BROKEN" in done.stdout


def test_the_tree_is_never_deeper_than_layer_and_file() -> None:
    assert [name_of(path) for path in SOURCES if len(path.relative_to(PACKAGE).parts) > 2] == []


def test_the_model_plane_imports_the_standard_library_alone() -> None:
    for path in SOURCES:
        if path.relative_to(PACKAGE).parts[0].removesuffix(".py") in MODEL_PLANE:
            roots = {name.partition(".")[0] for name in imports(path)}
            assert roots <= {*sys.stdlib_module_names, "byteor"}, name_of(path)


def test_the_model_plane_runs_without_what_a_browser_lacks() -> None:
    modules = [
        ".".join(("byteor", *path.relative_to(PACKAGE).with_suffix("").parts)).removesuffix(".__init__")
        for path in SOURCES
        if path.relative_to(PACKAGE).parts[0].removesuffix(".py") in MODEL_PLANE
    ]
    code = "import sys, importlib\nfor n in sys.argv[1].split(): sys.modules[n] = None\n"
    code += "for n in sys.argv[2:]: importlib.import_module(n)"
    done = child(code, " ".join(BROWSER_LACKS), *modules)
    assert done.returncode == 0, done.stderr


def imports(path: Path) -> Iterator[str]:
    """The modules that a source file names."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are absolute"
            yield node.module or ""


# Public names


def test_every_public_name_resolves_to_its_owner() -> None:
    for public, (module, name) in byteor._OWNER.items():
        assert getattr(byteor, public) is getattr(importlib.import_module(module), name)
    assert set(byteor.__all__) <= set(dir(byteor))


def test_every_public_name_stands_once() -> None:
    names = [entry.partition("=")[0] for names in byteor._NAMES.values() for entry in names.split()]
    assert len(names) == len(set(names))
    layers = {path.name.removesuffix(".py") for path in PACKAGE.iterdir()}
    assert layers.isdisjoint(names), "a name that is also a module would be either, by luck"


def test_checkers_see_the_same_names() -> None:
    seen = {
        alias.asname or alias.name: (node.module, alias.name)
        for node in ast.walk(ast.parse((PACKAGE / "__init__.py").read_text()))
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("byteor.")
        for alias in node.names
    }
    assert seen == byteor._OWNER
    assert sorted(byteor.__all__) == sorted(byteor._OWNER)


@pytest.mark.parametrize(
    "name", ["PipelinePlanV2", "PipelineSpecV1", "ExecutionTargetV1", "validate_plan_v2", "validate_v1"]
)
def test_the_names_of_the_original_are_there(name: str) -> None:
    assert name in byteor.__all__


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'no_such_name'"):
        _ = byteor.no_such_name


def test_importing_the_facade_loads_no_numbers() -> None:
    code = "import sys, byteor; sys.exit(sorted({'numpy', 'numba', 'llvmlite', 'pyarrow'} & set(sys.modules)) or 0)"
    done = child(code)
    assert done.returncode == 0, done.stderr


def test_the_version_is_said_once() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project["version"] == byteor.__version__


# Hygiene of the sources


def faults(text: str, name: str) -> Iterator[str]:
    """What a source file must not hold."""
    if re.search(r"#.*\b(TODO|FIXME|XXX)\b", text):
        yield "a note to do something later"
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.ExceptHandler) and (node.type is None or swallows(node)):
            yield f"line {node.lineno}: an exception is swallowed"
        if isinstance(node, ast.Attribute | ast.Name) and called(node) in ("njit", "jit") and name not in COMPILERS:
            yield f"line {node.lineno}: compiled elsewhere than where compiling is decided"
        if isinstance(node, ast.ImportFrom) and node.module != "byteor.kernel.atomics":
            yield from (f"line {node.lineno}: {a.name} is not from atomics" for a in node.names if a.name in orders())


def swallows(node: ast.ExceptHandler) -> bool:
    """Whether a handler of any exception goes on as if nothing had been."""
    broad = isinstance(node.type, ast.Name) and node.type.id in ("Exception", "BaseException")
    return broad and all(isinstance(statement, ast.Pass) for statement in node.body)


def called(node: ast.Attribute | ast.Name) -> str:
    return node.attr if isinstance(node, ast.Attribute) else node.id


def orders() -> set[str]:
    """The operations whose names say a memory order."""
    text = (PACKAGE / "kernel" / "atomics.py").read_text()
    names = re.findall(r"^(\w+) = _(?:load|store|fence|operation)\(", text, re.MULTILINE)
    assert {"load_acquire", "store_release", "fence_seq_cst"} <= set(names)
    return set(names)


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_sources_are_clean(path: Path) -> None:
    assert list(faults(path.read_text(), name_of(path))) == []


@pytest.mark.parametrize(
    "text",
    [
        "x = 1  # TODO later",
        "try:\n    pass\nexcept:\n    pass",
        "try:\n    pass\nexcept Exception:\n    pass",
        "import numba\nf = numba.njit(len)",
        "from numba import njit\nf = njit(len)",
        "from byteor.kernel.ring import load_acquire",
    ],
)
def test_a_planted_fault_is_found(text: str) -> None:
    assert list(faults(text, "kernel/new.py")) != []


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_files_stay_short(path: Path) -> None:
    assert len(size.code_lines(path)) <= size.LONGEST_FILE


@pytest.mark.parametrize("path", [path for path in SOURCES if path.read_text().strip()], ids=name_of)
def test_every_file_says_what_it_is(path: Path) -> None:
    assert ast.get_docstring(ast.parse(path.read_text()))


# Watchdog and generated files


def test_every_test_has_a_watchdog() -> None:
    options = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["pytest"]["ini_options"]
    assert 0 < options["timeout"] <= 120
    for path in (ROOT / "tests").rglob("*.py"):
        for seconds in re.findall(r"mark\.timeout\(\s*([^,)]*)", path.read_text()):
            assert float(seconds) > 0, path


def test_generated_files_are_up_to_date() -> None:
    done = subprocess.run([sys.executable, "-m", "dev", "gen", "--check"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
