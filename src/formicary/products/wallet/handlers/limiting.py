"""People's own limits: lower at once, higher after a day, so that a thief with the phone has to wait."""

from __future__ import annotations

from typing import TYPE_CHECKING

from formicary.products.anatomy import TimerId
from formicary.products.wallet.commands import OwnLimitChanged, RaiseOwnLimit, SetOwnLimit
from formicary.products.wallet.handlers import standing
from formicary.products.wallet.offers import Purses

if TYPE_CHECKING:
    from formicary.machine.context import Context

SECOND_NS = 1_000_000_000
_OWN = """SELECT own_payment_minor, own_day_minor, raise_payment_minor, raise_day_minor, raise_ns, raise_timer
          FROM wallet_purses WHERE person = ? AND asset = ? ORDER BY person"""
_WRITE = """UPDATE wallet_purses SET own_payment_minor = ?, own_day_minor = ?, raise_payment_minor = ?,
            raise_day_minor = ?, raise_ns = ?, raise_timer = ? WHERE person = ? AND asset = ?"""


def set_own_limit(context: Context, command: SetOwnLimit) -> None:
    """Take the lower of old and new at once, and let the rest wait; the newest wish takes the place of older ones."""
    standing.present(context, context.signer)
    found = context.rows.one(_OWN, context.signer, command.asset)
    if found is None:
        context.refuse("currency_not_open")
    payment, day, _, _, waits_ns, timer = found
    if waits_ns:
        context.cancel(TimerId(timer))
    payment_now, day_now = lower(payment, command.payment_minor), lower(day, command.day_minor)
    waits_ns, timer = 0, 0
    if (payment_now, day_now) != (command.payment_minor, command.day_minor):
        waits_ns = context.time_ns + Purses().parameter(context, "own_limit_delay_s") * SECOND_NS
        timer = context.schedule(waits_ns, "raise_own_limit", RaiseOwnLimit(context.signer, command.asset))
    wished = (command.payment_minor, command.day_minor) if waits_ns else (0, 0)
    context.rows.run(_WRITE, payment_now, day_now, *wished, waits_ns, timer, context.signer, command.asset)
    context.emit(OwnLimitChanged(command.asset, payment_now, day_now, waits_ns or None), subject=context.signer)


def raise_own_limit(context: Context, timer: RaiseOwnLimit) -> None:
    """The wait is over."""
    found = context.rows.one(_OWN, timer.person, timer.asset)
    assert found is not None, "a purse stays for ever"
    _, _, payment, day, waits_ns, _ = found
    assert waits_ns, "whoever takes the wish back takes the timer back"
    context.rows.run(_WRITE, payment, day, 0, 0, 0, 0, timer.person, timer.asset)
    context.emit(OwnLimitChanged(timer.asset, payment, day, None), subject=timer.person)


def lower(first: int, second: int) -> int:
    """The lower of two limits, of which zero is none."""
    return min(first, second) if first and second else first or second
