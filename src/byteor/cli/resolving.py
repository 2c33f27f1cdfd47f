"""`byteor check --resolve`: what the code of the stages says against the document.

Rule 1. Code is found and looked at; none of it is run or compiled.
Rule 2. A proposal is a line that can be copied into the plan.
"""

from __future__ import annotations

import json
from typing import Any

from byteor import diag
from byteor.cli.loading import Examined
from byteor.exec.resolve import resolve


def judge(seen: Examined) -> tuple[tuple[diag.Diagnostic, ...], list[str]]:
    """Find the stages' code; give the differences, and proposals for what the plan leaves open."""
    codes, found = resolve(seen.spec, seen.folder)
    refused = seen.placed(diag.Refused(found)) if found else None
    proposals = [line for stage in seen.spec.stages if stage.name in codes for line in _proposed(stage, codes)]
    return (refused.diagnostics if refused else ()), proposals


def _proposed(stage: Any, codes: Any) -> list[str]:
    try:
        from byteor.exec.inspect import touched
    except ModuleNotFoundError:
        return []
    seen = touched(codes[stage.name].function, stage.form)
    if seen.whole or stage.call == "identity":
        return []
    lines = []
    for key, names in (("reads", seen.reads), ("writes", seen.writes)):
        if getattr(stage, key) is None:
            lines.append(f"stage `{stage.name}`: {key} = {json.dumps(sorted(names))}")
    return lines
