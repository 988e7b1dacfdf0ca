"""Why escrow refuses, in the order in which each command checks; and its numbers in the kernel's records."""

from __future__ import annotations

from typing import Final

CODES: Final = {
    # buy
    "order_with_oneself": "An order needs two: nobody buys from themselves.",
    "order_deadline_past": "The time to ship by has to be later than now.",
    "order_deadline_far": "The time to ship by is more than a year from now.",
    "order_silence_out_of_range": "Silence is from one hour to ninety days, and an inspection at most thirty days.",
    "order_carrier_incomplete": "A carrier's key and the recipient's code come together, or neither.",
    "milestones_do_not_add_up": "The milestones have to add up to the amount.",
    # an order
    "order_not_found": "There is no such order.",
    "order_not_yours": "Only the other side of this order, or neither, may do that.",
    "order_settled": "The order is settled: its money has been paid out or given back.",
    "order_shipped": "The order is on its way: ask the seller to cancel, or open a dispute.",
    "order_not_shipped": "The order has not been shipped.",
    "order_disputed": "The order is in dispute: the arbiter decides.",
    "order_not_disputed": "The order is not in dispute.",
    "order_delivered": "The parcel has been delivered or lost before.",
    "order_without_carrier": "The order names no carrier's key, so nobody can sign a delivery.",
    "delivery_code_wrong": "That is not the recipient's code.",
    "delivery_signature_wrong": "The carrier's key did not sign that.",
    "extension_not_later": "The new deadline has to be later than the one there is, and within a year.",
    "evidence_full": "An order takes sixteen pieces of evidence.",
    "award_above_held": "More than the order still holds.",
    "milestone_not_found": "There is no such milestone.",
    "milestone_accepted": "The milestone was accepted before.",
    # arbiters
    "not_an_arbiter": "Only an arbiter of the institution decides disputes.",
    "arbiter_is_party": "An arbiter never decides a case of their own.",
    # pools
    "pool_deadline_past": "The time a pool fills by has to be later than now.",
    "pool_deadline_far": "The time a pool fills by is more than a year from now.",
    "pool_places_out_of_order": "A pool needs at least one place, and no more to go ahead than there are.",
    "pool_too_large": "All places of the pool together cost more than one payment may be.",
    "pool_not_found": "There is no such pool.",
    "pool_not_yours": "Only who takes part in the pool may do that.",
    "pool_closed": "The pool is closed: joining and leaving end when it fills or its time is over.",
    "pool_not_making": "The pool is not being made: it is open still, or at an end.",
    "pool_full": "The pool has not that many places left.",
    "pool_joined": "You have places in this pool: leave it first, then join with another number.",
    "pool_not_joined": "You have no places in this pool.",
    "pool_milestone_not_next": "Milestones of a pool are accepted one after another.",
    "pool_vote_cast": "You have accepted this milestone before.",
    # money that could not be paid out
    "owed_not_found": "Nothing of that name is owed.",
    "purse_gone": "The purse that paid has been closed; open it again and collect.",
    "owed_not_yours": "It is owed to somebody else.",
}

MANY: Final = bytes(16)
"""Stands in the activity for the payers of a pool, who are many."""
ESCROW_ACCOUNT: Final = 1500
"""Account code: all that orders and pools of one asset hold."""
FUNDED: Final = 1550
GIVEN_BACK: Final = 1551
PAID_OUT: Final = 1552
POOL_FUNDED: Final = 1553
POOL_GIVEN_BACK: Final = 1554
POOL_PAID_OUT: Final = 1555
"""Transfer codes."""

SECOND_NS: Final = 1_000_000_000
DAY_S: Final = 86_400
SHIP_BY_MAX_NS: Final = 366 * DAY_S * SECOND_NS
SILENCE_MIN_S: Final = 3600
SILENCE_MAX_S: Final = 90 * DAY_S
INSPECT_MAX_S: Final = 30 * DAY_S
EVIDENCE_MAX: Final = 16
POOL_MEMBERS_MAX: Final = 200
"""Members of one pool: its end gives each of them their share back in one entry."""
RETRY_NS: Final = DAY_S * SECOND_NS
"""How long until a pay-out that was refused is tried again."""
RETRIES_MAX: Final = 30
"""After a month it waits for its owner to collect it."""

assert SILENCE_MIN_S < SILENCE_MAX_S
