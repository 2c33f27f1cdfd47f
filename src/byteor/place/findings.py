"""The code of placement documents that is found while one is read; the rules hold the others.

Rule 1. What TOML and JSON have in common with plans has the codes of plans.
"""

from __future__ import annotations

from byteor.diag import rule

VERSION = rule(
    "P070",
    "place-version",
    """What: `place` is missing or is not 1.
Why: a reader that guesses the version reads another version's document wrongly.
Example: a placement without `place = 1`.
Instead: begin with `place = 1`.""",
)
RING = rule(
    "P086",
    "ring-placed",
    """What: a placement is of a single ring.
Why: the stages of a ring share their slots, which are memory of one host.
Example: a placement beside a plan with `target = "single_ring"`.
Instead: run it on one host, or write a lane graph: its lanes can cross.""",
)
