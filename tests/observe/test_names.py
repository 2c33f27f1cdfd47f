"""A plant is found by its folder, or by its name where one such plant can be meant."""

from __future__ import annotations

from pathlib import Path

import pytest

from byteor.diag import Refused
from byteor.observe.window import Window, find
from byteor.plant import directory


def refused(plant: str, parent: Path) -> str:
    with pytest.raises(Refused) as caught:
        find(plant, str(parent))
    (found,) = caught.value.diagnostics
    return found.code


def test_names(tmp_path: Path) -> None:
    assert refused("made", tmp_path) == "X042"
    with directory.create("made", parent=tmp_path) as one:
        assert find("made", str(tmp_path)) == one.where
        assert find(str(one.where)) == one.where
        left = directory.create("made", parent=tmp_path)
        assert refused("made", tmp_path) == "X060"
        left.release()
        assert find("made", str(tmp_path)) == one.where  # the one that lives
    assert refused("made", tmp_path) == "X060"


def test_a_plant_whose_regions_are_not_made_yet(tmp_path: Path) -> None:
    with directory.create("made", parent=tmp_path) as held, pytest.raises(Refused) as caught:
        Window(held.where)
    assert caught.value.diagnostics[0].message == "its regions are not made yet"
