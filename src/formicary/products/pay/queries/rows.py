"""Rows of payments, requests, packets and orders, as handlers, questions and tests read them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol

if TYPE_CHECKING:
    from formicary.machine.context import View
    from formicary.machine.fence import FencedRows

OPEN: Final = "open"
ACTIVE: Final = "active"
HELD: Final = "held"
RETURNING: Final = "returning"
REQUEST_COLUMNS: Final = """request, payee, payer, asset, amount_minor, purpose, note, split, made_ns, until_ns, timer,
    state, payment"""
ORDER_COLUMNS: Final = """standing, payer, payee, asset, amount_minor, purpose, note, first_ns, every, times, runs,
    failures, next_ns, timer, state"""
PAGE: Final = 1000
"""Rows read at a time where all are wanted."""


class HasRows(Protocol):
    """A context or a view of this product."""

    @property
    def rows(self) -> FencedRows:
        """The product's tables."""


class PaymentRow(NamedTuple):
    """One payment, as it is now."""

    payment: bytes
    kind: str
    payer: bytes
    payee: bytes
    asset: int
    amount_minor: int
    at_ns: int
    state: str
    purpose: str
    note: bytes | None
    reference: bytes | None


class RequestRow(NamedTuple):
    """One request for money; ``payee`` asks, ``payer`` is asked."""

    request: bytes
    payee: bytes
    payer: bytes
    asset: int
    amount_minor: int
    purpose: str
    note: bytes | None
    split: bytes | None
    made_ns: int
    until_ns: int
    timer: int
    state: str
    payment: bytes | None


class PacketRow(NamedTuple):
    """One red packet; ``rest_minor`` is what nobody has opened yet."""

    packet: bytes
    giver: bytes
    asset: int
    total_minor: int
    rest_minor: int
    shares: int
    opened: int
    how: str
    note: bytes | None
    open_to_all: int
    made_ns: int
    until_ns: int
    timer: int
    state: str


class OrderRow(NamedTuple):
    """One order; ``runs`` counts the periods that have come, paid or failed."""

    order: bytes
    payer: bytes
    payee: bytes
    asset: int
    amount_minor: int
    purpose: str
    note: bytes | None
    first_ns: int
    every: str
    times: int
    runs: int
    failures: int
    next_ns: int
    timer: int
    state: str


def payment(where: HasRows, name: bytes) -> PaymentRow | None:
    """One payment by its id."""
    sql = """SELECT payment, kind, payer, payee, asset, amount_minor, at_ns, state, purpose, note, reference
             FROM pay_payments WHERE payment = ? ORDER BY payment"""
    found = where.rows.one(sql, name)
    return None if found is None else PaymentRow(*found)


def request(where: HasRows, name: bytes) -> RequestRow | None:
    """One request by its id."""
    sql = f"SELECT {REQUEST_COLUMNS} FROM pay_requests WHERE request = ? ORDER BY request"  # noqa: S608 - our own words
    found = where.rows.one(sql, name)
    return None if found is None else RequestRow(*found)


def requests_open(where: HasRows, payee: bytes) -> int:
    """How many requests somebody has open."""
    sql = "SELECT count(*) FROM pay_requests WHERE payee = ? AND state = 'open' ORDER BY 1"
    found = where.rows.one(sql, payee)
    return 0 if found is None else int(found[0])


def packet(where: HasRows, name: bytes) -> PacketRow | None:
    """One packet by its id."""
    sql = """SELECT packet, giver, asset, total_minor, rest_minor, shares, opened, how, note, open_to_all, made_ns,
             until_ns, timer, state FROM pay_packets WHERE packet = ? ORDER BY packet"""
    found = where.rows.one(sql, name)
    return None if found is None else PacketRow(*found)


def packets_open(where: HasRows, giver: bytes) -> int:
    """How many packets somebody has open."""
    found = where.rows.one("SELECT count(*) FROM pay_packets WHERE giver = ? AND state = 'open' ORDER BY 1", giver)
    return 0 if found is None else int(found[0])


class Opening(NamedTuple):
    """That somebody may open a packet, or has; the amount is None until then."""

    amount_minor: int | None
    payment: bytes | None


def opening(where: HasRows, packet_id: bytes, party: bytes) -> Opening | None:
    """What a party has of a packet; None when they are not among its people."""
    sql = "SELECT amount_minor, payment FROM pay_openings WHERE packet = ? AND party = ? ORDER BY packet"
    found = where.rows.one(sql, packet_id, party)
    return None if found is None else Opening(*found)


def order(where: HasRows, name: bytes) -> OrderRow | None:
    """One order by its id."""
    sql = f"SELECT {ORDER_COLUMNS} FROM pay_orders WHERE standing = ? ORDER BY standing"  # noqa: S608 - our own words
    found = where.rows.one(sql, name)
    return None if found is None else OrderRow(*found)


def orders_active(where: HasRows, payer: bytes) -> int:
    """How many orders of a payer will run again."""
    found = where.rows.one("SELECT count(*) FROM pay_orders WHERE payer = ? AND state = 'active' ORDER BY 1", payer)
    return 0 if found is None else int(found[0])


def open_packets(view: View) -> Iterator[tuple[int, bytes, int]]:
    """(asset, packet, what is left) of every open packet, by asset."""
    asset, name = 0, b""
    while True:
        sql = """SELECT asset, packet, rest_minor FROM pay_packets WHERE state IN ('open', 'returning')
                 AND (asset, packet) > (?, ?) ORDER BY asset, packet LIMIT 1000"""
        page = view.rows.all(sql, asset, name)
        yield from ((row[0], row[1], row[2]) for row in page)
        if len(page) < PAGE:
            return
        asset, name = page[-1][:2]


def held_payments(view: View) -> Iterator[tuple[str, bytes, int, int]]:
    """(kind, payment, asset, amount) of every held payment, whoever recorded it."""
    kind, name = "", b""
    while True:
        sql = """SELECT kind, payment, asset, amount_minor FROM pay_payments WHERE state = 'held'
                 AND (kind, payment) > (?, ?) ORDER BY kind, payment LIMIT 1000"""
        page = view.rows.all(sql, kind, name)
        yield from ((row[0], row[1], row[2], row[3]) for row in page)
        if len(page) < PAGE:
            return
        kind, name = page[-1][:2]
