"""The Merkle tree as RFC 9162 §2.1 defines it, by recursion over lists: slow, and obviously right."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence


def split(count: int) -> int:
    """The largest power of two smaller than ``count``."""
    power = 1
    while power * 2 < count:
        power *= 2
    return power


def root_of(hashes: Sequence[bytes]) -> bytes:
    """MTH: the root over leaf hashes."""
    if not hashes:
        return hashlib.sha256(b"").digest()
    if len(hashes) == 1:
        return hashes[0]
    k = split(len(hashes))
    return hashlib.sha256(b"\x01" + root_of(hashes[:k]) + root_of(hashes[k:])).digest()


def path_of(m: int, hashes: Sequence[bytes]) -> list[bytes]:
    """PATH: the inclusion proof of leaf ``m``."""
    if len(hashes) == 1:
        return []
    k = split(len(hashes))
    if m < k:
        return [*path_of(m, hashes[:k]), root_of(hashes[k:])]
    return [*path_of(m - k, hashes[k:]), root_of(hashes[:k])]


def proof_of(m: int, hashes: Sequence[bytes]) -> list[bytes]:
    """PROOF: the consistency proof between the first ``m`` leaves and all of them."""
    return subproof_of(m, hashes, whole=True)


def subproof_of(m: int, hashes: Sequence[bytes], *, whole: bool) -> list[bytes]:
    """SUBPROOF: the same of a part; ``whole`` says whether the verifier knows this part's root already."""
    if m == len(hashes):
        return [] if whole else [root_of(hashes)]
    k = split(len(hashes))
    if m <= k:
        return [*subproof_of(m, hashes[:k], whole=whole), root_of(hashes[k:])]
    return [*subproof_of(m - k, hashes[k:], whole=False), root_of(hashes[:k])]
