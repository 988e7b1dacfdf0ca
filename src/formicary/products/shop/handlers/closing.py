"""Day close: a numbered report of all that a till, or the shop, sold and refunded since the report before."""

from __future__ import annotations

from typing import TYPE_CHECKING

from formicary.products.shop.commands import CloseDay, DayClosed
from formicary.products.shop.handlers.common import check_role, the_shop
from formicary.products.shop.queries import rows
from formicary.products.shop.queries.sums import last_close_ns, sums_between

if TYPE_CHECKING:
    from formicary.machine.context import Context


def close_day(context: Context, command: CloseDay) -> DayClosed:
    """Sum up and number; a till by who works there, the shop by a manager.

    What this very entry still brings after the close has its time, and so belongs to the next report.
    """
    shop = the_shop(context, command.shop)
    check_role(context, command.shop, "cashier" if command.till is not None else "manager")
    if command.till is not None:
        till = rows.till_of(context.rows, command.till)
        context.refuse_if(till is None or till[0] != command.shop, "till_not_found")
    from_ns = last_close_ns(context.rows, shop, command.till)
    number = shop.reports + 1
    sql = "INSERT INTO shop_reports (shop, number, till, from_ns, to_ns) VALUES (?, ?, ?, ?, ?)"
    context.rows.run(sql, command.shop, number, command.till or b"", from_ns, context.time_ns)
    sql = """INSERT INTO shop_report_totals (shop, number, asset, sales, gross_minor, tip_minor, fee_minor, refunds,
             refunded_minor, fee_back_minor) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"""
    totals = sums_between(context.rows, command.shop, till=command.till, from_ns=from_ns, to_ns=context.time_ns)
    for total in totals:
        context.rows.run(
            sql,
            command.shop,
            number,
            total.asset,
            total.sales,
            total.gross_minor,
            total.tip_minor,
            total.fee_minor,
            total.refunds,
            total.refunded_minor,
            total.fee_back_minor,
        )
    context.rows.run("UPDATE shop_shops SET reports = ? WHERE shop = ?", number, command.shop)
    return DayClosed(number)
