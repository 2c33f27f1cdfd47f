"""The receiving side of a link: what to take of a message, and what to answer. Plain functions over values.

Rule 1. No sockets, no clocks: whoever calls says what came and what room there is.
Rule 2. Nothing is answered before it is committed: `state` speaks of `pos`, and `took` moves it after the commit.
Rule 3. Of a repetition nothing is taken, of an overlap the rest; where records are missing none, and they are asked
    for once, and again whenever the sender asks.
Rule 4. Who sends with a smaller epoch than one seen before is a zombie: counted, and not listened to.
Rule 5. A sender is known before anything is answered. So one that is not, and goes on, has worked with another lane.
"""

from __future__ import annotations

from typing import NamedTuple

from byteor.fabric.messages import FINISHED, NOTHING, OPEN, PROBE, REWIND, STATE, Line, Message, News

FINE, OTHER_HOME, AHEAD, BEHIND = range(4)  # what a message says of the two lanes: all but the first end the link


class Ingress(NamedTuple):
    """The receiving side; `pos` is the record that comes next, `news` what is committed of mark and end.

    `asked` is the record that was asked for again, `finished` says that the sender knows that all is done.
    """

    line: Line
    home: int
    epoch: int
    pos: int
    news: News = NOTHING
    peer: int = 0
    peer_home: int = 0
    asked: int = OPEN
    finished: bool = False
    gaps: int = 0
    fenced: int = 0


class Take(NamedTuple):
    """What to do with a message: leave out `skip` records, take `n`, say `news`; then `answer` with these `flags`.

    There is nothing to commit where `n` is 0, and the news and the sender are the old ones.
    """

    skip: int = 0
    n: int = 0
    news: News = NOTHING
    answer: bool = False
    flags: int = 0
    fault: int = FINE


def begin(line: Line, home: int, epoch: int, pos: int, news: News, peer: int, peer_home: int) -> Ingress:
    """Begin, or go on behind what a predecessor has committed; one that knew that all is done has no successor."""
    return Ingress(line, home, epoch, pos, news, peer, peer_home)


def on_message(i: Ingress, m: Message, room: int) -> tuple[Ingress, Take]:
    """Judge a DATA or a PROBE, whose line is this one's; `room` is the first record without a slot."""
    if m.home != i.peer_home:
        if i.peer_home != 0:
            return i, Take(fault=OTHER_HOME)
        if i.pos > 0:
            return i, Take(fault=AHEAD)
        if m.at > 0:
            return i, Take(fault=BEHIND)
    elif m.epoch < i.peer:
        return i._replace(fenced=i.fenced + 1), Take()
    if m.home != i.peer_home or m.epoch > i.peer:
        i = i._replace(peer=m.epoch, peer_home=m.home, asked=OPEN)
    if m.kind == PROBE and m.flags & FINISHED and i.pos == i.news.closed:
        return i._replace(finished=True), Take(news=i.news, answer=True, flags=FINISHED)
    if m.at > i.pos:
        return _missing(i, m)
    end = m.at + m.more
    if end > room:
        return i, Take(news=i.news, answer=True)  # more than it was allowed to send
    taken = max(end - i.pos, 0)
    return i, Take(i.pos - m.at, taken, _joined(i, m, i.pos + taken), taken == 0)


def _missing(i: Ingress, m: Message) -> tuple[Ingress, Take]:
    """Records are missing: ask for them."""
    again = m.kind == PROBE or i.asked != i.pos
    found = i._replace(asked=i.pos, gaps=i.gaps + 1)
    return found, Take(news=i.news, answer=again, flags=REWIND if again else 0)


def _joined(i: Ingress, m: Message, pos: int) -> News:
    """The higher of two marks, and the end once all before it is here."""
    mark = max(i.news[:2], m.news[:2])
    return News(mark[0], mark[1], m.news.closed if m.news.closed == pos else i.news.closed)


def took(i: Ingress, take: Take) -> Ingress:
    """Note what was committed."""
    return i._replace(pos=i.pos + take.n, news=take.news, asked=OPEN if take.n else i.asked)


def state(i: Ingress, room: int, flags: int = 0) -> Message:
    """How this side stands, by its last commit."""
    return Message(STATE, flags, 0, i.line, i.home, i.epoch, i.pos, room, i.news)


def is_ended(i: Ingress) -> bool:
    """Whether all records are here, and nothing follows."""
    return i.news.closed == i.pos
