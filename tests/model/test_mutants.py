"""Mutants of the kernel: here those of memory order, all of them by `python -m dev mutants`."""

import pytest

from byteor.testing.report import ORDERS, summary, verdicts


@pytest.mark.timeout(900)  # some hundred mutants, each run over all scenarios that reach it
def test_no_weaker_order_survives_unexplained():
    judged = tuple(verdicts(only=ORDERS))
    assert len(judged) >= 12
    assert [v.mutant.name for v in judged if v.word == "survived"] == []
    line, _ = summary(judged)
    assert line.startswith(f"{len(judged)} mutants: ")
