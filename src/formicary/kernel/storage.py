"""Arrays of records that grow without moving: address space is reserved once, and backed a step at a time.

A :class:`GrowingArray` lies over a file (what the ledger stores) or over anonymous memory (what it can rebuild).
Growing never copies: the mapping covers far more than the file or memory behind it, and growth only backs the next
step. Room is taken *before* any work, so a full disk is a :class:`StorageFull` and never half a batch.

Invariants: records below ``capacity`` are backed; a view handed out stays valid for as long as somebody holds it,
because it keeps its mapping alive and no mapping is ever resized in place.
"""

from __future__ import annotations

import contextlib
import errno
import mmap
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from formicary.base.disk_hints import begin_flush
from formicary.base.errors import StorageFull, StorageReadOnly

Records = npt.NDArray[Any]
"""A one-dimensional numpy array of records."""
Record = Any
"""One of them, which shares the array's memory: `record["field"]` reads and writes there."""

STEP_MIN: Final = 1 << 20
STEP_MAX: Final = 64 << 20
"""Bytes by which room grows: as much again as there is, within these bounds."""
RESERVED_MIN: Final = 1 << 30
RESERVED_FILE: Final = 1 << 38
"""Bytes of address space a file's mapping reserves at first; when outgrown it is mapped anew, four times as large."""
HUGE_PAGE: Final = 2 << 20
NO_RESERVE: Final = 0x4000
"""Linux's MAP_NORESERVE, which Python's mmap does not name: address space alone costs nothing."""


def physical_memory() -> int:
    """Bytes of memory that this machine has: no array in memory could outgrow it."""
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


def reserve_memory(size: int) -> mmap.mmap:
    """Reserve ``size`` bytes of zeroed private memory that costs nothing until it is touched."""
    while True:
        try:
            flags = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | NO_RESERVE
            return mmap.mmap(-1, size, flags=flags)
        except OSError as error:  # a limit on address space, or a kernel that never overcommits: take less
            if size <= RESERVED_MIN:
                raise StorageFull(f"no address space for {size} bytes: {error.strerror}") from error
            size //= 2


def use_huge_pages(mapping: mmap.mmap, start: int, stop: int) -> None:
    """Ask for 2 MiB pages between two byte offsets: far fewer misses when ids and accounts come at random."""
    start = -(-start // HUGE_PAGE) * HUGE_PAGE
    if stop - start >= HUGE_PAGE:
        with contextlib.suppress(OSError):  # a kernel built without them is only slower
            mapping.madvise(mmap.MADV_HUGEPAGE, start, stop - start)


def zeroed(count: int, dtype: npt.DTypeLike) -> Records:
    """Return ``count`` zeroed items in memory of their own; pages arrive as they are touched."""
    size = max(count * np.dtype(dtype).itemsize, mmap.PAGESIZE)
    mapping = mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    use_huge_pages(mapping, 0, size)
    return np.frombuffer(mapping, dtype, count)


@contextlib.contextmanager
def disk_faults(what: str) -> Iterator[None]:
    """Turn what the disk says into our own faults."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            raise StorageFull(f"no room for {what}: {error.strerror}") from error
        if error.errno in (errno.EROFS, errno.EACCES, errno.EPERM):
            raise StorageReadOnly(f"{what} cannot be written: {error.strerror}") from error
        raise


class GrowingArray:
    """Records in a file or in memory; ``view`` is all that is backed so far."""

    def __init__(self, dtype: np.dtype[Any], path: Path | None = None) -> None:
        """Open the array over the file at ``path``, made when missing, or over memory when ``path`` is None."""
        self.dtype = dtype
        self.path = path
        self._file = -1 if path is None else _open(path)
        self._size = 0 if path is None else os.fstat(self._file).st_size
        self._offset = 0
        self._mapping = self._reserve(RESERVED_FILE) if path else reserve_memory(_memory_reserve())
        self.view: Records = self._make_view()

    @property
    def capacity(self) -> int:
        """How many records are backed."""
        return len(self.view)

    def ensure(self, count: int) -> bool:
        """Back at least ``count`` records; True when ``view`` is a new one.

        Raises :class:`StorageFull` with nothing changed when there is no room.
        """
        if count <= self.capacity:
            return False
        needed = count * self.dtype.itemsize
        size = max(needed, self._size + min(max(self._size, STEP_MIN), STEP_MAX))
        size = -(-size // mmap.PAGESIZE) * mmap.PAGESIZE
        if self.path is None:
            self._extend_memory(size)
        else:
            self._extend_file(size)
        self._size = size
        self.view = self._make_view()
        assert self.capacity >= count, "growth fell short"
        return True

    def sync(self) -> None:
        """Make what was written durable. Callable from another thread while writing goes on."""
        if self.path is not None:
            with disk_faults(str(self.path)):
                os.fdatasync(self._file)

    def write_out(self, first: int, last: int) -> None:
        """Put final records into the file: a mapped one has them already."""

    def settle(self) -> None:
        """Let the file stand in for memory: a mapped one does so anyway."""

    def begin_flush(self, first: int, last: int) -> None:
        """Start writing records [first, last), which are done, so that a later :meth:`sync` finds little to do."""
        if self._file >= 0:
            size = self.dtype.itemsize
            begin_flush(self._file, first * size, (last - first) * size)

    def close(self, count: int) -> None:
        """Give back the room beyond ``count`` records and close the file; views stay readable up to ``count``."""
        if self._file >= 0:
            with disk_faults(str(self.path)):
                os.ftruncate(self._file, count * self.dtype.itemsize)
            os.close(self._file)
            self._file = -1
            self.view = self.view[:count]

    def _make_view(self) -> Records:
        return np.frombuffer(self._mapping, self.dtype, self._size // self.dtype.itemsize)

    def _extend_memory(self, size: int) -> None:
        if self._offset + size > len(self._mapping):
            raise StorageFull(f"records need {size} bytes of memory, and {len(self._mapping)} are reserved")
        use_huge_pages(self._mapping, self._offset + self._size, self._offset + size)

    def _allocate(self, size: int) -> None:
        with disk_faults(str(self.path)):
            os.posix_fallocate(self._file, self._size, size - self._size)

    def _extend_file(self, size: int) -> None:
        self._allocate(size)
        if size > len(self._mapping):
            self._mapping = self._reserve(4 * size)

    def _reserve(self, size: int) -> mmap.mmap:
        """Map the file beyond its end: Python maps no further than a file is long, so lengthen it for a moment."""
        real = max(self._size, os.fstat(self._file).st_size)
        while True:
            try:
                os.ftruncate(self._file, max(size, real))
                return mmap.mmap(self._file, max(size, real))
            except OSError as error:  # a file system or process with a lower limit: take less
                if size <= RESERVED_MIN:
                    raise StorageFull(f"{self.path} cannot be mapped: {error.strerror}") from error
                size //= 4
            finally:
                os.ftruncate(self._file, real)


def _open(path: Path) -> int:
    with disk_faults(str(path)):
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)


def _memory_reserve() -> int:
    return max(2 * physical_memory(), RESERVED_MIN)
