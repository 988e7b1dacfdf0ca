"""One payment from one party to another: checked, judged, posted or held, and written into the activity list.

Every payment that this product makes for somebody goes through :func:`pay`, so that a request, an order and a plain
payment keep the same limits and meet the same guard.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from formicary.base.errors import Refusal
from formicary.kernel.objects import Transfer
from formicary.kernel.records import TransferFlag
from formicary.products.pay.book import Ledgerbook
from formicary.products.pay.codes import ORDER_PAID, REQUEST_PAID, SENT
from formicary.products.pay.commands import Send, Sent

if TYPE_CHECKING:
    from formicary.machine.context import Context
    from formicary.products.pay.commands import Kind
    from formicary.products.pay.needs import Purses, Receivers, Watch

BOOK: Final = Ledgerbook()
_CODE_OF: Final = {"sent": SENT, "request": REQUEST_PAID, "order": ORDER_PAID}


class Needs(NamedTuple):
    """What the handlers were given of other products."""

    purses: Purses
    watch: Watch
    receivers: Receivers


class Payment(NamedTuple):
    """What is to be paid, to whom and why."""

    payer: bytes
    payee: bytes
    asset: int
    amount_minor: int
    purpose: str
    note: bytes | None
    kind: Kind
    reference: bytes | None = None


def send(needs: Needs, context: Context, command: Send) -> Sent:
    """Pay a person or a shop."""
    return pay(
        needs,
        context,
        Payment(
            payer=context.signer,
            payee=command.payee,
            asset=command.asset,
            amount_minor=command.amount_minor,
            purpose=command.purpose,
            note=command.note,
            kind="sent",
        ),
    )


def pay(needs: Needs, context: Context, wanted: Payment) -> Sent:
    """Check both sides, ask the guard, and move or hold the money."""
    context.refuse_if(wanted.payer == wanted.payee, "payment_to_oneself")
    debit = needs.purses.check_payer(context, wanted.payer, wanted.asset, wanted.amount_minor)
    credit, source = payee_account(needs, context, wanted)
    return post(needs, context, wanted, debit=debit, credit=credit, source=source)


def payee_account(needs: Needs, context: Context, wanted: Payment) -> tuple[int, Literal["person", "shop"]]:
    """Where the payee's money goes. People are asked about first, for most payees are people."""
    try:
        return needs.purses.check_payee(context, wanted.payee, wanted.asset, wanted.amount_minor), "person"
    except Refusal as refusal:  # check_payee changes nothing, so nothing has to be undone
        if refusal.code != "person_unknown":
            raise
    shop = needs.receivers.account_of(context, wanted.payee, wanted.asset, wanted.amount_minor)
    if shop is None:
        context.refuse("payee_not_payable")
    return shop, "shop"


def post(
    needs: Needs,
    context: Context,
    wanted: Payment,
    *,
    debit: int,
    credit: int,
    source: Literal["person", "shop"],
) -> Sent:
    """Let the guard judge, then post the transfer or put it in a hold with a case."""
    reasons = needs.watch.judge(
        context,
        payer=wanted.payer,
        payee=wanted.payee,
        asset=wanted.asset,
        amount_minor=wanted.amount_minor,
        purpose=wanted.purpose,
        source=source,
    )
    number = context.new_id("payment")
    name = number.to_bytes(16, "big")
    context.transfer(
        Transfer(
            id=number,
            debit=debit,
            credit=credit,
            amount=wanted.amount_minor,
            asset=wanted.asset,
            code=_CODE_OF[wanted.kind],
            flags=TransferFlag.HOLD if reasons else TransferFlag(0),
        )
    )
    state: Literal["held", "paid"] = "held" if reasons else "paid"
    BOOK.record(
        context,
        payment=name,
        kind=wanted.kind,
        payer=wanted.payer,
        payee=wanted.payee,
        asset=wanted.asset,
        amount_minor=wanted.amount_minor,
        state=state,
        note=wanted.note,
        purpose=wanted.purpose,
        reference=wanted.reference,
    )
    if reasons:
        needs.watch.hold(
            context,
            payment=name,
            payer=wanted.payer,
            payee=wanted.payee,
            asset=wanted.asset,
            amount_minor=wanted.amount_minor,
            reasons=reasons,
        )
    return Sent(name, state, reasons)
