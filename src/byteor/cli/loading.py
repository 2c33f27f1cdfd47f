"""Documents of any kind, recognised by content: TOML plan, JSON plan or spec, kv spec.

Rule 1. Findings of the plan and of its lowering stay apart; nothing is raised for what a document says.
Rule 2. `-` is stdin; stages are then looked for in the folder of the command.
Rule 3. A `--set` is an edit of the spec's kv text: it is read and judged as if it had stood there.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from byteor import diag
from byteor.edges import files
from byteor.exec import findings as x
from byteor.exec.load import form_of
from byteor.lower import Note, lower, plan_key
from byteor.plan import document
from byteor.spec import kv
from byteor.spec.rules import validate


@dataclass(frozen=True, slots=True)
class Examined:
    """A document, what it says, and all that was found; `spec` is None where it cannot be had."""

    form: str  # plan | kv | json
    plan: Any
    spec: Any
    findings: tuple[diag.Diagnostic, ...]
    lowering: tuple[diag.Diagnostic, ...]
    source: diag.Source
    folder: Path
    notes: tuple[Note, ...] = ()
    keys: Mapping[str, str] = field(default_factory=dict)

    @property
    def all(self) -> tuple[diag.Diagnostic, ...]:
        return (*self.findings, *self.lowering)

    def usable(self) -> Any:
        """Give the spec; raise with all findings when there is any: running and converting are strict."""
        if self.all or self.spec is None:
            raise diag.Refused(self.all, self.source)
        return self.spec

    def placed(self, refused: diag.Refused) -> diag.Refused:
        """Give a refusal that speaks of the spec the words and lines of this document."""
        if refused.source is not None:
            return refused
        if self.plan is None:
            return diag.Refused(refused.diagnostics, self.source)
        return diag.Refused([_in_plan(d, self.plan, self.keys) for d in refused.diagnostics], self.source)


def _in_plan(found: diag.Diagnostic, plan: Any, keys: Mapping[str, str]) -> diag.Diagnostic:
    is_key = found.path.startswith(("single_ring.", "lane_graph."))
    return replace(found, path=plan_key(found.path, plan, keys)) if is_key else found


def text_of(where: str) -> bytes:
    """The bytes of a document; `-` is stdin."""
    if where == files.STREAM:
        return sys.stdin.buffer.read()
    files.check_input("document", where)
    return Path(where).read_bytes()


def examine(where: str) -> Examined:
    """Read a document and judge it whole."""
    text = text_of(where)
    name = "<stdin>" if where == files.STREAM else where
    folder = Path.cwd() if where == files.STREAM else Path(where).resolve().parent
    form = form_of(text)
    if form == "plan":
        return _plan(text, name, folder)
    read = kv.decode(text, name) if form == "kv" else kv.decode_json(text, name)
    found = read.findings if read.spec is None else diag.in_order((*read.findings, *validate(read.spec)))
    return Examined(form, None, None if diag.errors(found) else read.spec, found, (), read.source, folder)


def _plan(text: bytes, name: str, folder: Path) -> Examined:
    read = document.read(text, name)
    if read.plan is None:
        return Examined("plan", None, None, read.findings, (), read.source, folder)
    lowered = lower(read.plan)
    found = diag.in_order((*read.findings, *lowered.plan_findings))
    spec = None if diag.errors((*found, *lowered.findings)) else lowered.spec
    return Examined("plan", read.plan, spec, found, lowered.findings, read.source, folder, lowered.notes, lowered.keys)


def edited(spec: Any, settings: Iterable[str], name: str) -> Any:
    """Give the spec with `KEY=VALUE` edits made; raise with what is found."""
    text = kv.encode(spec)
    for setting in settings:
        key, sign, value = setting.partition("=")
        if not sign:
            message = f"`{setting}` has no `=`"
            raise diag.Refused([x.RUN_OPTION.at("set", message, help="write `--set key=value`, a key of the kv form")])
        text = _with(text, key, value)
    read = kv.decode(text, f"{name} with --set")
    found = read.findings if read.spec is None else diag.in_order((*read.findings, *validate(read.spec)))
    if found:
        raise diag.Refused(found, read.source)
    return read.spec


def _with(text: str, key: str, value: str) -> str:
    lines = text.splitlines()
    at = next((i for i, line in enumerate(lines) if line.partition("=")[0] == key), len(lines))
    lines[at : at + 1] = [f"{key}={value}"]
    return "\n".join([*lines, ""])
