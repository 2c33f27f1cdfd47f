"""Both sides of a link under every order of events within small bounds, and with one thing wrong."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from byteor.fabric import ingress
from byteor.fabric.messages import REWIND, Message
from byteor.testing.link_facts import FACTS
from byteor.testing.link_model import Bounds, Budget, Sides, search
from byteor.testing.link_mutants import BY_HAND, CASES, judge, judge_all


@pytest.mark.parametrize("name", CASES)
def test_every_order_of_events_keeps_the_records(name: str) -> None:
    found = search(CASES[name])
    assert not found.finding, (found.finding, found.trail)
    assert found.states > 500


@pytest.mark.parametrize("name", BY_HAND)
def test_a_role_that_does_it_wrong_is_found(name: str) -> None:
    assert judge(name, BY_HAND[name], CASES).word == "killed"


class WithoutEpochs:
    """A far side that listens to zombies."""

    def __getattr__(self, name: str) -> object:
        return getattr(ingress, name)

    def on_message(self, i: ingress.Ingress, m: Message, room: int) -> tuple[ingress.Ingress, ingress.Take]:
        return ingress.on_message(i, m._replace(epoch=max(m.epoch, i.peer)), room)


class Silent(WithoutEpochs):
    """A far side that never asks for what it misses."""

    def on_message(self, i: ingress.Ingress, m: Message, room: int) -> tuple[ingress.Ingress, ingress.Take]:
        judged, take = ingress.on_message(i, m, room)
        return judged, take._replace(flags=take.flags & ~REWIND)


def test_a_zombie_that_is_listened_to_is_found() -> None:
    found = judge("no epochs", Sides(ingress=WithoutEpochs()), CASES)
    assert found.word == "killed"


def test_records_that_are_not_asked_for_again_are_missed() -> None:
    found = judge("no rewind", Sides(ingress=Silent()), CASES)
    assert found.word == "killed"


@pytest.mark.parametrize("fact", FACTS, ids=lambda fact: fact.__name__)
def test_what_each_side_answers(fact: Callable[[Sides], None]) -> None:
    fact(Sides())


def test_every_mutant_by_rule_is_found() -> None:
    assert [found.name for found in judge_all() if found.word != "killed"] == []


def test_bounds_are_small_enough_to_be_looked_at_whole() -> None:
    found = search(Bounds(2, 2, 2, Budget()), most=10)
    assert (found.word, search(Bounds(1, 1, 1, Budget())).word) == ("bounded", "exhausted")
