"""Positions are settled through the banks: by two people, once, and owed again when the bank gives it back."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from nacl.signing import SigningKey

from formicary.products.bank import backing
from formicary.products.bank import commands as bank
from formicary.products.clearing import strategies
from formicary.products.clearing.answers import AskPositions, AskSettlements, PositionLine, Settlements
from formicary.products.clearing.commands import (
    ApproveSettlement,
    ProposeSettlement,
    RejectSettlement,
    SetBank,
    SettlementMoved,
)
from formicary.products.wallet import commands as wallet
from formicary.stack import standard_products
from formicary.testing.trial import Trial, person

from tests.products.clearing.pair import NODE, Institution, answer, offer, tell
from tests.products.escrow.town import ALICE, BOB, CAROL, EUR

RAIL = b"rail/bank"
MAKER, CHECKER = person("maker"), person("checker")
FUNDS = 50_000


class Side(Institution):
    """An institution with all products: people with money from its bank, an operator, an approver."""

    def __init__(self, name: str) -> None:
        self.id = person(name)
        self.key = SigningKey(name.encode().rjust(32, b"."))
        self.town = Trial(standard_products())
        self.bookings = 0
        self.bank = 0
        for party in (ALICE, BOB, CAROL, MAKER, CHECKER):
            self.town.ok(party, "wallet.open", wallet.Open((EUR,), None))
        for party in (ALICE, BOB, CAROL):
            self.town.ok(NODE, "wallet.set_tier", wallet.SetTier(party, 2))
            self.book("in", FUNDS, self.town.ok(party, "bank.take_reference", bank.TakeReference()).reference)
        self.town.ok(NODE, "wallet.appoint", wallet.Appoint(MAKER, "operator"))
        for party in (MAKER, CHECKER):
            self.town.ok(NODE, "wallet.appoint", wallet.Appoint(party, "approver"))
        self.know(self, own=True)

    def book(self, direction: str, amount_minor: int, reference: str = "") -> bytes:
        """The bank books something; the booking's reference."""
        self.bookings += 1
        self.bank += amount_minor if direction == "in" else -amount_minor
        entry_ref = self.bookings.to_bytes(32, "big")
        told = bank.Booked(EUR, entry_ref, direction, amount_minor, reference, 1)  # type: ignore[arg-type]
        self.town.ok(RAIL, "bank.booked", told)
        return entry_ref

    def bring_back(self, payment: bytes, amount_minor: int) -> None:
        """The bank returns (a part of) a payment."""
        self.bookings += 1
        self.bank += amount_minor
        entry_ref = self.bookings.to_bytes(32, "big")
        self.town.ok(RAIL, "bank.returned", bank.Returned(payment, entry_ref, EUR, amount_minor, "AC04", 1))

    def know_bank(self, other: Side, reference: str = "", number: int = 1) -> None:
        """Name the other's bank account."""
        account_ref = bytes([number]) * 16
        self.town.ok(MAKER, "clearing.set_bank", SetBank(other.id, account_ref, bytes(16), bytes(32), reference))

    def line(self, other: Side) -> PositionLine:
        """The position with another, as an operator sees it."""
        items = self.town.ask("clearing.positions", MAKER, AskPositions()).items
        found: PositionLine = next(item for item in items if item.institution == other.id)
        return found

    def owed(self, other: Side) -> int:
        """What we owe another; below zero what it owes us."""
        return self.position(other)[0]

    def settlements(self, who: bytes = CHECKER, **asked: object) -> Settlements:
        """The list."""
        found: Settlements = self.town.ask("clearing.settlements", who, AskSettlements(**asked))  # type: ignore[arg-type]
        return found

    def propose(self, other: Side, amount_minor: int) -> bytes:
        """The operator proposes."""
        command = ProposeSettlement(other.id, EUR, amount_minor)
        name: bytes = self.town.ok(MAKER, "clearing.propose_settlement", command).settlement
        return name

    def settle(self, other: Side, amount_minor: int) -> bytes:
        """Propose and approve; the payment that the bank is asked for."""
        name = self.propose(other, amount_minor)
        self.town.ok(CHECKER, "clearing.approve_settlement", ApproveSettlement(name))
        asked: bytes = self.town.happened("bank.withdrawal_asked")[-1].withdrawal
        return asked


def pay(sender: Side, receiver: Side, amount_minor: int, payer: bytes = ALICE) -> None:
    """A payment across, all the way."""
    payment = sender.send(payer, receiver, amount_minor)
    assert answer(sender, receiver, payment, offer(sender, receiver, payment)) == "ok"
    assert tell(sender, receiver, payment) == "ok"


class Pair(NamedTuple):
    """Two institutions."""

    a: Side
    b: Side


@pytest.fixture
def pair() -> Iterator[Pair]:
    """Alice of A has paid 300.00 to Bob of B, and got 100.00 from there: A owes B 200.00, and each knows the banks."""
    a, b = Side("a"), Side("b")
    a.know(b)
    b.know(a)
    pay(a, b, 30_000)
    pay(b, a, 10_000)
    b.know_bank(a)
    a.know_bank(b, b.line(a).our_reference)
    yield Pair(a, b)
    for each in (a, b):
        each.town.replay()
        each.town.close()


def test_a_position_is_settled_by_a_payment_of_the_bank(pair: Pair) -> None:
    """A's money leaves with B's reference; when B's bank books it, nothing is owed, and both are backed."""
    a, b = pair
    assert (a.owed(b), b.owed(a)) == (20_000, -20_000)
    payment = a.settle(b, 20_000)
    assert (a.owed(b), b.owed(a)) == (0, -20_000)
    (sent,) = a.settlements().items
    assert (sent.direction, sent.state, sent.bank_state, sent.back_minor) == ("out", "sent", "asked", 0)
    assert (sent.maker, sent.checker, sent.amount_minor) == (MAKER, CHECKER, 20_000)
    a.book("out", 20_000, payment.hex())
    assert a.settlements().items[0].bank_state == "booked"
    b.book("in", 20_000, b.line(a).our_reference)
    assert b.owed(a) == 0
    (got,) = b.settlements().items
    assert (got.direction, got.state, got.maker, got.checker) == ("in", "received", None, None)
    for each in pair:
        (found,) = each.town.ask("bank.backing", b"", backing.AskBacking()).items
        assert (found.backed, found.claims_minor) == (True, 0)
        assert found.customers_minor == found.nostro_minor == each.bank
    assert [moved.state for moved in a.town.happened("clearing.settlement_moved")] == ["waiting", "sent"]
    assert b.town.happened("clearing.settlement_moved") == [
        SettlementMoved(got.settlement, a.id, EUR, 20_000, "received")
    ]


def test_nobody_settles_alone_or_more_than_is_owed(pair: Pair) -> None:
    """The maker, who may approve others', does not approve this; and each refusal says why, in order."""
    a, b = pair
    name = a.propose(b, 15_000)
    says = a.town.refused
    assert says(MAKER, "clearing.approve_settlement", ApproveSettlement(name)) == "settlement_yours"
    assert says(ALICE, "clearing.approve_settlement", ApproveSettlement(name)) == "clearing_role_missing"
    assert says(CHECKER, "clearing.propose_settlement", ProposeSettlement(b.id, EUR, 1)) == "clearing_role_missing"
    assert says(MAKER, "clearing.propose_settlement", ProposeSettlement(CAROL, EUR, 1)) == "institution_unknown"
    beyond = ProposeSettlement(b.id, EUR, 20_001)
    assert says(MAKER, "clearing.propose_settlement", beyond) == "settlement_beyond_position"
    assert says(CHECKER, "clearing.approve_settlement", ApproveSettlement(bytes(16))) == "settlement_not_found"
    assert says(ALICE, "clearing.set_bank", SetBank(b.id, b"9" * 16, bytes(16), bytes(32), "")) == (
        "clearing_role_missing"
    )
    a.town.ok(CHECKER, "clearing.reject_settlement", RejectSettlement(name))
    assert says(CHECKER, "clearing.approve_settlement", ApproveSettlement(name)) == "settlement_decided"
    assert a.owed(b) == 20_000
    assert b.town.refused(MAKER, "clearing.propose_settlement", ProposeSettlement(a.id, EUR, 1)) == (
        "settlement_beyond_position"
    ), "who is owed does not pay"


def test_two_settlements_never_pay_twice(pair: Pair) -> None:
    """Both were proposed while 200.00 was owed: the second finds nothing left, and the same again is the same."""
    a, b = pair
    first, second = a.propose(b, 20_000), a.propose(b, 20_000)
    approval = ApproveSettlement(first)
    for _ in range(2):
        a.town.say(CHECKER, "clearing.approve_settlement", approval, command_id=b"the same command")
    assert a.town.refused(CHECKER, "clearing.approve_settlement", approval) == "settlement_decided"
    late = a.town.refused(CHECKER, "clearing.approve_settlement", ApproveSettlement(second))
    assert late == "settlement_beyond_position"
    assert len(a.town.happened("bank.withdrawal_asked")) == 1
    assert a.owed(b) == 0


def test_an_account_that_changed_is_approved_anew(pair: Pair) -> None:
    """Whoever approves saw another account: what waits is refused, and is proposed again to the new one."""
    a, b = pair
    name = a.propose(b, 5_000)
    a.know_bank(b, number=2)
    late = a.town.refused(CHECKER, "clearing.approve_settlement", ApproveSettlement(name))
    assert late == "settlement_account_changed"
    a.settle(b, 5_000)
    assert a.town.happened("bank.withdrawal_asked")[-1].account_ref == b"\2" * 16


def test_without_a_bank_account_nothing_is_settled() -> None:
    """The operator names one first, with a reference that is one."""
    a, b = Side("a"), Side("b")
    a.know(b)
    b.know(a)
    pay(a, b, 1_000)
    assert a.line(b).iban is None
    assert a.town.refused(MAKER, "clearing.propose_settlement", ProposeSettlement(b.id, EUR, 1)) == "settlement_no_bank"
    wrong = SetBank(b.id, b"9" * 16, bytes(16), bytes(32), "RF00539007547034")
    assert a.town.refused(MAKER, "clearing.set_bank", wrong) == "bank_reference_malformed"
    a.know_bank(b)
    again = SetBank(b.id, b"\1" * 16, bytes(16), bytes(32), "")
    assert a.town.refused(MAKER, "clearing.set_bank", again) == "bank_account_linked"


@pytest.mark.parametrize("how", ["rejected", "returned", "in part"])
def test_what_the_bank_gives_back_is_owed_again(pair: Pair, how: str) -> None:
    """Rejected, returned whole or in part: the position is what did not arrive, and may be paid again."""
    a, b = pair
    payment = a.settle(b, 20_000)
    if how == "rejected":
        a.town.ok(RAIL, "bank.rejected", bank.Rejected(payment, "AC01"))
    else:
        a.book("out", 20_000, payment.hex())
        a.bring_back(payment, 20_000 if how == "returned" else 7_500)
    back = 7_500 if how == "in part" else 20_000
    assert a.owed(b) == back
    assert a.settlements().items[0].back_minor == back
    a.book("out", back, a.settle(b, back).hex())
    assert a.owed(b) == 0


def test_money_of_theirs_without_a_reference_is_assigned(pair: Pair) -> None:
    """It is open like any other; an operator says that it was the institution's."""
    _, b = pair
    entry_ref = b.book("in", 20_000, "")
    assert b.owed(pair.a) == -20_000
    b.town.ok(MAKER, "bank.assign", bank.Assign(entry_ref, pair.a.id))
    assert b.owed(pair.a) == 0
    assert b.settlements().items[0].state == "received"


def test_who_pays_too_much_is_owed(pair: Pair) -> None:
    """Nothing is refused that came: the position turns round."""
    a, b = pair
    b.book("in", 25_000, b.line(a).our_reference)
    assert b.owed(a) == 5_000


def test_settlements_are_listed_page_by_page(pair: Pair) -> None:
    """Newest first, in one state or all; for people with a role alone."""
    a, b = pair
    names = [a.propose(b, amount) for amount in (1, 2, 3)]
    page = a.settlements(limit=2)
    rest = a.settlements(limit=2, after=page.next)
    assert [item.settlement for item in (*page.items, *rest.items)] == names[::-1]
    assert a.settlements(state="sent").items == ()
    assert a.settlements(MAKER).items[0].mine
    with pytest.raises(Exception, match="see positions"):
        a.settlements(ALICE)


class Settling(RuleBasedStateMachine):
    """People pay both ways, operators settle, banks book, reject and return; what is owed is a sum of integers."""

    @initialize()
    def begin(self) -> None:
        """Two institutions that know each other's bank."""
        self.a, self.b = Side("a"), Side("b")
        self.a.know(self.b)
        self.b.know(self.a)
        for side, other in ((self.a, self.b), (self.b, self.a)):
            side.know_bank(other)
        self.owed = 0
        self.sent: dict[bytes, list[int]] = {}

    @rule(amount=strategies.amounts(), back=st.booleans())
    def pay(self, amount: int, back: bool) -> None:
        """Somebody pays across."""
        sender, receiver = (self.b, self.a) if back else (self.a, self.b)
        pay(sender, receiver, amount)
        self.owed += -amount if back else amount

    @rule(amount=strategies.amounts())
    def settle(self, amount: int) -> None:
        """A pays, perhaps more than it owes."""
        if amount > self.owed:
            wish = ProposeSettlement(self.b.id, EUR, amount)
            assert self.a.town.refused(MAKER, "clearing.propose_settlement", wish) == "settlement_beyond_position"
            return
        self.sent[self.a.settle(self.b, amount)] = [amount, 0, 0]
        self.owed -= amount

    @rule(data=st.data(), how=st.sampled_from(["book", "reject", "return"]), percent=st.integers(1, 100))
    def bank_acts(self, data: st.DataObject, how: str, percent: int) -> None:
        """The bank books a payment whole, rejects it, or returns a part of what it booked."""
        if not self.sent:
            return
        name = data.draw(st.sampled_from(sorted(self.sent)))
        amount, booked, back = self.sent[name]
        if how == "book" and not booked and not back:
            self.a.book("out", amount, name.hex())
            self.sent[name][1] = amount
        elif how == "reject" and not booked and not back:
            self.a.town.ok(RAIL, "bank.rejected", bank.Rejected(name, "AC01"))
            self.sent[name][2] = amount
            self.owed += amount
        elif how == "return" and booked and back < booked:
            part = max(1, (booked - back) * percent // 100)
            self.a.bring_back(name, part)
            self.sent[name][2] += part
            self.owed += part

    @invariant()
    def the_position_is_the_sum(self) -> None:
        """The products' own invariants hold too: the Trial checks them after each step."""
        assert self.a.owed(self.b) == self.owed
        back = {item.settlement: item.back_minor for item in self.a.settlements(limit=100).items}
        assert sum(back.values()) == sum(each[2] for each in self.sent.values())

    def teardown(self) -> None:
        """The whole history again has the same digest."""
        for each in (self.a, self.b):
            each.town.replay()
            each.town.close()


TestSettling = Settling.TestCase
TestSettling.settings = settings(max_examples=8, stateful_step_count=15, deadline=None)
