"""The flags as plain integers, which compiled code takes as constants; :mod:`.records` says what they mean."""

from __future__ import annotations

from typing import Final

from formicary.kernel.records import AccountFlag, TransferFlag

LINKED: Final = int(TransferFlag.LINKED)
HOLD: Final = int(TransferFlag.HOLD)
CAPTURE: Final = int(TransferFlag.CAPTURE)
RELEASE: Final = int(TransferFlag.RELEASE)
BALANCING_DEBIT: Final = int(TransferFlag.BALANCING_DEBIT)
BALANCING_CREDIT: Final = int(TransferFlag.BALANCING_CREDIT)
CLOSING_DEBIT: Final = int(TransferFlag.CLOSING_DEBIT)
CLOSING_CREDIT: Final = int(TransferFlag.CLOSING_CREDIT)
REOPENING_DEBIT: Final = int(TransferFlag.REOPENING_DEBIT)
REOPENING_CREDIT: Final = int(TransferFlag.REOPENING_CREDIT)
FREEZING_DEBIT: Final = int(TransferFlag.FREEZING_DEBIT)
FREEZING_CREDIT: Final = int(TransferFlag.FREEZING_CREDIT)
THAWING_DEBIT: Final = int(TransferFlag.THAWING_DEBIT)
THAWING_CREDIT: Final = int(TransferFlag.THAWING_CREDIT)
IMPORTED: Final = int(TransferFlag.IMPORTED)
EXPIRY: Final = int(TransferFlag.EXPIRY)

RESOLVING: Final = CAPTURE | RELEASE
"""What a request may do to a hold."""
RESOLVED_BY: Final = CAPTURE | RELEASE | EXPIRY
"""What ends a hold."""
BALANCING: Final = BALANCING_DEBIT | BALANCING_CREDIT
CLOSING: Final = CLOSING_DEBIT | CLOSING_CREDIT
DEBIT_STATUS: Final = CLOSING_DEBIT | REOPENING_DEBIT | FREEZING_DEBIT | THAWING_DEBIT
CREDIT_STATUS: Final = CLOSING_CREDIT | REOPENING_CREDIT | FREEZING_CREDIT | THAWING_CREDIT
STATUS: Final = DEBIT_STATUS | CREDIT_STATUS

ACCOUNT_LINKED: Final = int(AccountFlag.LINKED)
DEBITS_LIMITED: Final = int(AccountFlag.DEBITS_LIMITED)
CREDITS_LIMITED: Final = int(AccountFlag.CREDITS_LIMITED)
FROZEN: Final = int(AccountFlag.FROZEN)
CLOSED: Final = int(AccountFlag.CLOSED)
ACCOUNT_IMPORTED: Final = int(AccountFlag.IMPORTED)

LIMITED: Final = DEBITS_LIMITED | CREDITS_LIMITED
ACCOUNT_STATUS: Final = FROZEN | CLOSED
"""The bits that transfers change after opening."""
ACCOUNT_REQUESTABLE: Final = ACCOUNT_LINKED | LIMITED | FROZEN | ACCOUNT_IMPORTED
