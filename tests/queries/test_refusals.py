"""Queries that can't be meant are refused, by name of the field, and nothing else happens."""

from __future__ import annotations

from typing import Any

import pytest

from formicary import queries
from formicary.base.errors import BadInput, Refusal
from formicary.kernel.kernel import Kernel
from formicary.kernel.objects import Account, Transfer, account_records, transfer_records
from formicary.queries import AccountFilter, TransferFilter

NOON = 1_800_000_000_000_000_000


@pytest.fixture
def kernel() -> Kernel:
    """A ledger of three accounts and three transfers."""
    kernel = Kernel(None)
    kernel.open_accounts(account_records([Account(id=number, asset=1, code=1) for number in (1, 2, 3)]), NOON)
    rows = [Transfer(id=number, debit=1, credit=2, amount=5, asset=1, code=1) for number in (10, 11)]
    kernel.post(transfer_records([*rows, Transfer(id=12, debit=2, credit=3, amount=1, asset=1, code=1)]), NOON)
    return kernel


@pytest.mark.parametrize(
    ("where", "fields"),
    [
        ("limit", {"limit": 0}),
        ("limit", {"limit": 8191}),
        ("asset", {"asset": 2**32}),
        ("code", {"code": -1}),
        ("user_data", {"user_data": 2**128}),
        ("time_min_ns", {"time_min_ns": 2, "time_max_ns": 1}),
        ("cursor", {"cursor": -1}),
        ("cursor", {"cursor": 4}),
    ],
)
@pytest.mark.parametrize("kind", [TransferFilter, AccountFilter])
def test_a_filter_that_cannot_be_meant(kernel: Kernel, kind: Any, where: str, fields: dict[str, int]) -> None:
    """The error names the field and has a code."""
    ask: Any = queries.transfers if kind is TransferFilter else queries.accounts
    with pytest.raises(BadInput, match=f"^{where}: ") as caught:
        ask(kernel, kind(**fields))
    assert caught.value.code == "bad_filter"


@pytest.mark.parametrize("newest_first", [True, False])
def test_a_cursor_of_another_account(kernel: Kernel, newest_first: bool) -> None:
    """A cursor names a transfer of the account asked about; another account's is refused, not followed."""
    wanted = TransferFilter(account=3, cursor=1, newest_first=newest_first)
    for ask in (queries.transfers, queries.balance_history):
        with pytest.raises(BadInput, match="cursor"):
            ask(kernel, wanted)


def test_neither_side(kernel: Kernel) -> None:
    """An account without its debits and without its credits has no transfers to ask for."""
    with pytest.raises(BadInput, match="debits"):
        queries.transfers(kernel, TransferFilter(account=1, debits=False, credits=False))


def test_balances_of_nobody(kernel: Kernel) -> None:
    """Balances after each transfer need an account."""
    with pytest.raises(BadInput, match="account"):
        queries.balance_history(kernel, TransferFilter())


def test_an_unknown_account(kernel: Kernel) -> None:
    """A mistyped account is not an empty history."""
    for ask in (
        lambda: queries.transfers(kernel, TransferFilter(account=99)),
        lambda: queries.balance_history(kernel, TransferFilter(account=99)),
        lambda: queries.balance_as_of(kernel, 99, NOON),
        lambda: queries.balance_as_of(kernel, 0, NOON),
        lambda: queries.moment(kernel, 99),
    ):
        with pytest.raises(Refusal) as caught:
            ask()
        assert caught.value.code == "account_not_found"


def test_ids_that_are_none(kernel: Kernel) -> None:
    """A lookup takes 128-bit ids, and no more than a batch of them."""
    for ids, code in (([-1], "wrong_id"), ([2**128], "wrong_id"), ([1] * 8191, "batch_too_long")):
        for ask in (queries.lookup_accounts, queries.lookup_transfer_records):
            with pytest.raises(BadInput) as caught:
                ask(kernel, ids)
            assert caught.value.code == code


def test_an_empty_ledger_answers() -> None:
    """Nothing is there, and that is an answer."""
    empty = Kernel(None)
    assert queries.transfers(empty, TransferFilter()).transfers == []
    assert queries.accounts(empty, AccountFilter()).cursor == 0
    assert queries.lookup_accounts(empty, [1]) == [None]
    assert queries.lookup_transfers(empty, []) == []
    assert queries.trial_balance(empty) == queries.TrialBalance()
    assert queries.hold_status(empty, 1, NOON) is None
