"""Rows of the shop product as typed tuples, read by key or in a settled order."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from formicary.machine.fence import FencedRows

OPEN: Final = "open"
PAGE: Final = 1000
"""Rows that sums read at once."""
RANKS: Final = {"cashier": 1, "manager": 2, "owner": 3}


class ShopRow(NamedTuple):
    """One shop."""

    shop: bytes
    state: str
    country: str
    category: int
    tariff: str
    opened_ns: int
    settle_days: int
    settle_ref: bytes | None
    settle_party: bytes | None
    cut_minute: int
    cut_timer: int | None
    reports: int


class OrderRow(NamedTuple):
    """One order."""

    order_id: bytes
    shop: bytes
    till: bytes | None
    asset: int
    amount_minor: int
    tip: str
    tip_value: int
    number: str
    until_ns: int
    many: int
    exits: int
    state: str
    made_ns: int
    payment: bytes | None

    def state_at(self, time_ns: int) -> str:
        """The state as people see it: an open order whose time is over is ``expired``."""
        return "expired" if self.state == OPEN and self.until_ns <= time_ns else self.state


class SaleRow(NamedTuple):
    """One payment to a shop."""

    payment: bytes
    shop: bytes
    till: bytes | None
    order_id: bytes | None
    payer: bytes
    asset: int
    amount_minor: int
    tip_minor: int
    fee_minor: int
    refunded_minor: int
    fee_back_minor: int
    number: str
    state: str
    paid_ns: int
    at_ns: int

    @property
    def total_minor(self) -> int:
        """What the payer paid: amount and tip."""
        return self.amount_minor + self.tip_minor


class RefundRow(NamedTuple):
    """One refund."""

    refund: bytes
    payment: bytes
    shop: bytes
    till: bytes | None
    asset: int
    amount_minor: int
    fee_back_minor: int
    reason: str
    made_by: bytes
    at_ns: int


class ExitRow(NamedTuple):
    """One exit token."""

    token: bytes
    shop: bytes
    order_id: bytes
    payment: bytes
    until_ns: int
    state: str


class StayRow(NamedTuple):
    """One stay."""

    stay: bytes
    shop: bytes
    asset: int
    deposit_minor: int
    until_ns: int
    state: str
    made_ns: int
    guest: bytes | None
    key: bytes | None
    hold: bytes | None
    checked_in_ns: int
    timer: int | None
    folio_minor: int
    folio_lines: int
    payment: bytes | None

    def state_at(self, time_ns: int) -> str:
        """The state as people see it: an offer whose time is over is ``expired``."""
        return "expired" if self.state == "offered" and self.until_ns <= time_ns else self.state


class SettlementRow(NamedTuple):
    """One settlement."""

    settlement: bytes
    shop: bytes
    asset: int
    amount_minor: int
    paid_minor: int
    state: str
    cut_ns: int
    due_ns: int
    withdrawal: bytes | None


def shop_of(rows: FencedRows, shop: bytes) -> ShopRow | None:
    """A shop by its party id."""
    sql = """SELECT shop, state, country, category, tariff, opened_ns, settle_days, settle_ref, settle_party,
             cut_minute, cut_timer, reports FROM shop_shops WHERE shop = ? ORDER BY shop"""
    found = rows.one(sql, shop)
    return None if found is None else ShopRow(*found)


def shop_by_alias(rows: FencedRows, alias: bytes) -> bytes | None:
    """The shop that has an alias, by the alias's keyed digest."""
    found = rows.one("SELECT shop FROM shop_aliases WHERE alias = ? ORDER BY alias", alias)
    return None if found is None else found[0]


def account_of(rows: FencedRows, shop: bytes, asset: int) -> int | None:
    """A shop's account in a currency."""
    found = rows.one("SELECT account FROM shop_accounts WHERE shop = ? AND asset = ? ORDER BY shop, asset", shop, asset)
    return None if found is None else int.from_bytes(found[0], "big")


def accounts_of(rows: FencedRows, shop: bytes) -> list[tuple[int, int]]:
    """A shop's currencies and their accounts."""
    found = rows.all("SELECT asset, account FROM shop_accounts WHERE shop = ? ORDER BY asset", shop)
    return [(asset, int.from_bytes(account, "big")) for asset, account in found]


def role_of(rows: FencedRows, shop: bytes, person: bytes) -> str:
    """Somebody's role in a shop, empty for none; a shop's own key counts as a manager."""
    if person == shop:
        return "manager"
    found = rows.one("SELECT role FROM shop_staff WHERE shop = ? AND person = ? ORDER BY shop, person", shop, person)
    return "" if found is None else str(found[0])


def tariff_at(rows: FencedRows, name: str, asset: int, time_ns: int) -> tuple[int, int]:
    """(fixed in minor units, hundred-thousandths) of a tariff at a time; nothing where none was set."""
    sql = """SELECT fixed_minor, rate_per_100000 FROM shop_tariffs WHERE name = ? AND asset = ? AND from_ns <= ?
             ORDER BY from_ns DESC LIMIT 1"""
    found = rows.one(sql, name, asset, time_ns)
    return (0, 0) if found is None else (found[0], found[1])


def till_of(rows: FencedRows, till: bytes) -> tuple[bytes, str] | None:
    """(shop, state) of a till."""
    found = rows.one("SELECT shop, state FROM shop_tills WHERE till = ? ORDER BY till", till)
    return None if found is None else (found[0], found[1])


def order_of(rows: FencedRows, order: bytes) -> OrderRow | None:
    """An order by its id."""
    sql = """SELECT order_id, shop, till, asset, amount_minor, tip, tip_value, number, until_ns, many, exits, state,
             made_ns, payment FROM shop_orders WHERE order_id = ? ORDER BY order_id"""
    found = rows.one(sql, order)
    return None if found is None else OrderRow(*found)


def sale_of(rows: FencedRows, payment: bytes) -> SaleRow | None:
    """A sale by the id of its payment."""
    sql = """SELECT payment, shop, till, order_id, payer, asset, amount_minor, tip_minor, fee_minor, refunded_minor,
             fee_back_minor, number, state, paid_ns, at_ns FROM shop_sales WHERE payment = ? ORDER BY payment"""
    found = rows.one(sql, payment)
    return None if found is None else SaleRow(*found)


def refunds_of(rows: FencedRows, payment: bytes) -> list[RefundRow]:
    """All refunds of a payment."""
    sql = """SELECT refund, payment, shop, till, asset, amount_minor, fee_back_minor, reason, made_by, at_ns
             FROM shop_refunds WHERE payment = ? ORDER BY at_ns, refund"""
    return [RefundRow(*row) for row in rows.all(sql, payment)]


def exit_of(rows: FencedRows, token: bytes) -> ExitRow | None:
    """An exit token by its digest."""
    sql = "SELECT token, shop, order_id, payment, until_ns, state FROM shop_exits WHERE token = ? ORDER BY token"
    found = rows.one(sql, token)
    return None if found is None else ExitRow(*found)


def stay_of(rows: FencedRows, stay: bytes) -> StayRow | None:
    """A stay by its id."""
    sql = """SELECT stay, shop, asset, deposit_minor, until_ns, state, made_ns, guest, key, hold, checked_in_ns, timer,
             folio_minor, folio_lines, payment FROM shop_stays WHERE stay = ? ORDER BY stay"""
    found = rows.one(sql, stay)
    return None if found is None else StayRow(*found)


def folio_of(rows: FencedRows, stay: bytes) -> list[tuple[int, bytes, int]]:
    """The lines of a folio: (amount, label, time)."""
    sql = "SELECT amount_minor, label, at_ns FROM shop_folio WHERE stay = ? ORDER BY line"
    return [(row[0], row[1], row[2]) for row in rows.all(sql, stay)]


def settlement_of(rows: FencedRows, settlement: bytes) -> SettlementRow | None:
    """A settlement by its id."""
    sql = """SELECT settlement, shop, asset, amount_minor, paid_minor, state, cut_ns, due_ns, withdrawal
             FROM shop_settlements WHERE settlement = ? ORDER BY settlement"""
    found = rows.one(sql, settlement)
    return None if found is None else SettlementRow(*found)


def waiting_of(rows: FencedRows, shop: bytes, asset: int) -> list[SettlementRow]:
    """A shop's settlements in a currency that are not paid out yet."""
    sql = """SELECT settlement, shop, asset, amount_minor, paid_minor, state, cut_ns, due_ns, withdrawal
             FROM shop_settlements WHERE shop = ? AND state = ? AND asset = ? ORDER BY settlement"""
    return [SettlementRow(*row) for row in rows.all(sql, shop, "waiting", asset)]


def sales_between(rows: FencedRows, shop: bytes, *, from_ns: int, to_ns: int, after: bytes = b"") -> Iterator[SaleRow]:
    """All sales of a time (``to_ns`` excluded), oldest first, a page at a time; ``after``: an id at ``from_ns``."""
    sql = """SELECT payment, shop, till, order_id, payer, asset, amount_minor, tip_minor, fee_minor, refunded_minor,
             fee_back_minor, number, state, paid_ns, at_ns FROM shop_sales
             WHERE shop = ? AND (at_ns, payment) > (?, ?) AND at_ns < ? ORDER BY at_ns, payment LIMIT 1000"""
    place = (from_ns, after)
    while True:
        page = [SaleRow(*row) for row in rows.all(sql, shop, *place, to_ns)]
        yield from page
        if len(page) < PAGE:
            return
        place = (page[-1].at_ns, page[-1].payment)


def refunds_between(
    rows: FencedRows, shop: bytes, *, from_ns: int, to_ns: int, after: bytes = b""
) -> Iterator[RefundRow]:
    """All refunds of a time (``to_ns`` excluded), oldest first, a page at a time; ``after``: an id at ``from_ns``."""
    sql = """SELECT refund, payment, shop, till, asset, amount_minor, fee_back_minor, reason, made_by, at_ns
             FROM shop_refunds WHERE shop = ? AND (at_ns, refund) > (?, ?) AND at_ns < ?
             ORDER BY at_ns, refund LIMIT 1000"""
    place = (from_ns, after)
    while True:
        page = [RefundRow(*row) for row in rows.all(sql, shop, *place, to_ns)]
        yield from page
        if len(page) < PAGE:
            return
        place = (page[-1].at_ns, page[-1].refund)
