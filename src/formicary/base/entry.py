"""The entry: one durable, ordered, hash-chained step of the log, as the log and the machine both see it.

An entry's ``hash`` covers its header and body, and its header holds its parent's hash, so the newest hash vouches for
all of history. What an entry *does* is the machine's affair; the log only keeps it.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import Final

from blake3 import blake3

HASH_BYTES: Final = 32
NO_PARENT: Final = bytes(HASH_BYTES)
ENTRY_BODY_MAX: Final = 8 << 20
"""No entry body is longer, in bytes; a door refuses what would not fit."""


class EntryKind(enum.IntEnum):
    """What a body holds; the numbers are on disk and never change."""

    GENESIS = 1
    """Index 1 of every log: who this ledger is (msgpack of :class:`formicary.machine.genesis.Genesis`)."""
    EPOCH = 2
    """A writer took over; the header's epoch is its own. Empty body."""
    ACCOUNTS = 3
    """Raw 128-byte account records to open."""
    TRANSFERS = 4
    """Raw 128-byte transfer records to post."""
    COMMANDS = 5
    """Commands for product handlers (msgpack list)."""
    TICK = 6
    """Time passes: due timers run. Empty body."""


@dataclass(frozen=True, slots=True)
class Draft:
    """What a writer asks the log to append; the log adds epoch, parent and hash."""

    index: int
    time_ns: int
    kind: EntryKind
    body: bytes | memoryview


@dataclass(frozen=True, slots=True)
class Entry:
    """One record of the log. ``time_ns`` is nanoseconds since 1970 UTC, chosen by the writer, strictly increasing."""

    index: int
    epoch: int
    time_ns: int
    kind: EntryKind
    body: bytes | memoryview
    parent: bytes
    hash: bytes


def body_hash(body: bytes | memoryview) -> bytes:
    """BLAKE3 of a body: 32 bytes. It needs nothing of the entry, so whoever brings the body can compute it ahead."""
    return blake3(body).digest()


def entry_hash(
    *, index: int, epoch: int, time_ns: int, kind: int, body: bytes | memoryview, parent: bytes, hashed: bytes = b""
) -> bytes:
    """BLAKE3 over the header's fields, little-endian and of fixed width, its parent, and the body's hash: 32 bytes."""
    header = (
        index.to_bytes(8, "little")
        + epoch.to_bytes(8, "little")
        + time_ns.to_bytes(8, "little")
        + kind.to_bytes(4, "little")
        + len(body).to_bytes(4, "little")
        + parent
    )
    return blake3(header + (hashed or body_hash(body))).digest()


def seal_draft(draft: Draft, *, epoch: int, parent: bytes, hashed: bytes = b"") -> Entry:
    """Give a draft its place in the chain; ``hashed`` is the hash of its body where that is known already."""
    digest = entry_hash(
        index=draft.index,
        epoch=epoch,
        time_ns=draft.time_ns,
        kind=draft.kind,
        body=draft.body,
        parent=parent,
        hashed=hashed,
    )
    return Entry(
        index=draft.index,
        epoch=epoch,
        time_ns=draft.time_ns,
        kind=draft.kind,
        body=draft.body,
        parent=parent,
        hash=digest,
    )
