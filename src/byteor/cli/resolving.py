"""`byteor check --resolve`: what the code of the stages says against the document.

Rule 1. Code is found and looked at; none of it is run or compiled.
Rule 2. A proposal is a line that can be copied into the plan.
"""

from __future__ import annotations

import json

from byteor import diag
from byteor.cli.loading import folder_of
from byteor.exec.inspect import proposed
from byteor.exec.resolve import fields_of, resolve, stages_of
from byteor.exec.stage import Stage as Code
from byteor.lower.examine import Examined
from byteor.spec.model import IDENTITY, Field, Stage


def judge(seen: Examined) -> tuple[tuple[diag.Diagnostic, ...], list[str]]:
    """Find the stages' code; give the differences, and proposals for what the plan leaves open."""
    codes, found = resolve(seen.spec, folder_of(seen))
    refused = seen.placed(diag.Refused(found)) if found else None
    stages = [stage for _, stage in stages_of(seen.spec) if stage.name in codes]
    proposals = [line for s in stages for line in _proposed(s, codes[s.name], fields_of(seen.spec, s))]
    return (refused.diagnostics if refused else ()), proposals


def _proposed(stage: Stage, code: Code, fields: tuple[Field, ...]) -> list[str]:
    if stage.call == IDENTITY:
        return []
    names = dict(zip(("reads", "writes"), proposed(code, stage.form, fields), strict=True))
    wanted = {key: found for key, found in names.items() if found is not None and getattr(stage, key) is None}
    return [f"stage `{stage.name}` could say: {key} = {json.dumps(found)}" for key, found in wanted.items()]
