"""What people may ask of payments, what they are answered and told. Never changed, only added to."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from formicary.products.anatomy import Asset, Bytes16, Count, Message, Minor, MinorOrNone, Party, Sealed, Time

Purpose = Literal["goods", "friend", "family", "rent", "fee_for_money", "invest", "other"]
"""What the payer says the money is for; ``fee_for_money`` is a fee that is asked so that other money may come."""
Kind = Literal[
    "sent", "request", "packet", "packet_opened", "packet_back", "order", "top_up", "withdrawal", "shop", "refund",
    "fee", "escrow", "escrow_out", "escrow_back", "clearing_out", "clearing_in",
]  # fmt: skip
"""Through what a payment came about."""
State = Literal["paid", "held", "under_way", "returned", "refunded", "failed", "cancelled"]
"""How a payment stands. ``held`` and ``under_way`` are not final."""
SentState = Literal["paid", "held"]
Every = Literal["once", "day", "week", "month"]
How = Literal["equal", "drawn"]
Code = Annotated[str, Meta(max_length=64)]
"""Why something was refused: a code of the reference."""
Reason = Annotated[str, Meta(max_length=32)]
"""Why a payment is held: a name of a rule of the guard."""
Weight = Annotated[int, Meta(ge=1, le=1000)]
PacketCount = Annotated[int, Meta(ge=1, le=100)]
Times = Annotated[int, Meta(ge=0, le=1200)]


class Send(Message, frozen=True):
    """Pay a person or a shop from the signer's own account.

    Refuses what the wallet refuses of either side (unknown, frozen, closed, limits), a payment to oneself, and more
    than there is. A payment that looks like a scam is held and says why; it is never refused for that.
    """

    payee: Party
    asset: Asset
    amount_minor: Minor
    purpose: Purpose
    note: Sealed | None


class Sent(Message, frozen=True):
    """A payment was made, or is held with reasons until the guard lets it go; the payer may recall it until then."""

    payment: Bytes16
    state: SentState
    reasons: Annotated[tuple[Reason, ...], Meta(max_length=16)]


class Ask(Message, frozen=True):
    """Ask somebody for money, until a time at most 366 days from now."""

    payer: Party
    asset: Asset
    amount_minor: Minor
    purpose: Purpose
    note: Sealed | None
    until_ns: Time


class AskMade(Message, frozen=True):
    """The new request."""

    request: Bytes16


class AcceptRequest(Message, frozen=True):
    """Pay what one was asked for."""

    request: Bytes16


class DeclineRequest(Message, frozen=True):
    """Say no to a request that one got."""

    request: Bytes16


class WithdrawRequest(Message, frozen=True):
    """Take back a request that one made."""

    request: Bytes16


class Share(Message, frozen=True):
    """Somebody's part of a bill, by weight."""

    party: Party
    weight: Weight


class Split(Message, frozen=True):
    """Divide a bill that the signer has paid: everybody else is asked for their share for 30 days.

    Shares are by weight and add up exactly; the earliest take the remainder, one minor unit each. The signer may be
    among them, and is not asked. Refuses a party named twice, and a share of nothing.
    """

    asset: Asset
    total_minor: Minor
    shares: Annotated[tuple[Share, ...], Meta(min_length=1, max_length=50)]
    note: Sealed | None


class SplitMade(Message, frozen=True):
    """The bill, and one request for each of the others, in the order of the shares."""

    split: Bytes16
    requests: Annotated[tuple[Bytes16, ...], Meta(max_length=50)]


class Give(Message, frozen=True):
    """Put money in a red packet for several people to open, until a time at most 366 days from now.

    Shares are equal (the earliest openings take the remainder), or drawn at each opening from the entry that it is in,
    at least one minor unit each. ``recipients`` may open it; when there are none, whoever knows its id. What nobody
    opened returns to the giver.
    """

    asset: Asset
    total_minor: Minor
    count: PacketCount
    how: How
    until_ns: Time
    note: Sealed | None
    recipients: Annotated[tuple[Party, ...], Meta(max_length=100)]


class Given(Message, frozen=True):
    """The new packet."""

    packet: Bytes16


class OpenPacket(Message, frozen=True):
    """Take one's share of a red packet, once."""

    packet: Bytes16


class PacketOpened(Message, frozen=True):
    """How much was in it; ``held`` when the guard looks at it first."""

    payment: Bytes16
    amount_minor: Minor
    state: SentState
    reasons: Annotated[tuple[Reason, ...], Meta(max_length=16)]


class Schedule(Message, frozen=True):
    """Pay later, once or again and again.

    The n-th run is due n days, weeks or months after the first; a month keeps the day, or takes its own last one.
    ``times`` counts runs, 0 means until cancelled. A run that is refused is told and not tried again before the next
    one is due; three in a row end the order.
    """

    payee: Party
    asset: Asset
    amount_minor: Minor
    purpose: Purpose
    note: Sealed | None
    first_ns: Time
    every: Every
    times: Times


class Scheduled(Message, frozen=True):
    """The new order."""

    order: Bytes16


class CancelOrder(Message, frozen=True):
    """End one's own order; what it has paid stays paid."""

    order: Bytes16


# timers


class ExpireRequest(Message, frozen=True):
    """Of a timer: the request's time is over."""

    request: Bytes16


class ExpirePacket(Message, frozen=True):
    """Of a timer: the packet's time is over."""

    packet: Bytes16


class RunOrder(Message, frozen=True):
    """Of a timer: the order's next run is due."""

    order: Bytes16


# events


class PaymentMade(Message, frozen=True):
    """Event: money went from one to another, or is held on its way; told to those of the two who did not do it."""

    payment: Bytes16
    kind: Kind
    payer: Party
    payee: Party
    asset: Asset
    amount_minor: Minor
    state: State


class PaymentChanged(Message, frozen=True):
    """Event: a payment stands otherwise than before."""

    payment: Bytes16
    state: State


class RequestMade(Message, frozen=True):
    """Event: somebody asks for money; told to the payer."""

    request: Bytes16
    payee: Party
    asset: Asset
    amount_minor: Minor


RequestEnding = Literal["accepted", "declined", "withdrawn", "expired"]


class RequestEnded(Message, frozen=True):
    """Event: a request is over; told to the one who asked, or to the one who was asked when it was withdrawn."""

    request: Bytes16
    how: RequestEnding


class PacketGiven(Message, frozen=True):
    """Event: there is a red packet for one; told to each of its recipients."""

    packet: Bytes16
    giver: Party


class PacketTaken(Message, frozen=True):
    """Event: somebody opened one's packet; told to the giver."""

    packet: Bytes16
    opener: Party
    amount_minor: Minor
    left: Count


class PacketEnded(Message, frozen=True):
    """Event: a packet's time is over; what was left is the giver's again."""

    packet: Bytes16
    returned_minor: MinorOrNone


class OrderFailed(Message, frozen=True):
    """Event: a run of an order was refused; told to the payer."""

    order: Bytes16
    code: Code
    failures: Count


OrderEnding = Literal["done", "stopped", "cancelled"]


class OrderEnded(Message, frozen=True):
    """Event: an order will not run again: it is done, was stopped by failures, or was cancelled."""

    order: Bytes16
    how: OrderEnding
