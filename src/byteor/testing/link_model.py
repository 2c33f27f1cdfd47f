"""Both sides of a link and a network that loses, repeats, reorders and cuts, as one value: every order of events.

Rule 1. The sides are the shipped functions; what a role does around them, its commits and its deaths, is written here.
Rule 2. Breadth first over values: a state that was seen is not looked at again, so all there are within the bounds
    are looked at.
Rule 3. Faults have budgets. Without further faults every state must be able to reach the end: so nothing is stuck.
Rule 4. A record's value is its sequence, its key too: what is taken must be 0, 1, 2, ..., and no mark may be above
    what comes next.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from byteor.fabric import egress, ingress
from byteor.fabric.egress import Egress
from byteor.fabric.ingress import Ingress, Take
from byteor.fabric.messages import NOTHING, OPEN, Line, Message, News

LINE = Line(1, 2, b"form")
NEAR, FAR = 11, 22  # the homes of the two lanes
TORN = -1  # what lies in a slot that was given back
BOUND = "more states than allowed"  # found where a search was broken off


class Budget(NamedTuple):
    """How many faults may still happen."""

    lost: int = 0
    again: int = 0
    cuts: int = 0
    near_deaths: int = 0
    far_deaths: int = 0
    early: int = 0  # questions before their time


class Packet(NamedTuple):
    """A message on its way, with its records; those of one connection keep their order."""

    connection: int
    message: Message
    body: tuple[int, ...] = ()


class State(NamedTuple):
    """Everything at one moment; None is a side that is dead."""

    cursor: int
    news: News
    out: Egress | None
    out_epoch: int
    gate: int  # of the near lane: with `out_kept`, what its last commit says
    out_kept: tuple[int, int]
    ended: bool  # committed, too: all has crossed, and the far side said so
    into: Ingress | None
    into_epoch: int
    into_kept: tuple[int, News, int, int]
    pending: tuple[Take, tuple[int, ...]] | None
    due: int | None
    finished: bool  # committed over there: the near side knows
    told: int
    taken: tuple[int, ...]
    far_gate: int
    connection: int
    there: tuple[Packet, ...]
    back: tuple[Packet, ...]
    budget: Budget


@dataclass(frozen=True, slots=True)
class Bounds:
    """How much there is to carry, and which faults; `most` is the records of a message."""

    records: int
    capacity: int
    most: int
    budget: Budget
    marks: bool = False

    def __str__(self) -> str:
        marks = ", marks" if self.marks else ""
        return f"{self.records} records, capacity {self.capacity}, {self.most} a message{marks}"


@dataclass(frozen=True, slots=True)
class Sides:
    """The functions under test, and in which order a role calls them; mutants are other ones."""

    egress: Any = egress
    ingress: Any = ingress
    answers_first: bool = False
    gives_back: Callable[[Egress], int] = lambda e: e.committed


class Broken(AssertionError):
    """Something that must not be."""


def _need(fact: bool, what: str) -> None:
    if not fact:
        raise Broken(what)


class Model:
    """All that can happen next."""

    def __init__(self, bounds: Bounds, sides: Sides) -> None:
        self.bounds, self.sides = bounds, sides

    def first(self) -> State:
        near: Any = (0, NOTHING, None, 0, 0, (0, 0), False)
        far: Any = (None, 0, (0, NOTHING, 0, 0), None, None, False, OPEN, (), 0)
        nothing = State._make((*near, *far, 0, (), (), self.bounds.budget))
        return self._far_start(self._near_start(nothing))

    def is_over(self, s: State) -> bool:
        """Whether all has crossed, and both know."""
        return s.ended and s.finished

    def steps(self, s: State) -> Iterator[tuple[str, State]]:
        """What can happen, faults aside."""
        yield from self._producer(s)
        if s.out is None:
            yield "near starts", self._near_start(s)
        else:
            yield from self._near(s, s.out)
        if s.into is None:
            yield "far starts", self._far_start(s)
        else:
            yield from self._far(s, s.into)
        if s.far_gate < len(s.taken):
            yield "reader takes", s._replace(far_gate=s.far_gate + 1)
        for k in _heads(s.there):
            if s.into is not None and s.pending is None:
                yield f"there {k}", self._arrive(_without(s, "there", k), s.into, s.there[k])
        for k in _heads(s.back):
            if s.out is not None:
                yield f"back {k}", self._hear(_without(s, "back", k), s.out, s.back[k].message)

    def faults(self, s: State) -> Iterator[tuple[str, State]]:
        """What can go wrong."""
        b = s.budget
        if b.near_deaths and s.out is not None:
            yield "near dies", s._replace(out=None, budget=b._replace(near_deaths=b.near_deaths - 1))
        if b.far_deaths and s.into is not None:
            less = b._replace(far_deaths=b.far_deaths - 1)
            yield "far dies", s._replace(into=None, pending=None, due=None, budget=less)
        if b.cuts:
            cut = s._replace(connection=s.connection + 1, budget=b._replace(cuts=b.cuts - 1))
            yield "cut", self._greet(cut) if s.out is not None else cut
        if b.early and s.out is not None:
            yield "early question", self._ask(s, s.out)._replace(budget=b._replace(early=b.early - 1))
        for side in ("there", "back") if b.lost else ():
            for k in range(len(getattr(s, side))):
                yield f"{side} {k} lost", _without(s, side, k)._replace(budget=b._replace(lost=b.lost - 1))
        if b.again:
            fewer = s._replace(budget=b._replace(again=b.again - 1))
            for k in _heads(s.there):
                if s.into is not None and s.pending is None:
                    yield f"there {k} again", self._arrive(fewer, s.into, s.there[k])
            for k in _heads(s.back):
                if s.out is not None:
                    yield f"back {k} again", self._hear(fewer, s.out, s.back[k].message)

    # the lane before the link

    def _producer(self, s: State) -> Iterator[tuple[str, State]]:
        if s.news.closed != OPEN:
            return
        if s.cursor < min(self.bounds.records, s.gate + self.bounds.capacity):
            yield "publish", s._replace(cursor=s.cursor + 1)
        if self.bounds.marks and s.news.field < s.cursor:
            yield "mark", s._replace(news=s.news._replace(field=s.cursor, word=0))
        if s.cursor == self.bounds.records:
            yield "close", s._replace(news=s.news._replace(closed=s.cursor))

    # the near side

    def _near_start(self, s: State) -> State:
        out = self.sides.egress.begin(LINE, NEAR, s.out_epoch + 1, s.gate, *s.out_kept)
        return self._greet(s._replace(out=out, out_epoch=s.out_epoch + 1, connection=s.connection + 1))

    def _greet(self, s: State) -> State:
        assert s.out is not None
        return self._ask(s, s.out)

    def _ask(self, s: State, out: Egress, flags: int = 0) -> State:
        packet = Packet(s.connection, self.sides.egress.probe(out, flags))
        return s._replace(there=(*s.there, packet))

    def _near(self, s: State, out: Egress) -> Iterator[tuple[str, State]]:
        e = self.sides.egress
        seen = e.see(out, s.cursor, s.news)
        if s.ended or e.is_done(seen):
            if not s.ended:
                yield "near ends", s._replace(ended=True)
            elif not s.there and not s.back and s.pending is None:
                yield "farewell", s._replace(there=(*s.there, Packet(s.connection, e.farewell(seen))))
            return
        offer = e.offer(seen, self.bounds.most)
        if offer is not None:
            body = tuple(n if n >= s.gate else TORN for n in range(offer.at, offer.at + offer.more))
            left = self._held(s, e.sent(seen, offer))
            yield "send", left._replace(there=(*s.there, Packet(s.connection, offer, body)))
        elif not s.there and not s.back and s.pending is None and s.due is None and not e.is_quiet(seen):
            yield "question", self._ask(self._held(s, seen), seen)

    def _held(self, s: State, out: Egress) -> State:
        """The near side as it is now, which must keep its promises; what it gives back, and that with its commit."""
        _need(s.gate <= out.committed <= out.next <= out.limit, "gate <= committed <= next <= limit")
        return s._replace(out=out, gate=max(s.gate, self.sides.gives_back(out)), out_kept=(out.peer, out.peer_home))

    def _hear(self, s: State, out: Egress, m: Message) -> State:
        e = self.sides.egress
        seen = e.see(out, s.cursor, s.news)
        heard, fault = e.on_state(seen, m)
        _need(fault == egress.FINE, f"the near side stops: {fault}")
        if m.epoch < seen.peer:
            _need(heard == seen._replace(fenced=seen.fenced + 1), "a zombie was listened to")
        return self._held(s, heard)

    # the far side

    def _far_start(self, s: State) -> State:
        pos, news, peer, home = s.into_kept
        into = self.sides.ingress.begin(LINE, FAR, s.into_epoch + 1, pos, news, peer, home)
        return s._replace(into=into, into_epoch=s.into_epoch + 1, pending=None, due=None, told=-1)

    def _room(self, s: State) -> int:
        return s.far_gate + self.bounds.capacity

    def _arrive(self, s: State, into: Ingress, packet: Packet) -> State:
        m = packet.message
        judged, take = self.sides.ingress.on_message(into, m, self._room(s))
        _need(take.fault == ingress.FINE, f"the far side stops: {take.fault}")
        if m.epoch < into.peer:
            _need(judged == into._replace(fenced=into.fenced + 1) and take == Take(), "a zombie was listened to")
        s = s._replace(into=judged)
        commits = take.n > 0 or (take != Take() and take.news != judged.news)
        if commits or judged.peer != into.peer or judged.finished:
            body = packet.body[take.skip : take.skip + take.n]
            _need(len(body) == take.n, "more was taken than came")
            return s._replace(pending=(take, body))
        return s._replace(due=take.flags | (s.due or 0)) if take.answer else s

    def _far(self, s: State, into: Ingress) -> Iterator[tuple[str, State]]:
        i = self.sides.ingress
        if s.pending is not None:
            take, body = s.pending
            told = i.took(into, take) if take != Take() else into
            if self.sides.answers_first and s.due is None:
                yield "answer first", self._answer(s, told, 0)._replace(due=0)
            else:
                yield "commit", self._committed(s, told, body, take)
        elif s.due is not None:
            yield "answer", self._answer(s, into, s.due)
        elif s.told != OPEN and self._room(s) > s.told:
            yield "credit", self._answer(s, into, 0)

    def _committed(self, s: State, into: Ingress, body: tuple[int, ...], take: Take) -> State:
        taken = s.taken + body
        _need(taken == tuple(range(len(taken))), f"taken were {taken}")
        _need(len(taken) == into.pos <= self._room(s), "the far lane holds what it has no room for")
        _need(into.news.field <= into.pos, f"a mark of {into.news.field} before record {into.pos}")
        _need(into.news.closed in (OPEN, len(taken)) and into.pos <= s.cursor, "closed too early")
        kept = (into.pos, into.news, into.peer, into.peer_home)
        due = take.flags | (s.due or 0)
        return s._replace(into=into, into_kept=kept, taken=taken, pending=None, due=due, finished=into.finished)

    def _answer(self, s: State, into: Ingress, flags: int) -> State:
        m = self.sides.ingress.state(into, self._room(s), flags)
        if not self.sides.answers_first:
            _need(m.at == s.into_kept[0] and m.news == s.into_kept[1], "an answer precedes its commit")
        packet = Packet(s.connection + s.into_epoch * 100, m)  # a connection of its own for each far process
        return s._replace(due=None, told=m.more, back=(*s.back, packet))


def _heads(packets: tuple[Packet, ...]) -> Iterator[int]:
    """The places of those that can arrive next: the first of each connection."""
    seen: set[int] = set()
    for k, packet in enumerate(packets):
        if packet.connection not in seen:
            seen.add(packet.connection)
            yield k


def _without(s: State, side: str, k: int) -> State:
    packets = getattr(s, side)
    return s._replace(**{side: packets[:k] + packets[k + 1 :]})


@dataclass(frozen=True, slots=True)
class Seen:
    """What a search saw: how many states, and what is wrong, with the events that lead there."""

    states: int
    finding: str = ""
    trail: tuple[str, ...] = ()

    @property
    def word(self) -> str:
        """exhausted, bounded or FAILED."""
        return {"": "exhausted", BOUND: "bounded"}.get(self.finding, "FAILED")


def search(bounds: Bounds, sides: Sides = Sides(), most: int = 2_000_000) -> Seen:
    """Look at every state; then hold each to Rule 3."""
    model = Model(bounds, sides)
    first = model.first()
    came: dict[State, tuple[State | None, str]] = {first: (None, "")}
    before: dict[State, list[State]] = {}
    waiting, over = deque([first]), []
    while waiting:
        s = waiting.popleft()
        if model.is_over(s):
            over.append(s)
            continue
        try:
            for events, counts in ((model.steps(s), True), (model.faults(s), False)):
                for name, after in events:
                    if counts:
                        before.setdefault(after, []).append(s)
                    if after not in came:
                        came[after] = (s, name)
                        waiting.append(after)
        except Broken as e:
            return Seen(len(came), str(e), _trail(came, s))
        if len(came) > most:
            return Seen(len(came), BOUND)
    stuck = _stuck(came, before, over)
    return Seen(len(came), "it does not end", _trail(came, stuck)) if stuck else Seen(len(came))


def _stuck(came: Mapping[State, Any], before: Mapping[State, list[State]], over: list[State]) -> State | None:
    """A state from which the end cannot be reached without further faults."""
    good, waiting = set(over), deque(over)
    while waiting:
        for s in before.get(waiting.popleft(), ()):
            if s not in good:
                good.add(s)
                waiting.append(s)
    return next((s for s in came if s not in good), None)


def _trail(came: Mapping[State, tuple[State | None, str]], s: State | None) -> tuple[str, ...]:
    names: list[str] = []
    while s is not None:
        s, name = came[s]
        names.append(name)
    return tuple(reversed(names[:-1]))
