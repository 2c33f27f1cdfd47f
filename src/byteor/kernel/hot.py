"""How hot functions are compiled: said once, here.

Rule 1. A hot function is plain, top-level or one closure deep, small, and has its source on disk.
Rule 2. Whoever calls from Python says whether the call may wait: `short` keeps the GIL, `waiting` releases it.
Rule 3. What runs a user's code is `lending`: it waits, and may raise.
Rule 4. These forms are compiled on first use and kept in the cache that is never stale.
Rule 5. Python cannot call what is only `hot`, so that it need not be compiled for that; what users call is `anywhere`.
"""

from __future__ import annotations

import functools
from typing import Any

import numba

from byteor.kernel.cache import cached
from byteor.kernel.callee import Callee
from byteor.kernel.lend import lent
from byteor.kernel.shapes import Brief


def hot(function: Any) -> Any:
    """Mark a function as hot: hot callers inline it, Python calls its `waiting` or `short` form."""
    return numba.njit(pipeline_class=Callee)(function)


def anywhere(function: Any) -> Any:
    """Mark a hot function that users call: from their compiled code, or from Python."""
    return numba.njit(function)


def inlined(function: Any) -> Any:
    """Mark a hot function whose calls are always inlined: else each would copy the tuples that it is given."""
    return numba.njit(forceinline=True, pipeline_class=Callee)(function)


@functools.cache
def waiting(function: Any) -> Any:
    """The form of a hot function for calls that may wait: the GIL is released."""
    return cached(numba.njit(nogil=True)(function.py_func))


@functools.cache
def lending(function: Any) -> Any:
    """The waiting form of a hot function that runs a user's code: its arrays are lent to it."""

    def lender(*given: Any) -> Any:
        return function(*lent(given))

    return cached(numba.njit(nogil=True, pipeline_class=Brief)(lender))


@functools.cache
def short(function: Any, *types: Any) -> Any:
    """The compiled entry point of a hot function for calls that never wait.

    It keeps the GIL, takes positional arguments only and checks nothing.
    """
    return compiled(function, *types).entry_point


def compiled(function: Any, *types: Any) -> Any:
    """What Numba makes of a hot function for arguments of these types."""
    dispatcher = cached(numba.njit(function.py_func))
    dispatcher.compile(types)
    return dispatcher.overloads[dispatcher.signatures[0]]
