"""What holds of every ledger at every moment, said of its records alone and checked without the kernel.

Money is conserved (debits equal credits in each asset), an account is the sum of its transfers, no limit is passed,
and time only goes forward.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Final

import numpy as np

from formicary.kernel.records import AccountFlag, TransferFlag
from formicary.testing import raw
from formicary.testing.model_books import Records

SIDES: Final = ("debits_held", "debits_posted", "credits_held", "credits_posted")
RESOLVED_BY: Final = TransferFlag.CAPTURE | TransferFlag.RELEASE | TransferFlag.EXPIRY


def check_invariants(accounts: Records, transfers: Records) -> None:
    """Assert everything that this module promises, of all accounts and all stored transfers of a ledger."""
    check_conserved(accounts)
    check_limits(accounts)
    check_sums(accounts, transfers)
    check_times(accounts, transfers)


def check_conserved(accounts: Records) -> None:
    """In each asset, debits equal credits: held and posted ones apart."""
    totals: dict[tuple[int, str], int] = defaultdict(int)
    for account in accounts:
        for side in SIDES:
            name = side.removeprefix("debits_").removeprefix("credits_")
            totals[int(account["asset"]), name] += int(account[side]) * (1 if side.startswith("debits") else -1)
    assert not any(totals.values()), f"debits less credits by asset: {dict(totals)}"


def check_limits(accounts: Records) -> None:
    """No sum is negative, none overflows, and each account keeps its own limit."""
    for account in accounts:
        sums = {side: int(account[side]) for side in SIDES}
        assert min(sums.values()) >= 0, f"a negative sum: {account}"
        debits, credits_ = (sums[f"{side}_held"] + sums[f"{side}_posted"] for side in ("debits", "credits"))
        assert max(debits, credits_) < 2**63, f"a sum too large: {account}"
        if account["flags"] & AccountFlag.DEBITS_LIMITED:
            assert debits <= sums["credits_posted"], f"debits exceed credits: {account}"
        if account["flags"] & AccountFlag.CREDITS_LIMITED:
            assert credits_ <= sums["debits_posted"], f"credits exceed debits: {account}"


def check_sums(accounts: Records, transfers: Records) -> None:
    """Each account's balances, count and newest transfer are what its stored transfers add up to."""
    sums: dict[int, dict[str, int]] = {number: defaultdict(int) for number in raw.wide(accounts, "id")}
    wides = zip(*(raw.wide(transfers, name) for name in ("id", "debit", "credit", "hold")), strict=True)
    held: dict[int, int] = {}
    for place, (number, debit, credit, hold) in enumerate(wides):
        flags, amount = int(transfers["flags"][place]), int(transfers["amount"][place])
        given_back = held.pop(hold) if flags & RESOLVED_BY else 0
        reserved = amount if flags & TransferFlag.HOLD else 0
        posted = 0 if flags & (TransferFlag.HOLD | TransferFlag.RELEASE | TransferFlag.EXPIRY) else amount
        if flags & TransferFlag.HOLD:
            held[number] = amount
        for account, side in ((debit, "debits"), (credit, "credits")):
            sums[account][f"{side}_held"] += reserved - given_back
            sums[account][f"{side}_posted"] += posted
            sums[account]["transfers"] += 1
            sums[account]["newest"] = place + 1
    for account, expected in zip(accounts, sums.values(), strict=True):
        for name in (*SIDES, "transfers", "newest"):
            assert int(account[name]) == expected[name], f"{name}: {account[name]}, its transfers say {expected[name]}"


def check_times(accounts: Records, transfers: Records) -> None:
    """Both kinds of record have times of their own, each later than the one before."""
    for records in (accounts, transfers):
        assert np.all(np.diff(records["time"]) > 0), "time went back or stood still"
