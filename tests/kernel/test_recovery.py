"""Coming back from the files: the same state as of a checkpoint, and a clear word when the files can't be right."""

from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
import pytest

from formicary.base.errors import Corrupt
from formicary.kernel.kernel import Kernel, KernelCheckpoint
from formicary.kernel.records import ACCOUNT, AMOUNT_MAX, TRAIL, TRANSFER
from formicary.testing import raw

from tests.kernel.support import (
    ACCOUNTS,
    KERNELS,
    SECOND_NS,
    START_NS,
    T,
    balances,
    move,
    opened,
    post,
    random_rows,
    resolve,
    seen,
)


@pytest.fixture(params=KERNELS)
def kind(request: pytest.FixtureRequest) -> type[Kernel]:
    """The compiled kernel's class, and the uncompiled one's."""
    return KERNELS[request.param]()


def work(kernel: Kernel, seed: int, steps: int, first: int = 1) -> None:
    """Post random requests of all kinds, and let holds expire."""
    rng = np.random.default_rng(seed)
    for step in range(steps):
        time_ns = START_NS + (first + step) * SECOND_NS // 2
        kernel.expire(time_ns, 5)
        kernel.post(raw.transfers(random_rows(rng, first + 30 * step, 30)), time_ns)


def test_it_comes_back_as_it_was(kind: type[Kernel], tmp_path: Path) -> None:
    """Balances, links, ids and due holds are what they were, and the ledger goes on from there."""
    kernel = opened(kind, tmp_path)
    work(kernel, 1, 20)
    before, checkpoint = seen(kernel), kernel.checkpoint()
    kernel.close()
    again = kind.recover(tmp_path, checkpoint)
    assert seen(again) == before
    work(again, 2, 5, first=700)
    other = opened(kind)
    work(other, 1, 20)
    work(other, 2, 5, first=700)
    assert seen(again) == seen(other)


def test_statuses_come_back(kind: type[Kernel], tmp_path: Path) -> None:
    """Frozen, thawed, closed and re-opened accounts, and those opened frozen, are what they were."""
    kernel = opened(kind, tmp_path)
    kernel.open_accounts(raw.accounts([{"id": 50, "asset": 1, "code": 1, "flags": 8}]), START_NS)
    assert (
        post(
            kernel,
            START_NS,
            move(1, 1, 2, 0, flags=T.FREEZING_DEBIT | T.CLOSING_CREDIT),
            move(2, 3, 4, 5, flags=T.FREEZING_CREDIT),
            move(3, 3, 4, 5, flags=T.THAWING_CREDIT),
            move(4, 5, 6, 0, flags=T.CLOSING_CREDIT),
            move(5, 6, 5, 2, flags=T.REOPENING_DEBIT),
        )
        == [0] * 5
    )
    before, checkpoint = seen(kernel), kernel.checkpoint()
    kernel.close()
    assert seen(kind.recover(tmp_path, checkpoint)) == before


def test_what_lies_beyond_the_checkpoint_is_forgotten(kind: type[Kernel], tmp_path: Path) -> None:
    """Also when it had touched what lies before: the hold that was captured later is open again."""
    kernel = opened(kind, tmp_path)
    post(kernel, START_NS, move(1, 1, 2, 9, flags=T.HOLD), move(2, 1, 2, 9, flags=T.HOLD, timeout=1))
    before, checkpoint = seen(kernel), kernel.checkpoint()
    kernel.open_accounts(raw.accounts([{"id": 77, "asset": 1, "code": 1}]), START_NS)
    assert post(kernel, START_NS, resolve(3, 1, T.CAPTURE), resolve(4, 2, T.CAPTURE), move(5, 77, 1, 3)) == [0, 0, 0]
    after = seen(kernel)
    kernel.close()
    again = kind.recover(tmp_path, checkpoint)
    assert seen(again) == before
    assert again.expire(START_NS + 9 * SECOND_NS, 10) == 1
    again.close()
    final = kind.recover(tmp_path, checkpoint)
    final.open_accounts(raw.accounts([{"id": 77, "asset": 1, "code": 1}]), START_NS)
    post(final, START_NS, resolve(3, 1, T.CAPTURE), resolve(4, 2, T.CAPTURE), move(5, 77, 1, 3))
    assert seen(final) == after, "replaying the rest of the log gives what was there"


def test_a_partner_that_never_reached_the_disk_is_found_again(kind: type[Kernel], tmp_path: Path) -> None:
    """The page that said that a hold is over may be older than the capture; the capture knows its hold."""
    kernel = opened(kind, tmp_path)
    post(kernel, START_NS, move(1, 1, 2, 9, flags=T.HOLD, timeout=1), resolve(2, 1, T.CAPTURE))
    before, checkpoint = seen(kernel), kernel.checkpoint()
    for partner in (0, 1, 3, 99, -7, AMOUNT_MAX):
        kernel.tables.trails["partner"][0] = partner
        kernel.close()
        kernel = kind.recover(tmp_path, checkpoint)
        assert seen(kernel) == before
    assert kernel.expire(START_NS + 9 * SECOND_NS, 10) == 0


def test_an_empty_ledger_comes_back(kind: type[Kernel], tmp_path: Path) -> None:
    """From no records, in files that may be missing or full of what was never checkpointed."""
    nothing = KernelCheckpoint(0, 0)
    assert kind.recover(tmp_path / "new", nothing).transfers_count == 0
    kernel = opened(kind, tmp_path / "used")
    post(kernel, START_NS, move(1, 1, 2, 1))
    kernel.close()
    again = kind.recover(tmp_path / "used", nothing)
    assert (again.accounts_count, again.find_account(1), again.find_transfer(1)) == (0, -1, -1)
    assert opened(kind, tmp_path / "used").accounts_count == ACCOUNTS


def damage(folder: Path, file: str, record: int, field: str, value: int) -> None:
    """Overwrite one field of one stored record."""
    dtype = {"accounts": ACCOUNT, "transfers": TRANSFER, "trails": TRAIL}[file]
    records = np.memmap(folder / file, dtype, "r+")
    assert records[field][record] != value, "damage changes something"
    records[field][record] = value
    records.flush()


@pytest.mark.parametrize(
    "broken",
    [
        ("accounts", 3, "time", START_NS),
        ("accounts", 3, "transfers", 1),
        ("accounts", 3, "id_lo", 99),
        ("transfers", 2, "debit_lo", 3),
        ("transfers", 2, "credit_hi", 3),
        ("transfers", 2, "amount", -1),
        ("transfers", 2, "amount", AMOUNT_MAX),
        ("transfers", 2, "time", START_NS),
        ("transfers", 4, "hold_lo", 3),
        ("trails", 2, "debit_row", 5),
        ("trails", 2, "credit_row", ACCOUNTS),
        ("trails", 2, "debit_row", -1),
        ("trails", 2, "credit_previous", 0),
        ("trails", 4, "partner", 1),
        ("trails", 4, "partner", 5),
        ("trails", 4, "partner", 0),
    ],
    ids=str,
)
def test_damage_is_named(kind: type[Kernel], tmp_path: Path, broken: tuple[str, int, str, int]) -> None:
    """A field that can't be right is found, and the error says where: file, record and byte."""
    kernel = opened(kind, tmp_path)
    rows = [move(number, 4, 2, 5) for number in range(1, 4)]
    assert post(kernel, START_NS, *rows, move(4, 1, 2, 6, flags=T.HOLD), resolve(5, 4, T.CAPTURE)) == [0] * 5
    checkpoint = kernel.checkpoint()
    kernel.close()
    _, record, field, _ = broken
    damage(tmp_path, *broken)
    with pytest.raises(Corrupt) as caught:
        kind.recover(tmp_path, checkpoint)
    if field != "id_lo":  # seen only where a transfer names the account
        assert caught.value.record == record
        assert caught.value.offset == record * 128


def test_two_resolutions_of_one_hold_are_damage(kind: type[Kernel], tmp_path: Path) -> None:
    """A capture can't be turned to a hold that another one has ended."""
    kernel = opened(kind, tmp_path)
    holds = [move(number, 1, 2, 6, flags=T.HOLD) for number in (1, 2)]
    post(kernel, START_NS, *holds, resolve(3, 1, T.CAPTURE), resolve(4, 2, T.CAPTURE))
    checkpoint = kernel.checkpoint()
    kernel.close()
    damage(tmp_path, "trails", 3, "partner", 1)
    damage(tmp_path, "transfers", 3, "hold_lo", 1)
    with pytest.raises(Corrupt) as caught:
        kind.recover(tmp_path, checkpoint)
    assert caught.value.record == 3


@pytest.mark.parametrize("file", ["accounts", "transfers", "trails"])
def test_a_file_that_ends_early_is_named(tmp_path: Path, file: str) -> None:
    """A checkpoint speaks of records that are not there."""
    kernel = opened(Kernel, tmp_path)
    post(kernel, START_NS, *[move(number, 1, 2, 1) for number in range(1, 5)])
    checkpoint = kernel.checkpoint()
    kernel.close()
    path = tmp_path / file
    with path.open("r+b") as stream:
        stream.truncate(path.stat().st_size - 1)
    with pytest.raises(Corrupt, match="file ends here") as caught:
        Kernel.recover(tmp_path, checkpoint)
    assert caught.value.file == str(path)


def test_a_capture_at_the_maximum_comes_back(tmp_path: Path) -> None:
    """Balances that are as full as can be are recovered without a word."""
    kernel = opened(Kernel, tmp_path)
    half = AMOUNT_MAX // 2
    rows = move(1, 1, 2, half, flags=T.HOLD), move(2, 1, 2, half + 1), resolve(3, 1, T.CAPTURE)
    assert post(kernel, START_NS, *rows) == [0, 0, 0]
    checkpoint = kernel.checkpoint()
    kernel.close()
    again = Kernel.recover(tmp_path, checkpoint)
    assert balances(again, 1) == (0, AMOUNT_MAX, 0, 0)


def test_syncing_goes_on_beside_posting(tmp_path: Path) -> None:
    """Another thread makes checkpoints durable while transfers are posted; the last of them is whole."""
    kernel = opened(Kernel, tmp_path)
    synced: list[KernelCheckpoint] = []
    stop = threading.Event()

    def keep_syncing() -> None:
        while not stop.is_set():
            checkpoint = kernel.checkpoint()
            kernel.sync(checkpoint)
            synced.append(checkpoint)

    thread = threading.Thread(target=keep_syncing)
    thread.start()
    batch = raw.transfers([move(number, 1, 2, 1) for number in range(1, 1001)])
    for step in range(40):
        batch["id_hi"] = step
        assert not kernel.post(batch, START_NS + step * SECOND_NS).any()
    stop.set()
    thread.join()
    kernel.close()
    again = Kernel.recover(tmp_path, synced[-1])
    assert again.transfers_count == synced[-1].transfers
    assert balances(again, 1) == (0, synced[-1].transfers, 0, 0)
