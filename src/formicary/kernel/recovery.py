"""Coming back: one compiled pass over the stored records rebuilds everything that is only in memory.

Balances, statuses, newest links, the id tables and the heap of due holds are folds of what is stored. The pass checks
what it reads as it goes: rows against ids, links against the fold, times against their order. It never trusts that a
hold's ``partner`` belongs to this checkpoint: a transfer beyond it may have set it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np

from formicary.base.compiled import I64, compiled
from formicary.base.errors import Corrupt
from formicary.kernel.expiry import add_due
from formicary.kernel.flags import CAPTURE, HOLD, RESOLVED_BY, STATUS
from formicary.kernel.idtable import insert_range
from formicary.kernel.posting import set_status
from formicary.kernel.records import AMOUNT_MAX
from formicary.kernel.storage import GrowingArray, Record
from formicary.kernel.tables import ACCOUNTS, CHUNK, TRANSFERS, Stores, Tables

ALL_WELL: Final = -1


@compiled
def recover_accounts(t: Tables, count: int) -> int:
    """Rebuild the accounts as they were opened; returns the first row that can't be right, or ALL_WELL."""
    newest = I64(0)
    for row in range(count):
        if t.openings[row]["time"] <= newest or t.openings[row]["transfers"] != 0:
            return row
        newest = t.openings[row]["time"]
        t.accounts[row] = t.openings[row]
    insert_range(t.account_ids.slots, t.account_ids.seeds, t.accounts, 0, count)
    t.state[ACCOUNTS] = count
    return ALL_WELL


@compiled
def is_account(t: Tables, row: int, low: np.uint64, high: np.uint64, previous: int) -> bool:
    """Whether a trail's row is the account that its transfer names, with the history that the trail goes on from."""
    if row < 0 or row >= t.state[ACCOUNTS]:
        return False
    account = t.accounts[row]
    return bool(account["id_lo"] == low and account["id_hi"] == high and account["newest"] == previous)


@compiled
def is_sound(t: Tables, index: int) -> bool:
    """Whether a stored transfer follows from the ones before it as far as its links and time go."""
    transfer, trail = t.transfers[index], t.trails[index]
    if index > 0 and transfer["time"] <= t.transfers[index - 1]["time"]:
        return False
    return (
        is_account(t, trail["debit_row"], transfer["debit_lo"], transfer["debit_hi"], trail["debit_previous"])
        and is_account(t, trail["credit_row"], transfer["credit_lo"], transfer["credit_hi"], trail["credit_previous"])
        and trail["debit_row"] != trail["credit_row"]
    )


@compiled
def redo_hold(t: Tables, index: int, count: int, debit: Record, credit: Record) -> None:
    """Hold again; forget a partner that lies beyond the checkpoint, or is not this hold's."""
    hold, trail = t.transfers[index], t.trails[index]
    resolver = trail["partner"] - 1
    is_kept = index < resolver < count and t.trails[resolver]["partner"] == index + 1
    if not is_kept and trail["partner"] != 0:
        trail["partner"] = 0
    debit["debits_held"] += hold["amount"]
    credit["credits_held"] += hold["amount"]
    if not is_kept and hold["timeout"] != 0:
        add_due(t, index)


@compiled
def redo_resolution(t: Tables, index: int, flags: int, debit: Record, credit: Record) -> bool:
    """End a hold again; False when there is no such hold to end."""
    hold_index = t.trails[index]["partner"] - 1
    if hold_index < 0 or hold_index >= index:
        return False
    transfer, hold, hold_trail = t.transfers[index], t.transfers[hold_index], t.trails[hold_index]
    is_its_hold = transfer["hold_lo"] == hold["id_lo"] and transfer["hold_hi"] == hold["id_hi"]
    is_open = hold_trail["partner"] == 0 or hold_trail["partner"] == index + 1
    if not (is_its_hold and is_open and I64(hold["flags"]) & HOLD):
        return False
    if hold_trail["partner"] == 0:
        hold_trail["partner"] = index + 1
    debit["debits_held"] -= hold["amount"]
    credit["credits_held"] -= hold["amount"]
    if flags & CAPTURE:
        debit["debits_posted"] += transfer["amount"]
        credit["credits_posted"] += transfer["amount"]
    return True


@compiled
def fits(amount: int, debit: Record, credit: Record) -> bool:
    """Whether an amount can be added to what both accounts have without passing AMOUNT_MAX."""
    debit_room = AMOUNT_MAX - debit["debits_held"] - debit["debits_posted"]
    credit_room = AMOUNT_MAX - credit["credits_held"] - credit["credits_posted"]
    return bool(0 <= amount <= debit_room and amount <= credit_room)


@compiled
def redo_transfer(t: Tables, index: int, count: int) -> bool:
    """Apply a stored transfer to its accounts again; False when it can't have been stored like this."""
    if not is_sound(t, index):
        return False
    transfer, trail = t.transfers[index], t.trails[index]
    debit, credit = t.accounts[trail["debit_row"]], t.accounts[trail["credit_row"]]
    flags, amount = I64(transfer["flags"]), I64(transfer["amount"])
    if flags & RESOLVED_BY:
        is_done = redo_resolution(t, index, flags, debit, credit)
    elif not fits(amount, debit, credit):
        is_done = False
    elif flags & HOLD:
        redo_hold(t, index, count, debit, credit)
        is_done = True
    else:
        debit["debits_posted"] += amount
        credit["credits_posted"] += amount
        is_done = True
    if flags & STATUS:
        set_status(flags, debit, credit)
    debit["newest"] = index + 1
    credit["newest"] = index + 1
    debit["transfers"] += 1
    credit["transfers"] += 1
    return is_done


@compiled
def touch_accounts(t: Tables, first: int, last: int) -> None:
    """Bring the accounts of a chunk near, many at once."""
    touched = I64(0)
    for index in range(first, last):
        for row in (t.trails[index]["debit_row"], t.trails[index]["credit_row"]):
            if 0 <= row < t.state[ACCOUNTS]:
                touched |= t.accounts[row]["newest"]
    t.touched[0] = np.uint64(touched)


@compiled
def recover_transfers(t: Tables, count: int) -> int:
    """Apply the stored transfers in order; returns the first index that can't be right, or ALL_WELL."""
    for first in range(0, count, CHUNK):
        last = min(first + CHUNK, count)
        touch_accounts(t, first, last)
        for index in range(first, last):
            if not redo_transfer(t, index, count):
                return index
        insert_range(t.transfer_ids.slots, t.transfer_ids.seeds, t.transfers, first, last)
    t.state[TRANSFERS] = count
    return ALL_WELL


def recover_stores(folder: Path, *, accounts: int, transfers: int) -> Stores:
    """Open the files of ``folder`` and rebuild the first ``accounts`` and ``transfers`` in them."""
    stores = Stores(folder, accounts=accounts, transfers=transfers)
    for array, count in zip(stores.durable, (accounts, transfers, transfers), strict=True):
        if array.capacity < count:
            raise _corrupt(array, array.capacity, f"the file ends here, but {count} records were checkpointed")
    tables = stores.make_room(accounts=accounts, transfers=transfers)
    bad = int(recover_accounts(tables, accounts))
    if bad != ALL_WELL:
        raise _corrupt(stores.openings, bad, "not an account that could follow the one before it")
    bad = int(recover_transfers(tables, transfers))
    if bad != ALL_WELL:
        raise _corrupt(stores.transfers, bad, "not a transfer that could follow the ones before it")
    return stores


def _corrupt(array: GrowingArray, record: int, message: str) -> Corrupt:
    return Corrupt(message, file=str(array.path), record=record, offset=record * array.dtype.itemsize)
