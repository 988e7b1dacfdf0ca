"""What the tables of examples do not show of the loop: batches as arrays, chunks, clocks, limits, and its twin."""

from __future__ import annotations

import numpy as np
import pytest

from formicary.base.compiled import compiling
from formicary.kernel.codes import AccountCode, TransferCode
from formicary.kernel.expiry import expire_due
from formicary.kernel.kernel import TIME_MAX, Kernel, warm_up
from formicary.kernel.opening import open_batch
from formicary.kernel.posting import post_batch
from formicary.kernel.records import ACCOUNT, AMOUNT_MAX, BATCH_MAX, TRANSFER
from formicary.kernel.tables import CHUNK
from formicary.kernel.undo import undo_transfers
from formicary.testing import raw

from tests.kernel.support import (
    ACCOUNTS,
    KERNELS,
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


def test_the_batch_is_only_read(kind: type[Kernel]) -> None:
    """A batch may lie in read-only bytes, and is the same afterwards."""
    kernel = opened(kind)
    data = raw.transfers([move(1, 1, 2, 2**62, flags=T.BALANCING_DEBIT), move(2, 1, 2, 5)]).tobytes()
    batch = np.frombuffer(data, TRANSFER)
    assert not batch.flags.writeable
    assert not kernel.post(batch, START_NS).any()
    assert batch.tobytes() == data
    assert kernel.stored_transfers(0, 2)["amount"].tolist() == [0, 5], "what was moved is stored, not what was asked"


def test_a_batch_with_gaps_is_taken(kind: type[Kernel]) -> None:
    """Every other record of a larger array is a batch like any other."""
    kernel = opened(kind)
    wide = raw.transfers([move(number, 1, 2, number) for number in range(1, 9)])
    assert not kernel.post(wide[::2], START_NS).any()
    assert kernel.stored_transfers(0, 4)["amount"].tolist() == [1, 3, 5, 7]


def test_an_empty_batch_does_nothing(kind: type[Kernel]) -> None:
    """No records, no codes."""
    kernel = opened(kind)
    before = seen(kernel)
    assert len(kernel.post(np.zeros(0, TRANSFER), START_NS)) == 0
    assert len(kernel.open_accounts(np.zeros(0, ACCOUNT), START_NS)) == 0
    assert seen(kernel) == before


@pytest.mark.parametrize(
    "batch", [np.zeros(BATCH_MAX + 1, TRANSFER), np.zeros(1, ACCOUNT), np.zeros((1, 1), TRANSFER)], ids=str
)
def test_what_is_not_a_batch_is_a_bug(batch: np.ndarray) -> None:
    """Too many records, other records, or not a list of them: the caller is wrong, not the request."""
    with pytest.raises(AssertionError):
        Kernel(None).post(batch, START_NS)


@pytest.mark.parametrize("time_ns", [0, -1, TIME_MAX + 1])
def test_an_impossible_time_is_a_bug(time_ns: int) -> None:
    """An entry's time lies where no transfer's own time can wrap."""
    with pytest.raises(AssertionError):
        Kernel(None).post(np.zeros(0, TRANSFER), time_ns)


def test_times_strictly_increase(kind: type[Kernel]) -> None:
    """Each stored record is later than the one before, whatever time the entry has."""
    kernel = opened(kind)
    assert kernel.stored_accounts(0, ACCOUNTS)["time"].tolist() == [START_NS + place for place in range(ACCOUNTS)]
    post(kernel, START_NS, *[move(number, 1, 2, 1) for number in range(1, 6)])
    post(kernel, START_NS + 2, move(6, 1, 2, 1))
    post(kernel, START_NS + 100, move(7, 1, 2, 1))
    times = kernel.stored_transfers(0, 7)["time"] - START_NS
    assert times.tolist() == [0, 1, 2, 3, 4, 5, 100]


def test_the_last_possible_time_does_not_wrap(kind: type[Kernel]) -> None:
    """At the end of time records still come one after the other."""
    kernel = opened(kind)
    assert post(kernel, TIME_MAX, move(1, 1, 2, 1), move(2, 1, 2, 1, flags=T.HOLD, timeout=2**32 - 1)) == [0, 0]
    assert kernel.stored_transfers(0, 2)["time"].tolist() == [TIME_MAX, TIME_MAX + 1]
    assert kernel.next_expiry() == AMOUNT_MAX, "a timeout beyond the end of time is the end of time"


def test_a_refused_record_takes_no_time(kind: type[Kernel]) -> None:
    """Records between that were refused, or undone with their chain, leave no gap."""
    kernel = opened(kind)
    bad = move(9, 1, 2, 0)
    codes = post(kernel, START_NS, move(1, 1, 2, 1), bad, move(2, 1, 2, 1, flags=T.LINKED), bad, move(3, 1, 2, 1))
    zero = TransferCode.AMOUNT_MUST_NOT_BE_ZERO
    assert codes == [0, zero, TransferCode.CHAIN_FAILED, zero, 0]
    assert (kernel.stored_transfers(0, 2)["time"] - START_NS).tolist() == [0, 1]


def test_one_id_twice_in_a_batch(kind: type[Kernel]) -> None:
    """The second sees the first, whatever is looked up ahead."""
    kernel = opened(kind)
    codes = post(kernel, START_NS, move(1, 1, 2, 5), move(1, 1, 2, 5), move(1, 1, 2, 6))
    assert codes == [0, TransferCode.EXISTS, TransferCode.EXISTS_WITH_DIFFERENT_AMOUNT]


def test_ids_are_whole(kind: type[Kernel]) -> None:
    """Ids that agree in one half are different accounts, and different transfers."""
    kernel = kind(None)
    ids = [1, 1 << 64, 1 << 64 | 1, 2]
    rows = [{"id": number, "asset": 1, "code": 1} for number in ids]
    assert not kernel.open_accounts(raw.accounts(rows), START_NS).any()
    codes = post(kernel, START_NS, *[move(number, ids[0], ids[1], 1) for number in ids])
    assert codes == [0, 0, 0, 0]
    assert [kernel.find_account(number) for number in (*ids, 3)] == [0, 1, 2, 3, -1]
    assert [kernel.find_transfer(number) for number in (*ids, 2 << 64)] == [0, 1, 2, 3, -1]
    assert balances(kernel, 1 << 64) == (0, 0, 0, 4)


def test_a_hold_is_resolved_in_its_own_batch(kind: type[Kernel]) -> None:
    """What a batch stores is there for the rest of the batch."""
    kernel = opened(kind)
    codes = post(
        kernel, START_NS, move(1, 1, 2, 9, flags=T.HOLD), resolve(2, 1, T.CAPTURE, 4), resolve(3, 1, T.RELEASE, 0)
    )
    assert codes == [0, 0, TransferCode.HOLD_ALREADY_CAPTURED]
    assert balances(kernel, 1) == (0, 4, 0, 0)


@pytest.mark.parametrize("length", [CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK + 7])
def test_a_chain_longer_than_a_chunk(length: int) -> None:
    """Chunks are the processor's affair: a chain across them is undone as a whole, and succeeds as a whole."""
    kernel = opened(Kernel)
    rows = [move(number, 1, 2, 1, flags=T.LINKED) for number in range(1, length)]
    before = seen(kernel)
    codes = kernel.post(raw.transfers([*rows, move(length, 1, 2, 0)]), START_NS)
    assert codes[-1] == TransferCode.AMOUNT_MUST_NOT_BE_ZERO
    assert (codes[:-1] == TransferCode.CHAIN_FAILED).all()
    assert seen(kernel) == before
    assert not kernel.post(raw.transfers([*rows, move(length, 1, 2, 1)]), START_NS).any()
    assert balances(kernel, 1) == (0, length, 0, 0)


def test_amounts_reach_the_maximum_and_not_beyond(kind: type[Kernel]) -> None:
    """Held and posted together fill a balance exactly; one more is refused on either side, and nothing wraps."""
    kernel = opened(kind)
    half = AMOUNT_MAX // 2
    assert post(kernel, START_NS, move(1, 1, 2, half, flags=T.HOLD), move(2, 1, 2, half), move(3, 1, 2, 1)) == [0, 0, 0]
    codes = post(kernel, START_NS, move(4, 1, 3, 1), move(5, 3, 2, 1), resolve(6, 1, T.CAPTURE))
    assert codes == [TransferCode.OVERFLOWS_DEBITS, TransferCode.OVERFLOWS_CREDITS, 0]
    assert balances(kernel, 1) == (0, AMOUNT_MAX, 0, 0)
    assert balances(kernel, 2) == (0, 0, 0, AMOUNT_MAX)


def test_a_full_ledger_says_so(kind: type[Kernel]) -> None:
    """At its limits a ledger refuses what is new, and still answers what is there."""
    kernel = opened(kind, accounts_max=ACCOUNTS, transfers_max=2)
    more = raw.accounts([{"id": 99, "asset": 1, "code": 1}, {"id": 1, "asset": 1, "code": 1}])
    assert kernel.open_accounts(more, START_NS).tolist() == [AccountCode.LEDGER_FULL, AccountCode.EXISTS]
    codes = post(kernel, START_NS, move(1, 1, 2, 1, flags=T.HOLD), move(2, 1, 2, 1), move(3, 1, 2, 1), move(2, 1, 2, 1))
    assert codes == [0, 0, TransferCode.LEDGER_FULL, TransferCode.EXISTS]
    assert post(kernel, START_NS, resolve(4, 1, T.CAPTURE)) == [TransferCode.LEDGER_FULL]


def test_both_kernels_store_the_same_bytes() -> None:
    """A thousand requests of all kinds, in batches of all sizes: compiled and uncompiled agree to the last byte."""
    kernels = [opened(kind()) for kind in KERNELS.values()]
    rng = np.random.default_rng(11)
    first, answers = 1, set()
    for step in range(40):
        rows = random_rows(rng, first, int(rng.integers(1, 50)))
        first += len(rows)
        time_ns = START_NS + step * 10**9
        expired = {kernel.expire(time_ns, 3) for kernel in kernels}
        codes = {kernel.post(raw.transfers(rows), time_ns).tobytes() for kernel in kernels}
        assert len(expired) == len(codes) == 1
        answers.update(np.frombuffer(codes.pop(), np.uint16).tolist())
    compiled, uncompiled = (seen(kernel) for kernel in kernels)
    assert compiled == uncompiled
    resolved = {TransferCode.HOLD_ALREADY_CAPTURED, TransferCode.HOLD_ALREADY_RELEASED, TransferCode.HOLD_EXPIRED}
    assert answers >= {0, TransferCode.CHAIN_FAILED, TransferCode.HOLD_NOT_FOUND} | resolved, "all of it was tried"
    _conserves(kernels[0])


def _conserves(kernel: Kernel) -> None:
    accounts = kernel.stored_accounts(0, kernel.accounts_count)
    assert accounts["debits_posted"].sum() == accounts["credits_posted"].sum()
    assert accounts["debits_held"].sum() == accounts["credits_held"].sum()


@pytest.mark.skipif(not compiling(), reason="nothing is compiled here, so nothing is loaded ahead")
def test_warming_up_loads_the_loop() -> None:
    """After it the functions that work runs are there in machine code, and nothing of it can be seen."""
    warm_up()
    for function in (post_batch, open_batch, expire_due, undo_transfers):
        assert len(function.signatures) == 1, "one form of array, so one compiled form"  # type: ignore[attr-defined]


def test_transfers_before_any_account(kind: type[Kernel]) -> None:
    """Looking ahead for accounts touches nothing that is not there."""
    assert post(kind(None), START_NS, move(1, 1, 2, 1)) == [TransferCode.DEBIT_ACCOUNT_NOT_FOUND]


def test_views_of_what_is_stored_are_read_only(kind: type[Kernel]) -> None:
    """Nobody changes a ledger through a view, and nobody sees records that are not there."""
    kernel = opened(kind)
    post(kernel, START_NS, move(1, 1, 2, 1))
    for view in (kernel.stored_transfers(0, 1), kernel.stored_accounts(0, 1), kernel.stored_trails(0, 1)):
        with pytest.raises(ValueError, match="read-only"):
            view[0] = 0
    with pytest.raises(AssertionError):
        kernel.stored_transfers(0, 2)


def test_openings_stay_as_they_were(kind: type[Kernel]) -> None:
    """An account as it was opened is kept beside the account as it is."""
    kernel = opened(kind)
    before = kernel.stored_openings(0, ACCOUNTS).tobytes()
    post(kernel, START_NS, move(1, 1, 2, 7, flags=T.FREEZING_DEBIT))
    assert kernel.stored_openings(0, ACCOUNTS).tobytes() == before
    assert kernel.stored_accounts(0, 1)["debits_posted"].tolist() == [7]
