"""Questions about the bank: for people and for operators. What anybody may ask is in ``backing.py``."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import TYPE_CHECKING, Annotated, Final, Literal, NamedTuple

import msgspec

from formicary.base.errors import Refusal
from formicary.products.anatomy import (
    Answer,
    Asset,
    Bytes16,
    Count,
    Minor,
    MinorOrNone,
    Sealed,
    Time,
)
from formicary.products.bank import rows
from formicary.products.bank.codes import CODES, OPERATOR
from formicary.products.bank.commands import Total
from formicary.products.bank.invariants import balance_minor
from formicary.products.bank.references import spaced, write_reference

if TYPE_CHECKING:
    from formicary.machine.context import View
    from formicary.products.bank.needs import Purses

Limit = Annotated[int, msgspec.Meta(ge=1, le=100)]
Text = Annotated[str, msgspec.Meta(max_length=140)]
STATEMENTS_CHECKED: Final = 400
"""How many of the newest statements a reconciliation looks at: a year of days."""
PROBLEMS_SHOWN: Final = 100
NEWEST: Final = (2**63 - 1, b"\xff" * 16)


class House(NamedTuple):
    """The institution's own account at its bank, in one currency, as payers need it."""

    iban: str
    bic: str
    name: str


Houses = Callable[[int], House | None]
"""``asset -> House``; what payers are told, never part of the state."""


# ── people ──────────────────────────────────────────────────────────────────────────────────────────────────────────


class AskReference(Answer, frozen=True):
    """Where to send money from a bank, and with which reference, so that it lands in the asker's wallet."""

    asset: Asset


class ReferenceToUse(Answer, frozen=True):
    """What a person writes into a bank transfer."""

    reference: Text
    reference_spaced: Text
    iban: Text
    bic: Text
    name: Text
    asset: Asset


class AskAccounts(Answer, frozen=True):
    """The asker's linked bank accounts."""


class LinkedAccount(Answer, frozen=True):
    """One linked bank account."""

    account_ref: Bytes16
    iban: Sealed
    linked_ns: Time


class LinkedAccounts(Answer, frozen=True):
    """All linked bank accounts, at most 8."""

    items: tuple[LinkedAccount, ...] = ()


class AskWithdrawals(Answer, frozen=True):
    """The asker's withdrawals, newest first."""

    after: str = ""
    limit: Limit = 20


class WithdrawalShown(Answer, frozen=True):
    """One withdrawal and how far it got."""

    withdrawal: Bytes16
    asset: Asset
    amount_minor: Minor
    account_ref: Bytes16
    asked_ns: Time
    state: Literal["asked", "instructed", "partly", "booked", "rejected", "returned"]
    booked_minor: MinorOrNone
    back_minor: MinorOrNone
    """What came back to the wallet, rejected or returned."""
    reason: str


class WithdrawalsShown(Answer, frozen=True):
    """A page of withdrawals."""

    items: tuple[WithdrawalShown, ...] = ()
    next: str = ""


def reference(houses: Houses, view: View, who: bytes, asked: AskReference) -> ReferenceToUse:
    """Tell a person where and how to send money to top up."""
    house = houses(asked.asset)
    if house is None:
        raise Refusal(CODES["bank_asset_unknown"], code="bank_asset_unknown")
    number = rows.reference_of(view, who)
    if number is None:
        raise Refusal(CODES["bank_reference_not_found"], code="bank_reference_not_found")
    text = write_reference(number)
    return ReferenceToUse(
        reference=text,
        reference_spaced=spaced(text),
        iban=house.iban,
        bic=house.bic,
        name=house.name,
        asset=asked.asset,
    )


def accounts(view: View, who: bytes, _asked: AskAccounts) -> LinkedAccounts:
    """List what the asker has linked."""
    found = rows.links(view, who)
    return LinkedAccounts(
        items=tuple(LinkedAccount(account_ref=one.account_ref, iban=one.iban, linked_ns=one.linked_ns) for one in found)
    )


def withdrawals(view: View, who: bytes, asked: AskWithdrawals) -> WithdrawalsShown:
    """List the asker's withdrawals, newest first."""
    found = rows.withdrawals_of(view, who, before=_place(asked.after), limit=asked.limit + 1)
    page = found[: asked.limit]
    more = f"{page[-1].asked_ns:x}-{page[-1].withdrawal.hex()}" if len(found) > asked.limit else ""
    return WithdrawalsShown(items=tuple(map(_shown, page)), next=more)


def _place(after: str) -> tuple[int, bytes]:
    """Read a cursor of a list that is ordered by time; one that nobody was given begins at the newest."""
    time, _, name = after.partition("-")
    try:
        place = (int(time, 16), bytes.fromhex(name))
    except ValueError:
        return NEWEST
    return place if 0 <= place[0] <= NEWEST[0] else NEWEST


def _shown(found: rows.Withdrawal) -> WithdrawalShown:
    return WithdrawalShown(
        withdrawal=found.withdrawal,
        asset=found.asset,
        amount_minor=found.amount_minor,
        account_ref=found.account_ref,
        asked_ns=found.asked_ns,
        state=found.state,  # type: ignore[arg-type] # the column holds only these
        booked_minor=found.booked_minor,
        back_minor=found.back_minor + found.given_up_minor,
        reason=found.reason,
    )


# ── operators ───────────────────────────────────────────────────────────────────────────────────────────────────────


class AskOpenItems(Answer, frozen=True):
    """Bookings that nobody understood, or withdrawals that the bank has not booked, of one currency."""

    asset: Asset
    kind: Literal["booking", "withdrawal", "unlisted"] = "booking"
    after: str = ""
    limit: Limit = 20


class OpenItem(Answer, frozen=True):
    """Something of the bank that is not settled."""

    kind: Literal["booking", "withdrawal", "unlisted"]
    ref: str
    """Hexadecimal: of a booking its ``entry_ref``, else the withdrawal."""
    direction: Literal["in", "out", "back"]
    amount_minor: Minor
    since_ns: Time
    why: str


class OpenItems(Answer, frozen=True):
    """A page of open items."""

    items: tuple[OpenItem, ...] = ()
    next: str = ""


class AskReconciliation(Answer, frozen=True):
    """How the ledger's accounts at banks compare with the banks' own statements, by currency."""


class Problem(Answer, frozen=True):
    """Something about the statements themselves that does not add up."""

    kind: Literal["statement_missing", "opening_differs", "sum_differs", "count_differs"]
    statement: Count
    expected_minor: Total
    found_minor: Total


class Reconciled(Answer, frozen=True):
    """One currency: ``nostro = closing of the newest statement + what is booked since + difference``."""

    asset: Asset
    nostro_minor: Total
    statement: int
    """Number of the newest statement; -1 before the first."""
    statement_date: int
    closing_minor: Total
    unlisted_minor: Total
    """Booked, and on no statement yet."""
    difference_minor: Total
    """Unexplained; zero where everything is in order."""
    matched: Count
    open_entries: Count
    open_in_minor: Total
    open_out_minor: Total
    under_way: Count
    under_way_minor: Total
    problems: tuple[Problem, ...] = ()


class Reconciliation(Answer, frozen=True):
    """Each currency that has money at a bank."""

    items: tuple[Reconciled, ...] = ()


def open_items(purses: Purses, view: View, who: bytes, asked: AskOpenItems) -> OpenItems:
    """List what has to be looked at."""
    _check_role(purses, view, who)
    found: Iterable[OpenItem]
    if asked.kind == "withdrawal":
        found = (_under_way_item(one) for one in rows.under_way(view, asked.asset))
    elif asked.kind == "unlisted":
        found = (_entry_item(one, "unlisted") for one in rows.entries_on(view, asked.asset, rows.NO_STATEMENT))
    else:
        found = (_entry_item(one, "booking") for one in _all_open(view, asked.asset))
    later = sorted((item for item in found if item.ref > asked.after), key=lambda item: item.ref)
    page = later[: asked.limit]
    return OpenItems(items=tuple(page), next=page[-1].ref if len(later) > asked.limit else "")


def reconciliation(purses: Purses, view: View, who: bytes, _asked: AskReconciliation) -> Reconciliation:
    """Compare every currency with its bank."""
    _check_role(purses, view, who)
    return Reconciliation(items=tuple(_reconciled(view, asset) for asset in rows.assets(view)))


def _reconciled(view: View, asset: int) -> Reconciled:
    books = rows.books(view, asset)
    assert books is not None, "listed"
    statements = rows.newest_statements(view, asset, limit=STATEMENTS_CHECKED)
    newest = statements[0] if statements else rows.StatementRow(asset, -1, 0, 0, 0, 0, 0)
    nostro_minor = -balance_minor(view, books.nostro)
    unlisted_minor = sum(entry.signed_minor for entry in rows.entries_on(view, asset, rows.NO_STATEMENT))
    opened = list(_all_open(view, asset))
    under_way = [found.transit_minor for found in rows.under_way(view, asset)]
    return Reconciled(
        asset=asset,
        nostro_minor=nostro_minor,
        statement=newest.number,
        statement_date=newest.date,
        closing_minor=newest.closing_minor,
        unlisted_minor=unlisted_minor,
        difference_minor=nostro_minor - newest.closing_minor - unlisted_minor,
        matched=rows.count_settled(view, asset),
        open_entries=len(opened),
        open_in_minor=balance_minor(view, books.unclear_in),
        open_out_minor=-balance_minor(view, books.unclear_out),
        under_way=len(under_way),
        under_way_minor=sum(under_way),
        problems=tuple(_problems(view, statements))[:PROBLEMS_SHOWN],
    )


def _problems(view: View, newest_first: list[rows.StatementRow]) -> Iterable[Problem]:
    """What does not add up within statements, and from each to the next."""
    for place, found in enumerate(newest_first):
        listed = [entry.signed_minor for entry in rows.entries_on(view, found.asset, found.number)]
        problem = partial(Problem, statement=found.number)
        if len(listed) != found.entries:
            yield problem(kind="count_differs", expected_minor=found.entries, found_minor=len(listed))
        total_minor = found.opening_minor + sum(listed)
        if total_minor != found.closing_minor:
            yield problem(kind="sum_differs", expected_minor=found.closing_minor, found_minor=total_minor)
        if place + 1 == len(newest_first):
            continue
        before = newest_first[place + 1]
        if before.number + 1 != found.number:
            yield problem(kind="statement_missing", expected_minor=before.number + 1, found_minor=found.number)
        elif before.closing_minor != found.opening_minor:
            yield problem(kind="opening_differs", expected_minor=before.closing_minor, found_minor=found.opening_minor)


def _all_open(view: View, asset: int) -> Iterable[rows.Entry]:
    after = b""
    while page := rows.open_entries(view, asset, after=after):
        yield from page
        after = page[-1].entry_ref


def _entry_item(found: rows.Entry, kind: Literal["booking", "unlisted"]) -> OpenItem:
    return OpenItem(
        kind=kind,
        ref=found.entry_ref.hex(),
        direction=found.direction,  # type: ignore[arg-type] # the column holds only these
        amount_minor=found.open_minor or found.amount_minor,
        since_ns=found.seen_ns,
        why=found.why,
    )


def _under_way_item(found: rows.Withdrawal) -> OpenItem:
    return OpenItem(
        kind="withdrawal",
        ref=found.withdrawal.hex(),
        direction="out",
        amount_minor=found.transit_minor,
        since_ns=found.asked_ns,
        why=found.state,
    )


def _check_role(purses: Purses, view: View, who: bytes) -> None:
    if not any(purses.has_role(view, who, role) for role in (OPERATOR, "auditor")):
        raise Refusal(CODES["bank_role_missing"], code="bank_role_missing")
