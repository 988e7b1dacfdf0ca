"""What may be asked of clearing, what it answers, and what it tells the outside. Never changed, only added to."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from formicary.products.anatomy import Asset, Bytes16, Bytes32, Flag, Message, Minor, MinorOrNone, Party, Sealed

Address = Annotated[str, msgspec.Meta(max_length=200)]
"""Where an institution's door is: public, and about nobody."""
Code = Annotated[str, msgspec.Meta(max_length=64, pattern=r"^([a-z_]+[0-9]{0,2})?$(?!\n)")]
"""A refusal's code. Another institution sends it: nothing that it could say of anybody in it gets on the log."""
Signature = Annotated[bytes, msgspec.Meta(min_length=64, max_length=64)]
Purpose = Literal["goods", "friend", "family", "rent", "fee_for_money", "invest", "other"]
Reasons = Annotated[tuple[Code, ...], msgspec.Meta(max_length=16)]
OutState = Literal["held", "offered", "captured", "cancelled", "refused"]
InState = Literal["held", "captured", "cancelled"]


SettlementState = Literal["waiting", "rejected", "sent", "received"]
Reference = Annotated[str, msgspec.Meta(max_length=25, pattern=r"^(RF[0-9]{2}[0-9A-Z]{1,21})?$(?!\n)")]
"""A creditor reference by ISO 11649, or nothing."""


class AddInstitution(Message, frozen=True):
    """Make another institution known, or say who this one is; saying it again changes key, address or notice.

    ``notice_minor`` is the position at which operators are told, 0 for never; it never stops a payment.
    """

    institution: Party
    own: Flag
    key: Bytes32
    address: Address
    notice_minor: MinorOrNone


class SendOut(Message, frozen=True):
    """Pay somebody at another institution: held until it accepts, and given back when it does not.

    ``payee`` is the text that the other institution finds the payee by; ``payee_ref`` its keyed digest, which tells
    our own guard whether that payee is new.
    """

    institution: Party
    payee: Sealed
    payee_ref: Bytes16
    asset: Asset
    amount_minor: Minor
    purpose: Purpose
    note: Sealed | None


class SentOut(Message, frozen=True):
    """A payment is under way, or is held with reasons until the guard lets it go."""

    payment: Bytes16
    state: Literal["offered", "held"]
    reasons: Reasons


class CancelOut(Message, frozen=True):
    """Call one's payment off, as long as the other institution has not accepted it."""

    transfer: Bytes16


class AcceptedOut(Message, frozen=True):
    """The other institution holds the money for its payee: this decides the payment."""

    transfer: Bytes16
    signature: Signature


class RefusedOut(Message, frozen=True):
    """The other institution's payee can't be paid, and why: the payer has the money back."""

    transfer: Bytes16
    code: Code


class ToldOut(Message, frozen=True):
    """The other institution knows how the payment ended: nothing is left to say."""

    transfer: Bytes16


class OfferedIn(Message, frozen=True):
    """Another institution's customer wants to pay one of ours: hold the money for the payee."""

    institution: Party
    transfer: Bytes16
    payee: Party
    asset: Asset
    amount_minor: Minor
    note: Sealed | None
    signature: Signature


class CapturedIn(Message, frozen=True):
    """The paying institution has decided: the payee has the money."""

    institution: Party
    transfer: Bytes16
    signature: Signature


class CancelledIn(Message, frozen=True):
    """The paying institution has called the payment off, whether or not we had heard of it."""

    institution: Party
    transfer: Bytes16
    asset: Asset
    amount_minor: Minor
    signature: Signature


class SetBank(Message, frozen=True):
    """Say to which bank account another institution is paid, and what our payments to it have to say.

    The IBAN is sealed for the institution's people; the ledger gets a digest and a number.
    """

    institution: Party
    account_ref: Bytes16
    iban: Sealed
    iban_digest: Bytes32
    reference: Reference


class ProposeSettlement(Message, frozen=True):
    """Propose, as an operator, to pay another institution what is owed, or part of it; somebody else decides."""

    institution: Party
    asset: Asset
    amount_minor: Minor


class SettlementProposal(Message, frozen=True):
    """The name of the settlement."""

    settlement: Bytes16


class ApproveSettlement(Message, frozen=True):
    """Approve, as an approver, what somebody else proposed: the money leaves for the institution's bank."""

    settlement: Bytes16


class RejectSettlement(Message, frozen=True):
    """Reject what somebody else proposed; the position stays."""

    settlement: Bytes16


class OfferEnds(Message, frozen=True):
    """Of a timer: the other institution has not accepted in time."""

    transfer: Bytes16


class OutMoved(Message, frozen=True):
    """Event: a payment to another institution goes on, or ends; its payer is told, and the relay acts on it."""

    transfer: Bytes16
    institution: Party
    asset: Asset
    amount_minor: Minor
    state: OutState
    code: Code


class InMoved(Message, frozen=True):
    """Event: a payment from another institution goes on, or ends; its payee is told, and the relay asks about it."""

    transfer: Bytes16
    institution: Party
    payment: Bytes16
    asset: Asset
    amount_minor: Minor
    state: InState


class PositionNoticed(Message, frozen=True):
    """Event: a position with an institution has passed the amount that operators want to hear of."""

    institution: Party
    asset: Asset
    we_owe_minor: MinorOrNone
    they_owe_minor: MinorOrNone


class SettlementMoved(Message, frozen=True):
    """Event: a settlement was proposed, rejected or sent, or an institution's own came in."""

    settlement: Bytes16
    institution: Party
    asset: Asset
    amount_minor: Minor
    state: SettlementState
