"""The two records that the kernel knows: 128 bytes each, little-endian, the same in memory, on the log and on the wire.

Amounts and balances are int64 minor units, 0 … 2⁶³-1: they fit SQLite and every language's own integer, and a sum is
checked before it is stored. An id is 128 bits, kept as two uint64 halves. Times are nanoseconds since 1970 UTC.
"""

from __future__ import annotations

import enum
from typing import Final

import numpy as np

ACCOUNT: Final = np.dtype(
    [
        ("id_lo", "<u8"),
        ("id_hi", "<u8"),
        ("debits_held", "<i8"),  # set by the ledger, zero in a request: this and the next three
        ("debits_posted", "<i8"),
        ("credits_held", "<i8"),
        ("credits_posted", "<i8"),
        ("user_data_lo", "<u8"),  # 128 bits that are the caller's own
        ("user_data_hi", "<u8"),
        ("user_data_64", "<u8"),
        ("user_data_32", "<u4"),
        ("asset", "<u4"),
        ("code", "<u2"),  # the caller's chart of accounts
        ("flags", "<u2"),
        ("reserved_32", "<u4"),
        ("time", "<i8"),  # when it was opened
        ("newest", "<i8"),  # 1 + index of its newest transfer, 0 for none; set by the ledger
        ("transfers", "<i8"),  # how many transfers touched it; set by the ledger
        ("reserved_64", "<u8"),
        ("reserved_64b", "<u8"),
    ]
)

TRANSFER: Final = np.dtype(
    [
        ("id_lo", "<u8"),
        ("id_hi", "<u8"),
        ("debit_lo", "<u8"),
        ("debit_hi", "<u8"),
        ("credit_lo", "<u8"),
        ("credit_hi", "<u8"),
        ("amount", "<i8"),
        ("hold_lo", "<u8"),  # the hold that this captures, releases or expires
        ("hold_hi", "<u8"),
        ("user_data_lo", "<u8"),
        ("user_data_hi", "<u8"),
        ("user_data_64", "<u8"),
        ("user_data_32", "<u4"),
        ("timeout", "<u4"),  # seconds until a hold expires by itself, 0 for never
        ("asset", "<u4"),
        ("code", "<u2"),  # why: the caller's own kinds of transfer
        ("flags", "<u2"),
        ("time", "<i8"),  # set by the ledger, strictly increasing; given only with IMPORTED
        ("reserved_64", "<u8"),
    ]
)

TRAIL: Final = np.dtype(
    [
        ("debit_row", "<i4"),
        ("credit_row", "<i4"),
        ("debit_previous", "<i8"),  # 1 + index of the debit account's transfer before this one, 0 for none
        ("credit_previous", "<i8"),
        ("partner", "<i8"),  # of a hold: 1 + index of what resolved it; of a resolver: 1 + index of its hold
    ]
)
"""Stored beside each accepted transfer: what makes history a walk and every transfer undoable."""

RECORD_BYTES: Final = 128
TRAIL_BYTES: Final = 32
BATCH_MAX: Final = 8190
"""Records in one batch; with a frame's header it stays below 1 MiB."""
AMOUNT_MAX: Final = 2**63 - 1
AMOUNT_ALL: Final = AMOUNT_MAX
"""As the amount of a capture or a balancing transfer: all that is held, all that is there."""
RESERVED_HALF: Final = 2**64 - 1
"""An id whose upper half is all ones is the ledger's own (an expiry); a request may not use it."""
ACCOUNTS_MAX: Final = 2**31 - 1
TRANSFERS_MAX: Final = 2**40 - 2

assert ACCOUNT.itemsize == TRANSFER.itemsize == RECORD_BYTES
assert TRAIL.itemsize == TRAIL_BYTES
assert BATCH_MAX * RECORD_BYTES < 1 << 20


class AccountFlag(enum.IntFlag):
    """What an account enforces by itself, and its state."""

    LINKED = 1
    """Opens together with the next record of the batch, or not at all."""
    DEBITS_LIMITED = 2
    """Debits, held and posted, may not exceed posted credits: a wallet."""
    CREDITS_LIMITED = 4
    """Credits, held and posted, may not exceed posted debits: a nostro, a loan's principal."""
    FROZEN = 8
    """Nothing moves until it is thawed; releases and expiries still give back what was held."""
    CLOSED = 16
    """Empty and at an end until it is re-opened. Set only by a closing transfer."""
    IMPORTED = 32
    """``time`` is given by the caller: past, and after every account before it."""


class TransferFlag(enum.IntFlag):
    """What a transfer does besides moving money."""

    LINKED = 1
    """Succeeds or fails as one with the next record of the batch."""
    HOLD = 2
    """Reserves the amount: counts as held on both accounts until captured, released or expired."""
    CAPTURE = 4
    """Posts the hold ``hold_id``, whole (AMOUNT_ALL) or in part; the rest is released."""
    RELEASE = 8
    """Gives back the whole hold ``hold_id``."""
    BALANCING_DEBIT = 16
    """Moves at most what the debit account's posted credits leave over its debits, up to the amount."""
    BALANCING_CREDIT = 32
    """Moves at most what the credit account's posted debits leave over its credits, up to the amount."""
    CLOSING_DEBIT = 64
    """Closes the debit account, which must be empty afterwards."""
    CLOSING_CREDIT = 128
    REOPENING_DEBIT = 256
    """Re-opens the closed debit account."""
    REOPENING_CREDIT = 512
    FREEZING_DEBIT = 1024
    """Freezes the debit account after the transfer."""
    FREEZING_CREDIT = 2048
    THAWING_DEBIT = 4096
    """Thaws the frozen debit account before the transfer."""
    THAWING_CREDIT = 8192
    IMPORTED = 16384
    """``time`` is given by the caller: past, and after every transfer before it."""
    EXPIRY = 32768
    """The ledger's own release of a hold at its time; refused in a request."""
