"""What can be asked of the wallet, and what it answers."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from formicary.products.anatomy import Answer, Asset, Bytes16, Bytes32, MinorOrNone, Party, Sealed, Time

Limit = Annotated[int, msgspec.Meta(ge=1, le=100)]
Cursor = Annotated[str, msgspec.Meta(max_length=80)]
StateOrAll = Literal["", "open", "frozen", "closed"]
ProposalStateOrAll = Literal["", "waiting", "approved", "rejected"]


class Nothing(Answer, frozen=True):
    """No parameters."""


class Me(Answer, frozen=True):
    """How the asker's wallet stands; ``frozen_by`` is ``person``, ``operator``, or empty."""

    person: Party
    tier: int
    state: str
    opened_ns: Time
    frozen_by: str
    aliases: int
    contacts: int
    devices: int
    roles: tuple[str, ...]


class AccountItem(Answer, frozen=True):
    """One currency, in minor units: what is there, of it what is free and what is held, and what is held for it."""

    account: Bytes16
    asset: Asset
    balance_minor: int
    available_minor: int
    held_minor: int
    coming_minor: int


class Accounts(Answer, frozen=True):
    """Every currency of a wallet."""

    items: tuple[AccountItem, ...]


class AliasItem(Answer, frozen=True):
    """One alias, by its keyed digest."""

    alias: Bytes32
    claimed_ns: Time


class ContactItem(Answer, frozen=True):
    """One contact point, by its keyed digest."""

    contact: Bytes32
    kind: str
    findable: bool


class Names(Answer, frozen=True):
    """What a person goes by."""

    aliases: tuple[AliasItem, ...]
    contacts: tuple[ContactItem, ...]


class DeviceItem(Answer, frozen=True):
    """One device that may sign."""

    device: Bytes16
    kind: str
    label: Sealed | None
    added_ns: Time


class Devices(Answer, frozen=True):
    """All devices of a person."""

    items: tuple[DeviceItem, ...]


class OfPerson(Answer, frozen=True):
    """About one person."""

    person: Party


class DeviceKey(Answer, frozen=True):
    """A device, and what its signature is checked with."""

    device: Bytes16
    kind: str
    key: bytes


class DeviceKeys(Answer, frozen=True):
    """The keys of all devices of a person."""

    items: tuple[DeviceKey, ...]


class OfAsset(Answer, frozen=True):
    """About one currency."""

    asset: Asset


class LimitsAnswer(Answer, frozen=True):
    """What holds for the asker in a currency, in minor units; zero is no limit.

    ``own_…`` are the person's own; ``raise_…`` are those that will hold from ``raise_ns`` on, if any wait.
    """

    asset: Asset
    tier: int
    payment_minor: MinorOrNone
    day_minor: MinorOrNone
    year_minor: MinorOrNone
    balance_minor: MinorOrNone
    own_payment_minor: MinorOrNone
    own_day_minor: MinorOrNone
    raise_payment_minor: MinorOrNone
    raise_day_minor: MinorOrNone
    raise_ns: Time | None
    spent_day_minor: int
    spent_year_minor: int


class TierItem(Answer, frozen=True):
    """Limits of one tier, in minor units; zero is no limit."""

    tier: int
    payment_minor: MinorOrNone
    day_minor: MinorOrNone
    year_minor: MinorOrNone
    balance_minor: MinorOrNone


class Tiers(Answer, frozen=True):
    """Limits of every tier in a currency."""

    asset: Asset
    items: tuple[TierItem, ...]


class TrustItem(Answer, frozen=True):
    """Somebody, and since when."""

    person: Party
    since_ns: Time


class Trusted(Answer, frozen=True):
    """Whom the asker trusts, and who trusts the asker."""

    items: tuple[TrustItem, ...]
    trusted_by: tuple[TrustItem, ...]


class RecoveryItem(Answer, frozen=True):
    """One recovery: of whom, how many vouched and how many must, and when it is done (or expires, while asked)."""

    recovery: Bytes16
    person: Party
    state: str
    started_ns: Time
    due_ns: Time | None
    vouched: int
    needed: int
    vouched_by_me: bool


class Recoveries(Answer, frozen=True):
    """The asker's own recoveries, newest first, and those under way that the asker may vouch for."""

    items: tuple[RecoveryItem, ...]
    to_vouch: tuple[RecoveryItem, ...]


class Find(Answer, frozen=True):
    """Whom an alias or a findable contact point belongs to, by its keyed digest in hexadecimal."""

    digest: Annotated[str, msgspec.Meta(max_length=64)]


class Found(Answer, frozen=True):
    """Somebody; ``kind`` is ``alias``, ``phone`` or ``mail``."""

    person: Party
    kind: str


class ListPeople(Answer, frozen=True):
    """People in the order of their ids, by state and by the beginning of the id in hexadecimal."""

    state: StateOrAll = ""
    prefix: Annotated[str, msgspec.Meta(max_length=32)] = ""
    after: Cursor = ""
    limit: Limit = 20


class PersonItem(Answer, frozen=True):
    """One person; ``reason`` is an operator's for a freeze, or empty."""

    person: Party
    tier: int
    state: str
    frozen_by: str
    reason: str
    opened_ns: Time


class People(Answer, frozen=True):
    """Some people."""

    items: tuple[PersonItem, ...]
    next: str = ""


class PersonAnswer(Answer, frozen=True):
    """All that the wallet knows of a person but for names and keys."""

    person: PersonItem
    accounts: tuple[AccountItem, ...]
    devices: int
    aliases: int
    contacts: int
    trusted: int
    roles: tuple[str, ...]


class RoleItem(Answer, frozen=True):
    """Who has which role."""

    person: Party
    role: str


class Roles(Answer, frozen=True):
    """Everybody with a role."""

    items: tuple[RoleItem, ...]


class ListProposals(Answer, frozen=True):
    """Proposals, newest first, by state."""

    state: ProposalStateOrAll = ""
    after: Cursor = ""
    limit: Limit = 20


class ProposalItem(Answer, frozen=True):
    """One proposal: its kind, who made and who decided it, and of its change what that kind has."""

    proposal: Bytes16
    kind: str
    state: str
    maker: Party
    made_ns: Time
    checker: Party | None
    decided_ns: Time | None
    mine: bool
    tier: int | None = None
    asset: Asset | None = None
    payment_minor: MinorOrNone | None = None
    day_minor: MinorOrNone | None = None
    year_minor: MinorOrNone | None = None
    balance_minor: MinorOrNone | None = None
    name: str | None = None
    value: int | None = None
    person: Party | None = None
    role: str | None = None


class Proposals(Answer, frozen=True):
    """Some proposals."""

    items: tuple[ProposalItem, ...]
    next: str = ""


class ParameterItem(Answer, frozen=True):
    """One parameter, and what it may be set to."""

    name: str
    value: int
    least: int
    greatest: int


class Parameters(Answer, frozen=True):
    """All parameters of the institution."""

    items: tuple[ParameterItem, ...]


class ListAudit(Answer, frozen=True):
    """What operators did, newest first."""

    after: Cursor = ""
    limit: Limit = 20


class AuditItem(Answer, frozen=True):
    """One act; without an actor it was typed at the machine itself. The subject is an id in hexadecimal, or empty."""

    number: int
    at_ns: Time
    actor: Party | None
    action: str
    subject: str
    detail: str


class Audit(Answer, frozen=True):
    """Some acts."""

    items: tuple[AuditItem, ...]
    next: str = ""
