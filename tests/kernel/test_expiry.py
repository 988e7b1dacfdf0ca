"""Holds that end by themselves: when, in which order, as which record, and never twice."""

from __future__ import annotations

import heapq

import numpy as np
import pytest

from formicary.kernel.codes import TransferCode
from formicary.kernel.kernel import Kernel
from formicary.kernel.records import RESERVED_HALF

from tests.kernel.support import KERNELS, SECOND_NS, START_NS, T, balances, move, opened, post, resolve, seen


@pytest.fixture(params=KERNELS)
def kind(request: pytest.FixtureRequest) -> type[Kernel]:
    """The compiled kernel's class, and the uncompiled one's."""
    return KERNELS[request.param]()


def hold(number: int, amount: int, timeout: int) -> dict[str, int]:
    """Describe a hold from account 1 to 2."""
    return {**move(number, 1, 2, amount), "flags": T.HOLD, "timeout": timeout, "user_data": 5 << 64 | 6, "code": 77}


def test_an_expiry_is_a_transfer(kind: type[Kernel]) -> None:
    """It gives the hold's money back, says which hold, and has an id of the ledger's own."""
    kernel = opened(kind)
    post(kernel, START_NS, move(1, 3, 4, 1), hold(2, 30, 10))
    assert balances(kernel, 1) == (30, 0, 0, 0)
    due = START_NS + 1 + 10 * SECOND_NS
    assert kernel.next_expiry() == due
    assert kernel.expire(due - 1, 100) == 0
    assert kernel.expire(due, 100) == 1
    assert balances(kernel, 1) == balances(kernel, 2) == (0, 0, 0, 0)
    stored, held = kernel.stored_transfers(2, 3)[0], kernel.stored_transfers(1, 2)[0]
    assert (int(stored["id_hi"]), int(stored["id_lo"])) == (RESERVED_HALF, 2)
    assert (int(stored["hold_hi"]), int(stored["hold_lo"])) == (0, 2)
    assert (int(stored["flags"]), int(stored["timeout"]), int(stored["time"])) == (T.EXPIRY, 0, due)
    for name in ("debit_lo", "credit_lo", "amount", "asset", "code", "user_data_lo", "user_data_hi"):
        assert stored[name] == held[name]
    assert kernel.stored_trails(1, 3)["partner"].tolist() == [3, 2]
    assert kernel.find_transfer(RESERVED_HALF << 64 | 2) == 2


def test_an_expired_hold_is_over_whether_or_not_it_is_recorded(kind: type[Kernel]) -> None:
    """Capturing at the very instant is too late; one nanosecond earlier is in time."""
    for is_recorded in (False, True):
        kernel = opened(kind)
        post(kernel, START_NS, hold(1, 30, 1), hold(2, 30, 2))
        due = START_NS + SECOND_NS
        if is_recorded:
            assert kernel.expire(due, 1) == 1
        assert post(kernel, due, resolve(10, 1, T.CAPTURE)) == [TransferCode.HOLD_EXPIRED]
        assert post(kernel, due + SECOND_NS, resolve(11, 2, T.RELEASE, 0)) == [0], "it was stored a nanosecond later"


def test_a_sweep_goes_in_order_of_time_then_index(kind: type[Kernel]) -> None:
    """Holds due first expire first; those due at once in the order they were made; a limit leaves the rest."""
    kernel = opened(kind)
    timeouts = [5, 3, 9, 3, 1, 5, 0, 2]
    for number, timeout in enumerate(timeouts, 1):
        post(kernel, START_NS + number * 1000, hold(number, number, timeout))
    order = sorted((START_NS + n * 1000 + t * SECOND_NS, n) for n, t in enumerate(timeouts, 1) if t)
    assert kernel.expire(START_NS + 100 * SECOND_NS, 3) == 3
    assert kernel.next_expiry() == order[3][0]
    assert kernel.expire(START_NS + 100 * SECOND_NS, 100) == 4
    assert kernel.stored_transfers(8, 15)["hold_lo"].tolist() == [number for _, number in order]
    assert kernel.next_expiry() is None
    assert balances(kernel, 1) == (7, 0, 0, 0), "the hold without a timeout is still there"


def test_what_is_resolved_does_not_expire(kind: type[Kernel]) -> None:
    """Captured and released holds are passed over, in the middle of the heap and in front of it."""
    kernel = opened(kind)
    post(kernel, START_NS, hold(1, 1, 1), hold(2, 2, 2), hold(3, 4, 3))
    post(kernel, START_NS, resolve(11, 1, T.CAPTURE), resolve(12, 2, T.RELEASE, 0))
    assert kernel.next_expiry() == START_NS + 2 + 3 * SECOND_NS
    assert kernel.expire(START_NS + 100 * SECOND_NS, 100) == 1
    assert balances(kernel, 1) == (0, 1, 0, 0)


def test_a_hold_undone_with_its_chain_does_not_expire(kind: type[Kernel]) -> None:
    """Even when another hold takes its place in the tables, with another timeout."""
    kernel = opened(kind)
    linked = {**hold(1, 1, 1), "flags": T.HOLD | T.LINKED}
    assert post(kernel, START_NS, linked, move(9, 1, 2, 0))[0] == TransferCode.CHAIN_FAILED
    assert kernel.next_expiry() is None
    post(kernel, START_NS, hold(2, 5, 60))
    assert kernel.next_expiry() == START_NS + 60 * SECOND_NS
    assert kernel.expire(START_NS + 2 * SECOND_NS, 10) == 0


def test_failed_chains_leave_nothing_in_the_heap(kind: type[Kernel]) -> None:
    """However often somebody tries: undone holds are taken out of the heap."""
    kernel = opened(kind)
    linked = {**hold(1, 1, 1000), "flags": T.HOLD | T.LINKED}
    post(kernel, START_NS, hold(100, 1, 5))
    before = kernel.tables.state.copy()
    for _ in range(50):
        post(kernel, START_NS, linked, move(9, 1, 2, 0))
    assert kernel.tables.state.tolist() == before.tolist()


def test_a_full_ledger_expires_nothing(kind: type[Kernel]) -> None:
    """An expiry is a transfer and needs its room; the hold is over all the same."""
    kernel = opened(kind, transfers_max=1)
    post(kernel, START_NS, hold(1, 1, 1))
    before = seen(kernel)
    assert kernel.expire(START_NS + 9 * SECOND_NS, 10) == 0
    assert seen(kernel) == before


def test_a_frozen_account_gets_its_money_back(kind: type[Kernel]) -> None:
    """Expiries pass where transfers do not."""
    kernel = opened(kind)
    post(kernel, START_NS, hold(1, 8, 1), {**move(2, 1, 3, 0), "flags": T.FREEZING_DEBIT})
    assert kernel.expire(START_NS + 9 * SECOND_NS, 10) == 1
    assert balances(kernel, 1) == (0, 0, 0, 0)


def test_the_heap_sorts_like_heapq() -> None:
    """Thousands of holds with random timeouts expire in the order that Python's own heap gives."""
    kernel = opened(Kernel)
    rng = np.random.default_rng(5)
    expected: list[tuple[int, int]] = []
    for number, timeout in enumerate(rng.integers(1, 500, 3000).tolist(), 1):
        heapq.heappush(expected, (START_NS + number + timeout * SECOND_NS, number))
    for first in range(1, 3001, 500):
        timeouts = np.random.default_rng(5).integers(1, 500, 3000)[first - 1 : first + 499].tolist()
        rows = [hold(first + place, 1, timeout) for place, timeout in enumerate(timeouts)]
        for place, row in enumerate(rows):
            post(kernel, START_NS + first + place, row)
    done = 0
    while expected:
        due = expected[0][0]
        assert kernel.next_expiry() == due
        step = kernel.expire(due + 3 * SECOND_NS, 40)
        numbers = kernel.stored_transfers(3000 + done, 3000 + done + step)["hold_lo"].tolist()
        assert numbers == [heapq.heappop(expected)[1] for _ in range(step)]
        done += step
    assert done == 3000
