"""Flipped bits and cut files: every single one is found and named; an unfinished tail is told from damage."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from formicary.base.entry import Entry
from formicary.base.errors import Corrupt
from formicary.log import FileLog, FileLogReader
from formicary.log.record import RECORD_HEADER_BYTES, SECTOR, SEGMENT_HEADER_BYTES, record_bytes
from formicary.log.stamps import pack_stamp
from formicary.testing.faulty_disk import FaultyDisk

from tests.log.conformance import draft_after

FOLDER = Path("/ledger/log")
MARK = FOLDER / "synced"
EPOCH = FOLDER / "epoch"
SEGMENT = 460

Files = dict[Path, bytes]


def small_log(bodies: tuple[bytes, ...] = (b"", b"first", bytes(16), b"\x80")) -> tuple[Files, list[Entry]]:
    """A closed log of a few records in two segments: its files and entries."""
    disk = FaultyDisk()
    log = FileLog.create(FOLDER, disk=disk, segment_bytes=SEGMENT)
    entries = []
    for body in bodies:
        entries.append(log.append(draft_after(log, body)))
        log.sync()
    log.close()
    files = {path: data for path, data in disk.files().items() if path.name != "lock"}
    return files, entries


def segments(files: Files) -> list[Path]:
    """The segments in order."""
    return sorted(path for path in files if path.suffix == ".segment")


def flips(files: Files, path: Path) -> Iterator[tuple[int, FaultyDisk]]:
    """A disk with the log for every bit of a file, that bit flipped; and the byte it is in."""
    for byte in range(len(files[path])):
        for bit in range(8):
            disk = FaultyDisk.holding(files)
            disk.flip(path, byte=byte, bit=bit)
            yield byte, disk


def open_all(disk: FaultyDisk) -> FileLog:
    """Open and check everything."""
    return FileLog.open(FOLDER, disk=disk, segment_bytes=SEGMENT, verify_from=1)


def without_mark(files: Files) -> Files:
    """The log as a power cut may leave it: the mark is behind by the whole log."""
    return {**files, MARK: pack_stamp(0) * 2}


@pytest.mark.parametrize("marked", [True, False])
def test_every_flipped_bit_of_every_record_is_found(marked: bool) -> None:
    """Headers, body, padding, end mark: each bit, with the mark whole or lost. File and place are named."""
    files, entries = small_log()
    files = files if marked else without_mark(files)
    assert len(segments(files)) == 2
    for path in segments(files):
        for byte, disk in flips(files, path):
            with pytest.raises(Corrupt) as found:
                open_all(disk)
            assert found.value.file == str(path)
            assert 0 <= found.value.offset <= byte
            assert 1 <= found.value.record <= len(entries)


def test_a_reader_finds_every_flipped_bit() -> None:
    """Reading without opening for writing is no less careful: the record is named, and those before it are given."""
    files, entries = small_log()
    for path in segments(files):
        for _, disk in flips(files, path):
            seen = []
            with pytest.raises(Corrupt) as found:
                seen.extend(FileLogReader(FOLDER, disk=disk).read(1))
            assert seen == entries[: len(seen)]
            assert found.value.file == str(path)


def test_the_damaged_record_is_named() -> None:
    """Record and offset are those of the record that the flipped bit lies in."""
    files, entries = small_log((b"one", b"", b"three"))
    (path,) = segments(files)
    offset = SEGMENT_HEADER_BYTES
    for entry in entries:
        for inside in (0, RECORD_HEADER_BYTES - 1, record_bytes(len(entry.body)) - 1):
            disk = FaultyDisk.holding(files)
            disk.flip(path, byte=offset + inside, bit=3)
            with pytest.raises(Corrupt) as found:
                open_all(disk)
            assert (found.value.record, found.value.offset) == (entry.index, offset)
        offset += record_bytes(len(entry.body))


def test_a_flip_in_the_epoch_is_found() -> None:
    """An epoch must not be guessed."""
    files, _ = small_log()
    for _, disk in flips(files, EPOCH):
        with pytest.raises(Corrupt) as found:
            open_all(disk)
        assert found.value.file == str(EPOCH)


def test_a_flip_in_the_mark_is_reported_and_costs_nothing() -> None:
    """The mark is a hint kept twice: one damaged stamp is mended, and no entry is lost or added."""
    files, entries = small_log()
    for _, disk in flips(files, MARK):
        log = open_all(disk)
        assert list(log.read(1)) == entries
        assert str(MARK) in log.recovered
        log.close()
        assert disk.files()[MARK] == files[MARK]


def test_a_log_cut_short_of_its_mark_is_corrupt() -> None:
    """A last segment that lost its end, or all of it, had been durable: nothing is cut silently."""
    files, _ = small_log()
    last = segments(files)[-1]
    for length in range(len(files[last])):
        with pytest.raises(Corrupt):
            open_all(FaultyDisk.holding({**files, last: files[last][:length]}))


def test_an_unfinished_tail_is_cut_and_reported() -> None:
    """The last group, written in part when the power went: what is whole stays, the rest goes, and it is said."""
    files, entries = small_log()
    files = without_mark(files)
    last = segments(files)[-1]
    ends = [SEGMENT_HEADER_BYTES]
    in_last = [entry for entry in entries if entry.index >= int(last.stem)]
    for entry in in_last:
        ends.append(ends[-1] + record_bytes(len(entry.body)))
    for length in range(SEGMENT_HEADER_BYTES, len(files[last])):
        for zeros in (0, 700):
            data = files[last][:length] + bytes(zeros)
            log = open_all(FaultyDisk.holding({**files, last: data}))
            whole = sum(end <= length for end in ends) - 1
            assert list(log.read(1)) == entries[: len(entries) - len(in_last) + whole]
            assert bool(log.recovered) == (length + zeros > ends[whole])
            assert not log.recovered or f"{last}: cut {length + zeros - ends[whole]} bytes" in log.recovered


def test_a_segment_never_begun_is_removed_and_reported() -> None:
    """The power went while the next segment was being made: it holds nothing, and is made anew when it is needed."""
    files, entries = small_log()
    fresh = FOLDER / f"{len(entries) + 1:020d}.segment"
    for header in (b"", bytes(64), files[segments(files)[0]][:30], files[segments(files)[0]][:62] + b"\0\0"):
        log = open_all(FaultyDisk.holding({**files, fresh: header}))
        assert list(log.read(1)) == entries
        assert f"{fresh}: removed" in log.recovered
        log.append(draft_after(log, bytes(SEGMENT)))
        log.close()


def test_damage_before_a_later_record_that_knew_better_is_corrupt() -> None:
    """Without the mark, a later record's own note that the bad one was durable is believed."""
    files, entries = small_log((b"one", b"two", b"three"))
    files = without_mark(files)
    (path,) = segments(files)
    start = SEGMENT_HEADER_BYTES + record_bytes(3)
    zeroed = files[path][:start] + bytes(record_bytes(3)) + files[path][start + record_bytes(3) :]
    with pytest.raises(Corrupt, match="durable") as found:
        open_all(FaultyDisk.holding({**files, path: zeroed}))
    assert found.value.record == entries[1].index


def test_whole_records_after_an_unfinished_one_of_the_same_group_go_with_it() -> None:
    """A disk may have written the third record of a group and not the second: the group was never acknowledged."""
    disk = FaultyDisk()
    log = FileLog.create(FOLDER, disk=disk)
    entries = [log.append(draft_after(log, b"x" * 16)) for _ in range(3)]
    files = disk.files()
    (path,) = segments(files)
    start = SEGMENT_HEADER_BYTES + record_bytes(16)
    data = files[path][:start] + bytes(record_bytes(16)) + files[path][start + record_bytes(16) :]
    log = open_all(FaultyDisk.holding({**files, path: data}))
    assert list(log.read(1)) == entries[:1]
    assert "entry 2, which was never acknowledged" in log.recovered
    assert "and 1 records after it" in log.recovered


def test_the_documented_exception() -> None:
    """A flip in the very last group may be taken for an unfinished write, though never silently.

    It needs a power cut that lost the mark, and a body with a whole sector of zeros. With the mark it is Corrupt.
    """
    body = b"a" * SECTOR + bytes(2 * SECTOR) + b"z" * SECTOR
    files, entries = small_log((b"before", body))
    last = segments(files)[-1]
    place = files[last].index(b"zzzz")
    disk = FaultyDisk.holding(without_mark(files))
    disk.flip(last, byte=place, bit=0)
    log = open_all(disk)
    assert list(log.read(1)) == entries[:1]
    assert "entry 2, which was never acknowledged" in log.recovered
    disk = FaultyDisk.holding(files)
    disk.flip(last, byte=place, bit=0)
    with pytest.raises(Corrupt):
        open_all(disk)


def test_a_newer_format_is_refused_by_name() -> None:
    """A log of a later version says so, rather than looking damaged."""
    from formicary.log import record

    files, _ = small_log((b"one",))
    (path,) = segments(files)
    fields = bytearray(files[path][: SEGMENT_HEADER_BYTES - 6])
    fields[8] = record.VERSION + 1
    newer = record._sealed(bytes(fields)) + files[path][SEGMENT_HEADER_BYTES:]
    with pytest.raises(Corrupt, match="format version 2"):
        open_all(FaultyDisk.holding({**files, path: newer}))
