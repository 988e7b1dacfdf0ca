"""When two can't agree: evidence from both, and an arbiter who may split what is held."""

from __future__ import annotations

from typing import TYPE_CHECKING

from formicary.products.anatomy import TimerId
from formicary.products.escrow.codes import EVIDENCE_MAX
from formicary.products.escrow.commands import AnswerDispute, Decide, Dispute, Step
from formicary.products.escrow.handlers.orders import check_side, end, note_step, open_order

if TYPE_CHECKING:
    from formicary.machine.context import Context
    from formicary.products.escrow.needs import Needs
    from formicary.products.escrow.queries import OrderRow


def dispute(needs: Needs, context: Context, command: Dispute) -> None:
    """Stop the clock and keep the evidence."""
    order = open_order(context, command.order)
    check_side(context, needs, order)
    context.refuse_if(order.state == "disputed", "order_disputed")
    context.cancel(TimerId(order.timer))
    sql = "UPDATE escrow_orders SET state = 'disputed', deadline_ns = 0 WHERE id = ?"
    context.rows.run(sql, order.id)
    _keep(context, order, "disputed", command.evidence, detail=command.reason)


def answer(needs: Needs, context: Context, command: AnswerDispute) -> None:
    """Keep more evidence, of either side."""
    order = open_order(context, command.order)
    check_side(context, needs, order)
    context.refuse_if(order.state != "disputed", "order_not_disputed")
    _keep(context, order, "answered", command.evidence)


def decide(needs: Needs, context: Context, command: Decide) -> None:
    """Split what is held, as an arbiter who is neither of the two."""
    context.refuse_if(not needs.purses.has_role(context, context.signer, "arbiter"), "not_an_arbiter")
    order = open_order(context, command.order)
    context.refuse_if(order.state != "disputed", "order_not_disputed")
    is_seller = needs.is_side(context, context.signer, order.seller)
    context.refuse_if(is_seller or context.signer == order.buyer, "arbiter_is_party")
    context.refuse_if(command.seller_minor > order.held_minor, "award_above_held")
    end(context, needs, order, "decided", seller_minor=command.seller_minor, text=command.reason)


def _keep(context: Context, order: OrderRow, step: Step, evidence: tuple[bytes, ...], *, detail: str = "") -> None:
    """Write each piece as a line of the timeline."""
    count = order.evidence + len(evidence)
    context.refuse_if(count > EVIDENCE_MAX, "evidence_full")
    context.rows.run("UPDATE escrow_orders SET evidence = ? WHERE id = ?", count, order.id)
    note_step(context, order, step, detail=detail, text=evidence[0])
    for piece in evidence[1:]:
        note_step(context, order, "answered", text=piece)
