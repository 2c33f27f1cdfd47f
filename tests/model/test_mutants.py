"""Mutants of the kernel: here those of memory order and not of the longest, all by `python -m dev mutants`."""

import pytest

from byteor.testing.report import ORDERS, summary, verdicts

SLOW = ("byteor.kernel.commit", "byteor.kernel.turns", "byteor.kernel.wait")  # every scenario of a plant reaches them


@pytest.mark.parametrize("but", [SLOW, pytest.param((), marks=[pytest.mark.stress, pytest.mark.timeout(900)])])
def test_no_weaker_order_survives_unexplained(but):
    judged = tuple(verdicts(only=ORDERS, but=but))
    assert len(judged) >= 12
    assert [v.mutant.name for v in judged if v.word == "survived"] == []
    line, _ = summary(judged)
    assert line.startswith(f"{len(judged)} mutants: ")
