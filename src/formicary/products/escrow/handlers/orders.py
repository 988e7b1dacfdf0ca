"""An order's way: funded, shipped, delivered, settled; and back at once when it is called off in time."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Literal

from formicary.products.anatomy import TimerId
from formicary.products.escrow import queries
from formicary.products.escrow.codes import (
    FUNDED,
    GIVEN_BACK,
    INSPECT_MAX_S,
    PAID_OUT,
    SECOND_NS,
    SHIP_BY_MAX_NS,
    SILENCE_MAX_S,
    SILENCE_MIN_S,
)
from formicary.products.escrow.commands import (
    AcceptMilestone,
    Bought,
    Buy,
    Cancel,
    Confirm,
    Deadline,
    Deliver,
    Extend,
    OrderMoved,
    Ship,
    Step,
)
from formicary.products.escrow.handlers.money import give, take
from formicary.products.escrow.parcels import carrier_signed, code_digest

if TYPE_CHECKING:
    from formicary.machine.context import Context
    from formicary.products.escrow.needs import Needs
    from formicary.products.escrow.queries import OrderRow


def buy(needs: Needs, context: Context, command: Buy) -> Bought:
    """Take the money, remember the terms, and start the clock."""
    _check_terms(context, command)
    needs.account_to_pay(context, command.seller, command.asset, command.amount_minor)
    order = take(context, needs, asset=command.asset, amount_minor=command.amount_minor, code=FUNDED)
    timer = context.schedule(command.ship_by_ns, "deadline", Deadline(order))
    sql = """INSERT INTO escrow_orders (id, number, buyer, seller, asset, amount_minor, held_minor, seller_minor,
             buyer_minor, state, silence, silence_s, inspect_s, carrier, carrier_key, code, funded_ns, deadline_ns,
             timer, evidence, note)
             VALUES (?, ?, ?, ?, ?, ?, ?, 0, 0, 'funded', ?, ?, ?, ?, ?, ?, ?, ?, ?, 0, ?)"""
    who = (order, queries.next_order_number(context.view()), context.signer, command.seller)
    money = (command.asset, command.amount_minor, command.amount_minor)
    terms = (command.silence, command.silence_s, command.inspect_s, command.carrier, command.carrier_key, command.code)
    context.rows.run(sql, *who, *money, *terms, context.time_ns, command.ship_by_ns, timer, command.note)
    sql = "INSERT INTO escrow_milestones (order_id, number, share_minor, label) VALUES (?, ?, ?, ?)"
    for number, milestone in enumerate(command.milestones, start=1):
        context.rows.run(sql, order, number, milestone.share_minor, milestone.label)
    needs.book.record(
        context,
        payment=order,
        kind="escrow",
        payer=context.signer,
        payee=command.seller,
        asset=command.asset,
        amount_minor=command.amount_minor,
        state="held",
        note=command.note,
        purpose="goods",
        reference=order,
    )
    note_step(context, found(context, order), "funded")
    return Bought(order)


def _check_terms(context: Context, command: Buy) -> None:
    context.refuse_if(command.seller == context.signer, "order_with_oneself")
    context.refuse_if(command.ship_by_ns <= context.time_ns, "order_deadline_past")
    context.refuse_if(command.ship_by_ns > context.time_ns + SHIP_BY_MAX_NS, "order_deadline_far")
    in_range = SILENCE_MIN_S <= command.silence_s <= SILENCE_MAX_S and command.inspect_s <= INSPECT_MAX_S
    context.refuse_if(not in_range, "order_silence_out_of_range")
    context.refuse_if((command.carrier_key is None) != (command.code is None), "order_carrier_incomplete")
    shares = [milestone.share_minor for milestone in command.milestones]
    context.refuse_if(bool(shares) and sum(shares) != command.amount_minor, "milestones_do_not_add_up")


def cancel(needs: Needs, context: Context, command: Cancel) -> None:
    """Give all that is held back: for the buyer before shipment, for the seller always."""
    order = open_order(context, command.order)
    check_side(context, needs, order)
    if context.signer == order.buyer:
        context.refuse_if(order.state == "disputed", "order_disputed")
        context.refuse_if(order.state != "funded", "order_shipped")
    end(context, needs, order, "cancelled", seller_minor=0)


def ship(needs: Needs, context: Context, command: Ship) -> None:
    """From now on silence counts."""
    order = open_order(context, command.order)
    context.refuse_if(not needs.is_side(context, context.signer, order.seller), "order_not_yours")
    context.refuse_if(order.state == "disputed", "order_disputed")
    context.refuse_if(order.state != "funded", "order_shipped")
    _advance(context, order, "shipped", deadline_ns=context.time_ns + order.silence_s * SECOND_NS)
    note_step(context, order, "shipped", text=command.tracking)


def deliver(needs: Needs, context: Context, command: Deliver) -> None:
    """Believe the carrier's key: a delivery starts the inspection or pays at once; a loss gives the money back.

    In a dispute it is evidence, and moves nothing.
    """
    order = open_order(context, command.order)
    _check_delivery(context, order, command)
    arrived = command.status == "DELIVERED"
    if order.state == "disputed":
        note_step(context, order, "delivered" if arrived else "lost", detail="in dispute")
    elif not arrived:
        note_step(context, order, "lost")
        _tell(context, needs.cover.lost, order)
        end(context, needs, order, "refunded", seller_minor=0, detail="lost")
    elif order.inspect_s:
        _advance(context, order, "delivered", deadline_ns=context.time_ns + order.inspect_s * SECOND_NS)
        note_step(context, order, "delivered")
    else:
        note_step(context, order, "delivered")
        end(context, needs, order, "released", seller_minor=order.held_minor, detail="delivered")


def _check_delivery(context: Context, order: OrderRow, command: Deliver) -> None:
    if order.carrier_key is None or order.code is None:
        context.refuse("order_without_carrier")
    told = [step.step for step in queries.steps(context.view(), order.id)]
    context.refuse_if("delivered" in told or "lost" in told, "order_delivered")
    right = code_digest(command.code) == order.code if command.status == "DELIVERED" else not command.code
    context.refuse_if(not right, "delivery_code_wrong")
    signed = carrier_signed(
        order.carrier_key, command.signature, order=order.id, status=command.status, code=command.code
    )
    context.refuse_if(not signed, "delivery_signature_wrong")


def confirm(needs: Needs, context: Context, command: Confirm) -> None:
    """The buyer pays, whatever the state: in a dispute they have come to terms."""
    order = open_order(context, command.order)
    context.refuse_if(context.signer != order.buyer, "order_not_yours")
    end(context, needs, order, "confirmed", seller_minor=order.held_minor)


def extend(needs: Needs, context: Context, command: Extend) -> None:
    """Move the deadline later, as the one whom it serves."""
    order = open_order(context, command.order)
    context.refuse_if(order.state == "disputed", "order_disputed")
    context.refuse_if(not needs.is_side(context, context.signer, _served(order)), "order_not_yours")
    latest = context.time_ns + SHIP_BY_MAX_NS
    context.refuse_if(not order.deadline_ns < command.until_ns <= latest, "extension_not_later")
    _advance(context, order, order.state, deadline_ns=command.until_ns)
    note_step(context, order, "extended")


def _served(order: OrderRow) -> bytes:
    """Who gets the money when the deadline passes."""
    if order.state == "funded" or (order.state == "shipped" and order.silence == "refund"):
        return order.buyer
    return order.seller


def accept_milestone(needs: Needs, context: Context, command: AcceptMilestone) -> None:
    """Pay one part; with the last one the order is settled."""
    order = open_order(context, command.order)
    context.refuse_if(context.signer != order.buyer, "order_not_yours")
    context.refuse_if(order.state == "disputed", "order_disputed")
    milestones = queries.milestones(context.view(), order.id)
    context.refuse_if(command.number > len(milestones), "milestone_not_found")
    milestone = milestones[command.number - 1]
    context.refuse_if(milestone.accepted_ns is not None, "milestone_accepted")
    sql = "UPDATE escrow_milestones SET accepted_ns = ? WHERE order_id = ? AND number = ?"
    context.rows.run(sql, context.time_ns, order.id, command.number)
    if milestone.share_minor == order.held_minor:
        end(context, needs, order, "milestone", seller_minor=order.held_minor, detail=str(command.number))
        return
    _pay_seller(context, needs, order, milestone.share_minor)
    sql = "UPDATE escrow_orders SET held_minor = ?, seller_minor = ? WHERE id = ?"
    paid_minor = order.seller_minor + milestone.share_minor
    context.rows.run(sql, order.held_minor - milestone.share_minor, paid_minor, order.id)
    note_step(context, order, "milestone", detail=str(command.number), seller_minor=milestone.share_minor)


def deadline(needs: Needs, context: Context, timer: Deadline) -> None:
    """The time is over: what that means depends on how far the order has come. Ends and disputes cancel it."""
    order = open_order(context, timer.order)
    if order.state == "funded":
        end(context, needs, order, "refunded", seller_minor=0, detail="not shipped")
        return
    if order.state == "shipped":
        _tell(context, needs.cover.late, order)
    if order.state == "shipped" and order.silence == "refund":
        end(context, needs, order, "refunded", seller_minor=0, detail="silence")
        return
    detail = "silence" if order.state == "shipped" else "inspected"
    end(context, needs, order, "released", seller_minor=order.held_minor, detail=detail)


# ── shared with disputes ────────────────────────────────────────────────────────────────────────────────────────────


def found(context: Context, name: bytes) -> OrderRow:
    """An order that there is."""
    order = queries.order(context.view(), name)
    if order is None:
        context.refuse("order_not_found")
    return order


def open_order(context: Context, name: bytes) -> OrderRow:
    """An order that still holds money."""
    order = found(context, name)
    context.refuse_if(order.state not in queries.OPEN_STATES, "order_settled")
    return order


def check_side(context: Context, needs: Needs, order: OrderRow) -> None:
    """Refuse whoever is neither buyer nor seller, nor acts for the seller."""
    is_buyer = context.signer == order.buyer
    context.refuse_if(not is_buyer and not needs.is_side(context, context.signer, order.seller), "order_not_yours")


def end(
    context: Context,
    needs: Needs,
    order: OrderRow,
    step: Step,
    *,
    seller_minor: int,
    detail: str = "",
    text: bytes | None = None,
) -> None:
    """Settle: so much to the seller, the rest to the buyer; nothing is held afterwards."""
    buyer_minor = order.held_minor - seller_minor
    assert 0 <= seller_minor <= order.held_minor, "nobody gets more than is held"
    _pay_seller(context, needs, order, seller_minor)
    paid_minor, returned_minor = order.seller_minor + seller_minor, order.buyer_minor + buyer_minor
    _pay_buyer(context, needs, order, buyer_minor, kind="part" if paid_minor else "back")
    state = queries.SETTLED if paid_minor else queries.REFUNDED
    sql = """UPDATE escrow_orders SET held_minor = 0, seller_minor = ?, buyer_minor = ?, state = ?, deadline_ns = 0
             WHERE id = ?"""
    context.rows.run(sql, paid_minor, returned_minor, state, order.id)
    context.cancel(TimerId(order.timer))
    needs.book.update(context, order.id, "paid" if paid_minor else "returned")
    note_step(context, order, step, detail=detail, text=text, seller_minor=seller_minor, buyer_minor=buyer_minor)


def note_step(
    context: Context,
    order: OrderRow,
    step: Step,
    *,
    detail: str = "",
    text: bytes | None = None,
    seller_minor: int = 0,
    buyer_minor: int = 0,
) -> None:
    """Write a line of the timeline and tell both sides."""
    number = len(queries.steps(context.view(), order.id)) + 1
    sql = """INSERT INTO escrow_steps (order_id, number, at_ns, step, party, detail, text, seller_minor, buyer_minor)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"""
    line = (order.id, number, context.time_ns, step, context.signer, detail, text, seller_minor, buyer_minor)
    context.rows.run(sql, *line)
    for party in (order.buyer, order.seller):
        context.emit(OrderMoved(order.id, step, seller_minor, buyer_minor), subject=party)


def _advance(context: Context, order: OrderRow, state: str, *, deadline_ns: int) -> None:
    """Put an order into a state with a deadline, in place of the one it had."""
    context.cancel(TimerId(order.timer))
    timer = context.schedule(deadline_ns, "deadline", Deadline(order.id))
    sql = "UPDATE escrow_orders SET state = ?, deadline_ns = ?, timer = ? WHERE id = ?"
    context.rows.run(sql, state, deadline_ns, timer, order.id)


def _pay_seller(context: Context, needs: Needs, order: OrderRow, amount_minor: int) -> None:
    give(
        context,
        needs,
        kind="out",
        party=order.seller,
        counterparty=order.buyer,
        reference=order.id,
        asset=order.asset,
        amount_minor=amount_minor,
        code=PAID_OUT,
    )


def _pay_buyer(
    context: Context, needs: Needs, order: OrderRow, amount_minor: int, *, kind: Literal["back", "part"]
) -> None:
    if amount_minor:
        needs.purses.uncount(context, order.buyer, order.asset, amount_minor, order.funded_ns)
    give(
        context,
        needs,
        kind=kind,
        party=order.buyer,
        counterparty=order.seller,
        reference=order.id,
        asset=order.asset,
        amount_minor=amount_minor,
        code=GIVEN_BACK,
    )


def _tell(context: Context, told: Callable[..., None], order: OrderRow) -> None:
    """Tell the cover of an order."""
    told(
        context,
        order=order.id,
        buyer=order.buyer,
        seller=order.seller,
        asset=order.asset,
        amount_minor=order.amount_minor,
    )
