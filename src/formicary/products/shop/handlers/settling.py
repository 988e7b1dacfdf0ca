"""Settlement: each business day all that a shop has is set down, and n days later paid to its bank account.

What a settlement sets down is what the account has and no earlier settlement waits for. Refunds made meanwhile come out
of what is paid; so nothing is paid twice or lost: paid out + still there = all that ever came in, to the minor unit.
A payout that the bank rail refuses leaves its settlement waiting; the next cut finds it, and its money is part of the
new one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from formicary.products.anatomy import MINOR_MAX, TimerId
from formicary.products.shop.codes import DAY_NS
from formicary.products.shop.commands import SetSettlement, Settled, SettleNow
from formicary.products.shop.events import Cut, Due, SettlementFailed, ShopSettled
from formicary.products.shop.handlers.common import as_bytes, check_role, free_minor, the_shop
from formicary.products.shop.queries import rows

if TYPE_CHECKING:
    from formicary.machine.context import Context
    from formicary.products.shop.needs import Needs

MINUTE_NS: Final = 60 * 10**9
LATE_NS: Final = 3600 * 10**9
"""How long after its time a settlement still counts as waiting; its own timer has long run by then, or was refused."""


def set_settlement(needs: Needs, context: Context, command: SetSettlement) -> None:
    """Say when and where the money goes; the owner who says so is whose bank account it is."""
    shop = the_shop(context, command.shop)
    check_role(context, command.shop, "owner")
    ref = command.account_ref
    unknown = ref is not None and not needs.payouts.is_linked(context, context.signer, ref)
    context.refuse_if(unknown, "settlement_not_linked")
    if shop.cut_timer is not None:
        context.cancel(TimerId(shop.cut_timer))
    timer = None
    if command.account_ref is not None:
        timer = context.schedule(next_cut_ns(context.time_ns, command.cut_minute), "cut", Cut(command.shop))
    party = context.signer if command.account_ref is not None else None
    sql = """UPDATE shop_shops SET settle_days = ?, settle_ref = ?, settle_party = ?, cut_minute = ?, cut_timer = ?
             WHERE shop = ?"""
    values = (command.days, command.account_ref, party, command.cut_minute, timer)
    context.rows.run(sql, *values, command.shop)


def settle_now(context: Context, command: SettleNow) -> Settled:
    """Cut now in one currency."""
    shop = the_shop(context, command.shop)
    check_role(context, command.shop, "owner")
    context.refuse_if(shop.settle_ref is None, "settlement_not_set")
    account = rows.account_of(context.rows, command.shop, command.asset)
    if account is None:
        context.refuse("shop_currency_not_open")
    made = _set_down(context, shop, asset=command.asset, account=account)
    if made is None:
        context.refuse("settlement_nothing")
    return made


def cut(context: Context, timer: Cut) -> None:
    """A business day ends: set down what there is in each currency, and wait for the next day."""
    shop = the_shop(context, timer.shop)
    for asset, account in rows.accounts_of(context.rows, timer.shop):
        _set_down(context, shop, asset=asset, account=account)
    due_ns = next_cut_ns(context.time_ns, shop.cut_minute)
    again = context.schedule(due_ns, "cut", Cut(timer.shop))
    context.rows.run("UPDATE shop_shops SET cut_timer = ? WHERE shop = ?", again, timer.shop)


def due(needs: Needs, context: Context, timer: Due) -> None:
    """Pay a settlement out, as far as refunds have left of it. A refusal by the rail leaves it waiting."""
    found = rows.settlement_of(context.rows, timer.settlement)
    assert found is not None, "a timer of a settlement has one"
    context.refuse_if(found.state != "waiting", "settlement_not_waiting")
    shop = the_shop(context, found.shop)
    account = rows.account_of(context.rows, found.shop, found.asset)
    assert account is not None, "what was set down is on an account"
    if shop.settle_ref is None or shop.settle_party is None:
        context.refuse("settlement_not_set")
    paid_minor = min(found.amount_minor, free_minor(context, account))
    withdrawal = None
    if paid_minor:
        withdrawal = needs.payouts.pay_out(
            context,
            party=shop.settle_party,
            account=account,
            asset=found.asset,
            amount_minor=paid_minor,
            account_ref=shop.settle_ref,
        )
    sql = "UPDATE shop_settlements SET state = ?, paid_minor = ?, withdrawal = ? WHERE settlement = ?"
    context.rows.run(sql, "paid" if paid_minor else "empty", paid_minor, withdrawal, timer.settlement)
    told = ShopSettled(timer.settlement, found.asset, paid_minor, found.amount_minor - paid_minor)
    context.emit(told, subject=found.shop)


def next_cut_ns(time_ns: int, cut_minute: int) -> int:
    """The next end of a business day after a time."""
    offset_ns = cut_minute * MINUTE_NS
    return ((time_ns - offset_ns) // DAY_NS + 1) * DAY_NS + offset_ns


def _set_down(context: Context, shop: rows.ShopRow, *, asset: int, account: int) -> Settled | None:
    """Make a settlement of what no other waits for; None when there is nothing."""
    waiting_minor = 0
    for earlier in rows.waiting_of(context.rows, shop.shop, asset):
        if earlier.due_ns + LATE_NS <= context.time_ns:
            _give_up(context, earlier)
        else:
            waiting_minor += earlier.amount_minor
    amount_minor = min(free_minor(context, account) - waiting_minor, MINOR_MAX)
    if amount_minor <= 0:
        return None
    settlement = as_bytes(context.new_id("settlement"))
    due_ns = context.time_ns + shop.settle_days * DAY_NS
    sql = """INSERT INTO shop_settlements (settlement, shop, asset, amount_minor, paid_minor, state, cut_ns, due_ns,
             withdrawal) VALUES (?, ?, ?, ?, 0, 'waiting', ?, ?, NULL)"""
    context.rows.run(sql, settlement, shop.shop, asset, amount_minor, context.time_ns, due_ns)
    context.schedule(due_ns, "due", Due(settlement))
    return Settled(settlement, amount_minor, due_ns)


def _give_up(context: Context, settlement: rows.SettlementRow) -> None:
    """The rail refused it; its money is free to be set down again."""
    sql = "UPDATE shop_settlements SET state = 'failed' WHERE settlement = ?"
    context.rows.run(sql, settlement.settlement)
    failed = SettlementFailed(settlement.settlement, "settlement_refused")
    context.emit(failed, subject=settlement.shop)
