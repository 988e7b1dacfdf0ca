"""Payments to come: scheduled once, or standing by day, week or month.

A run that is refused must leave no trace but its count and its event, and yet the order must go on. The machine undoes
only whole timers, so a run looks before it leaps: everything that could refuse is asked before anything is changed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from formicary.base.errors import Refusal
from formicary.kernel.records import AMOUNT_MAX, AccountFlag
from formicary.products.anatomy import TimerId
from formicary.products.pay.calendar import due_ns
from formicary.products.pay.codes import DAY_NS, FAILURES_MAX, ORDERS_ACTIVE_MAX, UNTIL_DAYS_MAX
from formicary.products.pay.commands import (
    CancelOrder,
    OrderEnded,
    OrderEnding,
    OrderFailed,
    RunOrder,
    Schedule,
    Scheduled,
)
from formicary.products.pay.handlers.sending import Needs, Payment, payee_account, post
from formicary.products.pay.queries import rows

if TYPE_CHECKING:
    from formicary.machine.context import Context


def schedule(needs: Needs, context: Context, command: Schedule) -> Scheduled:
    """Keep the order and set the timer of its first run."""
    payer = context.signer
    context.refuse_if(payer == command.payee, "payment_to_oneself")
    context.refuse_if(not needs.purses.is_person(context, payer), "person_unknown")
    context.refuse_if(needs.purses.purse(context, payer, command.asset) is None, "currency_not_open")
    context.refuse_if(command.first_ns <= context.time_ns, "first_not_in_future")
    context.refuse_if(command.first_ns > context.time_ns + UNTIL_DAYS_MAX * DAY_NS, "first_too_late")
    context.refuse_if(command.every == "once" and command.times > 1, "times_of_once")
    payee_account(needs, context, _payment(payer, command))
    context.refuse_if(rows.orders_active(context, payer) >= ORDERS_ACTIVE_MAX, "too_many_orders")
    name = context.new_id("order").to_bytes(16, "big")
    timer = context.schedule(command.first_ns, "run_order", RunOrder(name))
    context.rows.run(
        """INSERT INTO pay_orders (standing, payer, payee, asset, amount_minor, purpose, note, first_ns, every, times,
           runs, failures, next_ns, timer, state) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0, 0, ?, ?, ?)""",
        name,
        payer,
        command.payee,
        command.asset,
        command.amount_minor,
        command.purpose,
        command.note,
        command.first_ns,
        command.every,
        1 if command.every == "once" else command.times,
        command.first_ns,
        timer,
        rows.ACTIVE,
    )
    return Scheduled(name)


def _payment(payer: bytes, wanted: Schedule | rows.OrderRow) -> Payment:
    return Payment(
        payer=payer,
        payee=wanted.payee,
        asset=wanted.asset,
        amount_minor=wanted.amount_minor,
        purpose=wanted.purpose,
        note=wanted.note,
        kind="order",
        reference=wanted.order if isinstance(wanted, rows.OrderRow) else None,
    )


def cancel_order(context: Context, command: CancelOrder) -> None:
    """Let the order not run again."""
    found = rows.order(context, command.order)
    if found is None:
        context.refuse("order_to_pay_not_found")
    context.refuse_if(found.payer != context.signer, "order_to_pay_not_yours")
    context.refuse_if(found.state != rows.ACTIVE, "order_to_pay_ended")
    context.cancel(TimerId(found.timer))
    _end(context, found, "cancelled")


def run_order(needs: Needs, context: Context, timer: RunOrder) -> None:
    """Pay one run, count it, and set the timer of the next one or end the order."""
    found = rows.order(context, timer.order)
    assert found is not None, "orders are never deleted"
    assert found.state == rows.ACTIVE, "the timer of an ended order is cancelled"
    code = _try_run(needs, context, found)
    runs, failures = found.runs + 1, found.failures + 1 if code else 0
    if code:
        context.emit(OrderFailed(found.order, code, failures), subject=found.payer)
    sql = "UPDATE pay_orders SET runs = ?, failures = ? WHERE standing = ?"
    context.rows.run(sql, runs, failures, found.order)
    if failures == FAILURES_MAX:
        _end(context, found, "stopped")
    elif runs == found.times:
        _end(context, found, "done")
    else:
        next_ns = due_ns(found.first_ns, found.every, runs)
        again = context.schedule(next_ns, "run_order", RunOrder(found.order))
        sql = "UPDATE pay_orders SET next_ns = ?, timer = ? WHERE standing = ?"
        context.rows.run(sql, next_ns, again, found.order)


def _try_run(needs: Needs, context: Context, order: rows.OrderRow) -> str:
    """Pay one run; the code of what refused it, with nothing changed, or nothing when it is paid or held."""
    wanted = _payment(order.payer, order)
    try:
        credit, source = payee_account(needs, context, wanted)
        debit = needs.purses.purse(context, order.payer, order.asset)
        _check_accounts(context, debit, credit, order.amount_minor)
        debit = needs.purses.check_payer(context, order.payer, order.asset, order.amount_minor)
    except Refusal as refusal:  # nothing has been changed: check_payer counts only when it does not refuse
        return refusal.code
    post(needs, context, wanted, debit=debit, credit=credit, source=source)
    return ""


def _check_accounts(context: Context, debit: int | None, credit: int, amount_minor: int) -> None:
    """Refuse what the kernel would refuse of the transfer."""
    view = context.view()
    payer, payee = None if debit is None else view.account(debit), view.account(credit)
    if payer is None or payee is None or (payer.flags | payee.flags) & (AccountFlag.FROZEN | AccountFlag.CLOSED):
        context.refuse("account_not_usable")
    free_minor = payer.credits_posted - payer.debits_posted - payer.debits_held
    context.refuse_if(free_minor < amount_minor, "payer_short_of_funds")
    full = payee.credits_posted + payee.credits_held + amount_minor > AMOUNT_MAX
    context.refuse_if(full or payer.debits_posted + payer.debits_held + amount_minor > AMOUNT_MAX, "account_not_usable")


def _end(context: Context, order: rows.OrderRow, how: OrderEnding) -> None:
    context.rows.run("UPDATE pay_orders SET state = ? WHERE standing = ?", how, order.order)
    context.emit(OrderEnded(order.order, how), subject=order.payer)
