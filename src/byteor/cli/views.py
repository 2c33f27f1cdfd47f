"""Commands that show documents and run nothing: diff, graph, schema.

Rule 1. What is printed is made in the model plane; the same text is what a page or a program gets.
"""

from __future__ import annotations

from typing import Annotated

import typer

from byteor import answers
from byteor.cli import output
from byteor.cli.documents import Document, seen_at
from byteor.cli.loading import examine
from byteor.cli.output import Json
from byteor.lower.examine import Examined

EQUAL, DIFFERENT = 0, 1


def diff(
    one: Annotated[str, typer.Argument(metavar="A", help="A plan or a spec.")],
    two: Annotated[str, typer.Argument(metavar="B", help="Another one; `-` is stdin.")],
    as_json: Json = False,
) -> None:
    """Say what differs between two specs: 0 equal, 1 different, 2 findings."""
    with output.told(as_json):
        said = answers.diff(seen_at(one), seen_at(two))
        output.put(said, "text", as_json)
    raise typer.Exit(DIFFERENT if said["changes"] else EQUAL)


def graph(
    where: Document,
    form: Annotated[str, typer.Option("--format", help="text, svg, mermaid or dot.")] = "text",
    top_down: Annotated[bool, typer.Option("--top-down", help="Let it flow down instead of to the right.")] = False,
    as_plan: Annotated[bool, typer.Option("--plan", help="Draw the plan as written, not what it lowers to.")] = False,
    as_json: Json = False,
) -> None:
    """Draw a plan or a spec."""
    with output.told(as_json):
        seen = _as_written(where) if as_plan else seen_at(where)
        output.put(answers.graph(seen, form, top_down, as_plan), "text", as_json)


def _as_written(where: str) -> Examined:
    """A document whose findings are shown, and may be any."""
    seen = examine(where)
    if seen.plan is not None:
        output.put_findings(seen.all, seen.source)
    return seen


def schema(
    of: Annotated[
        str, typer.Option("--header", metavar="PLAN|SPEC", help="Print the C structs of its types instead.")
    ] = "",
    of_place: Annotated[bool, typer.Option("--place", help="Print the schema of placements instead.")] = False,
    as_json: Json = False,
) -> None:
    """Print the JSON Schema of plans or placements (TOML and JSON alike), or the C structs of a spec's types."""
    with output.told(as_json):
        if of:
            output.put(answers.structs(seen_at(of)), "text", as_json)
        else:
            output.put_json(answers.schema(of_place))
