"""The waits of a link's role, under the explorer: no mail, no record and no room is slept through.

Rule 1. A futex wait never ends by itself here, so whatever is missed shows as an actor that never ends.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from byteor.abi.byteor_v1 import OPEN
from byteor.kernel import commit as c
from byteor.kernel import links
from byteor.kernel.wait import ANNOUNCED
from byteor.testing.explore import Check
from byteor.testing.lab import Lab, scenario
from byteor.testing.lift import Body
from byteor.testing.roles import Plant


def mail_or_record(lab: Lab, by: str, announced: bool = False) -> Check:
    """Who waits for the lane or for mail is woken by a record, by mail, or by the end of the run."""
    plant = Plant(lab)
    lane = plant.lane(1)
    writer, out = plant.role("writer", [], [lane]), plant.role("out", [lane])
    plant.blocking(out)
    mail = lab.world.word("mail", 4)
    answers: list[Any] = []

    def sleeping() -> Body:
        desk = plant.desk(out)
        plant.plain.words[desk.ins + c.END] = OPEN
        found = yield from plant.lift(links.await_mail)(desk, mail, 4, plant.waiter(out))
        answers.append((found, lab.value(mail) if by == "mail" else 4))

    def waking() -> Body:
        desk = plant.desk(writer)
        while announced and (yield "load", "acquire", out.bell + ANNOUNCED) == 0:
            yield "pause", ""
        if by == "mail":
            yield from plant.lift(links.post)(mail, 5, out.bell)
        elif by == "record":
            plant.plain.words[desk.now + c.TAKEN + 8 + c.AT] = 1
            yield from plant.lift(links.settle_link)(desk)
        else:
            yield from plant.stopping(out)

    lab.world.spawn(sleeping(), "out")
    lab.world.spawn(waking(), by)

    def check() -> None:
        assert answers == [(by != "stop", 5 if by == "mail" else 4)], answers

    return check


for _by in ("mail", "record", "stop"):
    scenario(f"await_mail blocks: {_by}")(partial(mail_or_record, by=_by))
    scenario(f"await_mail blocks: {_by}, once it has announced itself")(partial(mail_or_record, by=_by, announced=True))


def room(lab: Lab, by: str, announced: bool = False) -> Check:
    """Who waits for room worth telling is woken when it is there, or by the end of the run."""
    plant = Plant(lab)
    lane = plant.lane(1)
    into, reader = plant.role("in", [], [lane]), plant.role("reader", [lane])
    plant.blocking(into)
    lab.world.memory.define(lane.cursor, 1)
    told = lab.world.word("told", 1)
    answers: list[Any] = []

    def sleeping() -> Body:
        desk = plant.desk(into)
        answers.append((yield from plant.lift(links.await_credit)(desk, told, 1, plant.waiter(into))))

    def taking() -> Body:
        desk = plant.desk(reader)
        while announced and (yield "load", "acquire", into.bell + ANNOUNCED) == 0:
            yield "pause", ""
        if by == "stop":
            yield from plant.stopping(into)
            return
        plant.plain.words[desk.now + c.TAKEN] = 1
        yield from plant.lift(links.settle_link)(desk)

    lab.world.spawn(sleeping(), "in")
    lab.world.spawn(taking(), "reader")

    def check() -> None:
        assert answers == [by == "room"], answers

    return check


for _by in ("room", "stop"):
    scenario(f"await_credit blocks: {_by}")(partial(room, by=_by))
    scenario(f"await_credit blocks: {_by}, once it has announced itself")(partial(room, by=_by, announced=True))


def looks_only(lab: Lab, credit: bool, there: bool) -> Check:
    """Who has no patience looks once, alone, and says what it saw."""
    plant = Plant(lab)
    lane = plant.lane(2)
    role = plant.role("in", [], [lane]) if credit else plant.role("out", [lane])
    role.patience = 0
    word = lab.world.word("word", 1 if credit and there else 2)
    answers: list[Any] = []

    def looking() -> Body:
        desk = plant.desk(role)
        yield from plant.lift(links.look_at_lane)(desk)
        wait = links.await_credit if credit else links.await_mail
        other = 1 if credit else 2 - there
        answers.append((yield from plant.lift(wait)(desk, word, other, plant.waiter(role))))

    lab.world.spawn(looking(), "role")

    def check() -> None:
        assert answers == [there], answers

    return check


for _there in (True, False):
    scenario(f"await_mail alone: {'mail' if _there else 'nothing'}")(partial(looks_only, credit=False, there=_there))
    scenario(f"await_credit alone: {'room' if _there else 'none'}")(partial(looks_only, credit=True, there=_there))


def spins(lab: Lab, credit: bool) -> Check:
    """Who spins does not sleep: nobody would wake it."""
    plant = Plant(lab)
    lane = plant.lane(1)
    role = plant.role("in", [], [lane]) if credit else plant.role("out", [lane])
    word = lab.world.word("word", 2)
    lab.lift.constants["_SPINS"] = -1
    answers: list[Any] = []

    def waiting() -> Body:
        desk = plant.desk(role)
        plant.plain.words[desk.ins + c.END] = OPEN
        wait = links.await_credit if credit else links.await_mail
        answers.append((yield from plant.lift(wait)(desk, word, 2, plant.waiter(role))))

    def stopping() -> Body:
        yield "store", "release", plant.stop, 1

    lab.world.spawn(waiting(), "role")
    lab.world.spawn(stopping(), "supervisor")

    def check() -> None:
        assert answers == [False], answers

    return check


scenario("await_mail spins")(partial(spins, credit=False))
scenario("await_credit spins")(partial(spins, credit=True))
