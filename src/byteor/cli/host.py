"""`byteor host`: one host's part of a placed plant, begun or gone on with, whatever is found in its folder.

Rule 1. To run it twice does no harm: systemd, Kubernetes, Ray and people start the same command.
Rule 2. It keeps its folder until the part is over, and a mark of it then: a part that is over is not begun again.
Rule 3. SIGTERM stops after the pending piece, and leaves all for the next start; Ctrl-C lets what comes in here end.
Rule 4. Statuses are those of a plant: 0 done, 1 failed, 2 findings, 3 with losses, 4 held by another, 5 lost.
"""

from __future__ import annotations

import signal
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from byteor import diag
from byteor.cli import output
from byteor.cli.loading import folder_of, placed_plant
from byteor.cli.log import DRAINING, Log, ended, log_from, served
from byteor.cli.options import Batch, Inputs, LogForm, Metrics, Outputs, Restarts, Wait
from byteor.cli.output import Json
from byteor.place import document
from byteor.place.model import Host

if TYPE_CHECKING:
    from byteor.cli.report import Outcome
    from byteor.cli.signals import Signals
    from byteor.plant.process import Outcome as Ended
    from byteor.plant.processes import Processes, Wanted

PlaceFile = Annotated[str, typer.Option("--place", metavar="FILE", help="The placement: which role runs where.")]
STOPPING = ("stopping", "stopping; what is under way is gone on with at the next start")
SHOWN = 0.5  # seconds between two looks at the tables


def host(
    place: PlaceFile,
    name: Annotated[str, typer.Option("--name", help="This host, by its name in the placement.")],
    where: Annotated[
        str,
        typer.Option("--resume", metavar="DIR", help="The folder of this part; by default what the placement says."),
    ] = "",
    anew: Annotated[bool, typer.Option("--new", help="Give up what is left in the folder, and start anew.")] = False,
    run: Annotated[
        str, typer.Option("--run", metavar="WORD", help="Which run this is, instead of the placement's word.")
    ] = "",
    inputs: Inputs = None,
    outputs: Outputs = None,
    wait: Wait = "",
    batch: Batch = 4096,
    restarts: Restarts = None,
    metrics: Metrics = None,
    log_form: LogForm = "text",
    as_json: Json = False,
) -> None:
    """Run one host's part of a plant: begin it, or go on with what is left. Safe to start again at any time."""
    with output.told(as_json):
        log = log_from(log_form, metrics)
        options = {"wait": wait, "batch": batch, "interpreted": False, "limit": None, "rejects": None}
        given = tuple(inputs or ()), tuple(outputs or ())
        wanted, here = wanted_at(place, name, run, given, options, restarts)
        outcome = _carry_out(wanted, folder_of_part(wanted.graph.name, here, where), anew, log)
    _show(outcome, name, log, as_json)


def wanted_at(
    place: str,
    name: str,
    run: str,
    given: tuple[tuple[str, ...], tuple[str, ...]],
    options: Mapping[str, Any],
    restarts: int | None,
) -> tuple[Wanted, Host]:
    """What a host's part is to be, from the placement and the plan that it names; raise with all that is wrong."""
    from byteor.cli.boundaries import egresses, ingresses, placed
    from byteor.plant.hosts import Asked, lacking, wanted_of
    from byteor.spec.kv import spec_sha256

    plant = placed_plant(place)
    hosts, spec, folder = plant.hosts, plant.subject.graph, Path(place).absolute().parent
    ins, outs = placed("input", given[0], ingresses(spec)), placed("output", given[1], list(egresses(spec)))
    generation = document.generation_of(spec_sha256(spec), hosts, run)
    asked = Asked(name, generation, folder, folder_of(plant.seen), ins, outs, options, restarts)
    if found := lacking(hosts, asked):
        raise diag.Refused(found, plant.source)
    here = hosts.named(name)
    assert here is not None
    try:
        return wanted_of(hosts, plant.subject, plant.cut, asked), here
    except diag.Refused as e:
        raise plant.seen.placed(e) from e


def folder_of_part(plant: str, host: Host, where: str = "") -> Path:
    """The folder of a part: as said, as the placement says, or under the usual parent."""
    return Path(where or host.dir or usual(plant, host.name))


def usual(plant: str, host: str) -> str:
    """The folder of a part of which nobody says where it is."""
    from byteor.plant.directory import PARENT, PREFIX

    return f"{PARENT}/{PREFIX}{plant}-{host}"


def _carry_out(wanted: Wanted, where: Path, anew: bool, log: Log) -> Outcome | str:
    """Begin or go on, and run to the end; the status of a part that is over already."""
    from byteor.cli.progress import Progress
    from byteor.cli.signals import caught
    from byteor.plant.hosts import open_part

    made: Processes | None = None

    def on_signal(count: int) -> None:
        if made is None:
            raise KeyboardInterrupt  # a bring-up takes away what it made
        _asked_to_end(made, signals.first, count, log)

    with Progress(log) as progress, caught(on_signal) as signals:
        try:
            found = open_part(wanted, where, anew, progress.say)
            if isinstance(found, str):
                return found
            made = found
        except KeyboardInterrupt:
            term = signals.first == signal.SIGTERM
            raise typer.Exit(output.TERMINATED if term else output.INTERRUPTED) from None
        return _supervised(made, progress, signals, log)


def _supervised(made: Processes, progress: Any, signals: Signals, log: Log) -> Outcome:
    from byteor.cli.apart import told
    from byteor.cli.report import Outcome
    from byteor.plant import ending
    from byteor.plant.hosts import close_part
    from byteor.plant.supervisor import Pauses

    began, status = time.perf_counter(), ""
    ends: tuple[Ended, ...] = ()
    made.listener = log.heard
    ending.forget(made.held.where)
    try:
        with served(log, made.held.manifest.name, made.snapshot):
            progress.begin()
            ends = made.run(log.printed, lambda: progress.show(made.snapshot()), Pauses(turn=SHOWN))
        assert made.supervisor is not None
        status = made.supervisor.status
        report = made.report(status, time.perf_counter() - began)
        skipped = sum(int(one.data.get("skipped", 0)) for one in ends)
        outcome = told(Outcome(report, status, skipped, signals.first), made.supervisor.findings, ends, None)
        if status == "aborted" and signals.first == signal.SIGTERM:
            outcome = replace(outcome, fixed=output.TERMINATED)
        return replace(outcome, places=made.held.manifest.outputs)
    finally:
        if not close_part(made, status, ends):
            log.event("part_kept", f"this part is kept in {made.held.where}", folder=str(made.held.where))


def _asked_to_end(made: Processes, first: int, count: int, log: Log) -> None:
    """Let what comes in here end, where something does; stop at SIGTERM, and when asked again."""
    drains = any(role.kind == "ingress" for role in made.wiring.roles) and first != signal.SIGTERM
    stops = count > 1 or not drains
    log.at_once(*(STOPPING if stops else DRAINING))
    made.ask(stops)


def _show(outcome: Outcome | str, name: str, log: Log, as_json: bool) -> None:
    from byteor.cli.report import show

    if isinstance(outcome, str):
        if as_json:
            output.put_json({"status": outcome, "host": name, "over": True})
        else:
            print(f"{name}: {outcome} already; `--new` starts anew")
        return
    ended(log, outcome)
    show(outcome, as_json)
    raise typer.Exit(outcome.exit)
