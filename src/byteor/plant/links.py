"""The two roles of a lane that crosses hosts: one takes from the lane and ships, one receives and puts into it.

Rule 1. What is sent and what is answered is said by `fabric.egress` and `fabric.ingress`; here are lanes and commits.
Rule 2. Records are sent out of their slots and received into theirs: Python copies nothing.
Rule 3. A position, and the other side that it was agreed with, are one commit.
Rule 4. The thread that runs the role works at the lane it reads, or at the network it reads; the second one does the
    rest: it hears answers, or tells of room. Both hold the lock where they touch the desk or the state.
Rule 5. Nobody at the other end is told, and waited for; another run, or another lane there, ends the role.
"""

from __future__ import annotations

import ctypes
import sys
import threading
import time
from abc import abstractmethod
from collections.abc import Sequence
from typing import Any

import numba
import numpy as np

from byteor import diag
from byteor.diag import Refused
from byteor.exec.schema import dtype
from byteor.fabric import egress, findings, ingress, messages
from byteor.fabric.contract import Fabric
from byteor.fabric.link import Link
from byteor.fabric.messages import FINISHED, HEAD_BYTES, LARGEST, Message, News
from byteor.fabric.open import open_fabric
from byteor.fabric.silence import no_peer
from byteor.kernel import commit as c
from byteor.kernel import links
from byteor.kernel.hot import short
from byteor.kernel.wait import FOREVER, Waiter
from byteor.plant.desk import WORD, Desk
from byteor.plant.failpoints import RECEIVED, SENT, TOLD
from byteor.plant.roles import NOBODY, RoleRunner, compiled

PEER, HOME, CLOSED, UP, SHIPPED, STALLS, REWINDS, FENCED = range(8)  # the words of a link behind those of its outputs
FRAME = 256 << 10  # bytes of records in a message
TICK = 0.2  # seconds between two looks at the clock
QUESTION = 0.4  # seconds without an answer, after which one is asked for
SILENCE = 3.0  # and after which the connection is of no use
PARTING = 2.0  # seconds in which the far side may answer a farewell
LINGER = 120.0  # seconds that the far side waits for one
DONE, UNCONFIRMED = 1, 2  # how a link has ended, in its record
_SHARE = 4  # a fourth of a lane is worth telling


class LinkRole(RoleRunner):
    """What both sides share: the fabric, the second thread, and what a link keeps in its record."""

    def __init__(self, desk: Desk, limit: int, link: Link, fabric: Fabric | None = None) -> None:
        super().__init__(desk, limit)
        port = (*desk.role.inputs, *desk.role.outputs)[0]
        lane, block = desk.wiring.lane(port), desk.blocks.lanes[port.lane]
        kind = dtype(desk.wiring.type(port), lane.slot_bytes)
        self.link = link
        self.size, self.mask = int(block.params["slot_bytes"]), int(block.params["capacity"]) - 1
        self.orders = bool(block.params["orders"])
        self.slots = _bytes(block.array("slots", kind))
        self.words = _bytes(block.array("order", np.dtype(np.int64))) if self.orders else memoryview(b"")
        form = repr((kind.descr, kind.itemsize, self.orders, lane.order and (lane.order.by, lane.order.numbering)))
        number = messages.lane_number(link.lane)
        self.line = messages.Line(number, link.generation, messages.contract(form))
        self.home = int(block.generation)
        self.fabric: Fabric = fabric or open_fabric(link, self.say)
        self.lock = threading.Lock()
        self._mail = np.zeros(8, np.int64)
        self._second: threading.Thread | None = None
        self._failure: BaseException | None = None
        self._leaving = np.zeros(1, np.int64)
        self._number = -1  # of the connection that the record knows of
        self._look = short(links.look_at_lane, self._desk_type)
        self._commit = short(desk.steps.settle_link, self._desk_type)

    def say(self, finding: diag.Diagnostic) -> None:
        """Tell what may pass; it is shown under the role's name."""
        sys.stderr.write(diag.render([finding]))
        sys.stderr.flush()

    def open(self) -> None:
        self.fabric.open()

    @property
    def own_epoch(self) -> int:
        return int(self.desk.book.read("owner"))

    def kept(self, word: int) -> int:
        """A word that the link keeps in its record."""
        return int(self.desk.tail[word])

    def keep(self, word: int, value: int) -> None:
        self.desk.tail[word] = value

    def _note_zombies(self, more: int) -> None:
        """Count messages of zombies, and let it be seen: nothing else may come that is committed."""
        if more:
            self.keep(FENCED, self.kept(FENCED) + more)
            self.settle()

    def settle(self) -> None:
        """Commit; the lock is held."""
        self._commit(self.desk.hot)

    def note_connection(self) -> None:
        """Let those who look at the record see whether the other side is connected."""
        if (number := self.fabric.up()) != self._number:
            self._number = number
            with self.lock:
                self.keep(UP, int(number > 0))
                self.settle()

    def start(self, waiter: Waiter) -> None:
        """Start the second thread, once."""
        if self._second is None:
            self._second = threading.Thread(target=self._guarded, args=(waiter,), daemon=True)
            self._second.start()
        if self._failure is not None:
            raise self._failure

    def _guarded(self, waiter: Waiter) -> None:
        try:
            self.second(waiter)
        except Exception as e:  # noqa: BLE001 it is raised where the role runs
            self._failure = e
            self.post()

    @abstractmethod
    def second(self, waiter: Waiter) -> None:
        """What the second thread does until the role leaves."""

    def post(self) -> None:
        """Let the first thread see that something was heard."""
        value = int(self._mail[0]) + 1
        short(links.post, *[numba.int64] * 3)(self._mail.ctypes.data, value, self.bell)

    def over(self, waiter: Waiter) -> bool:
        """Whether the role leaves, or the run stops."""
        return bool(self._leaving[0]) or ctypes.c_int64.from_address(waiter.stop).value != 0

    def held_to_line(self, m: Message) -> None:
        """Refuse a message of another run, or of another lane."""
        if m.line.generation != self.line.generation:
            message = f"its run is {m.line.generation:016x}, this one is {self.line.generation:016x}"
            raise Refused([findings.OTHER_RUN.at(self.role.name, message)])
        if m.line != self.line:
            raise Refused([findings.OTHER_LANE.at(self.role.name, f"it is not lane `{self.link.lane}` as it is here")])

    def lost(self, message: str) -> Refused:
        return Refused([findings.PEER_LOST.at(self.role.name, message)])

    def leave(self) -> None:
        self._leaving[0] = 1
        if self._second is not None:
            self.post()
            self._second.join()
        self.fabric.close()

    def pieces(self, memory: memoryview, size: int, at: int, n: int) -> list[memoryview]:
        """The bytes of `n` rows from sequence `at` on: one piece, or two around the end of the ring."""
        begin = at & self.mask
        first = min(n, self.mask + 1 - begin)
        found = [memory[begin * size : (begin + first) * size]]
        return found if first == n else [*found, memory[: (n - first) * size]]


class LinkOut(LinkRole):
    """A lane's records to the other host."""

    def __init__(self, desk: Desk, limit: int, link: Link, fabric: Fabric | None = None) -> None:
        super().__init__(desk, limit, link, fabric)
        self.most = max(1, FRAME // (self.size + WORD * self.orders))
        self._answered = threading.Event()
        self._stalled = False

    def prepare(self) -> None:
        self._wait = compiled(links.await_mail, self.desk.hot, 0, 0, NOBODY)

    def attach(self) -> int:
        epoch = super().attach()
        home = _unsigned(self.kept(HOME))
        self.state = egress.begin(self.line, self.home, self.own_epoch, self.position(), self.kept(PEER), home)
        return epoch

    def advance(self, waiter: Waiter) -> bool:
        """Ship what the lane brings; at its end, let both sides know."""
        while not self.done:
            if self.over(waiter):
                return False
            self.start(waiter)
            mail = int(self._mail[0])
            if self.count(c.ENDED) or egress.is_done(self.state):
                self._part()
            elif not self._ship() and not self._wait(self.desk.hot, self._mail.ctypes.data, mail, waiter):
                return False
        return True

    def _ship(self) -> bool:
        """Send the next message, if there is one, and it may be sent."""
        with self.lock:
            self._seen()
            m = egress.offer(self.state, self.most)
            if m is None:
                self._count_stall()
                return egress.is_done(self.state)
        parts = self.pieces(self.slots, self.size, m.at, m.more) if m.more else []
        if self.orders and m.more:
            parts += self.pieces(self.words, WORD, m.at, m.more)
        m = m._replace(length=sum(map(len, parts)))
        if not self.fabric.up() or not self.fabric.send(messages.encode(m), parts):
            return False
        self.desk.at(SENT)
        with self.lock:
            self.state = egress.sent(self.state, m)
        if m.more:
            self._note(self.stats, m.more)
        return True

    def _seen(self) -> None:
        self._look(self.desk.hot)
        desk = self.desk
        news = News(desk.seen(c.SEEN_FIELD), desk.seen(c.SEEN_WORD), desk.seen(c.END))
        self.state = egress.see(self.state, desk.seen(c.SEEN), news)

    def _count_stall(self) -> None:
        stalled = egress.is_stalled(self.state)
        if stalled and not self._stalled:
            self.keep(STALLS, self.kept(STALLS) + 1)
            self.keep(SHIPPED, self.state.next)
            self.settle()
        self._stalled = stalled

    # the second thread

    def second(self, waiter: Waiter) -> None:
        """Hear the answers, and ask where none comes, and once on every connection: the far side may be another one."""
        number, heard, asked, met, told = 0, time.monotonic(), 0.0, False, False
        while not self.over(waiter):
            m = self.fabric.recv(TICK, _nowhere)
            self.note_connection()
            now = time.monotonic()
            if (up := self.fabric.up()) != number:
                number, heard, asked, met = up, now, 0.0, False
            if m is not None and self._hear(m):
                heard, met, told = now, True, False
            if not up or (m is None and met and egress.is_quiet(self.state)):
                heard = now
            elif now - max(heard, asked) >= QUESTION or asked == 0.0:
                asked = now
                self._ask()
            if up and now - heard >= SILENCE:
                self.fabric.reset()
                if not told:
                    told = True
                    self.say(no_peer(self.link, "it is connected, and says nothing"))

    def _ask(self) -> None:
        with self.lock:
            self._seen()
            m = egress.probe(self.state)
        self.fabric.send(messages.encode(m), wait=False)

    def _hear(self, m: Message) -> bool:
        """Take an answer; no, when it came from a zombie: whoever hears no other has no far side."""
        self.held_to_line(m)
        with self.lock:
            self._seen()
            before = self.state
            self.state, fault = egress.on_state(before, m)
            if fault != egress.FINE:
                self.fabric.send(messages.encode(egress.probe(before)), wait=False)  # it is to know, too
                raise self.lost(_HEARD[fault].format(m.at, before.committed, before.cursor))
            after = self.state
            if (after.committed, after.peer, after.peer_home) != (before.committed, before.peer, before.peer_home):
                self._confirmed(after)
            self.keep(REWINDS, self.kept(REWINDS) + after.rewinds - before.rewinds)
            self._note_zombies(after.fenced - before.fenced)
        if m.flags & FINISHED:
            self._answered.set()
        self.post()
        return after.fenced == before.fenced

    def _confirmed(self, e: egress.Egress) -> None:
        """Give back what the far side has committed."""
        self.desk.now[self.desk.taken()] = self.desk.now[self.desk.put()] = e.committed
        self.keep(PEER, e.peer)
        self.keep(HOME, _signed(e.peer_home))
        self.keep(SHIPPED, e.next)
        self.settle()

    def _part(self) -> None:
        """All has crossed: note it, say so, and give the far side a moment to answer."""
        with self.lock:
            self._seen()
            self.desk.now[c.ENDED // WORD] = DONE
            self.settle()
            m = messages.encode(egress.farewell(self.state))
        until = time.monotonic() + PARTING
        while time.monotonic() < until and not self._answered.is_set():
            self.fabric.send(m, wait=False)
            self._answered.wait(TICK)
        self.close()


class LinkIn(LinkRole):
    """Records of the other host into the lane."""

    def __init__(self, desk: Desk, limit: int, link: Link, fabric: Fabric | None = None) -> None:
        super().__init__(desk, limit, link, fabric)
        self.share = max(1, (self.mask + 1) // _SHARE)
        self._judged: tuple[ingress.Ingress, ingress.Take] | None = None
        self._unsaid = 0
        self._scratch = memoryview(bytearray(HEAD_BYTES))
        self._until = float("inf")

    def prepare(self) -> None:
        self._wait = compiled(links.await_credit, self.desk.hot, 0, 0, NOBODY)

    def attach(self) -> int:
        epoch = super().attach()
        desk, at = self.desk, self.desk.put()
        mark = int(desk.now[at + c.FIELD // WORD]), int(desk.now[at + c.WORD // WORD])
        news, home = News(*mark, self.kept(CLOSED) - 1), _unsigned(self.kept(HOME))
        self.state = ingress.begin(self.line, self.home, self.own_epoch, int(desk.now[at]), news, self.kept(PEER), home)
        self._look(desk.hot)
        self._mail[0] = desk.room()
        if self.count(c.ENDED) == UNCONFIRMED:  # whoever takes it up waits once more for the word
            desk.now[c.ENDED // WORD] = 0
        return epoch

    def advance(self, waiter: Waiter) -> bool:
        """Take what comes; at the end, wait until the near side knows."""
        if self.count(c.ENDED) or ingress.is_ended(self.state):
            self._close(self.desk.hot)
        while not self.count(c.ENDED):
            self.start(waiter)
            m = self.fabric.recv(0.0 if self._unsaid else TICK, self._places)
            self.note_connection()
            if m is not None:
                self._take()
            elif self._unsaid:
                self.answer()
            if self.over(waiter) and not self.count(c.ENDED):
                return False
            if ingress.is_ended(self.state):
                self._linger()
        self.done = True
        return True

    def _places(self, m: Message) -> Sequence[memoryview]:
        """Judge a message, and say where its records go."""
        if m.line != self.line or m.kind == messages.STATE:
            self.answer()
            self.held_to_line(m)
        if m.length != m.more * (self.size + WORD * self.orders):
            raise Refused([findings.OTHER_LANE.at(self.role.name, f"{m.more} records have {m.length} bytes")])
        with self.lock:
            self._look(self.desk.hot)
            self._judged = judged, take = ingress.on_message(self.state, m, self.desk.room())
        if take.fault != ingress.FINE:
            self.answer()
            raise self.lost(_CAME[take.fault].format(m.at, judged.pos))
        if not m.length:
            return ()
        found = self._rows(self.slots, self.size, m, take)
        return [*found, *self._rows(self.words, WORD, m, take)] if self.orders else found

    def _rows(self, memory: memoryview, size: int, m: Message, take: ingress.Take) -> list[memoryview]:
        """Where rows go: those to be taken into their places, the others nowhere."""
        before = take.skip if take.n else 0
        behind = m.more - before - take.n
        taken = self.pieces(memory, size, self.state.pos, take.n) if take.n else []
        return [part for part in (self._lost(before * size), *taken, self._lost(behind * size)) if len(part)]

    def _lost(self, n: int) -> memoryview:
        """So many bytes of nowhere."""
        if n > len(self._scratch):
            self._scratch = memoryview(bytearray(min(LARGEST, n)))
        return self._scratch[:n]

    def _take(self) -> None:
        """Commit what came, and answer where that is due."""
        assert self._judged is not None
        judged, take = self._judged
        if take.n:
            self.desk.at(RECEIVED)
        with self.lock:
            before, self.state = self.state, ingress.took(judged, take) if take != _NOTHING else judged
            if (self.state.pos, self.state.news, self.state.peer) != (before.pos, before.news, before.peer):
                self._took(self.state)
            if self.state.finished:
                self.desk.now[c.ENDED // WORD] = DONE
                self.settle()
            self.keep(REWINDS, self.kept(REWINDS) + judged.gaps - before.gaps)
            self._note_zombies(judged.fenced - before.fenced)
        self._unsaid += take.n + (take.news != before.news and take != _NOTHING)
        if take.n:
            self._note(self.stats, take.n)
        if take.answer or self._unsaid >= self.share:
            self.answer(take.flags)

    def _took(self, i: ingress.Ingress) -> None:
        desk, at = self.desk, self.desk.put()
        desk.now[desk.taken()] = desk.now[at] = i.pos
        desk.now[at + c.FIELD // WORD], desk.now[at + c.WORD // WORD] = i.news.field, i.news.word
        self.keep(PEER, i.peer)
        self.keep(HOME, _signed(i.peer_home))
        self.keep(CLOSED, i.news.closed + 1)
        self.settle()

    def answer(self, flags: int = 0) -> None:
        """Say how this side stands."""
        with self.lock:
            self._look(self.desk.hot)
            room = self.desk.room()
            m = ingress.state(self.state, room, flags)
            self._mail[0] = room
            self._unsaid = 0
        self.fabric.send(messages.encode(m))
        self.desk.at(TOLD)

    def _linger(self) -> None:
        """All is here: let the readers know, and give the near side a time to know it too."""
        if self._until == float("inf"):
            self._until = time.monotonic() + LINGER
            self._close(self.desk.hot)
        if time.monotonic() >= self._until and not self.count(c.ENDED):
            self.say(findings.UNCONFIRMED.at(self.role.name, f"the sender said nothing for {LINGER:g} s"))
            with self.lock:
                self.desk.now[c.ENDED // WORD] = UNCONFIRMED
                self.settle()

    # the second thread

    def second(self, waiter: Waiter) -> None:
        """Tell the near side of room, whenever there is some worth telling.

        It waits until the role leaves, in one go: a wait that begins again spins again.
        """
        mail = self._mail.ctypes.data
        patient = waiter._replace(stop=self._leaving.ctypes.data, patience=FOREVER)
        while self._wait(self.desk.hot, mail, self.share, patient):
            self.answer()


_NOTHING = ingress.Take()
_HEARD = (
    "",
    "its lane was made again",
    "it has {0} records, and {1} were given back here",
    "it has {0} records, and they are not of this lane",
)
_CAME = (
    "",
    "its lane was made again",
    "it is not known, and {1} records are here",
    "it goes on at record {0}, and this lane was made again",
)


def made(desk: Desk, limit: int, link: Link) -> LinkRole:
    """The runner of a link's end."""
    return (LinkOut if desk.role.kind == "out" else LinkIn)(desk, limit, link)


def _nowhere(m: Message) -> Sequence[memoryview]:
    return (memoryview(bytearray(m.length)),) if m.length else ()


def _bytes(array: Any) -> memoryview:
    """The memory of an array, byte by byte."""
    flat: Any = np.asarray(array).reshape(-1).view(np.uint8)
    return memoryview(flat).cast("B")


def _signed(number: int) -> int:
    return number - (1 << 64) if number >= 1 << 63 else number


def _unsigned(number: int) -> int:
    return number % (1 << 64)
