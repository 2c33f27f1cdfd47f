"""A plant taken apart: which roles are where, which lanes cross, and why.

Rule 1. What is promised of every cut is held over random plants and random hosts.
"""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest

from byteor.lower.examine import examine
from byteor.place.cut import Cut, Subject, crossings, cut, notes_of
from byteor.place.examine import examine as examine_place
from byteor.place.model import Host, Hosts, LinkIntent
from byteor.place.rules import validate
from byteor.spec import kv
from tests.plants.dags import dag

PLAN = Path(__file__).parent / "plan.toml"
FLIGHTS = Path(__file__).parents[2] / "examples" / "flights-plant" / "plan.toml"


def subject(path: Path, *hosts: Host, link: tuple[LinkIntent, ...] = ()) -> Subject:
    seen = examine(path.read_text(), path.name)
    return Subject(Hosts(1, path.name, host=hosts, link=link), seen.spec, seen.parts, seen.placement)


def three() -> Subject:
    first = ("weather", "flights", "as_weather", "as_flight", "by_time", "enrich", "by_key")
    last = ("by_time_again", "alert", "events", "alerts")
    roles = {"east": (*first, "worker_a"), "west": ("worker_b", *last), "south": ("worker_c",)}
    return subject(FLIGHTS, *(Host(name, f"127.0.0.{i}:7400", them) for i, (name, them) in enumerate(roles.items(), 1)))


def ends(made: Cut) -> list[tuple[str, str, str, str]]:
    return [(one.lane, one.from_, one.to, one.connect) for one in made.crossings]


def test_the_workers_of_a_router_and_the_inputs_of_a_merge_cross() -> None:
    made = cut(three())
    assert ends(made) == [
        ("by_key_to_worker_b", "east", "west", "127.0.0.2:7400"),
        ("by_key_to_worker_c", "east", "south", "127.0.0.3:7400"),
        ("worker_a_to_by_time_again", "east", "west", "127.0.0.2:7401"),
        ("worker_c_to_by_time_again", "south", "west", "127.0.0.2:7402"),
    ]
    assert made.part("south").roles == ("worker_c",)
    assert [one.lane for one in made.part("south").out] == ["worker_c_to_by_time_again"]
    assert [one.lane for one in made.part("south").into] == ["by_key_to_worker_c"]


def test_a_fanout_to_several_hosts_has_a_pair_for_each() -> None:
    roles = {"east": ("orders", "clean"), "west": ("tax", "taxed"), "south": ("count", "counted")}
    link = (LinkIntent("clean_out", "south", port=9000, fabric="zenoh", capacity=8192),)
    hosts = (Host(name, f"{name}:7400", them, listen="0.0.0.0") for name, them in roles.items())
    made = cut(subject(PLAN, *hosts, link=link))
    west, south = made.crossings
    assert (west.lane, west.to, west.listen, west.fabric, west.several) == (
        "clean_out", "west", "0.0.0.0:7400", "tcp", True,
    )  # fmt: skip
    assert (south.connect, south.fabric, south.capacity) == ("south:9000", "zenoh", 8192)
    assert made.part("east").capacities == made.part("south").capacities == {"clean_out": 8192}
    assert made.part("west").capacities == {}


def test_what_lowering_inserted_goes_with_its_part() -> None:
    first = Host("a", "a:1", ("count", "counted"))
    made = cut(subject(PLAN, first, Host("b", "b:1", ("orders", "clean", "tax", "taxed"))))
    assert {"audit_tap"} <= set(made.part("a").roles) and {"orders_bridge"} <= set(made.part("b").roles)


def test_each_pair_says_why_it_is_there() -> None:
    (note, *rest) = notes_of(three())
    assert note.path == "lane_graph.lanes.7" and len(rest) == 3
    assert note.message == (
        "`by_key` writes lane `by_key_to_worker_b` on east, `worker_b` reads it on west: `by_key_to_worker_b.out` "
        "ships it to 127.0.0.2:7400 over tcp, `by_key_to_worker_b.in` takes it; 4096 slots on each side"
    )


def test_a_placement_does_not_change_the_hash_of_the_spec() -> None:
    seen = examine(PLAN.read_text(), "plan.toml")
    before = kv.spec_sha256(seen.spec)
    text = 'place = 1\nplan = "plan.toml"\n[[host]]\nname = "a"\naddress = "a:1"\n'
    text += 'roles = ["orders", "clean", "count", "counted"]\n'
    text += '[[host]]\nname = "b"\naddress = "b:1"\nroles = ["tax", "taxed"]\n'
    placed = examine_place(text, "place.toml", seen)
    _, same, made = placed.usable()
    assert kv.spec_sha256(same.graph) == before and [one.lane for one in made.crossings] == ["clean_out"]


@pytest.mark.parametrize(
    ("rate", "trip", "capacity", "need", "fit"),
    [
        (8_192_000, 10_000, None, None, None),  # 4,096 records of 20 bytes just fit
        (8_192_001, 10_000, None, 4097, "8192"),
        (125_000_000, 10_000, 65536, None, None),
        (2**40, 10_000_000, None, 2**40 // 2, "no lane is that large"),
    ],
)
def test_a_lane_is_as_large_as_what_is_under_way(
    rate: int, trip: int, capacity: int | None, need: int | None, fit: str | None
) -> None:
    near = Host("a", "127.0.0.1:1", ("orders", "clean", "count", "counted"))
    link = (LinkIntent("clean_out", "b", capacity=capacity, bytes_per_second=rate, round_trip_us=trip),)
    placed = subject(PLAN, near, Host("b", "127.0.0.2:1", ("tax", "taxed")), link=link)
    assert placed.graph.lanes[cut(placed).crossings[0].number].slot_bytes == 20
    told = [d for d in validate(placed) if d.code == "P084"]
    assert [d.path for d in told] == (["link.0"] if need else [])
    assert all(f"{need} records are under way" in d.message and str(fit) in d.help for d in told)


@pytest.mark.parametrize("seed", range(12))
def test_every_lane_is_whole_on_the_hosts_where_it_is(seed: int) -> None:
    graph, random = dag(seed).graph, Random(seed)
    bare = Subject(Hosts(1, "x"), graph)
    names = [role.name for role in bare.flow.roles]
    at = {name: random.choice(("east", "west", "south")) for name in names}
    used = sorted(set(at.values()))
    hosts = (Host(h, f"127.0.0.{i}:7400", tuple(n for n in names if at[n] == h)) for i, h in enumerate(used, 1))
    whole = Subject(Hosts(1, "x", host=tuple(hosts)), graph)
    assert not any(d.is_error for d in validate(whole))
    made = cut(whole)
    assert sorted(name for part in made.parts for name in part.roles) == sorted(names)
    assert len({one.connect for one in made.crossings}) == len(made.crossings)
    arrives = {(one.number, one.to) for one in crossings(whole, at)}
    for number, (writers, readers) in enumerate(zip(whole.flow.writers, whole.flow.readers, strict=True)):
        for reader in readers:
            assert at[reader.name] == at[writers[0].name] or (number, at[reader.name]) in arrives
