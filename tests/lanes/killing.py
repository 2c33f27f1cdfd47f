"""What tests of deaths share: children that die, and the kernel's operations one by one on real memory."""

from __future__ import annotations

import ctypes
import os
import signal
from collections.abc import Callable
from typing import Any

import pytest

from byteor.diag import Refused
from byteor.testing.lift import Lifter


def code_of(work: Callable[[], object]) -> str:
    """The code with which work is refused."""
    with pytest.raises(Refused) as caught:
        work()
    return caught.value.diagnostics[0].code


def forked(work: Callable[[], object]) -> int:
    """The pid of a child that does `work`."""
    pid = os.fork()
    if pid:
        return pid
    try:
        work()
    finally:
        os._exit(1)


def killed(pid: int) -> None:
    """Wait for a child's end, which is by SIGKILL."""
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == -signal.SIGKILL


class OnTheMachine:
    """Runs the operations of a hot function one by one on real words, up to the one before which its process dies."""

    def __init__(self, function: Any) -> None:
        self.lifted = Lifter()(function)

    def run(self, stop: int, *arguments: Any) -> int:
        """Do so many operations; answer how many there were."""
        body, done, answer = self.lifted(*arguments), 0, None
        while done < stop:
            try:
                kind, _, *operands = body.send(answer)
            except StopIteration:
                break
            answer = None
            if kind != "fence":
                word = ctypes.c_int64.from_address(operands[0])
                answer = word.value
                word.value = operands[1] if kind == "store" else answer
            done += 1
        return done
