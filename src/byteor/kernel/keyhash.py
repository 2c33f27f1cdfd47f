"""Which shard a key belongs to: a 64-bit hash of its bytes, the same on every machine and for ever.

FNV-1a over the key's bytes as they lie in the packed little-endian record, then the 64-bit finaliser of
murmur3; the shard is the hash modulo the number of shards. `spec/shard_hash.md` has the test vectors.
"""

from __future__ import annotations

import numpy as np

from byteor.kernel.hot import hot

SEED, _PRIME = np.uint64(0xCBF29CE484222325), np.uint64(0x100000001B3)
_MIX = np.uint64(0xFF51AFD7ED558CCD), np.uint64(0xC4CEB9FE1A85EC53)
_SHIFT = np.uint64(33)


@hot
def mixed_with(h, byte):
    """The hash so far, and one more byte of the key; it begins with SEED."""
    return (h ^ np.uint64(byte)) * _PRIME


@hot
def finished(h):
    """The hash of a key, after its last byte."""
    h = (h ^ (h >> _SHIFT)) * _MIX[0]
    h = (h ^ (h >> _SHIFT)) * _MIX[1]
    return h ^ (h >> _SHIFT)


@hot
def key_hash(messages, row, start, size):
    """The hash of `size` bytes from `start` of record `row`; `messages` is u8[rows, bytes]."""
    h = SEED
    for k in range(start, start + size):
        h = mixed_with(h, messages[row, k])
    return finished(h)


@hot
def owners_of(messages, start, size, shards, owners):
    """Fill `owners` with the shard of each record."""
    for row in range(len(owners)):
        owners[row] = key_hash(messages, row, start, size) % np.uint64(shards)
