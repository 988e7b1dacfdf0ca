"""Questions about orders, sales, exports, reports and settlements."""

from __future__ import annotations

import heapq
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from formicary.base.errors import BadInput
from formicary.products.shop import answers
from formicary.products.shop.codes import DAY_NS, tip_of
from formicary.products.shop.queries import rows
from formicary.products.shop.queries.access import check_staff, is_staff, refuse
from formicary.products.shop.queries.cursors import NEWEST, read_place, write_place
from formicary.products.shop.queries.days import day_start_ns
from formicary.products.shop.queries.sums import sums_between, total_of

if TYPE_CHECKING:
    from formicary.machine.context import View

MINUTE_NS: Final = 60 * 10**9


def order(view: View, who: bytes, asked: answers.AskOrder) -> answers.Order:
    """One order, for whoever has its id."""
    found = rows.order_of(view.rows, asked.order)
    if found is None:
        refuse("shop_order_not_found")
    sale = rows.sale_of(view.rows, found.payment) if found.payment is not None else None
    is_payer = sale is not None and bool(who) and sale.payer == who
    exit_ns = None
    if is_payer and sale is not None and found.exits and sale.state == "paid":
        taken = _newest_exit(view, found.order_id)
        exit_ns = taken.until_ns if taken is not None else None
    shown = is_payer or is_staff(view, found.shop, who)
    return _order(found, view.time_ns, payment=found.payment if shown else None, exit_until_ns=exit_ns)


def orders(view: View, who: bytes, asked: answers.AskOrders) -> answers.Orders:
    """A shop's orders."""
    check_staff(view, asked.shop, who)
    if asked.state not in {"", "open", "held", "paid", "withdrawn", "expired"}:
        raise BadInput("open, held, paid, withdrawn or expired is needed", where="state")
    sql = """SELECT order_id, shop, till, asset, amount_minor, tip, tip_value, number, until_ns, many, exits, state,
             made_ns, payment FROM shop_orders WHERE shop = ? AND (made_ns, order_id) < (?, ?)
             AND (? IS NULL OR till = ?) AND (? = '' OR state = ?)
             AND (? <> 'open' OR until_ns > ?) AND (? <> 'expired' OR until_ns <= ?)
             ORDER BY made_ns DESC, order_id DESC LIMIT ?"""
    place = read_place(asked.after, start=NEWEST)
    stored = "open" if asked.state == "expired" else asked.state
    times = (asked.state, view.time_ns, asked.state, view.time_ns)
    found = [
        rows.OrderRow(*row)
        for row in view.rows.all(
            sql, asked.shop, *place, asked.till, asked.till, asked.state, stored, *times, asked.limit + 1
        )
    ]
    items = tuple(_order(row, view.time_ns, payment=row.payment) for row in found[: asked.limit])
    last = found[asked.limit - 1] if len(found) > asked.limit else None
    return answers.Orders(items=items, next="" if last is None else write_place(last.made_ns, last.order_id))


def sales(view: View, who: bytes, asked: answers.AskSales) -> answers.Sales:
    """A shop's sales."""
    check_staff(view, asked.shop, who)
    sql = """SELECT payment, shop, till, order_id, payer, asset, amount_minor, tip_minor, fee_minor, refunded_minor,
             fee_back_minor, number, state, paid_ns, at_ns FROM shop_sales
             WHERE shop = ? AND (at_ns, payment) < (?, ?) AND at_ns >= ? AND (? IS NULL OR till = ?)
             ORDER BY at_ns DESC, payment DESC LIMIT ?"""
    place = read_place(asked.after, start=NEWEST)
    values = (asked.since_ns, asked.till, asked.till, asked.limit + 1)
    found = [rows.SaleRow(*row) for row in view.rows.all(sql, asked.shop, *place, *values)]
    items = tuple(_sale(row) for row in found[: asked.limit])
    last = found[asked.limit - 1] if len(found) > asked.limit else None
    return answers.Sales(items=items, next="" if last is None else write_place(last.at_ns, last.payment))


def sale(view: View, who: bytes, asked: answers.AskSale) -> answers.SaleCard:
    """One sale, for staff and its payer."""
    found = rows.sale_of(view.rows, asked.payment)
    if found is None:
        refuse("sale_not_found")
    if found.payer != who and not is_staff(view, found.shop, who):
        refuse("shop_not_yours")
    refunds = tuple(
        answers.RefundLine(
            refund=row.refund,
            amount_minor=row.amount_minor,
            fee_back_minor=row.fee_back_minor,
            reason=row.reason,
            at_ns=row.at_ns,
        )
        for row in rows.refunds_of(view.rows, asked.payment)
    )
    left_minor = found.total_minor - found.refunded_minor if found.state == "paid" else 0
    return answers.SaleCard(sale=_sale(found), shop=found.shop, left_minor=left_minor, refunds=refunds)


def export(view: View, who: bytes, asked: answers.AskExport) -> answers.Export:
    """Sales and refunds as lines that add up."""
    check_staff(view, asked.shop, who, "manager")
    from_ns, after = read_place(asked.after, start=(asked.since_ns, b""))
    window = {"from_ns": max(from_ns, asked.since_ns), "to_ns": asked.until_ns}
    sold = (
        _sale_line(row)
        for row in rows.sales_between(view.rows, asked.shop, after=after, **window)
        if row.state == "paid"
    )
    numbers: dict[bytes, tuple[bytes | None, str]] = {}
    back = (
        _refund_line(view, row, numbers) for row in rows.refunds_between(view.rows, asked.shop, after=after, **window)
    )
    lines = heapq.merge(sold, back, key=lambda line: (line.at_ns, line.id))
    found = tuple(islice(lines, asked.limit + 1))
    last = found[asked.limit - 1] if len(found) > asked.limit else None
    return answers.Export(items=found[: asked.limit], next="" if last is None else write_place(last.at_ns, last.id))


def report(view: View, who: bytes, asked: answers.AskReport) -> answers.Report:
    """A closed report, or a day as it is now."""
    check_staff(view, asked.shop, who)
    if asked.number:
        sql = "SELECT number, till, from_ns, to_ns FROM shop_reports WHERE shop = ? AND number = ? ORDER BY number"
        found = view.rows.one(sql, asked.shop, asked.number)
        if found is None:
            refuse("report_not_found")
        return _report(view, asked.shop, found)
    shop = rows.shop_of(view.rows, asked.shop)
    assert shop is not None, "its staff was checked"
    offset_ns = shop.cut_minute * MINUTE_NS
    from_ns = day_start_ns(asked.day) if asked.day else (view.time_ns - offset_ns) // DAY_NS * DAY_NS
    from_ns += offset_ns
    to_ns = from_ns + DAY_NS
    totals = sums_between(view.rows, asked.shop, till=asked.till, from_ns=from_ns, to_ns=to_ns)
    return answers.Report(shop=asked.shop, till=asked.till, number=0, from_ns=from_ns, to_ns=to_ns, totals=totals)


def reports(view: View, who: bytes, asked: answers.AskReports) -> answers.Reports:
    """Closed reports, newest first."""
    check_staff(view, asked.shop, who)
    below = 2**31
    if asked.after:
        if not (asked.after.isascii() and asked.after.isdigit() and len(asked.after) < 11):
            raise BadInput("this is not a cursor of this list", where="after")
        below = int(asked.after)
    sql = """SELECT number, till, from_ns, to_ns FROM shop_reports WHERE shop = ? AND number < ?
             ORDER BY number DESC LIMIT ?"""
    found = view.rows.all(sql, asked.shop, below, asked.limit + 1)
    items = tuple(_report(view, asked.shop, row) for row in found[: asked.limit])
    return answers.Reports(items=items, next=str(items[-1].number) if len(found) > asked.limit else "")


def settlements(view: View, who: bytes, asked: answers.AskSettlements) -> answers.Settlements:
    """A shop's settlements."""
    check_staff(view, asked.shop, who, "manager")
    sql = """SELECT settlement, shop, asset, amount_minor, paid_minor, state, cut_ns, due_ns, withdrawal
             FROM shop_settlements WHERE shop = ? AND (cut_ns, settlement) < (?, ?)
             ORDER BY cut_ns DESC, settlement DESC LIMIT ?"""
    place = read_place(asked.after, start=NEWEST)
    found = [rows.SettlementRow(*row) for row in view.rows.all(sql, asked.shop, *place, asked.limit + 1)]
    items = tuple(
        answers.Settlement(
            settlement=row.settlement,
            asset=row.asset,
            amount_minor=row.amount_minor,
            paid_minor=row.paid_minor,
            state=row.state,
            cut_ns=row.cut_ns,
            due_ns=row.due_ns,
            withdrawal=row.withdrawal,
        )
        for row in found[: asked.limit]
    )
    last = found[asked.limit - 1] if len(found) > asked.limit else None
    return answers.Settlements(items=items, next="" if last is None else write_place(last.cut_ns, last.settlement))


def _newest_exit(view: View, order_id: bytes) -> rows.ExitRow | None:
    sql = """SELECT token, shop, order_id, payment, until_ns, state FROM shop_exits
             WHERE order_id = ? AND state = 'live' ORDER BY token"""
    found = view.rows.all(sql, order_id)
    return rows.ExitRow(*found[0]) if found else None


def _order(
    row: rows.OrderRow, time_ns: int, *, payment: bytes | None, exit_until_ns: int | None = None
) -> answers.Order:
    return answers.Order(
        order=row.order_id,
        shop=row.shop,
        till=row.till,
        asset=row.asset,
        amount_minor=row.amount_minor,
        tip=row.tip,
        tip_value=row.tip_value,
        tip_minor=tip_of(row.tip, row.tip_value, row.amount_minor),
        number=row.number,
        until_ns=row.until_ns,
        many=bool(row.many),
        exit=bool(row.exits),
        state=row.state_at(time_ns),
        made_ns=row.made_ns,
        payment=payment,
        exit_until_ns=exit_until_ns,
    )


def _sale(row: rows.SaleRow) -> answers.Sale:
    return answers.Sale(
        payment=row.payment,
        order=row.order_id,
        till=row.till,
        asset=row.asset,
        amount_minor=row.amount_minor,
        tip_minor=row.tip_minor,
        fee_minor=row.fee_minor,
        refunded_minor=row.refunded_minor,
        fee_back_minor=row.fee_back_minor,
        number=row.number,
        state=row.state,
        at_ns=row.at_ns,
    )


def _sale_line(row: rows.SaleRow) -> answers.ExportLine:
    return answers.ExportLine(
        kind="sale",
        id=row.payment,
        payment=row.payment,
        order=row.order_id,
        till=row.till,
        asset=row.asset,
        amount_minor=row.amount_minor,
        tip_minor=row.tip_minor,
        fee_minor=row.fee_minor,
        net_minor=row.total_minor - row.fee_minor,
        number=row.number,
        at_ns=row.at_ns,
    )


def _refund_line(view: View, row: rows.RefundRow, numbers: dict[bytes, tuple[bytes | None, str]]) -> answers.ExportLine:
    if row.payment not in numbers:
        found = rows.sale_of(view.rows, row.payment)
        numbers[row.payment] = (None, "") if found is None else (found.order_id, found.number)
    order_id, number = numbers[row.payment]
    return answers.ExportLine(
        kind="refund",
        id=row.refund,
        payment=row.payment,
        order=order_id,
        till=row.till,
        asset=row.asset,
        amount_minor=row.amount_minor,
        tip_minor=0,
        fee_minor=-row.fee_back_minor,
        net_minor=row.fee_back_minor - row.amount_minor,
        number=number,
        at_ns=row.at_ns,
    )


def _report(view: View, shop: bytes, row: tuple[Any, ...]) -> answers.Report:
    number, till, from_ns, to_ns = row
    sql = """SELECT asset, sales, gross_minor, tip_minor, fee_minor, refunds, refunded_minor, fee_back_minor
             FROM shop_report_totals WHERE shop = ? AND number = ? ORDER BY asset"""
    totals = tuple(total_of(row) for row in view.rows.all(sql, shop, number))
    return answers.Report(shop=shop, till=till or None, number=number, from_ns=from_ns, to_ns=to_ns, totals=totals)
