"""The size meter: lines of code per layer, beside the guide.

Rule 1. A line of code holds a token that is neither comment nor docstring.
Rule 2. The guide is no limit: clear beats short.
"""

from __future__ import annotations

import ast
import io
import tokenize
from collections.abc import Iterator
from pathlib import Path

from dev.steps import ROOT

GUIDE = (
    ("model plane", 2200, ("diag", "spec", "plan", "lower", "place", "views")),
    ("abi and kernel", 1100, ("abi", "kernel")),
    ("transport, backings, lanes", 800, ("transport", "backings", "lanes")),
    ("fabric", 700, ("fabric",)),
    ("exec", 1400, ("exec", "plant")),
    ("edges and command line", 1800, ("edges", "answers", "cli")),
    ("observe", 600, ("observe",)),
    ("browser", 300, ("web",)),
    ("testing", 700, ("testing",)),
)
LONGEST_FILE, LONGEST_FUNCTION = 400, 30
_SILENT = (tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER)


def code_lines(path: Path) -> set[int]:
    """The numbers of the lines that hold code."""
    text = path.read_text()
    lines: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type not in _SILENT:
            lines.update(range(token.start[0], token.end[0] + 1))
    return lines - set(_docstrings(ast.parse(text)))


def _docstrings(tree: ast.Module) -> Iterator[int]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(node) is not None:
            yield from range(node.body[0].lineno, (node.body[0].end_lineno or 0) + 1)


def files(layer: str) -> list[Path]:
    here = ROOT / "src/byteor"
    return sorted([*(here / layer).glob("*.py"), *here.glob(f"{layer}.py")])


def long_ones(path: Path) -> Iterator[str]:
    """What stands above the marks for files and functions."""
    counted = code_lines(path)
    name = path.relative_to(ROOT / "src/byteor")
    if len(counted) > LONGEST_FILE:
        yield f"{name}: {len(counted)} lines"
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef):
            length = len(counted & set(range(node.lineno, (node.end_lineno or 0) + 1)))
            if length > LONGEST_FUNCTION:
                yield f"{name}:{node.lineno} {node.name}: {length} lines"


def report() -> int:
    total = 0
    print(f"{'layer':<28} {'lines':>6} {'guide':>6} {'files':>6}")
    for title, guide, layers in GUIDE:
        paths = [path for layer in layers for path in files(layer)]
        lines = sum(len(code_lines(path)) for path in paths)
        total += lines
        print(f"{title:<28} {lines:>6} {guide:>6} {len(paths):>6}")
    print(f"{'all':<28} {total:>6} {sum(row[1] for row in GUIDE):>6}")
    for line in [line for path in sorted((ROOT / "src/byteor").rglob("*.py")) for line in long_ones(path)]:
        print(f"  long: {line}")
    return 0
