"""What bank files say, as plain values: payments to make, bookings that were made, and how payments stand."""

from __future__ import annotations

from typing import Literal

import msgspec


class Payment(msgspec.Struct, frozen=True, kw_only=True):
    """One credit transfer."""

    end_to_end_id: str
    """The payer's own name for it, which comes back with every booking; at most 35 characters."""
    asset: int
    amount_minor: int
    name: str
    iban: str
    bic: str = ""
    text: str = ""
    """For the receiver, free."""
    reference: str = ""
    """For the receiver, a creditor reference of ISO 11649."""


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """A pain.001: payments from one account."""

    message_id: str
    created_ns: int
    name: str
    iban: str
    bic: str = ""
    payments: tuple[Payment, ...]


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """How one payment of an order stands."""

    end_to_end_id: str
    status: str
    """By ISO 20022's external code: ``RJCT`` is rejected, ``ACSC`` settled."""
    reason: str = ""


class OrderStatus(msgspec.Struct, frozen=True, kw_only=True):
    """A pain.002: what the bank says to an order."""

    message_id: str
    created_ns: int
    order_id: str
    status: str = ""
    reason: str = ""
    outcomes: tuple[Outcome, ...] = ()


class Booking(msgspec.Struct, frozen=True, kw_only=True):
    """One booking on an account, or one payment of a booking in batch."""

    bank_ref: str
    """The bank's own reference of the booking (``AcctSvcrRef``); the same wherever the booking is told."""
    part: int = 0
    """Which payment of a batch; 0 for a booking that is one payment."""
    direction: Literal["in", "out"]
    asset: int
    amount_minor: int
    booked_ns: int
    end_to_end_id: str = ""
    reference: str = ""
    """A structured creditor reference."""
    text: str = ""
    name: str = ""
    """Of the other side, and its account."""
    iban: str = ""
    returned: bool = False
    """Whether it brings back an earlier payment."""
    reason: str = ""


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """A statement (camt.053) or notification (camt.054) of one account."""

    kind: Literal["statement", "notification"]
    message_id: str
    id: str
    created_ns: int
    iban: str
    asset: int
    number: int = 0
    day: int = 0
    """Of a statement: the day that it closes, ``yyyymmdd``."""
    opening_minor: int = 0
    closing_minor: int = 0
    bookings: tuple[Booking, ...] = ()


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """One page of a statement that has several; ``report`` has this page's bookings, and no balances of the whole."""

    number: int
    """From 1 on."""
    last: bool
    opening_minor: int | None
    """Where this page begins and ends; None where the bank does not say."""
    closing_minor: int | None
    report: Report
