"""The file log, on the real disk and on the simulated one, against the guarantees of every log, and its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from formicary.base.entry import Draft, Entry, EntryKind
from formicary.base.errors import Closed, Corrupt, Refusal, StorageFull, StorageReadOnly
from formicary.log import FileLog, FileLogReader, Log, LogReader, open_log
from formicary.log.disk import Disk, RealDisk, RealFile
from formicary.log.stamps import STAMP_BYTES, pack_stamp
from formicary.testing.faulty_disk import FaultyDisk

from tests.log.conformance import LogConformance, check_chain, draft_after, drain, fill

FOLDER = Path("/ledger/log")
SMALL_SEGMENT = 2048


class FileAccidents:
    """A folder on a disk, and what can happen there."""

    def __init__(self, folder: Path, disk: Disk) -> None:
        self.folder = folder
        self.disk = disk

    def open(self) -> Log:
        """A writer; short segments, so that every test crosses some."""
        if self.disk.exists(self.folder / "epoch"):
            return FileLog.open(self.folder, disk=self.disk, segment_bytes=SMALL_SEGMENT)
        return FileLog.create(self.folder, disk=self.disk, segment_bytes=SMALL_SEGMENT)

    def reader(self) -> LogReader:
        """A reader."""
        return FileLogReader(self.folder, disk=self.disk)

    def abandon(self, log: Log) -> None:
        """The process is gone: the system lets go of its lock and keeps what it wrote."""
        assert isinstance(log, FileLog)
        log._lock.release()

    def break_lock(self, log: Log) -> None:
        """Somebody removes the lock file."""
        assert log.epoch
        self.disk.remove(self.folder / "lock")

    def fail_syncs(self, log: Log) -> None:
        """The simulated disk fails; under the real log the file is exchanged for a device that can't sync."""
        if isinstance(self.disk, FaultyDisk):
            self.disk.syncs_to_fail = 1
            return
        assert isinstance(log, FileLog)
        assert isinstance(log._file, RealFile)
        full = os.open("/dev/full", os.O_RDWR)
        os.dup2(full, log._file._fd)
        os.close(full)


class TestRealFileLog(LogConformance):
    """All guarantees, on the operating system's files."""

    @pytest.fixture
    def store(self, tmp_path: Path) -> FileAccidents:
        """A folder that does not exist yet."""
        return FileAccidents(tmp_path / "ledger" / "log", RealDisk())


class TestSimulatedFileLog(LogConformance):
    """All guarantees, on the simulated disk: without faults it is a disk."""

    @pytest.fixture
    def store(self) -> FileAccidents:
        """A disk with nothing on it."""
        return FileAccidents(FOLDER, FaultyDisk())


def test_create_and_open_refuse_each_others_case(tmp_path: Path) -> None:
    """A log is not made over another, and not opened where there is none."""
    with pytest.raises(Refusal) as missing:
        FileLog.open(tmp_path)
    with pytest.raises(Refusal) as missing_for_reader:
        FileLogReader(tmp_path)
    FileLog.create(tmp_path).close()
    with pytest.raises(Refusal) as exists:
        FileLog.create(tmp_path)
    codes = [refusal.value.code for refusal in (missing, missing_for_reader, exists)]
    assert codes == ["log_missing", "log_missing", "log_exists"]


def test_open_log_takes_a_folder(tmp_path: Path) -> None:
    """The one door makes, opens and reads a folder."""
    with pytest.raises(Refusal):
        open_log(tmp_path, create=False)
    log = open_log(tmp_path)
    fill(log, 3)
    log.close()
    log = open_log(str(tmp_path), create=False)
    assert log.head.index == open_log(tmp_path, writer=False).head.index == 3
    log.close()


def test_locked_names_the_process(tmp_path: Path) -> None:
    """Another process that tries to write is told who does; reading it may."""
    log = FileLog.create(tmp_path)
    fill(log, 4)
    program = (
        "import sys; from formicary.log import FileLog, FileLogReader\n"
        "print(sum(1 for _ in FileLogReader(sys.argv[1]).read(1)))\n"
        "try: FileLog.open(sys.argv[1])\n"
        "except Exception as error: print(type(error).__name__, error)\n"
    )
    done = subprocess.run([sys.executable, "-c", program, tmp_path], capture_output=True, text=True, check=True)
    count, refusal = done.stdout.splitlines()
    assert count == "4"
    assert refusal.startswith("Locked")
    assert f"process {os.getpid()} " in refusal
    log.close()


def test_a_small_log_stays_small(tmp_path: Path) -> None:
    """Room reserved ahead is at most what is there already, and is given back on close."""
    log = FileLog.create(tmp_path)
    for _ in range(40):
        log.append(draft_after(log, bytes(10_000)))
        log.sync()
    segment = next(tmp_path.glob("*.segment"))
    size = segment.stat().st_size
    assert segment.stat().st_blocks * 512 <= 2 * size + 32768
    log.close()
    assert segment.stat().st_blocks * 512 <= size + 8192


def test_segments_are_named_by_their_first_entry(tmp_path: Path) -> None:
    """Twenty digits, rising; none grows beyond the limit unless by a single record that is longer itself."""
    log = FileLog.create(tmp_path, segment_bytes=SMALL_SEGMENT)
    fill(log, 30)
    log.append(draft_after(log, bytes(3 * SMALL_SEGMENT)))
    fill(log, 3)
    log.close()
    segments = sorted(tmp_path.glob("*.segment"))
    firsts = [int(path.stem) for path in segments]
    assert firsts[0] == 1
    assert 31 in firsts
    assert all(len(path.stem) == 20 for path in segments)
    assert sum(path.stat().st_size > SMALL_SEGMENT for path in segments) == 1
    assert drain(FileLogReader(tmp_path).read(1)) == 34


def test_opening_checks_what_it_is_asked_to(tmp_path: Path) -> None:
    """By default damage in the last segment is found; in one before it by a wider opening, by reading, by verify."""
    log = FileLog.create(tmp_path, segment_bytes=SMALL_SEGMENT)
    fill(log, 60)
    log.close()
    second = sorted(tmp_path.glob("*.segment"))[1]
    first_of_third = int(sorted(tmp_path.glob("*.segment"))[2].stem)
    data = bytearray(second.read_bytes())
    data[700] ^= 4
    second.write_bytes(data)
    for verify_from in (1, first_of_third - 1):
        with pytest.raises(Corrupt) as found:
            FileLog.open(tmp_path, verify_from=verify_from)
        assert found.value.file == str(second)
    FileLog.open(tmp_path, verify_from=first_of_third).close()
    log = FileLog.open(tmp_path)
    assert log.verify(first_of_third) == 61 - first_of_third
    with pytest.raises(Corrupt) as found:
        log.verify()
    assert found.value.file == str(second)
    assert int(second.stem) <= found.value.record < first_of_third
    assert 0 < found.value.offset <= 700
    log.close()


def test_segments_may_not_be_missing_or_exchanged(tmp_path: Path) -> None:
    """Whichever segment is gone, or stands in another's place, opening the log says so."""
    log = FileLog.create(tmp_path, segment_bytes=SMALL_SEGMENT)
    fill(log, 60)
    log.close()
    segments = sorted(tmp_path.glob("*.segment"))
    assert len(segments) >= 4
    for segment in segments:
        away = segment.rename(tmp_path / "away")
        with pytest.raises(Corrupt):
            FileLog.open(tmp_path)
        with pytest.raises(Corrupt):
            drain(FileLogReader(tmp_path).read(1))
        away.rename(segment)
    contents = [segment.read_bytes() for segment in segments]
    segments[1].write_bytes(contents[2])
    segments[2].write_bytes(contents[1])
    with pytest.raises(Corrupt):
        FileLog.open(tmp_path)


def test_a_foreign_segment_breaks_the_chain(tmp_path: Path) -> None:
    """A whole, valid segment of another ledger of the same shape is not accepted."""
    for name in ("one", "other"):
        log = FileLog.create(tmp_path / name, segment_bytes=SMALL_SEGMENT)
        log.append(draft_after(log, name.encode().ljust(8)))
        fill(log, 59)
        log.close()
    one, other = (sorted((tmp_path / name).glob("*.segment")) for name in ("one", "other"))
    assert [path.name for path in one] == [path.name for path in other]
    one[1].write_bytes(other[1].read_bytes())
    with pytest.raises(Corrupt, match="parent"):
        FileLog.open(tmp_path / "one", verify_from=1)


def test_a_full_disk_refuses_and_loses_nothing() -> None:
    """However many bytes are left, a record that does not fit leaves no trace, and room lets the log go on."""
    for room in range(0, 6000, 41):
        disk = FaultyDisk()
        log = FileLog.create(FOLDER, disk=disk, segment_bytes=SMALL_SEGMENT)
        written = fill(log, 2)
        disk.capacity = sum(map(len, disk.files().values())) + room
        with pytest.raises(StorageFull):
            append_for_ever(log, written)
        assert list(log.read(1)) == written
        with pytest.raises(StorageFull):
            log.append(draft_after(log, b"b" * 3000))
        disk.capacity = None
        written.append(log.append(draft_after(log, b"there is room again")))
        log.sync()
        log._lock.release()
        again = FileLog.open(FOLDER, disk=disk, verify_from=1)
        assert list(again.read(1)) == written
        assert again.recovered == ""


def append_for_ever(log: FileLog, written: list[Entry]) -> None:
    """Fill the disk."""
    while True:
        written.append(log.append(draft_after(log, b"b" * 333)))
        log.sync()


def test_a_large_record_that_does_not_fit_leaves_no_trace() -> None:
    """Large bodies are written before their header; when the header fails the body goes too."""
    disk = FaultyDisk()
    log = FileLog.create(FOLDER, disk=disk)
    written = fill(log, 2)
    before = sum(map(len, disk.files().values()))
    for room in (0, 50, 100_000, 300_000):
        disk.capacity = before + room
        with pytest.raises(StorageFull):
            log.append(draft_after(log, b"l" * 300_000))
        assert sum(map(len, disk.files().values())) == before
    disk.capacity = None
    written.append(log.append(draft_after(log, b"l" * 300_000)))
    log.sync()
    assert list(log.read(1)) == written
    log.close()


def test_a_read_only_disk_takes_no_work_and_is_read() -> None:
    """Writing says StorageReadOnly, at once or when the disk turns read-only under it; reading goes on."""
    disk = FaultyDisk()
    log = FileLog.create(FOLDER, disk=disk)
    written = fill(log, 3)
    disk.read_only = True
    with pytest.raises(StorageReadOnly):
        log.append(draft_after(log))
    with pytest.raises(StorageReadOnly):
        FileLog.open(FOLDER, disk=disk)
    assert list(FileLogReader(FOLDER, disk=disk).read(1)) == written
    disk.read_only = False
    with pytest.raises(Closed):
        log.append(draft_after(log))
    log.close()
    log = FileLog.open(FOLDER, disk=disk)
    fill(log, 1)
    check_chain(list(log.read(1)))
    log.close()


def test_what_a_failed_sync_left_is_written_again_before_it_is_relied_on() -> None:
    """After a failed sync the system shows bytes that are not on the disk; the next writer makes sure that they are."""
    disk = FaultyDisk()
    log = FileLog.create(FOLDER, disk=disk)
    fill(log, 2)
    log.append(draft_after(log, b"only in memory"))
    disk.syncs_to_fail = 1
    with pytest.raises(Exception, match="input/output"):
        log.sync()
    log.close()
    log = FileLog.open(FOLDER, disk=disk)
    written = list(log.read(1))
    assert len(written) == 3
    disk.restart()
    log = FileLog.open(FOLDER, disk=disk)
    assert list(log.read(1)) == written


def test_epochs_never_fall(tmp_path: Path) -> None:
    """A record of an epoch before its parent's is refused: it came from a writer that was superseded."""
    log = FileLog.create(tmp_path)
    fill(log, 2)
    log.epoch -= 1
    log.append(Draft(index=3, time_ns=3, kind=EntryKind.TICK, body=b""))
    log.close()
    with pytest.raises(Corrupt, match="epoch"):
        FileLog.open(tmp_path)
    with pytest.raises(Corrupt, match="epoch"):
        drain(FileLogReader(tmp_path).read(1))


def test_a_damaged_mark_is_repaired_by_the_writer(tmp_path: Path) -> None:
    """One stamp is enough for anyone; without either a reader refuses, and a writer checks the log and mends it."""
    log = FileLog.create(tmp_path)
    fill(log, 5)
    log.close()
    mark = tmp_path / "synced"
    mark.write_bytes(pack_stamp(5) + b"?" * STAMP_BYTES)
    assert drain(FileLogReader(tmp_path).read(1)) == 5
    mark.write_bytes(b"?" * 2 * STAMP_BYTES)
    with pytest.raises(Corrupt, match="synced"):
        FileLogReader(tmp_path).read(1)
    log = FileLog.open(tmp_path)
    assert "stamp was damaged" in log.recovered
    assert log.head.index == 5
    log.close()
    assert mark.read_bytes() == pack_stamp(5) * 2
