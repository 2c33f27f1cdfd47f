"""Files that are not what they say: each has its code, nothing crashes, nothing hangs."""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from byteor import lanes
from byteor.diag import Refused
from byteor.lanes.look import look
from byteor.testing.corrupt import BY_HAND, ROW, SEGMENTS_BY_HAND, Bent, bent_headers, codes, good, held_to, used, write


@pytest.mark.parametrize("bent", BY_HAND, ids=lambda bent: bent.name)
def test_a_file_bent_by_hand_has_its_code(bent: Bent, folder: Path) -> None:
    raw = bytearray(good(folder, bent.of).read_bytes())
    bent.bend(raw)
    write(folder / "bent", raw, bent.mode)
    assert bent.code in codes(lambda: lanes.open("bent", ROW, wait=0)) | codes(lambda: lanes.open("bent", wait=0))
    seen = look(folder / "bent")
    by_opening_alone = ("T014", "T018", "T031", "T043")  # what can be judged only by who knows what it wants
    assert bent.code in {found.code for found in seen.findings} or bent.code in by_opening_alone


@pytest.mark.parametrize("bent", SEGMENTS_BY_HAND, ids=lambda bent: bent.name)
def test_a_segment_bent_by_hand_has_its_code(bent: Bent, folder: Path) -> None:
    path = good(folder, bent.of).with_name("all.00000001")
    raw = bytearray(path.read_bytes())
    bent.bend(raw)
    path.write_bytes(raw)
    with lanes.open("all") as lane:
        assert bent.code in codes(lambda: list(lane.replay(60)))
        found = {one.code for one in lane.verify().findings}
        assert found == {bent.code} or (bent.name == "a record of another type's length" and found)
        assert len(codes(lambda: [lane.replay().receive() for _ in range(1)])) == 0, "what lies before it is there"


def test_headers_bent_at_random_are_findings_or_lanes(folder: Path) -> None:
    seen: set[str] = set()
    for raw in itertools.islice(bent_headers(folder, seed=1), 300):
        seen |= held_to(folder, raw)
    assert {"A001", "A003", "T012", "T019", "T043", "opened"} <= seen


def test_what_is_sound_is_used(folder: Path) -> None:
    for of in ("events", "state", "journal", "all"):
        good(folder, of)
        assert codes(lambda of=of: used(folder, of)) == set()  # type: ignore[misc]


ODD = (0, 1, -1, 5, 4096, 2**31, 2**40, 2**62, -(2**62), 2**63 - 1, -(2**63))


@pytest.mark.parametrize("of", ["state", "journal", "all"])
def test_live_words_that_say_nonsense_harm_nobody(of: str, folder: Path) -> None:
    """Whatever another process writes to its words: an answer, a refusal or an exception of ours, and no hang."""
    dice = random.Random(of)
    for _ in range(150):
        path = good(folder, of)
        with lanes.open(of) as lane, lanes.open(of) as other:
            words = [w for w in ("cursor", "intent", "closed", "gate", "sequence") if w in lane._block.layout.cells]
            taking = lane.reader() if of == "state" else lane.replay(dice.choice((0, 50, 10**9)))
            for word in dice.sample(words, 2):
                other._block.write(word, dice.choice(ODD))
            for work in uses(lane, taking):
                try:
                    work()
                except (Refused, lanes.Contended, lanes.Closed, TimeoutError):
                    continue
        for left in folder.glob(f"{path.name}*"):
            left.unlink()


def uses(lane: Any, taking: Any) -> list[Callable[[], object]]:
    """What is done with a lane whose words are nonsense."""
    if hasattr(taking, "get"):
        return [taking.get, lambda: taking.get_newer(timeout=0), lambda: lane.writer().put((1, 1.0)), taking.get]
    gated = [lambda: lane.reader().receive(timeout=0), lambda: lane.writer().append((1, 1.0))]
    return [lambda: taking.receive(timeout=0), *gated, lane.verify, lane.segments, lambda: lane.replay(3).try_receive()]
