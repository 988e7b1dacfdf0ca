"""Merkle proofs as a customer checks them: RFC 9162 §2.1, with nothing but hashlib.

A tree of ``size`` leaves has one root. An inclusion proof shows that a leaf is in it; a consistency proof shows that a
later tree begins with every leaf of an earlier one, unchanged and in the same order. Whoever can run SHA-256 can check
both. The functions follow the RFC's algorithms step by step, with its names where they are short.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Final

HASH_BYTES: Final = 32
LEAF_PREFIX: Final = b"\x00"
NODE_PREFIX: Final = b"\x01"
EMPTY_ROOT: Final = hashlib.sha256(b"").digest()
"""The root of a tree without leaves (RFC 9162 §2.1.1)."""
TREE_SIZE_MAX: Final = 1 << 41
PATH_MAX: Final = 41
"""No inclusion path of a tree within TREE_SIZE_MAX is longer."""


def leaf_hash(data: bytes) -> bytes:
    """Hash the bytes of a leaf."""
    return hashlib.sha256(LEAF_PREFIX + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Hash two nodes into their parent."""
    return hashlib.sha256(NODE_PREFIX + left + right).digest()


def root_of_path(leaf: bytes, *, index: int, size: int, path: Sequence[bytes]) -> bytes | None:
    """Compute the root that an inclusion path leads to, or None if no path of a tree of ``size`` has this shape.

    ``leaf`` is the hash of the leaf at ``index``; RFC 9162 §2.1.3.2.
    """
    if not 0 <= index < size <= TREE_SIZE_MAX:
        return None
    fn, sn, r = index, size - 1, leaf
    for p in path:
        if sn == 0:
            return None
        if fn & 1 or fn == sn:
            r = node_hash(p, r)
            while not fn & 1 and fn:
                fn, sn = fn >> 1, sn >> 1
        else:
            r = node_hash(r, p)
        fn, sn = fn >> 1, sn >> 1
    return r if sn == 0 else None


def verify_inclusion(leaf: bytes, *, index: int, size: int, path: Sequence[bytes], root: bytes) -> bool:
    """Whether the leaf with this hash is at ``index`` of the tree of ``size`` leaves that has this root."""
    return root_of_path(leaf, index=index, size=size, path=path) == root


def verify_consistency(
    *, old_size: int, new_size: int, old_root: bytes, new_root: bytes, path: Sequence[bytes]
) -> bool:
    """Whether the tree of ``new_size`` leaves begins with the tree of ``old_size``; RFC 9162 §2.1.4.2.

    An empty tree begins every tree, and a tree itself; neither needs a path.
    """
    if not 0 <= old_size <= new_size <= TREE_SIZE_MAX:
        return False
    if old_size == new_size:
        return not path and old_root == new_root
    if old_size == 0:
        return not path and old_root == EMPTY_ROOT
    if not path:
        return False
    return _roots_of_consistency(old_size, new_size, old_root, path) == (old_root, new_root)


def _roots_of_consistency(
    old_size: int, new_size: int, old_root: bytes, path: Sequence[bytes]
) -> tuple[bytes, bytes] | None:
    whole = old_size & (old_size - 1) == 0
    first, *rest = [old_root, *path] if whole else path
    fn, sn = old_size - 1, new_size - 1
    while fn & 1:
        fn, sn = fn >> 1, sn >> 1
    fr = sr = first
    for c in rest:
        if sn == 0:
            return None
        if fn & 1 or fn == sn:
            fr, sr = node_hash(c, fr), node_hash(c, sr)
            while not fn & 1 and fn:
                fn, sn = fn >> 1, sn >> 1
        else:
            sr = node_hash(sr, c)
        fn, sn = fn >> 1, sn >> 1
    return (fr, sr) if sn == 0 else None
