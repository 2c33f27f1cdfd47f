"""Every code of the model plane has a file that triggers it, and answers as it says."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from byteor import diag
from tests.spec import golden

LETTERS = ("K", "S", "P", "L")
PATHS = golden.files()


@pytest.mark.parametrize("path", PATHS, ids=[path.stem for path in PATHS])
def test_the_answer_is_the_one_in_the_file(path: Path) -> None:
    case = golden.golden_of(path)
    found, source = case.answer()
    rendered = diag.render(found, source)
    if os.environ.get("BYTEOR_GOLDEN") == "write":
        case.rewrite(rendered)
        return
    assert rendered == case.wanted


@pytest.mark.parametrize("path", PATHS, ids=[path.stem for path in PATHS])
def test_a_file_triggers_the_codes_in_its_name_and_no_others(path: Path) -> None:
    case = golden.golden_of(path)
    assert {d.code for d in case.answer()[0]} == case.codes


def test_every_code_of_the_model_plane_has_a_file() -> None:
    declared = {code for code in diag.RULES if code[0] in LETTERS}
    triggered = {code for path in PATHS for code in golden.golden_of(path).codes}
    assert triggered == declared


def test_five_files_have_three_findings_at_once() -> None:
    many = [path for path in PATHS if len(golden.golden_of(path).answer()[0]) >= 3]
    assert len(many) >= 5


def test_every_page_has_its_headings() -> None:
    for code, rule in diag.RULES.items():
        if code[0] in LETTERS:
            assert [line.partition(":")[0] for line in rule.doc.splitlines()] == [
                "What",
                "Why",
                "Example",
                "Instead",
            ], code
