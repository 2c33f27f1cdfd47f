"""Values that do not fit a slice: refused in compiled code, with none of Numba's text handling compiled in."""

from __future__ import annotations

from typing import Any

import numba
import numpy as np
import pytest

from byteor.kernel.shapes import Brief


def assigns(out: Any, given: Any) -> None:
    out[: len(out) - 1] = given


def test_values_that_fit_are_assigned() -> None:
    out = np.zeros(4)
    numba.njit(pipeline_class=Brief)(assigns)(out, np.ones(3))
    assert out.tolist() == [1, 1, 1, 0]


def test_values_of_another_number_are_refused() -> None:
    with pytest.raises(ValueError, match="another number"):
        numba.njit(pipeline_class=Brief)(assigns)(np.zeros(4), np.ones(2))


def test_what_others_compile_says_what_numba_says() -> None:
    numba.njit(pipeline_class=Brief)(assigns)(np.zeros(4), np.ones(3))
    with pytest.raises(ValueError, match=r"\(2,\)"):
        numba.njit(assigns)(np.zeros(4), np.ones(2))
