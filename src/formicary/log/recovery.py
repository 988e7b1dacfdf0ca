"""Opening a file log for writing: find its end, cut what was never wholly written, refuse what was damaged since.

The question is always the same: a record fails its checks; was it *damaged* after it was durable (``Corrupt``), or is
it what a crash left of a write that nobody was told about (cut, and reported)? It is an unfinished write only if all
of these hold; in every doubt it is damage:

- it is in the last segment (a new segment is begun only when all before it is durable);
- it lies beyond the synced mark, and beyond the mark that any later whole record carries in its header;
- it looks like an unfinished write: the file ends inside it, or zeros stand where bytes must be.
"""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from formicary.base.errors import Corrupt
from formicary.log.disk import Disk
from formicary.log.history import START, Link, Scan, open_segment, segment_firsts, segment_path
from formicary.log.record import (
    ALIGNMENT,
    RECORD_HEADER_BYTES,
    RECORD_MAGIC,
    SEGMENT_HEADER_BYTES,
    Damage,
    unpack_record,
    unpack_segment,
)
from formicary.log.stamps import SYNCED_NAME, SyncedMark


@dataclass(frozen=True, slots=True)
class Recovery:
    """The end of a log as found, made durable and fit to append to."""

    first: int
    """First index of the last segment; 0 when there is none yet."""
    end: int
    """Where its next record goes."""
    link: Link
    report: str
    """What was cut or repaired, for people; empty when nothing was."""


def recover(disk: Disk, folder: Path, mark: SyncedMark, *, verify_from: int | None) -> Recovery:
    """Check the log from ``verify_from`` on (``None``: its last segment), cut an unfinished tail, settle the rest.

    What is whole but beyond the synced mark is written again before it is relied on: after a failed sync the system may
    show bytes that never reached the disk.
    """
    stamped = mark.read()
    notes = [f"{folder / SYNCED_NAME}: a stamp was damaged; written anew"] if mark.is_damaged() else []
    synced = stamped or 0
    firsts = _whole_segments(disk, folder, synced=synced, notes=notes)
    link = _check_earlier(disk, folder, firsts, verify_from=verify_from)
    if not firsts:
        if synced:
            raise Corrupt(
                f"the log was durable up to entry {synced}, but it has no segments",
                file=str(folder),
                record=1,
                offset=0,
            )
        return Recovery(first=0, end=0, link=START, report="; ".join(notes))
    previous = firsts[-2] if len(firsts) > 1 else 0
    scan = open_segment(disk, folder, first=firsts[-1], previous=previous, link=link)
    with closing(scan.file):
        unsynced_from = _find_end(scan, synced=synced, notes=notes)
    _settle(disk, scan, unsynced_from)
    disk.sync_folder(folder)
    mark.settle(scan.link.index)
    return Recovery(first=firsts[-1], end=scan.offset, link=scan.link, report="; ".join(notes))


def _whole_segments(disk: Disk, folder: Path, *, synced: int, notes: list[str]) -> list[int]:
    """The segments, their headers checked one against the next; a last one that was never begun is removed."""
    firsts = segment_firsts(disk, folder)
    if firsts and firsts[-1] > synced:
        path = segment_path(folder, firsts[-1])
        with closing(disk.open(path)) as file:
            try:
                unpack_segment(file.read(0, SEGMENT_HEADER_BYTES))
            except Damage as damage:
                if damage.unfinished:
                    disk.remove(path)
                    notes.append(f"{path}: removed, it was never wholly begun ({damage.reason})")
                    firsts.pop()
    for number, first in enumerate(firsts):
        previous = firsts[number - 1] if number else 0
        open_segment(disk, folder, first=first, previous=previous, link=None if number else START).file.close()
    return firsts


def _check_earlier(disk: Disk, folder: Path, firsts: list[int], *, verify_from: int | None) -> Link | None:
    """Check what must be of the segments before the last; the link that the last one follows, where it is known."""
    link = START if len(firsts) == 1 else None
    for number, following in enumerate(firsts[1:]):
        if verify_from is None or following <= verify_from:
            continue
        previous, known = (firsts[number - 1], link) if number else (0, START)
        scan = open_segment(disk, folder, first=firsts[number], previous=previous, link=known)
        with closing(scan.file):
            _check_all(scan, following)
        link = scan.link
    return link


def _check_all(scan: Scan, following: int) -> None:
    """Check every record of a segment that is not the last: any damage in it happened after it was durable."""
    try:
        while not scan.at_end():
            scan.next()
    except Damage as damage:
        raise scan.corrupt(damage.reason) from None
    if scan.link.index + 1 != following:
        raise scan.corrupt(f"the segment ends, but the next one starts at entry {following}")


def _find_end(scan: Scan, *, synced: int, notes: list[str]) -> int:
    """Go to the end of the last segment's whole records. Returns where those beyond the synced mark begin."""
    unsynced_from = scan.offset
    try:
        while not scan.at_end():
            scan.next()
            if scan.link.index <= synced:
                unsynced_from = scan.offset
    except Damage as damage:
        _judge(scan, damage, synced=synced, notes=notes)
    if scan.link.index < synced:
        raise scan.corrupt(f"the log ends here, but it was durable up to entry {synced}")
    return unsynced_from


def _judge(scan: Scan, damage: Damage, *, synced: int, notes: list[str]) -> None:
    """Raise ``Corrupt``, or note what is to be cut."""
    index = scan.link.index + 1
    rest = scan.file.read(scan.offset, scan.file.size() - scan.offset)
    later, synced_later = _later_records(rest, index)
    if index <= max(synced, synced_later):
        raise scan.corrupt(f"{damage.reason}, and it was durable")
    if not damage.unfinished:
        raise scan.corrupt(f"{damage.reason}, and it does not look like an unfinished write")
    with_it = f", and {later} records after it that were not durable either" if later else ""
    notes.append(
        f"{scan.path}: cut {len(rest)} bytes at {scan.offset}: entry {index}, which was never acknowledged"
        f" ({damage.reason}){with_it}"
    )


def _later_records(rest: bytes, index: int) -> tuple[int, int]:
    """How many whole headers follow a bad record, and the newest index that any of them knew to be durable."""
    count = newest = 0
    at = rest.find(RECORD_MAGIC, 1)
    while at >= 0:
        if at % ALIGNMENT == 0:
            try:
                header = unpack_record(rest[at : at + RECORD_HEADER_BYTES])
            except Damage:
                pass
            else:
                if header.index > index:
                    count += 1
                    newest = max(newest, header.synced)
        at = rest.find(RECORD_MAGIC, at + 1)
    return count, newest


def _settle(disk: Disk, scan: Scan, unsynced_from: int) -> None:
    """Cut the file at its end, and write and sync what may be in memory only."""
    with closing(disk.open(scan.path, write=True)) as file:
        file.truncate(scan.offset)
        if unsynced_from < scan.offset:
            file.write(unsynced_from, [file.read(unsynced_from, scan.offset - unsynced_from)])
        file.sync()
