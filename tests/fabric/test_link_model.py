"""Both sides of a link under every order of events within small bounds, and with one thing wrong."""

from __future__ import annotations

import pytest

from byteor.fabric import egress, ingress
from byteor.fabric.messages import DATA, NOTHING, PROBE, REWIND, STATE, Message, News
from byteor.testing.link_model import FAR, LINE, NEAR, Bounds, Budget, Sides, search
from byteor.testing.link_mutants import BY_HAND, CASES, judge


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
    assert found.killed_by == "the near side dies" and "zombie" in found.reason


def test_records_that_are_not_asked_for_again_are_missed() -> None:
    found = judge("no rewind", Sides(ingress=Silent()), CASES)
    assert found.killed_by == "a message is lost"


def far(at: int, room: int, **more: int) -> Message:
    facts = {"home": FAR, "epoch": 1, **more}
    return Message(STATE, 0, 0, LINE, facts["home"], facts["epoch"], at, room, NOTHING)


def near(at: int, n: int, **more: int) -> Message:
    facts = {"home": NEAR, "epoch": 1, **more}
    return Message(DATA if n else PROBE, 0, 0, LINE, facts["home"], facts["epoch"], at, n, NOTHING)


def test_a_far_lane_that_was_made_again_is_not_gone_on_with() -> None:
    e = egress.begin(LINE, NEAR, 2, 5, 1, FAR)
    e = egress.see(e, 8, NOTHING)
    assert egress.on_state(e, far(0, 4, home=FAR + 1))[1] == egress.OTHER_HOME
    assert egress.on_state(e, far(3, 7, epoch=2))[1] == egress.BEHIND
    assert egress.on_state(e, far(9, 12, epoch=2))[1] == egress.AHEAD
    assert egress.on_state(e, far(3, 7))[1] == egress.FINE  # an older answer of the one that is known
    assert egress.on_state(e, far(6, 10, epoch=2))[1] == egress.FINE


def test_a_near_lane_that_was_made_again_is_not_gone_on_with() -> None:
    i = ingress.begin(LINE, FAR, 1, 5, NOTHING, 1, NEAR)
    assert ingress.on_message(i, near(5, 1, home=NEAR + 1), 8)[1].fault == ingress.OTHER_HOME
    unknown = ingress.begin(LINE, FAR, 1, 5, NOTHING, 0, 0)
    assert ingress.on_message(unknown, near(5, 1), 8)[1].fault == ingress.AHEAD


def test_records_beyond_the_room_are_not_taken() -> None:
    i = ingress.begin(LINE, FAR, 1, 5, NOTHING, 1, NEAR)
    judged, take = ingress.on_message(i, near(5, 4), 8)
    assert judged == i and take.answer and take.n == 0
    assert ingress.on_message(i, near(4, 4), 8)[1] == ingress.Take(1, 3)


def test_credit_that_is_used_up_is_a_stall() -> None:
    e = egress.see(egress.begin(LINE, NEAR, 1, 0, 0, 0), 4, NOTHING)
    e = egress.on_state(e, far(0, 3))[0]
    first = egress.offer(e, 2)
    assert first is not None and (first.at, first.more) == (0, 2)
    e = egress.sent(e, first)
    assert not egress.is_stalled(e)
    last = egress.offer(e, 2)
    assert last is not None and (last.at, last.more) == (2, 1)
    e = egress.sent(e, last)
    assert egress.is_stalled(e) and egress.offer(e, 2) is None
    assert not egress.is_stalled(egress.see(e, 3, NOTHING))


def test_what_was_offered_before_a_rewind_is_not_noted_as_sent() -> None:
    e = egress.see(egress.begin(LINE, NEAR, 1, 0, 0, 0), 2, NOTHING)
    e = egress.on_state(e, far(0, 4))[0]
    offer = egress.offer(e, 1)
    assert offer is not None
    ahead = egress.sent(e, offer)
    again = egress.offer(ahead, 1)
    assert again is not None
    rewound = egress.on_state(ahead, far(0, 4)._replace(flags=REWIND))[0]
    assert rewound.next == 0 and rewound.rewinds == 1
    assert egress.sent(rewound, again) == rewound


def test_counters_count() -> None:
    i = ingress.begin(LINE, FAR, 1, 0, NOTHING, 0, 0)
    i, take = ingress.on_message(i, near(1, 1), 4)
    assert take.flags == REWIND and i.gaps == 1
    i, take = ingress.on_message(i, near(1, 1), 4)
    assert not take.answer and i.gaps == 2
    i, take = ingress.on_message(i, near(1, 0), 4)
    assert take.flags == REWIND and i.gaps == 3
    i = ingress.on_message(i, near(0, 1, epoch=3), 4)[0]
    i, take = ingress.on_message(i, near(0, 1), 4)
    assert i.fenced == 1 and take == ingress.Take()
    e = egress.see(egress.begin(LINE, NEAR, 1, 0, 3, FAR), 2, News(1, 1))
    e, fault = egress.on_state(e, far(1, 2))
    assert e.fenced == 1 and e.committed == 0 and fault == egress.FINE


def test_bounds_are_small_enough_to_be_looked_at_whole() -> None:
    assert search(Bounds(2, 2, 2, Budget()), most=10).finding == "more states than allowed"
