"""Questions about clearing's rows; handlers, invariants, answers and the relay ask the same ones."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final, NamedTuple

from formicary.products.clearing.words import Terms

if TYPE_CHECKING:
    from formicary.machine.context import View

PAGE: Final = 500


class InstitutionRow(NamedTuple):
    """One institution, as it is known now."""

    institution: bytes
    own: int
    key: bytes
    address: str
    notice_minor: int


class OutRow(NamedTuple):
    """One payment to another institution."""

    transfer: bytes
    number: int
    institution: bytes
    payer: bytes
    payee: bytes
    asset: int
    amount_minor: int
    note: bytes | None
    state: str
    code: str
    to_do: int
    at_ns: int
    timer: int
    word: bytes | None

    def terms(self, own: bytes) -> Terms:
        """What our words and theirs about it are about."""
        return Terms(
            payer_institution=own,
            payee_institution=self.institution,
            transfer=self.transfer,
            asset=self.asset,
            amount_minor=self.amount_minor,
        )


class InRow(NamedTuple):
    """One payment from another institution."""

    institution: bytes
    transfer: bytes
    number: int
    payment: bytes
    payee: bytes
    asset: int
    amount_minor: int
    note: bytes | None
    state: str
    at_ns: int
    word: bytes | None

    def terms(self, own: bytes) -> Terms:
        """What our words and theirs about it are about."""
        return Terms(
            payer_institution=self.institution,
            payee_institution=own,
            transfer=self.transfer,
            asset=self.asset,
            amount_minor=self.amount_minor,
        )


class SettlementRow(NamedTuple):
    """What was settled through the bank, or is to be."""

    settlement: bytes
    number: int
    institution: bytes
    asset: int
    amount_minor: int
    state: str
    account_ref: bytes
    maker: bytes
    made_ns: int
    checker: bytes | None
    decided_ns: int
    payment: bytes


INSTITUTION: Final = (
    "SELECT institution, own, key, address, notice_minor FROM clearing_institutions WHERE {} ORDER BY {}"
)
OUT: Final = """SELECT transfer, number, institution, payer, payee, asset, amount_minor, note, state, code, to_do,
    at_ns, timer, word FROM clearing_out WHERE {} ORDER BY {}"""
IN: Final = """SELECT institution, transfer, number, payment, payee, asset, amount_minor, note, state, at_ns, word
    FROM clearing_in WHERE {} ORDER BY {}"""


def institution(view: View, name: bytes) -> InstitutionRow | None:
    """One institution by its id; this one has an id too."""
    found = view.rows.one(INSTITUTION.format("institution = ?", "institution"), name)
    return None if found is None else InstitutionRow(*found)


def institutions(view: View, *, after: bytes = b"", limit: int = PAGE) -> list[InstitutionRow]:
    """The institutions by their ids, this one among them."""
    sql = INSTITUTION.format("institution > ?", "institution LIMIT ?")
    return [InstitutionRow(*row) for row in view.rows.all(sql, after, limit)]


def own(view: View) -> InstitutionRow | None:
    """Who we are; None when nobody has said yet who it is."""
    rows = view.rows.all(INSTITUTION.format("own = 1", "institution"))
    return InstitutionRow(*rows[0]) if rows else None


def account_of(view: View, name: bytes, asset: int) -> int | None:
    """The clearing account with an institution."""
    sql = "SELECT account FROM clearing_accounts WHERE institution = ? AND asset = ? ORDER BY asset"
    found = view.rows.one(sql, name, asset)
    return None if found is None else int.from_bytes(found[0], "big")


def accounts(view: View) -> list[tuple[bytes, int, int]]:
    """Institution, asset and account of every clearing account."""
    rows = view.rows.all("SELECT institution, asset, account FROM clearing_accounts ORDER BY institution, asset")
    return [(name, asset, int.from_bytes(account, "big")) for name, asset, account in rows]


def out(view: View, transfer: bytes) -> OutRow | None:
    """One payment to another institution."""
    found = view.rows.one(OUT.format("transfer = ?", "transfer"), transfer)
    return None if found is None else OutRow(*found)


def incoming(view: View, name: bytes, transfer: bytes) -> InRow | None:
    """One payment from another institution."""
    found = view.rows.one(IN.format("institution = ? AND transfer = ?", "transfer"), name, transfer)
    return None if found is None else InRow(*found)


def next_number(view: View) -> int:
    """Give the next payment, out or in, its number, counted from 1."""
    newest = [
        view.rows.one("SELECT max(number) FROM clearing_out ORDER BY 1"),
        view.rows.one("SELECT max(number) FROM clearing_in ORDER BY 1"),
    ]
    return 1 + max(0 if found is None or found[0] is None else int(found[0]) for found in newest)


def to_do(view: View, *, after: int = 0, limit: int = PAGE) -> list[OutRow]:
    """Payments about which the other institution has to hear something, oldest first."""
    sql = OUT.format("to_do = 1 AND number > ?", "number LIMIT ?")
    return [OutRow(*row) for row in view.rows.all(sql, after, limit)]


def undecided(view: View, *, after: int = 0, limit: int = PAGE) -> list[InRow]:
    """Payments that we hold and whose end we have not heard, oldest first."""
    sql = IN.format("state = 'held' AND number > ?", "number LIMIT ?")
    return [InRow(*row) for row in view.rows.all(sql, after, limit)]


def all_out(view: View) -> Iterator[OutRow]:
    """Every payment to others, a page at a time."""
    after = 0
    while True:
        rows = view.rows.all(OUT.format("number > ?", "number LIMIT ?"), after, PAGE)
        yield from (OutRow(*row) for row in rows)
        if len(rows) < PAGE:
            return
        after = rows[-1][1]


def all_in(view: View) -> Iterator[InRow]:
    """Every payment from others, a page at a time."""
    after = 0
    while True:
        rows = view.rows.all(IN.format("number > ?", "number LIMIT ?"), after, PAGE)
        yield from (InRow(*row) for row in rows)
        if len(rows) < PAGE:
            return
        after = rows[-1][2]


SETTLEMENT: Final = """SELECT settlement, number, institution, asset, amount_minor, state, account_ref, maker, made_ns,
    checker, decided_ns, payment FROM clearing_settlements WHERE {} ORDER BY {}"""


def settlement(view: View, name: bytes) -> SettlementRow | None:
    """One settlement."""
    found = view.rows.one(SETTLEMENT.format("settlement = ?", "settlement"), name)
    return None if found is None else SettlementRow(*found)


def settlements(view: View, state: str = "", *, before: int = 2**63 - 1, limit: int = PAGE) -> list[SettlementRow]:
    """Settlements in one state or all, newest first, before a number."""
    where, values = ("state = ? AND number < ?", (state, before)) if state else ("number < ?", (before,))
    sql = SETTLEMENT.format(where, "number DESC LIMIT ?")
    return [SettlementRow(*row) for row in view.rows.all(sql, *values, limit)]


def all_settlements(view: View) -> Iterator[SettlementRow]:
    """Every settlement, newest first, a page at a time."""
    before = 2**63 - 1
    while page := settlements(view, before=before):
        yield from page
        before = page[-1].number


def next_settlement(view: View) -> int:
    """Give the next settlement its number, counted from 1."""
    newest = settlements(view, limit=1)
    return newest[0].number + 1 if newest else 1


def owed_minor(view: View, name: bytes, asset: int) -> int:
    """What we owe an institution, by decided payments; below zero when it owes us."""
    number = account_of(view, name, asset)
    found = None if number is None else view.account(number)
    return 0 if found is None else found.credits_posted - found.debits_posted
