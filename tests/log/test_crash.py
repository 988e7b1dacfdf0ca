"""Power cuts at every write and sync of a file log: what was acknowledged is there afterwards, and the chain holds."""

from __future__ import annotations

from pathlib import Path

import pytest

from formicary.base.errors import Fault
from formicary.log import FileLog, log_exists
from formicary.log.file import OVERLAP_MIN
from formicary.testing.faulty_disk import FaultyDisk, PowerLoss

from tests.log.conformance import check_chain, draft_after

FOLDER = Path("/ledger/log")
SEGMENT = 1500
SEEDS = 12


class Run:
    """A scripted writer: groups of different sizes over several segments, two openings, one large record."""

    def __init__(self, disk: FaultyDisk) -> None:
        self.disk = disk
        self.tried: list[bytes] = []
        """The body of every append so far, the one that the power cut included."""
        self.acknowledged = 0

    def script(self) -> None:
        """Everything, until the power goes."""
        log = FileLog.create(FOLDER, disk=self.disk, segment_bytes=SEGMENT)
        for number, group in enumerate((1, 3, 2, 4, 1)):
            self.group(log, [number * 90 + 13 * record for record in range(group)])
        log.close()
        log = FileLog.open(FOLDER, disk=self.disk, segment_bytes=SEGMENT)
        self.group(log, [0, OVERLAP_MIN, 700])
        self.group(log, [5])
        log.close()

    def append(self, log: FileLog, size: int) -> None:
        """Append one body that no other is like."""
        self.tried.append(bytes([(len(self.tried) + self.acknowledged) % 255 + 1]) * size)
        log.append(draft_after(log, self.tried[-1]))

    def group(self, log: FileLog, sizes: list[int]) -> None:
        """Append several and sync them together."""
        for size in sizes:
            self.append(log, size)
        log.sync()
        self.acknowledged = len(self.tried)

    def check(self) -> None:
        """After a restart: all that was acknowledged, nothing that was not appended, and work goes on."""
        if not log_exists(FOLDER, self.disk):
            assert self.acknowledged == 0, "the log is gone"
            return
        log = FileLog.open(FOLDER, disk=self.disk, segment_bytes=SEGMENT, verify_from=1)
        found = list(log.read(1))
        assert len(found) >= self.acknowledged, "acknowledged entries are gone"
        assert [entry.body for entry in found] == self.tried[: len(found)], "entries that nobody appended"
        self.tried, self.acknowledged = self.tried[: len(found)], len(found)
        self.group(log, [15, 150])
        check_chain(list(log.read(1)))
        assert [entry.body for entry in log.read(1)] == self.tried
        log.close()


def operations() -> int:
    """How many writes and syncs the undisturbed script does."""
    disk = FaultyDisk()
    Run(disk).script()
    return disk.operations


def crash_during_script(disk: FaultyDisk, at: int) -> Run:
    """Run the script until the power goes at operation ``at``, and restart the machine."""
    run = Run(disk)
    disk.crash_at = at
    with pytest.raises(PowerLoss):
        run.script()
    disk.restart()
    return run


@pytest.mark.parametrize("seed", range(SEEDS))
def test_a_crash_at_every_operation(seed: int) -> None:
    """Whenever the power goes, and whatever of the unsynced writes survives, the log opens and is whole."""
    for at in range(1, operations() + 1):
        run = crash_during_script(FaultyDisk(seed * 1000 + at), at)
        run.check()


@pytest.mark.parametrize("seed", range(3))
def test_a_crash_during_recovery(seed: int) -> None:
    """The power goes again at every operation of the opening that follows a crash, and then once more."""
    for at in range(1, operations() + 1, 5):
        again = 1
        while True:
            disk = FaultyDisk(seed * 1000 + at)
            run = crash_during_script(disk, at)
            disk.operations, disk.crash_at = 0, again
            try:
                run.check()
            except PowerLoss:
                disk.restart()
                run.check()
                again += 1
            else:
                break


@pytest.mark.parametrize("seed", range(4))
def test_a_crash_after_a_full_disk(seed: int) -> None:
    """A record that did not fit is taken back for good: a crash can't mix it with what was written in its place."""
    disk = FaultyDisk(seed)
    log = FileLog.create(FOLDER, disk=disk)
    run = Run(disk)
    run.group(log, [40, 50])
    for size in (900, 1700, 3000):
        disk.capacity = sum(map(len, disk.files().values())) + size - 200
        with pytest.raises(Fault):
            log.append(draft_after(log, b"\xff" * size))
        disk.capacity = None
        run.group(log, [100])
    run.append(log, 600)
    disk.lose_power()
    disk.restart()
    run.check()


@pytest.mark.parametrize("seed", range(4))
def test_a_failed_sync_then_a_crash(seed: int) -> None:
    """At whichever sync the disk fails: the writer stops, and what it had acknowledged is there after a power cut."""
    for failing in range(2, 30):
        disk = FaultyDisk(seed * 100 + failing)
        run = Run(disk)
        with pytest.raises(Fault):
            run_with_failing_sync(run, failing)
        disk.lose_power()
        disk.restart()
        run.check()


def run_with_failing_sync(run: Run, failing: int) -> None:
    """Entry after entry over several segments; a sync that the ``failing``-th needs fails."""
    log = FileLog.create(FOLDER, disk=run.disk, segment_bytes=SEGMENT)
    for number in range(1, 31):
        if number == failing:
            run.disk.syncs_to_fail = 1
        run.group(log, [number * 20])


def test_the_canary_is_caught() -> None:
    """On a disk that lies about syncs these tests fail: else they would prove nothing."""
    caught = 0
    for at in range(1, operations() + 1):
        disk = FaultyDisk(at)
        disk.forgets_syncs = True
        run = crash_during_script(disk, at)
        disk.forgets_syncs = False
        try:
            run.check()
        except (AssertionError, Fault):
            caught += 1
    assert caught > operations() / 2


def test_the_canary_writer_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    """A writer that acknowledges without syncing is caught as well."""

    def acknowledge(log: FileLog) -> None:
        log._synced = log._link.index

    monkeypatch.setattr(FileLog, "sync", acknowledge)
    caught = 0
    for at in range(1, operations() + 1):
        run = crash_during_script(FaultyDisk(at), at)
        try:
            run.check()
        except (AssertionError, Fault):
            caught += 1
    assert caught > 5
