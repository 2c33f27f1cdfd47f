"""`byteor explain`: the page of a code.

Rule 1. All layers' tables are read: those of the answers, and that of the boundary above them.
"""

from __future__ import annotations

from typing import Annotated

import typer

from byteor import answers, diag
from byteor.cli import output
from byteor.cli.output import Json
from byteor.plan.page import explain as page_of
from byteor.web import findings as findings  # the one table above the answers


def rules() -> dict[str, diag.Rule]:
    """Every code there is, in order."""
    return dict(sorted(diag.RULES.items()))


def explain(
    code: Annotated[str, typer.Argument(help="A code such as S045, or its name; without it, all are listed.")] = "",
    as_json: Json = False,
) -> None:
    """Say what a finding's code means, why it is one, and what to do instead."""
    known = rules()
    if not code:
        return _list(known, as_json)
    with output.told(as_json):
        said = answers.explain(code)
        if as_json:
            output.put_json(said)
        else:
            print(page_of(said["code"]), end="")


def _list(known: dict[str, diag.Rule], as_json: bool) -> None:
    if as_json:
        return output.put_json(answers.codes())
    for rule in known.values():
        print(f"{rule.code}  {rule.name}")
