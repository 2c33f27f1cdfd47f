"""Carry out what a command line asks for: from a document and its places to an outcome.

Rule 1. Everything that can be refused is refused before the first row moves.
Rule 2. The main thread shows progress and sees signals; with `single_thread` it does all the work as well.
"""

from __future__ import annotations

import contextlib
import os
import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from byteor import diag
from byteor.cli import output
from byteor.cli.asked import Asked, Prepared
from byteor.cli.loading import edited, examine, folder_of
from byteor.cli.log import DRAINING, GIVING_UP, Log, served
from byteor.spec.lane_graph import LaneGraph

if TYPE_CHECKING:
    from byteor.cli.report import Outcome
    from byteor.lower.examine import Examined

SWITCH = 100e-6  # seconds: Python stages that come back from a wait would otherwise queue for the GIL
POOL = ("ARROW_DEFAULT_MEMORY_POOL", "system")  # pyarrow's own keep what is freed: memory would grow with a file


class GivenUp(BaseException):
    """The second signal in a stepped run; no stage may catch it."""


def prepared(where: str, asked: Asked) -> Prepared:
    """Read the document, make the edits, and place the boundaries; raise `Refused` where that cannot be."""
    from byteor.cli.boundaries import egresses, ingresses, placed

    seen = examine(where)
    spec = seen.usable()
    if asked.settings:
        spec = edited(spec, asked.settings, seen.source.name)
    inputs = placed("input", asked.inputs, ingresses(spec))
    return Prepared(seen, spec, inputs, placed("output", asked.outputs, list(egresses(spec))))


def carry_out(where: str, asked: Asked) -> Outcome:
    """Run a document as asked; raise `Refused` where it cannot run at all."""
    return run_prepared(prepared(where, asked), asked)


def run_prepared(ready: Prepared, asked: Asked) -> Outcome:
    """Run what is prepared; raise `Refused` where it cannot run at all."""
    sys.setswitchinterval(SWITCH)
    os.environ.setdefault(*POOL)
    if isinstance(ready.spec, LaneGraph):
        from byteor.cli.plants import run_graph

        return replace(run_graph(ready, asked), places=ready.places)
    if asked.backing == "shm" and asked.apart is None:
        from byteor.exec import findings as x

        help = "run its stages in processes: `--processes`"
        raise diag.Refused([x.UNSUPPORTED.at("", "one process runs a ring in its own memory", help=help)])
    if asked.apart is not None:
        from byteor.cli.apart import run_apart

        return replace(run_apart(ready, asked), places=ready.places)
    return replace(_run(ready, asked), places=ready.places)


def _run(ready: Prepared, asked: Asked) -> Outcome:
    from byteor.cli import boundaries
    from byteor.cli.progress import Progress
    from byteor.cli.signals import stoppable_stdin

    seen, spec = ready.seen, ready.spec
    place = ready.inputs.get(spec.ingress.name)
    if place is None:
        from byteor.exec import findings as x

        help = f"give it a place: `--input {spec.ingress.name}=PATH`, `-` is stdin"
        raise diag.Refused([x.RUN_OPTION.at("input", f"`{spec.ingress.name}` has no input", help=help)])
    with stoppable_stdin() as wake, Progress(asked.log) as progress, boundaries.rejects_file(asked.rejects) as kept:
        source = boundaries.source_of(spec, place, folder_of(seen), kept)
        progress.say(f"bringing up {len(spec.stages)} stages")
        made = _bring_up(seen, spec, asked)
        if source.note:
            asked.log.event("note", f"note: {source.note}")
        batches = boundaries.batches_of(spec, source, asked.limit, asked.repeat)
        sinks = boundaries.sinks_of(spec, ready.places, folder_of(seen), asked.roll)
        progress.begin()
        try:
            with served(asked.log, spec.name, made.snapshot):
                return _driven(made, batches, sinks, source, wake, progress, asked.log)
        except BaseException:
            boundaries.abort(sinks)
            raise


def _bring_up(seen: Examined, spec: Any, asked: Asked) -> Any:
    from byteor.exec.run import run as bring_up
    from byteor.exec.runners import StageFailed

    try:
        return bring_up(
            spec,
            wait=asked.wait,
            batch=asked.batch,
            interpreted=asked.interpreted or asked.debug,
            single_thread=asked.single_thread,
            folder=folder_of(seen),
            debug=asked.debug,
        )
    except diag.Refused as e:
        raise seen.placed(e) from e
    except StageFailed as e:
        raise output.Failed(str(e)) from e


def _driven(made: Any, batches: Any, sinks: Any, source: Any, wake: Any, progress: Any, log: Log) -> Outcome:
    """Drive the run to its end, however it comes, and say how it ended."""
    from byteor.cli.signals import caught
    from byteor.edges.drive import Drive

    drive = Drive(made, batches, sinks)

    def on_signal(count: int) -> None:
        wake()
        log.at_once(*(GIVING_UP if count > 1 else DRAINING))  # print may be under way
        drive.ask()
        if count > 1 and not made.ring.options.threads:
            raise GivenUp

    with caught(on_signal) as signals:
        if made.ring.options.threads:
            _watch(drive, signals, progress)
        else:
            with contextlib.suppress(GivenUp):
                drive.step_through()
                return _outcome(drive, source, signals)
            drive.abort()
        return _outcome(drive, source, signals)


def _watch(drive: Any, signals: Any, progress: Any) -> None:
    drive.start()
    patience = 20  # a stage that never comes back is left behind after two seconds
    while not drive.wait(0.1) and patience:
        progress.show(drive.run.snapshot())
        if signals.count > 1:
            drive.abort()
            patience -= 1
        elif signals.count:
            drive.drain()


def _outcome(drive: Any, source: Any, signals: Any) -> Outcome:
    from byteor.cli.report import Outcome
    from byteor.exec.runners import StageFailed

    status, error, details = "drained" if signals.count else "done", "", None
    if drive.aborted:
        status = "aborted"
    try:
        drive.finish()
    except StageFailed as e:
        status = "failed"
        error, details = _stage_failed(e, drive.run.spec)
    except diag.Refused as e:
        status, error = "refused", diag.render(e.diagnostics, e.source)
        details = {"findings": output.as_data(e.diagnostics, e.source)}
    except Exception as e:  # noqa: BLE001 a source's or a sink's own error, or the machine's: told, not shown as a traceback
        status, error = "failed", f"error: {type(e).__name__}: {output.reason(e)}"
        details = {"error": {"cause": f"{type(e).__name__}: {output.reason(e)}"}}
    return Outcome(drive.run.report(), status, source.skipped, signals.first, error, details)


def _stage_failed(e: Any, spec: Any) -> tuple[str, dict[str, Any]]:
    from byteor.exec import findings as x

    number = next(i for i, stage in enumerate(spec.stages) if stage.name == e.stage)
    found = x.STAGE_RAISED.at(f"single_ring.stages.{number}", str(e))
    told = {"stage": e.stage, "sequence": e.sequence, "cause": e.reason, "record": e.record}
    return diag.render([found]), {"error": told, "findings": output.as_data([found], None)}
