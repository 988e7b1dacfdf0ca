"""Shops: merchants, staff and tills, orders and codes, fees, refunds, exits, stays, settlement and the day's close."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from formicary.products.anatomy import EventType, Product, TimerType, schema_of
from formicary.products.shop import events, invariants
from formicary.products.shop.codes import CODES
from formicary.products.shop.handlers import settling, stays
from formicary.products.shop.needs import Needs
from formicary.products.shop.offers import ShopPayments, Shops
from formicary.products.shop.table import command_types, query_types

if TYPE_CHECKING:
    from formicary.products.shop.needs import Book, Payouts, Purses, Watch

__all__ = ["ShopPayments", "Shops", "payments", "product"]

EVENTS = (
    EventType(kind="sale_made", payload=events.SaleMade),
    EventType(kind="sale_resolved", payload=events.SaleResolved),
    EventType(kind="sale_refunded", payload=events.SaleRefunded),
    EventType(kind="refund_received", payload=events.RefundReceived),
    EventType(kind="order_withdrawn", payload=events.OrderWithdrawn),
    EventType(kind="exit_opened", payload=events.ExitOpened),
    EventType(kind="guest_checked_in", payload=events.GuestCheckedIn),
    EventType(kind="folio_charged", payload=events.FolioCharged),
    EventType(kind="guest_checked_out", payload=events.GuestCheckedOut),
    EventType(kind="shop_settled", payload=events.ShopSettled),
    EventType(kind="settlement_failed", payload=events.SettlementFailed),
    EventType(kind="staff_changed", payload=events.StaffChanged),
)


def product(*, purses: Purses, watch: Watch, book: Book, payouts: Payouts) -> Product:
    """Shops, with whoever knows purses, scams, activity and banks."""
    needs = Needs(purses=purses, watch=watch, book=book, payouts=payouts)
    return Product(
        name="shop",
        schema=schema_of(__name__),
        commands=command_types(needs),
        timers=(
            TimerType(name="cut", payload=events.Cut, handler=settling.cut),
            TimerType(name="due", payload=events.Due, handler=partial(settling.due, needs)),
            TimerType(name="stay_over", payload=events.StayOver, handler=partial(stays.stay_over, needs)),
        ),
        events=EVENTS,
        queries=query_types(),
        codes=CODES,
        invariants=(
            invariants.sales_add_up,
            invariants.fees_are_where_they_belong,
            invariants.held_money_has_a_reason,
            invariants.a_waiting_settlement_is_not_paid,
        ),
    )


def payments(*, purses: Purses, watch: Watch, book: Book, payouts: Payouts) -> ShopPayments:
    """What resolves held payments to shops, for the guard."""
    return ShopPayments(Needs(purses=purses, watch=watch, book=book, payouts=payouts))
