"""Reading back against the obvious way: look at every transfer, and write every balance down as it happens."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import numpy as np
import pytest

from formicary.base.compiled import uncompiled
from formicary.kernel import history
from formicary.kernel.kernel import Kernel
from formicary.testing import raw

from tests.kernel.support import ACCOUNTS, SECOND_NS, START_NS, T, balances, move, opened, post, random_rows

MODULES = {"compiled": history, "uncompiled": uncompiled("formicary.kernel.history", "formicary.kernel")}


@pytest.fixture(params=MODULES)
def module(request: pytest.FixtureRequest) -> ModuleType:
    """Compiled walks and uncompiled ones."""
    return MODULES[request.param]


class Life:
    """A ledger with a past, and what each account's balances were after each transfer."""

    def __init__(self) -> None:
        self.kernel = opened(Kernel)
        self.after: list[list[tuple[int, ...]]] = []
        rng = np.random.default_rng(8)
        for step, row in enumerate(random_rows(rng, 1, 900)):
            time_ns = START_NS + step * SECOND_NS // 3
            while self.kernel.expire(time_ns, 1):
                self._note()
            batch = raw.transfers([{**row, "flags": row["flags"] & ~T.LINKED, "user_data_32": step % 5}])
            if not self.kernel.post(batch, time_ns)[0]:
                self._note()
        self.records = self.kernel.stored_transfers(0, self.kernel.transfers_count)

    def _note(self) -> None:
        self.after.append([balances(self.kernel, account) for account in range(1, ACCOUNTS + 1)])

    def account(self, row: int) -> Any:
        """Copy an account's record."""
        return self.kernel.tables.accounts[row].copy()

    def indexes_of(self, row: int, *, debits: bool = True, credits: bool = True) -> list[int]:  # noqa: A002
        """Every transfer of an account, oldest first, by looking at all."""
        number = row + 1
        return [
            index
            for index, record in enumerate(self.records)
            if (debits and record["debit_lo"] == number) or (credits and record["credit_lo"] == number)
        ]


@pytest.fixture(scope="module")
def life() -> Life:
    """One past for all tests."""
    made = Life()
    assert len(made.records) > 400, "much of it was accepted"
    assert {int(flags) for flags in np.unique(made.records["flags"])} >= {0, T.HOLD, T.CAPTURE, T.RELEASE, T.EXPIRY}
    return made


@pytest.mark.parametrize("row", range(ACCOUNTS))
def test_balances_after_each_transfer(module: ModuleType, life: Life, row: int) -> None:
    """Walking back gives every transfer of the account, with the balances that were noted when it was posted."""
    found = module.account_transfers(
        life.kernel.tables, row, life.account(row), wanted=module.make_filter(), limit=10_000
    )
    assert found.indexes.tolist() == life.indexes_of(row)[::-1]
    assert [tuple(line) for line in found.balances.tolist()] == [life.after[index][row] for index in found.indexes]


@pytest.mark.parametrize("limit", [1, 3, 17, 1000])
@pytest.mark.parametrize("newest_first", [True, False])
def test_pages_join_to_the_whole(module: ModuleType, life: Life, limit: int, newest_first: bool) -> None:
    """Page after page, each behind the last one's last transfer, nothing is missed and nothing comes twice."""
    everything, cursor, lines = [], None, []
    while True:
        found = module.account_transfers(
            life.kernel.tables,
            2,
            life.account(2),
            wanted=module.make_filter(),
            limit=limit,
            newest_first=newest_first,
            cursor=cursor,
        )
        if not len(found.indexes):
            break
        assert len(found.indexes) <= limit
        everything += found.indexes.tolist()
        lines += [tuple(line) for line in found.balances.tolist()]
        cursor = everything[-1]
    expected = life.indexes_of(2)
    assert everything == (expected[::-1] if newest_first else expected)
    assert lines == [life.after[index][2] for index in everything]


FILTERS: dict[str, dict[str, int]] = {
    "nothing": {},
    "code": {"code": 2},
    "asset": {"asset": 1},
    "another asset": {"asset": 2},
    "user data": {"user_data_32": 3},
    "wide user data": {"user_data": 1 << 64},
    "user data of 64 bits": {"user_data_64": 9},
    "a time range": {"time_min": START_NS + 40 * SECOND_NS, "time_max": START_NS + 90 * SECOND_NS},
    "from a time": {"time_min": START_NS + 200 * SECOND_NS},
    "until a time": {"time_max": START_NS + 20 * SECOND_NS},
    "a range with nothing in it": {"time_min": START_NS + 2, "time_max": START_NS + 3},
    "much at once": {"time_min": START_NS + 20 * SECOND_NS, "code": 1, "user_data_32": 2},
}


def passes(record: Any, wanted: dict[str, int]) -> bool:
    """The filter, in plain words."""
    if not wanted.get("time_min", 0) <= record["time"] <= wanted.get("time_max", 2**63 - 1):
        return False
    user_data = int(record["user_data_hi"]) << 64 | int(record["user_data_lo"])
    values = {
        "user_data": user_data,
        **{name: int(record[name]) for name in ("asset", "code", "user_data_32", "user_data_64")},
    }
    return all(not value or values[name] == value for name, value in wanted.items() if name in values)


@pytest.mark.parametrize("wanted", FILTERS.values(), ids=FILTERS)
def test_filters_of_an_account(module: ModuleType, life: Life, wanted: dict[str, int]) -> None:
    """Each filter lets the same transfers through as looking at all of them does, on each side, in every order."""
    tables, account = life.kernel.tables, life.account(0)
    for sides in ({}, {"debits": False}, {"credits": False}):
        expected = [index for index in life.indexes_of(0, **sides) if passes(life.records[index], wanted)]
        made = module.make_filter(**wanted, **sides)
        newest = module.account_transfers(tables, 0, account, wanted=made, limit=10_000)
        oldest = module.account_transfers(tables, 0, account, wanted=made, limit=10_000, newest_first=False)
        quick = module.account_indexes(tables, 0, account, wanted=made, limit=10_000)
        assert newest.indexes.tolist() == expected[::-1]
        assert oldest.indexes.tolist() == expected
        assert quick.tolist() == expected[::-1]
        assert [tuple(line) for line in oldest.balances.tolist()] == [life.after[index][0] for index in expected]


@pytest.mark.parametrize("wanted", FILTERS.values(), ids=FILTERS)
def test_filters_of_all(module: ModuleType, life: Life, wanted: dict[str, int]) -> None:
    """All transfers by time, in pages of any size, ascending and descending."""
    tables, count = life.kernel.tables, len(life.records)
    expected = [index for index in range(count) if passes(life.records[index], wanted)]
    for limit in (7, 10_000):
        for newest_first in (True, False):
            everything: list[int] = []
            while True:
                page = module.all_transfers(
                    tables,
                    count,
                    wanted=module.make_filter(**wanted),
                    limit=limit,
                    newest_first=newest_first,
                    cursor=everything[-1] if everything else None,
                )
                if not len(page):
                    break
                everything += page.tolist()
            assert everything == (expected[::-1] if newest_first else expected)


@pytest.mark.parametrize("wanted", [{}, FILTERS["a time range"], FILTERS["code"]], ids=["all", "range", "code"])
def test_quick_pages_of_an_account(module: ModuleType, life: Life, wanted: dict[str, int]) -> None:
    """Pages without balances go on from the cursor's own links, and are the same pages."""
    expected = [index for index in life.indexes_of(3) if passes(life.records[index], wanted)][::-1]
    everything: list[int] = []
    while True:
        page = module.account_indexes(
            life.kernel.tables,
            3,
            life.account(3),
            wanted=module.make_filter(**wanted),
            limit=5,
            cursor=everything[-1] if everything else None,
        )
        if not len(page):
            break
        everything += page.tolist()
    assert everything == expected


def test_a_cursor_of_another_account_is_a_bug(module: ModuleType, life: Life) -> None:
    """A cursor names a transfer that the account has."""
    foreign = next(index for index in range(400) if index not in life.indexes_of(0))
    with pytest.raises(AssertionError):
        module.account_indexes(
            life.kernel.tables, 0, life.account(0), wanted=module.make_filter(), limit=5, cursor=foreign
        )


def test_balances_as_of_a_time(module: ModuleType, life: Life) -> None:
    """At every transfer's instant, one before and one after it; and before everything there is nothing."""
    times = life.records["time"].tolist()
    for row in range(ACCOUNTS):
        account = life.account(row)
        assert module.balances_at(life.kernel.tables, row, account, START_NS - 1).tolist() == [0, 0, 0, 0]
        for index in range(1, len(times), 29):
            at = module.balances_at(life.kernel.tables, row, account, times[index])
            before = module.balances_at(life.kernel.tables, row, account, times[index] - 1)
            assert tuple(at.tolist()) == life.after[index][row]
            assert tuple(before.tolist()) == life.after[index - 1][row]


def test_a_reader_sees_nothing_newer(module: ModuleType) -> None:
    """A copy of the account made before is the newest that a walk with it can find."""
    kernel = opened(Kernel)
    post(kernel, START_NS, move(1, 1, 2, 5), move(2, 1, 2, 7, flags=T.HOLD))
    account, tables = kernel.tables.accounts[0].copy(), kernel.tables
    post(kernel, START_NS, {"id": 3, "hold": 2, "flags": T.CAPTURE, "amount": 7}, move(4, 1, 2, 9))
    found = module.account_transfers(tables, 0, account, wanted=module.make_filter(), limit=10)
    assert found.indexes.tolist() == [1, 0]
    assert found.balances.tolist() == [[7, 5, 0, 0], [0, 5, 0, 0]]


def test_an_account_without_transfers(module: ModuleType) -> None:
    """Has an empty history and empty balances."""
    kernel = opened(Kernel)
    account = kernel.tables.accounts[0].copy()
    found = module.account_transfers(kernel.tables, 0, account, wanted=module.make_filter(), limit=10)
    assert found.indexes.shape == (0,)
    assert found.balances.shape == (0, 4)
    assert module.account_indexes(kernel.tables, 0, account, wanted=module.make_filter(), limit=10).shape == (0,)
    assert module.all_transfers(kernel.tables, 0, wanted=module.make_filter(), limit=10).shape == (0,)
