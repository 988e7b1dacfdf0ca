"""Questions about escrow's rows; handlers, invariants and the product's answers ask the same ones."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from formicary.machine.context import View

OPEN_STATES: Final = ("funded", "shipped", "delivered", "disputed")
SETTLED: Final = "settled"
REFUNDED: Final = "refunded"
PAGE: Final = 500


class OrderRow(NamedTuple):
    """One order, as it is now."""

    id: bytes
    number: int
    buyer: bytes
    seller: bytes
    asset: int
    amount_minor: int
    held_minor: int
    seller_minor: int
    buyer_minor: int
    state: str
    silence: str
    silence_s: int
    inspect_s: int
    carrier: bytes | None
    carrier_key: bytes | None
    code: bytes | None
    funded_ns: int
    deadline_ns: int
    timer: int
    evidence: int
    note: bytes | None


class MilestoneRow(NamedTuple):
    """One part of an order's work."""

    number: int
    share_minor: int
    label: bytes | None
    accepted_ns: int | None


class StepRow(NamedTuple):
    """One line of an order's timeline; its text, if any, is sealed."""

    number: int
    at_ns: int
    step: str
    party: bytes
    detail: str
    text: bytes | None
    seller_minor: int
    buyer_minor: int


class PoolRow(NamedTuple):
    """One pool, as it is now."""

    pool: bytes
    number: int
    maker: bytes
    asset: int
    price_minor: int
    places_min: int
    places_max: int
    places: int
    members: int
    held_minor: int
    maker_minor: int
    state: str
    until_ns: int
    timer: int
    note: bytes | None


class StageRow(NamedTuple):
    """One part of a pool's work."""

    number: int
    weight: int
    share_minor: int
    label: bytes | None
    places_for: int
    accepted_ns: int | None


class MemberRow(NamedTuple):
    """Who takes part in a pool."""

    buyer: bytes
    places: int
    paid_minor: int
    payment: bytes
    paid_ns: int


class OwedRow(NamedTuple):
    """Money that could not be paid to whose it is."""

    owed: bytes
    party: bytes
    counterparty: bytes
    reference: bytes
    asset: int
    amount_minor: int
    kind: str
    why: str
    since_ns: int
    tries: int
    timer: int


ORDER: Final = """SELECT id, number, buyer, seller, asset, amount_minor, held_minor, seller_minor, buyer_minor, state,
    silence, silence_s, inspect_s, carrier, carrier_key, code, funded_ns, deadline_ns, timer, evidence, note
    FROM escrow_orders WHERE {} ORDER BY {}"""
POOL: Final = """SELECT pool, number, maker, asset, price_minor, places_min, places_max, places, members, held_minor,
    maker_minor, state, until_ns, timer, note FROM escrow_pools WHERE {} ORDER BY {}"""
OWED: Final = """SELECT owed, party, counterparty, reference, asset, amount_minor, kind, why, since_ns, tries, timer
    FROM escrow_owed WHERE {} ORDER BY {}"""


def account_of(view: View, asset: int) -> int | None:
    """The account that holds all escrow of an asset."""
    found = view.rows.one("SELECT account FROM escrow_accounts WHERE asset = ? ORDER BY asset", asset)
    return None if found is None else int.from_bytes(found[0], "big")


def accounts(view: View) -> list[tuple[int, int]]:
    """Each asset and its account."""
    rows = view.rows.all("SELECT asset, account FROM escrow_accounts ORDER BY asset")
    return [(asset, int.from_bytes(account, "big")) for asset, account in rows]


def order(view: View, name: bytes) -> OrderRow | None:
    """One order by its id."""
    found = view.rows.one(ORDER.format("id = ?", "id"), name)
    return None if found is None else OrderRow(*found)


def next_order_number(view: View) -> int:
    """Give the next order its number, counted from 1."""
    found = view.rows.one("SELECT max(number) FROM escrow_orders ORDER BY 1")
    return 1 if found is None or found[0] is None else int(found[0]) + 1


def orders(view: View) -> Iterator[OrderRow]:
    """Every order, oldest first, a page at a time."""
    after = 0
    while True:
        rows = view.rows.all(ORDER.format("number > ?", "number LIMIT ?"), after, PAGE)
        yield from (OrderRow(*row) for row in rows)
        if len(rows) < PAGE:
            return
        after = rows[-1][1]


def milestones(view: View, name: bytes) -> list[MilestoneRow]:
    """The parts of an order's work, in order."""
    sql = """SELECT number, share_minor, label, accepted_ns FROM escrow_milestones
             WHERE order_id = ? ORDER BY number"""
    return [MilestoneRow(*row) for row in view.rows.all(sql, name)]


def steps(view: View, name: bytes) -> list[StepRow]:
    """An order's timeline, oldest first."""
    sql = """SELECT number, at_ns, step, party, detail, text, seller_minor, buyer_minor FROM escrow_steps
             WHERE order_id = ? ORDER BY number"""
    return [StepRow(*row) for row in view.rows.all(sql, name)]


def pool(view: View, name: bytes) -> PoolRow | None:
    """One pool by its id."""
    found = view.rows.one(POOL.format("pool = ?", "pool"), name)
    return None if found is None else PoolRow(*found)


def next_pool_number(view: View) -> int:
    """Give the next pool its number, counted from 1."""
    found = view.rows.one("SELECT max(number) FROM escrow_pools ORDER BY 1")
    return 1 if found is None or found[0] is None else int(found[0]) + 1


def pools(view: View) -> Iterator[PoolRow]:
    """Every pool, oldest first, a page at a time."""
    after = 0
    while True:
        rows = view.rows.all(POOL.format("number > ?", "number LIMIT ?"), after, PAGE)
        yield from (PoolRow(*row) for row in rows)
        if len(rows) < PAGE:
            return
        after = rows[-1][1]


def stages(view: View, name: bytes) -> list[StageRow]:
    """The parts of a pool's work, in order."""
    sql = """SELECT number, weight, share_minor, label, places_for, accepted_ns FROM escrow_pool_stages
             WHERE pool = ? ORDER BY number"""
    return [StageRow(*row) for row in view.rows.all(sql, name)]


def members(view: View, name: bytes) -> list[MemberRow]:
    """Who takes part in a pool, by their ids; at most POOL_MEMBERS_MAX."""
    sql = "SELECT buyer, places, paid_minor, payment, paid_ns FROM escrow_pool_members WHERE pool = ? ORDER BY buyer"
    return [MemberRow(*row) for row in view.rows.all(sql, name)]


def member(view: View, name: bytes, buyer: bytes) -> MemberRow | None:
    """One member of a pool."""
    sql = """SELECT buyer, places, paid_minor, payment, paid_ns FROM escrow_pool_members
             WHERE pool = ? AND buyer = ? ORDER BY buyer"""
    found = view.rows.one(sql, name, buyer)
    return None if found is None else MemberRow(*found)


def has_voted(view: View, name: bytes, number: int, buyer: bytes) -> bool:
    """Whether a member has accepted a part of a pool's work."""
    sql = "SELECT buyer FROM escrow_pool_votes WHERE pool = ? AND number = ? AND buyer = ? ORDER BY buyer"
    return view.rows.one(sql, name, number, buyer) is not None


def note_of(view: View, reference: bytes) -> bytes | None:
    """What an order or pool is about, sealed; None when nobody said."""
    found = order(view, reference) or pool(view, reference)
    return None if found is None else found.note


def owed(view: View, name: bytes) -> OwedRow | None:
    """One sum that is owed."""
    found = view.rows.one(OWED.format("owed = ?", "owed"), name)
    return None if found is None else OwedRow(*found)


def owed_to(view: View, party: bytes, *, after: bytes = b"", limit: int = PAGE) -> list[OwedRow]:
    """What escrow owes somebody."""
    sql = OWED.format("party = ? AND owed > ?", "owed LIMIT ?")
    return [OwedRow(*row) for row in view.rows.all(sql, party, after, limit)]


def all_owed(view: View) -> Iterator[OwedRow]:
    """Everything that is owed, a page at a time."""
    after = b""
    while True:
        rows = view.rows.all(OWED.format("owed > ?", "owed LIMIT ?"), after, PAGE)
        yield from (OwedRow(*row) for row in rows)
        if len(rows) < PAGE:
            return
        after = rows[-1][0]
