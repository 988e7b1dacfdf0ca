"""Reading segments: what both the writer and the readers of a file log know of its past.

Every record is checked as it is passed: its header's seal, its index, that its time is later and its epoch not lower
than its parent's, and that it holds its parent's hash; and, where the body is read, the hash over all of it.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from formicary.base.entry import NO_PARENT, Entry
from formicary.base.errors import Corrupt
from formicary.log.disk import Disk, DiskFile
from formicary.log.record import (
    RECORD_HEADER_BYTES,
    SEGMENT_HEADER_BYTES,
    Damage,
    RecordHeader,
    SegmentHeader,
    unpack_entry,
    unpack_record,
    unpack_segment,
)

SEGMENT_SUFFIX: Final = ".segment"
_DIGITS: Final = 20
_READ_AHEAD: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class Link:
    """What the next record is checked against: the record before it, or as much of it as is known."""

    index: int
    epoch: int
    time_ns: int
    hash: bytes


START: Final = Link(index=0, epoch=0, time_ns=0, hash=NO_PARENT)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a reader is: in the segment that starts at ``first``, at ``offset``, having passed ``link``."""

    first: int
    offset: int
    link: Link


def segment_path(folder: Path, first: int) -> Path:
    """The file of the segment whose first index this is."""
    return folder / f"{first:0{_DIGITS}d}{SEGMENT_SUFFIX}"


def segment_firsts(disk: Disk, folder: Path) -> list[int]:
    """The first index of every segment, rising."""
    names = [name.removesuffix(SEGMENT_SUFFIX) for name in disk.names(folder) if name.endswith(SEGMENT_SUFFIX)]
    return [int(name) for name in names if len(name) == _DIGITS and name.isdigit()]


class Scan:
    """Goes through one open segment, record by record; stays and raises ``Damage`` at one that is not whole."""

    def __init__(self, file: DiskFile, path: Path, link: Link, offset: int = SEGMENT_HEADER_BYTES) -> None:
        self.file = file
        self.path = path
        self.link = link
        self.offset = offset
        self._window = b""
        self._window_offset = 0

    def at_end(self) -> bool:
        """Whether no byte follows."""
        return not self._bytes(self.offset, 1)

    def header(self) -> RecordHeader:
        """The next record's header, checked against its parent. Does not move."""
        header = unpack_record(self._bytes(self.offset, RECORD_HEADER_BYTES))
        if header.index != self.link.index + 1:
            raise Damage(f"it says it is entry {header.index}")
        if header.parent != self.link.hash:
            raise Damage("it names another parent than the entry before it")
        if header.epoch < self.link.epoch or header.time_ns <= self.link.time_ns:
            raise Damage(f"its epoch {header.epoch} or time {header.time_ns} falls behind its parent's")
        return header

    def skip(self) -> None:
        """Pass the next record without reading its body."""
        self._pass(self.header())

    def next(self) -> Entry:
        """The next entry, checked to its last byte."""
        header = self.header()
        rest = self._bytes(self.offset + RECORD_HEADER_BYTES, header.record_bytes - RECORD_HEADER_BYTES)
        entry = unpack_entry(header, rest, offset=self.offset)
        self._pass(header)
        return entry

    def corrupt(self, reason: str) -> Corrupt:
        """The fault that names the next record as damaged."""
        return Corrupt(reason, file=str(self.path), record=self.link.index + 1, offset=self.offset)

    def _pass(self, header: RecordHeader) -> None:
        self.offset += header.record_bytes
        self.link = Link(index=header.index, epoch=header.epoch, time_ns=header.time_ns, hash=header.hash)

    def _bytes(self, offset: int, length: int) -> bytes:
        """Bytes of the file through a window, so that small records don't cost a call of the system each."""
        start = offset - self._window_offset
        if start < 0 or start + length > len(self._window):
            self._window = self.file.read(offset, max(length, _READ_AHEAD))
            self._window_offset = offset
            start = 0
        return self._window[start : start + length]


def open_segment(disk: Disk, folder: Path, *, first: int, previous: int, link: Link | None) -> Scan:
    """Open a segment at its first record; its header must agree with its name, its neighbour and its parent."""
    path = segment_path(folder, first)
    file = disk.open(path)
    try:
        header = unpack_segment(file.read(0, SEGMENT_HEADER_BYTES))
        _check_fit(header, first=first, previous=previous, link=link)
    except Damage as damage:
        file.close()
        raise Corrupt(damage.reason, file=str(path), record=first, offset=0) from None
    start = link or Link(index=first - 1, epoch=0, time_ns=0, hash=header.parent)
    return Scan(file, path, start)


def _check_fit(header: SegmentHeader, *, first: int, previous: int, link: Link | None) -> None:
    if header.first != first:
        raise Damage(f"the segment says it starts at entry {header.first}")
    if header.previous != previous:
        raise Damage(f"the segment before it, which starts at entry {header.previous}, is missing")
    if link is not None and link.index + 1 != first:
        raise Damage(f"entries {link.index + 1} to {first - 1} are missing")
    if link is not None and link.hash != header.parent:
        raise Damage("the segment names another parent than the last entry of the one before it")


class History:
    """The durable entries of a folder of segments. Keeps the place of the last reading, so that tailing is cheap."""

    def __init__(self, disk: Disk, folder: Path) -> None:
        self._disk = disk
        self._folder = folder
        self._place: Place | None = None

    def read(self, first: int, last: int) -> Iterator[Entry]:
        """Yield entries ``first`` to ``last``, all of which must be there."""
        scan = self._scan_from(first) if first <= last else None
        while scan is not None:
            with closing(scan.file):
                while scan.link.index < last and not scan.at_end():
                    try:
                        entry = scan.next()
                    except Damage as damage:
                        raise scan.corrupt(damage.reason) from None
                    yield entry
                scan = self._following(scan, last)

    def link_at(self, index: int) -> Link:
        """The header of entry ``index``, which must be there; 0 is the start of the log."""
        if index == 0:
            return START
        if self._place is not None and self._place.link.index == index:
            return self._place.link
        scan = self._scan_from(index)
        with closing(scan.file):
            try:
                scan.skip()
            except Damage as damage:
                raise scan.corrupt(damage.reason) from None
            self._keep(scan)
            return scan.link

    def _scan_from(self, first: int) -> Scan:
        """A scan whose next record is ``first``."""
        scan = self._resume(first) or self._enter(first)
        try:
            while scan.link.index + 1 < first:
                scan.skip()
        except Damage as damage:
            scan.file.close()
            raise scan.corrupt(damage.reason) from None
        return scan

    def _resume(self, first: int) -> Scan | None:
        """Go on from where the last reading ended, if ``first`` is not before it and lies in the same segment."""
        place = self._place
        if place is None or first <= place.link.index:
            return None
        later = [start for start in segment_firsts(self._disk, self._folder) if start > place.first]
        if later and later[0] <= first:
            return None
        path = segment_path(self._folder, place.first)
        return Scan(self._disk.open(path), path, place.link, place.offset)

    def _enter(self, index: int) -> Scan:
        """Open the segment that holds ``index``."""
        firsts = segment_firsts(self._disk, self._folder)
        number = bisect_right(firsts, index) - 1
        if number < 0:
            raise Corrupt(
                "the segment that holds this entry is missing",
                file=str(segment_path(self._folder, index)),
                record=index,
                offset=0,
            )
        previous = firsts[number - 1] if number else 0
        link = START if firsts[number] == 1 else None
        return open_segment(self._disk, self._folder, first=firsts[number], previous=previous, link=link)

    def _following(self, scan: Scan, last: int) -> Scan | None:
        """The scan of the next segment when ``last`` was not reached in this one."""
        if scan.link.index >= last:
            self._keep(scan)
            return None
        here = int(scan.path.stem)
        later = [start for start in segment_firsts(self._disk, self._folder) if start > here]
        if not later:
            raise scan.corrupt(f"the log ends here, but entry {last} was durable")
        return open_segment(self._disk, self._folder, first=later[0], previous=here, link=scan.link)

    def _keep(self, scan: Scan) -> None:
        self._place = Place(first=int(scan.path.stem), offset=scan.offset, link=scan.link)
