"""What the bank offers to other products: to pay somebody's money out to a linked bank account."""

from __future__ import annotations

from typing import TYPE_CHECKING

from formicary.kernel.objects import Account, Transfer
from formicary.products.bank import rows
from formicary.products.bank.codes import BANK_PARTY, NOSTRO, OWN, TRANSIT, UNCLEAR_IN, UNCLEAR_OUT, WITHDRAWN
from formicary.products.bank.commands import WithdrawalAsked

if TYPE_CHECKING:
    from formicary.machine.context import Context, View
    from formicary.products.bank.needs import Book


def as_bytes(number: int) -> bytes:
    """An id of the kernel as the log has it."""
    return number.to_bytes(16, "big")


def open_books(context: Context, asset: int) -> rows.Books:
    """The institution's accounts of a currency; opened with the first money of it. ``context`` is the bank's."""
    found = rows.books(context.view(), asset)
    if found is not None:
        return found
    ids = []
    for label, code in (
        ("nostro", NOSTRO),
        ("transit", TRANSIT),
        ("unclear_in", UNCLEAR_IN),
        ("unclear_out", UNCLEAR_OUT),
        ("own", OWN),
    ):
        # No limits: what the bank booked is so, in whatever order its files come; the proof of backing shows the rest.
        account = context.new_id(label)
        context.open_account(Account(id=account, asset=asset, code=code))
        ids.append(account)
    sql = "INSERT INTO bank_books (asset, nostro, transit, unclear_in, unclear_out, own) VALUES (?, ?, ?, ?, ?, ?)"
    context.rows.run(sql, asset, *(as_bytes(account) for account in ids))
    return rows.Books(asset, *ids)


class Payouts:
    """Pays out; stateless, and called by other products with their own context."""

    def __init__(self, book: Book) -> None:
        self._book = book

    def pay_out(
        self, context: Context, *, party: bytes, account: int, asset: int, amount_minor: int, account_ref: bytes
    ) -> bytes:
        """Take money from ``account`` and send it to a linked bank account; answer the withdrawal's id.

        The caller has checked that it may. Refuses ``bank_account_not_found``, and ``bank_account_not_yours`` when
        neither ``party`` nor who signs has linked it; the kernel refuses what is not there (``exceeds_credits``).
        """
        bank = context.for_product("bank")
        check_link(bank, account_ref, party)
        return start(
            bank, self._book, party=party, account=account, asset=asset, amount_minor=amount_minor,
            account_ref=account_ref, counted=False,
        )  # fmt: skip

    def is_linked(self, context: Context | View, party: bytes, account_ref: bytes) -> bool:
        """Whether this party itself has linked this bank account, and not unlinked it."""
        bank = context.for_product("bank")
        view = bank if not hasattr(bank, "view") else bank.view()
        found = rows.link(view, account_ref)
        return found is not None and found.state == "linked" and found.party == party


def check_link(context: Context, account_ref: bytes, party: bytes) -> None:
    """Refuse a bank account that is not linked, or by somebody else; a timer pays out to what was settled before."""
    found = rows.link(context.view(), account_ref)
    if found is None or found.state != "linked":
        context.refuse("bank_account_not_found")
    others = context.signer and found.party not in {party, context.signer}
    context.refuse_if(bool(others), "bank_account_not_yours")


def start(
    context: Context,
    book: Book,
    *,
    party: bytes,
    account: int,
    asset: int,
    amount_minor: int,
    account_ref: bytes,
    counted: bool,
    code: int = WITHDRAWN,
) -> bytes:
    """Move money into transit and tell the courier; answer the transfer's id. ``context`` is the bank's."""
    books = open_books(context, asset)
    name = context.new_id("withdrawal")
    context.transfer(
        Transfer(id=name, debit=account, credit=books.transit, amount=amount_minor, asset=asset, code=code)
    )
    sql = """INSERT INTO bank_withdrawals (withdrawal, party, account, asset, amount_minor, account_ref, asked_ns,
             counted, booked_minor, given_up_minor, back_minor, state, reason)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, 0, 0, 0, 'asked', '')"""
    withdrawal = as_bytes(name)
    values = (withdrawal, party, as_bytes(account), asset, amount_minor, account_ref, context.time_ns, int(counted))
    context.rows.run(sql, *values)
    if party:
        book.record(
            context,
            payment=withdrawal,
            kind="withdrawal",
            payer=party,
            payee=BANK_PARTY,
            asset=asset,
            amount_minor=amount_minor,
            state="under_way",
            note=None,
            purpose="other",
            reference=account_ref,
        )
    context.emit(WithdrawalAsked(withdrawal, party or BANK_PARTY, asset, amount_minor, account_ref), subject=party)
    return withdrawal
