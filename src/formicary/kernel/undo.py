"""Taking back: the newest transfers and accounts, one by one, exactly.

A stored transfer and its trail hold all that is needed to undo it. The kernel keeps no other clock or counter, so after
an undo the tables are as they were, but for what is never looked at: bytes beyond the counts, places in the heap.
"""

from __future__ import annotations

from formicary.base.compiled import I64, compiled, compiled_apart
from formicary.kernel.expiry import add_due, forget_due
from formicary.kernel.flags import (
    CAPTURE,
    CLOSED,
    CLOSING_CREDIT,
    CLOSING_DEBIT,
    EXPIRY,
    FREEZING_CREDIT,
    FREEZING_DEBIT,
    FROZEN,
    HOLD,
    RELEASE,
    REOPENING_CREDIT,
    REOPENING_DEBIT,
    RESOLVED_BY,
    STATUS,
    THAWING_CREDIT,
    THAWING_DEBIT,
)
from formicary.kernel.idtable import remove
from formicary.kernel.storage import Record
from formicary.kernel.tables import ACCOUNTS, TRANSFERS, Tables


@compiled
def previous_status(account_flags: int, sets: int, clears: int) -> int:
    """Return an account's flags before a transfer that set some status bits and cleared others."""
    return (account_flags & ~sets) | clears


@compiled
def undo_status(flags: int, debit: Record, credit: Record) -> None:
    """Take a transfer's status flags back. Each had an effect: without one the transfer is refused."""
    sets = (CLOSED if flags & CLOSING_DEBIT else 0) | (FROZEN if flags & FREEZING_DEBIT else 0)
    clears = (CLOSED if flags & REOPENING_DEBIT else 0) | (FROZEN if flags & THAWING_DEBIT else 0)
    debit["flags"] = previous_status(I64(debit["flags"]), sets, clears)
    sets = (CLOSED if flags & CLOSING_CREDIT else 0) | (FROZEN if flags & FREEZING_CREDIT else 0)
    clears = (CLOSED if flags & REOPENING_CREDIT else 0) | (FROZEN if flags & THAWING_CREDIT else 0)
    credit["flags"] = previous_status(I64(credit["flags"]), sets, clears)


@compiled_apart
def undo_resolution(t: Tables, index: int, flags: int, debit: Record, credit: Record) -> None:
    """Open a hold again that a capture, release or expiry had ended."""
    hold_index = t.trails[index]["partner"] - 1
    hold = t.transfers[hold_index]
    debit["debits_held"] += hold["amount"]
    credit["credits_held"] += hold["amount"]
    t.trails[hold_index]["partner"] = 0
    if flags & CAPTURE:
        debit["debits_posted"] -= t.transfers[index]["amount"]
        credit["credits_posted"] -= t.transfers[index]["amount"]
    if flags & EXPIRY:
        add_due(t, hold_index)


@compiled
def undo_transfer(t: Tables) -> None:
    """Take the newest transfer back."""
    index = t.state[TRANSFERS] - 1
    transfer, trail = t.transfers[index], t.trails[index]
    debit, credit = t.accounts[trail["debit_row"]], t.accounts[trail["credit_row"]]
    flags = I64(transfer["flags"])
    if flags & RESOLVED_BY:
        undo_resolution(t, index, flags, debit, credit)
    elif flags & HOLD:
        debit["debits_held"] -= transfer["amount"]
        credit["credits_held"] -= transfer["amount"]
        if transfer["timeout"] != 0:
            forget_due(t, index)
    else:
        debit["debits_posted"] -= transfer["amount"]
        credit["credits_posted"] -= transfer["amount"]
    if flags & STATUS:
        undo_status(flags, debit, credit)
    debit["newest"] = trail["debit_previous"]
    credit["newest"] = trail["credit_previous"]
    debit["transfers"] -= 1
    credit["transfers"] -= 1
    remove(t.transfer_ids, t.transfers, index)
    t.state[TRANSFERS] = index


@compiled_apart
def undo_transfers(t: Tables, count: int) -> None:
    """Take transfers back, newest first, until ``count`` are left."""
    while t.state[TRANSFERS] > count:
        undo_transfer(t)


@compiled
def undo_accounts(t: Tables, count: int) -> None:
    """Take accounts back that no transfer touches any more, until ``count`` are left."""
    while t.state[ACCOUNTS] > count:
        row = t.state[ACCOUNTS] - 1
        assert t.accounts[row]["newest"] == 0, "an account with transfers cannot be taken back"
        remove(t.account_ids, t.accounts, row)
        t.state[ACCOUNTS] = row


@compiled
def restore_due(t: Tables, count: int) -> None:
    """Put back the holds that undoing to ``count`` will open again; the heap may have dropped them."""
    for index in range(count, t.state[TRANSFERS]):
        if I64(t.transfers[index]["flags"]) & (CAPTURE | RELEASE):
            hold_index = t.trails[index]["partner"] - 1
            if hold_index < count and t.transfers[hold_index]["timeout"] != 0:
                add_due(t, hold_index)
