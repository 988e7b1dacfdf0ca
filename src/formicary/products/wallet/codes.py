"""Why the wallet refuses, in the order in which its commands check; its numbers in the kernel; its parameters."""

from __future__ import annotations

from typing import Final, NamedTuple

CODES: Final = {
    # who signs
    "signer_not_a_person": "A person's id has 16 bytes.",
    "role_missing": "The signer has not been given the role that this takes.",
    # the person
    "person_exists": "The person has a wallet already.",
    "person_unknown": "There is no such person.",
    "person_closed": "The person's wallet is closed.",
    "person_frozen": "The person's payments are frozen.",
    # currencies
    "currency_unknown": "This is not a currency in use by ISO 4217.",
    "currency_twice": "A currency is named twice.",
    "currency_open": "The wallet has this currency already.",
    "currencies_too_many": "A wallet has at most 32 currencies.",
    "currency_not_open": "The person has not opened this currency.",
    # a payment
    "limit_payment": "The payment is larger than the payer's tier allows.",
    "limit_day": "With this payment the payer would spend more in a day than the tier allows.",
    "limit_year": "With this payment the payer would spend more in a year than the tier allows.",
    "own_limit_payment": "The payment is larger than the payer's own limit.",
    "own_limit_day": "With this payment the payer would spend more in a day than the payer's own limit.",
    "balance_limit": "With this payment the payee would hold more than the tier allows.",
    # being found
    "alias_taken": "The alias is somebody's.",
    "alias_resting": "The alias was given up recently, and rests before somebody else may have it.",
    "aliases_too_many": "A person has at most three aliases.",
    "alias_not_found": "The person has no such alias.",
    "contact_taken": "The phone number or address is noted with somebody else.",
    "contacts_too_many": "A person has at most four contact points.",
    "contact_not_found": "The person has no such contact point.",
    "digest_unreadable": "A digest is 64 hexadecimal digits.",
    "nobody_found": "Nobody goes by this alias, number or address, or wants to be found by it.",
    # devices
    "device_taken": "The device is known already.",
    "devices_too_many": "A person has at most eight devices.",
    "device_not_found": "The person has no such device.",
    "device_last": "The last device can't be removed: add another one first.",
    # freezing and closing
    "already_frozen": "It is frozen already.",
    "not_frozen": "It is not frozen.",
    "frozen_by_operator": "An operator froze it, and only an operator can undo that.",
    "money_held": "Some money is held for payments under way: close when they have ended.",
    "balance_not_zero": "There is money in the wallet: name a bank account to pay it out to.",
    "payout_unavailable": "This institution has no bank to pay out to.",
    # trust and recovery
    "trust_oneself": "One can't be one's own trusted contact.",
    "trusted_already": "The person is a trusted contact already.",
    "trusted_too_many": "A person has at most five trusted contacts.",
    "trusting_too_many": "A hundred people have named this person already.",
    "not_trusted": "The person is not a trusted contact.",
    "no_trusted_contacts": "Nobody was named who could help to recover this wallet.",
    "recoveries_too_many": "Three recoveries of this wallet are under way.",
    "recovery_not_found": "There is no such recovery.",
    "recovery_not_yours": "Only the person whose wallet it is may stop its recovery.",
    "recovery_ended": "The recovery has ended.",
    "recovery_approved_already": "The signer has vouched for this recovery already.",
    # operators and proposals
    "tier_same": "The person is in this tier already.",
    "role_given_already": "The person has this role already.",
    "role_not_given": "The person does not have this role.",
    "limits_out_of_order": "A limit for a payment may not exceed the one for a day, nor that the one for a year.",
    "parameter_unknown": "There is no such parameter.",
    "parameter_out_of_range": "The parameter's value is outside its range.",
    "proposals_too_many": "A hundred proposals wait already.",
    "proposal_not_found": "There is no such proposal.",
    "proposal_decided": "The proposal was decided before.",
    "proposal_yours": "Somebody else must decide a proposal than the one who made it.",
    # queries
    "cursor_unreadable": "The cursor is not one of ours.",
}

NODE: Final = b"node"
"""Signs what the operator types at the machine's own command line."""
PURSE: Final = 1000
"""Account code of a person's account."""

OPEN: Final = "open"
FROZEN: Final = "frozen"
CLOSED: Final = "closed"
"""States of a person."""

PERSON_BYTES: Final = 16
CURRENCIES_MAX: Final = 32
ALIASES_MAX: Final = 3
CONTACTS_MAX: Final = 4
DEVICES_MAX: Final = 8
TRUSTED_MAX: Final = 5
TRUSTING_MAX: Final = 100
"""People who may name the same trusted contact: each of them is told something when it goes."""
VOUCHERS_NEEDED: Final = 2
"""Trusted contacts who must vouch for a recovery; all of them when there are fewer."""
RECOVERIES_MAX: Final = 3
"""Recoveries of one person under way at once."""
PROPOSALS_MAX: Final = 100

assert VOUCHERS_NEEDED <= TRUSTED_MAX

DAY_S: Final = 86_400


class Parameter(NamedTuple):
    """A parameter at genesis, and what it may be set to."""

    value: int
    least: int
    greatest: int


PARAMETERS: Final = {
    "alias_rest_s": Parameter(30 * DAY_S, 0, 3650 * DAY_S),
    "clearing_timeout_s": Parameter(60, 1, DAY_S),
    "dispute_s": Parameter(14 * DAY_S, 0, 365 * DAY_S),
    "escrow_silence_s": Parameter(14 * DAY_S, 60, 365 * DAY_S),
    "exit_token_s": Parameter(300, 30, DAY_S),
    "guard_hold_s": Parameter(DAY_S, 60, 30 * DAY_S),
    "own_limit_delay_s": Parameter(DAY_S, 0, 30 * DAY_S),
    "payer_code_s": Parameter(60, 10, 600),
    "recovery_asked_s": Parameter(7 * DAY_S, 60, 90 * DAY_S),
    "recovery_delay_s": Parameter(DAY_S, 60, 90 * DAY_S),
}
"""The institution's parameters: seconds for names in ``_s``. Any product reads them; two people change them."""

assert all(row.least <= row.value <= row.greatest for row in PARAMETERS.values())
