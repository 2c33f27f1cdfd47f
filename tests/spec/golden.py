"""Golden files of findings: prose, an input, and what it is answered with.

Rule 1. The first fenced block is the input, its words say what it is; the `text` block is the answer.
Rule 2. `BYTEOR_GOLDEN=write` writes the answers anew; a reader of the diff is the judge.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from byteor import diag
from byteor.lower import lower
from byteor.lower.examine import examine
from byteor.place.examine import examine as examine_place
from byteor.plan import document
from byteor.spec import kv, rules

PLACED = Path(__file__).resolve().parent.parent / "place" / "plan.toml"
FOLDER = Path(__file__).resolve().parent.parent / "golden"
BLOCK = re.compile(r"^(`{3,})([a-z ]+)\n(.*?)^\1$", re.DOTALL | re.MULTILINE)

Answer = tuple[tuple[diag.Diagnostic, ...], diag.Source | None]


@dataclass(frozen=True)
class Golden:
    """One file taken apart."""

    path: Path
    words: str
    given: str
    wanted: str

    @property
    def codes(self) -> set[str]:
        """The codes that the file's name promises."""
        return set(re.findall(r"[KSPL][0-9]{3}", self.path.stem))

    def answer(self) -> Answer:
        return ANSWERS[self.words](self.given)

    def rewrite(self, rendered: str) -> None:
        text = self.path.read_text(encoding="utf-8")
        head = text[: text.rindex("```text\n")]
        self.path.write_text(f"{head}```text\n{rendered}```\n", encoding="utf-8")


def golden_of(path: Path) -> Golden:
    blocks = BLOCK.findall(path.read_text(encoding="utf-8"))
    return Golden(path, blocks[0][1], blocks[0][2], blocks[-1][2])


def files() -> list[Path]:
    return sorted(FOLDER.glob("*.md"))


def from_plan(text: str | bytes, name: str = "plan.toml", target: str | None = None) -> Answer:
    read = document.read(text, name)
    if read.plan is None:
        return read.findings, read.source
    return diag.in_order((*read.findings, *lower(read.plan, target).all_findings)), read.source


def from_kv(text: str | bytes) -> Answer:
    return judged(kv.decode(text))


def from_json(text: str | bytes) -> Answer:
    return judged(kv.decode_json(text))


def judged(decoded: kv.Decoded) -> Answer:
    more = rules.validate(decoded.spec) if decoded.spec else ()
    return diag.in_order((*decoded.findings, *more)), decoded.source


def from_place(text: str | bytes, plan: str | None = None) -> Answer:
    """Judge a placement, by itself of the plan that all of them place."""
    placed = examine_place(text, "place.toml", examine(plan or PLACED.read_text(), "plan.toml"))
    return placed.findings, placed.source


def from_python(text: str) -> Answer:
    """Run the block; it leaves a document, a plan or a spec."""
    names: dict[str, Any] = {}
    exec(text, names)
    if "plan_document" in names:
        return from_plan(names["plan_document"], target=names.get("target"))
    if "ring" in names:
        return from_place(names["place"], names["ring"])
    if "kv_document" in names:
        return from_kv(names["kv_document"])
    if "json_document" in names:
        return from_json(names["json_document"])
    if "plan" in names:
        return lower(names["plan"]).all_findings, None
    if names.get("encode"):
        return refused(names["spec"]), None
    return rules.validate(names["spec"], names.get("profile", "")), None


def refused(spec: Any) -> tuple[diag.Diagnostic, ...]:
    try:
        kv.encode(spec)
    except diag.Refused as error:
        return error.diagnostics
    return ()


ANSWERS = {
    "toml plan": from_plan,
    "toml place": from_place,
    "json plan": lambda text: from_plan(text, "plan.json"),
    "kv": from_kv,
    "json": from_json,
    "python": from_python,
}
