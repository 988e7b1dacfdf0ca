"""What the queries of payments are asked, and what they answer: the shapes that pages and clients read."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from formicary.products.anatomy import Answer, Asset, Bytes16, Minor, MinorOrNone, Party, Sealed, Time
from formicary.products.pay.commands import Every, How, Kind, Purpose, State

Limit = Annotated[int, Meta(ge=1, le=100)]
Months = Annotated[int, Meta(ge=1, le=24)]
Number = Annotated[int, Meta(ge=0, le=2**31 - 1)]
Month = Annotated[int, Meta(ge=197_001, le=226_212)]
"""A month as yyyymm, UTC."""
Total = Annotated[int, Meta(ge=0, le=2**63 - 1)]
"""Minor units of many payments together."""


class AskActivity(Answer, frozen=True, kw_only=True):
    """List what one paid and got, newest first, in one currency or in all."""

    asset: Asset | None = None
    after: str = ""
    limit: Limit = 20


class Movement(Answer, frozen=True, kw_only=True):
    """One payment as one of its two sides sees it; ``other`` is none for a bank or a packet."""

    payment: Bytes16
    at_ns: Time
    kind: Kind
    direction: Literal["in", "out"]
    other: Party | None
    asset: Asset
    amount_minor: Minor
    state: State
    purpose: Purpose
    note: Sealed | None
    reference: Bytes16 | None


class Activity(Answer, frozen=True, kw_only=True):
    """A page of the activity list."""

    items: tuple[Movement, ...]
    next: str = ""


class AskPayment(Answer, frozen=True, kw_only=True):
    """Show one payment that one made or got."""

    payment: Bytes16


class AskRequests(Answer, frozen=True, kw_only=True):
    """List requests for money, newest first: those one got (``in``) or made (``out``)."""

    direction: Literal["in", "out"] = "in"
    state: Literal["open", "accepted", "declined", "withdrawn", "expired"] = "open"
    after: str = ""
    limit: Limit = 20


class AskRequest(Answer, frozen=True, kw_only=True):
    """Show one request that one made or got."""

    request: Bytes16


class RequestShown(Answer, frozen=True, kw_only=True):
    """One request; ``payee`` asks and ``payer`` is asked."""

    request: Bytes16
    payee: Party
    payer: Party
    asset: Asset
    amount_minor: Minor
    purpose: Purpose
    note: Sealed | None
    split: Bytes16 | None
    made_ns: Time
    until_ns: Time
    state: Literal["open", "accepted", "declined", "withdrawn", "expired"]
    payment: Bytes16 | None


class Requests(Answer, frozen=True, kw_only=True):
    """A page of requests."""

    items: tuple[RequestShown, ...]
    next: str = ""


class AskPackets(Answer, frozen=True, kw_only=True):
    """List red packets, newest first: those for one to open or opened by one (``in``), or given by one (``out``)."""

    direction: Literal["in", "out"] = "in"
    after: str = ""
    limit: Limit = 20


class AskPacket(Answer, frozen=True, kw_only=True):
    """Show one packet to its giver, to those who may open it, and when it is for all to whoever has its id."""

    packet: Bytes16


class OpeningShown(Answer, frozen=True, kw_only=True):
    """Who opened a packet, and what was in it."""

    party: Party
    amount_minor: Minor


class PacketShown(Answer, frozen=True, kw_only=True):
    """One packet. The rest and the others' openings are for its giver, and for those who opened it."""

    packet: Bytes16
    giver: Party
    asset: Asset
    total_minor: Minor
    rest_minor: MinorOrNone | None
    shares: Number
    opened: Number
    how: How
    note: Sealed | None
    made_ns: Time
    until_ns: Time
    state: Literal["open", "opened", "expired", "returning"]
    mine_minor: MinorOrNone
    """What one got of it; 0 when one has not opened it."""
    openings: tuple[OpeningShown, ...]


class Packets(Answer, frozen=True, kw_only=True):
    """A page of packets."""

    items: tuple[PacketShown, ...]
    next: str = ""


class AskOrders(Answer, frozen=True, kw_only=True):
    """List one's orders to pay, by when they are next due."""

    state: Literal["active", "done", "stopped", "cancelled"] = "active"
    after: str = ""
    limit: Limit = 20


class OrderShown(Answer, frozen=True, kw_only=True):
    """One order to pay; ``times`` 0 is until cancelled, ``runs`` counts those that have come."""

    order: Bytes16
    payee: Party
    asset: Asset
    amount_minor: Minor
    purpose: Purpose
    note: Sealed | None
    first_ns: Time
    every: Every
    times: Number
    runs: Number
    failures: Number
    due_ns: Time
    state: Literal["active", "done", "stopped", "cancelled"]


class Orders(Answer, frozen=True, kw_only=True):
    """A page of orders."""

    items: tuple[OrderShown, ...]
    next: str = ""


class AskSpending(Answer, frozen=True, kw_only=True):
    """Add up what one paid in a currency, by month and purpose: this month and those before it, in UTC."""

    asset: Asset
    months: Months = 6


class SpendingShown(Answer, frozen=True, kw_only=True):
    """What one paid in a month for a purpose, without what was held and given back; refunds are not taken off."""

    month: Month
    purpose: Purpose
    payments: Number
    amount_minor: Total


class Spending(Answer, frozen=True, kw_only=True):
    """Months in order, purposes by name within them; those without payments are left out."""

    items: tuple[SpendingShown, ...]
