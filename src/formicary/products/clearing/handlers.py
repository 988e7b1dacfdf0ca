"""Hold, accept, capture between two institutions, each with a ledger of its own: both legs, or none.

The payer's side A holds and offers; the payee's side B holds for its payee and accepts. A's capture is the decision:
from then on B may only capture. Until then A may call it off, and B may only wait: it asks A until it knows. Whatever
is said twice is answered twice and done once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from formicary.kernel.objects import Account, Transfer
from formicary.kernel.records import AMOUNT_ALL, TransferFlag
from formicary.products.anatomy import TimerId
from formicary.products.clearing import queries
from formicary.products.clearing.codes import (
    CLEARING_ACCOUNT,
    CLEARING_IN,
    CLEARING_OUT,
    DOOR,
    NODE,
    OFFER_S,
    SECOND_NS,
)
from formicary.products.clearing.commands import (
    AcceptedOut,
    AddInstitution,
    CancelledIn,
    CancelOut,
    CapturedIn,
    InMoved,
    InState,
    OfferedIn,
    OfferEnds,
    OutMoved,
    OutState,
    PositionNoticed,
    RefusedOut,
    SendOut,
    SentOut,
    ToldOut,
)
from formicary.products.clearing.words import Terms, Word, is_signed

if TYPE_CHECKING:
    from formicary.machine.context import Context
    from formicary.products.clearing.needs import Needs, State
    from formicary.products.clearing.queries import InRow, InstitutionRow, OutRow

NO_PAYEE = bytes(16)


def add_institution(_needs: Needs, context: Context, command: AddInstitution) -> None:
    """Make an institution known, or change how it is reached; nothing makes one unknown again."""
    context.refuse_if(context.signer != NODE, "clearing_node_only")
    own = queries.own(context.view())
    is_own_id = own is not None and own.institution == command.institution
    context.refuse_if(own is not None and command.own and not is_own_id, "own_institution_differs")
    context.refuse_if(is_own_id and not command.own, "institution_is_own")
    is_address = command.address.isascii() and command.address.startswith(("http://", "https://"))
    context.refuse_if(not is_address and not command.own, "address_malformed")
    known = queries.institution(context.view(), command.institution)
    context.refuse_if(known is not None and command.own and not known.own, "own_institution_differs")
    values = (int(command.own), command.key, command.address, command.notice_minor, command.institution)
    sql = "INSERT INTO clearing_institutions (own, key, address, notice_minor, institution) VALUES (?, ?, ?, ?, ?)"
    if known is not None:
        sql = "UPDATE clearing_institutions SET own = ?, key = ?, address = ?, notice_minor = ? WHERE institution = ?"
    context.rows.run(sql, *values)


# ── our customer pays ───────────────────────────────────────────────────────────────────────────────────────────────


def send_out(needs: Needs, context: Context, command: SendOut) -> SentOut:
    """Hold the payer's money for the other institution, and offer it unless the guard has doubts."""
    other_institution(context, command.institution)
    asset, amount_minor = command.asset, command.amount_minor
    purse = needs.purses.check_payer(context, context.signer, asset, amount_minor)
    sides = {"payer": context.signer, "payee": command.payee_ref}
    reasons = needs.watch.judge(
        context, **sides, asset=asset, amount_minor=amount_minor, purpose=command.purpose, source="person"
    )
    account = account_with(context, command.institution, asset)
    name = _hold(context, debit=purse, credit=account, asset=asset, amount_minor=amount_minor, code=CLEARING_OUT)
    sql = """INSERT INTO clearing_out (transfer, number, institution, payer, payee, asset, amount_minor, note, state,
             code, to_do, at_ns, timer) VALUES (?, ?, ?, ?, ?, ?, ?, ?, 'held', '', 0, ?, 0)"""
    number = queries.next_number(context.view())
    who = (name, number, command.institution, context.signer, command.payee)
    context.rows.run(sql, *who, asset, amount_minor, command.note, context.time_ns)
    needs.book.record(
        context,
        payment=name,
        kind="clearing_out",
        payer=context.signer,
        payee=command.institution,
        asset=asset,
        amount_minor=amount_minor,
        state="held" if reasons else "under_way",
        note=command.note,
        purpose=command.purpose,
        reference=None,
    )
    if reasons:
        needs.watch.hold(context, payment=name, **sides, asset=asset, amount_minor=amount_minor, reasons=reasons)
    else:
        offer(context, found_out(context, name))
    return SentOut(name, "held" if reasons else "offered", reasons)


def offer(context: Context, row: OutRow) -> None:
    """Let the relay offer a payment, and set the time by which it has to be accepted."""
    timer = context.schedule(context.time_ns + OFFER_S * SECOND_NS, "offer_ends", OfferEnds(row.transfer))
    context.rows.run("UPDATE clearing_out SET timer = ? WHERE transfer = ?", timer, row.transfer)
    _set_out(context, row, "offered", to_do=True)


def cancel_out(needs: Needs, context: Context, command: CancelOut) -> None:
    """Call one's payment off while it is only offered; what the guard holds is recalled there."""
    row = found_out(context, command.transfer)
    context.refuse_if(row.payer != context.signer, "clearing_not_yours")
    context.refuse_if(row.state == "held", "clearing_held")
    _refuse_ended(context, row)
    give_back(needs, context, row, "cancelled", "cancelled", to_do=True)


def offer_ends(needs: Needs, context: Context, timer: OfferEnds) -> None:
    """Nobody accepted in time: the payer has the money back, and the other institution is told. Ends cancel this."""
    row = found_out(context, timer.transfer)
    assert row.state == "offered", "a decided payment has no timer"
    give_back(needs, context, row, "cancelled", "failed", to_do=True)


def accepted_out(needs: Needs, context: Context, command: AcceptedOut) -> None:
    """Decide: capture, on the other institution's signed word that it holds the money for its payee."""
    context.refuse_if(context.signer != DOOR, "clearing_door_only")
    row = found_out(context, command.transfer)
    other = other_institution(context, row.institution)
    signed = is_signed(other.key, command.signature, "accepted", row.terms(_own(context).institution))
    context.refuse_if(not signed, "clearing_signature_wrong")
    if row.state == "captured":
        return
    context.refuse_if(row.state != "offered", "clearing_cancelled")
    _resolve(context, row.transfer, TransferFlag.CAPTURE)
    context.cancel(TimerId(row.timer))
    context.rows.run("UPDATE clearing_out SET word = ? WHERE transfer = ?", command.signature, row.transfer)
    needs.book.update(context, row.transfer, "paid")
    _set_out(context, row, "captured", to_do=True)
    notice(context, other, row.asset)


def refused_out(needs: Needs, context: Context, command: RefusedOut) -> None:
    """The payee can't be paid: give the money back and keep the reason."""
    context.refuse_if(context.signer != DOOR, "clearing_door_only")
    row = found_out(context, command.transfer)
    context.refuse_if(row.state == "captured", "clearing_captured")
    if row.state in {"cancelled", "refused"}:
        return
    context.refuse_if(row.state != "offered", "clearing_held")
    give_back(needs, context, row, "refused", "failed", to_do=False, code=command.code)


def told_out(_needs: Needs, context: Context, command: ToldOut) -> None:
    """Nothing is left to say about a payment that has ended."""
    context.refuse_if(context.signer != DOOR, "clearing_door_only")
    row = found_out(context, command.transfer)
    if row.state in {"captured", "cancelled", "refused"}:
        context.rows.run("UPDATE clearing_out SET to_do = 0 WHERE transfer = ?", row.transfer)


def give_back(
    needs: Needs, context: Context, row: OutRow, state: OutState, shown: State, *, to_do: bool, code: str = ""
) -> None:
    """Release the hold: the payer's money and limits are as before."""
    _resolve(context, row.transfer, TransferFlag.RELEASE)
    context.cancel(TimerId(row.timer))
    needs.purses.uncount(context, row.payer, row.asset, row.amount_minor, row.at_ns)
    needs.book.update(context, row.transfer, shown)
    _set_out(context, row, state, to_do=to_do, code=code)


# ── our customer is paid ────────────────────────────────────────────────────────────────────────────────────────────


def offered_in(needs: Needs, context: Context, command: OfferedIn) -> None:
    """Hold the money for the payee, whichever institution it comes from: only the purse may refuse."""
    context.refuse_if(context.signer != DOOR, "clearing_door_only")
    _check_word(context, command.institution, "offered", command.signature, _terms(context, command))
    known = queries.incoming(context.view(), command.institution, command.transfer)
    if known is not None:
        context.refuse_if(known.state == "cancelled", "clearing_cancelled")
        same = (known.payee, known.asset, known.amount_minor) == (command.payee, command.asset, command.amount_minor)
        context.refuse_if(not same, "clearing_differs")
        return
    purse = needs.account_to_pay(context, command.payee, command.asset, command.amount_minor)
    account = account_with(context, command.institution, command.asset)
    money = {"asset": command.asset, "amount_minor": command.amount_minor}
    payment = _hold(context, debit=account, credit=purse, code=CLEARING_IN, **money)
    _insert_in(context, command, payment, command.payee)
    needs.book.record(
        context,
        payment=payment,
        kind="clearing_in",
        payer=command.institution,
        payee=command.payee,
        **money,
        state="under_way",
        note=command.note,
        purpose="other",
        reference=None,
    )


def captured_in(needs: Needs, context: Context, command: CapturedIn) -> None:
    """The payer's side has decided: the payee has the money."""
    context.refuse_if(context.signer != DOOR, "clearing_door_only")
    row = _found_in(context, command.institution, command.transfer)
    _check_word(context, command.institution, "captured", command.signature, row.terms(_own(context).institution))
    if row.state == "captured":
        return
    context.refuse_if(row.state == "cancelled", "clearing_cancelled")
    _resolve(context, row.payment, TransferFlag.CAPTURE)
    needs.book.update(context, row.payment, "paid")
    _set_in(context, row, "captured", command.signature)
    notice(context, other_institution(context, row.institution), row.asset)


def cancelled_in(needs: Needs, context: Context, command: CancelledIn) -> None:
    """The payer's side has called it off; remembered even if its offer has not come yet, for it still may."""
    context.refuse_if(context.signer != DOOR, "clearing_door_only")
    _check_word(context, command.institution, "cancelled", command.signature, _terms(context, command))
    row = queries.incoming(context.view(), command.institution, command.transfer)
    if row is None:
        _insert_in(context, command, NO_PAYEE, NO_PAYEE)
        return
    context.refuse_if(row.state == "captured", "clearing_captured")
    if row.state == "held":
        _resolve(context, row.payment, TransferFlag.RELEASE)
        needs.book.update(context, row.payment, "cancelled")
        _set_in(context, row, "cancelled", command.signature)


# ── shared ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def found_out(context: Context, transfer: bytes) -> OutRow:
    """A payment of ours."""
    row = queries.out(context.view(), transfer)
    if row is None:
        context.refuse("clearing_not_found")
    return row


def _found_in(context: Context, institution: bytes, transfer: bytes) -> InRow:
    row = queries.incoming(context.view(), institution, transfer)
    if row is None:
        context.refuse("clearing_not_found")
    return row


def _own(context: Context) -> InstitutionRow:
    own = queries.own(context.view())
    if own is None:
        context.refuse("clearing_not_set_up")
    return own


def other_institution(context: Context, institution: bytes) -> InstitutionRow:
    """A known institution that is not this one."""
    _own(context)
    found = queries.institution(context.view(), institution)
    if found is None or found.own:
        context.refuse("institution_unknown")
    return found


def _terms(context: Context, command: OfferedIn | CancelledIn) -> Terms:
    return Terms(
        payer_institution=command.institution,
        payee_institution=_own(context).institution,
        transfer=command.transfer,
        asset=command.asset,
        amount_minor=command.amount_minor,
    )


def _check_word(context: Context, institution: bytes, word: Word, signature: bytes, terms: Terms) -> None:
    other = other_institution(context, institution)
    context.refuse_if(not is_signed(other.key, signature, word, terms), "clearing_signature_wrong")


def _refuse_ended(context: Context, row: OutRow) -> None:
    context.refuse_if(row.state == "captured", "clearing_captured")
    context.refuse_if(row.state in {"cancelled", "refused"}, "clearing_cancelled")


def _set_out(context: Context, row: OutRow, state: OutState, *, to_do: bool, code: str = "") -> None:
    sql = "UPDATE clearing_out SET state = ?, code = ?, to_do = ? WHERE transfer = ?"
    context.rows.run(sql, state, code, int(to_do), row.transfer)
    moved = OutMoved(row.transfer, row.institution, row.asset, row.amount_minor, state, code)
    context.emit(moved, subject=row.payer)


def _insert_in(context: Context, command: OfferedIn | CancelledIn, payment: bytes, payee: bytes) -> None:
    """Remember what was offered, or that it was called off before it was."""
    state: InState = "held" if isinstance(command, OfferedIn) else "cancelled"
    note = command.note if isinstance(command, OfferedIn) else None
    sql = """INSERT INTO clearing_in (institution, transfer, number, payment, payee, asset, amount_minor, note, state,
             at_ns, word) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"""
    number = queries.next_number(context.view())
    money = (command.asset, command.amount_minor, note, state, context.time_ns, command.signature)
    context.rows.run(sql, command.institution, command.transfer, number, payment, payee, *money)
    if state == "held":
        moved = InMoved(command.transfer, command.institution, payment, command.asset, command.amount_minor, state)
        context.emit(moved, subject=payee)


def _set_in(context: Context, row: InRow, state: InState, word: bytes) -> None:
    sql = "UPDATE clearing_in SET state = ?, word = ? WHERE institution = ? AND transfer = ?"
    context.rows.run(sql, state, word, row.institution, row.transfer)
    moved = InMoved(row.transfer, row.institution, row.payment, row.asset, row.amount_minor, state)
    context.emit(moved, subject=row.payee)


def _hold(context: Context, *, debit: int, credit: int, asset: int, amount_minor: int, code: int) -> bytes:
    """Hold without a time of its own: only the payer's side ends it, and the payee's side waits for that."""
    name = context.new_id("clearing")
    held = Transfer(
        id=name, debit=debit, credit=credit, amount=amount_minor, asset=asset, code=code, flags=TransferFlag.HOLD
    )
    context.transfer(held)
    return name.to_bytes(16, "big")


def _resolve(context: Context, hold: bytes, how: TransferFlag) -> None:
    hold_id = int.from_bytes(hold, "big")
    context.transfer(Transfer(id=context.new_id("resolve"), hold_id=hold_id, amount=AMOUNT_ALL, flags=how))


def account_with(context: Context, institution: bytes, asset: int) -> int:
    """The clearing account with an institution; opened when it is first needed. It has no limit either way."""
    found = queries.account_of(context.view(), institution, asset)
    if found is not None:
        return found
    account = context.new_id("account")
    context.open_account(Account(id=account, asset=asset, code=CLEARING_ACCOUNT))
    sql = "INSERT INTO clearing_accounts (institution, asset, account) VALUES (?, ?, ?)"
    context.rows.run(sql, institution, asset, account.to_bytes(16, "big"))
    return account


def notice(context: Context, other: InstitutionRow, asset: int) -> None:
    """Tell operators of a large position; it is settled between the institutions, never by refusing a payment."""
    account = context.balance(account_with(context, other.institution, asset))
    position_minor = account.credits_posted - account.debits_posted
    if 0 < other.notice_minor < abs(position_minor):
        context.emit(PositionNoticed(other.institution, asset, max(position_minor, 0), max(-position_minor, 0)))
