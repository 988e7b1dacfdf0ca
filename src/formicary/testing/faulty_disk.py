"""A disk in memory that loses power at a chosen moment and forgets, tears and reorders what was not synced.

It promises exactly what :mod:`formicary.log.disk` says and nothing more. Without faults it behaves as the real disk
does: the suites of ``tests/log`` run on both.

After ``crash`` every call raises :class:`PowerLoss` until ``restart``. What a restart finds of a file is its bytes at
its last sync, plus, of each write since: all, nothing, the beginning of it up to any byte, or any of its sectors, as
the seed decides. Of names created, replaced or removed since the folder's last sync, the first few may be there.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Final

from formicary.base.errors import Fault, Locked, StorageFull, StorageReadOnly
from formicary.log.disk import Part

SECTOR: Final = 512


class PowerLoss(BaseException):
    """The simulated machine lost power. Not an ``Exception``: nothing may catch it and carry on."""


@dataclass(slots=True)
class _Change:
    """One unsynced change of a file: bytes at an offset, or (without bytes) a cut."""

    offset: int
    data: bytes | None


@dataclass(eq=False, slots=True)
class _Content:
    """A file's bytes: as programs see them, as the platter has them, and what lies between."""

    seen: bytearray = field(default_factory=bytearray)
    durable: bytearray = field(default_factory=bytearray)
    changes: list[_Change] = field(default_factory=list)


def _apply(target: bytearray, change: _Change) -> None:
    if change.data is None:
        del target[change.offset :]
        target.extend(bytes(change.offset - len(target)))
        return
    end = change.offset + len(change.data)
    target.extend(bytes(max(end - len(target), 0)))
    target[change.offset : end] = change.data


class FaultyFile:
    """An open file of a :class:`FaultyDisk`."""

    def __init__(self, disk: FaultyDisk, path: Path, content: _Content, *, write: bool) -> None:
        self._disk = disk
        self._path = path
        self._content = content
        self._write = write
        self._open = True

    def read(self, offset: int, length: int) -> bytes:
        """Up to ``length`` bytes; fewer only where the file ends."""
        self._check()
        return bytes(self._content.seen[offset : offset + length])

    def write(self, offset: int, parts: Sequence[Part]) -> None:
        """Write all parts, or as much as there is room for before ``StorageFull``."""
        self._check(write=True)
        data = b"".join(parts)
        lost_power = self._disk.step()
        growth = max(offset + len(data) - len(self._content.seen), 0)
        room = self._disk.room()
        fits = data if growth <= room else data[: max(len(data) - growth + room, 0)]
        if fits:
            self._change(_Change(offset, fits))
        if lost_power:
            self._disk.crash()
        if len(fits) < len(data):
            raise StorageFull(f"writing {self._path}: no room")

    def sync(self) -> None:
        """Make everything written so far durable; after a failed sync it looks so, but is not."""
        self._check()
        if self._disk.step():
            self._disk.crash()
        if self._disk.syncs_to_fail:
            self._disk.syncs_to_fail -= 1
            self._content.changes.clear()
            raise Fault(f"syncing {self._path}: input/output error")
        if not self._disk.forgets_syncs:
            for change in self._content.changes:
                _apply(self._content.durable, change)
            self._content.changes.clear()

    def size(self) -> int:
        """The file's length."""
        self._check()
        return len(self._content.seen)

    def truncate(self, size: int) -> None:
        """Cut the file."""
        self._check(write=True)
        self._change(_Change(size, None))

    def begin_flush(self, offset: int, length: int) -> None:
        """The hint is ignored: an unsynced write may reach the platter or not, hint or no hint."""

    def reserve(self, size: int) -> None:
        """The hint is ignored."""

    def is_replaced(self) -> bool:
        """Whether the name leads elsewhere."""
        self._check()
        return self._disk.content(self._path) is not self._content

    def close(self) -> None:
        """Give back the handle."""
        self._open = False

    def _change(self, change: _Change) -> None:
        _apply(self._content.seen, change)
        self._content.changes.append(change)

    def _check(self, *, write: bool = False) -> None:
        self._disk.check(write=write)
        if not self._open or (write and not self._write):
            raise Fault(f"{self._path}: not open for this")


class FaultyLock:
    """A held lock of a :class:`FaultyDisk`; lost with the power."""

    def __init__(self, locks: set[_Content], content: _Content) -> None:
        self._locks = locks
        self._content = content

    def release(self) -> None:
        """Let the next one in."""
        self._locks.discard(self._content)


class FaultyDisk:
    """See the module. The switches are plain attributes; set them at any time."""

    def __init__(self, seed: int = 0) -> None:
        self.seed = seed
        self.operations = 0
        """Writes and syncs so far: what ``crash_at`` counts."""
        self.crash_at: int | None = None
        """Lose power during this operation (the first is 1): a write may have happened in part, a sync has not."""
        self.capacity: int | None = None
        """Bytes of all files together; more is ``StorageFull``."""
        self.read_only = False
        self.syncs_to_fail = 0
        """So many of the next syncs fail, and what they should have made durable is lost."""
        self.forgets_syncs = False
        """A lying disk: syncs do nothing. The canary that the crash tests must catch."""
        self._random = random.Random(seed)
        self._names: dict[Path, _Content] = {}
        self._durable_names: dict[Path, _Content] = {}
        self._name_changes: list[tuple[Path, Callable[[dict[Path, _Content]], object]]] = []
        self._folders: set[Path] = set()
        self._locks: set[_Content] = set()
        self._dead = False

    # The Disk port.

    def open(self, path: Path, *, write: bool = False) -> FaultyFile:
        """Open a file that exists."""
        self.check(write=write)
        if path not in self._names:
            raise Fault(f"opening {path}: no such file")
        return FaultyFile(self, path, self._names[path], write=write)

    def create(self, path: Path) -> FaultyFile:
        """Open an empty file for writing."""
        self.check(write=True)
        if path in self._names:
            file = FaultyFile(self, path, self._names[path], write=True)
            file.truncate(0)
            return file
        content = _Content()
        self._rename(path.parent, lambda names: names.__setitem__(path, content))
        return FaultyFile(self, path, content, write=True)

    def exists(self, path: Path) -> bool:
        """Whether there is such a file or folder."""
        self.check()
        return path in self._names or path in self._folders

    def names(self, folder: Path) -> list[str]:
        """The names in a folder, sorted."""
        self.check()
        return sorted(path.name for path in self._names if path.parent == folder)

    def replace(self, source: Path, target: Path) -> None:
        """Rename over a file that may exist."""
        self.check(write=True)
        self._rename(source.parent, lambda names: names.__setitem__(target, names.pop(source)))

    def remove(self, path: Path) -> None:
        """Remove a file if it is there."""
        self.check(write=True)
        self._rename(path.parent, lambda names: names.pop(path, None))

    def make_folder(self, path: Path) -> None:
        """Folders are durable at once: no test is about them."""
        self.check(write=True)
        self._folders.update((path, *path.parents))

    def sync_folder(self, path: Path) -> None:
        """Make names in this folder durable."""
        self.check(write=True)
        if self.step():
            self.crash()
        if self.forgets_syncs:
            return
        for folder, change in self._name_changes:
            if folder == path:
                change(self._durable_names)
        self._name_changes = [(folder, change) for folder, change in self._name_changes if folder != path]

    def lock(self, path: Path) -> FaultyLock:
        """Take the lock."""
        self.check(write=True)
        if path not in self._names:
            self.create(path)
        content = self._names[path]
        if content in self._locks:
            raise Locked(f"{path}: process 0 has this log open for writing")
        self._locks.add(content)
        return FaultyLock(self._locks, content)

    # The faults.

    def crash(self) -> None:
        """Lose power now, in the middle of a call."""
        self.lose_power()
        raise PowerLoss

    def lose_power(self) -> None:
        """Lose power now, between calls."""
        self._dead = True

    def restart(self) -> None:
        """Come back with what the platter happens to hold; locks are gone, ``crash_at`` is cleared."""
        kept = self._random.randint(0, len(self._name_changes))
        for _, rename in self._name_changes[:kept]:
            rename(self._durable_names)
        for content in {id(content): content for content in self._durable_names.values()}.values():
            for change in content.changes:
                self._apply_some(content.durable, change)
            content.changes.clear()
            content.seen = bytearray(content.durable)
        self._names = dict(self._durable_names)
        self._name_changes.clear()
        self._locks.clear()
        self.crash_at = None
        self._dead = False

    def flip(self, path: Path, *, byte: int, bit: int) -> None:
        """Flip one bit of a file, on the platter and in memory."""
        content = self._names[path]
        content.seen[byte] ^= 1 << bit
        content.durable[byte] ^= 1 << bit

    @classmethod
    def holding(cls, files: Mapping[Path, bytes], *, seed: int = 0) -> FaultyDisk:
        """A disk on which these files are, durably."""
        disk = cls(seed)
        for path, data in files.items():
            disk._names[path] = _Content(seen=bytearray(data), durable=bytearray(data))
            disk._folders.update(path.parents)
        disk._durable_names = dict(disk._names)
        return disk

    def files(self) -> dict[Path, bytes]:
        """Every file's bytes, as programs see them."""
        return {path: bytes(content.seen) for path, content in self._names.items()}

    # What the files ask back.

    def check(self, *, write: bool = False) -> None:
        """Refuse everything without power, and changes on a read-only disk."""
        if self._dead:
            raise PowerLoss
        if write and self.read_only:
            raise StorageReadOnly("the disk is read-only")

    def step(self) -> bool:
        """Count an operation; whether the power goes during it."""
        self.operations += 1
        return self.operations == self.crash_at

    def room(self) -> int:
        """Bytes that can still be added."""
        if self.capacity is None:
            return 1 << 62
        return max(self.capacity - sum(len(content.seen) for content in self._names.values()), 0)

    def content(self, path: Path) -> object:
        """What a name leads to now."""
        return self._names.get(path)

    def _rename(self, folder: Path, change: Callable[[dict[Path, _Content]], object]) -> None:
        change(self._names)
        self._name_changes.append((folder, change))

    def _apply_some(self, durable: bytearray, change: _Change) -> None:
        """Let an unsynced change reach the platter: whole, not at all, or in part."""
        fate = self._random.choice(("whole", "lost", "torn", "sectors"))
        if fate == "lost":
            return
        if fate == "whole" or change.data is None:
            _apply(durable, change)
        elif fate == "torn":
            _apply(durable, _Change(change.offset, change.data[: self._random.randint(0, len(change.data))]))
        else:
            for start, piece in _by_sector(change.offset, change.data):
                if self._random.random() < 0.5:
                    _apply(durable, _Change(start, piece))


def _by_sector(offset: int, data: bytes) -> list[tuple[int, bytes]]:
    """A write, cut where the disk's sectors begin."""
    edges = sorted({offset, offset + len(data), *range(offset + -offset % SECTOR, offset + len(data), SECTOR)})
    return [(start, data[start - offset : end - offset]) for start, end in pairwise(edges)]
