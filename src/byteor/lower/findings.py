"""The codes of lowering: what a plan asks for that no spec can hold.

Rule 1. Codes from L120 on are the spec's rules on order: same number, same name, said of the plan.
"""

from __future__ import annotations

from byteor.diag import RULES, Rule, rule
from byteor.spec import order_rules

TARGET_MISMATCH = rule(
    "L001",
    "target-mismatch",
    """What: the plan is for another target than the one that was asked for.
Why: lowering is explicit; it never turns one shape into another.
Example: a plan with `target = "single_ring"`, lowered to `lane_graph`.
Instead: ask for the plan's own target, or change the plan.""",
)
PAYLOAD_MISMATCH = rule(
    "L002",
    "source-payload-mismatch",
    """What: what the plan holds belongs to another target than it names.
Why: a ring needs `[ring]`, a lane graph needs its connections.
Example: `target = "single_ring"` in a plan of `[[connect]]` and `[[merge]]`.
Instead: name the target that the plan was written for.""",
)
NO_MERGE = rule(
    "L101",
    "no-merge",
    """What: several connections lead to a part that is no merge, and their records cannot be shown to be equally many.
Why: someone has to say in which order they come; only where each brings as many is `round_robin` no guess.
Example: two ingresses connected to one stage.
Instead: a `[[merge]]` before it, with a policy.""",
)
BAD_TAP = rule(
    "L102",
    "bad-tap",
    """What: a state lane or a journal has a tap.
Why: a state lane skips what a reader was too slow for, so a tap would not see all; a journal is a record already.
Example: `lane = { kind = "state" }` and `tap = "audit"`.
Instead: tap an events lane before it; a journal is read as it is.""",
)


def _of_lowering(code: str) -> Rule:
    """A rule on order, as lowering says it: what the plan asks for cannot be ordered."""
    of_spec = RULES[code]
    return rule(f"L{code[1:]}", of_spec.name, of_spec.doc, of_spec.severity)


ORDER = {
    entry.rule.code: _of_lowering(entry.rule.code) for entry in order_rules.TABLE if entry.rule.name != "wrong-order"
}
