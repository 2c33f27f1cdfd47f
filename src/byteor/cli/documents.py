"""Commands that read documents and run nothing: check, lower, describe, hash, convert.

Rule 1. Findings are shown all at once, those of the plan before those of its lowering.
Rule 2. Warnings do not change the status, unless asked to with `--strict`.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from byteor import diag
from byteor.cli import output
from byteor.cli.loading import Examined, examine
from byteor.cli.output import Json
from byteor.edges import files
from byteor.edges import findings as e
from byteor.exec import findings as x
from byteor.spec import kv
from byteor.spec.describe import describe as described
from byteor.spec.rules import validate

Document = Annotated[str, typer.Argument(metavar="PLAN|SPEC", help="A plan or a spec; `-` is stdin.")]


def check(
    where: Document,
    resolve: Annotated[bool, typer.Option("--resolve", help="Look at the stages' code as well.")] = False,
    profile: Annotated[str, typer.Option(help="v1: hold it against the limits of the original as well.")] = "",
    strict: Annotated[bool, typer.Option("--strict", help="Take warnings for errors.")] = False,
    as_json: Json = False,
) -> None:
    """Judge a plan or a spec, and say everything that is found."""
    with output.told(as_json):
        seen = examine(where)
        found = (*seen.all, *_outside(seen, profile))
        proposals: list[str] = []
        if resolve and seen.spec is not None:
            from byteor.cli.resolving import judge

            more, proposals = judge(seen)
            found = (*found, *more)
    bad = bool(found if strict else diag.errors(found))
    sha = kv.spec_sha256(seen.spec) if seen.spec is not None and not bad else None
    if as_json:
        said = {"status": "refused" if bad else "ok", "form": seen.form, "spec_sha256": sha}
        output.put_json({**said, "findings": output.as_data(found, seen.source), "proposals": proposals})
    else:
        output.put_findings(found, seen.source)
        for line in proposals:
            print(line)
        if not bad:
            print(f"{seen.source.name}: ok, spec {sha}")
    raise typer.Exit(output.FOUND if bad else output.DONE)


def _outside(seen: Examined, profile: str) -> tuple[diag.Diagnostic, ...]:
    """What a profile finds beyond the rules of every spec."""
    if profile not in ("", "v1"):
        raise diag.Refused([x.RUN_OPTION.at("profile", f"there is no profile `{profile}`", help="use v1")])
    if not profile or seen.spec is None:
        return ()
    known = validate(seen.spec)
    return seen.placed(diag.Refused([d for d in validate(seen.spec, profile) if d not in known])).diagnostics


def spec_of(where: str) -> tuple[Any, Examined]:
    """The spec of a document without errors; its warnings are shown."""
    seen = examine(where)
    if seen.spec is None:
        raise diag.Refused(seen.all, seen.source)
    output.put_findings(seen.all, seen.source)
    return seen.spec, seen


def lower(
    where: Document,
    explain: Annotated[bool, typer.Option("--explain", help="Say why the spec is as it is.")] = False,
    as_json: Json = False,
) -> None:
    """Print the spec of a plan in its canonical kv form (or as JSON)."""
    with output.told(as_json):
        spec, seen = spec_of(where)
        if explain:
            _explain(seen, as_json)
        elif as_json:
            output.put_json(kv.encode_data(spec))
        else:
            print(kv.encode(spec), end="")


def _explain(seen: Examined, as_json: bool) -> None:
    """Show what lowering decided, with the reasons."""
    if as_json:
        return output.put_json({"notes": [{"path": note.path, "message": note.message} for note in seen.notes]})
    for note in seen.notes:
        print(f"{note.path}\n  {note.message}")
    if not seen.notes:
        print("nothing was decided: " + ("the document is a spec" if seen.plan is None else "the plan says it all"))


def describe(where: Document, as_json: Json = False) -> None:
    """Print in words what a plan or a spec lays out and runs."""
    with output.told(as_json):
        spec, _ = spec_of(where)
        text = described(spec)
        if as_json:
            output.put_json({"spec_sha256": kv.spec_sha256(spec), "text": text})
        else:
            print(text, end="")


def hash_(where: Document, as_json: Json = False) -> None:
    """Print the SHA-256 of the spec's canonical bytes."""
    with output.told(as_json):
        spec, _ = spec_of(where)
        sha = kv.spec_sha256(spec)
        if as_json:
            output.put_json({"spec_sha256": sha})
        else:
            print(sha)


def convert(
    where: Document,
    to: Annotated[str, typer.Argument(metavar="[OUT]", help="Where to write; `-` is stdout.")] = "-",
    form: Annotated[str, typer.Option("--to", help="kv or json; by default what OUT's suffix says, else kv.")] = "",
    as_json: Json = False,
) -> None:
    """Write a plan or a spec as a spec in another form."""
    with output.told(as_json):
        form = form or ("json" if to.endswith(".json") else "kv")
        if form not in ("kv", "json"):
            raise diag.Refused([e.UNKNOWN_FORMAT.at("to", f"`{form}` is no form of a spec", help="use kv or json")])
        spec = examine(where).usable()
        text = kv.encode(spec) if form == "kv" else json.dumps(kv.encode_data(spec), indent=2) + "\n"
        if to == files.STREAM:
            print(text, end="")
        else:
            write_whole(Path(to), text)
            if as_json:
                output.put_json({"status": "done", "form": form, "written": to, "spec_sha256": kv.spec_sha256(spec)})


def write_whole(path: Path, text: str) -> None:
    """Write a small file so that it appears complete."""
    out = files.Output("output", str(path))
    out.write(text.encode())
    out.finish()
