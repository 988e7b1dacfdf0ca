"""What the shop product tells the outside, and what it puts on timers. Never changed, only added to."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from formicary.products.anatomy import Asset, Bytes16, Message, Minor, MinorOrNone, Party
from formicary.products.shop.commands import Number, PaidState, Role

# ── timers ──────────────────────────────────────────────────────────────────────────────────────────────────────────


class Cut(Message, frozen=True):
    """Of a timer: the shop's business day ends."""

    shop: Party


class Due(Message, frozen=True):
    """Of a timer: a settlement is due."""

    settlement: Bytes16


class StayOver(Message, frozen=True):
    """Of a timer: the stay's time is over."""

    stay: Bytes16


# ── events ──────────────────────────────────────────────────────────────────────────────────────────────────────────


class SaleMade(Message, frozen=True):
    """Event to the shop: somebody paid, or the guard holds what somebody wants to pay."""

    payment: Bytes16
    shop: Party
    till: Bytes16 | None
    order: Bytes16 | None
    asset: Asset
    amount_minor: Minor
    tip_minor: MinorOrNone
    fee_minor: MinorOrNone
    number: Number
    state: PaidState


class SaleResolved(Message, frozen=True):
    """Event to the shop: a held payment was let go, or went back to the payer."""

    payment: Bytes16
    order: Bytes16 | None
    how: Literal["paid", "recalled", "refused"]


class SaleRefunded(Message, frozen=True):
    """Event to the shop: a refund was made."""

    payment: Bytes16
    refund: Bytes16
    asset: Asset
    amount_minor: Minor


class RefundReceived(Message, frozen=True):
    """Event to the payer: a shop gave money back."""

    payment: Bytes16
    refund: Bytes16
    shop: Party
    asset: Asset
    amount_minor: Minor


class OrderWithdrawn(Message, frozen=True):
    """Event to the shop: an order was taken back."""

    order: Bytes16


class ExitOpened(Message, frozen=True):
    """Event to the shop: somebody left with an exit token."""

    order: Bytes16


class GuestCheckedIn(Message, frozen=True):
    """Event to the shop: a guest is in the house."""

    stay: Bytes16


class FolioCharged(Message, frozen=True):
    """Event to the guest: something was written on the folio."""

    stay: Bytes16
    asset: Asset
    amount_minor: Minor


class GuestCheckedOut(Message, frozen=True):
    """Event to the shop: a stay has ended and its folio is paid."""

    stay: Bytes16
    payment: Bytes16 | None
    paid_minor: MinorOrNone


class ShopSettled(Message, frozen=True):
    """Event to the shop: money is on its way to the bank. ``short_minor`` is what refunds had taken meanwhile."""

    settlement: Bytes16
    asset: Asset
    paid_minor: MinorOrNone
    short_minor: MinorOrNone


class SettlementFailed(Message, frozen=True):
    """Event to the shop: the bank rail refused the payout; the money stays and is part of the next one."""

    settlement: Bytes16
    code: Annotated[str, Meta(max_length=64)]


class StaffChanged(Message, frozen=True):
    """Event to the person concerned: a role in a shop was given, or taken (None)."""

    shop: Party
    role: Role | None
