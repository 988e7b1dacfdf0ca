"""Why payments are refused, in the order in which each command checks; their numbers in the records; limits."""

from __future__ import annotations

from typing import Final

CODES: Final = {
    "payment_to_oneself": "The payer and the payee are the same.",
    "payee_not_payable": "The payee is neither a person nor a shop that takes payments in this currency.",
    "payer_short_of_funds": "There was not enough money on the account when the order was due.",
    "account_not_usable": "An account of the payment is frozen or closed.",
    "request_to_oneself": "A request for money needs two people.",
    "until_not_in_future": "The time until which it holds is not later than now.",
    "until_too_late": "The time until which it holds is more than 366 days away.",
    "too_many_requests": "At most 200 requests of one person are open at a time.",
    "request_not_found": "There is no such request.",
    "request_not_yours": "The one who was asked accepts or declines a request, and the one who asked withdraws it.",
    "request_ended": "The request was accepted, declined, withdrawn, or ran out before.",
    "share_named_twice": "A party stands twice among the shares.",
    "share_too_small": "A share would be less than the smallest coin.",
    "nobody_else_to_ask": "All shares are one's own.",
    "packet_too_small": "A packet needs at least one minor unit for each share.",
    "too_many_packets": "At most 50 packets of one giver are open at a time.",
    "recipient_named_twice": "A recipient stands twice, or is the giver.",
    "too_few_recipients": "There are more shares than people who may open the packet.",
    "packet_not_found": "There is no such packet.",
    "packet_is_your_own": "Whoever gives a packet does not open it; what is left returns by itself.",
    "packet_not_for_you": "The packet is for other people.",
    "packet_opened_before": "One opens a packet once.",
    "packet_empty": "Others have opened all shares of the packet.",
    "packet_expired": "The packet's time is over; what was left has returned to its giver.",
    "first_not_in_future": "The first run of an order is later than now.",
    "first_too_late": "The first run of an order is more than 366 days away.",
    "times_of_once": "An order that runs once runs one time.",
    "too_many_orders": "At most 100 orders of one payer are active at a time.",
    "order_to_pay_not_found": "There is no such standing order.",
    "order_to_pay_not_yours": "Only the payer cancels an order.",
    "order_to_pay_ended": "The order was done, stopped or cancelled before.",
    "payment_not_found": "There is no such payment, or it is not yours to see.",
}

NOBODY: Final = bytes(16)
"""Stands in the activity list for a side that is no party: a bank, a packet."""

PACKETS: Final = 1200
"""Account code of the money in packets, one account for each asset."""
SENT: Final = 1250
REQUEST_PAID: Final = 1251
PACKET_GIVEN: Final = 1252
PACKET_OPENED: Final = 1253
PACKET_BACK: Final = 1254
ORDER_PAID: Final = 1255
"""Transfer codes."""

SECOND_NS: Final = 1_000_000_000
DAY_NS: Final = 86_400 * SECOND_NS
UNTIL_DAYS_MAX: Final = 366
"""Days from now to the latest time that a request, a packet or the first run of an order may have."""
SPLIT_DAYS: Final = 30
"""Days for which the requests of a split are open."""
REQUESTS_OPEN_MAX: Final = 200
"""Open requests of one person."""
PACKETS_OPEN_MAX: Final = 50
"""Open packets of one giver."""
ORDERS_ACTIVE_MAX: Final = 100
"""Active orders of one payer."""
FAILURES_MAX: Final = 3
"""Refused runs in a row after which an order stops."""
