"""What people, shops and doors may ask of the shop product, and what it answers. Never changed, only added to."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from formicary.products.anatomy import (
    Asset,
    Bytes16,
    Bytes32,
    Message,
    Minor,
    MinorOrNone,
    Party,
    Sealed,
    Time,
)

Role = Literal["owner", "manager", "cashier"]
"""What somebody may do in a shop: a cashier sells, a manager also refunds and hires cashiers, an owner may all."""
Tip = Literal["none", "ask", "fixed", "percent"]
"""None; the payer chooses, up to the amount; a service charge of ``tip_value`` minor units; or of ``tip_value``
hundredths of a per cent of the amount, rounded down."""
RefundReason = Literal["returned", "damaged", "mistake", "duplicate", "goodwill", "other"]
ShopState = Literal["open", "suspended", "closed"]
PaidState = Literal["paid", "held"]
Number = Annotated[str, Meta(max_length=25, pattern=r"^[ -~]*$")]
"""A shop's own number of an order or receipt, printable ASCII; never a name."""
TariffName = Annotated[str, Meta(min_length=1, max_length=24, pattern=r"^[a-z][a-z0-9_]*$")]
Country = Annotated[str, Meta(min_length=2, max_length=2, pattern=r"^[A-Z]{2}$")]
"""ISO 3166-1 alpha-2."""
Category = Annotated[int, Meta(ge=1, le=9999)]
"""ISO 18245 merchant category code."""
Rate = Annotated[int, Meta(ge=0, le=10_000)]
"""Hundred-thousandths of the amount: 1 000 is 1 %; at most 10 %."""
TipValue = Annotated[int, Meta(ge=0, le=10**9)]
Days = Annotated[int, Meta(ge=0, le=30)]
Minute = Annotated[int, Meta(ge=0, le=1439)]
Reason = Annotated[str, Meta(max_length=32, pattern=r"^[a-z_]*$")]
Reasons = Annotated[tuple[Reason, ...], Meta(max_length=16)]
ReportNumber = Annotated[int, Meta(ge=1, le=2**31 - 1)]


# ── the shop itself ─────────────────────────────────────────────────────────────────────────────────────────────────


class Register(Message, frozen=True):
    """Open a shop of which the signer is the owner, with an account in one currency. Its name lives in its profile.

    Refuses ``person_unknown``, ``shop_alias_taken``.
    """

    asset: Asset
    country: Country
    category: Category
    alias: Bytes32 | None


class Registered(Message, frozen=True):
    """The new shop: its party id, and the account of its first currency."""

    shop: Party
    account: Bytes16


class OpenCurrency(Message, frozen=True):
    """Let the shop take one more currency. By a manager."""

    shop: Party
    asset: Asset


class CurrencyOpened(Message, frozen=True):
    """The account of the new currency."""

    account: Bytes16


class SetShopState(Message, frozen=True):
    """Suspend, close or re-open a shop; it takes no payments meanwhile. Its owner closes; an operator may all."""

    shop: Party
    state: ShopState


class AddStaff(Message, frozen=True):
    """Give somebody a role in the shop, or another role. A manager appoints cashiers; an owner may all."""

    shop: Party
    person: Party
    role: Role


class RemoveStaff(Message, frozen=True):
    """Take somebody's role away; never the last owner's."""

    shop: Party
    person: Party


class AddTill(Message, frozen=True):
    """Add a till with a code of its own that can be printed. By a manager."""

    shop: Party
    label: Sealed | None
    tip: Literal["none", "ask"]


class TillAdded(Message, frozen=True):
    """The new till."""

    till: Bytes16


class RemoveTill(Message, frozen=True):
    """Take a till out of use; its printed code is refused from now on. By a manager."""

    shop: Party
    till: Bytes16


# ── the public tariff ───────────────────────────────────────────────────────────────────────────────────────────────


class SetTariff(Message, frozen=True):
    """Set what taking a payment costs: ``fixed_minor`` plus the rate of the amount (not of the tip), rounded down.

    It is never more than the amount. What makes a known tariff dearer needs 30 days' notice (``tariff_notice``); a time
    that is past means now. By an operator; everybody may read it.
    """

    name: TariffName
    asset: Asset
    fixed_minor: MinorOrNone
    rate_per_100000: Rate
    from_ns: Time


class AssignTariff(Message, frozen=True):
    """Give a shop another tariff than ``standard``. By an operator."""

    shop: Party
    tariff: TariffName


# ── orders, payment links, static tills ─────────────────────────────────────────────────────────────────────────────


class NewOrder(Message, frozen=True):
    """Ask for a payment: at a till, as a payment link (``many``: paid any number of times), or with an exit token."""

    shop: Party
    till: Bytes16 | None
    asset: Asset
    amount_minor: Minor
    tip: Tip
    tip_value: TipValue
    number: Number
    until_ns: Time
    many: bool
    exit: bool


class OrderMade(Message, frozen=True):
    """The new order."""

    order: Bytes16


class WithdrawOrder(Message, frozen=True):
    """Take an open order back; it can't be paid any more."""

    order: Bytes16


class PayOrder(Message, frozen=True):
    """Pay an order: its amount and a tip as the order has it (``tip_differs``)."""

    order: Bytes16
    tip_minor: MinorOrNone


class PayTill(Message, frozen=True):
    """Pay an amount of one's own at a till, after reading its printed code."""

    shop: Party
    till: Bytes16
    asset: Asset
    amount_minor: Minor
    tip_minor: MinorOrNone


class Charge(Message, frozen=True):
    """Charge whoever showed a one-use code at a till. The door read the code; the ledger takes each once.

    ``code`` is the digest of the code and of the time it stands for. Refuses ``code_expired``, ``code_used``.
    """

    shop: Party
    till: Bytes16 | None
    payer: Party
    code: Bytes32
    code_until_ns: Time
    asset: Asset
    amount_minor: Minor
    number: Number


class Paid(Message, frozen=True):
    """What became of a payment: paid at once, or held by the guard with its reasons.

    ``exit_until_ns``: until when the payer may take an exit token, for an order with one that is paid.
    """

    payment: Bytes16
    state: PaidState
    reasons: Reasons
    exit_until_ns: Time | None


class Refund(Message, frozen=True):
    """Give a part or all of a payment back, any number of times, never more than was paid. By a manager.

    The shop's fee comes back in proportion, ``fee × refunded ÷ paid`` rounded down, counted over all refunds, so that
    a payment given back whole costs nothing.
    """

    payment: Bytes16
    amount_minor: Minor
    reason: RefundReason


class Refunded(Message, frozen=True):
    """The refund's transfer, and how much of the payment is left to refund."""

    refund: Bytes16
    left_minor: MinorOrNone


# ── leaving with the goods ──────────────────────────────────────────────────────────────────────────────────────────


class TakeExit(Message, frozen=True):
    """Take the exit token of an order that one has paid; ``token`` is the digest of what the door drew.

    It lives 5 minutes from the payment; taking it again replaces it.
    """

    order: Bytes16
    token: Bytes32


class ExitTaken(Message, frozen=True):
    """Until when the token opens the gate."""

    until_ns: Time


class UseExit(Message, frozen=True):
    """Let somebody out: once, in time, at the shop where it was paid. By staff or the gate's key."""

    shop: Party
    token: Bytes32


class ExitUsed(Message, frozen=True):
    """The order that the token is of."""

    order: Bytes16
    payment: Bytes16


# ── a hotel ─────────────────────────────────────────────────────────────────────────────────────────────────────────


class OfferStay(Message, frozen=True):
    """Offer a stay until a time, with a deposit that the guest's one consent holds."""

    shop: Party
    asset: Asset
    deposit_minor: Minor
    until_ns: Time


class StayOffered(Message, frozen=True):
    """The stay; whoever has its code may check in."""

    stay: Bytes16


class CheckIn(Message, frozen=True):
    """Check in with one consent: holds the deposit, gives the key, opens the folio.

    ``key`` is the digest of the key that the door drew for the guest.
    """

    stay: Bytes16
    key: Bytes32


class CheckedIn(Message, frozen=True):
    """The deposit's hold, and until when the key opens the door."""

    hold: Bytes16
    key_until_ns: Time


class UseKey(Message, frozen=True):
    """Ask, at the door's lock, whether a key opens this stay's door now. By staff or the lock's key."""

    stay: Bytes16
    key: Bytes32


class ChargeFolio(Message, frozen=True):
    """Write an amount on the guest's folio, up to the deposit."""

    stay: Bytes16
    amount_minor: Minor
    label: Sealed


class CheckOut(Message, frozen=True):
    """End a stay, by guest or staff: the folio is paid from the deposit, the rest is free again."""

    stay: Bytes16


class CheckedOut(Message, frozen=True):
    """What was paid; ``payment`` is None for an empty folio."""

    payment: Bytes16 | None
    paid_minor: MinorOrNone
    released_minor: MinorOrNone


class WithdrawStay(Message, frozen=True):
    """Take back an offer that nobody has checked in to."""

    stay: Bytes16


# ── settlement and day close ────────────────────────────────────────────────────────────────────────────────────────


class SetSettlement(Message, frozen=True):
    """Say when and where the shop's money goes: T+``days`` after each business day, to the owner's linked bank account.

    ``cut_minute`` is the minute of the UTC day at which a business day ends. ``account_ref`` None: money stays here.
    """

    shop: Party
    days: Days
    account_ref: Bytes16 | None
    cut_minute: Minute


class SettleNow(Message, frozen=True):
    """Close the business day early in one currency: what is there becomes due as agreed. By an owner."""

    shop: Party
    asset: Asset


class Settled(Message, frozen=True):
    """The settlement made, and when it is paid out."""

    settlement: Bytes16
    amount_minor: MinorOrNone
    due_ns: Time


class CloseDay(Message, frozen=True):
    """Close the day of a till, or of the whole shop: a numbered report of all since the one before, kept for good."""

    shop: Party
    till: Bytes16 | None


class DayClosed(Message, frozen=True):
    """The number of the report; see the query ``report``."""

    number: ReportNumber
