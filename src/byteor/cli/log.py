"""What a run says while it runs: lines for people, or one JSON object a line for whoever collects logs.

Rule 1. All of it goes to stderr; what a run has done is its report.
Rule 2. An event has a name that never changes, a time in UTC, and plain fields.
Rule 3. A signal's handler may tell too: its line is one write, whatever was under way.
"""

from __future__ import annotations

import contextlib
import datetime
import json
import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from byteor import diag
from byteor.cli import output
from byteor.exec import findings as x

if TYPE_CHECKING:
    from byteor.cli.report import Outcome
    from byteor.exec.snapshot import Snapshot
    from byteor.plant.channel import Report
    from byteor.plant.status import Status

DRAINING, GIVING_UP = ("draining", "draining; once more gives up"), ("giving_up", "giving up")
TEXT, JSON = FORMS = ("text", "json")


@dataclass(frozen=True, slots=True)
class Log:
    """How a run is told of while it runs: in which form, and on which port its metrics are."""

    form: str = TEXT
    metrics: int | None = None

    @property
    def plain(self) -> bool:
        """Whether people read it."""
        return self.form == TEXT

    def event(self, event: str, text: str = "", level: str = "info", **fields: Any) -> None:
        """Tell of an event; people are shown the text, if there is one."""
        if not self.plain:
            print(_line(event, level, {"text": text, **fields} if text else fields), file=sys.stderr, flush=True)
        elif text:
            print(text, file=sys.stderr, flush=True)

    def at_once(self, event: str, text: str) -> None:
        """Tell from a signal's handler."""
        line = text if self.plain else _line(event, "info", {"text": text})
        os.write(2, f"{line}\n".encode())

    def printed(self, role: str, line: str) -> None:
        """Tell what a role printed."""
        self.event("role_printed", f"{role}: {line}" if self.plain else line, role=role)

    def heard(self, role: str, report: Report) -> None:
        """Tell what a role said of itself; people see its end."""
        level = "error" if report.kind in ("failed", "refused") else "info"
        found = output.as_data(report.findings, None) if report.findings else None
        fields = {"role": role, **report.data, **({"findings": found} if found else {})}
        if not self.plain:
            self.event(f"role_{report.kind}", report.text, level, **fields)


PLAIN = Log()


def log_from(form: str, metrics: int | None) -> Log:
    """Read the options of a run."""
    if form not in FORMS:
        message = f"`{form}` is no form of a log"
        raise diag.Refused([x.RUN_OPTION.at("log", message, help="use `--log text` or `--log json`")])
    return Log(form, metrics)


def _line(event: str, level: str, fields: dict[str, Any]) -> str:
    now = datetime.datetime.now(datetime.UTC).isoformat(timespec="milliseconds")
    return json.dumps({"time": now.replace("+00:00", "Z"), "level": level, "event": event, **fields})


@contextlib.contextmanager
def served(log: Log, name: str, look: Callable[[], Snapshot | Status]) -> Iterator[None]:
    """Serve the metrics of a run as long as it runs, if that is asked for."""
    if log.metrics is None:
        yield
        return
    try:
        from byteor.observe.metrics import Served
    except ModuleNotFoundError as e:
        raise output.Failed(f"metrics need {e.name}: pip install 'byteor[metrics]'") from e
    with Served(name, look, log.metrics) as metrics:
        url = f"http://{metrics.address}:{metrics.port}/metrics"
        log.event("metrics_served", f"metrics are at {url}", url=url)
        yield


def ended(log: Log, outcome: Outcome) -> None:
    """Tell how a run ended; people are shown its report instead."""
    if not log.plain:
        report = {k: v for k, v in asdict(outcome.report).items() if k not in ("stages", "status")}
        level = "error" if outcome.error else "info"
        log.event("run_ended", level=level, status=outcome.status, exit=outcome.exit, **report)
