"""The shard of a key is the same everywhere and for ever: `spec/shard_hash.md` has the vectors."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from byteor.kernel.hot import waiting
from byteor.kernel.keyhash import hash_all, owners_of

PAGE = (Path(__file__).resolve().parents[2] / "spec" / "shard_hash.md").read_text(encoding="utf-8")
ROWS = re.findall(r"^\| (?:`([0-9a-f]+)`|\(empty\)) \| `([0-9a-f]{16})` \|$", PAGE, re.MULTILINE)
VECTORS = {bytes.fromhex(key): int(wanted, 16) for key, wanted in ROWS}


def test_the_page_has_vectors() -> None:
    assert len(VECTORS) >= 4


def words_of(*keys: bytes) -> np.ndarray:
    """Keys of one length as whole words."""
    whole = -(-len(keys[0]) // 8) * 8
    return np.frombuffer(b"".join(key.ljust(whole, b"\0") for key in keys), "<u8").reshape(len(keys), whole // 8)


@pytest.mark.parametrize("key", VECTORS)
def test_a_vector(key: bytes) -> None:
    hashes = np.zeros(2, np.uint64)
    waiting(hash_all)(words_of(key, key), len(key), hashes)
    assert hashes.tolist() == [VECTORS[key]] * 2


@pytest.mark.parametrize("shards", [1, 2, 3, 8, 1000])
def test_owners_are_the_hash_modulo_the_shards(shards: int) -> None:
    keys = [key for key in VECTORS if len(key) == 2] * 3
    owners = np.zeros(len(keys), np.uint16)
    waiting(owners_of)(words_of(*keys), 2, shards, np.zeros(2, np.uint64), owners)
    assert owners.tolist() == [VECTORS[key] % shards for key in keys]
