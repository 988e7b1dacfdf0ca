"""What the courier tells: the bank took an instruction, booked, returned, rejected, and sent a statement.

The bank's word is taken as it comes. What can't be matched goes to an account of its own and stays open until somebody
settles it; no booking is ever refused for what it says, only when it contradicts what the bank said before.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, cast

from formicary.base.errors import Refusal
from formicary.kernel.codes import TransferCode
from formicary.kernel.objects import Transfer
from formicary.products.bank import rows
from formicary.products.bank.codes import (
    ARRIVED_UNCLEAR,
    BANK_PARTY,
    BOOKED,
    LEFT_UNCLEAR,
    RAIL,
    REJECTED,
    RETURNED,
    SETTLED_IN,
    TOPPED_UP,
)
from formicary.products.bank.commands import (
    Booked,
    BookedAs,
    EntryOpened,
    Instructed,
    Listed,
    Rejected,
    Returned,
    Statement,
    StatementIn,
    ToppedUp,
    WithdrawalMoved,
)
from formicary.products.bank.offers import as_bytes, open_books
from formicary.products.bank.references import read_reference

if TYPE_CHECKING:
    from formicary.machine.context import Context
    from formicary.products.bank.commands import OpenDirection
    from formicary.products.bank.needs import Book, Peers, Purses

WHY_CHARS: Final = 32


def instructed(context: Context, command: Instructed) -> None:
    """Note that the bank was asked; again changes nothing."""
    found = _withdrawal(context, command.withdrawal)
    if found.state == "asked":
        context.rows.run("UPDATE bank_withdrawals SET state = ? WHERE withdrawal = ?", "instructed", found.withdrawal)
        _tell(context, found._replace(state="instructed"), found.amount_minor)


def booked(purses: Purses, book: Book, peers: Peers, context: Context, command: Booked) -> BookedAs:
    """Move the institution's account as the bank did, and find out whose money that was."""
    check_rail(context)
    if _is_known(context, command):
        return BookedAs("known")
    if command.direction == "in":
        return _arrived(purses, book, peers, context, command)
    return _left(book, context, command)


def returned(purses: Purses, book: Book, context: Context, command: Returned) -> BookedAs:
    """Give a withdrawal's money back to whom it came from."""
    check_rail(context)
    as_booking = _as_booking(command)
    if _is_known(context, as_booking):
        return BookedAs("known")
    found = rows.withdrawal(context.view(), command.withdrawal)
    if found is None or found.asset != command.asset:
        return _open_in(context, as_booking, "withdrawal_not_found")
    if found.back_minor + command.amount_minor > found.amount_minor - found.given_up_minor:
        return _open_in(context, as_booking, "more_than_was_sent")
    changed = _with_state(
        found._replace(back_minor=found.back_minor + command.amount_minor, reason=command.reason or "NARR")
    )
    _keep(context, changed)
    _give_back(purses, book, context, changed, command.amount_minor)
    if not found.party or _is_gone(purses, context, found) or not _back_to_account(context, found, as_booking):
        return _open_in(context, as_booking, "payer_gone" if found.party else "sent_back_returned")
    return BookedAs("matched")


def rejected(purses: Purses, book: Book, context: Context, command: Rejected) -> None:
    """Give back what the bank has not booked and will not; again changes nothing."""
    found = _withdrawal(context, command.withdrawal)
    amount_minor = found.transit_minor
    if amount_minor == 0:
        return
    changed = _with_state(
        found._replace(given_up_minor=found.given_up_minor + amount_minor, reason=command.reason or "NARR")
    )
    books = open_books(context, found.asset)
    give = Transfer(
        id=context.new_id("rejected"),
        debit=books.transit,
        credit=int.from_bytes(found.account, "big"),
        amount=amount_minor,
        asset=found.asset,
        code=REJECTED,
    )
    # Contradicting itself, the bank may have returned what it now rejects: then nobody is paid twice by itself.
    nobody = found.back_minor or not found.party or _is_gone(purses, context, found)
    if nobody or context.try_transfer(give) is not TransferCode.OK:
        _park(context, changed, amount_minor)
    _keep(context, changed)
    _give_back(purses, book, context, changed, amount_minor)


def statement(context: Context, command: Statement) -> None:
    """Keep what a statement says; the same again changes nothing."""
    check_rail(context)
    open_books(context, command.asset)
    known = rows.statement(context.view(), command.asset, command.number)
    told = (command.date, command.opening_minor, command.closing_minor, command.entries)
    if known is not None:
        differs = (known.date, known.opening_minor, known.closing_minor, known.entries) != told
        context.refuse_if(differs, "bank_statement_differs")
        return
    sql = """INSERT INTO bank_statements (asset, number, date, opening_minor, closing_minor, entries, seen_ns)
             VALUES (?, ?, ?, ?, ?, ?, ?)"""
    context.rows.run(sql, command.asset, command.number, *told, context.time_ns)
    context.emit(StatementIn(command.asset, command.number, command.closing_minor))


def listed(context: Context, command: Listed) -> None:
    """Note on which statement bookings stand; a booking stands on one."""
    check_rail(context)
    listed_minor = rows.listed_minor(context.view(), command.asset)
    for entry_ref in command.entry_refs:
        found = rows.entry(context.view(), entry_ref)
        if found is None or found.asset != command.asset:
            context.refuse("bank_entry_not_found")
        on_another = found.statement not in {rows.NO_STATEMENT, command.number}
        context.refuse_if(on_another, "bank_statement_differs")
        if found.statement == rows.NO_STATEMENT:
            listed_minor += found.signed_minor
            sql = "UPDATE bank_entries SET statement = ? WHERE entry_ref = ?"
            context.rows.run(sql, command.number, entry_ref)
    sql = "INSERT OR REPLACE INTO bank_listed (asset, amount_minor) VALUES (?, ?)"
    context.rows.run(sql, command.asset, listed_minor)


# ── money in ────────────────────────────────────────────────────────────────────────────────────────────────────────


def _arrived(purses: Purses, book: Book, peers: Peers, context: Context, command: Booked) -> BookedAs:
    number = read_reference(command.reference)
    if number is None:
        return _open_in(context, command, "reference_unknown" if command.reference else "reference_missing")
    party = rows.party_of(context.view(), number)
    if party is None:
        return _open_in(context, command, "reference_unknown")
    owed = peers.account_of(context, party, command.asset)
    if owed is not None:
        return _settled(peers, context, command, party=party, account=owed)
    try:
        account = purses.check_payee(context, party, command.asset, command.amount_minor)
    except Refusal as refusal:
        return _open_in(context, command, refusal.code)
    payment = context.new_id("top_up")
    move = Transfer(
        id=payment,
        debit=open_books(context, command.asset).nostro,
        credit=account,
        amount=command.amount_minor,
        asset=command.asset,
        code=TOPPED_UP,
    )
    refused = context.try_transfer(move)
    if refused is not TransferCode.OK:
        return _open_in(context, command, refused.name.lower())
    name = as_bytes(payment)
    _keep_entry(context, command, party=party, payment=name)
    record_top_up(book, context, party=party, payment=name, asset=command.asset, amount_minor=command.amount_minor)
    return BookedAs("matched")


def _settled(peers: Peers, context: Context, command: Booked, *, party: bytes, account: int) -> BookedAs:
    """An institution paid what it owes, or part of it, or more: then we owe it."""
    payment = context.new_id("settled")
    context.transfer(
        Transfer(
            id=payment,
            debit=open_books(context, command.asset).nostro,
            credit=account,
            amount=command.amount_minor,
            asset=command.asset,
            code=SETTLED_IN,
        )
    )
    name = as_bytes(payment)
    _keep_entry(context, command, party=party, payment=name)
    peers.settled_in(context, party=party, payment=name, asset=command.asset, amount_minor=command.amount_minor)
    return BookedAs("matched")


def record_top_up(book: Book, context: Context, *, party: bytes, payment: bytes, asset: int, amount_minor: int) -> None:
    """Put a top-up on the person's activity, and tell it."""
    book.record(
        context,
        payment=payment,
        kind="top_up",
        payer=BANK_PARTY,
        payee=party,
        asset=asset,
        amount_minor=amount_minor,
        state="paid",
        note=None,
        purpose="other",
        reference=None,
    )
    context.emit(ToppedUp(payment, party, asset, amount_minor), subject=party)


def _open_in(context: Context, command: Booked, why: str) -> BookedAs:
    books = open_books(context, command.asset)
    payment = context.new_id("unclear")
    context.transfer(
        Transfer(
            id=payment,
            debit=books.nostro,
            credit=books.unclear_in,
            amount=command.amount_minor,
            asset=command.asset,
            code=ARRIVED_UNCLEAR,
        )
    )
    _keep_entry(context, command, payment=as_bytes(payment), open_minor=command.amount_minor, why=why)
    return BookedAs("open")


# ── money out ───────────────────────────────────────────────────────────────────────────────────────────────────────


def _left(book: Book, context: Context, command: Booked) -> BookedAs:
    """The bank booked (a part of) a withdrawal; what it took beyond that is open."""
    books = open_books(context, command.asset)
    found = rows.withdrawal(context.view(), bytes.fromhex(command.reference)) if _is_name(command.reference) else None
    if found is not None and found.asset != command.asset:
        found = None
    matched = min(command.amount_minor, found.transit_minor) if found is not None else 0
    payment = context.new_id("booked")
    if matched:
        context.transfer(
            Transfer(
                id=payment, debit=books.transit, credit=books.nostro, amount=matched, asset=command.asset, code=BOOKED
            )
        )
    rest = command.amount_minor - matched
    if rest:
        context.transfer(
            Transfer(
                id=context.new_id("beyond") if matched else payment,
                debit=books.unclear_out,
                credit=books.nostro,
                amount=rest,
                asset=command.asset,
                code=LEFT_UNCLEAR,
            )
        )
    why = ("more_than_was_sent" if found is not None else "withdrawal_not_found") if rest else ""
    party = found.party if found is not None else rows.NOBODY
    _keep_entry(context, command, party=party, payment=as_bytes(payment), open_minor=rest, why=why)
    if found is not None and matched:
        changed = _with_state(found._replace(booked_minor=found.booked_minor + matched))
        _keep(context, changed)
        _tell(context, changed, matched)
        if changed.state == "booked" and changed.party:
            book.update(context, changed.withdrawal, "paid")
    return BookedAs("open" if rest else "matched")


def _back_to_account(context: Context, found: rows.Withdrawal, command: Booked) -> bool:
    payment = context.new_id("returned")
    move = Transfer(
        id=payment,
        debit=open_books(context, found.asset).nostro,
        credit=int.from_bytes(found.account, "big"),
        amount=command.amount_minor,
        asset=found.asset,
        code=RETURNED,
    )
    if context.try_transfer(move) is not TransferCode.OK:
        return False
    _keep_entry(context, command, party=found.party, payment=as_bytes(payment))
    return True


def _is_gone(purses: Purses, context: Context, found: rows.Withdrawal) -> bool:
    """Whether the payer was a person who has closed the wallet; a shop never had one."""
    opened = purses.opened_ns(context, found.party) > 0
    return opened and purses.purse(context, found.party, found.asset) is None


def _park(context: Context, found: rows.Withdrawal, amount_minor: int) -> None:
    """What was rejected and can't go back to its account is open like money that came in for nobody."""
    books = open_books(context, found.asset)
    payment = context.new_id("parked")
    context.transfer(
        Transfer(
            id=payment,
            debit=books.transit,
            credit=books.unclear_in,
            amount=amount_minor,
            asset=found.asset,
            code=ARRIVED_UNCLEAR,
        )
    )
    entry_ref = found.withdrawal + as_bytes(payment)
    parked = rows.Entry(
        entry_ref=entry_ref,
        asset=found.asset,
        direction="back",
        amount_minor=amount_minor,
        reference=found.withdrawal.hex(),
        booked_ns=context.time_ns,
        seen_ns=context.time_ns,
        open_minor=amount_minor,
        state="open",
        why="payer_gone",
        party=rows.NOBODY,
        payment=as_bytes(payment),
        statement=rows.NEVER_LISTED,
    )
    _insert_entry(context, parked)


# ── rows ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def check_rail(context: Context) -> None:
    """Refuse ``bank_rail_only`` to anybody but the bank's courier."""
    context.refuse_if(context.signer != RAIL, "bank_rail_only")


def _withdrawal(context: Context, name: bytes) -> rows.Withdrawal:
    check_rail(context)
    found = rows.withdrawal(context.view(), name)
    if found is None:
        context.refuse("withdrawal_not_found")
    return found


def _is_known(context: Context, command: Booked) -> bool:
    """Whether the booking is in the books; the bank may tell it in several files, but never with another amount."""
    known = rows.entry(context.view(), command.entry_ref)
    if known is None:
        return False
    told = (command.asset, command.direction, command.amount_minor)
    context.refuse_if((known.asset, known.direction, known.amount_minor) != told, "bank_entry_differs")
    return True


def _is_name(reference: str) -> bool:
    return len(reference) == 32


def _as_booking(command: Returned) -> Booked:
    return Booked(
        command.asset, command.entry_ref, "in", command.amount_minor, command.withdrawal.hex(), command.booked_ns
    )


def _keep_entry(
    context: Context,
    command: Booked,
    *,
    payment: bytes,
    party: bytes = rows.NOBODY,
    open_minor: int = 0,
    why: str = "",
) -> None:
    kept = rows.Entry(
        entry_ref=command.entry_ref,
        asset=command.asset,
        direction=command.direction,
        amount_minor=command.amount_minor,
        reference=command.reference,
        booked_ns=command.booked_ns,
        seen_ns=context.time_ns,
        open_minor=open_minor,
        state="open" if open_minor else "matched",
        why=why[:WHY_CHARS],
        party=party,
        payment=payment,
        statement=rows.NO_STATEMENT,
    )
    _insert_entry(context, kept)


def _insert_entry(context: Context, kept: rows.Entry) -> None:
    sql = """INSERT INTO bank_entries (entry_ref, asset, direction, amount_minor, reference, booked_ns, seen_ns,
             open_minor, state, why, party, payment, statement) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"""
    context.rows.run(sql, *kept)
    if kept.open_minor:
        told = EntryOpened(kept.entry_ref, kept.asset, cast("OpenDirection", kept.direction), kept.open_minor, kept.why)
        context.emit(told)


def _with_state(found: rows.Withdrawal) -> rows.Withdrawal:
    """The state that follows from how much was booked, given up and returned."""
    if found.transit_minor:
        state = "partly" if found.booked_minor else "instructed"
    elif not found.booked_minor:
        state = "rejected"
    else:
        state = "returned" if found.back_minor >= found.booked_minor else "booked"
    return found._replace(state=state)


def _keep(context: Context, found: rows.Withdrawal) -> None:
    sql = """UPDATE bank_withdrawals SET booked_minor = ?, given_up_minor = ?, back_minor = ?, state = ?, reason = ?
             WHERE withdrawal = ?"""
    values = (found.booked_minor, found.given_up_minor, found.back_minor, found.state, found.reason)
    context.rows.run(sql, *values, found.withdrawal)


def _give_back(purses: Purses, book: Book, context: Context, found: rows.Withdrawal, amount_minor: int) -> None:
    """What follows when money did not arrive: it does not count as spent, and the person is told."""
    if found.counted:
        purses.uncount(context, found.party, found.asset, amount_minor, found.asked_ns)
    if found.party:
        back = found.back_minor + found.given_up_minor
        if back >= found.amount_minor or not found.transit_minor:
            book.update(context, found.withdrawal, "returned" if back >= found.amount_minor else "paid")
    _tell(context, found, amount_minor)


def _tell(context: Context, found: rows.Withdrawal, amount_minor: int) -> None:
    moved = WithdrawalMoved(
        found.withdrawal,
        found.party or BANK_PARTY,
        found.state,  # type: ignore[arg-type] # the column holds only these
        amount_minor,
        found.reason,
    )
    context.emit(moved, subject=found.party)
