"""Roles that die at every point between their steps, and processes that are killed: the outputs are the oracle's.

Rule 1. Each start of a role dies at another point, as the plant's manifest says; where it does is no matter of luck.
Rule 2. One graph has every kind of role, and small lanes, so that whatever a death leaves is soon needed.
"""

from __future__ import annotations

import os
from pathlib import Path
from random import Random

import pytest

from byteor.plant import failpoints
from byteor.plant.wiring import wire
from byteor.testing.plant_kills import Campaign
from byteor.testing.plant_runs import kinds_of, points_of
from tests.plants import dags
from tests.plants.subjects import subject

EVERY_KIND, NOTHING_INTO_A_JOURNAL = 1824, 1010
KINDS = {
    *("ingress", "egress", "compiled stage", "plain stage", "filter", "one to many", "keyed state"),
    *("stage with end", "router", "merge", "bridge", "tap"),
}


def died(seed: int, folder: Path, times: int, each: int) -> Campaign:
    """Run a plant whose roles die at their points; nothing may be wrong."""
    campaign = Campaign(folder, Random(seed))
    made = dags.dag(seed, journals=True, times=times)
    campaign.at_points(subject(made, folder / "plant", batch=2, wait="block"), each)
    assert campaign.tally.wrong == []
    return campaign


@pytest.mark.stress
def test_every_kind_of_role_dies_at_each_of_its_points(tmp_path: Path) -> None:
    campaign = died(EVERY_KIND, tmp_path, times=12, each=1)
    wiring = wire(dags.dag(EVERY_KIND, journals=True).graph)
    wanted = {(kind, p) for r in wiring.roles for kind in kinds_of(wiring, r) for p in points_of(wiring, r)}
    assert {kind for kind, _ in wanted} == KINDS and {point for _, point in wanted} == set(failpoints.POINTS) - set(
        failpoints.LINKED
    )
    missed = wanted - set(campaign.tally.fell)
    print(campaign.tally.kills, "deaths; not passed:", sorted(missed))
    # How many records an `end` has left, and so whether some were sent and some were not, is the graph's choice.
    assert missed <= {("stage with end", failpoints.FED), ("stage with end", failpoints.END_COMMITTED)}


@pytest.mark.stress
def test_a_journal_that_was_closed_before_a_death(tmp_path: Path) -> None:
    died(NOTHING_INTO_A_JOURNAL, tmp_path, times=1, each=1)


@pytest.mark.stress
def test_what_is_killed_is_followed(tmp_path: Path) -> None:
    """Roles, the forkserver and the supervisor, at moments of the machine's choice."""
    campaign = Campaign(tmp_path, Random(1))
    made = dags.dag(EVERY_KIND, journals=True, times=20)
    campaign.at_random(subject(made, tmp_path / "plant", batch=2, wait="block"), 8, 0.05)
    assert campaign.tally.wrong == []


def test_what_is_told_to_live_lives() -> None:
    """A start that has no death of its own passes every point."""
    for start, lives in ((0, True), (1, False), (2, True)):
        death = failpoints.Death([(failpoints.SPOOLED, 2)], start)
        pid = os.fork()
        if pid == 0:
            death.at(failpoints.RENAMED)
            death.at(failpoints.SPOOLED)
            death.at(failpoints.SPOOLED)
            os._exit(0)
        assert (os.waitpid(pid, 0)[1] == 0) is lives
