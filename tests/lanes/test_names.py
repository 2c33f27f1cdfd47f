"""Lanes by name: what is made and opened has a static type, and a kind that is known wrongly is refused."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from byteor import lanes
from tests.lanes.killing import code_of

if TYPE_CHECKING:
    from typing import assert_type

    from byteor.lanes import events, journal, state

    def _types() -> None:
        assert_type(lanes.create("a", "<i8"), events.Lane)
        assert_type(lanes.create("a", "<i8", kind="fanout", readers=3), events.Lane)
        assert_type(lanes.create("a", "<i8", kind="state"), state.Lane)
        assert_type(lanes.create("a", kind="journal", retain="all"), journal.Lane)
        assert_type(lanes.open("a", kind="journal"), journal.Lane)


def test_a_kind_that_is_known_wrongly_is_refused(folder: Path) -> None:
    with lanes.create("ticks", "<i8", kind="fanout"):
        assert lanes.open("ticks", kind="fanout").readers == 2
        for kind in ("events", "state", "journal"):
            assert code_of(lambda kind=kind: lanes.open("ticks", kind=kind)) == "T014"  # type: ignore[misc]


def test_options_that_a_kind_does_not_have_are_refused(folder: Path) -> None:
    assert code_of(lambda: lanes.create("ticks", "<i8", kind="queue")) == "T031"
    assert code_of(lambda: lanes.create("ticks", "<i8", kind="state", producers=2)) == "T031"
    assert code_of(lambda: lanes.create("ticks", "<i8", kind="fanout", producers=2)) == "A001"
