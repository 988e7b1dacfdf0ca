"""Refunds: partial and repeated, never more than was paid, the fee in proportion."""

from __future__ import annotations

from typing import TYPE_CHECKING

from formicary.kernel.objects import Transfer
from formicary.products.shop.codes import FEE_BACK, REFUND, fee_back_of, fees_account
from formicary.products.shop.commands import Refund, Refunded
from formicary.products.shop.events import RefundReceived, SaleRefunded
from formicary.products.shop.handlers.common import as_bytes, check_role, free_minor
from formicary.products.shop.queries import rows

if TYPE_CHECKING:
    from formicary.machine.context import Context
    from formicary.products.shop.needs import Needs


def refund(needs: Needs, context: Context, command: Refund) -> Refunded:
    """Give money back to who paid, whatever their limits are: it is their own."""
    sale = rows.sale_of(context.rows, command.payment)
    if sale is None:
        context.refuse("sale_not_found")
    check_role(context, sale.shop, "manager")
    context.refuse_if(sale.state != "paid", "sale_not_paid")
    refunded_minor = sale.refunded_minor + command.amount_minor
    context.refuse_if(refunded_minor > sale.total_minor, "refund_too_large")
    purse = needs.purses.purse(context, sale.payer, sale.asset)
    if purse is None:
        context.refuse("refund_payer_gone")
    back_minor = fee_back_of(sale.fee_minor, refunded_minor=refunded_minor, paid_minor=sale.total_minor)
    fee_minor = back_minor - sale.fee_back_minor
    account = rows.account_of(context.rows, sale.shop, sale.asset)
    assert account is not None, "a shop that was paid has an account"
    short = free_minor(context, account) + fee_minor < command.amount_minor
    context.refuse_if(short, "refund_funds_short")
    name = context.new_id("refund")
    chain = [
        Transfer(
            id=name, debit=account, credit=purse, amount=command.amount_minor, asset=sale.asset, code=REFUND,
            user_data=int.from_bytes(sale.payment, "big"),
        )
    ]  # fmt: skip
    if fee_minor:
        fees = fees_account(sale.asset)
        back = Transfer(
            id=context.new_id("fee_back"), debit=fees, credit=account, amount=fee_minor, asset=sale.asset, code=FEE_BACK
        )
        chain.insert(0, back)
    context.chain(chain)
    _write_down(needs, context, sale, command, refund=as_bytes(name), fee_minor=fee_minor)
    return Refunded(as_bytes(name), sale.total_minor - refunded_minor)


def _write_down(
    needs: Needs, context: Context, sale: rows.SaleRow, command: Refund, *, refund: bytes, fee_minor: int
) -> None:
    amount_minor = command.amount_minor
    sql = """INSERT INTO shop_refunds (refund, payment, shop, till, asset, amount_minor, fee_back_minor, reason,
             made_by, at_ns) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"""
    values = (sale.asset, amount_minor, fee_minor, command.reason, context.signer, context.time_ns)
    context.rows.run(sql, refund, sale.payment, sale.shop, sale.till, *values)
    sql = "UPDATE shop_sales SET refunded_minor = ?, fee_back_minor = ? WHERE payment = ?"
    context.rows.run(sql, sale.refunded_minor + amount_minor, sale.fee_back_minor + fee_minor, sale.payment)
    needs.purses.uncount(context, sale.payer, sale.asset, amount_minor, sale.paid_ns)
    needs.book.record(
        context,
        payment=refund,
        kind="refund",
        payer=sale.shop,
        payee=sale.payer,
        asset=sale.asset,
        amount_minor=amount_minor,
        state="paid",
        note=None,
        purpose="goods",
        reference=sale.payment,
    )
    if sale.refunded_minor + amount_minor == sale.total_minor:
        needs.book.update(context, sale.payment, "refunded")
    context.emit(SaleRefunded(sale.payment, refund, sale.asset, amount_minor), subject=sale.shop)
    received = RefundReceived(sale.payment, refund, sale.shop, sale.asset, amount_minor)
    context.emit(received, subject=sale.payer)
