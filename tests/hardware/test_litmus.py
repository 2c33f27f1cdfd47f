"""What two threads see on this machine is what the memory model allows, and what the explorer shows."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from byteor.kernel.wait import ANNOUNCED
from byteor.testing import threads
from byteor.testing.explore import explore
from byteor.testing.lift import Lifter
from byteor.testing.litmus import BELL, LITMUS, Litmus, Side, X, Y
from byteor.testing.world import World

ROUNDS = 20_000
CROSSED = (1, 1)  # of two writers: machines may, and the explorer's model has one writer for each word

every = pytest.mark.parametrize("test", LITMUS, ids=lambda test: test.name)


@every
def test_nothing_forbidden_is_seen(test: Litmus) -> None:
    seen = threads.run(test, ROUNDS)
    assert seen.total() == ROUNDS
    assert seen.keys() <= test.allowed.keys()


def test_messages_arrive_whole_and_in_order() -> None:
    assert threads.handover(ROUNDS) == Counter(whole=ROUNDS, torn=0, misplaced=0)


def explored(test: Litmus) -> set[Any]:
    """What the explorer shows of the very functions that run on the machine."""
    lift, found = Lifter(), set()

    def scenario(world: World) -> Any:
        at, answers = world.word("place"), {}
        for offset in (X, Y, BELL, BELL + ANNOUNCED):
            world.memory.define(at + offset, 0)

        def run(side: Side) -> Any:
            answers[side] = yield from lift(side.body)(at)

        def answer(side: Side) -> int:
            return int(world.memory.history(at + side.reads)[-1][0] if side.reads >= 0 else answers[side])

        for side in (test.left, test.right):
            world.spawn(run(side))
        return lambda: found.add((answer(test.left), answer(test.right)))

    assert explore(scenario).expect().exhausted
    return found


@every
def test_the_explorer_shows_what_is_allowed(test: Litmus) -> None:
    beyond = {CROSSED} if test.name == "two writers (2+2W)" else set()
    assert explored(test) == test.allowed.keys() - beyond


def test_a_forbidden_outcome_is_told(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(threads, "LITMUS", LITMUS[2:3])
    monkeypatch.setattr(threads, "run", lambda test, rounds: Counter({(0, 0): 1, (1, 1): 9}))
    assert threads.report(10) == 1
    assert "(0, 0)           1  FORBIDDEN" in capsys.readouterr().out
