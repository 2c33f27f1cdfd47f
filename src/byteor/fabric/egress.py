"""The sending side of a link: what to send next, and what an answer means. Plain functions over values.

Rule 1. No sockets, no clocks: whoever calls says what lies in the lane, what came, and that time has passed.
Rule 2. gate <= committed <= next <= limit. A slot is given back only up to `committed`, which the far side has said.
Rule 3. Who starts, or meets a newer far side, or is told that records are missing, sends again from `committed`.
Rule 4. A mark goes with the last record that lay before it: sent earlier, it would promise too much.
Rule 5. `peer` and `peer_home` are kept with `committed`, in one commit: an answer from before cannot look new.
Rule 6. Nothing is sent before a far side is known. So one that is not, and has records, has them of another lane.
"""

from __future__ import annotations

from typing import NamedTuple

from byteor.fabric.messages import DATA, FINISHED, LOWEST, NOTHING, PROBE, REWIND, Line, Message, News

FINE, OTHER_HOME, BEHIND, AHEAD = range(4)  # what an answer says of the two lanes: all but the first end the link


class Egress(NamedTuple):
    """The sending side; `cursor` and `news` are what lies in the lane, `told` and `known` what was sent and confirmed.

    `home` and `epoch` are its own, `peer_home` and `peer` the far side's; `limit` is the first record without a slot
    there. The last two count.
    """

    line: Line
    home: int
    epoch: int
    committed: int
    next: int
    limit: int
    peer: int = 0
    peer_home: int = 0
    cursor: int = 0
    news: News = NOTHING
    told: News = NOTHING
    known: News = NOTHING
    rewinds: int = 0
    fenced: int = 0


def begin(line: Line, home: int, epoch: int, gate: int, peer: int, peer_home: int) -> Egress:
    """Begin, or go on behind what was given back; nothing may be sent before the far side has answered."""
    return Egress(line, home, epoch, gate, gate, gate, peer, peer_home, cursor=gate)


def see(e: Egress, cursor: int, news: News) -> Egress:
    """Note what lies in the lane."""
    return e._replace(cursor=cursor, news=news)


def offer(e: Egress, most: int) -> Message | None:
    """What is to be sent next, of at most so many records; the caller adds their length."""
    n = min(e.cursor, e.limit, e.next + most) - e.next
    news = _news_at(e, e.next + n)
    if n == 0 and news == e.told:
        return None
    return Message(DATA, 0, 0, e.line, e.home, e.epoch, e.next, n, news)


def _news_at(e: Egress, end: int) -> News:
    """What may be said behind the record before `end`."""
    return e.news if end == e.cursor else News(LOWEST, LOWEST, e.news.closed)


def sent(e: Egress, m: Message) -> Egress:
    """Note that an offer has left, unless something else is to be sent by now."""
    if m.at != e.next:
        return e
    return e._replace(next=m.at + m.more, told=m.news)


def is_stalled(e: Egress) -> bool:
    """Whether records wait for nothing but room over there."""
    return e.next == e.limit and e.next < e.cursor


def on_state(e: Egress, m: Message) -> tuple[Egress, int]:
    """Take an answer; its line is this one's. What is not FINE ends the link."""
    if m.home != e.peer_home:
        if e.peer_home != 0:
            return e, OTHER_HOME
    elif m.epoch < e.peer:
        return e._replace(fenced=e.fenced + 1), FINE
    if m.at > (e.cursor if e.peer_home else e.committed):
        return e, AHEAD
    if m.home != e.peer_home or m.epoch > e.peer:
        return _meet(e, m)
    if m.at < e.committed:
        return e, FINE  # an older answer of the same far side
    done = e._replace(
        committed=m.at, next=max(e.next, m.at), limit=max(e.limit, m.more, m.at), known=max(e.known, m.news)
    )
    return (_again(done) if m.flags & REWIND else done), FINE


def _meet(e: Egress, m: Message) -> tuple[Egress, int]:
    """Meet a far side for the first time, or its successor."""
    if m.at < e.committed:
        return e, BEHIND
    met = e._replace(peer=m.epoch, peer_home=m.home, committed=m.at, limit=max(m.more, m.at), known=m.news)
    return (_again(met) if e.next != m.at else met._replace(told=m.news)), FINE


def _again(e: Egress) -> Egress:
    return e._replace(next=e.committed, told=NOTHING, rewinds=e.rewinds + (e.next > e.committed))


def is_quiet(e: Egress) -> bool:
    """Whether the far side has confirmed everything that there is."""
    return e.committed == e.cursor and e.known >= e.news


def probe(e: Egress, flags: int = 0) -> Message:
    """A question: the far side answers how it stands, and what it misses."""
    return Message(PROBE, flags, 0, e.line, e.home, e.epoch, e.next, 0, _news_at(e, e.next))


def is_done(e: Egress) -> bool:
    """Whether all has crossed, and the far side knows that nothing follows."""
    return e.known.closed == e.committed


def farewell(e: Egress) -> Message:
    """What is said last: the far side need not wait any more."""
    return probe(e, FINISHED)
