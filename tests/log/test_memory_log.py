"""The log in memory, against the guarantees of every log."""

from __future__ import annotations

import pytest

from formicary.log import Log, LogReader, MemoryLog, MemoryLogReader, MemoryStore

from tests.log.conformance import LogConformance


class MemoryAccidents:
    """One store, and what can happen to it."""

    def __init__(self) -> None:
        self.store = MemoryStore()

    def open(self) -> Log:
        """A writer."""
        return MemoryLog(self.store)

    def reader(self) -> LogReader:
        """A reader."""
        return MemoryLogReader(self.store)

    def abandon(self, log: Log) -> None:
        """The writer is gone; its unsynced entries with it."""
        self.break_lock(log)

    def break_lock(self, log: Log) -> None:
        """The store forgets who writes."""
        assert self.store.writer_epoch == log.epoch
        self.store.writer_epoch = None

    def fail_syncs(self, log: Log) -> None:
        """The store refuses."""
        assert log.epoch
        self.store.refuses_sync = True


class TestMemoryLog(LogConformance):
    """All guarantees."""

    @pytest.fixture
    def store(self) -> MemoryAccidents:
        """A fresh store."""
        return MemoryAccidents()

    def test_throwaway(self) -> None:
        """Without a store a log has one of its own."""
        one, other = MemoryLog(), MemoryLog()
        assert one.epoch == other.epoch == 1
