"""What people may ask of escrow, what it answers, and what it tells the outside. Never changed, only added to."""

from __future__ import annotations

from typing import Annotated, Final, Literal

import msgspec

from formicary.products.anatomy import Asset, Bytes16, Bytes32, Count, Message, Minor, MinorOrNone, Party, Sealed, Time

MILESTONES_MAX: Final = 10
PIECES_MAX: Final = 8
PLACES_MAX: Final = 100_000
WEIGHT_MAX: Final = 1000

Silence = Literal["release", "refund"]
"""What no news in time means: the seller is paid, or the buyer gets the money back."""
Delivery = Literal["DELIVERED", "LOST"]
DisputeReason = Literal["not_received", "not_as_described", "damaged", "unfinished", "other"]
RecipientCode = Annotated[bytes, msgspec.Meta(max_length=16)]
Signature = Annotated[bytes, msgspec.Meta(min_length=64, max_length=64)]
Evidence = Annotated[tuple[Sealed, ...], msgspec.Meta(min_length=1, max_length=PIECES_MAX)]
MilestoneNumber = Annotated[int, msgspec.Meta(ge=1, le=MILESTONES_MAX)]
Places = Annotated[int, msgspec.Meta(ge=1, le=PLACES_MAX)]
Weight = Annotated[int, msgspec.Meta(ge=1, le=WEIGHT_MAX)]


class Milestone(Message, frozen=True):
    """A part of the work, and what of the amount is paid for it."""

    share_minor: Minor
    label: Sealed | None


class PoolStage(Message, frozen=True):
    """A part of a pool's work; of the money together it gets its weight's share."""

    weight: Weight
    label: Sealed | None


Milestones = Annotated[tuple[Milestone, ...], msgspec.Meta(max_length=MILESTONES_MAX)]
PoolStages = Annotated[tuple[PoolStage, ...], msgspec.Meta(min_length=1, max_length=MILESTONES_MAX)]


# ── orders ──────────────────────────────────────────────────────────────────────────────────────────────────────────


class Buy(Message, frozen=True):
    """Order from a person or a shop; the money leaves the buyer at once and waits until the order is settled.

    Not shipped by ``ship_by_ns``, all of it comes back. Shipped, and nobody says anything for ``silence_s`` seconds:
    what ``silence`` says. A delivery that the carrier signed leaves ``inspect_s`` seconds for a dispute; 0
    pays at once. ``code`` is the SHA-256 of the recipient's code, which the carrier learns at the door.
    """

    seller: Party
    asset: Asset
    amount_minor: Minor
    ship_by_ns: Time
    silence: Silence
    silence_s: Count
    inspect_s: Count
    carrier: Party | None
    carrier_key: Bytes32 | None
    code: Bytes32 | None
    milestones: Milestones
    note: Sealed | None


class Bought(Message, frozen=True):
    """The new order; its payment has the same id."""

    order: Bytes16


class Cancel(Message, frozen=True):
    """Call an order off: the buyer before shipment, the seller at any time. All that it holds goes back at once."""

    order: Bytes16


class Ship(Message, frozen=True):
    """The seller has handed the parcel over."""

    order: Bytes16
    tracking: Sealed | None


class Deliver(Message, frozen=True):
    """What the carrier signed: delivered, with the recipient's code; or lost, with none. Anybody may bring it."""

    order: Bytes16
    status: Delivery
    code: RecipientCode
    signature: Signature


class Confirm(Message, frozen=True):
    """The buyer is content: the seller is paid."""

    order: Bytes16


class Extend(Message, frozen=True):
    """Move the deadline later. Whom the deadline serves may do so: they alone lose by it."""

    order: Bytes16
    until_ns: Time


class Dispute(Message, frozen=True):
    """Say that something is wrong; nothing moves by itself until an arbiter decides or the two agree."""

    order: Bytes16
    reason: DisputeReason
    evidence: Evidence


class AnswerDispute(Message, frozen=True):
    """Add evidence to an order in dispute, as its buyer or its seller."""

    order: Bytes16
    evidence: Evidence


class Decide(Message, frozen=True):
    """An arbiter splits what an order in dispute holds: so much for the seller, the rest for the buyer."""

    order: Bytes16
    seller_minor: MinorOrNone
    reason: Sealed | None


class AcceptMilestone(Message, frozen=True):
    """The buyer accepts a part of the work; its share is paid at once."""

    order: Bytes16
    number: MilestoneNumber


# ── pools ───────────────────────────────────────────────────────────────────────────────────────────────────────────


class OpenPool(Message, frozen=True):
    """Offer to make something if enough people want it; each place costs the same."""

    asset: Asset
    price_minor: Minor
    places_min: Places
    places_max: Places
    until_ns: Time
    stages: PoolStages
    note: Sealed | None


class PoolOpened(Message, frozen=True):
    """The name of the new pool."""

    pool: Bytes16


class JoinPool(Message, frozen=True):
    """Take places in a pool and pay them into escrow. The last place closes it and starts the work."""

    pool: Bytes16
    places: Places


class PoolJoined(Message, frozen=True):
    """The payment for the places."""

    payment: Bytes16


class LeavePool(Message, frozen=True):
    """Give one's places up while the pool is open, and get the money back at once."""

    pool: Bytes16


class AcceptPoolMilestone(Message, frozen=True):
    """Accept the next part of the work. It is paid when members with more than half of the places have accepted it."""

    pool: Bytes16
    number: MilestoneNumber


class CancelPool(Message, frozen=True):
    """The maker gives up: all that the pool still holds goes back to its members by their places."""

    pool: Bytes16


class DecidePool(Message, frozen=True):
    """An arbiter ends a pool that is being made: so much of what it holds for the maker, the rest for its members."""

    pool: Bytes16
    maker_minor: MinorOrNone
    reason: Sealed | None


class Collect(Message, frozen=True):
    """Take what escrow owes the signer because a pay-out was refused, for instance to a purse that was closed."""

    owed: Bytes16


# ── timers ──────────────────────────────────────────────────────────────────────────────────────────────────────────


class Deadline(Message, frozen=True):
    """Of a timer: an order's time to ship, to hear something, or to look at what came is over."""

    order: Bytes16


class PoolDeadline(Message, frozen=True):
    """Of a timer: a pool's time to fill is over."""

    pool: Bytes16


class Retry(Message, frozen=True):
    """Of a timer: try again to pay what is owed."""

    owed: Bytes16


# ── events ──────────────────────────────────────────────────────────────────────────────────────────────────────────

Step = Literal[
    "funded", "shipped", "delivered", "lost", "extended", "disputed", "answered", "milestone", "confirmed", "released",
    "refunded", "cancelled", "decided",
]  # fmt: skip
PoolStep = Literal["opened", "joined", "left", "filled", "accepted", "milestone", "finished", "refunded", "decided"]


class OrderMoved(Message, frozen=True):
    """Event: something happened to an order; both sides are told."""

    order: Bytes16
    step: Step
    seller_minor: MinorOrNone
    """Paid to the seller by this step."""
    buyer_minor: MinorOrNone
    """Given back to the buyer by this step."""


class PoolMoved(Message, frozen=True):
    """Event: something happened to a pool; the maker is told, and members of what concerns all."""

    pool: Bytes16
    step: PoolStep
    places: Count
    """Places taken now."""


class PayoutOwed(Message, frozen=True):
    """Event: money is somebody's but could not be paid; it waits in escrow."""

    owed: Bytes16
    asset: Asset
    amount_minor: Minor
