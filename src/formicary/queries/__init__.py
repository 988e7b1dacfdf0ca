"""The read side: everything that can be asked of a kernel. It changes nothing, and imports only the kernel.

A function that is given a :class:`~formicary.kernel.kernel.Kernel` runs in the writer's turn, between two batches. The
walks over transfers also take a :class:`Moment`, and may then run in any thread while posting goes on.
"""

from formicary.queries.filters import AccountFilter, TransferFilter, check_filter
from formicary.queries.holds import HoldState, HoldStatus, hold_status
from formicary.queries.listing import accounts
from formicary.queries.lookup import (
    lookup_account_records,
    lookup_accounts,
    lookup_transfer_records,
    lookup_transfers,
)
from formicary.queries.pages import AccountPage, BalancePage, Balances, Page
from formicary.queries.totals import AssetTotals, CodeTotals, TrialBalance, trial_balance
from formicary.queries.walks import Moment, balance_as_of, balance_history, moment, transfers

__all__ = [
    "AccountFilter",
    "AccountPage",
    "AssetTotals",
    "BalancePage",
    "Balances",
    "CodeTotals",
    "HoldState",
    "HoldStatus",
    "Moment",
    "Page",
    "TransferFilter",
    "TrialBalance",
    "accounts",
    "balance_as_of",
    "balance_history",
    "check_filter",
    "hold_status",
    "lookup_account_records",
    "lookup_accounts",
    "lookup_transfer_records",
    "lookup_transfers",
    "moment",
    "transfers",
    "trial_balance",
]
