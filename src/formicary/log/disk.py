"""The few things that the file log asks of a disk, so that a simulated one can crash, tear or fill at any of them.

Every method raises a :class:`~formicary.base.errors.Fault` when the environment fails: ``StorageFull`` for no room,
``StorageReadOnly`` for a disk that takes no writes, plain ``Fault`` for the rest. What is durable: a file's bytes and
size after its ``sync``; names (created, replaced, removed) after ``sync_folder``. Nothing else is promised.
"""

from __future__ import annotations

import errno
import fcntl
import os
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Protocol

from formicary.base.disk_hints import begin_flush, reserve
from formicary.base.errors import Fault, Locked, StorageFull, StorageReadOnly

Part = bytes | memoryview


class DiskFile(Protocol):
    """One open file. Offsets and lengths are bytes."""

    def read(self, offset: int, length: int) -> bytes:
        """Up to ``length`` bytes; fewer only where the file ends."""

    def write(self, offset: int, parts: Sequence[Part]) -> None:
        """Write all parts, one after another. On a fault some of the bytes may have been written."""

    def sync(self) -> None:
        """Make everything written so far, and the size, durable."""

    def size(self) -> int:
        """The file's length."""

    def truncate(self, size: int) -> None:
        """Cut the file at ``size``, and give back room reserved beyond it."""

    def begin_flush(self, offset: int, length: int) -> None:
        """A hint: these bytes will be synced soon; the disk may start now. Promises nothing, never fails."""

    def reserve(self, size: int) -> None:
        """A hint: the file will grow to ``size``. Its length stays; promises nothing, never fails."""

    def is_replaced(self) -> bool:
        """Whether the name it was opened by has since been given to another file, or to none."""

    def close(self) -> None:
        """Give back the handle. Not a sync. Closing twice is allowed."""


class DiskLock(Protocol):
    """A held lock."""

    def release(self) -> None:
        """Let the next one in. Releasing twice is allowed."""


class Disk(Protocol):
    """Files by path."""

    def open(self, path: Path, *, write: bool = False) -> DiskFile:
        """Open a file that exists."""

    def create(self, path: Path) -> DiskFile:
        """Open an empty file for writing, emptying one that exists."""

    def exists(self, path: Path) -> bool:
        """Whether there is such a file or folder."""

    def names(self, folder: Path) -> list[str]:
        """The names in a folder, sorted; none when it does not exist."""

    def replace(self, source: Path, target: Path) -> None:
        """Rename, at once and whole, over a file that may exist."""

    def remove(self, path: Path) -> None:
        """Remove a file; one that is not there is fine."""

    def make_folder(self, path: Path) -> None:
        """Make a folder and those above it, durably; one that exists is fine."""

    def sync_folder(self, path: Path) -> None:
        """Make names in this folder durable."""

    def lock(self, path: Path) -> DiskLock:
        """Take the lock on ``path``, or raise ``Locked`` naming the process that has it."""


def fault_of(error: OSError, doing: str) -> Fault:
    """The fault that an error of the operating system stands for."""
    kind = {errno.ENOSPC: StorageFull, errno.EDQUOT: StorageFull, errno.EROFS: StorageReadOnly}
    return kind.get(error.errno or 0, Fault)(f"{doing}: {error.strerror or error}")


class _Faults:
    """Turns errors of the system into faults. A class, for entering a generator costs more than a small write does."""

    __slots__ = ("_doing", "_path")

    def __init__(self, doing: str, path: Path) -> None:
        self._doing = doing
        self._path = path

    def __enter__(self) -> None:
        """Nothing to prepare."""

    def __exit__(
        self, _kind: type[BaseException] | None, error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        if isinstance(error, OSError):
            raise fault_of(error, f"{self._doing} {self._path}") from error


class RealFile:
    """A file of the operating system."""

    def __init__(self, path: Path, flags: int) -> None:
        self._path = path
        self._fd = -1
        with _Faults("opening", path):
            self._fd = os.open(path, flags | os.O_CLOEXEC, 0o600)

    def read(self, offset: int, length: int) -> bytes:
        """Read until ``length`` bytes are there or the file ends; one call of the system is enough nearly always."""
        with _Faults("reading", self._path):
            data = os.pread(self._fd, length, offset)
            while 0 < len(data) < length:
                more = os.pread(self._fd, length - len(data), offset + len(data))
                if not more:
                    break
                data += more
            return data

    def write(self, offset: int, parts: Sequence[Part]) -> None:
        """Write all parts in one call of the system where it takes them all, else in as many as it needs."""
        with _Faults("writing", self._path):
            left = sum(len(part) for part in parts)
            written = os.pwritev(self._fd, parts, offset)
            if written < left:
                rest = memoryview(b"".join(parts))[written:]
                while rest:
                    written = os.pwrite(self._fd, rest, offset + left - len(rest))
                    rest = rest[written:]

    def sync(self) -> None:
        """``fdatasync``: the bytes and the size, not the times."""
        with _Faults("syncing", self._path):
            os.fdatasync(self._fd)

    def size(self) -> int:
        """The file's length."""
        with _Faults("measuring", self._path):
            return os.fstat(self._fd).st_size

    def truncate(self, size: int) -> None:
        """``ftruncate``; it also frees blocks reserved beyond the end."""
        with _Faults("truncating", self._path):
            os.ftruncate(self._fd, size)

    def begin_flush(self, offset: int, length: int) -> None:
        """``sync_file_range`` without waiting, where the system has it."""
        begin_flush(self._fd, offset, length)

    def reserve(self, size: int) -> None:
        """``fallocate`` that keeps the length, where system and file system have it; no room now is no fault yet."""
        reserve(self._fd, size)

    def is_replaced(self) -> bool:
        """No name leads to the file any more."""
        with _Faults("checking", self._path):
            return os.fstat(self._fd).st_nlink == 0

    def close(self) -> None:
        """Give back the descriptor."""
        fd, self._fd = self._fd, -1
        if fd >= 0:
            os.close(fd)


class RealLock:
    """An ``flock``, which the system lets go of when the process ends, however it ends. The file holds the pid."""

    def __init__(self, path: Path) -> None:
        with _Faults("opening", path):
            self._fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            with _Faults("locking", path):
                self._take(path)
        except Fault:
            self.release()
            raise

    def _take(self, path: Path) -> None:
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            owner = os.pread(self._fd, 32, 0).decode("ascii", "replace").strip() or "unknown"
            raise Locked(f"{path}: process {owner} has this log open for writing") from None
        os.ftruncate(self._fd, 0)
        os.pwrite(self._fd, f"{os.getpid()}\n".encode(), 0)

    def release(self) -> None:
        """Let the next one in."""
        fd, self._fd = self._fd, -1
        if fd >= 0:
            os.close(fd)


class RealDisk:
    """The operating system's files."""

    def open(self, path: Path, *, write: bool = False) -> RealFile:
        """Open a file that exists."""
        return RealFile(path, os.O_RDWR if write else os.O_RDONLY)

    def create(self, path: Path) -> RealFile:
        """Open an empty file for writing."""
        return RealFile(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC)

    def exists(self, path: Path) -> bool:
        """Whether there is such a file or folder."""
        with _Faults("looking for", path):
            return path.exists()

    def names(self, folder: Path) -> list[str]:
        """The names in a folder, sorted."""
        with _Faults("listing", folder):
            try:
                return sorted(path.name for path in folder.iterdir())
            except FileNotFoundError:
                return []

    def replace(self, source: Path, target: Path) -> None:
        """``rename`` over the target."""
        with _Faults("renaming", source):
            source.replace(target)

    def remove(self, path: Path) -> None:
        """Remove a file if it is there."""
        with _Faults("removing", path):
            path.unlink(missing_ok=True)

    def make_folder(self, path: Path) -> None:
        """Make each missing folder from the top, and sync the one that names it."""
        missing = [folder for folder in (path, *path.parents) if not self.exists(folder)]
        for folder in reversed(missing):
            with _Faults("making", folder):
                folder.mkdir(mode=0o700, exist_ok=True)
            self.sync_folder(folder.parent)

    def sync_folder(self, path: Path) -> None:
        """``fsync`` of the folder itself."""
        with _Faults("syncing", path):
            fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            try:
                os.fsync(fd)
            finally:
                os.close(fd)

    def lock(self, path: Path) -> RealLock:
        """Take the lock, without waiting."""
        return RealLock(path)
