"""`byteor run`: a document, an input, outputs, and how to run.

Rule 1. No option changes the result, `--limit`, `--repeat` and `--set` apart.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import typer

from byteor import diag
from byteor.cli import output
from byteor.cli.asked import Apart, Asked
from byteor.cli.carry import carry_out
from byteor.cli.documents import OptionalDocument, Place
from byteor.cli.log import Log, ended, log_from
from byteor.cli.options import Batch, Inputs, LogForm, Metrics, Outputs, Restarts, Wait
from byteor.cli.output import Json
from byteor.exec import findings as x

if TYPE_CHECKING:
    from byteor.cli.report import Outcome
    from byteor.edges.rolling import Roll


def run(
    where: OptionalDocument = None,
    inputs: Inputs = None,
    outputs: Outputs = None,
    wait: Wait = "",
    batch: Batch = 4096,
    limit: Annotated[int | None, typer.Option(min=1, help="Stop after so many messages in.")] = None,
    repeat: Annotated[int | None, typer.Option(min=1, help="Load the input once, and send it so many times.")] = None,
    interpreted: Annotated[bool, typer.Option("--interpreted", help="Run every stage as plain Python.")] = False,
    single_thread: Annotated[bool, typer.Option("--single-thread", help="Step all in one thread.")] = False,
    settings: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Edit the spec by a key of its kv form.")
    ] = None,
    rejects: Annotated[str | None, typer.Option(metavar="FILE", help="Keep skipped rows there.")] = None,
    roll: Annotated[
        str, typer.Option(metavar="ROWS|SECONDSs", help="Write numbered pieces: 100000 rows each, or 60s.")
    ] = "",
    vary_batches: Annotated[
        bool, typer.Option("--vary-batches", help="Run twice with other batch limits, and compare the outputs.")
    ] = False,
    debug: Annotated[
        bool, typer.Option("--debug", help="Run interpreted, and hold every stage to what it says that it writes.")
    ] = False,
    backing: Annotated[
        str, typer.Option(metavar="mem|shm", help="Where lanes lie: in memory, or in files that are shared memory.")
    ] = "",
    processes: Annotated[
        bool, typer.Option("--processes", help="Run each role of a plant, or each group, in a process of its own.")
    ] = False,
    folder: Annotated[str | None, typer.Option("--dir", metavar="DIR", help="The plant's folder.")] = None,
    keep: Annotated[bool, typer.Option("--keep", help="Keep the folder of a plant that did not end well.")] = False,
    restarts: Restarts = None,
    resumed: Annotated[
        str | None, typer.Option("--resume", metavar="DIR", help="Continue the plant that was left in a folder.")
    ] = None,
    place: Place = "",
    on: Annotated[
        str, typer.Option(metavar="ray://HOST:PORT", help="Let a cluster run all parts of the placement.")
    ] = "",
    stop: Annotated[bool, typer.Option("--stop", help="Stop all parts on the cluster; a next run goes on.")] = False,
    metrics: Metrics = None,
    log_form: LogForm = "text",
    as_json: Json = False,
) -> None:
    """Run a plan or a spec over its inputs, into outputs."""
    with output.told(as_json):
        log = log_from(log_form, metrics)
        if resumed is not None:
            from byteor.cli.apart import resume_apart

            _only_resumes(where)
            raise _over(resume_apart(resumed, keep, log), log, as_json)
        if on or place or stop:
            raise typer.Exit(_on(on, where, place, stop, as_json))
        if where is None:
            raise diag.Refused([x.RUN_OPTION.at("document", "there is no document", help="name a plan or a spec")])
        apart = Apart(folder, keep, restarts) if processes else None
        options = (wait, batch, limit, repeat, interpreted, single_thread)
        asked = Asked(tuple(inputs or ()), tuple(outputs or ()), *options, tuple(settings or ()), rejects)
        asked = replace(asked, log=log, roll=rolled(roll), debug=debug, apart=apart)
        asked = replace(asked, backing=_backing(backing, processes))
        outcome = _varied(where, asked) if vary_batches else carry_out(where, asked)
    raise _over(outcome, log, as_json)


def _backing(backing: str, processes: bool) -> str:
    """Read `--backing`."""
    if backing not in ("", "mem", "shm") or (backing == "mem" and processes):
        message = f"there is no backing `{backing}`" if not processes else "processes share no memory but `shm`"
        raise diag.Refused([x.RUN_OPTION.at("backing", message, help="use mem or shm")])
    return backing or "mem"


def _varied(where: str, asked: Asked) -> Outcome:
    from byteor.cli.vary import vary

    return vary(where, asked)


def _over(outcome: Outcome, log: Log, as_json: bool) -> typer.Exit:
    """Tell how a run ended; the exit with its status."""
    from byteor.cli.report import show

    ended(log, outcome)
    show(outcome, as_json)
    return typer.Exit(outcome.exit)


def _on(on: str, where: str | None, place: str, stop: bool, as_json: bool) -> int:
    """Let a cluster run a placed plant, or stop it; the worst of its hosts' statuses."""
    if not on or not place or where is None:
        help = (
            "`byteor host --place FILE --name HOST` runs one part here" if place else "add the plan and `--place FILE`"
        )
        raise diag.Refused([x.RUN_OPTION.at("on", "`--place` and `--on` go together, with a plan", help=help)])
    from byteor.cli.on_ray import run_on

    statuses = run_on(on, where, place, stop)
    said = {output.DONE: "done", output.TERMINATED: "stopped"}
    ends = [output.DONE if stop and status in said else status for status in statuses.values()]
    worst = max(ends, key=lambda status: (status not in (output.DONE, output.LOSSY), abs(status)))
    if as_json:
        output.put_json({"status": "done" if worst == output.DONE else "failed", "hosts": statuses, "exit": worst})
    for host, status in statuses.items() if not as_json else ():
        print(f"{host}: {said.get(status, f'ended with status {status}')}")
    return worst


def _only_resumes(where: str | None) -> None:
    if where is not None:
        help = "name the folder alone: all else stands in its manifest"
        raise diag.Refused([x.RUN_OPTION.at("resume", f"`{where}` besides `--resume`", help=help)])


def rolled(text: str) -> Roll | None:
    """Read `--roll`."""
    if not text:
        return None
    from byteor.edges.rolling import roll_from

    if (roll := roll_from(text)) is None:
        help = "write `--roll 100000` for rows or `--roll 60s` for seconds"
        raise diag.Refused([x.RUN_OPTION.at("roll", f"`{text}` is no number of rows or seconds", help=help)])
    return roll
