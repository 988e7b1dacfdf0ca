"""What people, operators and the courier may ask of the bank, and what it tells. Never changed, only added to."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from formicary.products.anatomy import MINOR_MAX, Asset, Bytes16, Bytes32, Count, Message, Minor, Party, Sealed, Time
from formicary.products.bank.codes import ASSETS_MAX, LISTED_MAX

Direction = Literal["in", "out"]
"""As the institution sees it: money came in, or went out."""
OpenDirection = Literal["in", "out", "back"]
"""``back``: a withdrawal was rejected and its payer's account is gone; the bank never saw it."""
Reference = Annotated[str, msgspec.Meta(max_length=35, pattern=r"^(RF[0-9]{14}|[0-9a-f]{32})?$")]
"""A top-up reference of ours, the name of a withdrawal, or nothing; free text of a payer is never on the log."""
Reason = Annotated[str, msgspec.Meta(max_length=4, pattern=r"^[A-Z0-9]{0,4}$")]
"""The bank's reason by ISO 20022's external code, such as ``AC04`` for a closed account."""
Balance = Annotated[int, msgspec.Meta(ge=-MINOR_MAX * 1000, le=MINOR_MAX * 1000)]
"""Minor units of the institution's whole account; below zero where the bank lends."""
Total = Annotated[int, msgspec.Meta(ge=-(2**62), le=2**62)]
"""Minor units of sums and differences of balances."""
Day = Annotated[int, msgspec.Meta(ge=19000101, le=99991231)]
"""A day, written as the number ``yyyymmdd``."""
StatementNumber = Annotated[int, msgspec.Meta(ge=-1, le=2**31 - 1)]
"""Of a bank's statement; -1 while there was none yet."""
Verdict = Literal["backed", "short", "unexplained"]
"""Of a day: ``short`` when the banks hold less than is owed, ``unexplained`` when books and statements differ."""

# ── people ──────────────────────────────────────────────────────────────────────────────────────────────────────────


class LinkAccount(Message, frozen=True):
    """Link a bank account to withdraw to; the IBAN goes sealed into the vault, the ledger gets a digest."""

    account_ref: Bytes16
    iban: Sealed
    iban_digest: Bytes32


class UnlinkAccount(Message, frozen=True):
    """Forget a linked bank account; what is on its way there still arrives."""

    account_ref: Bytes16


class TakeReference(Message, frozen=True):
    """Get the reference that tops up the signer's wallet; whoever has one gets the same again."""


class ReferenceTaken(Message, frozen=True):
    """The reference, by ISO 11649, to write into a bank transfer."""

    reference: Reference


class Withdraw(Message, frozen=True):
    """Send money from the wallet to a linked bank account."""

    account_ref: Bytes16
    asset: Asset
    amount_minor: Minor


class Withdrawing(Message, frozen=True):
    """The name of the withdrawal, which is its payment in the activity too."""

    withdrawal: Bytes16


# ── the courier ─────────────────────────────────────────────────────────────────────────────────────────────────────


class Instructed(Message, frozen=True):
    """The bank has been asked to pay a withdrawal."""

    withdrawal: Bytes16


class Booked(Message, frozen=True):
    """The bank booked something on the institution's account; the same booking again changes nothing."""

    asset: Asset
    entry_ref: Bytes32
    direction: Direction
    amount_minor: Minor
    reference: Reference
    booked_ns: Time


class BookedAs(Message, frozen=True):
    """What the ledger made of a booking."""

    state: Literal["matched", "open", "known"]


class Returned(Message, frozen=True):
    """A withdrawal's money came back to the institution's account."""

    withdrawal: Bytes16
    entry_ref: Bytes32
    asset: Asset
    amount_minor: Minor
    reason: Reason
    booked_ns: Time


class Rejected(Message, frozen=True):
    """The bank did not pay a withdrawal, and will not pay what it has not booked yet."""

    withdrawal: Bytes16
    reason: Reason


class Statement(Message, frozen=True):
    """The bank's statement of one period."""

    asset: Asset
    number: Count
    date: Day
    opening_minor: Balance
    closing_minor: Balance
    entries: Count


class Listed(Message, frozen=True):
    """These bookings stand on a statement."""

    asset: Asset
    number: Count
    entry_refs: Annotated[tuple[Bytes32, ...], msgspec.Meta(max_length=LISTED_MAX)]


class Attest(Message, frozen=True):
    """Count all customers' money against what is at the banks, once for each day; the reply is the day's record."""

    day: Day
    seen_ns: Time
    """The newest entry that the courier knew when it asked, by its time: so another attempt is another command."""


class BackedOn(Message, frozen=True):
    """One currency on one day: ``nostro + claims = customers + own``, for debits equal credits."""

    asset: Asset
    customers_minor: Total
    """Owed to others: wallets, shops, escrow, packets, money under way or not yet understood."""
    nostro_minor: Total
    """At the institution's banks, by the banks' own bookings."""
    transit_minor: Total
    """Part of what customers are owed: withdrawn, and not booked by the bank yet."""
    claims_minor: Total
    """Owed to the institution by others than its banks; backs nothing."""
    own_minor: Total
    """The institution's own money."""
    statement: StatementNumber
    closing_minor: Total
    """What the newest statement closed with; 0 before the first."""
    unlisted_minor: Total
    """Booked, and on no statement yet."""
    difference_minor: Total
    """``nostro - closing - unlisted``: unexplained; zero where everything is in order."""
    verdict: Verdict


class Attested(Message, frozen=True):
    """The record of one day; its receipt proves it to anybody."""

    day: Day
    items: Annotated[tuple[BackedOn, ...], msgspec.Meta(max_length=ASSETS_MAX)]


# ── operators ───────────────────────────────────────────────────────────────────────────────────────────────────────


class Assign(Message, frozen=True):
    """Give money that came in without a reference to the person it was meant for."""

    entry_ref: Bytes32
    person: Party


class SendBack(Message, frozen=True):
    """Send money that came in back to the account that it came from."""

    entry_ref: Bytes32


class TakeOwn(Message, frozen=True):
    """Count an open booking as the institution's own: money it brought in, or a fee that the bank took."""

    entry_ref: Bytes32


# ── events ──────────────────────────────────────────────────────────────────────────────────────────────────────────


class WithdrawalAsked(Message, frozen=True):
    """Event: the courier has to ask the bank to pay."""

    withdrawal: Bytes16
    party: Bytes16
    asset: Asset
    amount_minor: Minor
    account_ref: Bytes16


class WithdrawalMoved(Message, frozen=True):
    """Event: a withdrawal was instructed, booked in part or whole, rejected or returned."""

    withdrawal: Bytes16
    party: Party
    state: Literal["asked", "instructed", "partly", "booked", "rejected", "returned"]
    amount_minor: Minor
    reason: Reason


class ToppedUp(Message, frozen=True):
    """Event: money from a bank is in a wallet."""

    payment: Bytes16
    party: Party
    asset: Asset
    amount_minor: Minor


class EntryOpened(Message, frozen=True):
    """Event: the bank booked something that has to be looked at."""

    entry_ref: Bytes32
    asset: Asset
    direction: OpenDirection
    amount_minor: Minor
    why: Annotated[str, msgspec.Meta(max_length=32)]


class EntrySettled(Message, frozen=True):
    """Event: an open booking was assigned, sent back or taken as the institution's own."""

    entry_ref: Bytes32
    how: Literal["assigned", "sent_back", "own"]
    by: Party


class BackingAttested(Message, frozen=True):
    """Event: the backing of a day is on record; ``backed`` when it holds in every currency."""

    day: Day
    backed: bool


class StatementIn(Message, frozen=True):
    """Event: a statement of the bank is in."""

    asset: Asset
    number: Count
    closing_minor: Balance
