"""The tables of our own layouts: where each word of a ring and of a runner lies.

Rule 1. Every word has one writer; doorbells excepted, which are only added to.
Rule 2. Every writer has lines of its own.
"""

from __future__ import annotations

from byteor.abi.layout import LINE, Layout

OPEN = -1  # the value of `closed` while the producer may still publish
LAST = 2**63 - 1  # a gate's value once its reader has left for good


def ring(gates: int) -> Layout:
    """The words of one producer's ring with `gates` readers; the slots are an array of their own."""
    table = Layout("ring", "one producer, its readers' gates")
    table.cell("header", "magic, version, kind, capabilities; initialized", size=64).line()
    table.cell("cursor", "number of messages published").line()
    table.cell("mark_field", "nothing later orders below (mark_field, mark_word)")
    table.cell("mark_word", "second word of the mark").line()
    table.cell("closed", "-1 while open, else the final sequence").line()
    table.cell("gate", "number of messages that this reader has done with", count=gates, stride=LINE)
    return table.line()


def runner() -> Layout:
    """The words of one runner (a producer, a stage, an egress): its doorbell and what it counts."""
    table = Layout("runner", "a doorbell that neighbours ring, and counters that only the runner writes")
    table.cell("bell", "rung by adding one; a futex word")
    table.cell("announced", "1 while the runner may block on its bell").line()
    table.cell("at", "sequence of the message a stage was last called with")
    table.cell("filtered", "messages that the stage took out")
    table.cell("waits", "times there was nothing to do")
    table.cell("blocks", "times the runner slept on its bell").line()
    table.cell("sizes", "batches by size: bucket b counts sizes from 2^b", count=32).line()
    return table


def control() -> Layout:
    """The words of one run, shared by its runners."""
    table = Layout("control", "what the whole run obeys")
    table.cell("stop", "0 run on; else stop as soon as the pending batch is done").line()
    return table
