"""The example notebook runs from its first cell to its last, and its run draws itself."""

from __future__ import annotations

import ast
import json
import xml.etree.ElementTree
from pathlib import Path
from typing import Any

NOTEBOOK = Path(__file__).resolve().parents[2] / "examples/notebook/plant.ipynb"


def cells() -> list[str]:
    """The code of the notebook."""
    data = json.loads(NOTEBOOK.read_text())
    assert data["nbformat"] == 4 and all(not cell.get("outputs") for cell in data["cells"])
    return ["".join(cell["source"]) for cell in data["cells"] if cell["cell_type"] == "code"]


def run(code: str, names: dict[str, Any]) -> Any:
    """Run a cell; answer with the value of its last expression, which a notebook would show."""
    tree = ast.parse(code)
    last = tree.body.pop() if isinstance(tree.body[-1], ast.Expr) else None
    exec(compile(tree, "cell", "exec"), names)
    return eval(compile(ast.Expression(last.value), "cell", "eval"), names) if isinstance(last, ast.Expr) else None


def test_the_notebook_runs_and_its_run_draws_itself() -> None:
    names: dict[str, Any] = {"__name__": "__main__"}
    shown = [run(code, names) for code in cells()]
    (count, in_order), drawn, roles = shown[-3], shown[-2]._repr_html_(), shown[-1]
    assert in_order and roles["alerts"] == (count, count, 0) and roles["by_time"][0] == 4000
    assert roles["wide"][2] == 4000 - count
    page = xml.etree.ElementTree.fromstring(drawn)
    assert [cell.text for cell in page.iter("th")][:3] == ["role", "state", "taken"]
    assert (
        "done: 4,000 in" in drawn and "by_time" in drawn and page.find(".//{http://www.w3.org/2000/svg}svg") is not None
    )
