"""Named points between the steps of a role, at which it can be told to die: to see what a death leaves.

Rule 1. The plant's manifest alone switches them on; a plant without them compiles and runs what it would anyway.
Rule 2. The hot functions are the shipped ones, made again where a step is called: behind it stands a point.
Rule 3. A role dies by SIGKILL to itself, the n-th time it passes its point. Each start of a role has a death of its
    own, by the order of starts; one that has none lives.
"""

from __future__ import annotations

import functools
import os
import signal
from collections import namedtuple
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import CodeType, FunctionType
from typing import Any

import numpy as np
from numba import types

from byteor.kernel import commit as c
from byteor.kernel import feed, links, turns
from byteor.kernel.hot import hot
from byteor.kernel.plain import keep, own

COMMIT = ("filled", "written", "committed", "home", "published", "released", "rung")
FED, END_FILLED, END_COMMITTED = "fed", "end filled", "end committed"
APPENDED, SPOOLED, CONVERTED, RENAMED = "appended", "spooled", "converted", "renamed"
LINKED = SENT, RECEIVED, TOLD = "sent", "received", "told"
POINTS = (*COMMIT, FED, END_FILLED, END_COMMITTED, APPENDED, SPOOLED, CONVERTED, RENAMED, *LINKED)
Deaths = Mapping[str, Sequence[tuple[str, int]]]  # by role: a point and a number of times for each start

_getpid = types.ExternalFunction("getpid", types.int32())
_kill = types.ExternalFunction("kill", types.int32(types.int32, types.int32))
_SIGKILL = int(signal.SIGKILL)
_FILLED, _WRITTEN, _COMMITTED, _HOME, _PUBLISHED, _RELEASED, _RUNG, _FED = range(8)


@dataclass(frozen=True, slots=True)
class Steps:
    """The hot functions that roles are made of."""

    recover: Any
    close_outputs: Any
    settle_turn: Any
    feed_rows: Any
    await_turn: Any
    make_turns: Any
    settle_link: Any


SHIPPED = Steps(
    c.recover,
    c.close_outputs,
    feed.settle_turn,
    feed.feed_rows,
    feed.await_turn,
    turns.make_turns,
    links.settle_link,
)
_FIELDS: Any = (*c.Desk._fields, "death")
Mortal = namedtuple("Mortal", _FIELDS)  # type: ignore[misc] # a desk that says where to die


@hot
def at(desk: Any, point: Any) -> None:
    """Pass a point; die there, if it is time."""
    if own(desk.death) == point:
        keep(desk.death + 8, own(desk.death + 8) - 1)
        if own(desk.death + 8) == 0:
            _kill(_getpid(), _SIGKILL)


def _behind(step: Any, point: int, before: int = -1) -> Any:
    """A step, and the point behind it; before it another one, if that is one."""

    @hot
    def stepped(desk: Any, *more: Any) -> None:
        if before >= 0:
            at(desk, before)
        step(desk, *more)
        at(desk, point)

    return stepped


def _named(code: CodeType) -> set[str]:
    """All names that a function asks its module for, and those that are made in it."""
    inner = [one for one in code.co_consts if isinstance(one, CodeType)]
    return set(code.co_names).union(*map(_named, inner))


def _again(function: Any, **names: Any) -> Any:
    """The same function, with another meaning of some names."""
    plain = getattr(function, "py_func", function)
    assert set(names) <= _named(plain.__code__), f"{plain.__name__} calls no {sorted(names)}"
    known = {**plain.__globals__, **names, "__name__": __name__}
    made = FunctionType(plain.__code__, known, plain.__name__, plain.__defaults__, plain.__closure__)
    return made if plain is function else hot(made)


@functools.cache
def mortal() -> Steps:
    """The hot functions with a point between every two steps."""
    commit = _behind(_again(c.commit, log_rows=_behind(c.log_rows, _WRITTEN)), _COMMITTED, _FILLED)
    rung = _behind(c.ring_neighbours, _RUNG)
    finish = _again(
        c.finish_commit,
        bring_home=_behind(c.bring_home, _HOME),
        publish=_behind(c.publish, _PUBLISHED),
        release=_behind(c.release, _RELEASED),
        ring_neighbours=rung,
    )
    settle = _again(c.settle, commit=commit, finish_commit=finish)
    return Steps(
        recover=_again(c.recover, finish_commit=finish),
        close_outputs=_again(c.close_outputs, ring_neighbours=rung),
        settle_turn=_again(feed.settle_turn, settle=settle),
        feed_rows=_again(feed.feed_rows, settle=_behind(settle, _FED)),
        await_turn=_again(feed.await_turn, settle=settle),
        make_turns=_again(turns.make_turns, settle=settle),
        settle_link=_again(links.settle_link, settle=settle),
    )


class Death:
    """Where one process of a role dies: a point and how often it is passed, private words; or nowhere."""

    def __init__(self, deaths: Sequence[tuple[str, int]], start: int) -> None:
        point, times = deaths[start - 1] if 0 < start <= len(deaths) else ("", 0)
        self.words = np.array([POINTS.index(point) if point else -1, times], np.int64)

    def desk(self, desk: c.Desk) -> Any:
        """The desk of a role that may die."""
        return Mortal._make((*desk, self.words.ctypes.data))

    def at(self, point: str) -> None:
        """Pass a point outside of compiled code."""
        if self.words[0] == POINTS.index(point):
            self.words[1] -= 1
            if self.words[1] == 0:
                os.kill(os.getpid(), signal.SIGKILL)
