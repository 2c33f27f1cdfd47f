"""`byteor explain`: the page of a code.

Rule 1. All layers' tables are read, none of which needs more than the standard library.
"""

from __future__ import annotations

import importlib
from typing import Annotated

import typer

from byteor import diag
from byteor.cli import output
from byteor.cli.output import Json
from byteor.exec import findings as x
from byteor.plan.page import explain as page_of
from byteor.plan.page import near_codes

TABLES = (
    "byteor.lower",
    "byteor.plan.document",
    "byteor.spec.rules",
    "byteor.exec.findings",
    "byteor.edges.findings",
    "byteor.abi.findings",
    "byteor.transport.findings",
    "byteor.lanes.findings",
)


def rules() -> dict[str, diag.Rule]:
    """Every code there is, in order."""
    for name in TABLES:
        importlib.import_module(name)
    return dict(sorted(diag.RULES.items()))


def explain(
    code: Annotated[str, typer.Argument(help="A code such as S045, or its name; without it, all are listed.")] = "",
    as_json: Json = False,
) -> None:
    """Say what a finding's code means, why it is one, and what to do instead."""
    known = rules()
    if not code:
        return _list(known, as_json)
    text = page_of(code)
    if text is None:
        near = ", ".join(near_codes(code))
        help = f"did you mean {near}?" if near else "`byteor explain` lists all codes"
        raise output.refuse([x.RUN_OPTION.at("code", f"there is no code `{code}`", help=help)], None, as_json)
    if as_json:
        wanted = code.strip()
        return output.put_json(next(_row(r) for r in known.values() if wanted.upper() == r.code or wanted == r.name))
    print(text, end="")


def _row(rule: diag.Rule) -> dict[str, str]:
    return {"code": rule.code, "name": rule.name, "severity": rule.severity, "doc": rule.doc.strip()}


def _list(known: dict[str, diag.Rule], as_json: bool) -> None:
    if as_json:
        return output.put_json({"codes": [_row(rule) for rule in known.values()]})
    for rule in known.values():
        print(f"{rule.code}  {rule.name}")
