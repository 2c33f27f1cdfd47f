"""Arrays without their reference counts, for code that may raise.

Rule 1. Compiled code that raises gives back no reference that it holds: a failed run would keep its ring for ever.
        What is lent is not counted, so there is nothing to give back.
Rule 2. Whoever lends keeps the arrays alive until the call has come back; a caller in Python always does.
"""

from __future__ import annotations

from typing import Any

from numba.core import cgutils, types
from numba.extending import intrinsic
from numba.np.arrayobj import make_array


def _lend(context: Any, builder: Any, kind: Any, value: Any) -> Any:
    if isinstance(kind, types.Array):
        array = make_array(kind)(context, builder, value)
        array.meminfo, array.parent = (cgutils.get_null_value(field.type) for field in (array.meminfo, array.parent))
        return array._getvalue()
    if isinstance(kind, types.BaseTuple):
        for i, part in enumerate(kind):
            lent = _lend(context, builder, part, builder.extract_value(value, i))
            value = builder.insert_value(value, lent, i)
    return value


@intrinsic
def lent(_typing: Any, value: Any) -> Any:
    """The same value; the arrays that it is, or is made of, are not counted."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return _lend(context, builder, signature.args[0], args[0])

    return value(value), codegen
