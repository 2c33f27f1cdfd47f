"""The oracle against cases worked out by hand, and against plants played under random schedules; and what dags are.

Rule 1. By hand, a record is its `time` and a letter; what is expected is written down, never computed.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest

import byteor
from byteor.spec import rules
from byteor.spec.build import message_type
from byteor.spec.build_lanes import LaneGraphBuilder
from byteor.spec.lane_graph import LaneGraph
from byteor.spec.model import End, Field, Stage, State
from tests.plan import plant_model
from tests.plants.dags import dag, dags
from tests.plants.oracle import Answer, Fails, expected, key_hash
from tests.plants.rows import packed

ROOT = Path(__file__).resolve().parents[2]
NOTE = message_type("note", {"time": "i64", "text": "bytes(8)", "from": "u8"})
SEEN = message_type("seen", {"text": "bytes(8)", "sum": "i64"})
KIND = np.dtype([("time", "<i8"), ("text", "S8"), ("from", "u1")])


def plant(*lanes: str, **kinds: str) -> LaneGraphBuilder:
    """Notes on small lanes; `kinds` names those that are no events lanes."""
    made = LaneGraphBuilder("demo", NOTE, SEEN)
    for name in lanes:
        made.lane(name, "note", kinds.get(name, "events"), capacity=4)
    return made


def notes(text: str) -> np.ndarray:
    """`1a 1b 2c`: times with letters."""
    return np.array([(int(one[:-1]), one[-1].encode(), 0) for one in text.split()], KIND)


def shown(rows: np.ndarray, stamp: bool = False) -> str:
    return " ".join(f"{row['time']}{row['text'].decode()}{row['from'] if stamp else ''}" for row in rows)


def answer(graph: LaneGraph, stages: dict[str, Any] | None = None, **sources: str) -> Answer:
    return expected(graph, stages or {}, {name: notes(text) for name, text in sources.items()})


def given(graph: LaneGraph, stages: dict[str, Any] | None = None, stamp: bool = False, **sources: str) -> str:
    return shown(answer(graph, stages, **sources).egresses["out"], stamp)


def doubled(rec: Any, out: Any) -> int:
    for i in range(2):
        out[i].time, out[i].text = rec.time, rec.text + b"01"[i : i + 1]
    return 2


def vowels(rec: Any) -> Any:
    return rec.text in (b"a", b"e")


def test_keys_are_hashed_as_the_contract_says() -> None:
    table = re.findall(r"^\| `?([^|`]*)`? \| `(\w{16})` \|", (ROOT / "spec/shard_hash.md").read_text(), re.MULTILINE)
    assert len(table) == 4
    for key, wanted in table:
        assert f"{key_hash(bytes.fromhex('' if 'empty' in key else key)):016x}" == wanted


def test_work_is_dealt_out_in_turn_and_taken_back_in_turn() -> None:
    made = plant("a", "left", "right", "b").ingress("in", "a").router("deal", "a", ["left", "right"])
    graph = made.merge("back", ["left", "right"], "b", "round_robin", stamp="from").egress("out", "b").build()
    found = answer(graph, **{"in": "1a 1b 2c"})
    assert (shown(found.lanes["left"]), shown(found.lanes["right"])) == ("1a 2c", "1b")
    assert given(graph, stamp=True, **{"in": "1a 1b 2c"}) == "1a0 1b1 2c0"


def test_every_record_of_a_key_goes_one_way() -> None:
    made = plant("a", "left", "right").ingress("in", "a").router("deal", "a", ["left", "right"], "by_key", "time")
    found = answer(made.egress("out", "left").egress("rest", "right").build(), **{"in": "1a 2b 1c 3d"})
    ways = [{row["time"].item() for row in found.egresses[name]} for name in ("out", "rest")]
    assert ways[0] | ways[1] == {1, 2, 3} and not ways[0] & ways[1]
    # 0x4a3a3a4ba6523826, the contract's own hash of eight bytes that say 1, is even.
    assert 1 in ways[0] and 1 not in ways[1]


def diamond(**lane: Any) -> LaneGraphBuilder:
    made = LaneGraphBuilder("demo", NOTE, SEEN).lane("a", "note", "fanout").lane("few", "note")
    made.lane("all", "note", **lane).lane("b", "note").ingress("in", "a")
    made.stage("keep", "a", "few", "m:f", min_out=0, writes=()).stage("more", "a", "all", "m:f", max_out=2)
    return made.merge("join", ["all", "few"], "b", field="time", stamp="from").egress("out", "b")


def test_branches_meet_in_the_order_in_which_they_parted() -> None:
    stages = {"keep": vowels, "more": doubled}
    # Of one origin, what came by the lane with the lower number is first: `few` stands before `all`.
    wanted = "1a1 1a00 1a10 1b00 1b10 1e1 1e00 1e10 2c00 2c10"
    assert given(diamond().build(), stages, True, **{"in": "1a 1b 1e 2c"}) == wanted


def test_a_new_numbering_on_one_way_comes_behind_the_other_at_equal_times() -> None:
    made = plant("a", "b", "c", "d").ingress("x", "b").ingress("y", "a")
    graph = made.merge("join", ["b", "a"], "c", field="time", stamp="from").bridge("on", "c", "d").egress("out", "d")
    # Lane `a` has number 0, so what comes by it is first, whatever the merge's own order.
    assert given(graph.build(), stamp=True, x="1a 1b 3c", y="1d 2e 3f") == "1d1 1a0 1b0 2e1 3f1 3c0"


def ending(time: int, count: int = 2) -> Any:
    @byteor.stage
    def keep(rec: Any, state: Any) -> None:
        state.sum += rec.time

    @keep.end
    def last(out: Any, state: Any) -> int:
        for i in range(count):
            out[i].time, out[i].text = time, b"%d" % (state.sum + i)
        return count

    return keep


def with_end(time: int, count: int = 2, source: str = "1a 2b 2e") -> str:
    """`few` filters before `sum`, which gives something at its end."""
    made = plant("a", "few", "b", "c", "d", a="fanout").ingress("in", "a")
    made.stage("keep", "a", "few", "m:f", writes=(), min_out=0).stage("same", "a", "c")
    made.stage("sum", "few", "b", "m:f", writes=(), state=State("seen"), end=End("note", 2))
    graph = made.merge("join", ["c", "b"], "d", field="time").egress("out", "d").build()
    return given(graph, {"sum": ending(time, count), "keep": vowels}, **{"in": source})


def test_what_an_end_gives_is_behind_all_that_came() -> None:
    assert with_end(2) == "1a 1a 2b 2e 2e 23 24"
    assert with_end(9) == "1a 1a 2b 2e 2e 93 94"


@pytest.mark.parametrize(
    ("time", "count", "source"),
    [(1, 1, "1a 2b 2e"), (2, 3, "1a 2b 2e"), (2, 1, "1a 3b")],
    ids=["falls", "too many", "falls below what was filtered before it"],
)
def test_an_end_that_falls_or_gives_too_much_fails(time: int, count: int, source: str) -> None:
    with pytest.raises(Fails, match="sum"):
        with_end(time, count, source)


def test_late_records_fail_or_are_dropped_where_their_numbering_starts() -> None:
    for late in ("fail", "drop"):
        made = plant("a", "b", "c").ingress("x", "a").ingress("y", "b")
        graph = made.merge("join", ["a", "b"], "c", field="time", late=late).egress("out", "c").build()
        if late == "fail":
            with pytest.raises(Fails, match=r"`y`: record 2 is late"):
                answer(graph, x="1a", y="1b 3c 2d 3e")
        else:
            found = answer(graph, x="1a", y="1b 3c 2d 3e")
            assert (shown(found.egresses["out"]), found.late) == ("1a 1b 3c 3e", Counter(y=1))


def alone(stage: Any, source: str = "1a 2b 1e", **fields: Any) -> Answer:
    made = plant("a", "b").ingress("in", "a").stage("it", "a", "b", "m:f", **fields).egress("out", "b")
    return answer(made.build(), {"it": stage}, **{"in": source})


def counted(rec: Any, state: Any, p: Any) -> None:
    state.sum += p.step
    rec["from"] = state.sum


def masked(batch: Any, index: Any, state: Any) -> Any:
    for i in range(len(batch)):
        state[index[i]].sum += batch[i].time
    batch["from"] = state["sum"][index]
    return batch["text"] != b"b"


def test_state_is_kept_by_key_and_parameters_are_given() -> None:
    keyed = {"state": State("seen", ("text",), 2), "params": {"step": 3}}
    assert shown(alone(counted, "1a 1b 1a 1a", **keyed).egresses["out"], True) == "1a3 1b3 1a6 1a9"
    with pytest.raises(Fails, match="table is full"):
        alone(counted, "1a 1b 1c", **keyed)
    found = alone(masked, "1a 2b 1a", form="batch", min_out=0, state=State("seen", ("text",), 2))
    assert shown(found.egresses["out"], True) == "1a2 1a2" and found.filtered == Counter(it=1)


def forged(batch: Any, out: Any, src: Any) -> int:
    out[: len(batch)] = batch
    src[: len(batch)] = range(len(batch))
    return len(batch)


@pytest.mark.parametrize(
    ("stage", "fields"),
    [
        (vowels, {}),
        (lambda rec, out: 3, {"max_out": 2}),
        (lambda rec, out: None, {"max_out": 2}),
        (lambda rec, out: 0, {"max_out": 2}),
        (lambda batch: np.ones(2, bool), {"form": "batch", "min_out": 0}),
        (lambda rec: rec.price, {}),
    ],
    ids=["filters unasked", "too many", "nothing said", "too few", "misfit", "raises"],
)
def test_what_a_stage_may_not_do_fails(stage: Any, fields: dict[str, Any]) -> None:
    with pytest.raises(Fails, match="it"):
        alone(stage, **fields)


def test_a_stage_before_a_merge_may_not_change_the_field_it_orders_by() -> None:
    def later(rec: Any, out: Any) -> int:
        out[0].time = rec.time + 1
        return 1

    with pytest.raises(Fails, match="`time` is not that of the record"):
        answer(diamond().build(), {"keep": vowels, "more": later}, **{"in": "1a 2b"})


def test_a_batch_says_of_which_record_each_one_came() -> None:
    made = plant("a", "b", "c", "d", a="fanout").ingress("in", "a")
    made.stage("copy", "a", "b", "m:f", form="batch", src=True).stage("same", "a", "c")
    graph = made.merge("join", ["c", "b"], "d", field="time", stamp="from").egress("out", "d").build()
    assert given(graph, {"copy": forged}, True, **{"in": "1a 1b 2c"}) == "1a1 1a0 1b1 1b0 2c1 2c0"


@pytest.mark.parametrize("policy", ["arrival", "first_idle", "drop"])
def test_what_depends_on_timing_has_no_answer(policy: str) -> None:
    made = plant("a").lane("b", "note", on_full="drop" if policy == "drop" else "block").lane("c", "note")
    made.lane("d", "note").ingress("in", "a")
    made.router("deal", "a", ["b", "c"], "first_idle" if policy == "first_idle" else "work_queue")
    made.merge("join", ["b", "c"], "d", "arrival").egress("out", "d")
    with pytest.raises(ValueError, match="depends on timing"):
        answer(made.build(), **{"in": "1a"})


def test_a_source_may_be_sorted_equal_ones_as_they_came() -> None:
    graph = plant("a").ingress("in", "a", sort_by="time").egress("out", "a").build()
    assert given(graph, **{"in": "3a 1b 3c 1d"}) == "1b 1d 3a 3c"


LEAST = {
    **dict.fromkeys(("filter", "one to many", "type change", "keyed state", "fanout", "router by_key"), 100),
    **dict.fromkeys(("router work_queue", "merge of one numbering", "equal times beyond every capacity"), 100),
    **dict.fromkeys(("router broadcast", "merge round_robin", "merge of several numberings", "end", "bridge"), 40),
    **dict.fromkeys(("late: drop", "batch", "plain", "empty source", "sorted source", "several sources"), 40),
    **dict.fromkeys(("capacity 1", "capacity 2", "capacity 4", "capacity 8", "merge that stamps"), 100),
    "numbered anew": 10,
}


def test_dags_are_valid_have_an_answer_and_leave_nothing_out() -> None:
    total, leaving = Counter[str](), 0
    for made in dags(300):
        assert rules.validate(made.graph) == ()
        leaving += sum(map(len, expected(made.graph, made.stages, made.rows).egresses.values()))
        total += made.used
    print(leaving, "records leave", dict(sorted(total.items())))
    assert {what: total[what] for what, least in LEAST.items() if total[what] < least} == {}
    assert leaving > 10_000


def test_a_seed_says_which_dag_is_made() -> None:
    first, again = dag(7), dag(7)
    assert first.graph == again.graph
    assert all((first.rows[name] == again.rows[name]).all() for name in first.rows)
    assert any(lane.kind == "journal" for made in dags(20, journals=True) for lane in made.graph.lanes)


def played(graph: LaneGraph) -> LaneGraph:
    """A graph as the model of schedules plays it: every record has a trail, and no key and no `end` matters."""
    types = [replace(one, fields=(*one.fields, Field("trail", "bytes(120)"))) for one in graph.types]
    stages = [replace(r, stage=replace(r.stage, form="message", src=False, state=None, end=None)) for r in graph.stages]
    routers = [replace(one, policy="work_queue") if one.policy == "by_key" else one for one in graph.routers]
    return replace(graph, types=tuple(types), stages=tuple(stages), routers=tuple(routers))


def trailing(stage: Stage) -> Any:
    """The model's stage: a hash of the trail says how many go on."""

    def count(rec: Any) -> int:
        return stage.min_out + plant_model._hash(rec.trail.decode()) % (stage.max_out - stage.min_out + 1)

    def in_place(rec: Any) -> Any:
        kept = count(rec) > 0
        rec.trail = rec.trail + f"{stage.name[0]}0".encode()
        return kept

    def out(rec: Any, out: Any) -> int:
        for i in range(count(rec)):
            out[i].time, out[i].trail = rec.time, rec.trail + f"{stage.name[0]}{i}".encode()
        return count(rec)

    return in_place if stage.in_place else out


def test_plants_that_are_played_under_random_schedules_end_and_give_the_same() -> None:
    leaving = 0
    for made in dags(60, seed=1000):
        graph, random = played(made.graph), Random(made.seed)
        found = plant_model.play(graph, made.seed, schedule=made.seed)
        rows = {at.ingress.name: _trails(graph, random, i) for i, at in enumerate(graph.ingresses)}
        wanted = expected(graph, {r.stage.name: trailing(r.stage) for r in graph.stages}, rows).egresses
        told = {name: [(row["time"], row["trail"].decode()) for row in rows] for name, rows in wanted.items()}
        assert found == told, f"seed {made.seed}"
        leaving += sum(map(len, told.values()))
    assert leaving > 3_000


def _trails(graph: LaneGraph, random: Random, number: int) -> np.ndarray:
    ingress = graph.ingresses[number].ingress
    source = plant_model.source_of(random, ingress.name)
    rows = np.zeros(len(source), packed(next(one for one in graph.types if one.name == ingress.type)))
    rows["time"], rows["trail"] = [one[0] for one in source], [one[2].encode() for one in source]
    return rows
