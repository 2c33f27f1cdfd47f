"""The single ring gives what a plain loop gives, however it is run."""

from __future__ import annotations

import gc
import weakref
from typing import Any

import numpy as np
import pytest

from byteor import run
from byteor.exec.run import Stopped, WouldBlock
from byteor.exec.runners import StageFailed
from byteor.exec.stage import stage
from tests.exec.rings import STAGES, TICK, bring_up, by_hand, ring, sharded, through, ticks

CHAIN = ring(("bump", ()), ("odd", ("bump",)), ("double", ("odd",)), ("seen", ("double",)))
PLAIN = ring(("bump", ()), ("odd", ("bump",)), ("double", ("odd",)), plain=("odd", "double"))
DIAMOND = ring(("bump", ()), ("some", ("bump",)), ("small", ("bump",)), ("total", ("some", "small")), emit="both")
BATCHES = ring(("odd", ()), ("some", ()), ("tally", ("odd", "some")), emit="end")
SPECS = {"chain": CHAIN, "plain": PLAIN, "diamond": DIAMOND, "batches": BATCHES}
HOW: dict[str, dict[str, Any]] = {
    "compiled": {},
    "batch 1": {"batch": 1},
    "batch 7": {"batch": 7},
    "spin": {"wait": "spin"},
    "yield": {"wait": "yield"},
    "block": {"wait": "block"},
    "interpreted": {"interpreted": True, "batch": 5},
    "stepped": {"single_thread": True},
    "stepped, interpreted": {"single_thread": True, "interpreted": True},
}


@pytest.mark.parametrize("how", HOW)
@pytest.mark.parametrize("name", SPECS)
def test_the_result_does_not_depend_on_how_it_ran(name: str, how: str) -> None:
    spec, rows = SPECS[name], ticks(300)
    assert through(spec, rows, **HOW[how]) == by_hand(spec, rows)


@pytest.mark.parametrize("shards", [1, 2, 5])
@pytest.mark.parametrize("name", ["diamond", "batches"])
def test_shards_give_the_bytes_of_one_ring(name: str, shards: int) -> None:
    spec, rows = SPECS[name], ticks(500)
    for how in ({}, {"batch": 3, "wait": "block"}, {"single_thread": True}):
        assert through(sharded(spec, shards), rows, **how) == by_hand(spec, rows)


def test_a_skewed_key_fills_one_shard_and_the_rest_goes_on() -> None:
    rows = ticks(2000)
    rows["key"] = np.where(np.arange(2000) % 500 == 0, rows["key"], 1)
    spec = sharded(ring(("bump", ()), ("total", ("bump",)), emit="both", capacity=4), 4)
    assert through(spec, rows) == by_hand(spec, rows)


@pytest.mark.parametrize("capacity", [1, 2, 4])
def test_the_smallest_rings_carry_everything(capacity: int) -> None:
    spec = ring(("bump", ()), ("odd", ("bump",)), capacity=capacity)
    assert through(spec, ticks(40)) == by_hand(spec, ticks(40))


def test_filtered_messages_are_counted_where_they_were_taken_out() -> None:
    with bring_up(DIAMOND) as made:
        kept = sum(len(batch) for batch in made.through([ticks(300)], "out"))
    report = made.report()
    taken = {s.name: s.filtered for s in report.stages}
    assert report.status == "done"
    assert report.messages_in == 300
    assert kept == sum(len(by_hand(DIAMOND, ticks(300))["out"]) // TICK.size for _ in range(1))
    assert taken["some"] > 0 and taken["small"] > 0 and taken["bump"] == 0


def fails_at_40(rec: Any) -> None:
    rec.px = rec.px // (rec.px - 40)


@pytest.mark.parametrize("how", [{}, {"interpreted": True}, {"single_thread": True}])
def test_a_failing_stage_stops_everything_and_is_told(how: dict[str, Any]) -> None:
    spec = ring(("odd", ()), ("bump", ("odd",)))
    made = run(spec, {"odd": keep_all, "bump": fails_at_40}, **how)
    with pytest.raises(StageFailed) as told, made:
        list(made.through([ticks(200)]))
    assert (told.value.stage, told.value.sequence) == ("bump", 40)
    assert "ZeroDivisionError" in str(told.value) and "px=40" in told.value.record
    assert made.report().status == "failed"


def batch_fails(batch: Any) -> None:
    for i in range(len(batch)):
        batch[i].qty = batch[i].qty // (batch[i].qty - 40)


@stage
def ends_in_failure(rec: Any, state: Any) -> None:
    state.n += 1


@ends_in_failure.end
def fails_at_the_end(out: Any, state: Any) -> int:
    half = state[: len(state) // 2]
    out[0].n = 1 // (len(half) - len(half))
    return 1


FAILING: dict[str, Any] = {"bump": fails_at_40, "double": batch_fails, "total": ends_in_failure}


@pytest.mark.parametrize("name", FAILING)
@pytest.mark.parametrize("interpreted", [False, True])
def test_a_run_that_failed_keeps_no_memory(name: str, interpreted: bool) -> None:
    emit = "both" if name == "total" else "rows"
    made = run(ring((name, ()), emit=emit), {name: FAILING[name]}, interpreted=interpreted)
    with pytest.raises(StageFailed), made:
        list(made.through([ticks(200)], "out"))
    stage = made.ring.shards[0].runners[0].place
    memory = [weakref.ref(array) for array in (stage.ring.slots, stage.held.table)]
    del made, stage
    for _ in range(2):  # the collector does not see what a view stands on, and takes another turn
        gc.collect()
    assert [array() is None for array in memory] == [True, True]


def keep_all(rec: Any) -> bool:
    return True


def drops_unasked(rec: Any) -> bool:
    return rec.px != 33


@pytest.mark.parametrize("interpreted", [False, True])
def test_a_stage_that_may_not_filter_and_does_fails(interpreted: bool) -> None:
    made = run(ring(("bump", ())), {"bump": drops_unasked}, interpreted=interpreted)
    with pytest.raises(StageFailed, match="min_out") as told, made:
        list(made.through([ticks(100)]))
    assert told.value.sequence == 33


@pytest.mark.parametrize("interpreted", [False, True])
def test_a_full_table_fails_at_the_first_new_key(interpreted: bool) -> None:
    from byteor.spec.build import SingleRingBuilder
    from byteor.spec.model import State
    from tests.exec.rings import FORMS, TOTAL

    fields = {**FORMS["total"], "state": State("total", ("key",), 3)}
    spec = SingleRingBuilder("small", TICK).type(TOTAL).stage("total", "rings:total", **fields)
    made = run(spec.egress(emit="end", sort=("key",)).build(), {"total": STAGES["total"]}, interpreted=interpreted)
    with pytest.raises(StageFailed, match=r"state\.max") as told, made:
        made.ingress().send(ticks(100))
        made.ingress().close()
        list(made.egress())
    assert told.value.sequence == 3


def test_stop_and_join_ends_what_runs() -> None:
    made = bring_up(CHAIN)
    made.start()
    made.ingress().send(ticks(20))
    made.stop_and_join()
    assert made.report().status == "stopped"
    with pytest.raises(Stopped):
        made.ingress().send(ticks(1000))


def test_a_full_ring_without_a_reader_is_told_and_not_waited_for() -> None:
    made = bring_up(ring(("bump", ()), capacity=8))
    with pytest.raises(WouldBlock, match="egress"), made:
        made.ingress().send(ticks(100))


def test_a_snapshot_tells_where_everything_is() -> None:
    made = bring_up(ring(("bump", ()), ("odd", ("bump",))), single_thread=True)
    made.start()
    made.ingress().send(ticks(10))
    before = made.snapshot()
    made.ring.step()
    after = made.snapshot()
    assert [(s.name, s.processed, s.lag) for s in before.stages] == [("bump", 0, 10), ("odd", 0, 0)]
    assert [(s.name, s.processed, s.lag) for s in after.stages] == [("bump", 10, 0), ("odd", 10, 0)]
    assert (after.messages_in, after.closed) == (10, False)
    made.ingress().close()
    made.join()


def test_rows_of_other_fields_are_refused() -> None:
    made = bring_up(ring(("bump", ())))
    with pytest.raises(TypeError, match="fields"), made:
        made.ingress().send(np.zeros(3, [("other", "<i8")]))


def test_rows_may_be_strided_or_tuples() -> None:
    spec = ring(("bump", ()))
    with bring_up(spec) as made:
        out = b"".join(b.tobytes() for b in made.through([ticks(40)[::2], [tuple(ticks(2)[1])]]))
    rows = np.concatenate([ticks(40)[::2], ticks(2)[1:]])
    assert {"out": out} == by_hand(spec, rows)


def fill(rec: Any, number: int) -> None:
    rec.key, rec.px, rec.qty = number % 13, number, 1


def test_a_compiled_source_fills_messages_in_their_slots() -> None:
    spec = ring(("bump", ()), ("total", ("bump",)), emit="end")
    with bring_up(spec) as made:
        made.ingress().fill(fill, 1000, piece=7)
        made.ingress().close()
        (ends,) = made.egress()
    assert int(ends["n"].sum()) == 1000
    assert int(ends["sum"].sum()) == sum(range(1000)) + 1000


def test_a_stage_that_runs_again_compiles_nothing_anew() -> None:
    from byteor.exec import compiler

    through(DIAMOND, ticks(10))
    before = compiler.loop.cache_info().misses
    through(DIAMOND, ticks(10))
    assert compiler.loop.cache_info().misses == before
