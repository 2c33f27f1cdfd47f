"""Our side: rings of ticks in the shapes of the bench, fed by a compiled source.

Rule 1. A ring is brought up and fed as any program does it; nothing of the stage contract is left out.
Rule 2. Branches that run side by side write nothing that a neighbour reads: else the spec is refused.
Rule 3. The source writes each record in its slot, and publishes it alone or in runs.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import byteor
from bench import machine, ticks
from bench.harness import Clock, Contender, Took
from byteor.spec.model import MessageType, SingleRing, State

TICK = byteor.message_type("tick", {"px": "i64", "qty": "i64"})
TOTAL = byteor.message_type("total", {"sum": "i64"})
CAPACITY = 65_536
LEAST = 200_000  # messages of the shortest round

PX, QTY, BOTH = ("px",), ("qty",), ("px", "qty")
START = ("start",)  # an identity: stages that start together come after one
# Function, fields read, fields written, stages before.
Wiring = tuple[Callable[..., None], tuple[str, ...], tuple[str, ...], tuple[str, ...]]
CHAIN: tuple[Wiring, ...] = (
    (ticks.add, BOTH, PX, ()),
    (ticks.triple, PX, QTY, ("add",)),
    (ticks.mix, BOTH, PX, ("triple",)),
)
SHAPES: dict[str, tuple[Wiring, ...]] = {
    "unicast": CHAIN[:1],
    "pipeline": CHAIN,
    "diamond": (
        (ticks.scale, PX, PX, START),
        (ticks.shift, QTY, QTY, START),
        (ticks.mix, BOTH, PX, ("scale", "shift")),
    ),
    "multicast": ((ticks.sum_px, PX, (), START), (ticks.sum_qty, QTY, (), START), (ticks.mix_px, PX, (), START)),
}


def spec_of(shape: str) -> SingleRing:
    """The spec of a shape over 16-byte ticks."""
    builder = byteor.SingleRingBuilder(shape, TICK, capacity=CAPACITY)
    if shape == "multicast":
        builder.type(TOTAL)
    if SHAPES[shape][0][3] == START:
        builder.stage("start", reads=(), writes=())
    for function, reads, writes, after in SHAPES[shape]:
        state = None if writes else State("total")
        builder.stage(function.__name__, f"ticks:{function.__name__}", after, reads=reads, writes=writes, state=state)
    return builder.build()


def stages_of(shape: str) -> dict[str, Callable[..., None]]:
    return {function.__name__: function for function, *_ in SHAPES[shape]}


Feed = Callable[[Any, int], None]


def filled(piece: int) -> Feed:
    """Feed by a compiled source, `piece` messages at once."""
    return lambda ingress, n: ingress.fill(ticks.make, n, piece)


def rounds_of(bring_up: Callable[[], Any], feed: Feed, lap: int = CAPACITY) -> Callable[[int], Took]:
    """Make a contender's round: a fresh run, a first lap that touches its memory, then `n` messages until drained."""

    def one(n: int) -> Took:
        run = bring_up()
        ingress = run.ingress()
        run.start()
        machine.pin([0, *(thread.native_id for thread in threading.enumerate() if thread.name.startswith("byteor-"))])
        feed(ingress, lap)
        settle(run)
        with Clock() as clock:
            feed(ingress, n)
            ingress.close()
            run.join()
        machine.pin([0], free=True)
        run.check()
        return clock.took

    return one


def settle(run: Any) -> None:
    """Wait until every stage has done all that was sent."""
    while any(stage.processed < run.ring.sent for stage in run.snapshot().stages):
        run.check()
        time.sleep(0.001)


def ring_of(shape: str, piece: int, wait: str = "") -> Contender:
    """Our contender for a shape, publishing `piece` messages at once."""
    spec, stages = spec_of(shape), stages_of(shape)
    one = rounds_of(lambda: byteor.run(spec, stages, wait=wait), filled(piece))
    return Contender(f"byteor {wait or spec.wait}", one, step=piece, least=max(1, LEAST // piece))


def chain(length: int, type: MessageType = TICK, **fields: Any) -> tuple[SingleRing, dict[str, Callable[..., None]]]:
    """A chain of `length` stages, which take turns at the work of the pipeline."""
    builder = byteor.SingleRingBuilder("chain", type, **fields)
    stages: dict[str, Callable[..., None]] = {}
    for i in range(length):
        function, before = CHAIN[i % 3][0], list(stages)[-1:]
        stages[f"{function.__name__}_{i}"] = function
        builder.stage(f"{function.__name__}_{i}", f"ticks:{function.__name__}", before)
    return builder.build(), stages
