"""The explorer itself: what it finds, what it leaves out, and that a schedule replays."""

import random

import pytest

from byteor.testing.explore import explore, replay, sample
from byteor.testing.lift import Lifter
from byteor.testing.mutants import judge, mutants_of, shares
from byteor.testing.world import after_death_of
from tests.model import toy_ring


def ring(capacity, count, lift=None):
    lift = lift or Lifter()

    def scenario(world):
        cursor, gate = world.words("cursor", "gate")
        slots, got = world.slots(capacity), []
        world.spawn(lift(toy_ring.produce)(cursor, gate, slots, count), "producer")
        world.spawn(lift(toy_ring.consume)(cursor, gate, slots, count, got), "consumer")

        def check():
            assert got == [(n, -n) for n in range(count)], got

        return check

    return scenario


@pytest.mark.parametrize(
    ("capacity", "count", "schedules"), [(1, 2, 8), (1, 3, 50), (1, 4, 288), (2, 3, 80), (2, 4, 766)]
)
def test_a_right_ring_is_exhausted(capacity, count, schedules):
    outcome = explore(ring(capacity, count)).expect()
    assert (outcome.schedules, outcome.exhausted) == (schedules, True)


def test_a_bound_is_said():
    outcome = explore(ring(2, 4), limit=100)
    assert (outcome.schedules, outcome.exhausted, outcome.finding) == (100, False, None)


def test_random_schedules_are_those_of_their_seed():
    broken = next(m for m in mutants_of(toy_ring.room.py_func) if m.rule == "bound moved")
    scenario = ring(2, 6, broken.lifter())
    first, again = (sample(scenario, 200, seed=5) for _ in range(2))
    assert first == again
    assert first.finding is not None


@pytest.mark.parametrize("function", [toy_ring.room, toy_ring.produce, toy_ring.consume])
def test_every_mutant_of_the_toy_ring_dies(function):
    families = {f"{c}, {n}": lambda lift, c=c, n=n: ring(c, n, lift) for c, n in ((1, 3), (2, 3))}
    names = []
    for mutant in mutants_of(function.py_func):
        verdict = judge(mutant, families, limit=500)
        assert verdict.word == "killed", mutant.name
        names.append(mutant.name)
    assert len(set(names)) == len(names) > 1


def test_a_finding_replays_from_its_text():
    weakened = next(m for m in mutants_of(toy_ring.produce.py_func) if m.rule == "order weakened")
    scenario = ring(1, 2, weakened.lifter())
    finding = explore(scenario).finding
    assert finding is not None and finding.reason.startswith("race on slots[0]")
    told = replay(scenario, finding.schedule)
    assert told.finding == finding
    assert told.trace[-1].startswith("consumer: load_acquire cursor -> 1")
    assert "replay(scenario, '" in str(finding)


def test_a_schedule_of_another_scenario_is_refused():
    assert "another scenario" in replay(ring(1, 2), "0:0 0:7").finding.reason


def test_a_closure_is_lifted_with_its_cells():
    seen = []

    def note(record):
        seen.append(record.a)

    lift = Lifter()
    echo = lift(toy_ring.make_echo(note))

    def scenario(world):
        seen.clear()
        cursor, gate = world.words("cursor", "gate")
        slots = world.slots(1)
        world.spawn(lift(toy_ring.produce)(cursor, gate, slots, 3), "producer")
        world.spawn(echo(cursor, gate, slots, 3), "echo")

        def check():
            assert seen == [0, 1, 2]

        return check

    assert explore(scenario).expect().exhausted


def test_who_waits_for_what_never_comes_is_wedged():
    def scenario(world):
        cursor, gate = world.words("cursor", "gate")
        world.spawn(Lifter()(toy_ring.produce)(cursor, gate, world.slots(1), 2), "producer")

    assert explore(scenario).finding.reason == "wedged: producer before load_acquire gate"


def test_a_loop_without_pause_is_told():
    def scenario(world):
        word = world.word("word")

        def spin():
            while (yield "load", "acquire", word) == 0:
                pass

        world.spawn(spin())

    assert explore(scenario).finding.reason.startswith("loop without end")


def test_a_poll_of_two_words_goes_on_when_either_is_newer():
    """The tree is finite, and the poll is left by either way."""
    left_by = set()

    def scenario(world):
        one, two = world.words("one", "two")
        way = []

        def poll():
            while True:
                if (yield "load", "acquire", one) == 1:
                    return way.append("one")
                if (yield "load", "acquire", two) == 1:
                    return way.append("two")
                yield "pause", ""

        def write(word):
            yield "store", "release", word, 1

        world.spawn(poll())
        world.spawn(write(one))
        world.spawn(write(two))
        return lambda: left_by.add(way[0])

    assert explore(scenario).expect().exhausted
    assert left_by == {"one", "two"}


def sleeper(checked):
    """A waiter that announces itself and a ringer; `checked` is whether the waiter looks again."""

    def scenario(world):
        flag, bell, announced = world.words("flag", "bell", "announced")

        def wait():
            rung = yield "load", "relaxed", bell
            yield "store", "relaxed", announced, 1
            yield "fence", "seq_cst"
            if not checked or (yield "load", "acquire", flag) == 0:
                yield "wait", "", bell, rung, 1

        def ring():
            yield "store", "release", flag, 1
            yield "fence", "seq_cst"
            if (yield "load", "relaxed", announced):
                yield "add", "acq_rel", bell, 1
                yield "wake", "", bell, 1

        world.spawn(wait(), "waiter")
        world.spawn(ring(), "ringer")

    return scenario


def test_a_lost_wake_up_is_a_wedge():
    assert explore(sleeper(True)).expect().exhausted
    assert explore(sleeper(False)).finding.reason == "wedged: waiter before asleep bell"


def relay(log_first):
    """A number is taken once: a log says so, then the number is published; any operation may be the last."""

    def scenario(world):
        log, sent = world.words("log", "sent")

        def work():
            done = yield "load", "acquire", log
            if done and not (yield "load", "acquire", sent):
                yield "store", "release", sent, 1
            elif not done:
                for word in (log, sent) if log_first else (sent, log):
                    yield "add", "acq_rel", word, 1

        first = world.spawn(work(), "first", mortal=True)

        def successor():
            yield from after_death_of(first)
            yield from work()

        world.spawn(successor(), "successor")

        def check():
            assert world.memory.history(sent)[-1][0] == 1, "sent twice or not at all"

        return check

    return scenario


def test_death_at_any_operation_and_take_over():
    assert explore(relay(log_first=True)).expect().exhausted
    finding = explore(relay(log_first=False)).finding
    assert "sent twice" in finding.reason
    assert "0!" in finding.schedule.split()
    assert "first: dies" in replay(relay(log_first=False), finding.schedule).trace


def test_payload_is_checked_by_place_and_never_clipped():
    def scenario(world):
        slots, cells = world.slots(2), world.array(1, 2, name="cells")

        def write():
            slots[0:2] = world.rows([(1, 2), (3, 4)])
            slots[1] = slots[0]
            cells[0, 0:2] = 5
            assert [s.values() for s in slots] == [(1, 2), (1, 2)] and cells[0, 1] == 5
            yield "pause", ""

        def out_of_bounds():
            yield "pause", ""
            slots[1:3]

        world.spawn(write())
        world.spawn(out_of_bounds())

    assert explore(scenario).finding.reason.startswith("IndexError")


def test_two_actors_may_read_and_not_write_without_order():
    def racing(write):
        def scenario(world):
            cell = world.array(1, name="cell")

            def touch():
                yield "fence", "seq_cst"
                if write:
                    cell[0] = 1
                else:
                    cell[0]

            def read():
                cell[0]
                yield "pause", ""

            world.spawn(touch())
            world.spawn(read())

        return explore(scenario)

    assert racing(write=False).expect().exhausted
    assert racing(write=True).finding.reason.startswith("race on cell[0]")


def test_what_only_paces_is_not_mutated():
    assert shares(toy_ring.produce.py_func)
    assert not shares(toy_ring.pace.py_func)


KINDS = ("load", "load", "store", "store", "add", "fence", "poll", "wait", "wake")


def random_program(chance):
    """Up to three threads of up to three steps over two words."""
    return [
        [(chance.choice(KINDS), chance.choice(("relaxed", "ordered")), chance.randrange(2)) for _ in range(size)]
        for size in chance.choice(((2, 2), (3, 2), (1, 1, 2), (3, 3)))
    ]


def run_step(words, kind, strength, at):
    order = {"load": "acquire", "store": "release", "add": "acq_rel"}.get(kind, "seq_cst")
    order = "relaxed" if strength == "relaxed" and kind != "fence" else order
    match kind:
        case "load":
            return (yield kind, order, words[at])
        case "store" | "add":
            return (yield kind, order, words[at], 1)
        case "fence":
            yield "fence", order
        case "wait" | "wake":
            yield kind, "", words[at], 1, 1
        case "poll":
            while (yield "load", "acquire", words[at]) == 0 and (yield "load", "relaxed", words[1 - at]) == 0:
                yield "pause", ""


def all_ends(program, reduce, dies=False):
    """Every way the program can end: what was read and what is left, or who is wedged.

    Where the first thread may die, another one does the same after its death.
    """
    found = set()

    def scenario(world):
        words, seen = world.words("x", "y"), [[] for _ in range(len(program) + dies)]

        def run(steps, own):
            for kind, strength, at in steps:
                own.append((yield from run_step(words, kind, strength, at)))

        def take_over():
            yield from after_death_of(0)
            yield from run(program[0], seen[-1])

        for steps, own in zip(program, seen, strict=False):
            world.spawn(run(steps, own), mortal=dies and steps is program[0])
        if dies:
            world.spawn(take_over())

        def note():
            left = tuple(world.memory.history(word)[-1][0] for word in words)
            found.add((tuple(map(tuple, seen)), left))

        return note

    outcome = explore(scenario, reduce=reduce)
    return found if outcome.finding is None else "wedged"


def test_what_the_reduction_leaves_out_changes_no_end():
    chance = random.Random(7)
    wedges = 0
    for _ in range(250):
        program = random_program(chance)
        ends = all_ends(program, reduce=True)
        assert ends == all_ends(program, reduce=False), program
        wedges += ends == "wedged"
    assert 10 < wedges < 200


def test_nor_does_it_where_one_dies_and_another_takes_over():
    chance = random.Random(8)
    for _ in range(60):
        program = random_program(chance)[:2]
        assert all_ends(program, reduce=True, dies=True) == all_ends(program, reduce=False, dies=True), program
