"""The loop: a batch of transfer requests in, a code for each out, and what is accepted written to the tables.

Every check of a record comes before its first write, in the order of the codes' numbers. A linked chain that fails is
taken back record by record, newest first, so the tables are as if it had never been tried.

The batch goes through in chunks. A first pass over a chunk only looks: it hashes ids, finds account rows and touches
the memory that posting will need. Its iterations do not depend on one another, so the processor waits for many cache
misses at once; the second pass, where each record may depend on the one before, then finds everything near.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from formicary.base.compiled import I64, U64, compiled, compiled_apart
from formicary.kernel.checks import (
    check_alone,
    check_assets,
    check_fields,
    check_hold,
    check_imported,
    check_status,
    check_sums,
    check_unresolved,
    compare_stored,
)
from formicary.kernel.codes import TransferCode
from formicary.kernel.expiry import add_due, has_expired
from formicary.kernel.flags import (
    BALANCING,
    BALANCING_CREDIT,
    BALANCING_DEBIT,
    CAPTURE,
    CLOSED,
    CLOSING_CREDIT,
    CLOSING_DEBIT,
    FREEZING_CREDIT,
    FREEZING_DEBIT,
    FROZEN,
    HOLD,
    IMPORTED,
    LINKED,
    RELEASE,
    REOPENING_CREDIT,
    REOPENING_DEBIT,
    RESOLVING,
    STATUS,
    THAWING_CREDIT,
    THAWING_DEBIT,
)
from formicary.kernel.idtable import INDEX_MASK, find, find_record, home, mix
from formicary.kernel.journal import append, next_time
from formicary.kernel.records import AMOUNT_ALL
from formicary.kernel.storage import Record, Records
from formicary.kernel.tables import CHUNK, TRANSFERS, TRANSFERS_LIMIT, Tables
from formicary.kernel.undo import undo_transfers

Codes = npt.NDArray[np.uint16]

NO_CHAIN = -1


@compiled
def hash_ids(t: Tables, batch: Records, first: int, last: int) -> np.uint64:
    """Hash a chunk's ids and those of its accounts, and touch their places in the id tables."""
    ids, account_ids = t.transfer_ids, t.account_ids
    touched = U64(0)
    for i in range(first, last):
        request, place = batch[i], i - first
        hashed = mix(ids.seeds, request["id_lo"], request["id_hi"])
        debit = mix(account_ids.seeds, request["debit_lo"], request["debit_hi"])
        credit = mix(account_ids.seeds, request["credit_lo"], request["credit_hi"])
        t.hashes[place], t.debit_hashes[place], t.credit_hashes[place] = hashed, debit, credit
        touched |= ids.slots[home(ids.slots, hashed)] | ids.previous[home(ids.previous, hashed)]
        touched |= account_ids.slots[home(account_ids.slots, debit)]
        touched |= account_ids.slots[home(account_ids.slots, credit)]
    return touched


@compiled
def touch_account(t: Tables, hashed: np.uint64) -> np.uint64:
    """Touch the account that most likely has this hash: both cache lines of its record."""
    slot = t.account_ids.slots[home(t.account_ids.slots, hashed)]
    account = t.accounts[max(I64(slot & INDEX_MASK) - 1, 0)]
    return U64(account["id_lo"] | U64(account["asset"]))


@compiled
def look_up(t: Tables, batch: Records, first: int, last: int) -> None:
    """Find the accounts of a chunk, hash its ids, and touch what posting it will read."""
    touched = hash_ids(t, batch, first, last)
    for i in range(last - first):
        touched |= touch_account(t, t.debit_hashes[i]) | touch_account(t, t.credit_hashes[i])
    for i in range(first, last):
        request, place = batch[i], i - first
        debit, credit = t.debit_hashes[place], t.credit_hashes[place]
        t.debit_rows[place] = find(t.account_ids, t.accounts, request["debit_lo"], request["debit_hi"], debit)
        t.credit_rows[place] = find(t.account_ids, t.accounts, request["credit_lo"], request["credit_hi"], credit)
    t.touched[0] = touched


@compiled
def find_account(t: Tables, low: np.uint64, high: np.uint64) -> int:
    """Find an account's row by id, or -1."""
    return find_record(t.account_ids, t.accounts, low, high)


@compiled
def find_transfer(t: Tables, low: np.uint64, high: np.uint64) -> int:
    """Find a transfer's index by id, or -1."""
    return find_record(t.transfer_ids, t.transfers, low, high)


@compiled
def balanced(flags: int, amount: int, debit: Record, credit: Record) -> int:
    """Cut a balancing amount to what is there on the balancing side, or on both."""
    if flags & BALANCING_DEBIT:
        debits_all = debit["debits_posted"] + debit["debits_held"]
        amount = min(amount, max(0, debit["credits_posted"] - debits_all))
    if flags & BALANCING_CREDIT:
        credits_all = credit["credits_posted"] + credit["credits_held"]
        amount = min(amount, max(0, credit["debits_posted"] - credits_all))
    return amount


@compiled
def next_status(account_flags: int, closes: bool, reopens: bool, freezes: bool, thaws: bool) -> int:
    """Return an account's flags after a transfer that may change its status."""
    if reopens:
        account_flags &= ~CLOSED
    if thaws:
        account_flags &= ~FROZEN
    if closes:
        account_flags |= CLOSED
    if freezes:
        account_flags |= FROZEN
    return account_flags


@compiled
def set_status(flags: int, debit: Record, credit: Record) -> None:
    """Let a transfer's status flags take effect on its two accounts."""
    debit["flags"] = next_status(
        I64(debit["flags"]),
        flags & CLOSING_DEBIT != 0,
        flags & REOPENING_DEBIT != 0,
        flags & FREEZING_DEBIT != 0,
        flags & THAWING_DEBIT != 0,
    )
    credit["flags"] = next_status(
        I64(credit["flags"]),
        flags & CLOSING_CREDIT != 0,
        flags & REOPENING_CREDIT != 0,
        flags & FREEZING_CREDIT != 0,
        flags & THAWING_CREDIT != 0,
    )


@compiled
def post_move(t: Tables, request: Record, flags: int, rows: tuple[int, int], time: int) -> TransferCode:
    """Post a plain transfer or a hold: codes 100 and up, then the writes."""
    debit_row, credit_row = rows
    if debit_row < 0:
        return TransferCode.DEBIT_ACCOUNT_NOT_FOUND
    if credit_row < 0:
        return TransferCode.CREDIT_ACCOUNT_NOT_FOUND
    debit, credit = t.accounts[debit_row], t.accounts[credit_row]
    code = check_assets(request, debit, credit)
    if code == TransferCode.OK:
        code = check_status(flags, I64(debit["flags"]), I64(credit["flags"]))
    if code != TransferCode.OK:
        return code
    amount = I64(request["amount"])
    if flags & BALANCING:
        amount = balanced(flags, amount, debit, credit)
    code = check_sums(flags, amount, debit, credit)
    if code != TransferCode.OK:
        return code
    if t.state[TRANSFERS] >= t.state[TRANSFERS_LIMIT]:
        return TransferCode.LEDGER_FULL
    store_move(t, request, flags, amount, rows, time)
    return TransferCode.OK


@compiled
def store_move(  # noqa: PLR0917 - Numba has no keyword-only arguments
    t: Tables, request: Record, flags: int, amount: int, rows: tuple[int, int], time: int
) -> None:
    """Write an accepted transfer or hold of ``amount``."""
    index = t.state[TRANSFERS]
    debit, credit = t.accounts[rows[0]], t.accounts[rows[1]]
    t.transfers[index] = request
    stored = t.transfers[index]
    stored["amount"] = amount
    if not flags & IMPORTED:
        stored["time"] = next_time(t, time)
    if flags & HOLD:
        debit["debits_held"] += amount
        credit["credits_held"] += amount
    else:
        debit["debits_posted"] += amount
        credit["credits_posted"] += amount
    if flags & STATUS:
        set_status(flags, debit, credit)
    append(t, rows[0], rows[1], 0)
    if flags & HOLD and stored["timeout"] != 0:
        add_due(t, index)


@compiled_apart
def post_resolution(t: Tables, request: Record, flags: int, time: int) -> TransferCode:
    """Post the capture or release of a hold: codes 80 and up, then the writes."""
    hold_index = find_transfer(t, request["hold_lo"], request["hold_hi"])
    if hold_index < 0:
        return TransferCode.HOLD_NOT_FOUND
    hold, hold_trail = t.transfers[hold_index], t.trails[hold_index]
    code = check_hold(request, flags, hold)
    if code == TransferCode.OK:
        code = check_unresolved(t, hold_trail["partner"])
    if code != TransferCode.OK:
        return code
    if has_expired(hold, time):
        return TransferCode.HOLD_EXPIRED
    debit, credit = t.accounts[hold_trail["debit_row"]], t.accounts[hold_trail["credit_row"]]
    code = check_status(flags, I64(debit["flags"]), I64(credit["flags"]))
    if code != TransferCode.OK:
        return code
    if t.state[TRANSFERS] >= t.state[TRANSFERS_LIMIT]:
        return TransferCode.LEDGER_FULL
    store_resolution(t, request, flags, hold_index, time)
    return TransferCode.OK


@compiled
def store_resolution(t: Tables, request: Record, flags: int, hold_index: int, time: int) -> None:
    """Write an accepted capture or release, completed from its hold."""
    index = t.state[TRANSFERS]
    hold, hold_trail = t.transfers[hold_index], t.trails[hold_index]
    debit, credit = t.accounts[hold_trail["debit_row"]], t.accounts[hold_trail["credit_row"]]
    held, amount = I64(hold["amount"]), I64(request["amount"])
    if flags & RELEASE or amount == AMOUNT_ALL:
        amount = held
    t.transfers[index] = request
    complete(t.transfers[index], hold)
    t.transfers[index]["amount"] = amount
    t.transfers[index]["time"] = next_time(t, time)
    debit["debits_held"] -= held
    credit["credits_held"] -= held
    if flags & CAPTURE:
        debit["debits_posted"] += amount
        credit["credits_posted"] += amount
    hold_trail["partner"] = index + 1
    append(t, hold_trail["debit_row"], hold_trail["credit_row"], hold_index + 1)


@compiled
def complete(stored: Record, hold: Record) -> None:
    """Give a capture or release the accounts, asset and code of its hold, which it may have left out."""
    stored["debit_lo"], stored["debit_hi"] = hold["debit_lo"], hold["debit_hi"]
    stored["credit_lo"], stored["credit_hi"] = hold["credit_lo"], hold["credit_hi"]
    stored["asset"] = hold["asset"]
    stored["code"] = hold["code"]


@compiled
def post_one(t: Tables, request: Record, hashed: np.uint64, rows: tuple[int, int], time: int) -> TransferCode:
    """Answer one request: all that is checked before the accounts, then the move or the resolution."""
    flags = I64(request["flags"])
    code = check_alone(request, flags)
    if code != TransferCode.OK:
        return code
    existing = find(t.transfer_ids, t.transfers, request["id_lo"], request["id_hi"], hashed)
    if existing >= 0:
        return compare_stored(t, request, flags, existing)
    code = check_fields(request, flags)
    if code == TransferCode.OK and flags & IMPORTED:
        code = check_imported(t, request, time)
    if code != TransferCode.OK:
        return code
    if flags & RESOLVING:
        return post_resolution(t, request, flags, time)
    return post_move(t, request, flags, rows, time)


@compiled
def post_batch(t: Tables, batch: Records, codes: Codes, time: int) -> None:
    """Post every record of ``batch`` at ``time`` and set its code; the tables must have room for all of it."""
    count = batch.shape[0]
    chain, chain_base, is_broken = NO_CHAIN, 0, False
    for i in range(count):
        place = i % CHUNK
        if place == 0:
            look_up(t, batch, i, min(i + CHUNK, count))
        is_linked = I64(batch[i]["flags"]) & LINKED != 0
        if is_linked and chain == NO_CHAIN:
            chain, chain_base, is_broken = i, t.state[TRANSFERS], False
        if chain != NO_CHAIN and is_broken:
            code = TransferCode.CHAIN_FAILED
        elif is_linked and i == count - 1:
            code = TransferCode.CHAIN_OPEN
        else:
            code = post_one(t, batch[i], t.hashes[place], (t.debit_rows[place], t.credit_rows[place]), time)
        codes[i] = code
        if code != TransferCode.OK and chain != NO_CHAIN and not is_broken:
            is_broken = True
            codes[chain:i] = TransferCode.CHAIN_FAILED
            undo_transfers(t, chain_base)
        if not is_linked:
            chain = NO_CHAIN
