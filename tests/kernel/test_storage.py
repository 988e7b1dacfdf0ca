"""Growing arrays: nothing moves, nothing is lost, and a full disk is found out before any work."""

from __future__ import annotations

import errno
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from formicary.base.errors import Fault, StorageFull, StorageReadOnly
from formicary.kernel import storage
from formicary.kernel.kernel import Kernel
from formicary.kernel.records import TRAIL, TRANSFER
from formicary.kernel.settling import CHUNK_BYTES, SettlingArray
from formicary.kernel.storage import GrowingArray, disk_faults, reserve_memory
from formicary.testing import raw

from tests.kernel.support import START_NS, move, opened, post, seen


@contextmanager
def files_no_longer_than(size: int) -> Iterator[None]:
    """Have the system refuse to make any file longer."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize("where", ["memory", "file"])
def test_growth_moves_nothing(where: str, tmp_path: Path) -> None:
    """A view taken before growth still shows the records, and what is written to them afterwards."""
    array = GrowingArray(TRAIL, tmp_path / "trails" if where == "file" else None)
    array.ensure(10)
    before = array.view
    before["partner"][:10] = np.arange(10)
    assert array.ensure(array.capacity * 5), "a new view came"
    assert array.view["partner"][:10].tolist() == list(range(10))
    array.view["partner"][3] = 77
    assert before["partner"][3] == 77


def test_room_that_is_there_is_not_grown() -> None:
    """Asking for what there is changes nothing."""
    array = GrowingArray(TRANSFER)
    array.ensure(100)
    view = array.view
    assert not array.ensure(array.capacity)
    assert array.view is view


def test_growth_takes_the_same_again_within_bounds(tmp_path: Path) -> None:
    """A file doubles while it is small and later grows by fixed steps, so that room is never most of it."""
    array = GrowingArray(TRANSFER, tmp_path / "transfers")
    sizes = []
    for _ in range(9):
        array.ensure(array.capacity + 1)
        sizes.append((tmp_path / "transfers").stat().st_size)
    steps = np.diff([0, *sizes])
    assert steps[0] == storage.STEP_MIN
    assert sizes[1] == 2 * sizes[0]
    assert steps.max() == storage.STEP_MAX


def test_an_outgrown_reservation_is_mapped_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond its reserved addresses a file is mapped a second time, and both mappings show the same bytes."""
    monkeypatch.setattr(storage, "RESERVED_FILE", storage.STEP_MIN)
    array = GrowingArray(TRAIL, tmp_path / "trails")
    array.ensure(1)
    before = array.view
    array.ensure(3 * storage.STEP_MIN // TRAIL.itemsize)
    array.view["partner"][5] = 42
    assert before["partner"][5] == 42


def test_a_reservation_takes_what_it_can_get() -> None:
    """Where the system has fewer addresses than asked for, less is reserved."""
    with reserve_memory(1 << 50) as mapping:
        assert storage.RESERVED_MIN <= len(mapping) < 1 << 50


def test_memory_beyond_its_reservation_is_refused() -> None:
    """An array in memory says so when it has outgrown the machine."""
    array = GrowingArray(TRANSFER)
    with pytest.raises(StorageFull):
        array.ensure(len(array._mapping) // TRANSFER.itemsize + 1)
    assert array.capacity == 0


def test_closing_cuts_the_file_to_its_records(tmp_path: Path) -> None:
    """No room stays behind, and views can still be read."""
    array = GrowingArray(TRANSFER, tmp_path / "transfers")
    array.ensure(1000)
    array.view["amount"][:7] = 9
    array.close(7)
    assert (tmp_path / "transfers").stat().st_size == 7 * TRANSFER.itemsize
    assert array.view["amount"].tolist() == [9] * 7
    again = GrowingArray(TRANSFER, tmp_path / "transfers")
    assert again.view["amount"].tolist() == [9] * 7


def test_a_full_disk_refuses_the_whole_batch(tmp_path: Path) -> None:
    """When the files can't grow, a batch is refused before its first record, and goes through once there is room."""
    kernel = opened(Kernel, tmp_path)
    number = 1
    batch = [move(number, 1, 2, 1)]
    assert post(kernel, START_NS, *batch) == [0]
    size = (tmp_path / "trails").stat().st_size
    rows = [move(2 + place, 1, 2, 1) for place in range(8000)]
    with files_no_longer_than(size):
        while (before := seen(kernel)["accounts"]) and kernel.transfers_count < kernel.tables.transfers.shape[0] - 8000:
            kernel.post(_renumbered(rows, kernel.transfers_count + 1), START_NS)
        with pytest.raises(StorageFull):
            kernel.post(_renumbered(rows, kernel.transfers_count + 1), START_NS)
    assert kernel.stored_accounts(0, kernel.accounts_count).tobytes() == before
    assert not kernel.post(_renumbered(rows, kernel.transfers_count + 1), START_NS).any()


def _renumbered(rows: list[dict[str, int]], first: int) -> np.ndarray:
    batch = raw.transfers(rows)
    batch["id_lo"] = np.arange(first, first + len(rows))
    return batch


@pytest.mark.parametrize(
    ("number", "fault"),
    [
        (errno.ENOSPC, StorageFull),
        (errno.EDQUOT, StorageFull),
        (errno.EFBIG, StorageFull),
        (errno.EROFS, StorageReadOnly),
        (errno.EACCES, StorageReadOnly),
    ],
)
def test_what_the_disk_says_becomes_a_fault(number: int, fault: type[Fault]) -> None:
    """Each way of having no room, or no right to write, is told apart."""
    with pytest.raises(fault, match="the file"), disk_faults("the file"):
        raise OSError(number, "said the disk")


def test_what_is_not_known_stays_what_it_is() -> None:
    """An error of the disk that is neither is not dressed up."""
    with pytest.raises(OSError, match="said the disk"), disk_faults("the file"):
        raise OSError(errno.EIO, "said the disk")


@pytest.mark.parametrize("touched_later", [False, True])
def test_settled_records_look_the_same(tmp_path: Path, touched_later: bool) -> None:
    """While chunks move from memory to their file, every view shows the same records, and so does a new opening."""
    array = SettlingArray(TRAIL, tmp_path / "trails", touched_later=touched_later)
    count = 3 * CHUNK_BYTES // TRAIL.itemsize + 100
    array.ensure(count)
    view = array.view
    view["debit_previous"][:count] = np.arange(count)
    for first in range(0, count, 10_000):
        array.write_out(first, min(first + 10_000, count))
        if touched_later:
            view["partner"][first] = 7
        array.settle()
        assert view["debit_previous"][:count].tolist() == list(range(count))
    if touched_later:
        assert (view["partner"][:count:10_000] == 7).all()
    array.close(count)
    again = SettlingArray(TRAIL, tmp_path / "trails", touched_later=touched_later)
    assert again.view["debit_previous"].tolist() == list(range(count))
    again.close(count)


def test_settling_gives_memory_back(tmp_path: Path) -> None:
    """What has settled lies in the file's pages, not in memory of our own; a later write reaches the file."""
    array = SettlingArray(TRAIL, tmp_path / "trails", touched_later=True)
    count = 4 * CHUNK_BYTES // TRAIL.itemsize
    array.ensure(count)
    array.view["partner"][:] = 1
    before = anonymous_bytes()
    array.write_out(0, count)
    array.settle()
    assert anonymous_bytes() <= before - 3 * CHUNK_BYTES
    array.view["partner"][0] = 9
    array.close(count)
    assert np.fromfile(tmp_path / "trails", TRAIL)["partner"][0] == 9


def anonymous_bytes() -> int:
    """Memory of this process that no file backs."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("RssAnon:"))
