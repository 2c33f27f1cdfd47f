"""Merges and marks under the explorer: in order whoever comes first, and never waiting for what cannot come.

Rule 1. What comes out of an ordering merge is the same for every schedule.
Rule 2. Who waits looks at everything again: whether it would look is shown where roles block.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from byteor.kernel import commit as c
from byteor.kernel import steps
from byteor.testing.explore import Check
from byteor.testing.lab import Lab, Row, same, scenario, sent
from byteor.testing.lift import Body
from byteor.testing.plant_scenarios import FILTERS, mark_odd, marked
from byteor.testing.roles import Plant

# Merges


def in_turn(lab: Lab, first: int, second: int) -> Check:
    """Two producers; the merge takes from each in turn."""
    plant = Plant(lab)
    ins, down = (plant.lane(1), plant.lane(1)), plant.lane(4)
    rows = sent(2 * second)[::2] + sent(9)[2 * second : first + second], sent(2 * second)[1::2]
    for lane, mine in zip(ins, rows, strict=True):
        lab.world.spawn(plant.producing(lane, mine), f"producer {lane.number}")
    plant.spawn(partial(plant.moving, plant.role("merge", ins, [down]), "round_robin"), "merge")
    return lambda: same(plant.rows_of(down), sent(first + second))


scenario("merge round_robin: inputs of 1, 1 and 1 messages")(lambda lab: in_turn(lab, 1, 1))
scenario("merge round_robin: inputs of 1, 2 and 1 messages", full=True)(lambda lab: in_turn(lab, 2, 1))


@scenario("merge round_robin dies: inputs full, 2 and 2 messages")
def _(lab: Lab) -> Check:
    plant = Plant(lab)
    ins, down = (plant.lane(2), plant.lane(2)), plant.lane(4)
    for lane in ins:
        plant.fill(lane, sent(4)[lane.number :: 2])
    plant.spawn(partial(plant.moving, plant.role("merge", ins, [down], limit=1), "round_robin"), "merge", 1)
    return lambda: same(plant.rows_of(down), sent(4))


def by_field(
    lab: Lab, full: Sequence[Row], live: Sequence[Row], last: int | None = None, begin: Row | None = None
) -> Check:
    """An input that is full and a producer, `(field, order word)` each: in order, whoever came first."""
    plant = Plant(lab, polls=False)
    plant.lane(1, numbering=0)  # where the numbering starts
    ins, down = (plant.lane(2, numbering=0), plant.lane(1, numbering=0)), plant.lane(4, numbering=0)
    plant.fill(ins[0], [(field, 1) for field, _ in full], [word for _, word in full], full[-1])
    plant.fill(ins[1], [], mark=begin, closed=False)
    rows, words = [(field, 2) for field, _ in live], [word for _, word in live]
    lab.world.spawn(plant.producing(ins[1], rows, words, last), "producer")
    plant.spawn(partial(plant.moving, plant.role("merge", ins, [down]), "by_field"), "merge")
    both = sorted([(*key, 1) for key in full] + [(*key, 2) for key in live])

    def check() -> None:
        same(plant.rows_of(down), [(field, number) for field, _, number in both])
        same([(w, 0) for w in plant.words_of(down)], [(word, 0) for _, word, _ in both])

    return check


scenario("merge by_field: 1 and 1 message, equal fields")(lambda lab: by_field(lab, [(5, 1)], [(5, 0)]))
scenario("merge by_field: 1 and 1 message, equal keys")(lambda lab: by_field(lab, [(5, 0)], [(5, 0)]))
scenario("merge by_field: 1 and 1 message, only the word of a mark rises")(
    lambda lab: by_field(lab, [(5, 1)], [(5, 0)], begin=(5, 0))
)
scenario("merge by_field: 1 and 1 message, only the field of a mark rises")(
    lambda lab: by_field(lab, [(5, 1)], [(5, 0)], begin=(4, 1))
)
scenario("merge by_field: 2 and 1 messages")(lambda lab: by_field(lab, [(5, 0), (6, 2)], [(5, 1)]))
scenario("merge by_field: 1 message and none, only a mark")(lambda lab: by_field(lab, [(5, 1)], [], 7))
scenario("merge by_field: 1 and 2 messages", full=True)(lambda lab: by_field(lab, [(5, 1)], [(5, 0), (6, 2)]))


def behind_a_silent_branch(lab: Lab, count: int, marks: Sequence[Row], live: bool) -> Check:
    """Equal fields, the other branch brings but marks: they permit, and they end nothing."""
    plant = Plant(lab, polls=False)
    plant.lane(1, numbering=0)
    ins, down = (plant.lane(1, numbering=0), plant.lane(1 if live else 4, numbering=0)), plant.lane(8, numbering=0)
    rows = [(2, -n) for n in range(count)]
    if live:
        plant.fill(ins[0], [], mark=marks[0], closed=False)
    else:
        plant.fill(ins[1], rows, range(count), (2, count))

    def neighbours() -> Body:
        if live:
            yield from plant.producing(ins[1], rows, range(count), marks=False)
        for field, word in marks[1:] if live else marks:
            yield from plant.promising(ins[0], field, word)
        yield "store", "release", ins[0].closed, 0

    lab.world.spawn(neighbours(), "neighbours")
    plant.spawn(partial(plant.moving, plant.role("merge", ins, [down]), "by_field"), "merge")
    return lambda: same(plant.rows_of(down), rows)


scenario("merge by_field: 3 equal fields, a silent branch with marks")(
    lambda lab: behind_a_silent_branch(lab, 3, [(2, 1), (2, 2)], False)
)
scenario("merge by_field: 2 equal fields through 1, a silent branch with a mark")(
    lambda lab: behind_a_silent_branch(lab, 2, [(2, 2)], True)
)
scenario("merge by_field: 3 equal fields through 1, a silent branch with a mark", full=True)(
    lambda lab: behind_a_silent_branch(lab, 3, [(2, 3)], True)
)


def promising(lab: Lab, rows: Sequence[Row], deaths: int, limit: int = 1) -> Check:
    """A filter's marks hold: what comes after them on its lane is not below, and the last one is its input's."""
    plant = Plant(lab, polls=False)
    top = plant.lane(4, numbering=0, starts=c.FROM_RECORDS)
    down = plant.lane(4, numbering=0)
    plant.fill(top, rows, mark=(rows[-1][0], len(rows)))
    role = plant.role("filter", [top], [down], limit=limit)
    plant.spawn(partial(plant.staging, role, steps.make_message_work, mark_odd, FILTERS), "filter", deaths)
    seen: list[int] = []

    def looking() -> Body:
        for word in (down.mark, down.mark + 8, down.cursor):
            seen.append((yield "load", "acquire", word))

    lab.world.spawn(looking(), "reader")
    words = [n for n, row in enumerate(rows) if row[0] % 2]

    def check() -> None:
        same(plant.rows_of(down), [marked(rows[n]) for n in words])
        assert plant.words_of(down) == words
        field, word, cursor = seen
        assert all((rows[n][0], n) >= (field, word) for n in words[cursor:]), seen
        assert plant.mark_of(down) == (rows[-1][0], len(rows))

    return check


scenario("filter's marks hold: 3 messages, one by one")(lambda lab: promising(lab, [(1, 0), (2, 1), (3, 2)], 0))
scenario("filter's marks hold, it dies: 1 message")(lambda lab: promising(lab, [(1, 0)], 1))
scenario("filter's marks hold, it dies: 2 messages, one by one", full=True)(
    lambda lab: promising(lab, [(1, 0), (1, 1)], 1)
)
scenario("filter's marks hold: 3 equal fields, one by one")(lambda lab: promising(lab, [(1, 0), (1, 1), (1, 2)], 0))


def split(lab: Lab, rows: Sequence[Row]) -> Check:
    """A filter and an identity on one lane, branches of 1, a merge by field behind: it goes on by marks alone."""
    plant = Plant(lab, polls=False)
    top = plant.lane(4, readers=2, numbering=0, starts=c.FROM_RECORDS)
    ins, down = (plant.lane(1, numbering=0), plant.lane(1, numbering=0)), plant.lane(8, numbering=0)
    plant.fill(top, rows, mark=(rows[-1][0], len(rows)))
    kept = plant.role("filter", [(top, 0)], [ins[0]])
    plant.spawn(partial(plant.staging, kept, steps.make_message_work, mark_odd, FILTERS), "filter")
    plant.spawn(partial(plant.moving, plant.role("identity", [(top, 1)], [ins[1]])), "identity")
    plant.spawn(partial(plant.moving, plant.role("merge", ins, [down]), "by_field"), "merge")
    wanted = [one for row in rows for one in ([marked(row)] if row[0] % 2 else []) + [row]]

    def check() -> None:
        same(plant.rows_of(down), wanted)
        assert plant.mark_of(down) == (rows[-1][0], len(rows)), plant.mark_of(down)

    return check


SILENT = [(2, 0), (2, 1), (2, 2)]
LOUD = [(1, 0), (1, 1), (1, 2)]
scenario("split and merged: a silent filter, 3 equal fields", full=True)(lambda lab: split(lab, SILENT))
scenario("split and merged: all kept, 3 equal fields", full=True)(lambda lab: split(lab, LOUD))
