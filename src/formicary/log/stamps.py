"""Small files that hold one number each: the writer's epoch, and how far the log is known to be durable.

A stamp is a line of text with a checksum, so that a person can read it and a flipped bit is noticed.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final
from zlib import crc32

from formicary.base.errors import Corrupt
from formicary.log.disk import Disk, DiskFile

EPOCH_NAME: Final = "epoch"
SYNCED_NAME: Final = "synced"
STAMP_BYTES: Final = 32
_NEW_SUFFIX: Final = ".new"


def pack_stamp(number: int) -> bytes:
    """20 digits, a space, the checksum of the digits in hex, spaces and a line end: 32 bytes."""
    digits = f"{number:020d}"
    return f"{digits} {crc32(digits.encode()):08x}".ljust(STAMP_BYTES - 1).encode() + b"\n"


def unpack_stamp(raw: bytes) -> int | None:
    """The number, or ``None`` when these are not the bytes of a stamp."""
    digits = raw[:20]
    if not digits.isdigit() or pack_stamp(int(digits)) != raw:
        return None
    return int(digits)


def read_epoch(disk: Disk, folder: Path) -> int:
    """The newest writer's epoch. A damaged stamp is refused: guessing it could let a stale writer go on."""
    path = folder / EPOCH_NAME
    file = disk.open(path)
    try:
        epoch = unpack_stamp(file.read(0, STAMP_BYTES + 1))
    finally:
        file.close()
    if epoch is None:
        raise Corrupt(
            "the epoch is unreadable; write a stamp greater than any epoch before it",
            file=str(path),
            record=0,
            offset=0,
        )
    return epoch


def write_epoch(disk: Disk, folder: Path, epoch: int) -> DiskFile:
    """Put a new epoch in place of the old, whole and durably; the open file tells when a newer one replaces it."""
    path = folder / EPOCH_NAME
    fresh = path.with_name(EPOCH_NAME + _NEW_SUFFIX)
    file = disk.create(fresh)
    try:
        file.write(0, [pack_stamp(epoch)])
        file.sync()
    finally:
        file.close()
    disk.replace(fresh, path)
    disk.sync_folder(folder)
    return disk.open(path)


class SyncedMark:
    """The newest index known to be durable, in two stamps written in turn, so that one is whole whatever happens.

    It is written after each sync of the log but not synced itself: never ahead of the truth, exact after a crash of
    the process, and a few seconds behind at worst after a power cut. ``close`` makes it durable.
    """

    def __init__(self, file: DiskFile, path: Path) -> None:
        self._file = file
        self._path = path
        self._slot = 0

    @classmethod
    def create(cls, disk: Disk, folder: Path) -> None:
        """Make the file, durable but for its name, with the mark at zero."""
        file = disk.create(folder / SYNCED_NAME)
        try:
            file.write(0, [pack_stamp(0) * 2])
            file.sync()
        finally:
            file.close()

    @classmethod
    def open(cls, disk: Disk, folder: Path, *, write: bool) -> SyncedMark:
        """Open the mark of a log."""
        path = folder / SYNCED_NAME
        return cls(disk.open(path, write=write), path)

    def read(self) -> int | None:
        """The newest stamp that is whole, ``None`` when neither is."""
        raw = self._file.read(0, 2 * STAMP_BYTES)
        stamps = [unpack_stamp(raw[:STAMP_BYTES]), unpack_stamp(raw[STAMP_BYTES:])]
        return max((stamp for stamp in stamps if stamp is not None), default=None)

    def newest(self) -> int:
        """The mark, for a reader: where a writer's opening would repair it, a reader must refuse."""
        index = self.read()
        if index is None:
            raise Corrupt(
                "both stamps are damaged; opening the log for writing checks it and writes them anew",
                file=str(self._path),
                record=0,
                offset=0,
            )
        return index

    def is_damaged(self) -> bool:
        """Whether either stamp is not as written."""
        raw = self._file.read(0, 2 * STAMP_BYTES + 1)
        return len(raw) != 2 * STAMP_BYTES or None in (unpack_stamp(raw[:STAMP_BYTES]), unpack_stamp(raw[STAMP_BYTES:]))

    def write(self, index: int) -> None:
        """Note that the log is durable up to ``index``."""
        self._file.write(self._slot * STAMP_BYTES, [pack_stamp(index)])
        self._slot ^= 1

    def settle(self, index: int) -> None:
        """Note it in both places and make it durable."""
        self.write(index)
        self.write(index)
        self._file.sync()

    def close(self) -> None:
        """Give back the file."""
        self._file.close()
