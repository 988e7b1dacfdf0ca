"""Where small ledgers show nothing: many groups of accounts, sums beyond 63 bits, pages of a long history."""

from __future__ import annotations

import numpy as np

from formicary import queries
from formicary.kernel.kernel import Kernel
from formicary.kernel.records import ACCOUNT, AMOUNT_MAX, BATCH_MAX, TRANSFER
from formicary.queries import AccountFilter, TransferFilter
from formicary.testing import raw

NOON = 1_800_000_000_000_000_000


def opened(count: int, *, codes: int = 1) -> Kernel:
    """A ledger of ``count`` accounts, with codes in turn."""
    kernel = Kernel(None)
    batch = np.zeros(count, ACCOUNT)
    batch["id_lo"] = np.arange(1, count + 1)
    batch["asset"] = 1
    batch["code"] = 1 + np.arange(count) % codes
    for first in range(0, count, BATCH_MAX):
        assert not kernel.open_accounts(batch[first : first + BATCH_MAX], NOON).any()
    return kernel


def test_more_groups_than_the_first_table_has_room_for() -> None:
    """Three thousand codes of one asset are counted one by one."""
    trial = queries.trial_balance(opened(6000, codes=3000))
    (asset,) = trial.assets
    assert [code.code for code in asset.codes] == list(range(1, 3001))
    assert {code.accounts for code in asset.codes} == {2}


def test_sums_beyond_63_bits() -> None:
    """Eight accounts with the largest balance each: the total has 66 bits and is exact."""
    kernel = opened(16)
    rows = [
        {"id": 100 + number, "debit": number, "credit": 8 + number, "amount": AMOUNT_MAX, "asset": 1, "code": 1}
        for number in range(1, 9)
    ]
    assert not kernel.post(raw.transfers(rows), NOON).any()
    trial = queries.trial_balance(kernel)
    assert trial.balanced
    assert trial.assets[0].debits_posted == trial.assets[0].credits_posted == 8 * AMOUNT_MAX


def test_an_imbalance_shows() -> None:
    """The check that must never fail can fail."""
    trial = queries.trial_balance(opened(2))
    (asset,) = trial.assets
    broken = queries.AssetTotals(
        **{name: getattr(asset, name) for name in asset.__struct_fields__ if name != "debits_held"}, debits_held=1
    )
    assert trial.balanced
    assert not queries.TrialBalance(assets=(broken,)).balanced


def test_pages_of_a_long_history() -> None:
    """A rare and a busy account, paged in both directions: each transfer once, in order."""
    kernel = opened(3)
    batch = np.zeros(2000, TRANSFER)
    batch["id_lo"] = np.arange(1, 2001)
    batch["debit_lo"], batch["credit_lo"], batch["amount"], batch["asset"], batch["code"] = 1, 2, 1, 1, 1
    batch["credit_lo"][::100] = 3
    assert not kernel.post(batch, NOON).any()
    for account, expected in ((1, list(range(1, 2001))), (3, list(range(1, 2001, 100)))):
        for newest_first in (False, True):
            found: list[int] = []
            cursor = 0
            while cursor or not found:
                wanted = TransferFilter(account=account, limit=7, newest_first=newest_first, cursor=cursor)
                page = queries.transfers(kernel, wanted)
                found += page.records["id_lo"].tolist()
                cursor = page.cursor
            assert found == (expected[::-1] if newest_first else expected)


def test_accounts_beyond_one_chunk() -> None:
    """Forty thousand accounts are looked through in pieces, in both directions."""
    kernel = opened(40_000, codes=20_000)
    for newest_first in (False, True):
        page = queries.accounts(kernel, AccountFilter(code=20_000, newest_first=newest_first))
        assert [account.id for account in page.accounts] == sorted([20_000, 40_000], reverse=newest_first)
