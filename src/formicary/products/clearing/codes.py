"""Why clearing refuses, in the order in which each command checks; and its numbers in the kernel's records.

No code here tells one institution from another: an institution is known or it is not, and there is no command that
makes a known one unknown. What keeps a payee from being paid is said by the purse alone, for whoever pays.
"""

from __future__ import annotations

from typing import Final

CODES: Final = {
    "clearing_node_only": "Only the operator at the machine itself adds institutions.",
    "clearing_door_only": "Only the institution's own door may do that.",
    "institution_is_own": "That is this very institution.",
    "own_institution_differs": "This institution has another id; it keeps it for life.",
    "address_malformed": "An address begins with http:// or https:// and is plain ASCII.",
    "clearing_not_set_up": "This institution has not said yet who it is.",
    "institution_unknown": "There is no such institution.",
    "clearing_not_found": "There is no such payment between institutions.",
    "clearing_not_yours": "Only its payer calls a payment off.",
    "clearing_held": "The payment waits for the guard's decision.",
    "clearing_signature_wrong": "The institution's key did not sign that.",
    "clearing_differs": "The payment is known with another payee, currency or amount.",
    "clearing_captured": "The payment is decided: it is paid.",
    "clearing_cancelled": "The payment was called off.",
    "clearing_role_missing": "This needs a role: of an operator to propose, of an approver to decide.",
    "settlement_no_bank": "The institution's bank account is not known here yet.",
    "settlement_beyond_position": "That is more than is owed to the institution.",
    "settlements_too_many": "A hundred settlements wait already.",
    "settlement_not_found": "There is no such settlement.",
    "settlement_decided": "The settlement was decided before.",
    "settlement_yours": "Somebody else must decide a settlement than the one who proposed it.",
    "settlement_account_changed": "The institution's bank account has changed since: propose it again.",
}

NODE: Final = b"node"
DOOR: Final = b"door"
OPERATOR, APPROVER, AUDITOR = "operator", "approver", "auditor"
SETTLEMENTS_MAX: Final = 100
"""Settlements that wait for a decision at a time."""
CLEARING_ACCOUNT: Final = 1600
"""Account code: what we owe another institution (credits) less what it owes us (debits), in one asset."""
CLEARING_OUT: Final = 1650
CLEARING_IN: Final = 1651
"""Transfer codes."""
SECOND_NS: Final = 1_000_000_000
OFFER_S: Final = 600
"""Seconds until a payment that the other institution has not accepted is given back."""
