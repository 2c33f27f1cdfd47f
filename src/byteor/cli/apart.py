"""Carry out the run of a plant in processes: a new one, or one that was left.

Rule 1. The supervisor lives in this process: its end is the plant's, unless the folder is kept.
Rule 2. What a role prints is shown with its name in front; progress and notes go to stderr.
Rule 3. A plant that failed, and that was to be kept, can be resumed; all others leave nothing behind.
"""

from __future__ import annotations

import signal
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import typer

from byteor import diag
from byteor.cli import output
from byteor.cli.asked import Asked, Prepared
from byteor.cli.loading import folder_of
from byteor.cli.log import DRAINING, GIVING_UP, Log, served
from byteor.cli.progress import Progress
from byteor.cli.report import Outcome
from byteor.cli.signals import caught
from byteor.exec.resolve import resolve
from byteor.exec.run import judge_options
from byteor.exec.shard import Options
from byteor.plant import ending, findings
from byteor.plant.body import refuse
from byteor.plant.directory import look
from byteor.plant.process import Outcome as Ended
from byteor.plant.processes import Processes, Wanted, bring_up, resume
from byteor.plant.ring_blocks import parts_of
from byteor.plant.ring_processes import RingProcesses, WantedRing
from byteor.plant.ring_processes import bring_up as bring_up_ring
from byteor.plant.ring_processes import resume as resume_ring
from byteor.plant.supervisor import Pauses
from byteor.plant.unsupported import unsupported
from byteor.plant.wiring import wire
from byteor.spec.kv import decode
from byteor.spec.lane_graph import LaneGraph
from byteor.spec.model import SingleRing
from byteor.spec.placement import Place, Placement

SHOWN = 0.5  # seconds between two looks at the tables


def run_apart(ready: Prepared, asked: Asked) -> Outcome:
    """Bring a new plant up and run it; raise `Refused` where it cannot run at all."""
    assert asked.apart is not None
    with Progress(asked.log) as progress:
        try:
            made = _brought_up_or_given_up(ready, asked, progress)
        except diag.Refused as e:
            raise ready.seen.placed(e) from e
        return _supervised(made, progress, asked.apart.keep, ready.seen, asked.log)


def _brought_up_or_given_up(ready: Prepared, asked: Asked, progress: Progress) -> Processes | RingProcesses:
    """Bring up; a signal meanwhile leaves nothing behind, and its own exit status."""
    with caught(_give_up) as signals:
        try:
            return _brought_up(ready, asked, progress)
        except KeyboardInterrupt:
            term = signals.first == signal.SIGTERM
            raise typer.Exit(output.TERMINATED if term else output.INTERRUPTED) from None


def _give_up(count: int) -> None:
    """End a bring-up, which then takes away what it made."""
    raise KeyboardInterrupt


def _brought_up(ready: Prepared, asked: Asked, progress: Progress) -> Processes | RingProcesses:
    assert asked.apart is not None
    where = Path(asked.apart.dir) if asked.apart.dir else None
    if isinstance(ready.spec, SingleRing):
        return bring_up_ring(_wanted_ring(ready, asked), where, progress.say)
    return bring_up(_wanted(ready, asked), where, progress.say)


def resume_apart(where: str, keep: bool, log: Log) -> Outcome:
    """Continue a plant or a ring that was left, from its folder alone."""
    with Progress(log) as progress:
        is_ring = isinstance(decode(look(where).manifest.spec, "manifest").spec, SingleRing)
        made = resume_ring(Path(where)) if is_ring else resume(Path(where))
        outcome = _supervised(made, progress, keep, None, log)
        return replace(outcome, places=made.held.manifest.outputs)


def _wanted(ready: Prepared, asked: Asked) -> Wanted:
    graph, folder = ready.spec, folder_of(ready.seen)
    refuse([*unsupported(graph), *judge_options(Options(asked.wait, asked.batch))])
    codes, found = resolve(graph, folder)
    refuse(found)
    options: dict[str, Any] = {"wait": asked.wait, "batch": asked.batch, "interpreted": asked.interpreted}
    options |= {"limit": asked.limit, "rejects": asked.rejects}
    placement = _placement(ready, asked)
    inputs, outputs = _absolute(ready.inputs), _absolute(ready.places)
    return Wanted(graph, placement, folder, codes, inputs, outputs, options)


def _wanted_ring(ready: Prepared, asked: Asked) -> WantedRing:
    spec, folder = ready.spec, folder_of(ready.seen)
    refuse(judge_options(Options(asked.wait, asked.batch)))
    codes, found = resolve(spec, folder)
    refuse(found)
    options = {"wait": asked.wait, "batch": asked.batch, "interpreted": asked.interpreted, "limit": asked.limit}
    places = _absolute(ready.inputs), _absolute(ready.places)
    return WantedRing(spec, _placement(ready, asked), folder, codes, *places, options)


def _absolute(places: Mapping[str, str]) -> dict[str, str]:
    """Paths as every process finds them."""
    plain = ("-", "python:")
    return {n: p if p.startswith(plain) else str(Path(p).absolute()) for n, p in places.items()}


def _placement(ready: Prepared, asked: Asked) -> Placement:
    """Where the roles run: as the plan says; `--restarts` lets every role come back."""
    placement = ready.seen.placement or Placement(ready.spec.name, "none", ())
    assert asked.apart is not None
    if asked.apart.restarts is None:
        return placement
    known = {place.role: place for place in placement.roles}
    names = _names(ready.spec)
    lines = (known.get(name, Place(name)) for name in names)
    roles = tuple(replace(line, restart="on_failure", limit=asked.apart.restarts) for line in lines)
    return replace(placement, roles=roles)


def _names(spec: SingleRing | LaneGraph) -> list[str]:
    """The roles of a spec."""
    if isinstance(spec, SingleRing):
        return [part.name for part in parts_of(spec)]
    return [role.name for role in wire(spec).roles]


def _supervised(made: Processes | RingProcesses, progress: Progress, keep: bool, seen: Any, log: Log) -> Outcome:
    """Run the plant to its end, and leave its folder, or nothing."""
    began = time.perf_counter()
    left = True

    def on_signal(count: int) -> None:
        log.at_once(*(GIVING_UP if count > 1 else DRAINING))
        made.ask()

    made.listener = log.heard
    ending.forget(made.held.where)
    try:
        with caught(on_signal) as signals, served(log, made.held.manifest.name, made.snapshot):
            progress.begin()
            ended = made.run(log.printed, lambda: progress.show(made.snapshot()), Pauses(turn=SHOWN))
        assert made.supervisor is not None
        status = made.supervisor.status
        report = made.report(status, time.perf_counter() - began)
        if left := keep and status != "done":
            ending.write(made.held.where, status, ended)
        skipped = sum(int(one.data.get("skipped", 0)) for one in ended)
        outcome = Outcome(report, status, skipped, signals.first)
        return told(outcome, made.supervisor.findings, ended, seen)
    finally:
        if left:
            log.event("plant_kept", f"the plant is kept in {made.held.where}", folder=str(made.held.where))
            made.held.release()
        else:
            made.held.remove()


def told(outcome: Outcome, found: tuple[diag.Diagnostic, ...], ended: tuple[Ended, ...], seen: Any) -> Outcome:
    """The outcome with how the roles ended, and with what was found."""
    roles = [{"role": one.role, "status": one.status, "restarts": one.restarts} for one in ended]
    details: dict[str, Any] = {"roles": roles}
    if not found:
        return replace(outcome, details=details)
    refused = diag.Refused(diag.in_order(found))
    placed = seen.placed(refused) if seen is not None else refused
    details["findings"] = output.as_data(placed.diagnostics, placed.source)
    raised = next((dict(one.data) for one in ended if one.data.get("stage")), None)
    if raised:
        details["error"] = raised
    error = diag.render(placed.diagnostics, placed.source)
    status = findings.status_of(found) if outcome.status == "refused" else 0
    return replace(outcome, error=error, details=details, fixed=status)
