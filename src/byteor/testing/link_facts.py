"""What each side of a link answers in cases that no search meets: lanes that were made again, room overrun, counters.

Rule 1. A fact is a function of the sides; what does not hold is an `AssertionError`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from byteor.fabric import egress, ingress
from byteor.fabric.messages import DATA, FINISHED, LOWEST, NOTHING, OPEN, PROBE, REWIND, STATE, Message, News
from byteor.testing.link_model import FAR, LINE, NEAR, Sides

MARK = News(3, 0)
ENDED = News(LOWEST, LOWEST, 5)


def answer(at: int, room: int, home: int = FAR, epoch: int = 1, flags: int = 0, news: News = NOTHING) -> Message:
    return Message(STATE, flags, 0, LINE, home, epoch, at, room, news)


def data(at: int, n: int, home: int = NEAR, epoch: int = 1, news: News = NOTHING) -> Message:
    return Message(DATA, 0, 0, LINE, home, epoch, at, n, news)


def question(at: int, flags: int = 0, news: News = NOTHING) -> Message:
    return Message(PROBE, flags, 0, LINE, NEAR, 1, at, 0, news)


def met(e: Any, gate: int = 0, cursor: int = 0, room: int = 0, news: News = NOTHING, peer: int = 1) -> Any:
    """A near side that has heard the far side."""
    state = e.see(e.begin(LINE, NEAR, 2, gate, 0, 0), cursor, news)
    return e.on_state(state, answer(gate, room, epoch=peer))[0]


def a_far_lane_that_was_made_again(s: Sides) -> None:
    e = s.egress
    known = e.see(e.begin(LINE, NEAR, 2, 5, 1, FAR), 8, NOTHING)
    assert e.on_state(known, answer(0, 4, home=FAR + 1))[1] == egress.OTHER_HOME
    assert e.on_state(known, answer(6, 9, home=FAR + 1, epoch=0))[1] == egress.OTHER_HOME
    assert e.on_state(known, answer(3, 7, epoch=2)) == (known, egress.BEHIND)
    assert e.on_state(known, answer(9, 12, epoch=2)) == (known, egress.AHEAD)
    assert e.on_state(known, answer(9, 12)) == (known, egress.AHEAD)
    assert e.on_state(known, answer(3, 7)) == (known, egress.FINE)  # an older answer of the one that is known
    for at in (5, 8):
        assert e.on_state(known, answer(at, 10, epoch=2))[1] == egress.FINE
    new = e.see(e.begin(LINE, NEAR, 2, 0, 0, 0), 8, NOTHING)
    after, fault = e.on_state(new, answer(0, 4, epoch=0))  # the first one that is met is new, whatever its epoch
    assert (after.peer_home, after.limit, fault) == (FAR, 4, egress.FINE)
    assert e.on_state(new, answer(1, 5)) == (new, egress.AHEAD)  # it has what was never sent


def an_answer_that_allows_less_than_it_has(s: Sides) -> None:
    e = s.egress
    assert met(e, 0, 4, -3).limit == 0
    assert e.on_state(met(e, 0, 4, 2), answer(3, 1))[0].limit == 3


def the_successor_of_a_far_side(s: Sides) -> None:
    e = s.egress
    sent = e.sent(met(e, 0, 4, 4), e.offer(met(e, 0, 4, 4), 2))
    assert sent.next == 2
    behind = e.on_state(sent, answer(1, 5, epoch=2, news=MARK))[0]
    assert (behind.next, behind.told, behind.rewinds, behind.peer, behind.known) == (1, NOTHING, 1, 2, MARK)
    level = e.on_state(sent, answer(2, 5, epoch=2, news=MARK))[0]
    assert (level.next, level.told, level.rewinds) == (2, MARK, 0)
    ahead = e.on_state(sent, answer(3, 6, epoch=2))[0]
    assert (ahead.next, ahead.rewinds) == (3, 0)
    same = e.on_state(sent, answer(1, 5, news=MARK))[0]
    assert (same.committed, same.next, same.known, same.rewinds) == (1, 2, MARK, 0)


def what_was_offered_before_a_rewind(s: Sides) -> None:
    e = s.egress
    first = met(e, 0, 2, 4)
    ahead = e.sent(first, e.offer(first, 1))
    again = e.offer(ahead, 1)
    rewound = e.on_state(ahead, answer(0, 4, flags=REWIND))[0]
    assert (rewound.next, rewound.rewinds, rewound.told) == (0, 1, NOTHING)
    assert e.sent(rewound, again) == rewound
    assert e.on_state(rewound, answer(0, 4, flags=REWIND))[0].rewinds == 1


def credit_that_is_used_up(s: Sides) -> None:
    e = s.egress
    state = met(e, 0, 4, 3)
    for at, n in ((0, 2), (2, 1)):
        assert not e.is_stalled(state)
        offer = e.offer(state, 2)
        assert (offer.at, offer.more) == (at, n)
        state = e.sent(state, offer)
    assert e.is_stalled(state) and e.offer(state, 2) is None
    assert not e.is_stalled(e.see(state, 3, NOTHING))
    assert not e.is_stalled(met(e, 0, 0, 4))


def news_that_are_told(s: Sides) -> None:
    e = s.egress
    state = met(e, 0, 1, 4, MARK)
    early = e.offer(e.see(state, 2, MARK), 1)
    assert early.news == NOTHING and early.more == 1
    state = e.sent(state, e.offer(state, 4))
    assert state.told == MARK and e.offer(state, 4) is None and not e.is_quiet(state)
    higher = e.see(state, 1, News(4, 0))
    assert e.offer(higher, 4).more == 0 and e.offer(higher, 4).news == News(4, 0)
    assert not e.is_quiet(e.on_state(state, answer(1, 5))[0])
    assert e.is_quiet(e.on_state(state, answer(1, 5, news=MARK))[0])
    assert not e.is_quiet(e.on_state(state, answer(0, 5, news=MARK))[0])


def an_end_that_both_know(s: Sides) -> None:
    e = s.egress
    state = met(e, 5, 5, 9, ENDED)
    assert not e.is_done(state) and e.is_done(e.on_state(state, answer(5, 9, news=ENDED))[0])
    short = met(e, 4, 5, 9, ENDED)
    assert not e.is_done(e.on_state(short, answer(4, 9, news=ENDED))[0])
    assert not e.is_done(met(e, 0, 0, 4)) and not e.is_done(met(e, 5, 5, 9, News(LOWEST, LOWEST, OPEN)))
    assert e.farewell(state).flags == FINISHED and e.farewell(state).kind == PROBE


def zombies_at_the_near_side(s: Sides) -> None:
    e = s.egress
    known = e.see(e.begin(LINE, NEAR, 1, 0, 3, FAR), 2, NOTHING)
    heard, fault = e.on_state(known, answer(1, 2))
    assert heard == known._replace(fenced=1) and fault == egress.FINE


def a_near_lane_that_was_made_again(s: Sides) -> None:
    i = s.ingress
    known = i.begin(LINE, FAR, 1, 5, NOTHING, 1, NEAR)
    assert i.on_message(known, data(5, 1, home=NEAR + 1), 8)[1].fault == ingress.OTHER_HOME
    assert i.on_message(i.begin(LINE, FAR, 1, 5, NOTHING, 0, 0), data(5, 1), 8)[1].fault == ingress.AHEAD
    new = i.begin(LINE, FAR, 1, 0, NOTHING, 0, 0)
    assert i.on_message(new, data(0, 1, epoch=0), 8)[0].peer_home == NEAR
    assert i.on_message(new, question(1), 8) == (new, ingress.Take(fault=ingress.BEHIND))  # the rest was elsewhere
    judged, take = i.on_message(new, data(0, 1, epoch=4), 8)
    assert (judged.peer, judged.peer_home, take.fault, take.n) == (4, NEAR, ingress.FINE, 1)


def room_that_is_overrun(s: Sides) -> None:
    i = s.ingress
    known = i.begin(LINE, FAR, 1, 5, MARK, 1, NEAR)
    assert i.on_message(known, data(5, 4), 8) == (known, ingress.Take(news=MARK, answer=True))
    assert i.on_message(known, data(4, 4), 8)[1] == ingress.Take(1, 3, MARK)
    assert i.on_message(known, data(3, 2), 8)[1] == ingress.Take(2, 0, MARK, answer=True)
    assert i.on_message(known, question(5), 8)[1] == ingress.Take(0, 0, MARK, answer=True)
    assert not i.on_message(known, data(5, 3), 8)[1].answer


def farewells(s: Sides) -> None:
    i = s.ingress
    ended = i.begin(LINE, FAR, 1, 5, ENDED, 1, NEAR)
    assert i.is_ended(ended)
    judged, take = i.on_message(ended, question(5, FINISHED), 8)
    assert judged.finished and take.answer and take.flags == FINISHED and take.news == ENDED
    assert not i.on_message(ended, question(5), 8)[0].finished
    assert not i.on_message(ended, data(5, 0)._replace(flags=FINISHED), 8)[0].finished
    going = i.begin(LINE, FAR, 1, 4, NOTHING, 1, NEAR)
    assert not i.is_ended(going) and not i.on_message(going, question(4, FINISHED), 8)[0].finished


def gaps_and_zombies_at_the_far_side(s: Sides) -> None:
    i = s.ingress
    state = i.begin(LINE, FAR, 1, 0, NOTHING, 1, NEAR)
    for message, asks, gaps in ((data(1, 1), True, 1), (data(1, 1), False, 2), (question(1), True, 3)):
        state, take = i.on_message(state, message, 4)
        assert (take.answer, take.flags == REWIND, state.gaps) == (asks, asks, gaps)
    state = i.on_message(state, data(0, 1, epoch=3), 4)[0]
    heard, take = i.on_message(state, data(0, 1), 4)
    assert heard == state._replace(fenced=1) and take == ingress.Take()
    taken = i.took(state._replace(asked=0), ingress.Take(0, 1, MARK))
    assert (taken.pos, taken.news, taken.asked) == (1, MARK, OPEN)
    assert i.took(state._replace(asked=0), ingress.Take(0, 0, MARK)).asked == 0


FACTS: tuple[Callable[[Sides], None], ...] = (
    a_far_lane_that_was_made_again,
    an_answer_that_allows_less_than_it_has,
    the_successor_of_a_far_side,
    what_was_offered_before_a_rewind,
    credit_that_is_used_up,
    news_that_are_told,
    an_end_that_both_know,
    zombies_at_the_near_side,
    a_near_lane_that_was_made_again,
    room_that_is_overrun,
    farewells,
    gaps_and_zombies_at_the_far_side,
)
