"""What always holds of shops, after every entry."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from formicary.products.shop.codes import fee_back_of, fees_account
from formicary.products.shop.queries.rows import PAGE, SaleRow, refunds_of

if TYPE_CHECKING:
    from formicary.machine.context import View

FIRST: Final = b""


def sales_add_up(view: View) -> None:
    """Of each sale: the fee is within the amount, refunds add up to what it says, and are within what was paid."""
    for sale in _sales(view):
        name = sale.payment.hex()
        assert 0 <= sale.fee_minor <= sale.amount_minor, f"{name}: the fee is more than the amount"
        assert 0 <= sale.refunded_minor <= sale.total_minor, f"{name}: more refunded than paid"
        refunds = refunds_of(view.rows, sale.payment)
        assert sum(refund.amount_minor for refund in refunds) == sale.refunded_minor, f"{name}: refunds differ"
        assert sum(refund.fee_back_minor for refund in refunds) == sale.fee_back_minor, f"{name}: fees back differ"
        back_minor = fee_back_of(sale.fee_minor, refunded_minor=sale.refunded_minor, paid_minor=sale.total_minor)
        assert sale.fee_back_minor == back_minor, f"{name}: the fee came back out of proportion"


def fees_are_where_they_belong(view: View) -> None:
    """The institution's fee account has what sales paid in fees less what refunds gave back, to the minor unit."""
    fees: dict[int, int] = {}
    for sale in _sales(view):
        if sale.state == "paid":
            fees[sale.asset] = fees.get(sale.asset, 0) + sale.fee_minor - sale.fee_back_minor
    for asset, fees_minor in sorted(fees.items()):
        account = view.account(fees_account(asset))
        assert account is not None, "a shop that was paid has opened the fees' account"
        assert account.credits_posted - account.debits_posted == fees_minor, f"fees of {asset} differ"


def held_money_has_a_reason(view: View) -> None:
    """What is held towards a shop is its held sales and the deposits of guests in the house."""
    held: dict[tuple[bytes, int], int] = {}
    for sale in _sales(view):
        if sale.state == "held":
            place = (sale.shop, sale.asset)
            held[place] = held.get(place, 0) + sale.total_minor
    sql = """SELECT stay, shop, asset, deposit_minor FROM shop_stays WHERE stay > ? AND state = 'in_house'
             ORDER BY stay LIMIT 1000"""
    for _, shop, asset, deposit_minor in _pages(view, sql):
        held[shop, asset] = held.get((shop, asset), 0) + deposit_minor
    sql = "SELECT account, shop, asset FROM shop_accounts WHERE account > ? ORDER BY account, shop, asset LIMIT 1000"
    for name, shop, asset in _pages(view, sql):
        account = view.account(int.from_bytes(name, "big"))
        assert account is not None, "a shop's account is open"
        assert account.credits_held == held.get((shop, asset), 0), f"{name.hex()}: held money without a reason"


def a_waiting_settlement_is_not_paid(view: View) -> None:
    """A settlement is paid at most what was set down."""
    sql = """SELECT settlement, amount_minor, paid_minor, state FROM shop_settlements WHERE settlement > ?
             ORDER BY settlement LIMIT 1000"""
    for name, amount_minor, paid_minor, state in _pages(view, sql):
        assert 0 <= paid_minor <= amount_minor, f"{name.hex()}: paid out more than was set down"
        assert (paid_minor > 0) == (state == "paid"), f"{name.hex()}: {state} does not fit what was paid"


def _sales(view: View) -> Iterator[SaleRow]:
    sql = """SELECT payment, shop, till, order_id, payer, asset, amount_minor, tip_minor, fee_minor, refunded_minor,
             fee_back_minor, number, state, paid_ns, at_ns FROM shop_sales WHERE payment > ?
             ORDER BY payment LIMIT 1000"""
    for row in _pages(view, sql):
        yield SaleRow(*row)


def _pages(view: View, sql: str) -> Iterator[tuple]:  # type: ignore[type-arg]
    """All rows of a table by its key, a page at a time."""
    last = FIRST
    while True:
        page = view.rows.all(sql, last)
        yield from page
        if len(page) < PAGE:
            return
        last = page[-1][0]
