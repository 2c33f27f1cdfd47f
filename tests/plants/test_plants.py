"""Plants give what the oracle says, to the bit: whatever the batches, the waiting, the threads, the compiler.

Rule 1. A seed makes the plant and the manner in which it runs; a failure names it.
Rule 2. Counts say what occurred, so that nothing is thought to be tested that was not.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from random import Random

import numpy as np
import pytest

from byteor.exec.stage import as_stage
from byteor.plant.assembly import Manner, Outside
from byteor.plant.ends import Source
from byteor.plant.threads import InProcess
from byteor.plant.wiring import wire
from tests.plants.dags import Dag, dag
from tests.plants.oracle import expected
from tests.plants.test_oracle import LEAST

# The stages of random plants are some forty loops; a machine that is busy compiles them for minutes.
pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]
WAITS = ("yield", "backoff", "block")
BATCHES = (1, 2, 3, 7, 64, 4096)


class Kept:
    """An egress's outlet that keeps what it is given."""

    def __init__(self) -> None:
        self.parts: list[bytes] = []

    def open(self, written: int) -> None:
        assert written == 0

    def write(self, records: np.ndarray) -> None:
        self.parts.append(records.tobytes())

    def finish(self) -> None:
        self.parts = [b"".join(self.parts)]


def source(made: Dag, name: str, cut: int) -> Source:
    """A source as an edge makes it: sorted where that is asked for, in batches of some size."""
    rows = made.rows[name]
    by = next(at.ingress.sort_by for at in made.graph.ingresses if at.ingress.name == name)
    rows = rows if by is None else rows[np.argsort(rows[by], kind="stable")]

    def batches(start: int) -> Iterator[np.ndarray]:
        return (rows[at : at + cut] for at in range(start, len(rows), cut))

    return batches


def ran(made: Dag, manner: Manner, threads: bool, cut: int) -> dict[str, bytes]:
    """What leaves by each egress."""
    kept = {at.egress.name: Kept() for at in made.graph.egresses}
    outside = Outside({name: source(made, name, cut) for name in made.rows}, kept)
    codes = {name: as_stage(code) for name, code in made.stages.items()}
    plant = InProcess(wire(made.graph), codes, manner, outside, threads)
    plant.start()
    plant.join()
    if plant.failure:
        raise plant.failure
    assert plant.status == "done"
    return {name: outlet.parts[0] for name, outlet in kept.items()}


def holds(seed: int, threads: bool = False, interpreted: bool = False) -> Dag:
    """Run the plant of a seed in a manner that the seed decides, and hold it to the oracle."""
    made, random = dag(seed), Random(seed)
    manner = Manner(random.choice(WAITS) if threads else "backoff", random.choice(BATCHES), interpreted)
    wanted = expected(made.graph, made.stages, made.rows).egresses
    found = ran(made, manner, threads, random.choice([1, 5, 64]))
    wrong = [name for name, rows in wanted.items() if found[name] != rows.tobytes()]
    assert not wrong, f"seed {seed}, {manner}: {wrong}"
    return made


def test_stepped_plants_give_what_the_oracle_says() -> None:
    total = Counter[str]()
    for seed in range(200):
        total += holds(seed).used
    print(dict(sorted(total.items())))
    assert {what: total[what] for what, least in LEAST.items() if total[what] < least // 2} == {}


def test_plants_on_threads_give_what_the_oracle_says() -> None:
    for seed in range(200, 230):
        holds(seed, threads=True)


def test_interpreted_plants_give_what_the_oracle_says() -> None:
    for seed in range(230, 250):
        holds(seed, interpreted=True)
