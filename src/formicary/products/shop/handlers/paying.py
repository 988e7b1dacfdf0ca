"""How a payment to a shop goes: the payer's checks, the guard's, the money with its fee, one row, one line of activity.

This is the hot path: a payment at a till costs two reads and one insert of this product's own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from formicary.kernel.objects import Transfer
from formicary.kernel.records import AMOUNT_ALL, TransferFlag
from formicary.products.shop.codes import FEE, SALE, fee_of, fees_account
from formicary.products.shop.commands import Paid, PaidState, PayTill
from formicary.products.shop.events import SaleMade, SaleResolved
from formicary.products.shop.handlers.common import as_bytes, as_id
from formicary.products.shop.queries import rows

if TYPE_CHECKING:
    from formicary.machine.context import Context
    from formicary.products.shop.needs import Needs


class Bill(NamedTuple):
    """What somebody is about to pay."""

    shop: bytes
    account: int
    tariff: str
    payer: bytes
    till: bytes | None
    order: bytes | None
    asset: int
    amount_minor: int
    tip_minor: int
    number: str

    @property
    def total_minor(self) -> int:
        """What the payer pays: amount and tip."""
        return self.amount_minor + self.tip_minor


class Counter(NamedTuple):
    """Where money is taken."""

    account: int
    tariff: str
    tip: str


def pay_till(needs: Needs, context: Context, command: PayTill) -> Paid:
    """Pay at a till with a printed code."""
    counter = at_till(context, command.shop, command.till, command.asset)
    context.refuse_if(counter.tip == "none" and command.tip_minor > 0, "tip_differs")
    context.refuse_if(command.tip_minor > command.amount_minor, "tip_too_large")
    bill = Bill(
        shop=command.shop,
        account=counter.account,
        tariff=counter.tariff,
        payer=context.signer,
        till=command.till,
        order=None,
        asset=command.asset,
        amount_minor=command.amount_minor,
        tip_minor=command.tip_minor,
        number="",
    )
    return take(needs, context, bill)


def at_till(context: Context, shop: bytes, till: bytes, asset: int) -> Counter:
    """Shop, till and currency in one read; refuses in the order shop, till, currency."""
    sql = """SELECT t.shop, t.state, t.tip, s.state, s.tariff, a.account FROM shop_tills t
             JOIN shop_shops s ON s.shop = t.shop LEFT JOIN shop_accounts a ON a.shop = t.shop AND a.asset = ?
             WHERE t.till = ? ORDER BY t.till, a.shop, a.asset"""
    found = context.rows.one(sql, asset, till)
    if found is None or found[0] != shop:
        context.refuse_if(rows.shop_of(context.rows, shop) is None, "shop_not_found")
        context.refuse("till_not_found")
    _, till_state, tip, shop_state, tariff, account = found
    context.refuse_if(shop_state != rows.OPEN, "shop_not_open")
    context.refuse_if(till_state != "open", "till_removed")
    context.refuse_if(account is None, "shop_currency_not_open")
    return Counter(as_id(account), tariff, tip)


def at_shop(context: Context, shop: bytes, asset: int) -> Counter:
    """Shop and currency in one read, without a till."""
    sql = """SELECT s.state, s.tariff, a.account FROM shop_shops s
             LEFT JOIN shop_accounts a ON a.shop = s.shop AND a.asset = ?
             WHERE s.shop = ? ORDER BY s.shop, a.shop, a.asset"""
    found = context.rows.one(sql, asset, shop)
    if found is None:
        context.refuse("shop_not_found")
    context.refuse_if(found[0] != rows.OPEN, "shop_not_open")
    context.refuse_if(found[2] is None, "shop_currency_not_open")
    return Counter(as_id(found[2]), found[1], "none")


def take(needs: Needs, context: Context, bill: Bill) -> Paid:
    """Move the money, or hold it when the guard has reasons; write the sale down either way."""
    source = needs.purses.check_payer(context, bill.payer, bill.asset, bill.total_minor)
    reasons = judge(needs, context, bill)
    payment = context.new_id("sale")
    fixed_minor, rate = rows.tariff_at(context.rows, bill.tariff, bill.asset, context.time_ns)
    fee_minor = fee_of(bill.amount_minor, fixed_minor=fixed_minor, rate_per_100000=rate)
    transfer = Transfer(
        id=payment,
        debit=source,
        credit=bill.account,
        amount=bill.total_minor,
        asset=bill.asset,
        code=SALE,
        flags=TransferFlag.HOLD if reasons else TransferFlag(0),
        user_data=as_id(bill.order or bytes(16)),
    )
    pay(context, bill, transfer, fee_minor=0 if reasons else fee_minor)
    return write_down(needs, context, bill, payment=as_bytes(payment), fee_minor=fee_minor, reasons=reasons)


def judge(needs: Needs, context: Context, bill: Bill) -> tuple[str, ...]:
    """Ask the guard."""
    return needs.watch.judge(
        context,
        payer=bill.payer,
        payee=bill.shop,
        asset=bill.asset,
        amount_minor=bill.total_minor,
        purpose="goods",
        source="shop",
    )


def pay(context: Context, bill: Bill, *transfers: Transfer, fee_minor: int) -> None:
    """Post what moves the payer's money, and the shop's fee with it, as one."""
    chain = list(transfers)
    if fee_minor:
        chain.append(fee_transfer(context, account=bill.account, asset=bill.asset, fee_minor=fee_minor))
    if len(chain) == 1:
        context.transfer(chain[0])
    else:
        context.chain(chain)


def fee_transfer(context: Context, *, account: int, asset: int, fee_minor: int) -> Transfer:
    """From the shop to the institution."""
    return Transfer(
        id=context.new_id("fee"),
        debit=account,
        credit=fees_account(asset),
        amount=fee_minor,
        asset=asset,
        code=FEE,
    )


def write_down(
    needs: Needs, context: Context, bill: Bill, *, payment: bytes, fee_minor: int, reasons: tuple[str, ...]
) -> Paid:
    """Keep the sale's row, the payer's activity, the guard's case, and tell the shop."""
    state: PaidState = "held" if reasons else "paid"
    sql = """INSERT INTO shop_sales (payment, shop, till, order_id, payer, asset, amount_minor, tip_minor, fee_minor,
             refunded_minor, fee_back_minor, number, state, paid_ns, at_ns)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 0, 0, ?, ?, ?, ?)"""
    values = (bill.asset, bill.amount_minor, bill.tip_minor, fee_minor, bill.number, state)
    now_ns = context.time_ns
    context.rows.run(sql, payment, bill.shop, bill.till, bill.order, bill.payer, *values, now_ns, now_ns)
    needs.book.record(
        context,
        payment=payment,
        kind="shop",
        payer=bill.payer,
        payee=bill.shop,
        asset=bill.asset,
        amount_minor=bill.total_minor,
        state=state,
        note=None,
        purpose="goods",
        reference=bill.order,
    )
    if reasons:
        needs.watch.hold(
            context,
            payment=payment,
            payer=bill.payer,
            payee=bill.shop,
            asset=bill.asset,
            amount_minor=bill.total_minor,
            reasons=reasons,
        )
    made = SaleMade(
        payment, bill.shop, bill.till, bill.order, bill.asset, bill.amount_minor, bill.tip_minor, fee_minor,
        bill.number, state,
    )  # fmt: skip
    context.emit(made, subject=bill.shop)
    return Paid(payment, state, reasons, None)


def capture(needs: Needs, context: Context, sale: rows.SaleRow) -> None:
    """Let a held sale go: the money and its fee move now, and it counts from now on."""
    assert sale.state == "held", "only a held sale is captured"
    account = rows.account_of(context.rows, sale.shop, sale.asset)
    assert account is not None, "a shop that was paid has an account"
    whole = Transfer(
        id=context.new_id("captured"), hold_id=as_id(sale.payment), amount=AMOUNT_ALL, flags=TransferFlag.CAPTURE
    )
    chain = [whole]
    if sale.fee_minor:
        chain.append(fee_transfer(context, account=account, asset=sale.asset, fee_minor=sale.fee_minor))
    context.chain(chain)
    sql = "UPDATE shop_sales SET state = 'paid', at_ns = ? WHERE payment = ?"
    context.rows.run(sql, context.time_ns, sale.payment)
    if sale.order_id is not None:
        sql = "UPDATE shop_orders SET state = 'paid' WHERE order_id = ? AND state = 'held'"
        context.rows.run(sql, sale.order_id)
    needs.book.update(context, sale.payment, "paid")
    context.emit(SaleResolved(sale.payment, sale.order_id, "paid"), subject=sale.shop)


def give_up(needs: Needs, context: Context, sale: rows.SaleRow, how: str) -> None:
    """Give a held sale's money back to its payer; the order is open again."""
    assert sale.state == "held", "only a held sale is returned"
    release = Transfer(
        id=context.new_id("returned"), hold_id=as_id(sale.payment), amount=AMOUNT_ALL, flags=TransferFlag.RELEASE
    )
    context.transfer(release)
    context.rows.run("UPDATE shop_sales SET state = 'returned' WHERE payment = ?", sale.payment)
    if sale.order_id is not None:
        sql = "UPDATE shop_orders SET state = 'open', payment = NULL WHERE order_id = ? AND state = 'held'"
        context.rows.run(sql, sale.order_id)
    needs.purses.uncount(context, sale.payer, sale.asset, sale.total_minor, sale.paid_ns)
    needs.book.update(context, sale.payment, "returned")
    resolved = SaleResolved(sale.payment, sale.order_id, "recalled" if how == "recalled" else "refused")
    context.emit(resolved, subject=sale.shop)
