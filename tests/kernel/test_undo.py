"""Undo: whatever was done since a mark is as if it had never been, and can be done again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pytest

from formicary.kernel.codes import TransferCode
from formicary.kernel.kernel import Kernel
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

NOW = START_NS + 3 * SECOND_NS
BEFORE: Sequence[Mapping[str, int]] = [
    move(1, 1, 2, 50),
    move(2, 2, 3, 20, flags=T.HOLD),
    move(3, 2, 3, 10, flags=T.HOLD, timeout=1),
    move(4, 2, 3, 10, flags=T.HOLD, timeout=60),
    move(5, 1, 5, 0, flags=T.FREEZING_CREDIT),
    move(6, 1, 6, 0, flags=T.CLOSING_CREDIT),
]
"""Account 5 is frozen, account 6 closed, and there are holds with and without a time."""

DONE: dict[str, Mapping[str, int]] = {
    "plain": move(100, 1, 2, 7),
    "hold": move(100, 1, 2, 7, flags=T.HOLD),
    "hold with a timeout": move(100, 1, 2, 7, flags=T.HOLD, timeout=5),
    "capture": resolve(100, 2, T.CAPTURE),
    "capture of a part": resolve(100, 2, T.CAPTURE, 3),
    "capture of a hold with a timeout": resolve(100, 4, T.CAPTURE, 3),
    "release": resolve(100, 4, T.RELEASE, 0),
    "balancing debit": move(100, 2, 3, 1000, flags=T.BALANCING_DEBIT),
    "balancing credit": move(100, 3, 1, 1000, flags=T.BALANCING_CREDIT),
    "freezing": move(100, 1, 2, 7, flags=T.FREEZING_DEBIT | T.FREEZING_CREDIT),
    "thawing": move(100, 5, 2, 7, flags=T.THAWING_DEBIT),
    "thawing the credit side": move(100, 2, 5, 7, flags=T.THAWING_CREDIT),
    "closing": move(100, 4, 2, 0, flags=T.CLOSING_DEBIT),
    "reopening": move(100, 6, 2, 7, flags=T.REOPENING_DEBIT),
    "reopening the credit side": move(100, 2, 6, 0, flags=T.REOPENING_CREDIT | T.FREEZING_CREDIT),
    "imported": move(100, 1, 2, 7, flags=T.IMPORTED, time=START_NS + 500),
}


@pytest.fixture(params=KERNELS)
def kernel(request: pytest.FixtureRequest) -> Kernel:
    """A kernel in the middle of its life, compiled and uncompiled."""
    made = opened(KERNELS[request.param]())
    assert post(made, START_NS, *BEFORE) == [0] * len(BEFORE)
    return made


@pytest.mark.parametrize("done", DONE.values(), ids=DONE)
def test_each_kind_is_undone_exactly(kernel: Kernel, done: Mapping[str, int]) -> None:
    """After undo nothing tells that it was done; done again, it comes out the same."""
    before, mark = seen(kernel), kernel.mark()
    assert post(kernel, NOW, done) == [0]
    after = seen(kernel)
    assert after != before
    kernel.undo(mark)
    assert seen(kernel) == before
    assert post(kernel, NOW, done) == [0]
    assert seen(kernel) == after


def test_a_closing_that_moves_the_last_of_it_is_undone(kernel: Kernel) -> None:
    """Status and balances come back together."""
    post(kernel, NOW, move(20, 4, 1, 9))
    before, mark = seen(kernel), kernel.mark()
    assert post(kernel, NOW, move(21, 1, 4, 9, flags=T.CLOSING_CREDIT)) == [0]
    kernel.undo(mark)
    assert seen(kernel) == before


def test_expiries_are_undone(kernel: Kernel) -> None:
    """The hold is open again, and expires again."""
    before, mark = seen(kernel), kernel.mark()
    assert kernel.expire(NOW, 10) == 1
    assert kernel.next_expiry() != before["next_expiry"]
    after = seen(kernel)
    kernel.undo(mark)
    assert seen(kernel) == before
    assert kernel.expire(NOW, 10) == 1
    assert seen(kernel) == after


def test_a_hold_that_the_heap_dropped_comes_back(kernel: Kernel) -> None:
    """Looking for the next expiry while a hold is captured, and undoing the capture, still lets it expire."""
    before, mark = seen(kernel), kernel.mark()
    post(kernel, START_NS + 10, resolve(100, 3, T.CAPTURE))
    assert kernel.next_expiry() == START_NS + 3 + 60 * SECOND_NS
    kernel.undo(mark)
    assert seen(kernel) == before
    assert kernel.expire(NOW, 10) == 1
    assert kernel.stored_transfers(6, 7)["hold_lo"].tolist() == [3]


def test_undoing_a_capture_again_and_again_fills_nothing(kernel: Kernel) -> None:
    """A command that captures and is refused leaves the heap as it was."""
    before = kernel.tables.state.copy()
    for _ in range(30):
        mark = kernel.mark()
        post(kernel, START_NS + 10, resolve(100, 4, T.CAPTURE))
        kernel.undo(mark)
    assert kernel.tables.state.tolist() == before.tolist()


def test_accounts_are_undone_with_their_transfers(kernel: Kernel) -> None:
    """Accounts opened since, and what moved on them, are gone; their ids are free."""
    before, mark = seen(kernel), kernel.mark()
    more = raw.accounts([{"id": 1000 + place, "asset": 1, "code": 1} for place in range(50)])
    assert not kernel.open_accounts(more, NOW).any()
    assert post(kernel, NOW, move(100, 1000, 1, 5), move(101, 1, 1049, 5)) == [0, 0]
    kernel.undo(mark)
    assert seen(kernel) == before
    assert kernel.find_account(1000) == -1
    assert kernel.accounts_count == ACCOUNTS
    assert not kernel.open_accounts(more[::-1], NOW).any()


def test_marks_nest(kernel: Kernel) -> None:
    """A command's mark lies within an entry's; undoing the outer one later takes both back."""
    before, outer = seen(kernel), kernel.mark()
    post(kernel, NOW, move(100, 1, 2, 1))
    between, inner = seen(kernel), kernel.mark()
    post(kernel, NOW, resolve(101, 2, T.CAPTURE))
    kernel.undo(inner)
    assert seen(kernel) == between
    kernel.undo(outer)
    assert seen(kernel) == before


def test_a_chain_undoes_its_own_links(kernel: Kernel) -> None:
    """A hold, its capture and a freeze within one chain all vanish when the last link fails."""
    before = seen(kernel)
    codes = post(
        kernel,
        NOW,
        move(100, 1, 2, 7, flags=T.HOLD | T.LINKED, timeout=9),
        resolve(101, 100, T.CAPTURE | T.LINKED),
        move(102, 1, 2, 1, flags=T.FREEZING_DEBIT | T.LINKED),
        move(103, 1, 2, 1),
    )
    assert codes == [TransferCode.CHAIN_FAILED] * 3 + [TransferCode.DEBIT_ACCOUNT_FROZEN]
    assert seen(kernel) == before
    assert balances(kernel, 1) == (0, 50, 0, 0)


def test_undo_reaches_back_only(kernel: Kernel) -> None:
    """A mark of what has been undone is no mark."""
    mark = kernel.mark()
    post(kernel, NOW, move(100, 1, 2, 1))
    later = kernel.mark()
    kernel.undo(mark)
    with pytest.raises(AssertionError):
        kernel.undo(later)


def test_random_work_is_undone_exactly(kernel: Kernel) -> None:
    """Batches of all kinds of requests and sweeps, undone from each of many points."""
    rng = np.random.default_rng(3)
    time_ns, first = NOW, 1000
    for _ in range(12):
        before, mark = seen(kernel), kernel.mark()
        for batch in range(3):
            kernel.expire(time_ns + batch * SECOND_NS, 2)
            kernel.post(raw.transfers(random_rows(rng, first + 40 * batch, 40)), time_ns + batch * SECOND_NS)
        kernel.undo(mark)
        assert seen(kernel) == before
        kernel.post(raw.transfers(random_rows(rng, first, 40)), time_ns)
        time_ns, first = time_ns + SECOND_NS, first + 40
