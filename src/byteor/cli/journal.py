"""`byteor journal` and `byteor replay`: what was recorded, and how it is run again.

Rule 1. A journal is named by its path, as a run was given it; nothing here writes to it.
Rule 2. A replay over what is not all there says INCOMPLETE, in its report and by its exit status.
"""

from __future__ import annotations

import sys
from dataclasses import asdict, replace
from pathlib import Path
from typing import Annotated, Any

import typer

from byteor import diag
from byteor.cli import output
from byteor.cli.asked import Asked
from byteor.cli.output import Json

app = typer.Typer(help="Look at journals: what they hold, whether it is whole, and out of them.", no_args_is_help=True)
Where = Annotated[str, typer.Argument(metavar="JOURNAL", help="The path of a journal.")]
SPEEDS = ("max", "as-recorded")


def _attached(where: str) -> Any:
    from byteor.lanes import journal

    return journal.attach(Path(where).absolute())


@app.command("ls")
def ls(where: Where, as_json: Json = False) -> None:
    """List the segments of a journal."""
    with output.told(as_json), _attached(where) as lane:
        found = [asdict(segment) for segment in lane.segments()]
        records = lane.segments()[-1].first if found else 0
    if as_json:
        return output.put_json({"journal": where, "segments": [{**one, "path": str(one["path"])} for one in found]})
    for one in found:
        print(f"{one['number']:>8}  from record {one['first']:>12,}  {one['bytes']:>14,} bytes  {one['path']}")
    print(f"{len(found)} segments, the last from record {records:,}")


@app.command("verify")
def verify(where: Where, as_json: Json = False) -> None:
    """Walk all records of a journal; what is torn or missing is a finding."""
    with output.told(as_json), _attached(where) as lane:
        seen = lane.verify()
    if as_json:
        output.put_json({"journal": where, "records": seen.records, "segments": seen.segments, "bytes": seen.bytes})
    else:
        print(f"{seen.records:,} records in {seen.segments} segments, {seen.bytes:,} bytes")
    if seen.findings:
        output.put_findings(seen.findings, None)
        raise typer.Exit(output.FOUND)


@app.command("export")
def export(
    where: Where,
    to: Annotated[str, typer.Argument(metavar="FILE", help="A .parquet, .jsonl, .csv or other file; `-` is stdout.")],
    first: Annotated[int, typer.Option("--from", min=0, metavar="N", help="From this record on.")] = 0,
    until: Annotated[int | None, typer.Option("--until", min=0, metavar="N", help="Up to, not with, this one.")] = None,
) -> None:
    """Write the records of a journal into a file."""
    from byteor.edges.open import open_sink
    from byteor.exec.schema import message_of
    from byteor.plant.replay import Recorded
    from byteor.spec.model import Egress

    with output.told(False):
        with _attached(where) as lane:
            if lane.dtype is None:
                from byteor.exec import findings as x

                raise diag.Refused([x.RUN_OPTION.at("journal", "its records have no type")])
            message = message_of("record", lane.dtype)
        egress = Egress("journal", message.name, "jsonl" if to == "-" else "auto", "", "rows", (), 65_536)
        sink = open_sink(egress, message, to)
        try:
            for rows in Recorded(Path(where).absolute(), first, until)(0):
                sink.write(rows)
            sink.finish()
        except BaseException:
            sink.abort()
            raise


def replay(
    where: Where,
    into: Annotated[str, typer.Option("--into", metavar="PLAN|SPEC", help="The plant that is run with it.")],
    tap: Annotated[str, typer.Option(help="The tap of the plan; by default the journal's own name.")] = "",
    first: Annotated[int, typer.Option("--from", min=0, metavar="N", help="From this record on.")] = 0,
    until: Annotated[int | None, typer.Option("--until", min=0, metavar="N", help="Up to, not with, this one.")] = None,
    speed: Annotated[str, typer.Option(help="max, or as-recorded: as far apart as the records' timestamps.")] = "max",
    gaps: Annotated[bool, typer.Option("--gaps", help="Go on where records are missing.")] = False,
    inputs: Annotated[
        list[str] | None, typer.Option("--input", "-i", metavar="[NAME=]PATH", help="Where other rows come from.")
    ] = None,
    outputs: Annotated[
        list[str] | None, typer.Option("--output", "-o", metavar="[NAME=]PATH", help="Where records go.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Run a plant with a recorded lane in the place of what wrote it."""
    from byteor.cli.plants import replayed
    from byteor.cli.report import show

    with output.told(as_json):
        if speed not in SPEEDS:
            from byteor.exec import findings as x

            raise diag.Refused([x.RUN_OPTION.at("speed", f"there is no speed `{speed}`", help="max or as-recorded")])
        asked = Asked(tuple(inputs or ()), tuple(outputs or ()))
        outcome, missing = replayed(into, asked, Path(where).absolute(), tap, first, until, speed == "max", gaps)
        if missing:
            details = {**(outcome.details or {}), "incomplete": True, "missing": missing}
            outcome = replace(outcome, details=details, fixed=outcome.fixed or output.LOSSY)
            print(f"INCOMPLETE: {missing:,} records are missing from {where}", file=sys.stderr)
    show(outcome, as_json)
    raise typer.Exit(outcome.exit)
