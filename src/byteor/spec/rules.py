"""All rules of the spec in one table, and the functions that hold a spec against it.

Rule 1. A value that no document could carry is judged first, and alone: the other rules trust the types.
Rule 2. All findings, in canonical order; a profile adds rules and takes none away.
"""

from __future__ import annotations

from byteor.diag import Diagnostic, Refused, Rule, errors, in_order, rule
from byteor.spec import boundary_rules, lane_rules, order_rules, ring_rules, role_rules, stage_rules, type_rules
from byteor.spec.codec import Kind, misfits, shown
from byteor.spec.kv import KIND, Spec
from byteor.spec.lane_graph import LaneGraph
from byteor.spec.model import IDENTITY, SingleRing
from byteor.spec.ring_rules import slots
from byteor.spec.table import Entry, Hit, Hits, states
from byteor.spec.walk import fits

WRONG_TYPE = rule(
    "S001",
    "wrong-type",
    """What: a field of a spec made in Python holds a value of another Python type than it declares.
Why: the model is a fixed tree of integers, booleans, texts and tuples; nothing is converted.
Example: `capacity=1e6`, a float, or a list where a tuple belongs.
Instead: give the declared type; the builders and the plan do so.""",
)
NOT_PRINTABLE = rule(
    "S002",
    "not-printable",
    """What: a text is not printable ASCII, or begins or ends with white space.
Why: the canonical form has no quoting; such a text could not be read back.
Example: a null text of one blank.
Instead: use another text.""",
)
TOO_LARGE = rule(
    "S003",
    "integer-range",
    """What: an integer does not fit 64 bits with sign.
Why: every number of the model fits an i64.
Example: `capacity=2**64`.
Instead: use a smaller number.""",
)
MISFIT = {"type": WRONG_TYPE, "text": NOT_PRINTABLE, "range": TOO_LARGE}

PROFILE_V1: list[Entry] = []
MODULES = (type_rules, ring_rules, stage_rules, boundary_rules, lane_rules, role_rules, order_rules)
TABLE: tuple[Entry, ...] = tuple(entry for module in MODULES for entry in module.TABLE)
V1_STAGES, V1_SLOTS, V1_BYTES, V1_READERS = 4, 1024, 256, 4


@states(PROFILE_V1, "S090", "outside-profile-v1", SingleRing, LaneGraph)
def outside_profile_v1(spec: Spec) -> Hits:
    """
    What: it is larger than the original's v1 profile: 4 stages a ring, 1,024 slots of 256 bytes, 4 readers a journal.
    Why: it was asked for with `--profile v1`; this build itself takes larger ones.
    Example: `capacity = 65536` under `--profile v1`.
    Instead: stay within the profile, or check without it.
    """
    for path, at in slots(spec):
        if at.capacity > V1_SLOTS:
            yield Hit(f"{path}capacity", f"there are {at.capacity} slots, the profile has {V1_SLOTS}")
        if at.slot_bytes > V1_BYTES:
            yield Hit(f"{path}slot_bytes", f"a slot has {at.slot_bytes} bytes, the profile has {V1_BYTES}")
        if not isinstance(at, SingleRing) and at.kind == "journal" and at.consumers > V1_READERS:
            yield Hit(f"{path}consumers", f"a journal has {at.consumers} readers, the profile has {V1_READERS}")
    if isinstance(spec, SingleRing) and len(spec.stages) > V1_STAGES:
        yield Hit("stages", f"there are {len(spec.stages)} stages, the profile has {V1_STAGES}")


@states(PROFILE_V1, "S034", "several-sources", SingleRing)
def several_sources(ring: SingleRing) -> Hits:
    """
    What: a stage after the first one, which is not `identity`, has no dependencies.
    Why: the original's v1 profile has one source stage; it was asked for with `--profile v1`.
    Example: two stages that both start from the ingress.
    Instead: let an `identity` stage come first, or check without the profile.
    """
    for i, stage in enumerate(ring.stages):
        if i and not stage.depends_on and stage.call != IDENTITY:
            message = f"stage `{shown(stage.name)}` starts from the ingress, as the first one"
            yield Hit(f"stages.{i}.depends_on", message)


class SpecError(Refused):
    """A spec was to be valid and is not; `diagnostics` holds every finding, the first one first."""


def validate(spec: Spec, profile: str = "") -> tuple[Diagnostic, ...]:
    """Hold a spec against every rule of its shape."""
    kind = KIND[type(spec)]
    whole = Kind("object", cls=type(spec))
    if not fits(whole)(spec):
        return in_order(_misfit(*m) for m in misfits(spec, whole, kind))
    table = (*TABLE, *PROFILE_V1) if profile == "v1" else TABLE
    return in_order(d for entry in table if type(spec) in entry.shapes for d in entry.run(spec, f"{kind}."))


def _misfit(what: str, path: str, message: str) -> Diagnostic:
    found: Rule = MISFIT[what]
    return found.at(path, message)


def check(spec: Spec) -> Spec:
    """Give the spec back, or raise with every finding."""
    if errors(found := validate(spec)):
        raise SpecError(errors(found))
    return spec


def validate_v1(spec: Spec) -> None:
    """Raise `SpecError` for an invalid spec, as the original's function of this name answers with one."""
    check(spec)
