"""What the kernel answers for each record. The number is the code's place in the order of precedence, and for ever.

When a record breaks several rules, the answer is the lowest-numbered code among them, in the order of this file;
``tests/kernel`` checks that order. Zero is success. New codes take the gaps left between the groups.
"""

from __future__ import annotations

import enum


class AccountCode(enum.IntEnum):
    """The answer for one account record."""

    OK = 0
    # the chain
    CHAIN_FAILED = 10
    """Another record of its linked chain was refused; this one was undone or not tried."""
    CHAIN_OPEN = 11
    """The batch ended inside a linked chain."""
    # the record alone
    TIME_MUST_BE_ZERO = 20
    """``time`` is set by the ledger unless IMPORTED."""
    RESERVED_FIELD = 21
    """A reserved field is not zero."""
    RESERVED_FLAG = 22
    """A flag that a request may not set: CLOSED, or one that is not defined."""
    ID_MUST_NOT_BE_ZERO = 23
    ID_RESERVED = 24
    """The id's upper half is all ones: the ledger's own range."""
    # it is there already
    EXISTS_WITH_DIFFERENT_FLAGS = 30
    """Compared as they were asked for at opening: status flags since then do not count."""
    EXISTS_WITH_DIFFERENT_USER_DATA = 31
    EXISTS_WITH_DIFFERENT_USER_DATA_64 = 32
    EXISTS_WITH_DIFFERENT_USER_DATA_32 = 33
    EXISTS_WITH_DIFFERENT_ASSET = 34
    EXISTS_WITH_DIFFERENT_CODE = 35
    EXISTS = 36
    """Opened before with the same fields: a retry that arrived."""
    # the rest of the record
    FLAGS_ARE_EXCLUSIVE = 40
    """DEBITS_LIMITED and CREDITS_LIMITED together."""
    BALANCES_MUST_BE_ZERO = 41
    """One of the four balances, ``newest`` or ``transfers`` is not zero."""
    ASSET_MUST_NOT_BE_ZERO = 42
    CODE_MUST_NOT_BE_ZERO = 43
    # imported time
    IMPORTED_TIME_OUT_OF_RANGE = 50
    """Zero or negative."""
    IMPORTED_TIME_IN_FUTURE = 51
    """Not before the entry's own time."""
    IMPORTED_TIME_REGRESSED = 52
    """Not after the newest account of the ledger."""
    # room
    LEDGER_FULL = 90


class TransferCode(enum.IntEnum):
    """The answer for one transfer record."""

    OK = 0
    # the chain
    CHAIN_FAILED = 10
    """Another record of its linked chain was refused; this one was undone or not tried."""
    CHAIN_OPEN = 11
    """The batch ended inside a linked chain."""
    # the record alone
    TIME_MUST_BE_ZERO = 20
    """``time`` is set by the ledger unless IMPORTED."""
    RESERVED_FIELD = 21
    """``reserved_64`` is not zero."""
    RESERVED_FLAG = 22
    """EXPIRY is the ledger's own."""
    ID_MUST_NOT_BE_ZERO = 23
    ID_RESERVED = 24
    """The id's upper half is all ones: the ledger's own range."""
    # it is there already: the request is compared with the stored transfer
    EXISTS_WITH_DIFFERENT_FLAGS = 30
    EXISTS_WITH_DIFFERENT_HOLD_ID = 31
    EXISTS_WITH_DIFFERENT_TIMEOUT = 32
    EXISTS_WITH_DIFFERENT_DEBIT_ACCOUNT = 33
    """A capture or release that names no account (zero) matches whatever its hold has; so do asset and code."""
    EXISTS_WITH_DIFFERENT_CREDIT_ACCOUNT = 34
    EXISTS_WITH_DIFFERENT_AMOUNT = 35
    """A balancing transfer matches when the amount moved is at most the amount asked; AMOUNT_ALL matches any capture
    of the whole hold, and zero or AMOUNT_ALL any release."""
    EXISTS_WITH_DIFFERENT_USER_DATA = 36
    EXISTS_WITH_DIFFERENT_USER_DATA_64 = 37
    EXISTS_WITH_DIFFERENT_USER_DATA_32 = 38
    EXISTS_WITH_DIFFERENT_ASSET = 39
    EXISTS_WITH_DIFFERENT_CODE = 40
    EXISTS = 41
    """Done before with the same fields: a retry that arrived."""
    # the rest of the record
    FLAGS_ARE_EXCLUSIVE = 50
    """More than one of HOLD, CAPTURE, RELEASE; a capture or release with a balancing or status flag (closing …
    thawing); a hold with a status flag; closing with re-opening, or freezing with thawing, of one account; IMPORTED
    with CAPTURE or RELEASE."""
    HOLD_ID_MUST_BE_ZERO = 51
    """Only a capture or release names a hold."""
    HOLD_ID_MUST_NOT_BE_ZERO = 52
    HOLD_ID_MUST_BE_DIFFERENT = 53
    """A transfer can't resolve itself."""
    TIMEOUT_RESERVED_FOR_HOLD = 54
    """Only a hold that is not IMPORTED has a timeout."""
    DEBIT_ACCOUNT_MUST_NOT_BE_ZERO = 55
    """Captures and releases may leave the accounts, asset and code zero: their hold has them."""
    CREDIT_ACCOUNT_MUST_NOT_BE_ZERO = 56
    ACCOUNTS_MUST_BE_DIFFERENT = 57
    AMOUNT_MUST_NOT_BE_NEGATIVE = 58
    AMOUNT_MUST_NOT_BE_ZERO = 59
    """Zero is for a release, and for a transfer with a status flag."""
    ASSET_MUST_NOT_BE_ZERO = 60
    CODE_MUST_NOT_BE_ZERO = 61
    # imported time
    IMPORTED_TIME_OUT_OF_RANGE = 70
    IMPORTED_TIME_IN_FUTURE = 71
    IMPORTED_TIME_REGRESSED = 72
    """Not after the newest transfer of the ledger."""
    # the hold that a capture or release names
    HOLD_NOT_FOUND = 80
    TRANSFER_IS_NOT_A_HOLD = 81
    HOLD_HAS_DIFFERENT_DEBIT_ACCOUNT = 82
    HOLD_HAS_DIFFERENT_CREDIT_ACCOUNT = 83
    HOLD_HAS_DIFFERENT_ASSET = 84
    HOLD_HAS_DIFFERENT_CODE = 85
    EXCEEDS_HOLD = 86
    """A capture of more than is held."""
    HOLD_HAS_DIFFERENT_AMOUNT = 87
    """A release gives back the whole: its amount is zero, AMOUNT_ALL or the hold's."""
    HOLD_ALREADY_CAPTURED = 88
    HOLD_ALREADY_RELEASED = 89
    HOLD_EXPIRED = 90
    """Its time has come, whether or not the ledger has recorded the expiry yet."""
    # the accounts
    DEBIT_ACCOUNT_NOT_FOUND = 100
    CREDIT_ACCOUNT_NOT_FOUND = 101
    ACCOUNTS_HAVE_DIFFERENT_ASSETS = 102
    ASSET_DIFFERS_FROM_ACCOUNTS = 103
    DEBIT_ACCOUNT_NOT_CLOSED = 104
    """Re-opening an account that is not closed."""
    CREDIT_ACCOUNT_NOT_CLOSED = 105
    DEBIT_ACCOUNT_CLOSED = 106
    """Nothing moves on a closed account but its re-opening. (It has no holds: closing needs it empty.)"""
    CREDIT_ACCOUNT_CLOSED = 107
    DEBIT_ACCOUNT_NOT_FROZEN = 108
    """Thawing an account that is not frozen."""
    CREDIT_ACCOUNT_NOT_FROZEN = 109
    DEBIT_ACCOUNT_FROZEN = 110
    """Nothing moves on a frozen account but its thawing, and releases and expiries of what was held."""
    CREDIT_ACCOUNT_FROZEN = 111
    # the sums; the amount here is what is left after balancing
    OVERFLOWS_DEBITS = 120
    """Held and posted debits of the debit account together would pass AMOUNT_MAX."""
    OVERFLOWS_CREDITS = 121
    EXCEEDS_CREDITS = 122
    """The debit account is DEBITS_LIMITED and has not that much: insufficient funds."""
    EXCEEDS_DEBITS = 123
    """The credit account is CREDITS_LIMITED and has not that much room."""
    DEBIT_ACCOUNT_NOT_EMPTY = 124
    """Closing needs posted debits equal to posted credits, and nothing held."""
    CREDIT_ACCOUNT_NOT_EMPTY = 125
    # room
    LEDGER_FULL = 130
