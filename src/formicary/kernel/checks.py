"""What a transfer must satisfy before anything is written: one ladder of refusals for each group of codes, in order.

Each function returns the first code that applies, or OK. They only read.
"""

from __future__ import annotations

import numpy as np

from formicary.base.compiled import I64, U64, compiled, compiled_apart
from formicary.kernel.codes import TransferCode
from formicary.kernel.flags import (
    BALANCING,
    CAPTURE,
    CLOSED,
    CLOSING_CREDIT,
    CLOSING_DEBIT,
    CREDITS_LIMITED,
    DEBITS_LIMITED,
    EXPIRY,
    FREEZING_CREDIT,
    FREEZING_DEBIT,
    FROZEN,
    HOLD,
    IMPORTED,
    RELEASE,
    REOPENING_CREDIT,
    REOPENING_DEBIT,
    RESOLVING,
    STATUS,
    THAWING_CREDIT,
    THAWING_DEBIT,
)
from formicary.kernel.records import AMOUNT_ALL, AMOUNT_MAX, RESERVED_HALF
from formicary.kernel.storage import Record
from formicary.kernel.tables import TRANSFERS, Tables

NONE = U64(0)


@compiled
def check_alone(request: Record, flags: int) -> TransferCode:
    """Codes 20 to 24: what is wrong with any request, whatever the ledger holds."""
    if request["time"] != 0 and not flags & IMPORTED:
        return TransferCode.TIME_MUST_BE_ZERO
    if request["reserved_64"] != NONE:
        return TransferCode.RESERVED_FIELD
    if flags & EXPIRY:
        return TransferCode.RESERVED_FLAG
    if request["id_lo"] == NONE and request["id_hi"] == NONE:
        return TransferCode.ID_MUST_NOT_BE_ZERO
    if request["id_hi"] == U64(RESERVED_HALF):
        return TransferCode.ID_RESERVED
    return TransferCode.OK


@compiled
def differs(low: np.uint64, high: np.uint64, stored_low: np.uint64, stored_high: np.uint64, is_optional: bool) -> bool:
    """Whether an id was given that is not the stored one. Zero matches anything where naming it is optional."""
    if is_optional and low == NONE and high == NONE:
        return False
    return bool(low != stored_low or high != stored_high)


@compiled
def is_same_amount(t: Tables, request: Record, flags: int, stored: Record, index: int) -> bool:
    """Whether a retry's amount is the one that was asked for, as far as what was moved can tell."""
    asked, moved = I64(request["amount"]), I64(stored["amount"])
    if asked == moved:
        return True
    if flags & BALANCING:
        return asked > moved
    if flags & CAPTURE and asked == AMOUNT_ALL:
        return moved == I64(t.transfers[t.trails[index]["partner"] - 1]["amount"])
    return flags & RELEASE != 0 and asked in (0, AMOUNT_ALL)


@compiled_apart
def compare_stored(t: Tables, request: Record, flags: int, index: int) -> TransferCode:
    """Codes 30 to 41: the id is there already, and this is the same request again or another."""
    stored = t.transfers[index]
    is_optional = flags & RESOLVING != 0
    if flags != I64(stored["flags"]):
        return TransferCode.EXISTS_WITH_DIFFERENT_FLAGS
    if differs(request["hold_lo"], request["hold_hi"], stored["hold_lo"], stored["hold_hi"], False):
        return TransferCode.EXISTS_WITH_DIFFERENT_HOLD_ID
    if request["timeout"] != stored["timeout"]:
        return TransferCode.EXISTS_WITH_DIFFERENT_TIMEOUT
    if differs(request["debit_lo"], request["debit_hi"], stored["debit_lo"], stored["debit_hi"], is_optional):
        return TransferCode.EXISTS_WITH_DIFFERENT_DEBIT_ACCOUNT
    if differs(request["credit_lo"], request["credit_hi"], stored["credit_lo"], stored["credit_hi"], is_optional):
        return TransferCode.EXISTS_WITH_DIFFERENT_CREDIT_ACCOUNT
    if not is_same_amount(t, request, flags, stored, index):
        return TransferCode.EXISTS_WITH_DIFFERENT_AMOUNT
    if request["user_data_lo"] != stored["user_data_lo"] or request["user_data_hi"] != stored["user_data_hi"]:
        return TransferCode.EXISTS_WITH_DIFFERENT_USER_DATA
    if request["user_data_64"] != stored["user_data_64"]:
        return TransferCode.EXISTS_WITH_DIFFERENT_USER_DATA_64
    if request["user_data_32"] != stored["user_data_32"]:
        return TransferCode.EXISTS_WITH_DIFFERENT_USER_DATA_32
    if request["asset"] != stored["asset"] and not (is_optional and request["asset"] == 0):
        return TransferCode.EXISTS_WITH_DIFFERENT_ASSET
    if request["code"] != stored["code"] and not (is_optional and request["code"] == 0):
        return TransferCode.EXISTS_WITH_DIFFERENT_CODE
    return TransferCode.EXISTS


@compiled
def is_exclusive(flags: int) -> bool:
    """Whether flags that exclude each other are together."""
    kinds = flags & (HOLD | RESOLVING)
    if kinds & (kinds - 1):  # more than one bit: taking one away leaves something in common
        return True
    if flags & HOLD and flags & STATUS:
        return True
    if flags & RESOLVING and flags & (BALANCING | STATUS | IMPORTED):
        return True
    return (
        (flags & CLOSING_DEBIT != 0 and flags & REOPENING_DEBIT != 0)
        or (flags & CLOSING_CREDIT != 0 and flags & REOPENING_CREDIT != 0)
        or (flags & FREEZING_DEBIT != 0 and flags & THAWING_DEBIT != 0)
        or (flags & FREEZING_CREDIT != 0 and flags & THAWING_CREDIT != 0)
    )


@compiled
def check_fields(request: Record, flags: int) -> TransferCode:
    """Codes 50 to 61: the rest of the record."""
    is_resolving = flags & RESOLVING != 0
    if flags & (HOLD | RESOLVING | STATUS) and is_exclusive(flags):
        return TransferCode.FLAGS_ARE_EXCLUSIVE
    has_hold_id = request["hold_lo"] != NONE or request["hold_hi"] != NONE
    if has_hold_id and not is_resolving:
        return TransferCode.HOLD_ID_MUST_BE_ZERO
    if is_resolving and not has_hold_id:
        return TransferCode.HOLD_ID_MUST_NOT_BE_ZERO
    if is_resolving and request["hold_lo"] == request["id_lo"] and request["hold_hi"] == request["id_hi"]:
        return TransferCode.HOLD_ID_MUST_BE_DIFFERENT
    if request["timeout"] != 0 and (not flags & HOLD or flags & IMPORTED):
        return TransferCode.TIMEOUT_RESERVED_FOR_HOLD
    has_debit = request["debit_lo"] != NONE or request["debit_hi"] != NONE
    has_credit = request["credit_lo"] != NONE or request["credit_hi"] != NONE
    if not has_debit and not is_resolving:
        return TransferCode.DEBIT_ACCOUNT_MUST_NOT_BE_ZERO
    if not has_credit and not is_resolving:
        return TransferCode.CREDIT_ACCOUNT_MUST_NOT_BE_ZERO
    if has_debit and request["debit_lo"] == request["credit_lo"] and request["debit_hi"] == request["credit_hi"]:
        return TransferCode.ACCOUNTS_MUST_BE_DIFFERENT
    if request["amount"] < 0:
        return TransferCode.AMOUNT_MUST_NOT_BE_NEGATIVE
    if request["amount"] == 0 and not flags & (RELEASE | STATUS):
        return TransferCode.AMOUNT_MUST_NOT_BE_ZERO
    if request["asset"] == 0 and not is_resolving:
        return TransferCode.ASSET_MUST_NOT_BE_ZERO
    if request["code"] == 0 and not is_resolving:
        return TransferCode.CODE_MUST_NOT_BE_ZERO
    return TransferCode.OK


@compiled
def check_imported(t: Tables, request: Record, time: int) -> TransferCode:
    """Codes 70 to 72: a given time must be past, and after every transfer before it."""
    count = t.state[TRANSFERS]
    if request["time"] <= 0:
        return TransferCode.IMPORTED_TIME_OUT_OF_RANGE
    if request["time"] >= time:
        return TransferCode.IMPORTED_TIME_IN_FUTURE
    if count > 0 and request["time"] <= t.transfers[count - 1]["time"]:
        return TransferCode.IMPORTED_TIME_REGRESSED
    return TransferCode.OK


@compiled
def check_hold(request: Record, flags: int, hold: Record) -> TransferCode:
    """Codes 81 to 87: the stored transfer that a capture or release names must be a hold, and this one."""
    if not I64(hold["flags"]) & HOLD:
        return TransferCode.TRANSFER_IS_NOT_A_HOLD
    if differs(request["debit_lo"], request["debit_hi"], hold["debit_lo"], hold["debit_hi"], True):
        return TransferCode.HOLD_HAS_DIFFERENT_DEBIT_ACCOUNT
    if differs(request["credit_lo"], request["credit_hi"], hold["credit_lo"], hold["credit_hi"], True):
        return TransferCode.HOLD_HAS_DIFFERENT_CREDIT_ACCOUNT
    if request["asset"] != 0 and request["asset"] != hold["asset"]:
        return TransferCode.HOLD_HAS_DIFFERENT_ASSET
    if request["code"] != 0 and request["code"] != hold["code"]:
        return TransferCode.HOLD_HAS_DIFFERENT_CODE
    asked, held = I64(request["amount"]), I64(hold["amount"])
    if flags & CAPTURE and asked > held and asked != AMOUNT_ALL:
        return TransferCode.EXCEEDS_HOLD
    if flags & RELEASE and asked not in (0, AMOUNT_ALL, held):
        return TransferCode.HOLD_HAS_DIFFERENT_AMOUNT
    return TransferCode.OK


@compiled
def check_unresolved(t: Tables, partner: int) -> TransferCode:
    """Codes 88 to 90: nothing has ended the hold yet; ``partner`` is 1 + index of what has."""
    if partner == 0:
        return TransferCode.OK
    flags = I64(t.transfers[partner - 1]["flags"])
    if flags & CAPTURE:
        return TransferCode.HOLD_ALREADY_CAPTURED
    if flags & RELEASE:
        return TransferCode.HOLD_ALREADY_RELEASED
    return TransferCode.HOLD_EXPIRED


@compiled
def check_assets(request: Record, debit: Record, credit: Record) -> TransferCode:
    """Codes 102 and 103: one transfer moves one asset."""
    if debit["asset"] != credit["asset"]:
        return TransferCode.ACCOUNTS_HAVE_DIFFERENT_ASSETS
    if request["asset"] != debit["asset"]:
        return TransferCode.ASSET_DIFFERS_FROM_ACCOUNTS
    return TransferCode.OK


@compiled
def check_status(flags: int, debit_flags: int, credit_flags: int) -> TransferCode:
    """Codes 104 to 111: closed and frozen accounts let only their own re-opening and thawing through."""
    if not (flags & STATUS or (debit_flags | credit_flags) & (CLOSED | FROZEN)):
        return TransferCode.OK
    if flags & REOPENING_DEBIT and not debit_flags & CLOSED:
        return TransferCode.DEBIT_ACCOUNT_NOT_CLOSED
    if flags & REOPENING_CREDIT and not credit_flags & CLOSED:
        return TransferCode.CREDIT_ACCOUNT_NOT_CLOSED
    if debit_flags & CLOSED and not flags & REOPENING_DEBIT:
        return TransferCode.DEBIT_ACCOUNT_CLOSED
    if credit_flags & CLOSED and not flags & REOPENING_CREDIT:
        return TransferCode.CREDIT_ACCOUNT_CLOSED
    if flags & THAWING_DEBIT and not debit_flags & FROZEN:
        return TransferCode.DEBIT_ACCOUNT_NOT_FROZEN
    if flags & THAWING_CREDIT and not credit_flags & FROZEN:
        return TransferCode.CREDIT_ACCOUNT_NOT_FROZEN
    if debit_flags & FROZEN and not flags & (THAWING_DEBIT | RELEASE):
        return TransferCode.DEBIT_ACCOUNT_FROZEN
    if credit_flags & FROZEN and not flags & (THAWING_CREDIT | RELEASE):
        return TransferCode.CREDIT_ACCOUNT_FROZEN
    return TransferCode.OK


@compiled
def is_empty(posted: int, other_posted: int, held: int, other_held: int) -> bool:
    """Whether an account with these balances may close."""
    return posted == other_posted and held == 0 and other_held == 0


@compiled
def check_sums(flags: int, amount: int, debit: Record, credit: Record) -> TransferCode:
    """Codes 120 to 125: what the balances allow, for a plain transfer or a hold of ``amount``."""
    debits_all = debit["debits_held"] + debit["debits_posted"]
    credits_all = credit["credits_held"] + credit["credits_posted"]
    if amount > AMOUNT_MAX - debits_all:
        return TransferCode.OVERFLOWS_DEBITS
    if amount > AMOUNT_MAX - credits_all:
        return TransferCode.OVERFLOWS_CREDITS
    if I64(debit["flags"]) & DEBITS_LIMITED and debits_all + amount > debit["credits_posted"]:
        return TransferCode.EXCEEDS_CREDITS
    if I64(credit["flags"]) & CREDITS_LIMITED and credits_all + amount > credit["debits_posted"]:
        return TransferCode.EXCEEDS_DEBITS
    if flags & CLOSING_DEBIT and not is_empty(
        debit["debits_posted"] + amount, debit["credits_posted"], debit["debits_held"], debit["credits_held"]
    ):
        return TransferCode.DEBIT_ACCOUNT_NOT_EMPTY
    if flags & CLOSING_CREDIT and not is_empty(
        credit["credits_posted"] + amount, credit["debits_posted"], credit["credits_held"], credit["debits_held"]
    ):
        return TransferCode.CREDIT_ACCOUNT_NOT_EMPTY
    return TransferCode.OK
