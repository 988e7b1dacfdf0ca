"""Institutions in one process, each a machine with a town of its own, and their messages as plain calls."""

from __future__ import annotations

from typing import Any, Final

from nacl.signing import SigningKey

from formicary.products.anatomy import Bytes16, CommandType, Flag, Message, Product
from formicary.products.clearing import product, queries
from formicary.products.clearing.commands import (
    AcceptedOut,
    AddInstitution,
    CancelledIn,
    CapturedIn,
    OfferedIn,
    RefusedOut,
    SendOut,
    ToldOut,
)
from formicary.products.clearing.offers import ClearingPayments
from formicary.products.clearing.words import Terms, Word
from formicary.testing.trial import Trial, person

from tests.products.escrow.town import ALICE, BOB, CAROL, EUR, TOWN, Book, NoShops, Purses, Settle

START_MINOR: Final = 50_000
NODE, DOOR = b"node", b"door"
TEXT: Final = b"t" * 16


class Watch:
    """A guard that doubts what it is told to doubt, and forgets its cases."""

    def __init__(self) -> None:
        self.doubted: set[bytes] = set()

    def judge(self, _context: Any, *, payee: bytes, **_rest: Any) -> tuple[str, ...]:
        """New payees are doubted when they are in the set."""
        return ("new_payee",) if payee in self.doubted else ()

    def hold(self, _context: Any, **_rest: Any) -> None:
        """Nothing: the test resolves it."""


class LetGo(Message, frozen=True):
    """Tell clearing how a payment ends that the guard has held."""

    payment: Bytes16
    paid: Flag


def guard(payments: ClearingPayments) -> Product:
    """A product that resolves what was held, as the guard does."""

    def let_go(context: Any, command: LetGo) -> None:
        if command.paid:
            found = payments.captured(context, command.payment)
        else:
            found = payments.returned(context, command.payment, "recalled")
        context.refuse_if(not found, "not_held")

    commands = (CommandType(name="let_go", body=LetGo, handler=let_go),)
    return Product(name="gate", commands=commands, codes={"not_held": "Nothing of ours is held."})


class Institution:
    """One institution: its ledger, its key, and its mouth."""

    def __init__(self, name: str) -> None:
        self.id = person(name)
        self.key = SigningKey(name.encode().rjust(32, b"."))
        self.watch = Watch()
        needs: Any = {"purses": Purses(), "receivers": NoShops(), "watch": self.watch, "book": Book()}
        self.town = Trial([TOWN, product(**needs), guard(ClearingPayments(**needs))])
        for party in (ALICE, BOB, CAROL):
            self.town.ok(party, "town.settle", Settle(EUR, START_MINOR))
        self.know(self, own=True)

    def know(self, other: Institution, *, own: bool = False, notice_minor: int = 0) -> None:
        """Add an institution."""
        key = bytes(other.key.verify_key)
        self.town.ok(
            NODE, "clearing.add_institution", AddInstitution(other.id, own, key, "http://127.0.0.1", notice_minor)
        )

    def send(self, payer: bytes, other: Institution, amount_minor: int, payee: bytes = BOB) -> bytes:
        """Let somebody pay somebody elsewhere; the payment's id."""
        body = SendOut(other.id, TEXT, payee, EUR, amount_minor, "friend", None)
        payment: bytes = self.town.ok(payer, "clearing.send_out", body).payment
        return payment

    def row(self, transfer: bytes) -> queries.OutRow:
        """A payment of ours."""
        found = queries.out(self.town.view("clearing"), transfer)
        assert found is not None
        return found

    def sign(self, word: Word, terms: Terms) -> bytes:
        """Give our word."""
        return self.key.sign(terms.signed_bytes(word)).signature

    def position(self, other: Institution) -> tuple[int, int, int]:
        """What we owe another (negative: it owes us), and what is undecided, out and in."""
        view = self.town.view("clearing")
        number = queries.account_of(view, other.id, EUR)
        account = None if number is None else view.account(number)
        if account is None:
            return 0, 0, 0
        return account.credits_posted - account.debits_posted, account.credits_held, account.debits_held


def offer(sender: Institution, receiver: Institution, transfer: bytes, payee: bytes = BOB) -> str:
    """Carry an offer over; the code of the receiver's ledger."""
    row = sender.row(transfer)
    word = sender.sign("offered", row.terms(sender.id))
    body = OfferedIn(sender.id, transfer, payee, row.asset, row.amount_minor, None, word)
    return receiver.town.say(DOOR, "clearing.offered_in", body).code


def answer(sender: Institution, receiver: Institution, transfer: bytes, code: str) -> str:
    """Carry the answer back; the code of the sender's ledger."""
    if code == "ok":
        word = receiver.sign("accepted", sender.row(transfer).terms(sender.id))
        return sender.town.say(DOOR, "clearing.accepted_out", AcceptedOut(transfer, word)).code
    return sender.town.say(DOOR, "clearing.refused_out", RefusedOut(transfer, code)).code


def tell(sender: Institution, receiver: Institution, transfer: bytes) -> str:
    """Carry the sender's decision over, if there is one; the code of the receiver's ledger."""
    row = sender.row(transfer)
    terms = row.terms(sender.id)
    if row.state == "captured":
        body: Any = CapturedIn(sender.id, transfer, sender.sign("captured", terms))
        return receiver.town.say(DOOR, "clearing.captured_in", body).code
    if row.state in {"cancelled", "refused"}:
        body = CancelledIn(sender.id, transfer, row.asset, row.amount_minor, sender.sign("cancelled", terms))
        return receiver.town.say(DOOR, "clearing.cancelled_in", body).code
    return ""


def told(sender: Institution, transfer: bytes) -> None:
    """The receiver knows."""
    sender.town.ok(DOOR, "clearing.told_out", ToldOut(transfer))


def pair(*names: str) -> list[Institution]:
    """Institutions that know one another."""
    made = [Institution(name) for name in names]
    for one in made:
        for other in made:
            if one is not other:
                one.know(other)
    return made
