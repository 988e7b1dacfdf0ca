"""The Merkle tree over every accepted transfer and every reply (RFC 9162 §2.1), append-only and provable at any size.

Two files hold it: the nodes in post-order, 64 bytes a leaf in all, and for each run of replies where it stands, so that
a transfer's number and its leaf lead to one another. Both are derived from the log: :meth:`Tree.truncate` goes back to
a checkpoint, and what came after is sealed again. In memory are only the peaks; proofs are read from the file.

One thread appends. Others may ask for roots and proofs meanwhile: they see the tree as of its last whole batch.
"""

from __future__ import annotations

import functools
from bisect import bisect_right
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from formicary.kernel.records import TRANSFER
from formicary.machine.appendfile import open_append_file
from formicary.machine.leaf import REPLY_TAG, blind_of, leaf_data
from formicary.machine.proofs import EMPTY_ROOT, HASH_BYTES, TREE_SIZE_MAX, leaf_hash, node_hash
from formicary.machine.sealing import PEAKS_BYTES, Sealer, nodes_before, preferred_sealer
from formicary.machine.siphash import KEY_BYTES

CHUNK: Final = 16_384
"""Leaves sealed and written in one go: a mebibyte of nodes."""
RUN_BYTES: Final = 16


class _Run(NamedTuple):
    """One batch of replies: the leaf of its first, and how many replies there were up to its last."""

    leaf: int
    replies: int


class Tree:
    """An append-only Merkle tree in two files (``path`` and ``path.replies``), or in memory when there is no path.

    ``blinding_key`` (16 bytes) is the ledger's; ``sealer`` chooses how to hash, the fastest by default.
    """

    def __init__(self, path: Path | None, blinding_key: bytes, *, sealer: Sealer | None = None) -> None:
        assert len(blinding_key) == KEY_BYTES
        self._key = blinding_key
        self._sealer = sealer or preferred_sealer()
        self._nodes = open_append_file(path)
        self._runs = open_append_file(None if path is None else path.with_name(f"{path.name}.replies"))
        self._size, self._run_count, self._replies = 0, 0, 0
        self._peaks = np.zeros(PEAKS_BYTES, np.uint8)
        self._load(_size_of_nodes(len(self._nodes) // HASH_BYTES))

    @property
    def size(self) -> int:
        """How many leaves there are."""
        return self._size

    @property
    def replies(self) -> int:
        """How many of the leaves are replies; the others are transfers."""
        return self._replies

    # ── growing ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def append_transfers(self, records: npt.NDArray[np.void]) -> None:
        """Add a leaf for each stored transfer record, in order; any number of them.

        After a fault the tree holds the leading part that was written, and may be truncated and tried again.
        """
        assert records.dtype == TRANSFER, "the tree takes stored transfers"
        for first in range(0, len(records), CHUNK):
            batch = np.ascontiguousarray(records[first : first + CHUNK])
            peaks = self._peaks.copy()
            nodes = self._sealer.records(batch.view(np.uint8), size=self._size, key=self._key, peaks=peaks)
            self._add(nodes, len(batch), peaks)

    def append_replies(self, replies: Sequence[bytes]) -> None:
        """Add a leaf for each reply, in order."""
        if not replies:
            return
        first, peaks = self._size, self._peaks.copy()
        blinds = self._sealer.blinds(first, len(replies), key=self._key)
        leaves = (leaf_data(REPLY_TAG, blind, reply) for blind, reply in zip(blinds, replies, strict=True))
        hashes = np.frombuffer(b"".join(map(leaf_hash, leaves)), np.uint8)
        nodes = self._sealer.hashes(hashes, size=first, peaks=peaks)
        run = _Run(first, self._replies + len(replies))
        self._runs.write(self._run_count * RUN_BYTES, _pack(run))
        self._add(nodes, len(replies), peaks)
        self._run_count, self._replies = self._run_count + 1, run.replies

    def _add(self, nodes: npt.NDArray[np.uint8], count: int, peaks: npt.NDArray[np.uint8]) -> None:
        assert len(nodes) == HASH_BYTES * (nodes_before(self._size + count) - nodes_before(self._size))
        assert self._size + count <= TREE_SIZE_MAX, "the tree is full"
        self._nodes.write(HASH_BYTES * nodes_before(self._size), nodes.data)
        self._peaks = peaks
        self._size += count  # last: a reader that sees the size finds the nodes

    # ── recovery ────────────────────────────────────────────────────────────────────────────────────────────────────

    def truncate(self, size: int) -> None:
        """Forget every leaf from ``size`` on; what the files hold beyond it may be garbage."""
        self._load(size)  # Corrupt when the file is shorter
        self._nodes.truncate(HASH_BYTES * nodes_before(size))
        self._runs.truncate(RUN_BYTES * self._run_count)

    def begin_flush(self, old_size: int) -> None:
        """Let the disk start on the nodes that came after the tree of ``old_size`` leaves."""
        first, end = nodes_before(old_size), nodes_before(self.size)
        self._nodes.begin_flush(HASH_BYTES * first, HASH_BYTES * (end - first))

    def sync(self) -> None:
        """Make everything that was appended durable; any thread may ask."""
        self._nodes.sync()
        self._runs.sync()

    def close(self) -> None:
        """Let go of the files; nothing is synced."""
        self._nodes.close()
        self._runs.close()

    def _load(self, size: int) -> None:
        self._peaks = np.zeros(PEAKS_BYTES, np.uint8)
        for level in range(size.bit_length()):
            if size >> level & 1:
                peak = np.frombuffer(self._node(level, (size >> level) - 1), np.uint8)
                self._peaks[level * HASH_BYTES : (level + 1) * HASH_BYTES] = peak
        self._run_count, self._replies = self._runs_within(size)
        self._size = size

    def _runs_within(self, size: int) -> tuple[int, int]:
        # Walk the runs from the start: beyond the last one that was synced there may be anything, in no order.
        count, before = 0, _Run(-1, 0)
        while (count + 1) * RUN_BYTES <= len(self._runs):
            run = self._run(count)
            if not before.leaf < run.leaf < size or run.replies <= before.replies:
                break
            count, before = count + 1, run
        return count, before.replies

    # ── which leaf is whose ─────────────────────────────────────────────────────────────────────────────────────────

    def leaf_of_transfer(self, transfer: int) -> int:
        """Return the leaf of the stored transfer with this index: its index and the number of replies before it."""
        assert 0 <= transfer < self._size - self._replies, "no such transfer has been sealed"
        runs = _Sorted(self._run_count, lambda n: self._run(n).leaf - (self._run(n - 1).replies if n else 0))
        before = bisect_right(runs, transfer)
        return transfer + (self._run(before - 1).replies if before else 0)

    def leaf_of_reply(self, reply: int) -> int:
        """Return the leaf of the reply with this number, counted from 0 over the whole log."""
        assert 0 <= reply < self._replies, "no such reply has been sealed"
        number = bisect_right(_Sorted(self._run_count, lambda n: self._run(n).replies), reply)
        return self._run(number).leaf + reply - (self._run(number - 1).replies if number else 0)

    def blind(self, leaf: int) -> bytes:
        """Return the blind of a leaf: its owner gets it with the data, and nobody else."""
        return blind_of(self._key, leaf)

    def _run(self, number: int) -> _Run:
        raw = self._runs.read(number * RUN_BYTES, RUN_BYTES)
        return _Run(int.from_bytes(raw[:8], "little"), int.from_bytes(raw[8:], "little"))

    # ── roots and proofs ────────────────────────────────────────────────────────────────────────────────────────────

    def root(self, size: int | None = None) -> bytes:
        """Return the root of the tree as it was with ``size`` leaves, or as it is."""
        size = self._size if size is None else size
        self._check(size)
        return self._hash_of(0, size) if size else EMPTY_ROOT

    def inclusion(self, leaf: int, size: int | None = None) -> list[bytes]:
        """Return the path from a leaf to the root of the tree of ``size`` leaves (RFC 9162 §2.1.3.1)."""
        size = self._size if size is None else size
        self._check(size)
        assert 0 <= leaf < size, "no such leaf in a tree of this size"
        path: list[bytes] = []
        first, last = 0, size
        while last - first > 1:
            middle = first + _largest_power_below(last - first)
            if leaf < middle:
                path.append(self._hash_of(middle, last))
                last = middle
            else:
                path.append(self._hash_of(first, middle))
                first = middle
        return path[::-1]

    def consistency(self, old: int, new: int | None = None) -> list[bytes]:
        """Return the proof that the tree of ``new`` leaves begins with the tree of ``old`` (RFC 9162 §2.1.4.1)."""
        new = self._size if new is None else new
        self._check(new)
        assert 0 <= old <= new, "the older tree is the smaller one"
        if old in (0, new):
            return []
        path: list[bytes] = []
        first, last = 0, new
        while last != old:
            middle = first + _largest_power_below(last - first)
            if old <= middle:
                path.append(self._hash_of(middle, last))
                last = middle
            else:
                path.append(self._hash_of(first, middle))
                first = middle
        if first:
            path.append(self._hash_of(first, last))
        return path[::-1]

    def _check(self, size: int) -> None:
        assert 0 <= size <= self._size, f"the tree has {self._size} leaves, not {size}"

    def _hash_of(self, first: int, last: int) -> bytes:
        # The root over leaves first … last-1, where first is a multiple of the largest power of two in their number.
        count = last - first
        if count & (count - 1) == 0:
            level = count.bit_length() - 1
            return self._node(level, first >> level)
        middle = first + _largest_power_below(count)
        return node_hash(self._hash_of(first, middle), self._hash_of(middle, last))

    def _node(self, level: int, index: int) -> bytes:
        end = ((index + 1) << level) - 1
        return self._nodes.read(HASH_BYTES * (nodes_before(end) + level), HASH_BYTES)


class _Sorted(Sequence[int]):
    """A sequence that is read as it is searched."""

    def __init__(self, length: int, item: Callable[[int], int]) -> None:
        self._length, self._item = length, item

    def __len__(self) -> int:
        return self._length

    def __getitem__(self, number: Any) -> Any:  # noqa: ANN401 - bisect asks for single items only
        return self._item(number)


@functools.cache
def warm_up() -> None:
    """Load, or compile, what sealing runs, so that no request waits for that later."""
    tree = Tree(None, bytes(KEY_BYTES))
    tree.append_transfers(np.zeros(2, TRANSFER))
    tree.append_replies([b""])
    tree.close()


def _largest_power_below(count: int) -> int:
    # RFC 9162's k: the largest power of two smaller than count.
    return 1 << ((count - 1).bit_length() - 1)


def _size_of_nodes(nodes: int) -> int:
    # The largest tree that fits into this many nodes: a tree of n leaves has at least 2n - log2(n) - 1.
    size = nodes // 2
    while nodes_before(size + 1) <= nodes:
        size += 1
    return size


def _pack(run: _Run) -> bytes:
    return run.leaf.to_bytes(8, "little") + run.replies.to_bytes(8, "little")
