"""The shard of a key is the same everywhere and for ever: `spec/shard_hash.md` has the vectors."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from byteor.kernel.keyhash import key_hash, owners_of

PAGE = (Path(__file__).resolve().parents[2] / "spec" / "shard_hash.md").read_text(encoding="utf-8")
ROWS = re.findall(r"^\| (?:`([0-9a-f]+)`|\(empty\)) \| `([0-9a-f]{16})` \|$", PAGE, re.MULTILINE)
VECTORS = {bytes.fromhex(key): int(wanted, 16) for key, wanted in ROWS}


def test_the_page_has_vectors() -> None:
    assert len(VECTORS) >= 4


@pytest.mark.parametrize("key", VECTORS)
def test_a_vector(key: bytes) -> None:
    message = np.frombuffer(b"..." + key + b"!", np.uint8).reshape(1, -1)
    assert int(key_hash(message, 0, 3, len(key))) == VECTORS[key]


def test_owners_are_the_hash_modulo_the_shards() -> None:
    messages = np.frombuffer(b"UAaa", np.uint8).reshape(2, 2)
    owners = np.zeros(2, np.int64)
    owners_of(messages, 0, 2, 3, owners)
    assert owners[0] == VECTORS[b"UA"] % 3
