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

from dev.declarations import declarations
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
    rows = layers()
    width = max(len(row) * (max(map(len, row)) + 5) - 1 for row in rows)
    cuts = [[(width + 1) * i // len(row) - 1 for i in range(1, len(row))] for row in rows]
    out = [_line(width, cuts[0])]
    for row, here, below in zip(rows, cuts, [*cuts[1:], []], strict=True):
        out += [_boxes(row, [-1, *here, width]), _line(width, here + below)]
    return "\n".join(out)


def _boxes(row: list[str], cuts: list[int]) -> str:
    return "".join(f"|{name:^{right - left - 1}}" for name, left, right in zip(row, cuts, cuts[1:], strict=False)) + "|"


def _line(width: int, cuts: list[int]) -> str:
    return "+" + "".join("+" if at in cuts else "-" for at in range(width)) + "+"


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
    importlib.import_module("byteor.place.rules")
    page: str = importlib.import_module("byteor.plan.page").diagnostics_page()
    return page


def layouts(module: str, function: str) -> Callable[[], str]:
    """What the tables of layouts give."""

    def text() -> str:
        sys.path.insert(0, str(ROOT / "src"))
        made: str = getattr(importlib.import_module(f"byteor.abi.{module}"), function)()
        return made

    return text


def vectors(name: str) -> Callable[[], str]:
    """The canonical texts of layouts; those that are frozen stay as they are, and a test compares."""

    def text() -> str:
        made = layouts("document", f"{name}_vectors")()
        path = ROOT / LAYOUT_VECTORS.format(name)
        kept = path.read_text() if path.exists() else ""
        return kept if kept.startswith(FROZEN) else made

    return text


FROZEN = "# status: frozen"
LAYOUT_VECTORS = "spec/vectors/layouts/{}.txt"
GENERATORS: tuple[tuple[str, str, Callable[[], str]], ...] = (
    ("layers", "README.md", readme),
    ("diagnostics", "spec/diagnostics.md", diagnostics),
    ("header", "spec/indexbus_v1.h", layouts("header", "indexbus_v1_h")),
    ("header", "spec/byteor_v1.h", layouts("header", "byteor_v1_h")),
    ("layouts", "spec/layout.json", layouts("document", "layout_json")),
    ("layouts", "docs/layouts.md", layouts("document", "page")),
    ("answers", "web/src/client/answers.ts", declarations),
    ("vectors", LAYOUT_VECTORS.format("indexbus_v1"), vectors("indexbus_v1")),
    ("vectors", LAYOUT_VECTORS.format("byteor_v1"), vectors("byteor_v1")),
)


def write() -> int:
    for name, path, text in GENERATORS:
        target = ROOT / path
        target.parent.mkdir(parents=True, exist_ok=True)
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
