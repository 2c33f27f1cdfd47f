"""Files that somebody broke: each has its code, none ends the process, none takes for ever."""

from __future__ import annotations

import os
import random
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from byteor.diag import Refused
from byteor.transport import regions
from byteor.transport.header import ANY, READY, Header
from tests.transport.support import BYTES, HEADER, WANTED, code_of, make

GOOD = replace(HEADER, generation=77, initialized=READY)
RANDOM_FILES, MANY_FILES = 2_000, 100_000
Change = Callable[[bytearray], bytes | bytearray]


def at(offset: int, value: bytes) -> Change:
    def change(raw: bytearray) -> bytearray:
        raw[offset : offset + len(value)] = value
        return raw

    return change


def word(offset: int, value: int, size: int = 4) -> Change:
    return at(offset, value.to_bytes(size, sys.byteorder))


def cut(size: int) -> Change:
    return lambda raw: raw[:size]


def swapped(raw: bytearray) -> bytearray:
    """As a machine of the other byte order writes it."""
    for offset, size in ((0, 4), (4, 2), (6, 2), (8, 4), (12, 4), (16, 4), (24, 8)):
        raw[offset : offset + size] = raw[offset : offset + size][::-1]
    return raw


BY_HAND: dict[str, tuple[Change, str]] = {
    "empty": (cut(0), "T019"),
    "one byte": (cut(1), "T019"),
    "the magic alone": (cut(4), "T019"),
    "half a header": (cut(32), "T019"),
    "a byte less than a header": (cut(63), "T019"),
    "a header alone": (cut(64), "T019"),
    "half a region": (cut(BYTES // 2), "T019"),
    "a byte less": (cut(BYTES - 1), "T019"),
    "a byte more": (lambda raw: raw + b"\0", "T020"),
    "a page more": (lambda raw: raw + bytes(4096), "T020"),
    "twice itself": (lambda raw: raw + raw, "T020"),
    "zeros": (lambda raw: bytes(len(raw)), "T012"),
    "ones": (lambda raw: b"\xff" * len(raw), "T012"),
    "text": (lambda raw: b"# a note\n" * 500, "T012"),
    "a header that begins late": (lambda raw: b"\0" + raw[:-1], "T012"),
    "one bit of the magic": (word(0, 0x53554248), "T012"),
    "the other byte order": (swapped, "T012"),
    "version 0": (word(4, 0, 2), "T013"),
    "version 2": (word(4, 2, 2), "T013"),
    "version 65535": (word(4, 65535, 2), "T013"),
    "kind 0": (word(6, 0, 2), "T014"),
    "kind 255": (word(6, 255, 2), "T014"),
    "no capabilities": (word(8, 0), "T015"),
    "an unknown capability": (word(8, 1 | 1 << 15), "T016"),
    "a layout of 0 bytes": (word(12, 0), "T019"),
    "a layout of 63 bytes": (word(12, 63), "T019"),
    "a layout of 64 bytes": (word(12, 64), "T020"),
    "a layout of nearly 4 GiB": (word(12, 2**32 - 1), "T019"),
    "not begun": (word(16, 0), "T021"),
    "begun": (word(16, 1), "T021"),
    "a state of 3": (word(16, 3), "T022"),
    "a negative state": (word(16, 2**32 - 1), "T022"),
    "generation 0": (word(24, 0, 8), "T023"),
    "no layout hash": (at(32, bytes(16)), "T017"),
    "the last bit of the layout hash": (at(47, b"m"), "T017"),
    "the hashes in each other's place": (at(32, b"l" * 15 + b"s"), "T017"),
    "no schema hash": (at(48, bytes(16)), "T018"),
    "the last bit of the schema hash": (at(63, b"r"), "T018"),
}


def write(path: Path, raw: bytes | bytearray) -> None:
    path.write_bytes(raw)
    path.chmod(0o600)


@pytest.mark.parametrize("name", BY_HAND)
def test_a_broken_file_has_its_code(tmp_path: Path, name: str) -> None:
    change, code = BY_HAND[name]
    path = tmp_path / "a"
    write(path, change(bytearray(GOOD.encode() + bytes(BYTES - 64))))
    assert code_of(lambda: regions.open(path, replace(WANTED, generation=77), wait=0)) == code
    codes = {d.code for d in regions.inspect(path).findings}
    assert codes == ({code} if code not in ("T014", "T015", "T017", "T018", "T023") else set())


def test_the_file_is_right_before_it_is_broken(tmp_path: Path) -> None:
    write(tmp_path / "a", GOOD.encode() + bytes(BYTES - 64))
    with regions.open(tmp_path / "a", replace(WANTED, generation=77)) as region:
        assert region.header == GOOD


# Random headers

EDGES = (0, 1, 2, 3, 63, 64, 65, 127, 128, 255, 256, BYTES - 1, BYTES, BYTES + 1, 2**31, 2**32 - 1)
SPANS = ((0, 4), (4, 2), (6, 2), (8, 4), (12, 4), (16, 4), (20, 4), (24, 8), (32, 16), (48, 16))


def broken(rng: random.Random) -> tuple[bytearray, int]:
    """A header with some of it changed, and the size of its file."""
    raw = bytearray(rng.randbytes(64) if rng.random() < 0.05 else GOOD.encode())
    for _ in range(rng.choice((0, 1, 1, 2, 3, 8))):
        offset, size = rng.choice(SPANS)
        how = rng.randrange(3)
        if how == 0:
            raw[offset + rng.randrange(size)] ^= 1 << rng.randrange(8)
        elif how == 1:
            raw[offset : offset + size] = (rng.choice(EDGES) & (1 << 8 * size) - 1).to_bytes(size, sys.byteorder)
        else:
            raw[offset : offset + size] = rng.randbytes(size)
    size = BYTES if rng.random() < 0.7 else rng.choice((*EDGES[:-2], rng.randrange(2 * BYTES)))
    return raw, size


def storm(path: Path, files: int, seed: int) -> Counter[str]:
    """Open and inspect that many files; how often each answer was given."""
    rng, seen = random.Random(seed), Counter[str]()
    fd = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    for _ in range(files):
        raw, size = broken(rng)
        os.ftruncate(fd, 0)
        os.pwrite(fd, raw, 0)
        os.ftruncate(fd, size)
        codes = answer(path, bytes(raw), size)
        seen.update(codes or ["opened"])
    os.close(fd)
    return seen


def answer(path: Path, raw: bytes, size: int) -> tuple[str, ...]:
    looked = regions.inspect(path)
    assert looked.size == size
    try:
        region = regions.open(path, WANTED, wait=0)
    except Refused as refused:
        assert refused.diagnostics
        return tuple(d.code for d in refused.diagnostics)
    # What was let through differs at most in what nobody judges here.
    assert looked.findings == ()
    assert region.size == len(region.memory) == size
    assert region.memory[-1] >= 0  # the last byte is there
    seen = region.header
    spared = {"generation": seen.generation, "flags": seen.flags, "capabilities": seen.capabilities}
    assert seen == replace(GOOD, layout_bytes=size, **spared)
    assert seen.capabilities & 0xFFFF & ~ANY.known == 0
    assert seen.capabilities & 1
    assert region.memory[:64].tobytes() == raw
    region.close()
    return ()


def judge(seen: Counter[str]) -> None:
    print(dict(sorted(seen.items())))
    codes = {"T012", "T013", "T014", "T015", "T016", "T017", "T018", "T019", "T020", "T021", "T022"}
    assert set(seen) == {"opened", *codes}


def test_random_headers_have_an_answer_each(shared: Path) -> None:
    judge(storm(shared / "a", RANDOM_FILES, 1))


@pytest.mark.stress
def test_very_many_random_headers_have_an_answer_each(shared: Path) -> None:
    judge(storm(shared / "a", MANY_FILES, 2))


def test_a_hostile_header_is_no_reason_to_allocate(tmp_path: Path) -> None:
    """A header that claims nearly 4 GiB is refused before anything of that size is mapped."""
    path = tmp_path / "a"
    make(path, Header(kind=128, layout_bytes=64))
    with path.open("r+b") as file:
        file.seek(12)
        file.write(b"\xff" * 4)
    assert code_of(lambda: regions.open(path, ANY)) == "T019"
