"""What operators do with bookings that nobody understood: give them to a person, send them back, or take them over."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from formicary.kernel.objects import Transfer
from formicary.products.bank import rows
from formicary.products.bank.codes import ASSIGNED, OPERATOR, SENT_BACK, TAKEN_OWN
from formicary.products.bank.commands import Assign, EntrySettled, SendBack, TakeOwn
from formicary.products.bank.handlers.rail import record_top_up
from formicary.products.bank.offers import as_bytes, open_books, start

if TYPE_CHECKING:
    from formicary.machine.context import Context
    from formicary.products.bank.needs import Book, Peers, Purses


def assign(purses: Purses, book: Book, peers: Peers, context: Context, command: Assign) -> None:
    """Move an open credit to a person, refused like any payment to them; or take it as what an institution settles."""
    found = _open(purses, context, command.entry_ref, incoming=True)
    party, asset = command.person, found.asset
    owed = peers.account_of(context, party, asset)
    if owed is not None:
        payment = _move(context, found, debit=_unclear(context, found), credit=owed, code=ASSIGNED)
        _settle(purses, context, found, "assigned", party=party, payment=payment)
        peers.settled_in(context, party=party, payment=payment, asset=asset, amount_minor=found.open_minor)
        return
    account = purses.check_payee(context, command.person, found.asset, found.open_minor)
    payment = _move(context, found, debit=_unclear(context, found), credit=account, code=ASSIGNED)
    _settle(purses, context, found, "assigned", party=command.person, payment=payment)
    record_top_up(
        book, context, party=command.person, payment=payment, asset=found.asset, amount_minor=found.open_minor
    )


def send_back(purses: Purses, book: Book, context: Context, command: SendBack) -> None:
    """Let the courier pay an open credit back; it knows the sender by the booking's first 16 bytes."""
    found = _open(purses, context, command.entry_ref, incoming=True)
    context.refuse_if(found.direction == "back", "bank_entry_not_open")
    name = start(
        context,
        book,
        party=rows.NOBODY,
        account=_unclear(context, found),
        asset=found.asset,
        amount_minor=found.open_minor,
        account_ref=found.entry_ref[:16],
        counted=False,
        code=SENT_BACK,
    )
    _settle(purses, context, found, "sent_back", party=rows.NOBODY, payment=name)


def take_own(purses: Purses, context: Context, command: TakeOwn) -> None:
    """Settle an open booking with the institution's own money, whichever way it went."""
    found = _open(purses, context, command.entry_ref, incoming=False)
    own, unclear = open_books(context, found.asset).own, _unclear(context, found)
    debit, credit = (own, unclear) if found.direction == "out" else (unclear, own)
    payment = _move(context, found, debit=debit, credit=credit, code=TAKEN_OWN)
    _settle(purses, context, found, "own", party=rows.NOBODY, payment=payment)


def _open(purses: Purses, context: Context, entry_ref: bytes, *, incoming: bool) -> rows.Entry:
    context.refuse_if(not purses.has_role(context, context.signer, OPERATOR), "bank_role_missing")
    found = rows.entry(context.view(), entry_ref)
    if found is None:
        context.refuse("bank_entry_not_found")
    context.refuse_if(found.state != "open" or (incoming and found.direction == "out"), "bank_entry_not_open")
    return found


def _unclear(context: Context, found: rows.Entry) -> int:
    books = open_books(context, found.asset)
    return books.unclear_out if found.direction == "out" else books.unclear_in


def _move(context: Context, found: rows.Entry, *, debit: int, credit: int, code: int) -> bytes:
    payment = context.new_id("settle")
    context.transfer(
        Transfer(id=payment, debit=debit, credit=credit, amount=found.open_minor, asset=found.asset, code=code)
    )
    return as_bytes(payment)


def _settle(
    purses: Purses,
    context: Context,
    found: rows.Entry,
    how: Literal["assigned", "sent_back", "own"],
    *,
    party: bytes,
    payment: bytes,
) -> None:
    sql = "UPDATE bank_entries SET open_minor = 0, state = ?, party = ?, payment = ? WHERE entry_ref = ?"
    context.rows.run(sql, how, party or found.party, payment, found.entry_ref)
    purses.note_act(context, f"bank_{how}", subject=party, detail=found.entry_ref.hex())
    context.emit(EntrySettled(found.entry_ref, how, context.signer), subject=party)
