"""What compiled code says when a slice is given values of another number.

Rule 1. Numba's own message names both shapes, and every function that assigns to a slice compiles all of
        Numba's text handling for it: four seconds where its own code takes half a second.
Rule 2. Only what byteor compiles says it briefly: Numba's message is put back when a compilation ends. Numba
        lets one thread compile at a time, so nobody else's falls in between.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from numba.core.compiler import Compiler
from numba.extending import overload
from numba.np import arrayobj


def refuse(given: Any, wanted: Any) -> None:
    """Raise for values of shape `given` that do not fit a slice of shape `wanted`."""
    raise NotImplementedError


@overload(refuse)
def _refuse(given: Any, wanted: Any) -> Callable[[Any, Any], None]:
    def raises(given: Any, wanted: Any) -> None:
        raise ValueError("cannot assign to a slice values of another number than it has")

    return raises


class Brief(Compiler):  # type: ignore[misc]
    """Numba's compiler, for functions that reach a user's code."""

    def compile_extra(self, func: Any) -> Any:
        own, arrayobj.raise_with_shape_context = arrayobj.raise_with_shape_context, refuse
        try:
            return super().compile_extra(func)
        finally:
            arrayobj.raise_with_shape_context = own
