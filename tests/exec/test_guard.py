"""Debug mode: what a stage did not declare stays as it was, and what it was lent ends with its return."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from byteor.exec.guard import BrokenPromise, guarded
from byteor.exec.record import Records
from byteor.exec.runners import StageFailed
from byteor.exec.shard import Options
from byteor.exec.single_ring import SingleRingRun
from byteor.exec.stage import as_stage
from byteor.spec.build import SingleRingBuilder, message_type, stage

ROW = np.dtype([("a", "<i8"), ("b", "<f8"), ("c", "i1")])
KEPT: list[Any] = []


def slots() -> np.ndarray:
    return np.array([(1, 1.5, 1), (2, np.nan, 2), (3, 3.5, 3)], ROW)


def called(function: Any, form: str, array: np.ndarray, **declared: Any) -> Any:
    """Call a stage of this form under guard, over the first two rows."""
    call = guarded(stage("s", "m:s", "row", form=form, **declared), array, function)
    if form == "batch":
        return lambda: call(array[:2])
    record = Records(array)[1]
    return lambda: call(record)


def changes(x: Any) -> None:
    x["a"] = 9
    x["b"] = 9.0


@pytest.mark.parametrize("form", ["message", "batch"])
def test_declared_changes_arrive(form: str) -> None:
    array = slots()
    called(changes, form, array, writes=("a", "b"))()
    assert (array[1].tolist(), array[2].tolist()) == ((9, 9.0, 2), (3, 3.5, 3))


@pytest.mark.parametrize("form", ["message", "batch"])
def test_an_undeclared_change_is_told_and_does_not_arrive(form: str) -> None:
    array = slots()
    with pytest.raises(BrokenPromise, match="it changed `b`"):
        called(changes, form, array, writes=("a",))()
    assert array.tobytes() == slots().tobytes()


def test_without_a_declaration_all_may_change() -> None:
    array = slots()
    called(changes, "batch", array)()
    assert array["b"].tolist() == [9.0, 9.0, 3.5]


@pytest.mark.parametrize("field", ["a", "b", "c"])
def test_a_record_cannot_be_used_after_the_return(field: str) -> None:
    KEPT.clear()
    called(KEPT.append, "message", slots())()
    with pytest.raises(BrokenPromise, match="after its stage had returned"):
        KEPT[0][field]
    with pytest.raises(BrokenPromise, match="after its stage had returned"):
        KEPT[0][field] = 1


def test_a_batch_cannot_be_written_after_the_return() -> None:
    KEPT.clear()
    called(KEPT.append, "batch", slots())()
    with pytest.raises(ValueError, match="read-only"):
        KEPT[0]["a"][0] = 1
    assert np.isnan(KEPT[0]["b"]).all()


def test_a_view_of_an_earlier_batch_that_was_written_is_found() -> None:
    KEPT.clear()
    call = called(lambda batch: KEPT.append(batch["a"]), "batch", slots())
    call()
    KEPT[0][0] = 1
    with pytest.raises(BrokenPromise, match="an earlier batch"):
        call()


def test_a_mask_may_be_a_view_of_the_batch() -> None:
    array = np.ones(2, [("ok", "?")])
    assert called(lambda batch: batch["ok"], "batch", array)().tolist() == [True, True]


@pytest.mark.parametrize("compiled", [True, False])
@pytest.mark.parametrize("form", ["message", "batch"])
def test_a_broken_promise_is_the_failure_of_its_stage(form: str, compiled: bool) -> None:
    ring = SingleRingBuilder("r", message_type("row", {"a": "i64", "b": "f64"}), capacity=8)
    spec = ring.stage("s", "m:s", form=form, compiled=compiled, writes=("a",)).draft()
    run = SingleRingRun(spec, {"s": as_stage(changes)}, Options(interpreted=True, threads=False, debug=True))
    run.start()
    run.send(np.zeros(2, run.dtype))
    run.close()
    run.join()
    assert isinstance(run.failure, StageFailed)
    assert run.failure.sequence == 0 and "it changed `b`" in run.failure.reason
