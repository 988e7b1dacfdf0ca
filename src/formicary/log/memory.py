"""A log in memory: for tests and throwaway ledgers. It keeps every guarantee of the port but surviving the process.

What lasts is the ``MemoryStore``; a ``MemoryLog`` is one writer's session on it, so that a test can "crash" a writer
by dropping it and open the store again: entries that were not synced are gone.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from formicary.base.entry import Draft, Entry
from formicary.base.errors import Closed, Fault, Fenced, Locked
from formicary.log.port import EMPTY, Head, chained, check_draft, head_of


@dataclass(slots=True)
class MemoryStore:
    """What survives a writer: the durable entries, the newest epoch, and who writes."""

    entries: list[Entry] = field(default_factory=list)
    epoch: int = 0
    writer_epoch: int | None = None
    """The epoch of the writer that has it open; ``None`` when nobody has."""
    refuses_sync: bool = False
    """A test's switch: the next syncs fail, as a broken disk would."""


class MemoryLogReader:
    """Reads a store that a ``MemoryLog`` may be writing."""

    def __init__(self, store: MemoryStore) -> None:
        self._store = store

    @property
    def head(self) -> Head:
        """The newest durable entry."""
        return head_of(self._store.entries[-1]) if self._store.entries else EMPTY

    def read(self, first: int) -> Iterator[Entry]:
        """Yield the durable entries from ``first`` on, as of now."""
        return iter(self._store.entries[max(first, 1) - 1 :])

    def close(self) -> None:
        """Nothing is held."""


class MemoryLog:
    """The writer of a store; of a store of its own by default."""

    def __init__(self, store: MemoryStore | None = None) -> None:
        self._store = store if store is not None else MemoryStore()
        if self._store.writer_epoch is not None:
            raise Locked(f"this log is open for writing in this process (epoch {self._store.writer_epoch})")
        self._store.epoch += 1
        self.epoch = self._store.writer_epoch = self._store.epoch
        self.head = MemoryLogReader(self._store).head
        self._unsynced: list[Entry] = []
        self.recovered = ""
        self._unusable = ""

    def append(self, draft: Draft | Entry) -> Entry:
        """Chain ``draft`` to the head."""
        self._check_usable()
        self._check_epoch()
        check_draft(draft, self.head)
        owned = replace(draft, body=bytes(draft.body))
        entry = chained(owned, epoch=self.epoch, parent=self.head.hash)
        self._unsynced.append(entry)
        self.head = head_of(entry)
        return entry

    def sync(self) -> None:
        """Hand everything appended to the store."""
        self._check_usable()
        self._check_epoch()
        if self._store.refuses_sync:
            self._unusable = "a sync failed before"
            raise Fault("the store refuses to sync")
        self._store.entries.extend(self._unsynced)
        self._unsynced.clear()

    def read(self, first: int) -> Iterator[Entry]:
        """Yield the durable entries from ``first`` on, as of now."""
        self._check_usable()
        return MemoryLogReader(self._store).read(first)

    def close(self) -> None:
        """Sync what is left, if this writer still may, and let the next writer in."""
        if not self._unusable and self._store.epoch == self.epoch:
            self.sync()
        if self._store.writer_epoch == self.epoch:
            self._store.writer_epoch = None
        self._unusable = self._unusable or "it was closed"

    def _check_usable(self) -> None:
        if self._unusable:
            raise Closed(f"the log takes no more work: {self._unusable}")

    def _check_epoch(self) -> None:
        if self._store.epoch != self.epoch:
            raise Fenced(f"a writer of epoch {self._store.epoch} has taken over from epoch {self.epoch}")
