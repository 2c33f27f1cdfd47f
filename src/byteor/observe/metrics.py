"""A run's tables as Prometheus metrics: collected when somebody asks, and at no other time.

Rule 1. A scrape is a look: what is counted stands in the mapped tables, and nothing is counted here.
Rule 2. Counters never fall: positions and counts are those of the newest commits, which a successor goes on from.
Rule 3. Served on the loopback unless another address is asked for: metrics have no password.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from types import TracebackType
from typing import Any

from prometheus_client import CollectorRegistry, start_http_server
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from byteor.exec.snapshot import Snapshot
from byteor.plant.status import LaneStatus, RoleStatus, Status

Look = Callable[[], Snapshot | Status]
LOOPBACK = "127.0.0.1"
STATES = ("works", "starved", "crowded", "done", "gone")

_OfRole = tuple[tuple[str, str, Callable[[RoleStatus], int]], ...]
_ROLE_COUNTERS: _OfRole = (
    ("taken", "Records taken by the role's newest commit.", lambda r: r.taken),
    ("put", "Records put by the role's newest commit.", lambda r: r.put),
    ("commits", "Commits of the role.", lambda r: r.epoch),
    ("filtered", "Records that the role took out.", lambda r: r.filtered),
    ("dropped", "Records that found their lane full and were dropped.", lambda r: r.dropped),
    ("late", "Records left out because their field fell.", lambda r: r.late),
    ("restarts", "Successors of the role's first process.", lambda r: r.restarts),
    ("blocks", "Times the role slept on its bell.", lambda r: r.blocks),
)
_ROLE_GAUGES: _OfRole = (
    ("lag", "Records that lie before the role.", lambda r: r.lag),
    ("alive", "1 while a process holds the role.", lambda r: int(r.alive)),
    ("done", "1 once the role has ended its outputs.", lambda r: int(r.done)),
)
_LINK_COUNTERS: _OfRole = (
    ("sent", "Records that were sent, up to the first one that was not.", lambda r: r.sent),
    ("committed", "Records that are known to be committed on the receiving host.", lambda r: r.taken),
    ("stalls", "Times that records waited for room on the other host.", lambda r: r.stalls),
    ("rewinds", "Records that were sent or asked for again.", lambda r: r.rewinds),
    ("fenced", "Messages of old processes that were left out.", lambda r: r.fenced),
)
_LANE_GAUGES: tuple[tuple[str, str, Callable[[LaneStatus], int]], ...] = (
    ("depth", "Records in the lane that its slowest reader has not passed.", lambda n: n.depth),
    ("capacity", "Slots of the lane.", lambda n: n.capacity),
    ("closed", "1 once nothing more comes.", lambda n: int(n.closed)),
)


class RunCollector(Collector):
    """The metrics of one run, named `name`."""

    def __init__(self, name: str, look: Look) -> None:
        self._name, self._look = name, look

    def collect(self) -> Iterable[Metric]:
        now = self._look()
        yield self._whole(now)
        if isinstance(now, Status):
            yield from self._roles(now.roles)
            yield from self._lanes(now.lanes)
        else:
            yield from self._stages(now)

    def _whole(self, now: Snapshot | Status) -> Metric:
        family = CounterMetricFamily("byteor_messages", "Records that came in and that left.", labels=("plant", "way"))
        family.add_metric((self._name, "in"), now.messages_in)
        family.add_metric((self._name, "out"), now.messages_out)
        return family

    def _stages(self, now: Snapshot) -> Iterator[Metric]:
        """The stages of a ring."""
        labels = ("plant", "stage")
        processed = CounterMetricFamily("byteor_stage_processed", "Records that the stage is done with.", labels=labels)
        filtered = CounterMetricFamily("byteor_stage_filtered", "Records that the stage took out.", labels=labels)
        lag = GaugeMetricFamily("byteor_stage_lag", "Records that lie before the stage.", labels=labels)
        for stage in now.stages:
            for family, value in ((processed, stage.processed), (filtered, stage.filtered), (lag, stage.lag)):
                family.add_metric((self._name, stage.name), value)
        yield from (processed, filtered, lag)

    def _roles(self, roles: tuple[RoleStatus, ...]) -> Iterator[Metric]:
        labels = ("plant", "role", "kind")
        for name, text, value in _ROLE_COUNTERS:
            counter = CounterMetricFamily(f"byteor_role_{name}", text, labels=labels)
            for role in roles:
                counter.add_metric((self._name, role.name, role.kind), value(role))
            yield counter
        for name, text, value in _ROLE_GAUGES:
            gauge = GaugeMetricFamily(f"byteor_role_{name}", text, labels=labels)
            for role in roles:
                gauge.add_metric((self._name, role.name, role.kind), value(role))
            yield gauge
        yield from self._links([role for role in roles if role.is_link])
        yield self._waits(roles)
        yield self._states(roles)
        yield self._batches(roles)

    def _links(self, links: list[RoleStatus]) -> Iterator[Metric]:
        """The ends of lanes that cross hosts."""
        labels = ("plant", "role", "kind", "peer")
        up = GaugeMetricFamily("byteor_link_up", "1 while the other host is connected.", labels=labels)
        for link in links:
            up.add_metric((self._name, link.name, link.kind, link.peer), int(bool(link.connected)))
        yield up
        for name, text, value in _LINK_COUNTERS:
            counter = CounterMetricFamily(f"byteor_link_{name}", text, labels=labels)
            for link in links:
                counter.add_metric((self._name, link.name, link.kind, link.peer), value(link))
            yield counter

    def _waits(self, roles: tuple[RoleStatus, ...]) -> Metric:
        labels = ("plant", "role", "for")
        family = CounterMetricFamily("byteor_role_waits", "Times the role waited, by what was missing.", labels=labels)
        for role in roles:
            family.add_metric((self._name, role.name, "records"), role.starved)
            family.add_metric((self._name, role.name, "room"), role.crowded)
        return family

    def _states(self, roles: tuple[RoleStatus, ...]) -> Metric:
        labels = ("plant", "role", "state")
        family = GaugeMetricFamily("byteor_role_state", "1 for what the role is at as one looks.", labels=labels)
        for role in roles:
            for state in STATES:
                family.add_metric((self._name, role.name, state), int(role.state == state))
        return family

    def _batches(self, roles: tuple[RoleStatus, ...]) -> Metric:
        text = "Batches by size, counted in powers of two."
        family = HistogramMetricFamily("byteor_role_batch", text, labels=("plant", "role"))
        for role in roles:
            family.add_metric((self._name, role.name), list(_buckets(role.batches)), role.taken)
        return family

    def _lanes(self, lanes: tuple[LaneStatus, ...]) -> Iterator[Metric]:
        published = CounterMetricFamily("byteor_lane_published", "Records published.", labels=("plant", "lane"))
        for lane in lanes:
            published.add_metric((self._name, lane.name), lane.published)
        yield published
        for name, text, of in _LANE_GAUGES:
            gauge = GaugeMetricFamily(f"byteor_lane_{name}", text, labels=("plant", "lane"))
            for lane in lanes:
                gauge.add_metric((self._name, lane.name), of(lane))
            yield gauge
        gated = GaugeMetricFamily(
            "byteor_lane_gated",
            "1 for a reader that holds a full lane's producer back.",
            labels=("plant", "lane", "by"),
        )
        for lane in lanes:
            for reader in lane.gated_by:
                gated.add_metric((self._name, lane.name, reader), 1)
        yield gated


def _buckets(batches: tuple[int, ...]) -> Iterator[tuple[str, float]]:
    """How many batches are no larger than each bound, up to the largest that there was."""
    last = max((k for k, count in enumerate(batches) if count), default=-1)
    total = 0
    for k, count in enumerate(batches[: last + 1]):
        total += count
        yield f"{2.0 ** (k + 1) - 1:.1f}", total
    yield "+Inf", total


class Served:
    """The metrics of one run over HTTP; a context that ends with the run."""

    def __init__(self, name: str, look: Look, port: int, address: str = LOOPBACK) -> None:
        registry = CollectorRegistry(auto_describe=False)
        registry.register(RunCollector(name, look))
        self._server: Any
        self._server, self._thread = start_http_server(port, address, registry)
        self.address, self.port = address, int(self._server.server_port)

    def __enter__(self) -> Served:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
