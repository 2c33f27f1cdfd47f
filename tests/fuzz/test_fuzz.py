"""Hostile documents keep the promises: those that once broke one, and a few thousand that are made anew."""

from __future__ import annotations

from pathlib import Path

import pytest

from dev import fuzz

HERE = Path(__file__).parent
PAST = sorted(path for path in HERE.iterdir() if path.suffix[1:] in fuzz.FORMS)
JUDGE = fuzz.Judge()


@pytest.mark.parametrize("path", PAST, ids=lambda path: path.name)
def test_what_once_broke_a_promise_keeps_it(path: Path) -> None:
    JUDGE(path.suffix[1:], path.read_bytes())


@pytest.mark.parametrize("line", [".name=x", "name.=x", "single_ring..name=x", "=x"])
def test_a_key_with_a_part_missing_is_none_wherever_it_stands(line: str) -> None:
    for before in ("kind=single_ring", "single_ring.name=x", "single_ring.types.0.name=x"):
        head = f"byteor.kv=1\nname=x\n{before}\n"
        assert "K004" in JUDGE("kv", f"{head}{line}\n".encode()), before


@pytest.mark.parametrize("form", fuzz.FORMS)
def test_mutated_documents_are_answered(form: str) -> None:
    mutator = fuzz.Mutator(1, fuzz.corpus(form))
    for number in range(300):
        data = mutator.next()
        mutator.learn(data, JUDGE(form, data, number % 8 == 0))


def test_a_seed_says_which_inputs_are_made() -> None:
    first, again = (fuzz.Mutator(3, fuzz.corpus("kv")) for _ in "12")
    assert [first.next() for _ in range(50)] == [again.next() for _ in range(50)]


def test_a_broken_promise_is_told_kept_and_ends_in_a_status(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(fuzz, "ROOT", tmp_path)
    monkeypatch.setattr(fuzz, "corpus", lambda form: [b"byteor.kv=1\n"])
    monkeypatch.setattr(fuzz, "Judge", lambda: _refuses)
    assert fuzz.fuzz(60.0, 20, 1, "kv") == 1
    assert "20 broken" in capsys.readouterr().out and len(list((tmp_path / "build/fuzz").glob("*.kv"))) == 1


def _refuses(form: str, data: bytes, twice: bool = True) -> tuple[str, ...]:
    raise ZeroDivisionError(form)
