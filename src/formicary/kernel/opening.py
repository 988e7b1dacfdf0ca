"""Opening accounts: a batch of requests in, a code for each out. The order of the checks is the codes' order."""

from __future__ import annotations

from formicary.base.compiled import I64, U64, compiled
from formicary.kernel.codes import AccountCode
from formicary.kernel.flags import (
    ACCOUNT_IMPORTED,
    ACCOUNT_LINKED,
    ACCOUNT_REQUESTABLE,
    ACCOUNT_STATUS,
    LIMITED,
)
from formicary.kernel.idtable import find, insert, mix
from formicary.kernel.posting import NO_CHAIN, Codes
from formicary.kernel.records import RESERVED_HALF
from formicary.kernel.storage import Record, Records
from formicary.kernel.tables import ACCOUNTS, ACCOUNTS_LIMIT, Tables
from formicary.kernel.undo import undo_accounts

NONE = U64(0)


@compiled
def check_alone(request: Record, flags: int) -> AccountCode:
    """Codes 20 to 24: what is wrong with any request, whatever the ledger holds."""
    if request["time"] != 0 and not flags & ACCOUNT_IMPORTED:
        return AccountCode.TIME_MUST_BE_ZERO
    if request["reserved_32"] != 0 or request["reserved_64"] != NONE or request["reserved_64b"] != NONE:
        return AccountCode.RESERVED_FIELD
    if flags & ~ACCOUNT_REQUESTABLE:
        return AccountCode.RESERVED_FLAG
    if request["id_lo"] == NONE and request["id_hi"] == NONE:
        return AccountCode.ID_MUST_NOT_BE_ZERO
    if request["id_hi"] == U64(RESERVED_HALF):
        return AccountCode.ID_RESERVED
    return AccountCode.OK


@compiled
def compare_stored(request: Record, flags: int, stored: Record) -> AccountCode:
    """Codes 30 to 36: the id is there already, and this is the same request again or another."""
    if (flags ^ I64(stored["flags"])) & ~ACCOUNT_STATUS:
        return AccountCode.EXISTS_WITH_DIFFERENT_FLAGS
    if request["user_data_lo"] != stored["user_data_lo"] or request["user_data_hi"] != stored["user_data_hi"]:
        return AccountCode.EXISTS_WITH_DIFFERENT_USER_DATA
    if request["user_data_64"] != stored["user_data_64"]:
        return AccountCode.EXISTS_WITH_DIFFERENT_USER_DATA_64
    if request["user_data_32"] != stored["user_data_32"]:
        return AccountCode.EXISTS_WITH_DIFFERENT_USER_DATA_32
    if request["asset"] != stored["asset"]:
        return AccountCode.EXISTS_WITH_DIFFERENT_ASSET
    if request["code"] != stored["code"]:
        return AccountCode.EXISTS_WITH_DIFFERENT_CODE
    return AccountCode.EXISTS


@compiled
def has_balances(request: Record) -> bool:
    """Whether a field is set that only the ledger sets."""
    held = request["debits_held"] != 0 or request["credits_held"] != 0
    posted = request["debits_posted"] != 0 or request["credits_posted"] != 0
    return bool(held or posted or request["newest"] != 0 or request["transfers"] != 0)


@compiled
def check_fields(request: Record, flags: int) -> AccountCode:
    """Codes 40 to 43: the rest of the record."""
    if flags & LIMITED == LIMITED:
        return AccountCode.FLAGS_ARE_EXCLUSIVE
    if has_balances(request):
        return AccountCode.BALANCES_MUST_BE_ZERO
    if request["asset"] == 0:
        return AccountCode.ASSET_MUST_NOT_BE_ZERO
    if request["code"] == 0:
        return AccountCode.CODE_MUST_NOT_BE_ZERO
    return AccountCode.OK


@compiled
def check_imported(request: Record, time: int, newest: int) -> AccountCode:
    """Codes 50 to 52: a given time must be past, and after every account before it; ``newest`` is 0 for none."""
    if request["time"] <= 0:
        return AccountCode.IMPORTED_TIME_OUT_OF_RANGE
    if request["time"] >= time:
        return AccountCode.IMPORTED_TIME_IN_FUTURE
    if request["time"] <= newest:
        return AccountCode.IMPORTED_TIME_REGRESSED
    return AccountCode.OK


@compiled
def newest_time(t: Tables) -> int:
    """When the newest account was opened, 0 when there is none."""
    count = t.state[ACCOUNTS]
    return t.accounts[count - 1]["time"] if count > 0 else 0


@compiled
def open_one(t: Tables, request: Record, time: int) -> AccountCode:
    """Answer one request, and open the account when nothing speaks against it."""
    flags = I64(request["flags"])
    code = check_alone(request, flags)
    if code != AccountCode.OK:
        return code
    hashed = mix(t.account_ids.seeds, request["id_lo"], request["id_hi"])
    existing = find(t.account_ids, t.accounts, request["id_lo"], request["id_hi"], hashed)
    if existing >= 0:
        return compare_stored(request, flags, t.accounts[existing])
    code = check_fields(request, flags)
    if code == AccountCode.OK and flags & ACCOUNT_IMPORTED:
        code = check_imported(request, time, newest_time(t))
    if code != AccountCode.OK:
        return code
    if t.state[ACCOUNTS] >= t.state[ACCOUNTS_LIMIT]:
        return AccountCode.LEDGER_FULL
    row = t.state[ACCOUNTS]
    opened = I64(request["time"]) if flags & ACCOUNT_IMPORTED else max(time, newest_time(t) + 1)
    t.openings[row] = request
    t.openings[row]["time"] = opened
    t.accounts[row] = t.openings[row]
    insert(t.account_ids.slots, row, hashed)
    t.state[ACCOUNTS] = row + 1
    return AccountCode.OK


@compiled
def open_batch(t: Tables, batch: Records, codes: Codes, time: int) -> None:
    """Open every account of ``batch`` at ``time`` and set its code; the tables must have room for all of it."""
    count = batch.shape[0]
    chain, chain_base, is_broken = NO_CHAIN, 0, False
    for i in range(count):
        is_linked = I64(batch[i]["flags"]) & ACCOUNT_LINKED != 0
        if is_linked and chain == NO_CHAIN:
            chain, chain_base, is_broken = i, t.state[ACCOUNTS], False
        if chain != NO_CHAIN and is_broken:
            code = AccountCode.CHAIN_FAILED
        elif is_linked and i == count - 1:
            code = AccountCode.CHAIN_OPEN
        else:
            code = open_one(t, batch[i], time)
        codes[i] = code
        if code != AccountCode.OK and chain != NO_CHAIN and not is_broken:
            is_broken = True
            codes[chain:i] = AccountCode.CHAIN_FAILED
            undo_accounts(t, chain_base)
        if not is_linked:
            chain = NO_CHAIN
