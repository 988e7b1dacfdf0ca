"""The end of a payment that the guard held: paid, or given back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from formicary.kernel.codes import TransferCode
from formicary.kernel.objects import Transfer
from formicary.kernel.records import AMOUNT_ALL, TransferFlag
from formicary.products.pay.handlers.packets import share_back
from formicary.products.pay.handlers.sending import BOOK
from formicary.products.pay.queries import rows

if TYPE_CHECKING:
    from formicary.machine.context import Context
    from formicary.products.pay.needs import Purses

OWN_KINDS: Final = frozenset({"sent", "request", "order", "packet_opened"})
"""Payments whose hold this product placed; those of shops and others are theirs to resolve."""


def own_held(context: Context, payment: bytes) -> rows.PaymentRow | None:
    """A held payment of this product; None when it is another's."""
    found = rows.payment(context, payment)
    if found is None or found.kind not in OWN_KINDS:
        return None
    assert found.state == rows.HELD, "a held payment is resolved once"
    return found


def capture(purses: Purses, context: Context, found: rows.PaymentRow) -> None:
    """Pay what is held; give it back when the payee is frozen by now, or the ledger refuses it."""
    frozen = purses.is_frozen(context, found.payee)
    if not frozen and _resolve(context, found, TransferFlag.CAPTURE):
        BOOK.update(context, found.payment, "paid")
    else:
        give_back(purses, context, found)


def give_back(purses: Purses, context: Context, found: rows.PaymentRow) -> None:
    """Release what is held. A release is never refused: frozen accounts take it too."""
    released = _resolve(context, found, TransferFlag.RELEASE)
    assert released, "the ledger releases every hold that is open"
    BOOK.update(context, found.payment, "returned")
    if found.kind == "packet_opened":
        assert found.reference is not None, "an opening names its packet"
        share_back(purses, context, found.reference, found.amount_minor)
    else:
        purses.uncount(context, found.payer, found.asset, found.amount_minor, found.at_ns)


def _resolve(context: Context, found: rows.PaymentRow, flag: TransferFlag) -> bool:
    hold = int.from_bytes(found.payment, "big")
    transfer = Transfer(id=context.new_id("resolve"), hold_id=hold, amount=AMOUNT_ALL, flags=flag)
    return context.try_transfer(transfer) is TransferCode.OK
