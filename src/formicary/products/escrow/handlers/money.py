"""How money gets into escrow and out of it. Getting it out never fails: what can't be paid is owed, and tried again.

Whoever is paid out of escrow has a line of activity for it, at once or when what was owed is paid. Money that came back
as a whole needs none: the payer's own line says ``returned``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

from formicary.base.errors import Refusal
from formicary.kernel.codes import TransferCode
from formicary.kernel.objects import Account, Transfer
from formicary.kernel.records import AccountFlag
from formicary.products.anatomy import TimerId
from formicary.products.escrow import queries
from formicary.products.escrow.codes import ESCROW_ACCOUNT, MANY, RETRIES_MAX, RETRY_NS
from formicary.products.escrow.commands import Collect, PayoutOwed, Retry

if TYPE_CHECKING:
    from formicary.machine.context import Context
    from formicary.products.escrow.needs import Needs

Kind = Literal["back", "part", "out"]
"""Back to who paid it in, into their own purse whatever its limits, as a whole or in part; or out to who earned it."""
_KINDS: Final[dict[str, Kind]] = {"back": "back", "part": "part", "out": "out"}
NO_PURSE: Final = "purse_gone"


def take(context: Context, needs: Needs, *, asset: int, amount_minor: int, code: int) -> bytes:
    """Move the signer's money into escrow; the transfer's id. Refuses as the purse and the kernel do."""
    purse = needs.purses.check_payer(context, context.signer, asset, amount_minor)
    account = _account(context, asset)
    return _move(context, debit=purse, credit=account, asset=asset, amount_minor=amount_minor, code=code)


def give(
    context: Context,
    needs: Needs,
    *,
    kind: Kind,
    party: bytes,
    counterparty: bytes,
    reference: bytes,
    asset: int,
    amount_minor: int,
    code: int,
) -> None:
    """Pay out of escrow, if there is anything to pay; what can't be paid is owed from now on."""
    if not amount_minor:
        return
    known = (party, counterparty, reference, asset, amount_minor)
    try:
        payment = _pay(context, needs, kind=kind, party=party, asset=asset, amount_minor=amount_minor, code=code)
    except Refusal as refusal:
        owed = context.new_id("owed").to_bytes(16, "big")
        timer = context.schedule(context.time_ns + RETRY_NS, "retry", Retry(owed))
        sql = """INSERT INTO escrow_owed (owed, party, counterparty, reference, asset, amount_minor, kind, why,
                 since_ns, tries, timer) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"""
        context.rows.run(sql, owed, *known, f"{kind} {code}", refusal.code, context.time_ns, 0, timer)
        context.emit(PayoutOwed(owed, asset, amount_minor), subject=party)
    else:
        _book(context, needs, payment, kind, *known)


def collect(needs: Needs, context: Context, command: Collect) -> None:
    """Pay the signer what is owed to them; refuses as the first time when it is still not possible."""
    found = queries.owed(context.view(), command.owed)
    if found is None:
        context.refuse("owed_not_found")
    context.refuse_if(found.party != context.signer, "owed_not_yours")
    _settle(context, needs, found)
    context.cancel(TimerId(found.timer))


def retry(needs: Needs, context: Context, timer: Retry) -> None:
    """Try again by itself, a month long."""
    found = queries.owed(context.view(), timer.owed)
    assert found is not None, "paying what is owed cancels its timer"
    try:
        _settle(context, needs, found)
    except Refusal as refusal:
        again, next_timer = found.tries + 1, 0
        if again < RETRIES_MAX:
            next_timer = context.schedule(context.time_ns + RETRY_NS, "retry", Retry(found.owed))
        sql = "UPDATE escrow_owed SET tries = ?, timer = ?, why = ? WHERE owed = ?"
        context.rows.run(sql, again, next_timer, refusal.code, found.owed)


def _settle(context: Context, needs: Needs, owed: queries.OwedRow) -> None:
    word, _, code = owed.kind.partition(" ")
    kind = _KINDS[word]
    party, asset, amount_minor = owed.party, owed.asset, owed.amount_minor
    payment = _pay(context, needs, kind=kind, party=party, asset=asset, amount_minor=amount_minor, code=int(code))
    context.rows.run("DELETE FROM escrow_owed WHERE owed = ?", owed.owed)
    _book(context, needs, payment, kind, party, owed.counterparty, owed.reference, asset, amount_minor)


def _pay(
    context: Context, needs: Needs, *, kind: Kind, party: bytes, asset: int, amount_minor: int, code: int
) -> bytes:
    """Move money out of escrow, or raise the refusal and have done nothing."""
    if kind != "out":
        purse = needs.purses.purse(context, party, asset)
        if purse is None:
            raise Refusal("the purse that paid is gone", code=NO_PURSE)
    else:
        purse = needs.account_to_pay(context, party, asset, amount_minor)
    account = _account(context, asset)
    return _move(context, debit=account, credit=purse, asset=asset, amount_minor=amount_minor, code=code)


def _book(  # noqa: PLR0917 - a payment, and a row's columns in their order
    context: Context,
    needs: Needs,
    payment: bytes,
    kind: Kind,
    party: bytes,
    counterparty: bytes,
    reference: bytes,
    asset: int,
    amount_minor: int,
) -> None:
    """Write what was paid out into the activity of whom it was paid to."""
    if kind == "back":
        return
    needs.book.record(
        context,
        payment=payment,
        kind="escrow_out" if kind == "out" else "escrow_back",
        payer=counterparty if counterparty != party else MANY,
        payee=party,
        asset=asset,
        amount_minor=amount_minor,
        state="paid",
        note=queries.note_of(context.view(), reference) if kind == "out" else None,
        purpose="goods",
        reference=reference,
    )


def _move(context: Context, *, debit: int, credit: int, asset: int, amount_minor: int, code: int) -> bytes:
    name = context.new_id("escrow")
    moved = Transfer(id=name, debit=debit, credit=credit, amount=amount_minor, asset=asset, code=code)
    answer = context.try_transfer(moved)
    if answer is not TransferCode.OK:
        raise Refusal(f"transfer {name}: {answer.name.lower()}", code=answer.name.lower())
    return name.to_bytes(16, "big")


def _account(context: Context, asset: int) -> int:
    """The escrow account of an asset; opened when it is first needed."""
    found = queries.account_of(context.view(), asset)
    if found is not None:
        return found
    account = context.new_id("account")
    context.open_account(Account(id=account, asset=asset, code=ESCROW_ACCOUNT, flags=AccountFlag.DEBITS_LIMITED))
    sql = "INSERT INTO escrow_accounts (asset, account) VALUES (?, ?)"
    context.rows.run(sql, asset, account.to_bytes(16, "big"))
    return account
