"""Generated files: one table, written or checked.

Rule 1. A generator is a function from nothing to the whole text of its file; it reads, and writes nothing.
Rule 2. The same sources give the same bytes on every machine.
"""

from __future__ import annotations

import ast
import configparser
import difflib
import importlib
import sys
from collections.abc import Callable

from dev.steps import ROOT

# Importing these puts every code into the table.
CODES = ("byteor.lower", "byteor.exec.findings", "byteor.edges.findings")
OPEN, CLOSE = "<!-- layers: written by `python -m dev gen` -->", "<!-- end of layers -->"


def layers() -> list[list[str]]:
    """The layers of the import contract, top to bottom; siblings stand side by side."""
    contract = configparser.ConfigParser()
    contract.read(ROOT / ".importlinter")
    rows = contract["importlinter:contract:layers"]["layers"].split("\n")
    return [[name.strip() for name in row.split("|")] for row in rows if row.strip()]


def purpose(layer: str) -> str:
    """The first line of what the layer says of itself."""
    package = ROOT / "src/byteor" / layer / "__init__.py"
    path = package if package.exists() else package.parent.with_suffix(".py")
    text = ast.get_docstring(ast.parse(path.read_text())) or ""
    return text.partition("\n")[0]


def picture() -> str:
    """The layers as boxes; what may not know each other stands side by side."""
    half = max(len(name) for row in layers() for name in row) + 6
    line = "+" + "-" * half + "+" + "-" * half + "+"
    return "\n".join([line, *[f"{_boxes(row, half)}\n{line}" for row in layers()]])


def _boxes(row: list[str], half: int) -> str:
    return f"|{row[0]:^{2 * half + 1}}|" if len(row) == 1 else "|" + "".join(f"{name:^{half}}|" for name in row)


def layer_block() -> str:
    names = [name for row in layers() for name in row]
    width = max(map(len, names))
    lines = "\n".join(f"{name:<{width}}  {purpose(name)}".rstrip() for name in names)
    return f"{OPEN}\n```text\n{picture()}\n\n{lines}\n```\n{CLOSE}"


def readme() -> str:
    text = (ROOT / "README.md").read_text()
    head, _, rest = text.partition(OPEN)
    return head + layer_block() + rest.partition(CLOSE)[2]


def diagnostics() -> str:
    """The page of all codes: each layer declares its own in a module that needs the standard library alone."""
    sys.path.insert(0, str(ROOT / "src"))
    for path in sorted((ROOT / "src/byteor").glob("*/findings.py")):
        importlib.import_module(f"byteor.{path.parent.name}.findings")
    importlib.import_module("byteor.lower")
    page: str = importlib.import_module("byteor.plan.page").diagnostics_page()
    return page


GENERATORS: tuple[tuple[str, str, Callable[[], str]], ...] = (
    ("layers", "README.md", readme),
    ("diagnostics", "spec/diagnostics.md", diagnostics),
)


def write() -> int:
    for name, path, text in GENERATORS:
        target = ROOT / path
        target.parent.mkdir(exist_ok=True)
        target.write_text(text())
        print(f"{name:<12} {path}")
    return 0


def check() -> int:
    return max([_differs(path, text()) for _, path, text in GENERATORS])


def _differs(path: str, wanted: str) -> int:
    target = ROOT / path
    found = target.read_text() if target.exists() else ""
    lines = difflib.unified_diff(found.splitlines(), wanted.splitlines(), path, f"{path} (generated)", lineterm="")
    for line in list(lines)[:40]:
        print(line)
    return int(found != wanted)
