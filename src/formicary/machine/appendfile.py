"""A file that only grows at its end, or bytes in memory that behave like it: where the tree keeps its nodes.

Reads and writes name their offset, so one thread may append while others read what was there before. An error of the
disk comes out as the fault it is, and leaves whatever was written before it as it was.
"""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Protocol

from formicary.base.disk_hints import begin_flush
from formicary.base.errors import Closed, Corrupt, Fault, StorageFull, StorageReadOnly

Buffer = bytes | bytearray | memoryview


class AppendFile(Protocol):
    """What the tree needs of its store."""

    def __len__(self) -> int:
        """How many bytes there are."""

    def read(self, offset: int, count: int) -> bytes:
        """Return exactly ``count`` bytes from ``offset``."""

    def write(self, offset: int, data: Buffer) -> None:
        """Put bytes at ``offset``: at the end, or over what a failed write left there."""

    def truncate(self, length: int) -> None:
        """Forget everything from ``length`` on."""

    def begin_flush(self, offset: int, length: int) -> None:
        """Let the disk start on these bytes: work that ``sync`` will not have to wait for."""

    def sync(self) -> None:
        """Make what was written durable; any thread may ask."""

    def close(self) -> None:
        """Let go of the file."""


class MemoryAppendFile:
    """Bytes in memory."""

    def __init__(self) -> None:
        self._bytes = bytearray()

    def __len__(self) -> int:
        return len(self._bytes)

    def read(self, offset: int, count: int) -> bytes:
        """Return exactly ``count`` bytes from ``offset``."""
        assert offset + count <= len(self._bytes), "a read beyond the end"
        return bytes(self._bytes[offset : offset + count])

    def write(self, offset: int, data: Buffer) -> None:
        """Put bytes at ``offset``, which is the end or before it."""
        assert offset <= len(self._bytes), "a write beyond the end"
        self._bytes[offset : offset + len(data)] = data

    def truncate(self, length: int) -> None:
        """Forget everything from ``length`` on."""
        del self._bytes[length:]

    def begin_flush(self, offset: int, length: int) -> None:
        """Memory has nothing to write."""

    def sync(self) -> None:
        """Memory has nothing to sync."""

    def close(self) -> None:
        """Memory has nothing to let go of."""


class DiskAppendFile:
    """A file, made when it is not there."""

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        except OSError as error:
            raise fault(error, path) from error

    def __len__(self) -> int:
        return os.fstat(self._open()).st_size

    def read(self, offset: int, count: int) -> bytes:
        """Return exactly ``count`` bytes from ``offset``; a shorter file is Corrupt."""
        try:
            data = os.pread(self._open(), count, offset)
        except OSError as error:
            raise fault(error, self._path) from error
        if len(data) != count:
            raise Corrupt(f"{count} bytes expected, {len(data)} found", file=str(self._path), record=0, offset=offset)
        return data

    def write(self, offset: int, data: Buffer) -> None:
        """Put bytes at ``offset``, all of them or a fault."""
        left = memoryview(data)
        try:
            while left:
                written = os.pwrite(self._open(), left, offset)
                left, offset = left[written:], offset + written
        except OSError as error:
            raise fault(error, self._path) from error

    def truncate(self, length: int) -> None:
        """Forget everything from ``length`` on."""
        try:
            os.ftruncate(self._open(), length)
        except OSError as error:
            raise fault(error, self._path) from error

    def begin_flush(self, offset: int, length: int) -> None:
        """Let the disk start on these bytes."""
        begin_flush(self._open(), offset, length)

    def sync(self) -> None:
        """Make what was written durable; any thread may ask."""
        try:
            os.fdatasync(self._open())
        except OSError as error:
            raise fault(error, self._path) from error

    def close(self) -> None:
        """Let go of the file; closing twice is harmless."""
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)

    def _open(self) -> int:
        if self._descriptor < 0:
            raise Closed(f"{self._path} is closed")
        return self._descriptor


def open_append_file(path: Path | None) -> AppendFile:
    """Open a file, or bytes in memory for no path."""
    return MemoryAppendFile() if path is None else DiskAppendFile(path)


def fault(error: OSError, path: Path) -> Fault:
    """Name an error of the operating system in our own words."""
    message = f"{path}: {error.strerror or error}"
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return StorageFull(message)
    if error.errno in (errno.EROFS, errno.EACCES, errno.EPERM):
        return StorageReadOnly(message)
    return Fault(message)
