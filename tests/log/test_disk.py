"""The Disk port on both disks: the simulated one is a disk while nothing fails, and fails as it says when told to."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from formicary.base.errors import Fault, Locked, StorageFull, StorageReadOnly
from formicary.log.disk import Disk, RealDisk, fault_of
from formicary.testing.faulty_disk import SECTOR, FaultyDisk, PowerLoss


@pytest.fixture(params=["real", "simulated"])
def disk(request: pytest.FixtureRequest) -> Disk:
    """Either disk."""
    return RealDisk() if request.param == "real" else FaultyDisk()


@pytest.fixture
def folder(disk: Disk, tmp_path: Path) -> Path:
    """A folder made through the port, two levels deep."""
    path = tmp_path / "some" / "folder"
    disk.make_folder(path)
    disk.make_folder(path)
    return path


def test_bytes_are_where_they_were_written(disk: Disk, folder: Path) -> None:
    """Parts follow one another; holes are zeros; reading past the end gives what there is."""
    file = disk.create(folder / "file")
    file.write(4, [b"ab", memoryview(b"cd"), b""])
    assert file.size() == 8
    assert file.read(0, 100) == b"\0\0\0\0abcd"
    assert file.read(6, 1) == b"c"
    assert file.read(8, 5) == b""
    file.write(5, [b"B"])
    file.sync()
    file.begin_flush(0, 8)
    file.reserve(1 << 20)
    assert file.size() == 8
    file.truncate(6)
    assert file.read(0, 100) == b"\0\0\0\0aB"
    file.close()
    file.close()
    reading = disk.open(folder / "file")
    assert reading.read(4, 2) == b"aB"
    reading.close()


def test_many_parts_at_once(disk: Disk, folder: Path) -> None:
    """A write is all its parts, however long."""
    file = disk.create(folder / "file")
    parts = [bytes([number]) * (300_000 + number) for number in range(9)]
    file.write(3, parts)
    assert file.read(3, 1 << 22) == b"".join(parts)
    file.close()


def test_reading_handles_do_not_write(disk: Disk, folder: Path) -> None:
    """A file opened for reading takes no bytes, a closed one none either."""
    disk.create(folder / "file").close()
    reading = disk.open(folder / "file")
    with pytest.raises(Fault):
        reading.write(0, [b"x"])
    reading.close()
    with pytest.raises(Fault):
        reading.read(0, 1)


def test_names_come_and_go(disk: Disk, folder: Path) -> None:
    """Creating, emptying, replacing, removing: the folder lists what is there, sorted."""
    assert disk.names(folder) == []
    assert disk.names(folder / "missing") == []
    with pytest.raises(Fault):
        disk.open(folder / "b")
    for name in ("b", "a"):
        file = disk.create(folder / name)
        file.write(0, [name.encode()])
        file.close()
    assert disk.names(folder) == ["a", "b"]
    old = disk.open(folder / "b")
    assert not old.is_replaced()
    disk.replace(folder / "a", folder / "b")
    assert old.is_replaced()
    assert disk.names(folder) == ["b"]
    assert disk.open(folder / "b").read(0, 9) == b"a"
    assert old.read(0, 9) == b"b"
    disk.create(folder / "b").close()
    assert disk.open(folder / "b").size() == 0
    assert disk.exists(folder / "b")
    disk.remove(folder / "b")
    disk.remove(folder / "b")
    disk.sync_folder(folder)
    assert not disk.exists(folder / "b")
    assert disk.exists(folder)


def test_a_lock_has_one_holder(disk: Disk, folder: Path) -> None:
    """The second is refused until the first lets go."""
    lock = disk.lock(folder / "lock")
    with pytest.raises(Locked, match="process"):
        disk.lock(folder / "lock")
    lock.release()
    lock.release()
    disk.lock(folder / "lock").release()


def test_errors_of_the_system_become_faults() -> None:
    """No room, read-only and the rest each have their own."""
    kinds = {errno.ENOSPC: StorageFull, errno.EDQUOT: StorageFull, errno.EROFS: StorageReadOnly, errno.EIO: Fault}
    for number, kind in kinds.items():
        assert type(fault_of(OSError(number, os.strerror(number)), "writing file")) is kind


def test_a_real_device_without_room() -> None:
    """``/dev/full`` has none: a write there is StorageFull, named by its path."""
    file = RealDisk().open(Path("/dev/full"), write=True)
    with pytest.raises(StorageFull, match="/dev/full"):
        file.write(0, [b"x"])
    file.close()


def crashed(seed: int) -> bytes:
    """What a restart leaves of a file with synced, then unsynced bytes."""
    disk = FaultyDisk(seed)
    file = disk.create(Path("/file"))
    disk.sync_folder(Path("/"))
    file.write(0, [b"s" * 2000])
    file.sync()
    file.write(1000, [b"u" * 3000])
    disk.lose_power()
    with pytest.raises(PowerLoss):
        file.read(0, 1)
    disk.restart()
    return disk.files()[Path("/file")]


def test_a_crash_keeps_what_was_synced_and_any_part_of_the_rest() -> None:
    """Over the seeds each fate occurs: nothing, all, a beginning, some sectors; synced bytes beside are untouched."""
    outcomes = {crashed(seed) for seed in range(60)}
    untouched, whole = b"s" * 2000, b"s" * 1000 + b"u" * 3000
    assert {untouched, whole} <= outcomes
    assert all(data[:1000] == b"s" * 1000 and len(data) >= 2000 for data in outcomes)
    torn = [data for data in outcomes if data.rstrip(b"s").endswith(b"u") and len(data) not in (2000, 4000)]
    holes = [data for data in outcomes if bytes(SECTOR) in data]
    assert torn
    assert holes
    assert crashed(7) == crashed(7)


def test_names_need_their_folder_synced() -> None:
    """A synced file whose folder was not synced may be gone after a crash, and must be there otherwise."""
    found = set()
    for seed in range(20):
        disk = FaultyDisk(seed)
        for name in ("synced", "unsynced"):
            file = disk.create(Path("/folder") / name)
            file.sync()
            if name == "synced":
                disk.sync_folder(Path("/folder"))
        disk.lose_power()
        disk.restart()
        found.add(tuple(disk.names(Path("/folder"))))
    assert found == {("synced",), ("synced", "unsynced")}


def test_a_failed_sync_loses_what_it_was_to_keep() -> None:
    """The bytes are still seen, but no later sync makes them durable unless they are written again."""
    disk = FaultyDisk()
    file = disk.create(Path("/file"))
    disk.sync_folder(Path("/"))
    file.write(0, [b"x"])
    disk.syncs_to_fail = 1
    with pytest.raises(Fault):
        file.sync()
    file.sync()
    assert file.read(0, 1) == b"x"
    disk.lose_power()
    disk.restart()
    assert disk.files()[Path("/file")] == b""


def test_a_capacity_is_filled_to_the_byte() -> None:
    """A write that does not fit is done in part before it fails, as a real one may be."""
    disk = FaultyDisk()
    disk.capacity = 10
    file = disk.create(Path("/file"))
    with pytest.raises(StorageFull):
        file.write(0, [b"123456789012345"])
    assert file.read(0, 99) == b"1234567890"
    file.write(2, [b"inside"])
    file.truncate(4)
    file.write(4, [b"fits"])
    assert file.read(0, 99) == b"12infits"
