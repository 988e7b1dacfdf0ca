"""What people and operators may ask of the wallet, what it answers and tells. Never changed, only added to.

Nothing personal is in a message: a name or an address is a keyed digest made at a door, a label is sealed in the vault.
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from formicary.products.anatomy import Asset, Bytes16, Bytes32, Message, MinorOrNone, Party, Sealed, Time

DeviceKind = Literal["passkey", "pin"]
ContactKind = Literal["phone", "mail"]
FreezeReason = Literal["fraud", "court", "lost", "other"]
Role = Literal["operator", "approver", "auditor", "arbiter"]
Tier = Annotated[int, msgspec.Meta(ge=0, le=2)]
Key = Annotated[bytes, msgspec.Meta(min_length=1, max_length=1024)]
Name = Annotated[str, msgspec.Meta(min_length=1, max_length=40)]
Value = Annotated[int, msgspec.Meta(ge=0, le=2**53 - 1)]


# ── opening ─────────────────────────────────────────────────────────────────────────────────────────────────────────


class Open(Message, frozen=True):
    """Open the signer's wallet in tier T0, with one to eight currencies and perhaps an alias."""

    assets: Annotated[tuple[Asset, ...], msgspec.Meta(min_length=1, max_length=8)]
    alias: Bytes32 | None


class Opened(Message, frozen=True):
    """The accounts, one for each currency, in the order asked."""

    accounts: Annotated[tuple[Bytes16, ...], msgspec.Meta(max_length=8)]


class OpenCurrency(Message, frozen=True):
    """Open one more currency in the signer's wallet."""

    asset: Asset


class CurrencyOpen(Message, frozen=True):
    """The account of the new currency."""

    account: Bytes16


class Close(Message, frozen=True):
    """Close the signer's wallet for good, and pay what is in it out to a linked bank account."""

    account_ref: Bytes16 | None


# ── being found ─────────────────────────────────────────────────────────────────────────────────────────────────────


class ClaimAlias(Message, frozen=True):
    """Take an alias, by the keyed digest of its text."""

    alias: Bytes32


class ReleaseAlias(Message, frozen=True):
    """Give an alias up; nobody else gets it before its rest is over."""

    alias: Bytes32


class AddContact(Message, frozen=True):
    """Note a phone number or mail address by its keyed digest, and whether others who know it may find the person."""

    contact: Bytes32
    kind: ContactKind
    findable: bool


class RemoveContact(Message, frozen=True):
    """Forget a phone number or mail address."""

    contact: Bytes32


# ── devices ─────────────────────────────────────────────────────────────────────────────────────────────────────────


class AddDevice(Message, frozen=True):
    """Let one more device sign for the person."""

    device: Bytes16
    key: Key
    kind: DeviceKind
    label: Sealed | None


class RemoveDevice(Message, frozen=True):
    """Let a device sign no more; the last one stays."""

    device: Bytes16


# ── safety ──────────────────────────────────────────────────────────────────────────────────────────────────────────


class Freeze(Message, frozen=True):
    """Stop all payments from and to the signer's wallet."""


class Unfreeze(Message, frozen=True):
    """Undo the signer's own freeze."""


class SetOwnLimit(Message, frozen=True):
    """Limit one's own payments in a currency, in minor units, zero for none: lower at once, higher after a day."""

    asset: Asset
    payment_minor: MinorOrNone
    day_minor: MinorOrNone


class Trust(Message, frozen=True):
    """Name a trusted contact, who may help to recover the wallet and is told when a payment looks like a scam."""

    person: Party


class Untrust(Message, frozen=True):
    """Take a trusted contact off the list."""

    person: Party


class StartRecovery(Message, frozen=True):
    """Ask a person's trusted contacts to let a new device take the place of all lost ones."""

    person: Party
    device: Bytes16
    key: Key
    kind: DeviceKind
    label: Sealed | None


class RecoveryStarted(Message, frozen=True):
    """The name of the recovery."""

    recovery: Bytes16


class ApproveRecovery(Message, frozen=True):
    """Vouch, as a trusted contact, that the person asked for this recovery."""

    recovery: Bytes16


class CancelRecovery(Message, frozen=True):
    """Stop a recovery of one's own wallet."""

    recovery: Bytes16


# ── operators ───────────────────────────────────────────────────────────────────────────────────────────────────────


class SetTier(Message, frozen=True):
    """Put a person into a tier, which sets the limits of their payments and balances."""

    person: Party
    tier: Tier


class FreezePerson(Message, frozen=True):
    """Stop all payments from and to a person, for a reason; only an operator undoes it."""

    person: Party
    reason: FreezeReason


class UnfreezePerson(Message, frozen=True):
    """Undo an operator's freeze; the person's own stays."""

    person: Party


class Appoint(Message, frozen=True, tag="appoint"):
    """Give a person a role in the institution."""

    person: Party
    role: Role


class Dismiss(Message, frozen=True, tag="dismiss"):
    """Take a role from a person."""

    person: Party
    role: Role


class SetLimit(Message, frozen=True, tag="set_limit"):
    """Set what a tier may pay at once, in a day and in a year, and hold, in minor units; zero for no limit."""

    tier: Tier
    asset: Asset
    payment_minor: MinorOrNone
    day_minor: MinorOrNone
    year_minor: MinorOrNone
    balance_minor: MinorOrNone


class SetParameter(Message, frozen=True, tag="set_parameter"):
    """Set one of the institution's parameters."""

    name: Name
    value: Value


Change = SetLimit | SetParameter | Appoint | Dismiss
"""What takes two people."""


class Propose(Message, frozen=True):
    """Propose a change of limits, parameters or roles; somebody else approves it."""

    change: Change


class Proposed(Message, frozen=True):
    """The name of the proposal."""

    proposal: Bytes16


class Approve(Message, frozen=True):
    """Approve another operator's proposal, which takes effect at once."""

    proposal: Bytes16


class Reject(Message, frozen=True):
    """Reject another operator's proposal."""

    proposal: Bytes16


# ── timers ──────────────────────────────────────────────────────────────────────────────────────────────────────────


class RaiseOwnLimit(Message, frozen=True):
    """Of a timer: the day is over after which a person's higher own limit holds."""

    person: Party
    asset: Asset


class FinishRecovery(Message, frozen=True):
    """Of a timer: nobody stopped the recovery in time."""

    recovery: Bytes16


class ExpireRecovery(Message, frozen=True):
    """Of a timer: too few vouched for the recovery in time."""

    recovery: Bytes16


# ── events ──────────────────────────────────────────────────────────────────────────────────────────────────────────


class WalletOpened(Message, frozen=True):
    """Event: somebody has a wallet."""

    person: Party


class CurrencyOpened(Message, frozen=True):
    """Event: a wallet has one more currency."""

    asset: Asset
    account: Bytes16


class WalletClosed(Message, frozen=True):
    """Event: a wallet came to its end; its devices may sign no more."""

    person: Party


class AliasChanged(Message, frozen=True):
    """Event: an alias was claimed or released."""

    alias: Bytes32
    claimed: bool


class ContactChanged(Message, frozen=True):
    """Event: a contact point was noted, changed or forgotten."""

    kind: ContactKind
    findable: bool
    removed: bool


class DeviceAdded(Message, frozen=True):
    """Event: a device may sign for the person."""

    device: Bytes16
    kind: DeviceKind


class DeviceRemoved(Message, frozen=True):
    """Event: a device may sign no more."""

    device: Bytes16


class TierChanged(Message, frozen=True):
    """Event: a person has other limits."""

    tier: Tier


class Frozen(Message, frozen=True):
    """Event: a person's payments stopped; the reason is an operator's, or nothing for the person's own freeze."""

    person: Party
    reason: FreezeReason | None


class Unfrozen(Message, frozen=True):
    """Event: a freeze was undone; ``still_frozen`` when another one holds."""

    person: Party
    still_frozen: bool


class OwnLimitChanged(Message, frozen=True):
    """Event: a person's own limits that hold now, zero for none; ``raised_ns`` is when higher ones will, or nothing."""

    asset: Asset
    payment_minor: MinorOrNone
    day_minor: MinorOrNone
    raised_ns: Time | None


class TrustChanged(Message, frozen=True):
    """Event: told to a trusted contact, who is one now or no more."""

    person: Party
    trusted: bool


class RecoveryAsked(Message, frozen=True):
    """Event: told to the person and to each trusted contact, who may vouch."""

    recovery: Bytes16
    person: Party


class RecoveryApproved(Message, frozen=True):
    """Event: a contact vouched; ``due_ns`` is when the new device takes over, once enough have."""

    recovery: Bytes16
    by: Party
    due_ns: Time | None


class RecoveryEnded(Message, frozen=True):
    """Event: a recovery was done, cancelled, or ran out of time."""

    recovery: Bytes16
    person: Party
    how: Literal["done", "cancelled", "expired"]


class RoleChanged(Message, frozen=True):
    """Event: a person was given a role, or lost it."""

    person: Party
    role: Role
    given: bool


class ProposalMade(Message, frozen=True):
    """Event: a change waits for somebody else's approval."""

    proposal: Bytes16


class ProposalDecided(Message, frozen=True):
    """Event: a change was approved or rejected."""

    proposal: Bytes16
    approved: bool


class LimitChanged(Message, frozen=True):
    """Event: a tier has other limits in a currency."""

    tier: Tier
    asset: Asset


class ParameterChanged(Message, frozen=True):
    """Event: a parameter has another value."""

    name: Name
    value: Value
