"""Carry out the run of a plant: in this process, or in a process for each role.

Rule 1. Everything that can be refused is refused before the first row moves.
Rule 2. Outputs are completed when all has gone well, or none of them stays.
Rule 3. The first signal drains the plant, the second stops it at once.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from byteor import diag
from byteor.cli import output
from byteor.cli.asked import Asked, Prepared
from byteor.cli.loading import examine, folder_of
from byteor.cli.log import DRAINING, GIVING_UP, Log, served
from byteor.cli.progress import Progress
from byteor.cli.report import Outcome
from byteor.cli.signals import caught
from byteor.exec import findings as x
from byteor.exec.load import Loaded
from byteor.exec.runners import StageFailed
from byteor.exec.shard import Options
from byteor.plant import places
from byteor.plant.assembly import Outside
from byteor.plant.blocks import in_memory
from byteor.plant.directory import PARENT
from byteor.plant.logs import logs_of
from byteor.plant.run import PlantRun, run_plant
from byteor.plant.shared import make_in
from byteor.plant.wiring import wire
from byteor.spec.lane_graph import LaneGraph

if TYPE_CHECKING:
    from byteor.edges.contract import Sink, Source

NOTHING: Mapping[str, Any] = {}
STEP = 0.05  # seconds between two looks at a plant that runs


def run_graph(ready: Prepared, asked: Asked) -> Outcome:
    """Run a plant as asked; raise `Refused` where it cannot run at all."""
    _judge(asked)
    if asked.apart is None:
        return _in_process(ready, asked)
    from byteor.cli.apart import run_apart

    return run_apart(ready, asked)


def replayed(
    where: str, asked: Asked, path: Path, tap: str, first: int, until: int | None, at_once: bool, gaps: bool
) -> tuple[Outcome, int]:
    """Run the part of a plant behind a tapped lane, with the journal at `path` as its source; how much was missing."""
    from byteor.cli.boundaries import egresses, ingresses, placed
    from byteor.plant import replay

    seen = examine(where)
    graph = seen.usable()
    if not isinstance(graph, LaneGraph):
        raise diag.Refused([x.UNSUPPORTED.at("", "a ring has no taps")])
    number = replay.tapped(graph, tap or path.name)
    part = replay.behind(graph, number)
    name = part.ingresses[0].ingress.name
    pace = None if at_once else replay.pace_of(graph, number)
    source = replay.Recorded(path, first, until, gaps, pace)
    others = [n for n in ingresses(part) if n != name]
    ready = Prepared(
        seen, part, placed("input", asked.inputs, others), placed("output", asked.outputs, list(egresses(part)))
    )
    return replace(_in_process(ready, asked, {name: source}), places=ready.places), source.missing


def _judge(asked: Asked) -> None:
    """Refuse what only a ring can do."""
    given = {"repeat": asked.repeat, "roll": asked.roll, "debug": asked.debug or None}
    found = [x.RUN_OPTION.at(name, f"`--{name}` is for rings") for name, value in given.items() if value is not None]
    if asked.apart and asked.single_thread:
        found.append(x.RUN_OPTION.at("single-thread", "`--single-thread` and `--processes` exclude each other"))
    if found:
        raise diag.Refused(found)


def _in_process(ready: Prepared, asked: Asked, given: Mapping[str, Any] = NOTHING) -> Outcome:
    from byteor.cli.boundaries import rejects_file

    folder, graph = folder_of(ready.seen), ready.spec
    with Progress(asked.log) as progress, rejects_file(asked.rejects) as kept:
        try:
            sources = places.inputs_of(graph, ready.inputs, ready.places, folder, kept, given)
            sinks = places.outputs_of(graph, ready.places, folder)
        except diag.Refused as e:
            raise ready.seen.placed(e) from e
        try:
            progress.say(f"bringing up {len(graph.lanes)} lanes")
            with tempfile.TemporaryDirectory(prefix="byteor-run-", dir=_shared(asked)) as inner:
                made = _bring_up(ready, asked, folder, sources, sinks, Path(inner), given)
                _note(sources.values(), asked.log)
                with served(asked.log, graph.name, made.snapshot):
                    return _driven(made, sources, sinks, progress, asked.log)
        except BaseException:
            for sink in sinks.values():
                sink.abort()
            raise


def _shared(asked: Asked) -> str | None:
    """The folder of what is shared memory; any other where nothing is."""
    return PARENT if asked.backing == "shm" else None


def _note(sources: Iterable[Source], log: Log) -> None:
    for source in sources:
        if source.note:
            log.event("note", f"note: {source.note}")


def _bring_up(
    ready: Prepared,
    asked: Asked,
    folder: Path,
    sources: dict[str, Source],
    sinks: dict[str, Sink],
    inner: Path,
    given: Mapping[str, Any],
) -> PlantRun:
    outlets: dict[str, Any] = {name: places.SinkOutlet(sink) for name, sink in sinks.items()}
    outlets |= {at.egress.name: places.Nowhere() for at in ready.spec.egresses if at.egress.name not in sinks}
    inlets = {name: places.from_position(source, asked.limit) for name, source in sources.items()} | dict(given)
    options = Options(asked.wait, asked.batch, asked.interpreted, not asked.single_thread)
    try:
        logs = logs_of(wire(ready.spec), ready.places, inner)
        for log in logs.values():
            log.create()
        make = make_in(inner) if asked.backing == "shm" else in_memory
        return run_plant(Loaded(ready.spec, folder), None, options, Outside(inlets, outlets, logs), make)
    except diag.Refused as e:
        raise ready.seen.placed(e) from e
    except StageFailed as e:
        raise output.Failed(str(e)) from e


def _driven(
    made: PlantRun, sources: dict[str, Source], sinks: dict[str, Sink], progress: Progress, log: Log
) -> Outcome:
    """Drive the plant to its end, however it comes, and say how it ended."""
    plant = made.plant

    def on_signal(count: int) -> None:
        log.at_once(*(GIVING_UP if count > 1 else DRAINING))
        (plant.stop if count > 1 else plant.drain)()

    with caught(on_signal) as signals:
        progress.begin()
        made.start()
        while not _is_over(made):
            progress.show(made.snapshot())
        made.join()
        aborted = signals.count > 1 and plant.status != "done"
        failure = plant.failure or (None if aborted else _complete(sinks))
    if failure is not None or aborted:
        for sink in sinks.values():
            sink.abort()
    skipped = sum(source.skipped for source in sources.values())
    status = "aborted" if aborted else "drained" if signals.count else "done"
    return told(Outcome(made.report(), status, skipped, signals.first), failure, made)


def _is_over(made: PlantRun) -> bool:
    """Let the plant go on for a moment; whether it has ended."""
    plant = made.plant
    if not plant.threads:
        return plant.stopped or not plant.step()
    time.sleep(STEP)
    return plant.stopped or all(runner.done for runner in plant.runners)


def _complete(sinks: dict[str, Sink]) -> Exception | None:
    try:
        for sink in sinks.values():
            sink.finish()
    except Exception as e:  # noqa: BLE001 the other outputs go away first
        return e
    return None


def told(outcome: Outcome, failure: BaseException | None, made: PlantRun) -> Outcome:
    """The outcome with what went wrong."""
    if failure is None:
        return outcome
    if isinstance(failure, StageFailed):
        role = made.plant.wiring.role(failure.stage)
        return stage_failed(outcome, failure, f"lane_graph.{role.path}" if role else "")
    if isinstance(failure, diag.Refused):
        data = {"findings": output.as_data(failure.diagnostics, failure.source)}
        return replace(outcome, status="refused", error=diag.render(failure.diagnostics, failure.source), details=data)
    cause = f"{type(failure).__name__}: {output.reason(failure)}"
    return replace(outcome, status="failed", error=f"error: {cause}", details={"error": {"cause": cause}})


def stage_failed(outcome: Outcome, e: StageFailed, path: str) -> Outcome:
    """The outcome of a plant whose stage failed."""
    found = x.STAGE_RAISED.at(path, str(e))
    data = {"stage": e.stage, "sequence": e.sequence, "cause": e.reason, "record": e.record}
    details = {"error": data, "findings": output.as_data([found], None)}
    return replace(outcome, status="failed", error=diag.render([found]), details=details)
