"""The kernel's hot functions under every schedule of the default bounds."""

import pytest

from byteor.testing.explore import explore, sample
from byteor.testing.lift import Lifter
from byteor.testing.report import chosen

DEFAULT = tuple(chosen(full=False))
WHOLE = tuple(entry for entry in chosen(full=True) if entry.name.startswith("split and merged"))


@pytest.mark.parametrize("entry", DEFAULT, ids=[entry.name for entry in DEFAULT])
def test_no_schedule_breaks_it(entry):
    outcome = explore(entry.lifted(Lifter()), entry.limit).expect()
    assert outcome.exhausted, f"bounded at {outcome.schedules}"


@pytest.mark.parametrize("entry", WHOLE, ids=[entry.name for entry in WHOLE])
def test_a_plant_of_three_roles_ends_under_random_schedules(entry):
    assert sample(entry.lifted(Lifter()), runs=300, seed=1).finding is None
