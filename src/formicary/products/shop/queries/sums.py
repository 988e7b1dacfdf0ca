"""What a time's sales and refunds add up to, in Python, a page of rows at a time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from formicary.products.shop.answers import Total
from formicary.products.shop.queries.rows import ShopRow, refunds_between, sales_between

if TYPE_CHECKING:
    from formicary.machine.fence import FencedRows


@dataclass(slots=True)
class _Sum:
    sales: int = 0
    gross_minor: int = 0
    tip_minor: int = 0
    fee_minor: int = 0
    refunds: int = 0
    refunded_minor: int = 0
    fee_back_minor: int = 0


def sums_between(rows: FencedRows, shop: bytes, *, till: bytes | None, from_ns: int, to_ns: int) -> tuple[Total, ...]:
    """Totals of a time by currency, ``to_ns`` excluded; of one till when it is given. Held payments don't count."""
    sums: dict[int, _Sum] = {}
    for sale in sales_between(rows, shop, from_ns=from_ns, to_ns=to_ns):
        if sale.state == "paid" and till in {None, sale.till}:
            total = sums.setdefault(sale.asset, _Sum())
            total.sales += 1
            total.gross_minor += sale.amount_minor
            total.tip_minor += sale.tip_minor
            total.fee_minor += sale.fee_minor
    for refund in refunds_between(rows, shop, from_ns=from_ns, to_ns=to_ns):
        if till in {None, refund.till}:
            total = sums.setdefault(refund.asset, _Sum())
            total.refunds += 1
            total.refunded_minor += refund.amount_minor
            total.fee_back_minor += refund.fee_back_minor
    return tuple(_total(asset, total) for asset, total in sorted(sums.items()))


def last_close_ns(rows: FencedRows, shop: ShopRow, till: bytes | None) -> int:
    """Until when the newest report of a till (or the whole shop) reaches; before the first, the shop's opening."""
    sql = "SELECT to_ns FROM shop_reports WHERE shop = ? AND till = ? ORDER BY number DESC LIMIT 1"
    found = rows.one(sql, shop.shop, till or b"")
    return shop.opened_ns if found is None else int(found[0])


def total_of(row: tuple[int, ...]) -> Total:
    """A total as a report kept it: asset, sales, gross, tips, fees, refunds, refunded, fees back."""
    asset, *numbers = row
    return _total(asset, _Sum(*numbers))


def _total(asset: int, total: _Sum) -> Total:
    net_minor = total.gross_minor + total.tip_minor - total.fee_minor - total.refunded_minor + total.fee_back_minor
    return Total(
        asset=asset,
        sales=total.sales,
        gross_minor=total.gross_minor,
        tip_minor=total.tip_minor,
        fee_minor=total.fee_minor,
        refunds=total.refunds,
        refunded_minor=total.refunded_minor,
        fee_back_minor=total.fee_back_minor,
        net_minor=net_minor,
    )
