"""The kernel's hot functions under every schedule of the default bounds."""

import pytest

from byteor.testing.explore import explore
from byteor.testing.lift import Lifter
from byteor.testing.report import chosen

DEFAULT = tuple(chosen(full=False))


@pytest.mark.parametrize("entry", DEFAULT, ids=[entry.name for entry in DEFAULT])
def test_no_schedule_breaks_it(entry):
    outcome = explore(entry.lifted(Lifter()), entry.limit).expect()
    assert outcome.exhausted, f"bounded at {outcome.schedules}"
