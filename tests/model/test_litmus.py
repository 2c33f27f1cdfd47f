"""The explorer's memory, by litmus tests: exactly the outcomes listed, no more and no fewer."""

import pytest

from byteor.testing.explore import explore


def store(order, word, value):
    yield "store", order, word, value


def fence(order):
    yield "fence", order


def load(order, word, seen):
    seen.append((yield "load", order, word))


def outcomes(*threads):
    """All that the threads can read; each is a list of steps over two words and its own list."""
    found = set()

    def scenario(world):
        words, seen = world.words("x", "y"), []
        for thread in threads:
            own = []
            seen.append(own)

            def run(thread=thread, own=own):
                for step in thread:
                    yield from step(words, own)

            world.spawn(run())
        return lambda: found.add(tuple(value for own in seen for value in own))

    outcome = explore(scenario).expect()
    assert outcome.exhausted
    return found


def W(order, word, value=1):
    return lambda words, own: store(order, words[word], value)


def R(order, word):
    return lambda words, own: load(order, words[word], own)


def F(order):
    return lambda words, own: fence(order)


def add(word, value=1):
    def step(words, own):
        yield "add", "acq_rel", words[word], value

    return step


RELAXED, ACQUIRE, RELEASE = "relaxed", "acquire", "release"
ALL = {(0, 0), (0, 1), (1, 0), (1, 1)}


@pytest.mark.parametrize(
    ("fenced", "allowed"), [(False, ALL), (True, ALL - {(0, 0)})], ids=["release and acquire", "full fences"]
)
def test_store_buffering(fenced, allowed):
    between = [F("seq_cst")] if fenced else []
    one = [W(RELEASE, 0), *between, R(ACQUIRE, 1)]
    other = [W(RELEASE, 1), *between, R(ACQUIRE, 0)]
    assert outcomes(one, other) == allowed


PASSED = ALL - {(1, 0)}  # the flag is seen and the message is not


@pytest.mark.parametrize(
    ("write", "read", "allowed"),
    [
        ([W(RELAXED, 0), W(RELEASE, 1)], [R(ACQUIRE, 1), R(RELAXED, 0)], PASSED),
        ([W(RELAXED, 0), W(RELAXED, 1)], [R(ACQUIRE, 1), R(RELAXED, 0)], ALL),
        ([W(RELAXED, 0), W(RELEASE, 1)], [R(RELAXED, 1), R(RELAXED, 0)], ALL),
        (
            [W(RELAXED, 0), F(RELEASE), W(RELAXED, 1)],
            [R(RELAXED, 1), F(ACQUIRE), R(RELAXED, 0)],
            PASSED,
        ),
        ([W(RELAXED, 0), F(RELEASE), W(RELAXED, 1)], [R(RELAXED, 1), R(RELAXED, 0)], ALL),
        ([W(RELAXED, 0), W(RELAXED, 1)], [R(RELAXED, 1), F(ACQUIRE), R(RELAXED, 0)], ALL),
    ],
    ids=["release and acquire", "no release", "no acquire", "fences", "no acquire fence", "no release fence"],
)
def test_message_passing(write, read, allowed):
    assert outcomes(write, read) == allowed


def test_one_word_is_read_in_the_order_of_its_stores():
    assert outcomes([W(RELAXED, 0, 1), W(RELAXED, 0, 2)], [R(RELAXED, 0), R(RELAXED, 0)]) == {
        (0, 0), (0, 1), (0, 2), (1, 1), (1, 2), (2, 2),
    }  # fmt: skip


def test_an_update_carries_the_release_on():
    """The reader of an update learns of the store before it."""
    write = [W(RELAXED, 0), W(RELEASE, 1)]

    def relaxed_add(words, own):
        yield "add", "relaxed", words[1], 10

    seen = outcomes(write, [relaxed_add], [R(ACQUIRE, 1), R(RELAXED, 0)])
    assert (11, 0) not in seen and (11, 1) in seen and (10, 0) in seen


def test_independent_readers_may_disagree_unless_full_fences_order_them():
    writers = [W(RELEASE, 0)], [W(RELEASE, 1)]
    disagree = (1, 0, 1, 0)
    loose = outcomes(*writers, [R(ACQUIRE, 0), R(ACQUIRE, 1)], [R(ACQUIRE, 1), R(ACQUIRE, 0)])
    middle = F("seq_cst")
    strict = outcomes(*writers, [R(ACQUIRE, 0), middle, R(ACQUIRE, 1)], [R(ACQUIRE, 1), middle, R(ACQUIRE, 0)])
    assert disagree in loose and disagree not in strict


def test_updates_are_never_lost():
    def last(words, own):
        while (yield "load", "acquire", words[0]) < 3:
            yield "pause", ""
        own.append((yield "load", "relaxed", words[0]))

    assert outcomes([add(0)], [add(0)], [add(0)], [last]) == {(3,)}


def test_limit_load_buffering_is_not_shown():
    """Machines may let both loads see the later stores; this model runs loads where they stand."""
    one, other = [R(RELAXED, 0), W(RELAXED, 1)], [R(RELAXED, 1), W(RELAXED, 0)]
    assert outcomes(one, other) == ALL - {(1, 1)}


def test_limit_two_writers_of_one_word_store_in_program_order():
    """Machines may let each word keep the first store of the other thread (2+2W); words here have one writer."""

    def run(order):
        found = set()

        def scenario(world):
            x, y = world.words("x", "y")

            def writer(first, second):
                yield "store", order, first, 1
                yield "store", order, second, 2

            world.spawn(writer(x, y))
            world.spawn(writer(y, x))
            last = world.memory.history
            return lambda: found.add((last(x)[-1][0], last(y)[-1][0]))

        assert explore(scenario).expect().exhausted
        return found

    assert run(RELAXED) == {(1, 2), (2, 1), (2, 2)}
