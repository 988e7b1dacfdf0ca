"""Why the bank refuses, in the order in which each command checks; and its numbers in the kernel's records."""

from __future__ import annotations

from typing import Final

CODES: Final = {
    "bank_rail_only": "Only the bank's courier tells what the bank has booked.",
    "bank_role_missing": "This needs the role of an operator.",
    "bank_not_a_person": "Only somebody with an open wallet can do this with a bank.",
    "bank_account_linked": "This bank account is linked already.",
    "bank_accounts_too_many": "A person links at most 8 bank accounts.",
    "bank_account_not_found": "There is no such linked bank account.",
    "bank_account_not_yours": "The bank account was linked by somebody else.",
    "bank_asset_unknown": "The institution has no bank account in this currency.",
    "bank_reference_malformed": "That is no reference by ISO 11649.",
    "bank_reference_not_found": "You have no top-up reference yet: take one first.",
    "withdrawal_not_found": "There is no such withdrawal.",
    "withdrawals_too_many": "A person has at most 100 withdrawals under way.",
    "withdrawal_ended": "The withdrawal has been booked or given back before.",
    "bank_entry_differs": "The bank told of this booking before, with other figures.",
    "bank_entry_not_found": "There is no such booking.",
    "bank_entry_not_open": "The booking is settled, or its direction does not allow this.",
    "bank_statement_differs": "The bank sent this statement before, with other figures.",
    "bank_day_differs": "The backing of a day is counted on that day, or within the hour after it.",
    "bank_day_attested": "The backing of this day is on record.",
    "bank_books_missing": "The institution has no money at a bank yet.",
}

RAIL: Final = b"rail/bank"
"""Who signs what the bank's courier tells."""
OPERATOR: Final = "operator"
BANK_PARTY: Final = bytes(16)
"""The other side of a top-up or withdrawal in people's activity: no party of ours."""

NOSTRO: Final = 1300
"""Account code: the institution's money at its bank; debits are what came in."""
TRANSIT: Final = 1301
"""Account code: taken from people and not yet booked by the bank."""
UNCLEAR_IN: Final = 1302
"""Account code: came in, and nobody knows for whom."""
UNCLEAR_OUT: Final = 1303
"""Account code: the bank took it, and nobody knows why."""
OWN: Final = 1304
"""Account code: the institution's own money, which also pays the bank's fees."""

TOPPED_UP: Final = 1350
WITHDRAWN: Final = 1351
BOOKED: Final = 1352
RETURNED: Final = 1353
REJECTED: Final = 1354
ARRIVED_UNCLEAR: Final = 1355
LEFT_UNCLEAR: Final = 1356
ASSIGNED: Final = 1357
SENT_BACK: Final = 1358
TAKEN_OWN: Final = 1359
SETTLED_IN: Final = 1360
"""Transfer codes."""

LINKS_MAX: Final = 8
"""Bank accounts that one person has linked at a time."""
WITHDRAWALS_MAX: Final = 100
"""Withdrawals that one person has under way at a time; what other products pay out is not counted."""
LISTED_MAX: Final = 500
"""Bookings that one command puts on a statement."""
ASSETS_MAX: Final = 400
"""Currencies in one day's record; ISO 4217 has fewer than 200."""
LATE_NS: Final = 3_600 * 1_000_000_000
"""How long after midnight a day's record may still be made."""
