"""The guarantees of ``formicary.log.port``, as tests that every log passes: memory, file, PostgreSQL.

A log's own test file subclasses :class:`LogConformance` and provides the fixture ``store``.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Protocol

import pytest

from formicary.base.entry import ENTRY_BODY_MAX, NO_PARENT, Draft, Entry, EntryKind, entry_hash
from formicary.base.errors import Closed, Fault, Fenced, Locked
from formicary.log import EMPTY, Log, LogReader, head_of


class Store(Protocol):
    """Where one log lies, and the accidents that a test needs to cause there."""

    def open(self) -> Log:
        """Open it for writing, making it when there is none."""

    def reader(self) -> LogReader:
        """Open it for reading."""

    def abandon(self, log: Log) -> None:
        """Let the writer die without a word: nothing is closed in order."""

    def break_lock(self, log: Log) -> None:
        """Take the lock from a writer that does not notice."""

    def fail_syncs(self, log: Log) -> None:
        """From now on, what ``sync`` needs fails."""


def draft_after(log: Log, body: bytes | memoryview = b"body", kind: EntryKind = EntryKind.TRANSFERS) -> Draft:
    """The next entry: a nanosecond after its parent."""
    return Draft(index=log.head.index + 1, time_ns=log.head.time_ns + 1, kind=kind, body=body)


def fill(log: Log, count: int, *, group: int = 1) -> list[Entry]:
    """Append ``count`` entries of different sizes and sync them in groups; what was appended."""
    entries = []
    for number in range(count):
        entries.append(log.append(draft_after(log, bytes([number % 251]) * (number * 7 % 300))))
        if len(entries) % group == 0:
            log.sync()
    log.sync()
    return entries


def check_chain(entries: list[Entry], *, parent: bytes = NO_PARENT, first: int = 1) -> None:
    """Each entry follows the one before it, and its hash is that of its bytes."""
    for index, entry in enumerate(entries, start=first):
        assert (entry.index, entry.parent) == (index, parent)
        parent = entry_hash(
            index=entry.index,
            epoch=entry.epoch,
            time_ns=entry.time_ns,
            kind=entry.kind,
            body=entry.body,
            parent=entry.parent,
        )
        assert entry.hash == parent


class LogConformance:
    """What holds for every log."""

    def test_a_new_log_is_empty(self, store: Store) -> None:
        """Before its first entry a log has the empty head, an epoch, and nothing to read."""
        log = store.open()
        assert log.head == EMPTY
        assert log.epoch >= 1
        assert log.recovered == ""
        assert list(log.read(1)) == []
        assert store.reader().head == EMPTY
        log.close()

    def test_entries_come_back_in_order_and_chained(self, store: Store) -> None:
        """What is read equals what append returned, from the first parent of zeros on."""
        log = store.open()
        written = fill(log, 40, group=3)
        assert list(log.read(1)) == written
        check_chain(written)
        assert log.head == head_of(written[-1])
        log.close()

    def test_reading_starts_anywhere(self, store: Store) -> None:
        """From each index the rest follows; beyond the end there is nothing; below 1 means from the start."""
        log = store.open()
        written = fill(log, 12)
        reader = store.reader()
        for first in range(-1, 15):
            assert list(reader.read(first)) == written[max(first, 1) - 1 :]
        for first in reversed(range(1, 13)):
            assert next(reader.read(first)) == written[first - 1]
        reader.close()
        log.close()

    def test_only_durable_entries_are_read(self, store: Store) -> None:
        """The writer's head is ahead of what anyone can read until sync returns."""
        log = store.open()
        fill(log, 2)
        reader = store.reader()
        pending = log.append(draft_after(log, b"not yet"))
        assert log.head == head_of(pending)
        assert [entry.index for entry in log.read(1)] == [1, 2]
        assert [entry.index for entry in reader.read(1)] == [1, 2]
        assert reader.head.index == 2
        log.sync()
        assert list(reader.read(3)) == list(log.read(3)) == [pending]
        assert reader.head == head_of(pending)
        reader.close()
        log.close()

    def test_synced_entries_survive_the_writer(self, store: Store) -> None:
        """After a writer dies, the next one has every synced entry; one never synced is there whole or not at all."""
        log = store.open()
        written = fill(log, 10)
        log.append(draft_after(log, b"never synced"))
        store.abandon(log)
        log = store.open()
        found = list(log.read(1))
        assert found[:10] == written
        assert len(found) <= 11
        check_chain(found)
        assert log.head == head_of(found[-1])
        log.close()

    def test_closing_keeps_what_was_appended(self, store: Store) -> None:
        """An orderly close syncs, and nothing needs recovering afterwards."""
        log = store.open()
        entry = log.append(draft_after(log, b"last"))
        log.close()
        log.close()
        log = store.open()
        assert list(log.read(1)) == [entry]
        assert log.recovered == ""
        log.close()

    def test_every_writer_has_a_greater_epoch(self, store: Store) -> None:
        """Epochs rise from writer to writer, and each entry carries its writer's."""
        epochs = []
        for _ in range(3):
            log = store.open()
            epochs.append(log.epoch)
            log.append(draft_after(log))
            log.close()
        assert epochs == sorted(set(epochs))
        assert [entry.epoch for entry in store.reader().read(1)] == epochs

    def test_a_second_writer_is_refused(self, store: Store) -> None:
        """While one writes, another gets Locked; it may try again later."""
        log = store.open()
        with pytest.raises(Locked):
            store.open()
        fill(log, 1)
        log.close()
        store.open().close()

    def test_a_stale_writer_is_fenced_and_writes_nothing(self, store: Store) -> None:
        """A writer whose lock was taken and whose epoch has passed can't add a byte, not even by closing."""
        stale = store.open()
        written = fill(stale, 3)
        store.break_lock(stale)
        newer = store.open()
        assert newer.epoch > stale.epoch
        with pytest.raises(Fenced):
            self._append_and_sync(stale)
        written.append(newer.append(draft_after(newer, b"the new writer's")))
        newer.sync()
        with pytest.raises((Fenced, Closed)):
            self._append_and_sync(stale)
        stale.close()
        written.append(newer.append(draft_after(newer, b"and another")))
        newer.sync()
        assert list(newer.read(1)) == list(store.reader().read(1)) == written
        newer.close()

    def test_a_stale_writer_with_a_group_under_way_is_fenced(self, store: Store) -> None:
        """What a stale writer appended before it was superseded is not acknowledged afterwards."""
        stale = store.open()
        fill(stale, 2)
        stale.append(draft_after(stale, b"under way"))
        store.break_lock(stale)
        newer = store.open()
        with pytest.raises(Fenced):
            stale.sync()
        stale.close()
        fill(newer, 2)
        check_chain(list(newer.read(1)))
        newer.close()

    def test_gaps_and_repeats_are_refused(self, store: Store) -> None:
        """An index that is not the next one, or a time that is not later, is a bug and leaves no trace."""
        log = store.open()
        fill(log, 2)
        for index, time_ns in ((2, 9), (4, 9), (0, 9), (3, 2), (3, 1)):
            with pytest.raises(AssertionError):
                log.append(Draft(index=index, time_ns=time_ns, kind=EntryKind.TICK, body=b""))
        fill(log, 1)
        assert [entry.index for entry in log.read(1)] == [1, 2, 3]
        log.close()

    def test_bodies_of_every_size(self, store: Store) -> None:
        """Empty, odd, zero-filled and the longest bodies come back as they were; a longer one is refused."""
        log = store.open()
        bodies = [b"", b"\0", b"\0" * 4096, b"x" * 17, bytes(range(256)) * 1024, b"\xa5" * ENTRY_BODY_MAX]
        for body in bodies:
            log.append(draft_after(log, body))
        log.sync()
        assert [bytes(entry.body) for entry in log.read(1)] == bodies
        with pytest.raises(AssertionError):
            log.append(draft_after(log, bytes(ENTRY_BODY_MAX + 1)))
        log.close()

    def test_bodies_may_be_views(self, store: Store) -> None:
        """A view of bytes is taken as it is; one of wider items, whose length is no byte count, is refused."""
        log = store.open()
        log.append(draft_after(log, memoryview(b"a view of bytes")[2:]))
        log.sync()
        assert bytes(next(log.read(1)).body) == b"view of bytes"
        with pytest.raises(AssertionError):
            log.append(draft_after(log, memoryview(bytes(16)).cast("Q")))
        log.close()

    def test_every_kind_comes_back(self, store: Store) -> None:
        """The kind is kept as what it is, not as a bare number."""
        log = store.open()
        for kind in EntryKind:
            log.append(draft_after(log, kind=kind))
        log.sync()
        found = [entry.kind for entry in log.read(1)]
        assert found == list(EntryKind)
        assert all(isinstance(kind, EntryKind) for kind in found)
        log.close()

    def test_a_reading_ends_where_it_began(self, store: Store) -> None:
        """What is appended while a reading is under way is not part of it, and does not disturb it."""
        log = store.open()
        fill(log, 5)
        reading = log.read(1)
        seen = [next(reading).index]
        fill(log, 5)
        seen += [entry.index for entry in reading]
        assert seen == [1, 2, 3, 4, 5]
        assert [entry.index for entry in log.read(6)] == [6, 7, 8, 9, 10]
        log.close()

    def test_a_reader_tails_a_log_while_it_is_written(self, store: Store) -> None:
        """A reader in another thread sees every entry once, in order, and never a half-written one."""
        log = store.open()
        reader = store.reader()
        seen: list[Entry] = []

        def follow() -> None:
            while len(seen) < 120:
                seen.extend(reader.read(len(seen) + 1))

        follower = threading.Thread(target=follow)
        follower.start()
        written = fill(log, 120, group=5)
        follower.join(30)
        assert seen == written
        reader.close()
        log.close()

    def test_a_failed_sync_ends_the_writer(self, store: Store) -> None:
        """After a sync fails nothing more is taken: what is durable is not known; before that nothing was lost."""
        log = store.open()
        written = fill(log, 3)
        log.append(draft_after(log, b"doubtful"))
        store.fail_syncs(log)
        with pytest.raises(Fault):
            log.sync()
        for work in (lambda: log.append(draft_after(log)), log.sync, lambda: log.read(1)):
            with pytest.raises(Closed):
                work()
        assert list(store.reader().read(1))[:3] == written
        log.close()

    def test_a_closed_log_takes_no_work(self, store: Store) -> None:
        """After close every call but close itself is refused."""
        log = store.open()
        fill(log, 1)
        log.close()
        for work in (lambda: log.append(draft_after(log)), log.sync, lambda: log.read(1)):
            with pytest.raises(Closed):
                work()

    @staticmethod
    def _append_and_sync(log: Log) -> None:
        """Some logs notice at append, some at sync: either way nothing is written."""
        log.append(draft_after(log, b"stale"))
        log.sync()


def drain(entries: Iterator[Entry]) -> int:
    """How many entries a reading yields."""
    return sum(1 for _ in entries)
