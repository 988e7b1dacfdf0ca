"""The proof of backing: customers' money against what is at the banks, at any moment and for each day, for anybody.

The live one is counted when it is asked for. The record of a day is counted once, in an entry of the log: what
``bank.attest`` replies is a leaf of the ledger's tree, so a receipt of it shows to anybody, without asking the
institution, what it said on that day.

Invariant: ``nostro + claims = customers + own`` in every currency, live and on record, for debits equal credits.
"""

from __future__ import annotations

from datetime import date
from math import gcd
from typing import TYPE_CHECKING, Annotated, Final, NamedTuple

import msgspec

from formicary.products.anatomy import Answer, Asset, Count, Time
from formicary.products.bank import rows
from formicary.products.bank.codes import NOSTRO, OWN, TRANSIT
from formicary.products.bank.commands import BackedOn, Day, StatementNumber, Total, Verdict

if TYPE_CHECKING:
    from formicary.machine.context import View
    from formicary.products.bank.needs import Liabilities

DAY_NS: Final = 86_400 * 1_000_000_000
EPOCH: Final = date(1970, 1, 1).toordinal()
DAYS_MAX: Final = 400
"""Rows of one answer: a year of days."""


class Sums(NamedTuple):
    """All accounts of one currency added up, in minor units."""

    customers: int
    nostro: int
    transit: int
    claims: int
    own: int


# ── live ────────────────────────────────────────────────────────────────────────────────────────────────────────────


class AskBacking(Answer, frozen=True):
    """Whether customers' money is there, by currency: every account of the ledger against the institution's banks."""


class Backed(Answer, frozen=True):
    """One currency. ``nostro + claims = customers + own``, for debits equal credits."""

    asset: Asset
    customers_minor: Total
    """Owed to others: wallets, shops, escrow, packets, money under way or not yet understood."""
    nostro_minor: Total
    """At the institution's banks, by the banks' own bookings."""
    claims_minor: Total
    """Owed to the institution by others than its banks; backs nothing."""
    own_minor: Total
    """The institution's own money."""
    backed: bool
    """Whether the banks hold at least what customers are owed; exact, nothing is rounded."""
    ratio_of: Total
    ratio_to: Total
    """``nostro : customers`` in lowest terms."""


class Backing(Answer, frozen=True):
    """Each currency of the ledger in which the bank has books, as of ``at_ns``."""

    at_ns: Time
    items: tuple[Backed, ...] = ()


def backing(
    liabilities: Liabilities, own_codes: frozenset[int], view: View, _who: bytes, _asked: AskBacking
) -> Backing:
    """Add up all accounts and compare with what is at the banks."""
    items = tuple(_backed(asset, added_up(liabilities, own_codes, view, asset)) for asset in rows.assets(view))
    return Backing(at_ns=view.time_ns, items=items)


def _backed(asset: int, found: Sums) -> Backed:
    common = gcd(found.nostro, found.customers) or 1
    return Backed(
        asset=asset,
        customers_minor=found.customers,
        nostro_minor=found.nostro,
        claims_minor=found.claims,
        own_minor=found.own,
        backed=found.nostro >= found.customers,
        ratio_of=found.nostro // common,
        ratio_to=found.customers // common,
    )


def added_up(liabilities: Liabilities, own_codes: frozenset[int], view: View, asset: int) -> Sums:
    """Add up every account of a currency; reads all of them."""
    customers = nostro = transit = claims = own = 0
    for total in liabilities.totals(view, asset):
        net_minor = total.credits_minor - total.debits_minor
        if total.code == NOSTRO:
            nostro -= net_minor
        elif total.code == OWN or total.code in own_codes:
            own += net_minor
        elif net_minor > 0:
            customers += net_minor
        else:
            claims -= net_minor
        if total.code == TRANSIT:
            transit = net_minor
    assert nostro + claims == customers + own, "debits equal credits"
    return Sums(customers, nostro, transit, claims, own)


# ── day by day ──────────────────────────────────────────────────────────────────────────────────────────────────────


class AskBackingDays(Answer, frozen=True):
    """How customers' money was backed on each day, newest first, as it was counted then; of one currency or all."""

    asset: Asset | None = None
    after: Annotated[str, msgspec.Meta(max_length=24)] = ""
    limit: Annotated[int, msgspec.Meta(ge=1, le=DAYS_MAX)] = 31


class BackedDay(Answer, frozen=True):
    """One currency on one day. ``/v1/bank/backing_days/{day}/receipt`` proves what is told of it."""

    day: Day
    asset: Asset
    at_ns: Time
    entry: Count
    """The entry of the log in which it was counted."""
    customers_minor: Total
    nostro_minor: Total
    transit_minor: Total
    claims_minor: Total
    own_minor: Total
    statement: StatementNumber
    closing_minor: Total
    unlisted_minor: Total
    difference_minor: Total
    """Between the ledger and the banks' statements, unexplained."""
    verdict: Verdict


class BackingDays(Answer, frozen=True):
    """A page of days."""

    items: tuple[BackedDay, ...] = ()
    next: str = ""


def backing_days(view: View, _who: bytes, asked: AskBackingDays) -> BackingDays:
    """List the records of days, newest first."""
    found = rows.backing_before(view, _place(asked.after), asset=asked.asset, limit=asked.limit + 1)
    page = found[: asked.limit]
    items = tuple(BackedDay(**{name: getattr(row, name) for name in BackedDay.__struct_fields__}) for row in page)
    more = f"{page[-1].day}-{page[-1].asset}" if len(found) > asked.limit else ""
    return BackingDays(items=items, next=more)


def _place(after: str) -> tuple[int, int]:
    """Read a cursor; one that nobody was given begins at the newest day."""
    day, _, asset = after.partition("-")
    readable = all(part.isascii() and part.isdigit() and len(part) <= 10 for part in (day, asset))
    return (int(day), int(asset)) if readable else (99991231, 0)


def counted(liabilities: Liabilities, own_codes: frozenset[int], view: View, asset: int) -> BackedOn:
    """Count one currency as it is now, against the newest statement of its bank."""
    found = added_up(liabilities, own_codes, view, asset)
    statements = rows.newest_statements(view, asset, limit=1)
    closing_minor = statements[0].closing_minor if statements else 0
    unlisted_minor = found.nostro - rows.listed_minor(view, asset)
    difference_minor = found.nostro - closing_minor - unlisted_minor
    verdict: Verdict = "backed"
    if found.nostro < found.customers:
        verdict = "short"
    elif difference_minor:
        verdict = "unexplained"
    return BackedOn(
        asset=asset,
        customers_minor=found.customers,
        nostro_minor=found.nostro,
        transit_minor=found.transit,
        claims_minor=found.claims,
        own_minor=found.own,
        statement=statements[0].number if statements else rows.NO_STATEMENT,
        closing_minor=closing_minor,
        unlisted_minor=unlisted_minor,
        difference_minor=difference_minor,
        verdict=verdict,
    )


def day_of(time_ns: int) -> int:
    """The UTC day ``yyyymmdd`` of a time in ns since 1970."""
    found = date.fromordinal(EPOCH + time_ns // DAY_NS)
    return found.year * 10_000 + found.month * 100 + found.day
