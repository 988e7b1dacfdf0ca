"""A hotel: one consent holds the deposit, gives the key and opens the folio; at the end the folio is paid from it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from formicary.kernel.objects import Transfer
from formicary.kernel.records import AMOUNT_ALL, TransferFlag
from formicary.products.anatomy import TimerId
from formicary.products.shop.codes import DEPOSIT, FOLIO_LINES_MAX, SALE, YEAR_NS, fee_of
from formicary.products.shop.commands import (
    ChargeFolio,
    CheckedIn,
    CheckedOut,
    CheckIn,
    CheckOut,
    OfferStay,
    StayOffered,
    UseKey,
    WithdrawStay,
)
from formicary.products.shop.events import FolioCharged, GuestCheckedIn, GuestCheckedOut, StayOver
from formicary.products.shop.handlers.common import as_bytes, as_id, check_role
from formicary.products.shop.handlers.paying import Bill, at_shop, judge, pay, write_down
from formicary.products.shop.queries import rows

if TYPE_CHECKING:
    from formicary.machine.context import Context
    from formicary.products.shop.needs import Needs


def offer_stay(context: Context, command: OfferStay) -> StayOffered:
    """Offer a stay."""
    at_shop(context, command.shop, command.asset)
    check_role(context, command.shop, "cashier")
    future = context.time_ns < command.until_ns <= context.time_ns + YEAR_NS
    context.refuse_if(not future, "stay_past")
    stay = as_bytes(context.new_id("stay"))
    sql = """INSERT INTO shop_stays (stay, shop, asset, deposit_minor, until_ns, state, made_ns, guest, key, hold,
             checked_in_ns, timer, folio_minor, folio_lines, payment)
             VALUES (?, ?, ?, ?, ?, 'offered', ?, NULL, NULL, NULL, 0, NULL, 0, 0, NULL)"""
    values = (command.asset, command.deposit_minor, command.until_ns, context.time_ns)
    context.rows.run(sql, stay, command.shop, *values)
    return StayOffered(stay)


def withdraw_stay(context: Context, command: WithdrawStay) -> None:
    """Take an offer back."""
    stay = _stay(context, command.stay)
    check_role(context, stay.shop, "cashier")
    context.refuse_if(stay.state != "offered", "stay_not_offered")
    context.rows.run("UPDATE shop_stays SET state = 'withdrawn' WHERE stay = ?", command.stay)


def check_in(needs: Needs, context: Context, command: CheckIn) -> CheckedIn:
    """Hold the deposit and give the key. The guard is asked when money is paid, at the end: nobody gets any before."""
    stay = _stay(context, command.stay)
    counter = at_shop(context, stay.shop, stay.asset)
    context.refuse_if(stay.state != "offered", "stay_not_offered")
    context.refuse_if(stay.until_ns <= context.time_ns, "stay_expired")
    source = needs.purses.check_payer(context, context.signer, stay.asset, stay.deposit_minor)
    hold = context.new_id("deposit")
    context.transfer(
        Transfer(
            id=hold,
            debit=source,
            credit=counter.account,
            amount=stay.deposit_minor,
            asset=stay.asset,
            code=DEPOSIT,
            flags=TransferFlag.HOLD,
            user_data=as_id(stay.stay),
        )
    )
    timer = context.schedule(stay.until_ns, "stay_over", StayOver(stay.stay))
    sql = """UPDATE shop_stays SET state = 'in_house', guest = ?, key = ?, hold = ?, checked_in_ns = ?, timer = ?
             WHERE stay = ?"""
    context.rows.run(sql, context.signer, command.key, as_bytes(hold), context.time_ns, timer, stay.stay)
    context.emit(GuestCheckedIn(stay.stay), subject=stay.shop)
    return CheckedIn(as_bytes(hold), stay.until_ns)


def use_key(context: Context, command: UseKey) -> None:
    """Accept when the key opens the door now."""
    stay = _stay(context, command.stay)
    check_role(context, stay.shop, "cashier")
    context.refuse_if(stay.state != "in_house", "stay_not_in_house")
    context.refuse_if(stay.until_ns <= context.time_ns, "stay_expired")
    context.refuse_if(stay.key != command.key, "stay_key_wrong")


def charge_folio(context: Context, command: ChargeFolio) -> None:
    """Write a line on the folio."""
    stay = _stay(context, command.stay)
    check_role(context, stay.shop, "cashier")
    context.refuse_if(stay.state != "in_house", "stay_not_in_house")
    folio_minor = stay.folio_minor + command.amount_minor
    context.refuse_if(folio_minor > stay.deposit_minor, "stay_deposit_short")
    context.refuse_if(stay.folio_lines >= FOLIO_LINES_MAX, "stay_folio_full")
    sql = "INSERT INTO shop_folio (stay, line, amount_minor, label, at_ns) VALUES (?, ?, ?, ?, ?)"
    line = stay.folio_lines + 1
    context.rows.run(sql, stay.stay, line, command.amount_minor, command.label, context.time_ns)
    sql = "UPDATE shop_stays SET folio_minor = ?, folio_lines = ? WHERE stay = ?"
    context.rows.run(sql, folio_minor, line, stay.stay)
    assert stay.guest is not None, "somebody is in the house"
    context.emit(FolioCharged(stay.stay, stay.asset, command.amount_minor), subject=stay.guest)


def check_out(needs: Needs, context: Context, command: CheckOut) -> CheckedOut:
    """End a stay by guest or staff."""
    stay = _stay(context, command.stay)
    if context.signer != stay.guest:
        context.refuse_if(not rows.role_of(context.rows, stay.shop, context.signer), "stay_not_yours")
    context.refuse_if(stay.state != "in_house", "stay_not_in_house")
    assert stay.timer is not None, "a stay in the house ends by itself"
    context.cancel(TimerId(stay.timer))
    return _end(needs, context, stay)


def stay_over(needs: Needs, context: Context, timer: StayOver) -> None:
    """The time is over: the stay ends as if the guest had checked out, which cancels this timer."""
    _end(needs, context, _stay(context, timer.stay))


def _end(needs: Needs, context: Context, stay: rows.StayRow) -> CheckedOut:
    """Pay the folio from the deposit; what the guard wants to look at is held anew, under the payment's own id."""
    assert stay.guest is not None, "somebody is in the house"
    assert stay.hold is not None, "a stay in the house has a deposit"
    payment = _pay_folio(needs, context, stay) if stay.folio_minor else None
    released_minor = stay.deposit_minor - stay.folio_minor
    if payment is None:
        context.transfer(_release(context, stay.hold))
    if released_minor:
        needs.purses.uncount(context, stay.guest, stay.asset, released_minor, stay.checked_in_ns)
    sql = "UPDATE shop_stays SET state = 'ended', payment = ?, key = NULL, timer = NULL WHERE stay = ?"
    context.rows.run(sql, payment, stay.stay)
    context.emit(GuestCheckedOut(stay.stay, payment, stay.folio_minor), subject=stay.shop)
    return CheckedOut(payment, stay.folio_minor, released_minor)


def _pay_folio(needs: Needs, context: Context, stay: rows.StayRow) -> bytes:
    """Turn as much of the deposit as the folio says into a sale; its limits were counted at check-in."""
    assert stay.guest is not None, "somebody is in the house"
    assert stay.hold is not None, "a stay in the house has a deposit"
    bill = _bill(context, stay, stay.guest)
    reasons = judge(needs, context, bill)
    fixed_minor, rate = rows.tariff_at(context.rows, bill.tariff, bill.asset, context.time_ns)
    fee_minor = fee_of(bill.amount_minor, fixed_minor=fixed_minor, rate_per_100000=rate)
    payment = context.new_id("sale")
    if reasons:
        deposit = context.view().transfer(as_id(stay.hold))
        assert deposit is not None, "the deposit is a hold"
        again = Transfer(
            id=payment, debit=deposit.debit, credit=deposit.credit, amount=bill.amount_minor, asset=bill.asset,
            code=SALE,
            flags=TransferFlag.HOLD, user_data=as_id(stay.stay),
        )  # fmt: skip
        context.chain([_release(context, stay.hold), again])
    else:
        part = Transfer(id=payment, hold_id=as_id(stay.hold), amount=bill.amount_minor, flags=TransferFlag.CAPTURE)
        pay(context, bill, part, fee_minor=fee_minor)
    name = as_bytes(payment)
    write_down(needs, context, bill, payment=name, fee_minor=fee_minor, reasons=reasons)
    return name


def _bill(context: Context, stay: rows.StayRow, guest: bytes) -> Bill:
    """The folio as a bill; a shop that was closed meanwhile is still paid for what it gave."""
    shop = rows.shop_of(context.rows, stay.shop)
    account = rows.account_of(context.rows, stay.shop, stay.asset)
    assert shop is not None, "a stay is in a shop"
    assert account is not None, "a deposit is for an account"
    return Bill(
        shop=stay.shop,
        account=account,
        tariff=shop.tariff,
        payer=guest,
        till=None,
        order=None,
        asset=stay.asset,
        amount_minor=stay.folio_minor,
        tip_minor=0,
        number="",
    )


def _release(context: Context, hold: bytes) -> Transfer:
    return Transfer(id=context.new_id("released"), hold_id=as_id(hold), amount=AMOUNT_ALL, flags=TransferFlag.RELEASE)


def _stay(context: Context, stay: bytes) -> rows.StayRow:
    found = rows.stay_of(context.rows, stay)
    if found is None:
        context.refuse("stay_not_found")
    return found
