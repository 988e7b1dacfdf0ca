"""The wallet: people, their accounts and limits and devices, and what the institution's operators may do.

Other products use what stands in ``offers.py``; ``product`` makes the value that the machine is given.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from formicary.products.anatomy import Access, CommandType, EventType, Product, QueryType, TimerType, schema_of
from formicary.products.wallet import answers, commands, handlers, invariants, queries
from formicary.products.wallet import queries_of_operators as operators
from formicary.products.wallet.codes import CODES
from formicary.products.wallet.needs import NoPayouts

if TYPE_CHECKING:
    from formicary.products.wallet.needs import Payouts

READ: Final = "wallet:read"
WRITE: Final = "wallet:write"
"""What a key or token may see and do for a person; devices, trust, recovery and closing are the person's alone."""


def product(payouts: Payouts | None = None) -> Product:
    """The wallet, with somebody who pays balances out; without, a wallet closes only when it is empty."""
    return Product(
        name="wallet",
        schema=schema_of(__name__),
        commands=_of_people(payouts or NoPayouts()) + _of_operators(),
        timers=(
            TimerType(name="raise_own_limit", payload=commands.RaiseOwnLimit, handler=handlers.raise_own_limit),
            TimerType(name="finish_recovery", payload=commands.FinishRecovery, handler=handlers.finish_recovery),
            TimerType(name="expire_recovery", payload=commands.ExpireRecovery, handler=handlers.expire_recovery),
        ),
        events=_EVENTS,
        queries=_QUERIES,
        codes=CODES,
        invariants=invariants.INVARIANTS,
        on_genesis=handlers.begin,
    )


def _of_people(payouts: Payouts) -> tuple[CommandType, ...]:
    close = partial(handlers.close, payouts)
    return (
        CommandType(
            name="open", body=commands.Open, handler=handlers.open_wallet, reply=commands.Opened, access=Access.DOOR
        ),
        CommandType(
            name="open_currency",
            body=commands.OpenCurrency,
            handler=handlers.open_currency,
            reply=commands.CurrencyOpen,
            scope=WRITE,
        ),
        CommandType(
            name="claim_alias", body=commands.ClaimAlias, handler=handlers.claim_alias, access=Access.DOOR, scope=WRITE
        ),
        CommandType(
            name="release_alias",
            body=commands.ReleaseAlias,
            handler=handlers.release_alias,
            access=Access.DOOR,
            scope=WRITE,
        ),
        CommandType(
            name="add_contact", body=commands.AddContact, handler=handlers.add_contact, access=Access.DOOR, scope=WRITE
        ),
        CommandType(
            name="remove_contact",
            body=commands.RemoveContact,
            handler=handlers.remove_contact,
            access=Access.DOOR,
            scope=WRITE,
        ),
        CommandType(
            name="add_device", body=commands.AddDevice, handler=handlers.add_device, access=Access.DOOR, confirm=True
        ),
        CommandType(name="remove_device", body=commands.RemoveDevice, handler=handlers.remove_device, confirm=True),
        CommandType(name="freeze", body=commands.Freeze, handler=handlers.freeze, scope=WRITE),
        CommandType(name="unfreeze", body=commands.Unfreeze, handler=handlers.unfreeze, confirm=True),
        CommandType(name="set_own_limit", body=commands.SetOwnLimit, handler=handlers.set_own_limit, confirm=True),
        CommandType(name="trust", body=commands.Trust, handler=handlers.trust, confirm=True),
        CommandType(name="untrust", body=commands.Untrust, handler=handlers.untrust, confirm=True),
        CommandType(
            name="start_recovery",
            body=commands.StartRecovery,
            handler=handlers.start_recovery,
            reply=commands.RecoveryStarted,
            access=Access.DOOR,
        ),
        CommandType(
            name="approve_recovery", body=commands.ApproveRecovery, handler=handlers.approve_recovery, confirm=True
        ),
        CommandType(name="cancel_recovery", body=commands.CancelRecovery, handler=handlers.cancel_recovery),
        CommandType(name="close", body=commands.Close, handler=close, confirm=True),
    )


def _of_operators() -> tuple[CommandType, ...]:
    return (
        CommandType(name="set_tier", body=commands.SetTier, handler=handlers.set_tier, access=Access.OPERATOR),
        CommandType(
            name="freeze_person", body=commands.FreezePerson, handler=handlers.freeze_person, access=Access.OPERATOR
        ),
        CommandType(
            name="unfreeze_person",
            body=commands.UnfreezePerson,
            handler=handlers.unfreeze_person,
            access=Access.OPERATOR,
        ),
        CommandType(name="appoint", body=commands.Appoint, handler=handlers.appoint, access=Access.DOOR),
        CommandType(name="dismiss", body=commands.Dismiss, handler=handlers.dismiss, access=Access.DOOR),
        CommandType(
            name="propose",
            body=commands.Propose,
            handler=handlers.propose,
            reply=commands.Proposed,
            access=Access.OPERATOR,
        ),
        CommandType(
            name="approve", body=commands.Approve, handler=handlers.approve, access=Access.OPERATOR, confirm=True
        ),
        CommandType(name="reject", body=commands.Reject, handler=handlers.reject, access=Access.OPERATOR),
    )


_EVENTS: Final = (
    EventType(kind="opened", payload=commands.WalletOpened),
    EventType(kind="currency_opened", payload=commands.CurrencyOpened),
    EventType(kind="closed", payload=commands.WalletClosed),
    EventType(kind="alias_changed", payload=commands.AliasChanged),
    EventType(kind="contact_changed", payload=commands.ContactChanged),
    EventType(kind="device_added", payload=commands.DeviceAdded),
    EventType(kind="device_removed", payload=commands.DeviceRemoved),
    EventType(kind="tier_changed", payload=commands.TierChanged),
    EventType(kind="frozen", payload=commands.Frozen),
    EventType(kind="unfrozen", payload=commands.Unfrozen),
    EventType(kind="own_limit_changed", payload=commands.OwnLimitChanged),
    EventType(kind="trust_changed", payload=commands.TrustChanged),
    EventType(kind="recovery_asked", payload=commands.RecoveryAsked),
    EventType(kind="recovery_approved", payload=commands.RecoveryApproved),
    EventType(kind="recovery_ended", payload=commands.RecoveryEnded),
    EventType(kind="role_changed", payload=commands.RoleChanged),
    EventType(kind="proposal_made", payload=commands.ProposalMade),
    EventType(kind="proposal_decided", payload=commands.ProposalDecided),
    EventType(kind="limit_changed", payload=commands.LimitChanged),
    EventType(kind="parameter_changed", payload=commands.ParameterChanged),
)

_QUERIES: Final = (
    QueryType(name="me", asked=answers.Nothing, answer=answers.Me, question=queries.me, scope=READ),
    QueryType(name="accounts", asked=answers.Nothing, answer=answers.Accounts, question=queries.accounts, scope=READ),
    QueryType(name="names", asked=answers.Nothing, answer=answers.Names, question=queries.names, scope=READ),
    QueryType(name="devices", asked=answers.Nothing, answer=answers.Devices, question=queries.devices, scope=READ),
    QueryType(name="limits", asked=answers.OfAsset, answer=answers.LimitsAnswer, question=queries.limits, scope=READ),
    QueryType(name="trusted", asked=answers.Nothing, answer=answers.Trusted, question=queries.trusted, scope=READ),
    QueryType(
        name="recoveries", asked=answers.Nothing, answer=answers.Recoveries, question=queries.recoveries, scope=READ
    ),
    QueryType(name="tiers", asked=answers.OfAsset, answer=answers.Tiers, question=queries.tiers, access=Access.ANYONE),
    QueryType(name="find", asked=answers.Find, answer=answers.Found, question=queries.find, access=Access.DOOR),
    QueryType(
        name="device_keys",
        asked=answers.OfPerson,
        answer=answers.DeviceKeys,
        question=queries.device_keys,
        access=Access.DOOR,
    ),
    QueryType(
        name="people",
        asked=answers.ListPeople,
        answer=answers.People,
        question=operators.people,
        access=Access.OPERATOR,
    ),
    QueryType(
        name="person",
        asked=answers.OfPerson,
        answer=answers.PersonAnswer,
        question=operators.person,
        access=Access.OPERATOR,
    ),
    QueryType(
        name="roles", asked=answers.Nothing, answer=answers.Roles, question=operators.roles, access=Access.OPERATOR
    ),
    QueryType(
        name="proposals",
        asked=answers.ListProposals,
        answer=answers.Proposals,
        question=operators.proposals,
        access=Access.OPERATOR,
    ),
    QueryType(
        name="audit", asked=answers.ListAudit, answer=answers.Audit, question=operators.audit, access=Access.OPERATOR
    ),
    QueryType(
        name="parameters",
        asked=answers.Nothing,
        answer=answers.Parameters,
        question=operators.parameters,
        access=Access.ANYONE,
    ),
)
