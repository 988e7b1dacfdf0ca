"""The rules of the model ledger that need only the record itself: what is malformed, and what can't be together.

Each ladder is a table of (what is wrong, the answer), read from the top: the first line that is true is the answer.
"""

from __future__ import annotations

from typing import Final, TypeVar

from formicary.kernel.codes import AccountCode, TransferCode
from formicary.kernel.records import RESERVED_HALF, AccountFlag, TransferFlag
from formicary.testing.model_books import HALF, ModelAccount, ModelTransfer

A = AccountFlag
T = TransferFlag

RESOLVES: Final = T.CAPTURE | T.RELEASE
BALANCES: Final = T.BALANCING_DEBIT | T.BALANCING_CREDIT
CLOSES: Final = T.CLOSING_DEBIT | T.CLOSING_CREDIT
STATUS: Final = (
    CLOSES
    | (T.REOPENING_DEBIT | T.REOPENING_CREDIT)
    | (T.FREEZING_DEBIT | T.FREEZING_CREDIT)
    | (T.THAWING_DEBIT | T.THAWING_CREDIT)
)
STATUS_OF_ACCOUNT: Final = int(A.FROZEN | A.CLOSED)
OPENING_FLAGS: Final = int(A.LINKED | A.DEBITS_LIMITED | A.CREDITS_LIMITED | A.FROZEN | A.IMPORTED)
"""What a request may set, as an int: the complement of an IntFlag leaves out the bits that have no name."""
CONTRADICTIONS: Final = (
    T.CLOSING_DEBIT | T.REOPENING_DEBIT,
    T.CLOSING_CREDIT | T.REOPENING_CREDIT,
    T.FREEZING_DEBIT | T.THAWING_DEBIT,
    T.FREEZING_CREDIT | T.THAWING_CREDIT,
)

Code = TypeVar("Code", AccountCode, TransferCode)


def first(*ladder: tuple[bool, Code]) -> Code:
    """Return the code of the first line that is true; OK when none is."""
    for wrong, code in ladder:
        if wrong:
            return code
    return type(ladder[0][1])(0)


def malformed_account(a: ModelAccount) -> AccountCode:
    """Refuse what no ledger could take, whatever it holds: a field or flag that is not the caller's, a bad id."""
    return first(
        (a.time != 0 and not a.flags & A.IMPORTED, AccountCode.TIME_MUST_BE_ZERO),
        (any(a.reserved), AccountCode.RESERVED_FIELD),
        (a.flags & ~OPENING_FLAGS != 0, AccountCode.RESERVED_FLAG),
        (a.id == 0, AccountCode.ID_MUST_NOT_BE_ZERO),
        (a.id // HALF == RESERVED_HALF, AccountCode.ID_RESERVED),
    )


def malformed_transfer(t: ModelTransfer) -> TransferCode:
    """Refuse what no ledger could take, whatever it holds: a field or flag that is not the caller's, a bad id."""
    return first(
        (t.time != 0 and not t.has(T.IMPORTED), TransferCode.TIME_MUST_BE_ZERO),
        (t.reserved != 0, TransferCode.RESERVED_FIELD),
        (t.has(T.EXPIRY), TransferCode.RESERVED_FLAG),
        (t.id == 0, TransferCode.ID_MUST_NOT_BE_ZERO),
        (t.id // HALF == RESERVED_HALF, TransferCode.ID_RESERVED),
    )


def misshapen(t: ModelTransfer) -> TransferCode:
    """Refuse fields that don't go together, once it is known that the transfer is new."""
    resolves = t.has(RESOLVES)
    may_be_zero = t.has(T.RELEASE | STATUS)
    return first(
        (_exclusive(t), TransferCode.FLAGS_ARE_EXCLUSIVE),
        (not resolves and t.hold_id != 0, TransferCode.HOLD_ID_MUST_BE_ZERO),
        (resolves and t.hold_id == 0, TransferCode.HOLD_ID_MUST_NOT_BE_ZERO),
        (t.hold_id == t.id, TransferCode.HOLD_ID_MUST_BE_DIFFERENT),
        (t.timeout != 0 and (not t.has(T.HOLD) or t.has(T.IMPORTED)), TransferCode.TIMEOUT_RESERVED_FOR_HOLD),
        (not resolves and t.debit == 0, TransferCode.DEBIT_ACCOUNT_MUST_NOT_BE_ZERO),
        (not resolves and t.credit == 0, TransferCode.CREDIT_ACCOUNT_MUST_NOT_BE_ZERO),
        (t.debit == t.credit != 0, TransferCode.ACCOUNTS_MUST_BE_DIFFERENT),
        (t.amount < 0, TransferCode.AMOUNT_MUST_NOT_BE_NEGATIVE),
        (t.amount == 0 and not may_be_zero, TransferCode.AMOUNT_MUST_NOT_BE_ZERO),
        (not resolves and t.asset == 0, TransferCode.ASSET_MUST_NOT_BE_ZERO),
        (not resolves and t.code == 0, TransferCode.CODE_MUST_NOT_BE_ZERO),
    )


def _exclusive(t: ModelTransfer) -> bool:
    """Whether flags are set that can't be together."""
    kinds = [kind for kind in (T.HOLD, T.CAPTURE, T.RELEASE) if t.has(kind)]
    return (
        len(kinds) > 1
        or (t.has(RESOLVES) and t.has(BALANCES | STATUS | T.IMPORTED))
        or (t.has(T.HOLD) and t.has(STATUS))
        or any(t.flags & pair == pair for pair in CONTRADICTIONS)
    )
