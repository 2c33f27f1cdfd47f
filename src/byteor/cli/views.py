"""Commands that show documents and run nothing: diff, graph, schema.

Rule 1. What is printed is made in the model plane; the same text is what a page or a program gets.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Annotated

import typer

from byteor import diag
from byteor.cli import output
from byteor.cli.documents import Document, spec_of
from byteor.cli.loading import examine
from byteor.cli.output import Json
from byteor.edges import findings as e
from byteor.spec import kv
from byteor.spec.codec import near
from byteor.views import diff as differences
from byteor.views import texts
from byteor.views.graph import Graph, graph_of
from byteor.views.header import header
from byteor.views.schema import plan_schema
from byteor.views.svg import svg

EQUAL, DIFFERENT = 0, 1
FORMATS: dict[str, Callable[[Graph, bool], str]] = {
    "text": lambda graph, down: texts.text(graph),
    "svg": svg,
    "mermaid": texts.mermaid,
    "dot": texts.dot,
}


def diff(
    one: Annotated[str, typer.Argument(metavar="A", help="A plan or a spec.")],
    two: Annotated[str, typer.Argument(metavar="B", help="Another one; `-` is stdin.")],
    as_json: Json = False,
) -> None:
    """Say what differs between two specs: 0 equal, 1 different, 2 findings."""
    with output.told(as_json):
        old, new = spec_of(one)[0], spec_of(two)[0]
        changes = differences.diff(old, new)
        if as_json:
            said = "different" if changes else "equal"
            hashes = {"old": kv.spec_sha256(old), "new": kv.spec_sha256(new)}
            output.put_json({"status": said, **hashes, "changes": differences.as_data(changes)})
        else:
            print(differences.as_text(changes), end="")
    raise typer.Exit(DIFFERENT if changes else EQUAL)


def graph(
    where: Document,
    form: Annotated[str, typer.Option("--format", help="text, svg, mermaid or dot.")] = "text",
    top_down: Annotated[bool, typer.Option("--top-down", help="Let it flow down instead of to the right.")] = False,
    as_plan: Annotated[bool, typer.Option("--plan", help="Draw the plan as written, not what it lowers to.")] = False,
    as_json: Json = False,
) -> None:
    """Draw a plan or a spec."""
    with output.told(as_json):
        if form not in FORMATS:
            help = near(form, FORMATS) or f"use {', '.join(FORMATS)}"
            raise diag.Refused([e.UNKNOWN_FORMAT.at("format", f"`{form}` is no form of a drawing", help=help)])
        drawn = _drawn(where, as_plan)
        text = FORMATS[form](drawn, top_down)
        if as_json:
            output.put_json({"format": form, "text": text})
        else:
            print(text, end="")


def _drawn(where: str, as_plan: bool) -> Graph:
    """The graph of what was asked for; a plan may be drawn although it does not lower."""
    if not as_plan:
        return graph_of(spec_of(where)[0])
    seen = examine(where)
    if seen.plan is None:
        found = seen.all or (e.UNKNOWN_FORMAT.at("plan", "the document is a spec", help="draw it without `--plan`"),)
        raise diag.Refused(found, seen.source)
    output.put_findings(seen.all, seen.source)
    return graph_of(seen.plan)


def schema(
    of: Annotated[
        str, typer.Option("--header", metavar="PLAN|SPEC", help="Print the C structs of its types instead.")
    ] = "",
    as_json: Json = False,
) -> None:
    """Print the JSON Schema of plans (TOML and JSON alike), or the C structs of a spec's types."""
    with output.told(as_json):
        if not of:
            print(json.dumps(plan_schema(), indent=2))
            return
        text = header(spec_of(of)[0])
        if as_json:
            output.put_json({"format": "c", "text": text})
        else:
            print(text, end="")
