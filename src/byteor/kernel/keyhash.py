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
_BYTE, _ONE = np.uint64(255), np.uint64(1)


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
def owners_of(keys, size, shards, hashes, owners):
    """Fill `owners` with the shard of each key of `size` bytes; `keys` is u64[rows, words], `hashes` is scratch.

    A byte of many keys at a time, not one key after the other: so it runs in vector registers.
    """
    for first in range(0, len(owners), len(hashes)):
        rows = min(len(hashes), len(owners) - first)
        hash_all(keys[first : first + rows], size, hashes[:rows])
        share_out(hashes[:rows], np.uint64(shards), owners[first : first + rows])


@hot
def hash_all(keys, size, hashes):
    """Fill `hashes` with the hash of each key."""
    hashes[:] = SEED
    for k in range(size):
        shift = np.uint64(8 * (k & 7))
        for row in range(len(hashes)):
            hashes[row] = mixed_with(hashes[row], (keys[row, k >> 3] >> shift) & _BYTE)
    for row in range(len(hashes)):
        hashes[row] = finished(hashes[row])


@hot
def share_out(hashes, shards, owners):
    """Fill `owners` with the hashes modulo the number of shards."""
    if shards & (shards - _ONE) == 0:  # a power of two needs no division
        for row in range(len(hashes)):
            owners[row] = hashes[row] & (shards - _ONE)
    else:
        for row in range(len(hashes)):
            owners[row] = hashes[row] % shards
