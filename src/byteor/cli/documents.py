"""Commands that read documents and run nothing: check, lower, describe, hash, convert.

Rule 1. Findings are shown all at once, those of the plan before those of its lowering.
Rule 2. Warnings do not change the status, unless asked to with `--strict`.
Rule 3. With `--json` an answer is printed as it is; what people read is made of the same answer.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from byteor import answers, diag
from byteor.cli import output
from byteor.cli.loading import examine, placed
from byteor.cli.output import Json
from byteor.edges import files
from byteor.lower.examine import Examined
from byteor.place.examine import Placed
from byteor.spec import kv

Document = Annotated[str, typer.Argument(metavar="PLAN|SPEC", help="A plan or a spec; `-` is stdin.")]
Place = Annotated[str, typer.Option("--place", metavar="FILE", help="Where its roles run: a placement.")]
OptionalDocument = Annotated[
    str | None, typer.Argument(metavar="[PLAN|SPEC]", help="A plan or a spec; `-` is stdin. None with `--resume`.")
]


def check(
    where: Document,
    resolve: Annotated[bool, typer.Option("--resolve", help="Look at the stages' code as well.")] = False,
    profile: Annotated[str, typer.Option(help="v1: hold it against the limits of the original as well.")] = "",
    strict: Annotated[bool, typer.Option("--strict", help="Take warnings for errors.")] = False,
    place: Place = "",
    as_json: Json = False,
) -> None:
    """Judge a plan or a spec, and say everything that is found."""
    with output.told(as_json):
        seen = examine(where)
        more: tuple[diag.Diagnostic, ...] = ()
        proposals: list[str] = []
        if resolve and seen.spec is not None:
            from byteor.cli.resolving import judge

            more, proposals = judge(seen)
        said = answers.check(seen, profile, strict, more, proposals)
        beside = placed(place, seen) if place else None
        of_place = answers.placed(beside, strict) if beside else {"status": "ok"}
        if as_json:
            output.put_json({**said, "place": of_place} if beside else said)
        else:
            output.put_findings(answers.found_in(seen, profile, more), seen.source)
            for line in proposals:
                print(line)
            if said["status"] == "ok":
                print(f"{seen.source.name}: ok, spec {said['spec_sha256']}")
            if beside:
                _show_placed(beside, of_place)
    raise typer.Exit(output.DONE if said["status"] == of_place["status"] == "ok" else output.FOUND)


def _show_placed(place: Placed, said: Mapping[str, Any]) -> None:
    output.put_findings(place.findings, place.source)
    if said["status"] == "ok":
        print(f"{place.source.name}: ok, placement {said['place_sha256']}")


def seen_at(where: str) -> Examined:
    """A document whose spec can be had; its warnings are shown."""
    seen = examine(where)
    seen.lowered()
    output.put_findings(seen.all, seen.source)
    return seen


def lower(
    where: Document,
    explain: Annotated[bool, typer.Option("--explain", help="Say why the spec is as it is.")] = False,
    place: Place = "",
    as_json: Json = False,
) -> None:
    """Print the spec of a plan in its canonical kv form (or as JSON)."""
    with output.told(as_json):
        seen = seen_at(where)
        beside = placed(place, seen) if place else None
        if beside:
            beside.usable()
        if as_json:
            output.put_json(answers.explained(seen, beside) if explain else answers.lower(seen))
        elif explain:
            _explain(seen, beside)
        else:
            print(kv.encode(seen.spec), end="")


def _explain(seen: Examined, place: Placed | None) -> None:
    """Show what lowering decided, and what a placement brings, with the reasons."""
    notes = answers.decided(seen, place)
    for note in notes:
        print(f"{note.path}\n  {note.message}")
    if not notes:
        print("nothing was decided: " + ("the document is a spec" if seen.plan is None else "the plan says it all"))


def describe(where: Document, as_json: Json = False) -> None:
    """Print in words what a plan or a spec lays out and runs."""
    with output.told(as_json):
        output.put(answers.describe(seen_at(where)), "text", as_json)


def hash_(where: Document, as_json: Json = False) -> None:
    """Print the SHA-256 of the spec's canonical bytes."""
    with output.told(as_json):
        said = answers.hash_(seen_at(where))
        if as_json:
            output.put_json(said)
        else:
            print(said["spec_sha256"])


def convert(
    where: Document,
    to: Annotated[str, typer.Argument(metavar="[OUT]", help="Where to write; `-` is stdout.")] = "-",
    form: Annotated[str, typer.Option("--to", help="kv or json; by default what OUT's suffix says, else kv.")] = "",
    as_json: Json = False,
) -> None:
    """Write a plan or a spec as a spec in another form."""
    with output.told(as_json):
        said = answers.convert(examine(where), form or ("json" if to.endswith(".json") else "kv"))
        if to == files.STREAM:
            output.put(said, "text", as_json)
        else:
            write_whole(Path(to), said["text"])
            if as_json:
                rest = {key: value for key, value in said.items() if key != "text"}
                output.put_json({**rest, "written": to})


def write_whole(path: Path, text: str) -> None:
    """Write a small file so that it appears complete."""
    out = files.Output("output", str(path))
    out.write(text.encode())
    out.finish()
