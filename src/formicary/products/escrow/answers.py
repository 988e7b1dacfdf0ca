"""What people may ask escrow, and what it answers: orders, disputes, pools, and what is owed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final, Literal

import msgspec

from formicary.base.errors import Refusal
from formicary.products.anatomy import Answer, Asset, Bytes16, Bytes32, Count, MinorOrNone, Party, Sealed, Time
from formicary.products.escrow import queries
from formicary.products.escrow.codes import CODES, POOL_MEMBERS_MAX

if TYPE_CHECKING:
    from formicary.machine.context import View
    from formicary.products.escrow.needs import Needs

Limit = Annotated[int, msgspec.Meta(ge=1, le=100)]
Cursor = Annotated[str, msgspec.Meta(max_length=64)]
NEWEST: Final = 2**63 - 1
JOINED: Final = "pool IN (SELECT pool FROM escrow_pool_members WHERE buyer = ? ORDER BY pool) AND number < ?"
NEWEST_FIRST: Final = "number DESC LIMIT ?"


class AskOrders(Answer, frozen=True):
    """One's orders as buyer, as seller, or (for an arbiter) those in dispute; newest first."""

    role: Literal["buyer", "seller"] = "buyer"
    party: Party | None = None
    """A shop that one acts for; oneself when left out."""
    after: Cursor = ""
    limit: Limit = 20


class AskOrder(Answer, frozen=True):
    """One order with all that happened to it; for its two sides, and for arbiters."""

    order: Bytes16


class AskDisputes(Answer, frozen=True):
    """Orders in dispute, newest first; for arbiters and auditors."""

    after: Cursor = ""
    limit: Limit = 20


class AskPools(Answer, frozen=True):
    """Pools that can be joined, those one makes, or those one takes part in; newest first."""

    which: Literal["open", "making", "mine", "joined"] = "open"
    after: Cursor = ""
    limit: Limit = 20


class AskPool(Answer, frozen=True):
    """One pool: anybody who knows its name may look."""

    pool: Bytes16


class AskOwed(Answer, frozen=True):
    """What escrow owes the asker because it could not be paid out."""

    after: Cursor = ""
    limit: Limit = 20


class OrderLine(Answer, frozen=True):
    """One order in a list."""

    order: Bytes16
    buyer: Party
    seller: Party
    asset: Asset
    amount_minor: MinorOrNone
    held_minor: MinorOrNone
    state: str
    at_ns: Time
    deadline_ns: Time
    """When something happens by itself; 0 for never."""
    note: Sealed | None


class Orders(Answer, frozen=True):
    """A page of orders."""

    items: tuple[OrderLine, ...] = ()
    next: str = ""


class MilestoneLine(Answer, frozen=True):
    """One part of the work."""

    number: Count
    share_minor: MinorOrNone
    label: Sealed | None
    accepted_ns: Time
    """0 while it is not accepted."""


class StepLine(Answer, frozen=True):
    """One thing that happened, or one piece of evidence."""

    at_ns: Time
    step: str
    party: Party | None
    detail: str
    text: Sealed | None
    seller_minor: MinorOrNone
    buyer_minor: MinorOrNone


class OrderSeen(Answer, frozen=True):
    """One order, whole."""

    order: Bytes16
    buyer: Party
    seller: Party
    asset: Asset
    amount_minor: MinorOrNone
    held_minor: MinorOrNone
    seller_minor: MinorOrNone
    buyer_minor: MinorOrNone
    state: str
    silence: str
    silence_s: Count
    inspect_s: Count
    carrier: Party | None
    carrier_key: Bytes32 | None
    """Whose signature counts as a delivery; none when the order names no carrier."""
    code: Bytes32 | None
    """SHA-256 of the recipient's code."""
    at_ns: Time
    deadline_ns: Time
    note: Sealed | None
    may: tuple[str, ...]
    """Commands that the asker can give now."""
    milestones: tuple[MilestoneLine, ...]
    timeline: tuple[StepLine, ...]


class PoolLine(Answer, frozen=True):
    """One pool in a list."""

    pool: Bytes16
    maker: Party
    asset: Asset
    price_minor: MinorOrNone
    places: Count
    places_min: Count
    places_max: Count
    held_minor: MinorOrNone
    state: str
    until_ns: Time
    note: Sealed | None


class Pools(Answer, frozen=True):
    """A page of pools."""

    items: tuple[PoolLine, ...] = ()
    next: str = ""


class StageLine(Answer, frozen=True):
    """One part of a pool's work, and how many places have accepted it."""

    number: Count
    weight: Count
    share_minor: MinorOrNone
    """Known once the pool is filled."""
    label: Sealed | None
    places_for: Count
    accepted_ns: Time


class PoolSeen(Answer, frozen=True):
    """One pool, whole."""

    pool: Bytes16
    maker: Party
    asset: Asset
    price_minor: MinorOrNone
    places: Count
    places_min: Count
    places_max: Count
    my_places: Count
    members: Count
    held_minor: MinorOrNone
    maker_minor: MinorOrNone
    state: str
    until_ns: Time
    note: Sealed | None
    may: tuple[str, ...]
    """Commands that the asker can give now."""
    stages: tuple[StageLine, ...]


class OwedLine(Answer, frozen=True):
    """One sum that waits for its owner."""

    owed: Bytes16
    asset: Asset
    amount_minor: MinorOrNone
    other: Party
    reference: Bytes16
    why: str
    at_ns: Time


class Owed(Answer, frozen=True):
    """A page of what is owed."""

    items: tuple[OwedLine, ...] = ()
    next: str = ""


# ── orders ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def orders(needs: Needs, view: View, who: bytes, asked: AskOrders) -> Orders:
    """A page of somebody's orders."""
    party = asked.party or who
    if not needs.is_side(view, who, party):
        raise refusal("order_not_yours")
    column = "buyer" if asked.role == "buyer" else "seller"
    sql = queries.ORDER.format(f"{column} = ? AND number < ?", NEWEST_FIRST)
    return _orders(view, sql, party, asked.after, asked.limit)


def disputes(needs: Needs, view: View, who: bytes, asked: AskDisputes) -> Orders:
    """A page of what arbiters have to decide."""
    if not _judges(needs, view, who):
        raise refusal("not_an_arbiter")
    sql = queries.ORDER.format("state = ? AND number < ?", NEWEST_FIRST)
    return _orders(view, sql, "disputed", asked.after, asked.limit)


def order(needs: Needs, view: View, who: bytes, asked: AskOrder) -> OrderSeen:
    """One order with its timeline."""
    found = queries.order(view, asked.order)
    if found is None:
        raise refusal("order_not_found")
    is_side = who == found.buyer or needs.is_side(view, who, found.seller)
    if not is_side and not _judges(needs, view, who):
        raise refusal("order_not_yours")
    return OrderSeen(
        order=found.id,
        buyer=found.buyer,
        seller=found.seller,
        asset=found.asset,
        amount_minor=found.amount_minor,
        held_minor=found.held_minor,
        seller_minor=found.seller_minor,
        buyer_minor=found.buyer_minor,
        state=found.state,
        silence=found.silence,
        silence_s=found.silence_s,
        inspect_s=found.inspect_s,
        carrier=found.carrier,
        carrier_key=found.carrier_key,
        code=found.code,
        at_ns=found.funded_ns,
        deadline_ns=found.deadline_ns,
        note=found.note,
        may=_may(needs, view, who, found),
        milestones=tuple(_milestone(part) for part in queries.milestones(view, found.id)),
        timeline=tuple(_step(line) for line in queries.steps(view, found.id)),
    )


def _may(needs: Needs, view: View, who: bytes, order: queries.OrderRow) -> tuple[str, ...]:
    """What the asker can do now, as a page shows buttons."""
    is_buyer, is_seller = who == order.buyer, needs.is_side(view, who, order.seller)
    disputed, funded = order.state == "disputed", order.state == "funded"
    if order.state not in queries.OPEN_STATES:
        return ()
    served_buyer = funded or (order.state == "shipped" and order.silence == "refund")
    ladder = {
        "cancel": is_seller or (is_buyer and funded),
        "ship": is_seller and funded,
        "confirm": is_buyer,
        "extend": not disputed and ((is_buyer and served_buyer) or (is_seller and not served_buyer)),
        "dispute": not disputed and (is_buyer or is_seller),
        "answer": disputed and (is_buyer or is_seller),
        "decide": disputed and not is_buyer and not is_seller and needs.purses.has_role(view, who, "arbiter"),
        "accept_milestone": is_buyer and not disputed and bool(queries.milestones(view, order.id)),
        "deliver": order.carrier_key is not None and (is_buyer or is_seller) and not _is_carried(view, order),
    }
    return tuple(name for name, is_possible in ladder.items() if is_possible)


def _is_carried(view: View, order: queries.OrderRow) -> bool:
    """Whether the carrier has said what became of the parcel."""
    return any(line.step in {"delivered", "lost"} for line in queries.steps(view, order.id))


def _milestone(part: queries.MilestoneRow) -> MilestoneLine:
    return MilestoneLine(
        number=part.number, share_minor=part.share_minor, label=part.label, accepted_ns=part.accepted_ns or 0
    )


def _step(line: queries.StepRow) -> StepLine:
    return StepLine(
        at_ns=line.at_ns,
        step=line.step,
        party=line.party or None,
        detail=line.detail,
        text=line.text,
        seller_minor=line.seller_minor,
        buyer_minor=line.buyer_minor,
    )


def _orders(view: View, sql: str, fixed: bytes | str, after: str, limit: int) -> Orders:
    rows = [queries.OrderRow(*row) for row in view.rows.all(sql, fixed, _before(after), limit)]
    items = tuple(
        OrderLine(
            order=row.id,
            buyer=row.buyer,
            seller=row.seller,
            asset=row.asset,
            amount_minor=row.amount_minor,
            held_minor=row.held_minor,
            state=row.state,
            at_ns=row.funded_ns,
            deadline_ns=row.deadline_ns,
            note=row.note,
        )
        for row in rows
    )
    return Orders(items=items, next=str(rows[-1].number) if len(rows) == limit else "")


# ── pools ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def pools(_needs: Needs, view: View, who: bytes, asked: AskPools) -> Pools:
    """A page of pools."""
    by: dict[str, tuple[str, bytes | str]] = {
        "open": ("state = ? AND number < ?", "open"),
        "making": ("state = ? AND number < ?", "making"),
        "mine": ("maker = ? AND number < ?", who),
        "joined": (JOINED, who),
    }
    where, fixed = by[asked.which]
    sql = queries.POOL.format(where, NEWEST_FIRST)
    rows = [queries.PoolRow(*row) for row in view.rows.all(sql, fixed, _before(asked.after), asked.limit)]
    items = tuple(
        PoolLine(
            pool=row.pool,
            maker=row.maker,
            asset=row.asset,
            price_minor=row.price_minor,
            places=row.places,
            places_min=row.places_min,
            places_max=row.places_max,
            held_minor=row.held_minor,
            state=row.state,
            until_ns=row.until_ns,
            note=row.note,
        )
        for row in rows
    )
    return Pools(items=items, next=str(rows[-1].number) if len(rows) == asked.limit else "")


def pool(needs: Needs, view: View, who: bytes, asked: AskPool) -> PoolSeen:
    """One pool and its parts."""
    found = queries.pool(view, asked.pool)
    if found is None:
        raise refusal("pool_not_found")
    mine = queries.member(view, found.pool, who)
    return PoolSeen(
        pool=found.pool,
        maker=found.maker,
        asset=found.asset,
        price_minor=found.price_minor,
        places=found.places,
        places_min=found.places_min,
        places_max=found.places_max,
        my_places=0 if mine is None else mine.places,
        members=found.members,
        held_minor=found.held_minor,
        maker_minor=found.maker_minor,
        state=found.state,
        until_ns=found.until_ns,
        note=found.note,
        may=_may_in_pool(needs, view, who, found),
        stages=tuple(
            StageLine(
                number=stage.number,
                weight=stage.weight,
                share_minor=stage.share_minor,
                label=stage.label,
                places_for=stage.places_for,
                accepted_ns=stage.accepted_ns or 0,
            )
            for stage in queries.stages(view, found.pool)
        ),
    )


def _may_in_pool(needs: Needs, view: View, who: bytes, pool: queries.PoolRow) -> tuple[str, ...]:
    """What the asker can do in a pool now, as a page shows buttons."""
    is_open, making = pool.state == "open", pool.state == "making"
    is_member = queries.member(view, pool.pool, who) is not None
    stages = queries.stages(view, pool.pool)
    following = next((stage.number for stage in stages if stage.accepted_ns is None), 0)
    is_full = pool.places == pool.places_max or pool.members == POOL_MEMBERS_MAX
    ladder = {
        "join_pool": is_open and not is_member and not is_full and who != pool.maker,
        "leave_pool": is_open and is_member,
        "accept_pool_milestone": making and is_member and not queries.has_voted(view, pool.pool, following, who),
        "cancel_pool": (is_open or making) and needs.is_side(view, who, pool.maker),
    }
    return tuple(name for name, is_possible in ladder.items() if is_possible)


# ── what is owed ────────────────────────────────────────────────────────────────────────────────────────────────────


def owed(_needs: Needs, view: View, who: bytes, asked: AskOwed) -> Owed:
    """A page of what the asker can collect."""
    after = bytes.fromhex(asked.after) if _is_hex(asked.after) else b""
    rows = queries.owed_to(view, who, after=after, limit=asked.limit)
    items = tuple(
        OwedLine(
            owed=row.owed,
            asset=row.asset,
            amount_minor=row.amount_minor,
            other=row.counterparty,
            reference=row.reference,
            why=row.why,
            at_ns=row.since_ns,
        )
        for row in rows
    )
    return Owed(items=items, next=rows[-1].owed.hex() if len(rows) == asked.limit else "")


def refusal(code: str) -> Refusal:
    """A refusal of this product, in its own words."""
    return Refusal(CODES[code], code=code)


def _judges(needs: Needs, view: View, who: bytes) -> bool:
    return any(needs.purses.has_role(view, who, role) for role in ("arbiter", "auditor"))


def _before(cursor: str) -> int:
    """The number that a page ends before; a cursor that is not ours begins at the newest."""
    return int(cursor) if cursor.isascii() and cursor.isdigit() and len(cursor) <= 18 else NEWEST


def _is_hex(cursor: str) -> bool:
    return len(cursor) == 32 and all(letter in "0123456789abcdef" for letter in cursor)
