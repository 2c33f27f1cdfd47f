"""A ring of two dozen lines: what the explorer is tried on before it is trusted with the kernel.

Rule 1. The cursor releases what was written, the gate releases what was read.
"""


class hot:
    """Marks a function as the kernel does, without compiling it."""

    def __init__(self, function):
        self.py_func = function


def _absent(*_operands):
    raise AssertionError("operations exist only in the lifted form")


load_acquire = store_release = spin_hint = _absent


@hot
def room(gate, sequence, capacity):
    while sequence - load_acquire(gate) >= capacity:
        spin_hint()


@hot
def produce(cursor, gate, slots, count):
    for sequence in range(count):
        room(gate, sequence, len(slots))
        slot = slots[sequence % len(slots)]
        slot.a = sequence
        slot.b = -sequence
        store_release(cursor, sequence + 1)


@hot
def consume(cursor, gate, slots, count, got):
    sequence = 0
    while sequence < count:
        available = load_acquire(cursor)
        if available == sequence:
            spin_hint()
            continue
        while sequence < available:
            slot = slots[sequence % len(slots)]
            got.append((slot.a, slot.b))
            sequence += 1
        store_release(gate, sequence)


def make_echo(stage):
    @hot
    def echo(cursor, gate, slots, count):
        sequence = 0
        while sequence < count:
            if load_acquire(cursor) == sequence:
                spin_hint()
                continue
            stage(slots[sequence % len(slots)])
            sequence += 1
            store_release(gate, sequence)

    return echo


@hot
def pace(turns):
    if turns > 3:
        spin_hint()
    return turns + 1
