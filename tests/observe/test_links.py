"""Links as they are shown: in tables, on the screen, as metrics, and as what holds a plant back."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from byteor.cli.screen import picture
from byteor.cli.status import text_of
from byteor.observe.meter import Meter, Motion
from byteor.observe.why import judge
from byteor.observe.window import Window
from byteor.plant import hosts
from tests.place.test_commands import wanted
from tests.place.test_hosts import placed

COUNTS: dict[str, Any] = {"sent": 900, "taken": 800, "put": 800, "stalls": 7, "rewinds": 5, "fenced": 3, "lag": 100}


@pytest.fixture(scope="module")
def window(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Window]:
    """The part of a host whose supervisor has it, before anything runs."""
    a, _ = placed(tmp_path_factory.mktemp("placed"), dirs=True)
    made = hosts.open_part(wanted(a), a.folder, anew=False)
    assert not isinstance(made, str)
    window = Window(a.folder)
    assert window.live
    yield window
    made.held.remove()


def moved(window: Window, connected: bool) -> Motion:
    """A plant that is at work, with a link that stands so."""
    motion = Meter(window).take()
    roles = []
    for one in motion.roles:
        now = replace(one.now, alive=True, waits=1)
        if now.is_link:
            now = replace(now, connected=connected, **COUNTS)
        roles.append(replace(one, now=now, works=0.0, starved=1.0))
    return replace(motion, roles=tuple(roles), lanes=tuple(replace(lane, full=1.0) for lane in motion.lanes))


def test_a_link_is_shown_in_tables(window: Window) -> None:
    text = "\n".join(text_of(window, moved(window, True)))
    head = next(line for line in text.splitlines() if line.startswith("link"))
    row = next(line for line in text.splitlines()[text.splitlines().index(head) :] if line.startswith("tax_out.out"))
    assert head.split() == ["link", "other", "host", "connection", "sent", "committed", "stalls", "rewinds", "fenced"]
    assert row.split() == ["tax_out.out", "b", "up", "900", "800", "7", "5", "3"]


def test_a_link_is_shown_on_the_screen(window: Window) -> None:
    drawn = picture(window, moved(window, False))
    assert "STALLS" in drawn and "REWINDS" in drawn and "down" in drawn


def test_a_link_without_a_connection_holds_back(window: Window) -> None:
    verdict = judge(window, moved(window, False))
    assert (verdict.what, verdict.names) == ("link", ("tax_out.out",))
    assert "is not connected to `b`, and 100 records wait before it" in verdict.sentence


def test_a_link_without_room_holds_back(window: Window) -> None:
    verdict = judge(window, moved(window, True))
    assert (verdict.what, verdict.names) == ("link", ("tax_out.out",))
    assert "waited 100% of the time for `b`" in verdict.sentence and "256 slots" in verdict.sentence


def test_a_link_has_metrics(window: Window) -> None:
    pytest.importorskip("prometheus_client")
    from prometheus_client import CollectorRegistry, generate_latest

    from byteor.observe.metrics import RunCollector

    motion = moved(window, True)
    status = replace(window.status(), roles=tuple(one.now for one in motion.roles))
    registry = CollectorRegistry()
    registry.register(RunCollector("orders", lambda: status))
    said = generate_latest(registry).decode()
    labels = '{kind="out",peer="b",plant="orders",role="tax_out.out"}'
    counts = {"sent": 900, "committed": 800, "stalls": 7, "rewinds": 5, "fenced": 3}
    assert f"byteor_link_up{labels} 1.0" in said
    assert all(f"byteor_link_{name}_total{labels} {count}.0" in said for name, count in counts.items())
