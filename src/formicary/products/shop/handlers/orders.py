"""Orders and payment links, the payer's one-use code, and leaving with the goods."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from formicary.products.shop.codes import YEAR_NS, tip_of
from formicary.products.shop.commands import (
    Charge,
    ExitTaken,
    ExitUsed,
    NewOrder,
    OrderMade,
    Paid,
    PayOrder,
    TakeExit,
    UseExit,
    WithdrawOrder,
)
from formicary.products.shop.events import ExitOpened, OrderWithdrawn
from formicary.products.shop.handlers.common import as_bytes, check_role
from formicary.products.shop.handlers.paying import Bill, at_shop, at_till, take
from formicary.products.shop.handlers.shops import check_till
from formicary.products.shop.queries import rows

if TYPE_CHECKING:
    from formicary.machine.context import Context
    from formicary.products.shop.needs import Needs

SECOND_NS: Final = 1_000_000_000
PER_CENT_MAX: Final = 10_000
EXIT_PARAMETER: Final = "exit_token_s"


def new_order(context: Context, command: NewOrder) -> OrderMade:
    """Ask for a payment."""
    at_shop(context, command.shop, command.asset)
    check_role(context, command.shop, "cashier")
    if command.till is not None:
        check_till(context, command.shop, command.till)
    limits = {"percent": PER_CENT_MAX, "fixed": command.amount_minor}
    most = limits.get(command.tip, 0)
    least = 1 if command.tip in limits else 0
    context.refuse_if(not least <= command.tip_value <= most, "tip_not_valid")
    future = context.time_ns < command.until_ns <= context.time_ns + YEAR_NS
    context.refuse_if(not future, "shop_order_past")
    context.refuse_if(command.many and command.exit, "shop_order_many_with_exit")
    order = as_bytes(context.new_id("order"))
    sql = """INSERT INTO shop_orders (order_id, shop, till, asset, amount_minor, tip, tip_value, number, until_ns, many,
             exits, state, made_ns, payment) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'open', ?, NULL)"""
    values = (command.asset, command.amount_minor, command.tip, command.tip_value, command.number, command.until_ns)
    flags = (int(command.many), int(command.exit))
    context.rows.run(sql, order, command.shop, command.till, *values, *flags, context.time_ns)
    return OrderMade(order)


def withdraw_order(context: Context, command: WithdrawOrder) -> None:
    """Take an open order back."""
    order = _order(context, command.order)
    check_role(context, order.shop, "cashier")
    _check_open(context, order)
    context.rows.run("UPDATE shop_orders SET state = 'withdrawn' WHERE order_id = ?", command.order)
    context.emit(OrderWithdrawn(command.order), subject=order.shop)


def pay_order(needs: Needs, context: Context, command: PayOrder) -> Paid:
    """Pay an order."""
    order = _order(context, command.order)
    counter = at_shop(context, order.shop, order.asset)
    _check_open(context, order)
    context.refuse_if(order.until_ns <= context.time_ns, "shop_order_expired")
    if order.tip == "ask":
        context.refuse_if(command.tip_minor > order.amount_minor, "tip_too_large")
    else:
        asked_minor = tip_of(order.tip, order.tip_value, order.amount_minor)
        context.refuse_if(command.tip_minor != asked_minor, "tip_differs")
    bill = Bill(
        shop=order.shop,
        account=counter.account,
        tariff=counter.tariff,
        payer=context.signer,
        till=order.till,
        order=order.order_id,
        asset=order.asset,
        amount_minor=order.amount_minor,
        tip_minor=command.tip_minor,
        number=order.number,
    )
    paid = take(needs, context, bill)
    if not order.many:
        sql = "UPDATE shop_orders SET state = ?, payment = ? WHERE order_id = ?"
        context.rows.run(sql, paid.state, paid.payment, order.order_id)
    if not order.exits or paid.state != "paid":
        return paid
    until_ns = context.time_ns + needs.purses.parameter(context, EXIT_PARAMETER) * SECOND_NS
    return Paid(paid.payment, paid.state, paid.reasons, until_ns)


def charge(needs: Needs, context: Context, command: Charge) -> Paid:
    """Charge whoever showed a code: once only, in time."""
    if command.till is None:
        counter = at_shop(context, command.shop, command.asset)
    else:
        counter = at_till(context, command.shop, command.till, command.asset)
    check_role(context, command.shop, "cashier")
    context.refuse_if(command.code_until_ns <= context.time_ns, "code_expired")
    context.rows.run("DELETE FROM shop_codes WHERE until_ns <= ?", context.time_ns)
    sql = "INSERT OR IGNORE INTO shop_codes (code, until_ns) VALUES (?, ?)"
    fresh = context.rows.run(sql, command.code, command.code_until_ns)
    context.refuse_if(fresh == 0, "code_used")
    bill = Bill(
        shop=command.shop,
        account=counter.account,
        tariff=counter.tariff,
        payer=command.payer,
        till=command.till,
        order=None,
        asset=command.asset,
        amount_minor=command.amount_minor,
        tip_minor=0,
        number=command.number,
    )
    return take(needs, context, bill)


def take_exit(needs: Needs, context: Context, command: TakeExit) -> ExitTaken:
    """Give whoever paid a token to leave with; a newer one replaces it."""
    order = _order(context, command.order)
    sale = rows.sale_of(context.rows, order.payment) if order.payment is not None else None
    if sale is None or not order.exits or sale.state != "paid":
        context.refuse("exit_not_offered")
    context.refuse_if(sale.payer != context.signer, "exit_not_yours")
    until_ns = sale.at_ns + needs.purses.parameter(context, EXIT_PARAMETER) * SECOND_NS
    context.refuse_if(until_ns <= context.time_ns, "exit_late")
    used_sql = "SELECT count(*) FROM shop_exits WHERE order_id = ? AND state = 'used' ORDER BY 1"
    context.refuse_if(context.rows.one(used_sql, order.order_id) != (0,), "exit_used")
    replaced = "UPDATE shop_exits SET state = 'replaced' WHERE order_id = ? AND state = 'live'"
    context.rows.run(replaced, order.order_id)
    sql = """INSERT OR IGNORE INTO shop_exits (token, shop, order_id, payment, until_ns, state)
             VALUES (?, ?, ?, ?, ?, 'live')"""
    fresh = context.rows.run(sql, command.token, order.shop, order.order_id, sale.payment, until_ns)
    context.refuse_if(fresh == 0, "exit_replaced")
    return ExitTaken(until_ns)


def use_exit(context: Context, command: UseExit) -> ExitUsed:
    """Open the gate: once, in time, where it was paid."""
    check_role(context, command.shop, "cashier")
    found = rows.exit_of(context.rows, command.token)
    if found is None or found.shop != command.shop:
        context.refuse("exit_not_found")
    context.refuse_if(found.state == "used", "exit_used")
    context.refuse_if(found.state == "replaced", "exit_replaced")
    context.refuse_if(found.until_ns <= context.time_ns, "exit_expired")
    sale = rows.sale_of(context.rows, found.payment)
    assert sale is not None, "a token is of a sale"
    context.refuse_if(sale.refunded_minor == sale.total_minor, "exit_refunded")
    context.rows.run("UPDATE shop_exits SET state = 'used' WHERE token = ?", command.token)
    context.emit(ExitOpened(found.order_id), subject=command.shop)
    return ExitUsed(found.order_id, found.payment)


def _order(context: Context, order: bytes) -> rows.OrderRow:
    found = rows.order_of(context.rows, order)
    if found is None:
        context.refuse("shop_order_not_found")
    return found


def _check_open(context: Context, order: rows.OrderRow) -> None:
    """Refuse an order that is over; its time is the caller's to check."""
    codes = {"withdrawn": "shop_order_withdrawn", "paid": "shop_order_paid", "held": "shop_order_held"}
    if order.state in codes:
        context.refuse(codes[order.state])
