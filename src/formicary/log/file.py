"""The default log: append-only checksummed segments in a folder, group commit, one fdatasync.

``append`` writes with ``pwrite``; ``sync`` makes the group durable. Large bodies start on their way to the disk while
their hash is computed. The current segment reserves room ahead of itself, in proportion to its size, so that a steady
stream finds its blocks allocated and a small ledger stays small; what is left over is given back on close.

Which bytes: ``docs/reference/log-format.md``. How an opening judges what it finds: :mod:`formicary.log.recovery`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Final

from formicary.base.entry import Draft, Entry
from formicary.base.errors import Closed, Fault, Fenced, Refusal
from formicary.log.disk import Disk, DiskFile, DiskLock, RealDisk
from formicary.log.history import History, Link, segment_path
from formicary.log.port import Head, chained, check_draft
from formicary.log.record import (
    RECORD_HEADER_BYTES,
    SEGMENT_HEADER_BYTES,
    SegmentHeader,
    pack_record,
    pack_segment,
    record_bytes,
    record_tail,
)
from formicary.log.recovery import recover
from formicary.log.stamps import EPOCH_NAME, SyncedMark, read_epoch, write_epoch

SEGMENT_BYTES: Final = 64 << 20
"""A segment is closed before it would grow beyond this."""
RESERVE_MAX: Final = 8 << 20
"""At most so much room is reserved ahead of the newest record."""
OVERLAP_MIN: Final = 128 << 10
"""Bodies from this size on start on their way to the disk before they are hashed; below, the extra calls cost more."""
LOCK_NAME: Final = "lock"
_PAGE: Final = 4096


class FileLog:
    """The one writer of a log folder. Made by :meth:`create` or :meth:`open`."""

    def __init__(
        self, folder: Path, *, disk: Disk, lock: DiskLock, segment_bytes: int, verify_from: int | None
    ) -> None:
        self._folder = folder
        self._disk = disk
        self._lock = lock
        self._segment_bytes = segment_bytes
        self._mark = SyncedMark.open(disk, folder, write=True)
        self.epoch = read_epoch(disk, folder) + 1
        self._epoch_file = write_epoch(disk, folder, self.epoch)
        try:
            found = recover(disk, folder, self._mark, verify_from=verify_from)
        except BaseException:
            self._mark.close()
            self._epoch_file.close()
            raise
        self.recovered = found.report
        """What an unfinished tail lost at this opening; empty when nothing was cut or repaired."""
        self._link = found.link
        self._synced = found.link.index
        self._first, self._end = found.first, found.end
        self._file = disk.open(segment_path(folder, found.first), write=True) if found.first else None
        self._reserved = 0
        self._unusable = ""
        self._history = History(disk, folder)

    @classmethod
    def create(cls, folder: Path | str, *, disk: Disk | None = None, segment_bytes: int = SEGMENT_BYTES) -> FileLog:
        """Make a new, empty log and open it; refuses a folder that holds one."""
        folder, disk = Path(folder), disk or RealDisk()
        disk.make_folder(folder)
        lock = disk.lock(folder / LOCK_NAME)
        try:
            if log_exists(folder, disk):  # asked under the lock: two may be making it at once
                raise Refusal(f"{folder} holds a log already", code="log_exists")
            SyncedMark.create(disk, folder)
            write_epoch(disk, folder, 0).close()
        finally:
            lock.release()
        return cls.open(folder, disk=disk, segment_bytes=segment_bytes)

    @classmethod
    def open(
        cls,
        folder: Path | str,
        *,
        disk: Disk | None = None,
        verify_from: int | None = None,
        segment_bytes: int = SEGMENT_BYTES,
    ) -> FileLog:
        """Open a log for writing, as its next epoch.

        Every byte from entry ``verify_from`` on is checked (``None``: the last segment, at most 64 MiB; 1: all); what
        lies before is checked when it is read, or by :meth:`verify`.
        """
        folder, disk = Path(folder), disk or RealDisk()
        if not log_exists(folder, disk):
            raise Refusal(f"{folder} holds no log", code="log_missing")
        lock = disk.lock(folder / LOCK_NAME)
        try:
            return cls(folder, disk=disk, lock=lock, segment_bytes=segment_bytes, verify_from=verify_from)
        except BaseException:
            lock.release()
            raise

    @property
    def head(self) -> Head:
        """The newest appended entry, durable or not."""
        link = self._link
        return Head(index=link.index, time_ns=link.time_ns, hash=link.hash)

    def append(self, draft: Draft | Entry) -> Entry:
        """Chain ``draft`` to the head and write it; after a fault nothing of it is left, and the log can go on."""
        self._check_usable()
        self._check_epoch()
        check_draft(draft, self.head)
        size = record_bytes(len(draft.body))
        file = self._room_for(size)
        try:
            entry = self._write(file, draft, size)
        except Fault:
            self._take_back(file)
            raise
        self._end += size
        self._link = Link(index=entry.index, epoch=entry.epoch, time_ns=entry.time_ns, hash=entry.hash)
        return entry

    def sync(self) -> None:
        """Make everything appended durable. A failure ends this writer: what the disk holds is no longer known."""
        self._check_usable()
        if self._file is None or self._synced == self._link.index:
            return
        try:
            self._file.sync()
            self._check_epoch()
            self._mark.write(self._link.index)
        except Fault as fault:
            self._unusable = f"a sync failed ({fault})"
            raise
        self._synced = self._link.index

    def read(self, first: int) -> Iterator[Entry]:
        """Yield the durable entries from ``first`` on, as of now, each checked."""
        self._check_usable()
        return self._history.read(max(first, 1), self._synced)

    def verify(self, first: int = 1) -> int:
        """Read and check every durable entry from ``first`` on; how many there are. Raises ``Corrupt``."""
        return sum(1 for _ in self.read(first))

    def close(self) -> None:
        """Sync what is left, give back reserved room, and let the next writer in."""
        try:
            if not self._unusable and not self._epoch_file.is_replaced():
                self.sync()
                self._mark.settle(self._synced)
                if self._file is not None:
                    self._file.truncate(self._end)
        finally:
            self._unusable = self._unusable or "it was closed"
            for file in (self._file, self._mark, self._epoch_file):
                if file is not None:
                    file.close()
            self._lock.release()

    def _check_usable(self) -> None:
        if self._unusable:
            raise Closed(f"{self._folder} takes no more work: {self._unusable}")

    def _check_epoch(self) -> None:
        """A newer writer replaced the epoch file: from then on this one may write nothing."""
        if self._epoch_file.is_replaced():
            raise Fenced(f"{self._folder}: a newer writer has taken over from epoch {self.epoch}")

    def _write(self, file: DiskFile, draft: Draft | Entry, size: int) -> Entry:
        """Write one record at the end of the segment."""
        tail = record_tail(len(draft.body))
        if len(draft.body) < OVERLAP_MIN:
            entry = chained(draft, epoch=self.epoch, parent=self._link.hash)
            file.write(self._end, [pack_record(entry, synced=self._synced), draft.body, tail])
            return entry
        body_at = self._end + RECORD_HEADER_BYTES
        file.write(body_at, [draft.body, tail])
        page_at = body_at + -body_at % _PAGE  # not the page that the header will be written to: it would have to wait
        file.begin_flush(page_at, self._end + size - page_at)
        entry = chained(draft, epoch=self.epoch, parent=self._link.hash)
        file.write(self._end, [pack_record(entry, synced=self._synced)])
        return entry

    def _take_back(self, file: DiskFile) -> None:
        """Cut what a failed append left, durably: what is written there next must not be mixed with it by a crash."""
        self._reserved = 0
        try:
            file.truncate(self._end)
            file.sync()
        except Fault as fault:
            self._unusable = f"a failed write could not be taken back ({fault})"

    def _room_for(self, size: int) -> DiskFile:
        """The segment that the next record goes to, with room reserved ahead of it."""
        if self._file is None:
            self._begin_segment()
        elif self._end + size > self._segment_bytes and self._link.index >= self._first:
            self.sync()
            full, full_end = self._file, self._end
            self._begin_segment()
            with closing(full), suppress(Fault):  # room that isn't given back now is given back by nobody, but harmless
                full.truncate(full_end)
        assert self._file is not None
        if self._end + size > self._reserved:
            needed = self._end + size
            self._reserved = max(needed, min(needed + min(self._end, RESERVE_MAX), self._segment_bytes))
            self._file.reserve(self._reserved)
        return self._file

    def _begin_segment(self) -> None:
        """Start the next segment, durable by name and header before it is used; on a fault the old one goes on."""
        first = self._link.index + 1
        path = segment_path(self._folder, first)
        file = self._disk.create(path)
        try:
            header = SegmentHeader(first=first, previous=self._first, parent=self._link.hash)
            file.write(0, [pack_segment(header)])
            file.sync()
            self._disk.sync_folder(self._folder)
        except Fault:
            file.close()
            self._forget_segment(path)
            raise
        self._file, self._first, self._end, self._reserved = file, first, SEGMENT_HEADER_BYTES, 0

    def _forget_segment(self, path: Path) -> None:
        """Remove a segment that could not be begun, durably: smaller records may still go to the one before it."""
        try:
            self._disk.remove(path)
            self._disk.sync_folder(self._folder)
        except Fault as fault:
            self._unusable = f"a segment that could not be begun is still there ({fault})"


class FileLogReader:
    """Reads a log folder without locking it, in any process: a finished log, or one that is being written."""

    def __init__(self, folder: Path | str, *, disk: Disk | None = None) -> None:
        self._folder, self._disk = Path(folder), disk or RealDisk()
        if not log_exists(self._folder, self._disk):
            raise Refusal(f"{folder} holds no log", code="log_missing")
        self._mark = SyncedMark.open(self._disk, self._folder, write=False)
        self._history = History(self._disk, self._folder)

    @property
    def head(self) -> Head:
        """The newest durable entry."""
        link = self._history.link_at(self._mark.newest())
        return Head(index=link.index, time_ns=link.time_ns, hash=link.hash)

    def read(self, first: int) -> Iterator[Entry]:
        """Yield the durable entries from ``first`` on, as of now, each checked."""
        return self._history.read(max(first, 1), self._mark.newest())

    def verify(self, first: int = 1) -> int:
        """Read and check every durable entry from ``first`` on; how many there are. Raises ``Corrupt``."""
        return sum(1 for _ in self.read(first))

    def close(self) -> None:
        """Give back the files."""
        self._mark.close()


def log_exists(folder: Path | str, disk: Disk | None = None) -> bool:
    """Whether a log was made in this folder."""
    return (disk or RealDisk()).exists(Path(folder) / EPOCH_NAME)
