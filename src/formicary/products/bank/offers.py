"""What the bank offers to other products: to pay somebody's money out to a bank account, and to settle with others."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from formicary.kernel.objects import Account, Transfer
from formicary.products.bank import rows
from formicary.products.bank.codes import BANK_PARTY, NOSTRO, OWN, TRANSIT, UNCLEAR_IN, UNCLEAR_OUT, WITHDRAWN
from formicary.products.bank.commands import WithdrawalAsked
from formicary.products.bank.references import NUMBERS, is_reference, write_reference

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


class PeerAccount(NamedTuple):
    """Another institution at its bank."""

    account_ref: bytes
    iban: bytes
    """The sealed text's number."""
    their_reference: str
    """What our payments to it have to say; perhaps nothing."""
    our_reference: str
    """What its payments to us have to say."""


class Standing(NamedTuple):
    """How a payment out stands at the bank."""

    state: str
    booked_minor: int
    back_minor: int


class NoPeers:
    """Where there is no clearing: nobody is an institution."""

    def account_of(self, _context: Context, _party: bytes, _asset: int) -> int | None:
        """Nobody has one."""
        return None

    def settled_in(self, _context: Context, **_settlement: object) -> None:
        """Never."""


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

    # ── with other institutions ─────────────────────────────────────────────────────────────────────────────────────

    def link_peer(
        self, context: Context, *, party: bytes, account_ref: bytes, iban: bytes, iban_digest: bytes, reference: str
    ) -> None:
        """Remember an institution's bank account instead of the one before, and what payments to it have to say.

        Draws the reference by which that institution's own payments are known here. Refuses ``bank_account_linked``,
        and ``bank_reference_malformed`` for what is none by ISO 11649.
        """
        bank = context.for_product("bank")
        bank.refuse_if(rows.link(bank.view(), account_ref) is not None, "bank_account_linked")
        bank.refuse_if(bool(reference) and not is_reference(reference), "bank_reference_malformed")
        bank.rows.run("UPDATE bank_links SET state = 'unlinked' WHERE party = ? AND state = 'linked'", party)
        insert_link(bank, party=party, account_ref=account_ref, iban=iban, iban_digest=iban_digest, reference=reference)
        draw_number(bank, party)

    def peer_account(self, asker: Context | View, party: bytes) -> PeerAccount | None:
        """The bank account of an institution, and both references; None while there is none."""
        view = _view(asker)
        found, number = rows.links(view, party), rows.reference_of(view, party)
        if not found or number is None:
            return None
        return PeerAccount(found[0].account_ref, found[0].iban, found[0].reference, write_reference(number))

    def standing(self, asker: Context | View, withdrawal: bytes) -> Standing:
        """How far the bank has got with a payment out, and how much of it is back on the account that it left."""
        view = _view(asker)
        found = rows.withdrawal(view, withdrawal)
        assert found is not None, "whoever asks was given its id"
        back_minor = found.back_minor + found.given_up_minor - rows.parked_minor(view, withdrawal)
        return Standing(found.state, found.booked_minor, back_minor)

    def is_linked(self, context: Context | View, party: bytes, account_ref: bytes) -> bool:
        """Whether this party itself has linked this bank account, and not unlinked it."""
        found = rows.link(_view(context), account_ref)
        return found is not None and found.state == "linked" and found.party == party


def _view(asker: Context | View) -> View:
    own = asker.for_product("bank")
    return own if not hasattr(own, "view") else own.view()


def insert_link(
    context: Context, *, party: bytes, account_ref: bytes, iban: bytes, iban_digest: bytes, reference: str
) -> None:
    """Write a bank account down. ``context`` is the bank's."""
    sql = """INSERT INTO bank_links (account_ref, party, iban, iban_digest, linked_ns, state, reference)
             VALUES (?, ?, ?, ?, ?, 'linked', ?)"""
    context.rows.run(sql, account_ref, party, iban, iban_digest, context.time_ns, reference)


def draw_number(context: Context, party: bytes) -> int:
    """The number in somebody's reference, drawn when there is none yet. ``context`` is the bank's."""
    view = context.view()
    number = rows.reference_of(view, party)
    if number is None:
        number = _drawn(context)  # free but for one case in billions
        while rows.party_of(view, number) is not None:
            number = _drawn(context)
        context.rows.run("INSERT INTO bank_references (number, party) VALUES (?, ?)", number, party)
    return number


def _drawn(context: Context) -> int:
    return 1 + context.new_id("reference") % (NUMBERS - 1)


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
