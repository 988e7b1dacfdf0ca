"""Money in and out: linked bank accounts, top-ups by reference, withdrawals, reconciliation, the proof of backing."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import TYPE_CHECKING, Final

from formicary.products.anatomy import Access, CommandType, EventType, Product, QueryType, schema_of
from formicary.products.bank import backing, commands, handlers, invariants, queries
from formicary.products.bank.codes import CODES
from formicary.products.bank.liabilities import KernelLiabilities
from formicary.products.bank.offers import NoPeers
from formicary.products.bank.queries import House, Houses

__all__ = ["SANDBOX_HOUSE", "House", "Houses", "product", "sandbox_houses"]

if TYPE_CHECKING:
    from formicary.products.bank.needs import Book, Liabilities, Peers, Purses

READ: Final = "bank:read"
WRITE: Final = "bank:write"
SANDBOX_HOUSE: Final = House("FR7630006000011234567890189", "AGRIFRPP", "Formicary Sandbox")
"""The institution's account at the sandbox bank; an example IBAN of no real account, for every currency."""


def sandbox_houses(_asset: int) -> House | None:
    """The same account for every currency."""
    return SANDBOX_HOUSE


def product(
    purses: Purses,
    book: Book,
    *,
    liabilities: Liabilities | None = None,
    houses: Houses = sandbox_houses,
    own_codes: Iterable[int] = (),
    peers: Peers | None = None,
) -> Product:
    """The bank. ``own_codes`` are other products' account codes of the institution's own money, such as fees."""
    owed, known = (liabilities or KernelLiabilities(), frozenset(own_codes)), peers or NoPeers()
    return Product(
        name="bank",
        schema=schema_of(__name__),
        commands=(
            *_of_people(purses, book),
            *_of_the_rail(purses, book, known),
            _of_the_day(*owed),
            *_of_operators(purses, book, known),
        ),
        events=(
            EventType(kind="withdrawal_asked", payload=commands.WithdrawalAsked),
            EventType(kind="withdrawal_moved", payload=commands.WithdrawalMoved),
            EventType(kind="topped_up", payload=commands.ToppedUp),
            EventType(kind="entry_opened", payload=commands.EntryOpened),
            EventType(kind="entry_settled", payload=commands.EntrySettled),
            EventType(kind="statement_in", payload=commands.StatementIn),
            EventType(kind="backing_attested", payload=commands.BackingAttested),
        ),
        queries=(*_questions(purses, houses), *_of_anybody(*owed)),
        codes=CODES,
        invariants=(
            invariants.nostro_is_what_the_bank_booked,
            invariants.transit_is_under_way,
            invariants.listed_is_what_statements_list,
            invariants.records_add_up,
        ),
    )


def _of_people(purses: Purses, book: Book) -> tuple[CommandType, ...]:
    return (
        CommandType(name="link_account", body=commands.LinkAccount, handler=handlers.link_account, access=Access.DOOR),
        CommandType(name="unlink_account", body=commands.UnlinkAccount, handler=handlers.unlink_account, scope=WRITE),
        CommandType(
            name="take_reference",
            body=commands.TakeReference,
            handler=partial(handlers.take_reference, purses),
            reply=commands.ReferenceTaken,
            scope=WRITE,
        ),
        CommandType(
            name="withdraw",
            body=commands.Withdraw,
            handler=partial(handlers.withdraw, purses, book),
            reply=commands.Withdrawing,
            scope=WRITE,
            confirm=True,
        ),
    )


def _of_the_rail(purses: Purses, book: Book, peers: Peers) -> tuple[CommandType, ...]:
    door = Access.DOOR
    return (
        CommandType(name="instructed", body=commands.Instructed, handler=handlers.instructed, access=door),
        CommandType(
            name="booked",
            body=commands.Booked,
            handler=partial(handlers.booked, purses, book, peers),
            reply=commands.BookedAs,
            access=door,
        ),
        CommandType(
            name="returned",
            body=commands.Returned,
            handler=partial(handlers.returned, purses, book),
            reply=commands.BookedAs,
            access=door,
        ),
        CommandType(
            name="rejected", body=commands.Rejected, handler=partial(handlers.rejected, purses, book), access=door
        ),
        CommandType(name="statement", body=commands.Statement, handler=handlers.statement, access=door),
        CommandType(name="listed", body=commands.Listed, handler=handlers.listed, access=door),
    )


def _of_the_day(liabilities: Liabilities, own_codes: frozenset[int]) -> CommandType:
    return CommandType(
        name="attest",
        body=commands.Attest,
        handler=partial(handlers.attest, liabilities, own_codes),
        reply=commands.Attested,
        access=Access.DOOR,
    )


def _of_operators(purses: Purses, book: Book, peers: Peers) -> tuple[CommandType, ...]:
    operator = Access.OPERATOR
    return (
        CommandType(
            name="assign",
            body=commands.Assign,
            handler=partial(handlers.assign, purses, book, peers),
            access=operator,
            scope=WRITE,
        ),
        CommandType(
            name="send_back",
            body=commands.SendBack,
            handler=partial(handlers.send_back, purses, book),
            access=operator,
            scope=WRITE,
        ),
        CommandType(
            name="take_own",
            body=commands.TakeOwn,
            handler=partial(handlers.take_own, purses),
            access=operator,
            scope=WRITE,
        ),
    )


def _questions(purses: Purses, houses: Houses) -> tuple[QueryType, ...]:
    return (
        QueryType(
            name="reference",
            asked=queries.AskReference,
            answer=queries.ReferenceToUse,
            question=partial(queries.reference, houses),
            scope=READ,
        ),
        QueryType(
            name="accounts",
            asked=queries.AskAccounts,
            answer=queries.LinkedAccounts,
            question=queries.accounts,
            scope=READ,
        ),
        QueryType(
            name="withdrawals",
            asked=queries.AskWithdrawals,
            answer=queries.WithdrawalsShown,
            question=queries.withdrawals,
            scope=READ,
        ),
        QueryType(
            name="open_items",
            asked=queries.AskOpenItems,
            answer=queries.OpenItems,
            question=partial(queries.open_items, purses),
            access=Access.OPERATOR,
            scope=READ,
        ),
        QueryType(
            name="reconciliation",
            asked=queries.AskReconciliation,
            answer=queries.Reconciliation,
            question=partial(queries.reconciliation, purses),
            access=Access.OPERATOR,
            scope=READ,
        ),
    )


def _of_anybody(liabilities: Liabilities, own_codes: frozenset[int]) -> tuple[QueryType, ...]:
    return (
        QueryType(
            name="backing",
            asked=backing.AskBacking,
            answer=backing.Backing,
            question=partial(backing.backing, liabilities, own_codes),
            access=Access.ANYONE,
        ),
        QueryType(
            name="backing_days",
            asked=backing.AskBackingDays,
            answer=backing.BackingDays,
            question=backing.backing_days,
            access=Access.ANYONE,
        ),
    )
