"""From records to the nodes of the tree: blinds, leaves and inner nodes of a batch, in one call without the lock.

The nodes of a Merkle tree are kept in post-order: each node follows its right child. A batch of leaves then adds one
run of nodes to the end, whatever was there before. The node at level ``h`` and index ``k`` covers the leaves up to
``e = (k + 1)·2ʰ - 1`` and lies at position ``2e - popcount(e) + h``; its right child lies right before it, its left
child ``2ʰ`` before. Of what came earlier a batch needs only the peaks, the roots of the whole subtrees that the tree
consists of: one for each bit of its size.

The compiled sealers and the plain one, which uses hashlib, give the same bytes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from formicary.base.compiled import U64, compiled, compiled_with, copier, instructions, unset
from formicary.kernel.records import RECORD_BYTES
from formicary.machine.leaf import BLIND_BYTES, TRANSFER_TAG, blind_of, leaf_data
from formicary.machine.proofs import HASH_BYTES, leaf_hash, node_hash
from formicary.machine.sha256 import BLOCK_BYTES, LANES_MAX, VARIANTS, Bytes, HashMany, Variant
from formicary.machine.siphash import WORDS, emit_siphash

LEVELS: Final = 64
"""Room for a peak at each level; no tree is that high."""
PEAKS_BYTES: Final = LEVELS * HASH_BYTES
GROUP: Final = 64
"""Messages laid out together: they stay in the nearest cache, and are no longer being written when they are read."""
LEAF_BYTES: Final = 2 + BLIND_BYTES + RECORD_BYTES
"""What a transfer's leaf hashes: prefix, tag, blind, record."""
LEAF_ROOM: Final = 3 * BLOCK_BYTES
NODE_BYTES: Final = 1 + 2 * HASH_BYTES
NODE_ROOM: Final = 2 * BLOCK_BYTES

assert GROUP % LANES_MAX == GROUP % WORDS == 0
assert NODE_BYTES + 9 <= NODE_ROOM < LEAF_BYTES + 9 <= LEAF_ROOM

Words = npt.NDArray[np.uint64]
Copy = Callable[[npt.NDArray[Any], int, npt.NDArray[Any], int], None]


def nodes_before(size: int) -> int:
    """How many nodes a tree of ``size`` leaves has, which is where the next leaf goes."""
    return 2 * size - size.bit_count()


class Sealer(Protocol):
    """Turns a batch of leaves into the nodes that it adds.

    ``peaks`` has room for LEVELS hashes, and is brought up to date in place.
    """

    name: str

    def records(self, records: Bytes, *, size: int, key: bytes, peaks: Bytes) -> Bytes:
        """Seal transfers, given as flat bytes, as the leaves from ``size`` on."""

    def hashes(self, hashes: Bytes, *, size: int, peaks: Bytes) -> Bytes:
        """Seal leaves whose hashes are known, given as flat bytes."""

    def blinds(self, first: int, count: int, *, key: bytes) -> list[bytes]:
        """Make the blinds of ``count`` leaves from ``first`` on."""


# ── plain ───────────────────────────────────────────────────────────────────────────────────────────────────────────


class PlainSealer:
    """The tree as one would write it down: a leaf, then every node that it completes."""

    name = "hashlib"

    def records(self, records: Bytes, *, size: int, key: bytes, peaks: Bytes) -> Bytes:
        """Seal transfers, given as flat bytes, as the leaves from ``size`` on."""
        raw = records.tobytes()
        each = [raw[at : at + RECORD_BYTES] for at in range(0, len(raw), RECORD_BYTES)]
        leaves = [leaf_data(TRANSFER_TAG, blind_of(key, size + n), record) for n, record in enumerate(each)]
        hashes = b"".join(map(leaf_hash, leaves))
        return self.hashes(np.frombuffer(hashes, np.uint8), size=size, peaks=peaks)

    def hashes(self, hashes: Bytes, *, size: int, peaks: Bytes) -> Bytes:
        """Seal leaves whose hashes are known, given as flat bytes."""
        nodes: list[bytes] = []
        by_level = peaks.reshape(LEVELS, HASH_BYTES)
        for index, leaf in enumerate(hashes.reshape(-1, HASH_BYTES), size):
            node, level = leaf.tobytes(), 0
            nodes.append(node)
            while index >> level & 1:
                node = node_hash(by_level[level].tobytes(), node)
                nodes.append(node)
                level += 1
            by_level[level] = np.frombuffer(node, np.uint8)
        return np.frombuffer(b"".join(nodes), np.uint8)

    def blinds(self, first: int, count: int, *, key: bytes) -> list[bytes]:
        """Make the blinds of ``count`` leaves from ``first`` on."""
        return [blind_of(key, leaf) for leaf in range(first, first + count)]


# ── compiled ────────────────────────────────────────────────────────────────────────────────────────────────────────


class Scratch(NamedTuple):
    """Room for one group of messages and what belongs to them."""

    leaf_room: Bytes
    node_room: Bytes
    blinding: Words
    """What :func:`emit_siphash` reads: both halves of the key and eight indices."""
    blinds: Bytes
    digests: Bytes


# What a sealer's copies of the functions below mean by these names.
hash_leaves: HashMany = unset
hash_nodes: HashMany = unset
place_records: Callable[..., None] = unset
grow: Callable[..., None] = unset
copy_hash: Copy = unset
copy_blind: Copy = unset
copy_record: Copy = unset
hash_indices: Copy = unset

_M1, _M2, _M4 = 0x5555555555555555, 0x3333333333333333, 0x0F0F0F0F0F0F0F0F


@compiled
def _end_of(leaf: int) -> int:
    # Where the leaf lies: 2·leaf less its popcount, counted in pairs, fours and eights (a size fits 41 bits).
    bits = leaf - (leaf >> 1 & _M1)
    bits = (bits & _M2) + (bits >> 2 & _M2)
    bits = bits + (bits >> 4) & _M4
    bits = bits + (bits >> 8)
    bits = bits + (bits >> 16)
    bits = bits + (bits >> 32) & 0x7F
    return 2 * leaf - bits


def _place_records(records: Bytes, size: int, nodes: Bytes, scratch: Scratch) -> None:
    # Hash every record's leaf and lay it where it belongs among the nodes to come.
    room, blinding, blinds, digests = scratch.leaf_room, scratch.blinding, scratch.blinds, scratch.digests
    base, count = _end_of(size), records.shape[0] // RECORD_BYTES
    for first in range(0, count, GROUP):
        number = min(GROUP, count - first)
        for eight in range(0, number, WORDS):
            for n in range(WORDS):
                blinding[2 * WORDS + n] = U64(size + first + eight + n)
            hash_indices(blinding, 0, blinds, eight * BLIND_BYTES)
        for n in range(number):
            at = n * LEAF_ROOM
            copy_blind(blinds, n * BLIND_BYTES, room, at + 2)
            copy_record(records, (first + n) * RECORD_BYTES, room, at + 2 + BLIND_BYTES)
        hash_leaves(room, digests, number)
        for n in range(number):
            copy_hash(digests, n * HASH_BYTES, nodes, (_end_of(size + first + n) - base) * HASH_BYTES)


def _blind_leaves(first: int, blinding: Words, blinds: Bytes) -> None:
    # As many blinds as there is room for, in eights.
    for eight in range(0, blinds.shape[0] // BLIND_BYTES, WORDS):
        for n in range(WORDS):
            blinding[2 * WORDS + n] = U64(first + eight + n)
        hash_indices(blinding, 0, blinds, eight * BLIND_BYTES)


def _grow(size: int, count: int, peaks: Bytes, nodes: Bytes, scratch: Scratch) -> None:
    # Level by level, hash the nodes that the new leaves complete; nodes of one level need nothing of one another.
    room, digests = scratch.node_room, scratch.digests
    base, level = _end_of(size), 1
    while (size + count) >> level > 0:
        span, end = 1 << level, (size + count) >> level
        for first in range(size >> level, end, GROUP):
            number = min(GROUP, end - first)
            for n in range(number):
                at = _end_of((first + n + 1) * span - 1) + level - base
                left = at - span
                if left < 0:
                    copy_hash(peaks, (level - 1) * HASH_BYTES, room, n * NODE_ROOM + 1)
                else:
                    copy_hash(nodes, left * HASH_BYTES, room, n * NODE_ROOM + 1)
                copy_hash(nodes, (at - 1) * HASH_BYTES, room, n * NODE_ROOM + 1 + HASH_BYTES)
            hash_nodes(room, digests, number)
            for n in range(number):
                at = _end_of((first + n + 1) * span - 1) + level - base
                copy_hash(digests, n * HASH_BYTES, nodes, at * HASH_BYTES)
        level += 1
    for peak in range(level):
        whole = (size + count) >> peak
        if whole & 1 and whole << peak > size:
            at = _end_of((whole << peak) - 1) + peak - base
            copy_hash(nodes, at * HASH_BYTES, peaks, peak * HASH_BYTES)


def _seal_records(records: Bytes, size: int, peaks: Bytes, nodes: Bytes, scratch: Scratch) -> None:
    place_records(records, size, nodes, scratch)
    grow(size, records.shape[0] // RECORD_BYTES, peaks, nodes, scratch)


def _room(width: int, length: int, prefix: tuple[int, ...]) -> Bytes:
    # GROUP messages of one length with their prefix and their padding (FIPS 180-4 §5.1.1) already in place.
    room = np.zeros((GROUP, width), np.uint8)
    room[:, : len(prefix)] = prefix
    room[:, length] = 0x80
    room[:, -8:] = np.frombuffer((8 * length).to_bytes(8, "big"), np.uint8)
    return room.reshape(-1)


class _Compiled(NamedTuple):
    """A variant's compiled functions."""

    seal_records: Callable[..., None]
    grow: Callable[..., None]
    blind_leaves: Callable[..., None]


def _compile(variant: Variant) -> _Compiled:
    hashes, blinds, records = (copier(count) for count in (HASH_BYTES, BLIND_BYTES, RECORD_BYTES))
    place = compiled_with(
        _place_records,
        f"place_records_{variant.name}",
        hash_leaves=variant.three_blocks,
        copy_hash=hashes,
        copy_blind=blinds,
        copy_record=records,
        hash_indices=instructions(emit_siphash),
    )
    rise = compiled_with(_grow, f"grow_{variant.name}", hash_nodes=variant.two_blocks, copy_hash=hashes)
    whole = compiled_with(_seal_records, f"seal_records_{variant.name}", place_records=place, grow=rise)
    blind = compiled_with(_blind_leaves, f"blind_leaves_{variant.name}", hash_indices=instructions(emit_siphash))
    return _Compiled(whole, rise, blind)


class CompiledSealer:
    """Seals with one variant of SHA-256, off the interpreter's lock. One thread at a time: it has one scratch room."""

    def __init__(self, variant: Variant) -> None:
        self.name = variant.name
        self._compiled = _COMPILED[variant.name]
        self._scratch = Scratch(
            leaf_room=_room(LEAF_ROOM, LEAF_BYTES, (0, TRANSFER_TAG)),
            node_room=_room(NODE_ROOM, NODE_BYTES, (1,)),
            blinding=np.zeros(3 * WORDS, np.uint64),
            blinds=np.zeros(GROUP * BLIND_BYTES, np.uint8),
            digests=np.zeros(GROUP * HASH_BYTES, np.uint8),
        )

    def records(self, records: Bytes, *, size: int, key: bytes, peaks: Bytes) -> Bytes:
        """Seal transfers, given as flat bytes, as the leaves from ``size`` on."""
        nodes = self._nodes(size, len(records) // RECORD_BYTES)
        records = records[:]
        records.flags.writeable = False  # or views that are read-only would be compiled for once more
        self._key(key)
        self._compiled.seal_records(records, size, peaks, nodes, self._scratch)
        return nodes

    def hashes(self, hashes: Bytes, *, size: int, peaks: Bytes) -> Bytes:
        """Seal leaves whose hashes are known, given as flat bytes."""
        count = len(hashes) // HASH_BYTES
        nodes = self._nodes(size, count)
        leaves = np.arange(size, size + count)
        nodes.reshape(-1, HASH_BYTES)[2 * leaves - np.bitwise_count(leaves) - nodes_before(size)] = hashes.reshape(
            -1, HASH_BYTES
        )
        self._compiled.grow(size, count, peaks, nodes, self._scratch)
        return nodes

    def blinds(self, first: int, count: int, *, key: bytes) -> list[bytes]:
        """Make the blinds of ``count`` leaves from ``first`` on."""
        self._key(key)
        made = np.empty(-(-count // WORDS) * WORDS * BLIND_BYTES, np.uint8)
        self._compiled.blind_leaves(first, self._scratch.blinding, made)
        raw = made.tobytes()
        return [raw[at : at + BLIND_BYTES] for at in range(0, count * BLIND_BYTES, BLIND_BYTES)]

    def _key(self, key: bytes) -> None:
        self._scratch.blinding.reshape(3, WORDS)[:2] = np.frombuffer(key, "<u8").reshape(2, 1)

    def _nodes(self, size: int, count: int) -> Bytes:
        return np.empty((nodes_before(size + count) - nodes_before(size)) * HASH_BYTES, np.uint8)


_COMPILED: Final = {variant.name: _compile(variant) for variant in VARIANTS}


def sealers() -> list[Sealer]:
    """Make one sealer of each kind that works here, the preferred one first."""
    return [*(CompiledSealer(variant) for variant in VARIANTS), PlainSealer()]


def preferred_sealer() -> Sealer:
    """Make the fastest sealer that works here."""
    return CompiledSealer(VARIANTS[0]) if VARIANTS else PlainSealer()
