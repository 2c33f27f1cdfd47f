"""P5: records one way in batches, plain Python at both ends, beside queues between processes.

Rule 1. A queue takes a record at a time, as queues are used; what it does with whole arrays stands beside.
Rule 2. The receiver sums up a field of every record; the sum is checked.
"""

from __future__ import annotations

from bench import venv
from bench.harness import Effort, Series, best, ratios
from bench.python_trips import rounds
from bench.results import Family

BY_RECORD = ("multiprocessing.Queue", "faster-fifo, put_many")
BY_ARRAY = ("multiprocessing.Queue of arrays", "faster-fifo of arrays")


def measured(effort: Effort) -> Family:
    """Measure all in turns."""
    python, absent = venv.made()
    family = Family(
        "P5",
        "Records one way in batches, plain Python at both ends",
        "16-byte records, batches of 4,096, a lane of 65,536 slots, two processes, each on a core of its own; the "
        "sender gives arrays, the receiver sums a field over views of the slots. Queues get a record at a time; of "
        "`faster-fifo` 256 at a call.",
    )
    if absent:
        family.unmeasured("P5 rate", "≥ 100 M/s", absent)
        family.unmeasured("P5 over queues", "≥ 100×", absent)
        return family
    names = ("byteor", *BY_RECORD, *BY_ARRAY)[: 1 if effort.tiny else None]
    answers = rounds("rows", names, python, effort)
    found = {
        name: Series(name, [one["rate"] for one in all], [one["cpu_ns"] for one in all])
        for name, all in answers.items()
    }
    for series in found.values():
        family.rate("one way", series)
    ours = found["byteor"]
    family.at_least("P5 rate", 100, [rate / 1e6 for rate in ours.rates], "two cores: one copies, one sums", " M/s")
    if not effort.tiny:
        peer = best([found[name] for name in BY_RECORD])
        family.at_least("P5 over queues", 100, ratios(ours, peer), f"{peer.name} is the faster one")
    return family
