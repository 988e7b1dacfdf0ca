"""Made to order: people take places; not filled in time, all are refunded; filled, the maker is paid part by part."""

from __future__ import annotations

from typing import TYPE_CHECKING

from formicary.base.money import split
from formicary.products.anatomy import MINOR_MAX, TimerId
from formicary.products.escrow import queries
from formicary.products.escrow.codes import (
    POOL_FUNDED,
    POOL_GIVEN_BACK,
    POOL_MEMBERS_MAX,
    POOL_PAID_OUT,
    SHIP_BY_MAX_NS,
)
from formicary.products.escrow.commands import (
    AcceptPoolMilestone,
    CancelPool,
    DecidePool,
    JoinPool,
    LeavePool,
    OpenPool,
    PoolDeadline,
    PoolJoined,
    PoolMoved,
    PoolOpened,
    PoolStep,
)
from formicary.products.escrow.handlers.money import give, take

if TYPE_CHECKING:
    from formicary.machine.context import Context
    from formicary.products.escrow.needs import Needs
    from formicary.products.escrow.queries import MemberRow, PoolRow


def open_pool(needs: Needs, context: Context, command: OpenPool) -> PoolOpened:
    """Remember the offer, and until when it may fill."""
    context.refuse_if(command.until_ns <= context.time_ns, "pool_deadline_past")
    context.refuse_if(command.until_ns > context.time_ns + SHIP_BY_MAX_NS, "pool_deadline_far")
    context.refuse_if(command.places_min > command.places_max, "pool_places_out_of_order")
    context.refuse_if(command.price_minor * command.places_max > MINOR_MAX, "pool_too_large")
    needs.account_to_pay(context, context.signer, command.asset, command.price_minor)
    pool = context.new_id("pool").to_bytes(16, "big")
    timer = context.schedule(command.until_ns, "pool_deadline", PoolDeadline(pool))
    sql = """INSERT INTO escrow_pools (pool, number, maker, asset, price_minor, places_min, places_max, places, members,
             held_minor, maker_minor, state, until_ns, timer, note)
             VALUES (?, ?, ?, ?, ?, ?, ?, 0, 0, 0, 0, 'open', ?, ?, ?)"""
    who = (pool, queries.next_pool_number(context.view()), context.signer, command.asset, command.price_minor)
    context.rows.run(sql, *who, command.places_min, command.places_max, command.until_ns, timer, command.note)
    sql = """INSERT INTO escrow_pool_stages (pool, number, weight, share_minor, label, places_for)
             VALUES (?, ?, ?, 0, ?, 0)"""
    for number, stage in enumerate(command.stages, start=1):
        context.rows.run(sql, pool, number, stage.weight, stage.label)
    _tell(context, pool, [context.signer], "opened", 0)
    return PoolOpened(pool)


def join(needs: Needs, context: Context, command: JoinPool) -> PoolJoined:
    """Take places and pay for them; the last place starts the work."""
    pool = _pool_in(context, command.pool, "open", "pool_closed")
    context.refuse_if(context.signer == pool.maker, "order_with_oneself")
    already = queries.member(context.view(), pool.pool, context.signer)
    context.refuse_if(already is not None, "pool_joined")
    places = pool.places + command.places
    context.refuse_if(places > pool.places_max or pool.members == POOL_MEMBERS_MAX, "pool_full")
    paid_minor = pool.price_minor * command.places
    payment = take(context, needs, asset=pool.asset, amount_minor=paid_minor, code=POOL_FUNDED)
    sql = """INSERT INTO escrow_pool_members (pool, buyer, places, paid_minor, payment, paid_ns)
             VALUES (?, ?, ?, ?, ?, ?)"""
    context.rows.run(sql, pool.pool, context.signer, command.places, paid_minor, payment, context.time_ns)
    _count(context, pool, places=places, members=pool.members + 1, held_minor=pool.held_minor + paid_minor)
    needs.book.record(
        context,
        payment=payment,
        kind="escrow",
        payer=context.signer,
        payee=pool.maker,
        asset=pool.asset,
        amount_minor=paid_minor,
        state="held",
        note=pool.note,
        purpose="goods",
        reference=pool.pool,
    )
    _tell(context, pool.pool, [pool.maker, context.signer], "joined", places)
    if places == pool.places_max:
        _start(context, _pool(context, pool.pool))
    return PoolJoined(payment)


def leave(needs: Needs, context: Context, command: LeavePool) -> None:
    """Give the places up while that is still possible."""
    pool = _pool_in(context, command.pool, "open", "pool_closed")
    member = queries.member(context.view(), pool.pool, context.signer)
    if member is None:
        context.refuse("pool_not_joined")
    _give_back(context, needs, pool, member, member.paid_minor, whole=True)
    context.rows.run("DELETE FROM escrow_pool_members WHERE pool = ? AND buyer = ?", pool.pool, member.buyer)
    places, held_minor = pool.places - member.places, pool.held_minor - member.paid_minor
    _count(context, pool, places=places, members=pool.members - 1, held_minor=held_minor)
    _tell(context, pool.pool, [pool.maker, member.buyer], "left", places)


def pool_deadline(needs: Needs, context: Context, timer: PoolDeadline) -> None:
    """The time to fill is over: go ahead, or give everything back. Filling and cancelling cancel this timer."""
    pool = _pool(context, timer.pool)
    assert pool.state == "open", "a pool that is not open has no deadline"
    if pool.places < pool.places_min:
        _end(context, needs, pool, "refunded", maker_minor=0)
    else:
        _start(context, pool)


def accept_stage(needs: Needs, context: Context, command: AcceptPoolMilestone) -> None:
    """Count the member's places for the next part; with more than half of all it is paid."""
    pool = _pool_in(context, command.pool, "making", "pool_not_making")
    member = queries.member(context.view(), pool.pool, context.signer)
    if member is None:
        context.refuse("pool_not_joined")
    stages = queries.stages(context.view(), pool.pool)
    context.refuse_if(command.number > len(stages), "milestone_not_found")
    number = next(stage.number for stage in stages if stage.accepted_ns is None)
    context.refuse_if(command.number != number, "pool_milestone_not_next")
    context.refuse_if(queries.has_voted(context.view(), pool.pool, number, member.buyer), "pool_vote_cast")
    stage = stages[number - 1]
    places_for = stage.places_for + member.places
    accepted_ns = context.time_ns if 2 * places_for > pool.places else None
    sql = "INSERT INTO escrow_pool_votes (pool, number, buyer) VALUES (?, ?, ?)"
    context.rows.run(sql, pool.pool, number, member.buyer)
    sql = "UPDATE escrow_pool_stages SET places_for = ?, accepted_ns = ? WHERE pool = ? AND number = ?"
    context.rows.run(sql, places_for, accepted_ns, pool.pool, number)
    if accepted_ns is None:
        _tell(context, pool.pool, [pool.maker], "accepted", pool.places)
    elif number == len(stages):
        _end(context, needs, pool, "finished", maker_minor=pool.held_minor)
    else:
        _pay_maker(context, needs, pool, stage.share_minor)
        sql = "UPDATE escrow_pools SET held_minor = ?, maker_minor = ? WHERE pool = ?"
        maker_minor = pool.maker_minor + stage.share_minor
        context.rows.run(sql, pool.held_minor - stage.share_minor, maker_minor, pool.pool)
        _tell(context, pool.pool, _everybody(context, pool), "milestone", pool.places)


def cancel_pool(needs: Needs, context: Context, command: CancelPool) -> None:
    """The maker gives up: the members get all that is left."""
    pool = _pool(context, command.pool)
    context.refuse_if(pool.state not in {"open", "making"}, "pool_not_making")
    context.refuse_if(not needs.is_side(context, context.signer, pool.maker), "pool_not_yours")
    _end(context, needs, pool, "refunded", maker_minor=0)


def decide_pool(needs: Needs, context: Context, command: DecidePool) -> None:
    """End a pool that got stuck, as an arbiter who has no part in it."""
    context.refuse_if(not needs.purses.has_role(context, context.signer, "arbiter"), "not_an_arbiter")
    pool = _pool_in(context, command.pool, "making", "pool_not_making")
    is_member = queries.member(context.view(), pool.pool, context.signer) is not None
    is_maker = needs.is_side(context, context.signer, pool.maker)
    context.refuse_if(is_member or is_maker, "arbiter_is_party")
    context.refuse_if(command.maker_minor > pool.held_minor, "award_above_held")
    _end(context, needs, pool, "decided", maker_minor=command.maker_minor)


def _pool(context: Context, name: bytes) -> PoolRow:
    pool = queries.pool(context.view(), name)
    if pool is None:
        context.refuse("pool_not_found")
    return pool


def _pool_in(context: Context, name: bytes, state: str, code: str) -> PoolRow:
    pool = _pool(context, name)
    context.refuse_if(pool.state != state, code)
    return pool


def _count(context: Context, pool: PoolRow, *, places: int, members: int, held_minor: int) -> None:
    sql = "UPDATE escrow_pools SET places = ?, members = ?, held_minor = ? WHERE pool = ?"
    context.rows.run(sql, places, members, held_minor, pool.pool)


def _start(context: Context, pool: PoolRow) -> None:
    """Fix what each part pays, now that the whole is known."""
    stages = queries.stages(context.view(), pool.pool)
    shares = split(pool.held_minor, [stage.weight for stage in stages])
    sql = "UPDATE escrow_pool_stages SET share_minor = ? WHERE pool = ? AND number = ?"
    for stage, share_minor in zip(stages, shares, strict=True):
        context.rows.run(sql, share_minor, pool.pool, stage.number)
    context.rows.run("UPDATE escrow_pools SET state = 'making' WHERE pool = ?", pool.pool)
    context.cancel(TimerId(pool.timer))
    _tell(context, pool.pool, _everybody(context, pool), "filled", pool.places)


def _end(context: Context, needs: Needs, pool: PoolRow, step: PoolStep, *, maker_minor: int) -> None:
    """So much to the maker, the rest to the members by their places; nothing is held afterwards."""
    _pay_maker(context, needs, pool, maker_minor)
    members = queries.members(context.view(), pool.pool)
    rest_minor = pool.held_minor - maker_minor
    whole = rest_minor == sum(member.paid_minor for member in members)
    shares = split(rest_minor, [member.places for member in members]) if members else []
    for member, share_minor in zip(members, shares, strict=True):
        _give_back(context, needs, pool, member, share_minor, whole=whole)
    state = queries.SETTLED if pool.maker_minor + maker_minor else queries.REFUNDED
    sql = "UPDATE escrow_pools SET held_minor = 0, maker_minor = ?, state = ? WHERE pool = ?"
    context.rows.run(sql, pool.maker_minor + maker_minor, state, pool.pool)
    context.cancel(TimerId(pool.timer))
    _tell(context, pool.pool, _everybody(context, pool), step, pool.places)


def _pay_maker(context: Context, needs: Needs, pool: PoolRow, amount_minor: int) -> None:
    give(
        context,
        needs,
        kind="out",
        party=pool.maker,
        counterparty=pool.maker,
        reference=pool.pool,
        asset=pool.asset,
        amount_minor=amount_minor,
        code=POOL_PAID_OUT,
    )


def _give_back(
    context: Context, needs: Needs, pool: PoolRow, member: MemberRow, amount_minor: int, *, whole: bool
) -> None:
    """Give a member money back, and write so: returned as a whole, or a part beside what was paid."""
    needs.book.update(context, member.payment, "returned" if whole else "paid")
    if not amount_minor:
        return
    needs.purses.uncount(context, member.buyer, pool.asset, amount_minor, member.paid_ns)
    give(
        context,
        needs,
        kind="back" if whole else "part",
        party=member.buyer,
        counterparty=pool.maker,
        reference=pool.pool,
        asset=pool.asset,
        amount_minor=amount_minor,
        code=POOL_GIVEN_BACK,
    )


def _everybody(context: Context, pool: PoolRow) -> list[bytes]:
    return [pool.maker, *(member.buyer for member in queries.members(context.view(), pool.pool))]


def _tell(context: Context, pool: bytes, parties: list[bytes], step: PoolStep, places: int) -> None:
    for party in parties:
        context.emit(PoolMoved(pool, step, places), subject=party)
