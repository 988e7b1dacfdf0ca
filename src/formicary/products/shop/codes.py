"""Why the shop product refuses, and its numbers in the kernel's records."""

from __future__ import annotations

from typing import Final

CODES: Final = {
    # the shop
    "shop_signer_not_a_person": "Only a person can open a shop.",
    "shop_alias_taken": "Somebody else has this alias.",
    "shop_not_found": "There is no such shop.",
    "shop_not_yours": "You have no role in this shop that allows this.",
    "shop_operator_only": "Only an operator of the institution may do this.",
    "shop_not_open": "The shop is suspended or closed and takes no payments.",
    "shop_currency_known": "The shop takes this currency already.",
    "shop_currency_not_open": "The shop does not take this currency.",
    "shop_closed_for_good": "Only an operator opens a closed or suspended shop again.",
    "staff_not_a_person": "Only a person can have a role in a shop.",
    "staff_not_found": "This person has no role in the shop.",
    "staff_last_owner": "A shop keeps at least one owner.",
    "staff_full": "A shop has at most 1000 people with a role.",
    "till_not_found": "The shop has no such till.",
    "till_removed": "This till is out of use.",
    "tariff_not_found": "There is no such tariff.",
    "tariff_notice": "A tariff gets dearer only with 30 days' notice.",
    # orders and payments
    "shop_order_not_found": "There is no such order.",
    "shop_order_withdrawn": "The shop took this order back.",
    "shop_order_paid": "This order was paid before.",
    "shop_order_held": "Somebody's payment of this order is being held by the guard.",
    "shop_order_expired": "The time of this order is over; ask the shop for a new one.",
    "shop_order_past": "An order ends later than now, and at most a year from now.",
    "shop_order_many_with_exit": "A link that many can pay has no exit token.",
    "tip_not_valid": "A tip in per cent is 0.01 to 100 %, a fixed one at most the amount; others have no value.",
    "tip_differs": "The tip is not the one that this order takes.",
    "tip_too_large": "A tip is at most as much as the amount.",
    "code_used": "This code was used before; let the payer's phone show a new one.",
    "code_expired": "The time of this code is over; let the phone show a new one.",
    # refunds
    "sale_not_found": "The shop knows no such payment.",
    "sale_not_paid": "The payment is held, or went back to the payer.",
    "refund_too_large": "Refunds together are more than was paid.",
    "refund_payer_gone": "The payer has no account in this currency any more.",
    "refund_funds_short": "The shop's account has too little for this refund.",
    # leaving
    "exit_not_offered": "This order has no exit token, or is not paid.",
    "exit_not_yours": "Only who paid the order may take its exit token.",
    "exit_late": "The time to take an exit token is over; ask the staff.",
    "exit_not_found": "The shop knows no such exit token.",
    "exit_used": "This exit token was used before.",
    "exit_replaced": "A newer exit token was taken for this order.",
    "exit_expired": "The time of this exit token is over.",
    "exit_refunded": "The payment was given back.",
    # stays
    "stay_not_found": "There is no such stay.",
    "stay_past": "A stay ends later than now, and at most a year from now.",
    "stay_not_offered": "Somebody has checked in already, or the offer was taken back.",
    "stay_expired": "The time of this stay is over.",
    "stay_not_in_house": "Nobody is checked in, or the guest has left.",
    "stay_not_yours": "Only the guest and the hotel's staff may do this.",
    "stay_deposit_short": "The folio can't be more than the deposit.",
    "stay_folio_full": "A folio has at most 1000 lines.",
    "stay_key_wrong": "This key does not open this door.",
    # settlement and reports
    "settlement_not_linked": "You have linked no such bank account.",
    "settlement_not_set": "Say first to which bank account the shop settles.",
    "settlement_nothing": "There is nothing to settle.",
    "settlement_not_waiting": "This settlement is not waiting.",
    "report_not_found": "There is no such report.",
}

NODE: Final = b"node"
"""Who signs what the operator says at the node's own command line."""

SHOP: Final = 1400
"""Account code of a shop."""
FEES: Final = 1401
"""Account code of what shops have paid the institution."""
FEES_BOOK: Final = int.from_bytes(b"shop/fees", "big") << 32

SALE: Final = 1450
FEE: Final = 1451
REFUND: Final = 1452
FEE_BACK: Final = 1453
DEPOSIT: Final = 1454
"""Transfer codes."""

DAY_NS: Final = 86_400 * 10**9
YEAR_NS: Final = 366 * DAY_NS
TARIFF_NOTICE_NS: Final = 30 * DAY_NS
STAFF_MAX: Final = 1000
FOLIO_LINES_MAX: Final = 1000
STANDARD: Final = "standard"
"""The tariff that a new shop has."""


def fees_account(asset: int) -> int:
    """The account of the institution's fees in a currency; the same on every ledger."""
    return FEES_BOOK + asset


def fee_of(amount_minor: int, *, fixed_minor: int, rate_per_100000: int) -> int:
    """What taking an amount costs: fixed and rate, rounded down in the shop's favour, never more than the amount."""
    return min(amount_minor, fixed_minor + amount_minor * rate_per_100000 // 100_000)


def fee_back_of(fee_minor: int, *, refunded_minor: int, paid_minor: int) -> int:
    """How much of a fee has come back once so much of a payment was refunded: in proportion, rounded down."""
    assert 0 <= refunded_minor <= paid_minor, "refunds are never more than was paid"
    return fee_minor * refunded_minor // paid_minor


def tip_of(tip: str, tip_value: int, amount_minor: int) -> int:
    """The tip that an order adds by itself: for ``fixed`` and ``percent``; zero for the others."""
    if tip == "fixed":
        return tip_value
    return amount_minor * tip_value // 10_000 if tip == "percent" else 0
