"""The bank's rows, as handlers and questions read them: named tuples, by key or page by page."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from formicary.machine.context import View

PAGE: Final = 1000
"""Rows read at a time where all are walked over."""


class Books(NamedTuple):
    """The institution's accounts in the kernel, of one currency."""

    asset: int
    nostro: int
    transit: int
    unclear_in: int
    unclear_out: int
    own: int


class Link(NamedTuple):
    """A bank account that somebody linked."""

    account_ref: bytes
    party: bytes
    iban: bytes
    iban_digest: bytes
    linked_ns: int
    state: str
    reference: str
    """What the receiver wants to read in each payment, by ISO 11649; empty for people."""


class Withdrawal(NamedTuple):
    """Money on its way out, and how far it got."""

    withdrawal: bytes
    party: bytes
    account: bytes
    asset: int
    amount_minor: int
    account_ref: bytes
    asked_ns: int
    counted: int
    booked_minor: int
    given_up_minor: int
    back_minor: int
    state: str
    reason: str

    @property
    def transit_minor(self) -> int:
        """What has left the person and is not booked by the bank yet."""
        return self.amount_minor - self.booked_minor - self.given_up_minor


class Entry(NamedTuple):
    """One booking of the bank."""

    entry_ref: bytes
    asset: int
    direction: str
    amount_minor: int
    reference: str
    booked_ns: int
    seen_ns: int
    open_minor: int
    state: str
    why: str
    party: bytes
    payment: bytes
    statement: int

    @property
    def signed_minor(self) -> int:
        """What it did to the institution's account."""
        return {"in": self.amount_minor, "out": -self.amount_minor, "back": 0}[self.direction]


class StatementRow(NamedTuple):
    """What one statement said."""

    asset: int
    number: int
    date: int
    opening_minor: int
    closing_minor: int
    entries: int
    seen_ns: int


class BackingRow(NamedTuple):
    """One currency on one day, as it was counted."""

    day: int
    asset: int
    at_ns: int
    entry: int
    seen_ns: int
    customers_minor: int
    nostro_minor: int
    transit_minor: int
    claims_minor: int
    own_minor: int
    statement: int
    closing_minor: int
    unlisted_minor: int
    difference_minor: int
    verdict: str


UNDER_WAY: Final = ("asked", "instructed", "partly")
"""States of a withdrawal of which the bank has not booked everything."""
NO_STATEMENT: Final = -1
"""Of a booking that no statement lists yet."""
NEVER_LISTED: Final = -2
"""Of money that a withdrawal gave back and that the bank never saw."""
NOBODY: Final = b""


def books(view: View, asset: int) -> Books | None:
    """The institution's accounts of a currency; None before the first money of it."""
    sql = "SELECT asset, nostro, transit, unclear_in, unclear_out, own FROM bank_books WHERE asset = ? ORDER BY asset"
    found = view.rows.one(sql, asset)
    return None if found is None else Books(found[0], *(int.from_bytes(part, "big") for part in found[1:]))


def assets(view: View) -> list[int]:
    """Every currency that has books, by number."""
    return [asset for (asset,) in view.rows.all("SELECT asset FROM bank_books ORDER BY asset")]


def link(view: View, account_ref: bytes) -> Link | None:
    """A linked bank account, also one that was unlinked."""
    sql = """SELECT account_ref, party, iban, iban_digest, linked_ns, state, reference FROM bank_links
             WHERE account_ref = ? ORDER BY account_ref"""
    found = view.rows.one(sql, account_ref)
    return None if found is None else Link(*found)


def links(view: View, party: bytes) -> list[Link]:
    """The bank accounts that somebody has linked now, at most LINKS_MAX."""
    sql = """SELECT account_ref, party, iban, iban_digest, linked_ns, state, reference FROM bank_links
             WHERE party = ? AND state = 'linked' ORDER BY account_ref"""
    return [Link(*row) for row in view.rows.all(sql, party)]


def reference_of(view: View, party: bytes) -> int | None:
    """The number in somebody's top-up reference."""
    found = view.rows.one("SELECT number FROM bank_references WHERE party = ? ORDER BY number", party)
    return None if found is None else int(found[0])


def party_of(view: View, number: int) -> bytes | None:
    """Whose top-up reference has this number."""
    found = view.rows.one("SELECT party FROM bank_references WHERE number = ? ORDER BY number", number)
    return None if found is None else bytes(found[0])


_WITHDRAWAL: Final = (
    "SELECT withdrawal, party, account, asset, amount_minor, account_ref, asked_ns, counted, booked_minor, "
    "given_up_minor, back_minor, state, reason"
)
_ENTRY: Final = (
    "SELECT entry_ref, asset, direction, amount_minor, reference, booked_ns, seen_ns, open_minor, state, why, party, "
    "payment, statement"
)
_STATEMENT: Final = "SELECT asset, number, date, opening_minor, closing_minor, entries, seen_ns"


def withdrawal(view: View, name: bytes) -> Withdrawal | None:
    """A withdrawal by its name."""
    found = view.rows.one(f"{_WITHDRAWAL} FROM bank_withdrawals WHERE withdrawal = ? ORDER BY withdrawal", name)
    return None if found is None else Withdrawal(*found)


def withdrawals_of(view: View, party: bytes, *, before: tuple[int, bytes], limit: int) -> list[Withdrawal]:
    """Somebody's withdrawals, newest first, before a place (time, name)."""
    sql = f"""{_WITHDRAWAL} FROM bank_withdrawals
              WHERE party = ? AND (asked_ns < ? OR (asked_ns = ? AND withdrawal < ?))
              ORDER BY asked_ns DESC, withdrawal DESC LIMIT ?"""
    return [Withdrawal(*row) for row in view.rows.all(sql, party, before[0], before[0], before[1], limit)]


def count_under_way(view: View, party: bytes) -> int:
    """How many withdrawals of somebody the bank has not booked whole."""
    sql = """SELECT count(*) FROM bank_withdrawals WHERE party = ? AND counted = 1
             AND state IN ('asked', 'instructed', 'partly') ORDER BY party"""
    found = view.rows.one(sql, party)
    assert found is not None, "a count has a row"
    return int(found[0])


def under_way(view: View, asset: int) -> Iterator[Withdrawal]:
    """All withdrawals of a currency that the bank has not booked whole."""
    for state in UNDER_WAY:
        after = b""
        while True:
            sql = f"""{_WITHDRAWAL} FROM bank_withdrawals
                      WHERE state = ? AND asset = ? AND withdrawal > ? ORDER BY withdrawal LIMIT ?"""
            page = [Withdrawal(*row) for row in view.rows.all(sql, state, asset, after, PAGE)]
            yield from page
            if len(page) < PAGE:
                break
            after = page[-1].withdrawal


def all_withdrawals(view: View) -> Iterator[Withdrawal]:
    """Every withdrawal there ever was, by name."""
    after = b""
    while True:
        sql = f"{_WITHDRAWAL} FROM bank_withdrawals WHERE withdrawal > ? ORDER BY withdrawal LIMIT ?"
        page = [Withdrawal(*row) for row in view.rows.all(sql, after, PAGE)]
        yield from page
        if len(page) < PAGE:
            return
        after = page[-1].withdrawal


def entry(view: View, entry_ref: bytes) -> Entry | None:
    """A booking by its reference."""
    found = view.rows.one(f"{_ENTRY} FROM bank_entries WHERE entry_ref = ? ORDER BY entry_ref", entry_ref)
    return None if found is None else Entry(*found)


def open_entries(view: View, asset: int, *, after: bytes = b"", limit: int = PAGE) -> list[Entry]:
    """Bookings that nobody understands yet, by reference."""
    sql = f"{_ENTRY} FROM bank_entries WHERE state = 'open' AND asset = ? AND entry_ref > ? ORDER BY entry_ref LIMIT ?"
    return [Entry(*row) for row in view.rows.all(sql, asset, after, limit)]


def entries_on(view: View, asset: int, statement: int) -> Iterator[Entry]:
    """All bookings that stand on a statement; those on none for NO_STATEMENT."""
    after = b""
    while True:
        sql = (
            f"{_ENTRY} FROM bank_entries WHERE asset = ? AND statement = ? AND entry_ref > ? ORDER BY entry_ref LIMIT ?"
        )
        page = [Entry(*row) for row in view.rows.all(sql, asset, statement, after, PAGE)]
        yield from page
        if len(page) < PAGE:
            return
        after = page[-1].entry_ref


def all_entries(view: View) -> Iterator[Entry]:
    """Every booking there ever was, by reference."""
    after = b""
    while True:
        sql = f"{_ENTRY} FROM bank_entries WHERE entry_ref > ? ORDER BY entry_ref LIMIT ?"
        page = [Entry(*row) for row in view.rows.all(sql, after, PAGE)]
        yield from page
        if len(page) < PAGE:
            return
        after = page[-1].entry_ref


def statement(view: View, asset: int, number: int) -> StatementRow | None:
    """One statement by its number."""
    found = view.rows.one(
        f"{_STATEMENT} FROM bank_statements WHERE asset = ? AND number = ? ORDER BY number", asset, number
    )
    return None if found is None else StatementRow(*found)


def newest_statements(view: View, asset: int, *, limit: int) -> list[StatementRow]:
    """The newest statements of a currency, newest first."""
    sql = f"{_STATEMENT} FROM bank_statements WHERE asset = ? ORDER BY number DESC LIMIT ?"
    return [StatementRow(*row) for row in view.rows.all(sql, asset, limit)]


def count_settled(view: View, asset: int) -> int:
    """How many bookings of a currency are not open."""
    found = view.rows.one("SELECT count(*) FROM bank_entries WHERE asset = ? AND state != 'open' ORDER BY asset", asset)
    assert found is not None, "a count has a row"
    return int(found[0])


def parked_minor(view: View, name: bytes) -> int:
    """What of a withdrawal was rejected and could not go back to where it came from."""
    sql = """SELECT amount_minor FROM bank_entries WHERE entry_ref > ? AND entry_ref < ? AND direction = 'back'
             ORDER BY entry_ref"""
    return sum(int(amount) for (amount,) in view.rows.all(sql, name, name + b"\xff" * 17))


def listed_minor(view: View, asset: int) -> int:
    """What all statements of a currency list, added up."""
    found = view.rows.one("SELECT amount_minor FROM bank_listed WHERE asset = ? ORDER BY asset", asset)
    return 0 if found is None else int(found[0])


_BACKING: Final = (
    "SELECT day, asset, at_ns, entry, seen_ns, customers_minor, nostro_minor, transit_minor, claims_minor, own_minor, "
    "statement, closing_minor, unlisted_minor, difference_minor, verdict"
)


def newest_backing(view: View) -> int:
    """The newest day, ``yyyymmdd``, whose backing is on record; 0 before the first."""
    found = view.rows.one("SELECT day FROM bank_backing ORDER BY day DESC, asset LIMIT 1")
    return 0 if found is None else int(found[0])


def backing_before(view: View, place: tuple[int, int], *, asset: int | None, limit: int) -> list[BackingRow]:
    """Records of days, newest first and by currency within a day, after a place (day, asset); perhaps of one."""
    if asset is not None:
        sql = f"""{_BACKING} FROM bank_backing WHERE asset = ? AND (day < ? OR (day = ? AND asset > ?))
                  ORDER BY day DESC LIMIT ?"""
        return [BackingRow(*row) for row in view.rows.all(sql, asset, place[0], place[0], place[1], limit)]
    sql = f"{_BACKING} FROM bank_backing WHERE day < ? OR (day = ? AND asset > ?) ORDER BY day DESC, asset LIMIT ?"
    return [BackingRow(*row) for row in view.rows.all(sql, place[0], place[0], place[1], limit)]


def seen_for(view: View, day: int) -> int | None:
    """What the courier knew of when it had a day counted, ns since 1970; None when that was never done."""
    found = view.rows.one("SELECT seen_ns FROM bank_backing WHERE day = ? ORDER BY asset LIMIT 1", day)
    return None if found is None else int(found[0])


def all_backing(view: View) -> Iterator[BackingRow]:
    """Every record there ever was, newest day first."""
    place = (99991231, 0)
    while page := backing_before(view, place, asset=None, limit=PAGE):
        yield from page
        place = (page[-1].day, page[-1].asset)
