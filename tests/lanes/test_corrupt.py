"""Files that are not what they say: each has its code, nothing crashes, nothing hangs."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest

from byteor import lanes
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
