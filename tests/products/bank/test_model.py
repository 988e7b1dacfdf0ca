"""The bank against an obvious model: free money by person, withdrawals and bookings in plain dictionaries."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from formicary.products.bank import backing, queries
from formicary.products.bank import commands as bank
from formicary.products.bank import strategies as bankish
from formicary.testing.trial import SECOND_NS, Trial

from tests.products.bank.fakes import ALICE, BOB, EUR, OPERATOR, RAIL, Open, balance, products

PEOPLE = (ALICE, BOB)
REFS = {ALICE: b"account of alice", BOB: b"account of bob.."}


@dataclass
class Out:
    """A withdrawal, or money on its way back to a sender (nobody's)."""

    party: bytes
    amount: int
    booked: int = 0
    given_up: int = 0
    back: int = 0

    @property
    def transit(self) -> int:
        """Left its payer, not booked."""
        return self.amount - self.booked - self.given_up


@dataclass
class Line:
    """A booking, and how much of it is open."""

    direction: str
    amount: int
    open: int = 0


class Banking(RuleBasedStateMachine):
    """People withdraw, the bank books, returns and rejects in any order, operators settle; both sides agree."""

    @initialize()
    def begin(self) -> None:
        """Two people with purses, linked accounts and references."""
        self.town = Trial(products())
        self.free = dict.fromkeys(PEOPLE, 0)
        self.outs: dict[bytes, Out] = {}
        self.lines: dict[bytes, Line] = {}
        self.bank = 0
        self.parked = 0
        self.attested = 0
        self.references: dict[str, bytes] = {}
        for person in PEOPLE:
            self.town.ok(person, "wallet.open", Open(EUR))
            self.town.ok(person, "bank.link_account", bank.LinkAccount(REFS[person], bytes(16), bytes(32)))
            taken = self.town.ok(person, "bank.take_reference", bank.TakeReference())
            self.references[taken.reference] = person
        for number, (reference, person) in enumerate(self.references.items(), start=101):
            entry_ref = number.to_bytes(32, "big")
            self.town.ok(RAIL, "bank.booked", bank.Booked(EUR, entry_ref, "in", 500, reference, 1))
            self.lines[entry_ref] = Line("in", 500)
            self.free[person] += 500
            self.bank += 500

    @rule(person=st.sampled_from(PEOPLE), amount=bankish.amounts())
    def withdraw_properly(self, person: bytes, amount: int) -> None:
        """Somebody withdraws to their own account."""
        self.send_withdrawal(person, bank.Withdraw(REFS[person], EUR, amount))

    @rule(person=st.sampled_from(PEOPLE), data=st.data())
    def withdraw(self, person: bytes, data: st.DataObject) -> None:
        """Somebody withdraws, perhaps more than there is or to somebody else's account."""
        self.send_withdrawal(person, data.draw(bankish.withdrawals(list(REFS.values()), EUR)))

    def send_withdrawal(self, person: bytes, command: bank.Withdraw) -> None:
        """Withdraw on both sides."""
        reply = self.town.say(person, "bank.withdraw", command)
        ladder = {
            "bank_account_not_found": command.account_ref == bytes(16),
            "bank_account_not_yours": command.account_ref != REFS[person],
            "exceeds_credits": command.amount_minor > self.free[person],
        }
        assert reply.code == next((code for code, broken in ladder.items() if broken), "ok")
        if reply.code == "ok":
            name = msgspec.msgpack.decode(reply.body, type=bank.Withdrawing).withdrawal
            self.outs[name] = Out(person, command.amount_minor)
            self.free[person] -= command.amount_minor

    def known(self, entry_ref: bytes, direction: str, amount: int) -> str:
        """What the bank said before of a booking: nothing, the same, or otherwise."""
        line = self.lines.get(entry_ref)
        if line is None:
            return ""
        return "known" if (line.direction, line.amount) == (direction, amount) else "bank_entry_differs"

    @precondition(lambda self: self.outs)
    @rule(entry_ref=bankish.entry_refs(), data=st.data(), percent=st.sampled_from([40, 100, 100, 120]))
    def book_withdrawal(self, entry_ref: bytes, data: st.DataObject, percent: int) -> None:
        """The bank books a withdrawal: in part, whole, or with something on top."""
        name = data.draw(st.sampled_from(list(self.outs)))
        amount = max(1, self.outs[name].amount * percent // 100)
        self.send_booking(bank.Booked(EUR, entry_ref, "out", amount, name.hex(), 1))

    @rule(data=st.data())
    def book(self, data: st.DataObject) -> None:
        """The bank books something."""
        self.send_booking(data.draw(bankish.bookings(list(self.references), list(self.outs), EUR)))

    def send_booking(self, command: bank.Booked) -> None:
        """Book on both sides."""
        reply = self.town.say(RAIL, "bank.booked", command)
        amount = command.amount_minor
        expected = self.known(command.entry_ref, command.direction, amount)
        if not expected:
            line = self.lines[command.entry_ref] = Line(command.direction, amount)
            self.bank += amount if command.direction == "in" else -amount
            if command.direction == "in" and command.reference in self.references:
                self.free[self.references[command.reference]] += amount
            elif command.direction == "in":
                line.open = amount
            else:
                out = self.outs.get(bytes.fromhex(command.reference), Out(b"", 0))
                matched = min(amount, out.transit)
                out.booked += matched
                line.open = amount - matched
            expected = "open" if line.open else "matched"
        self.agree(reply, expected)

    @rule(data=st.data())
    def bring_back(self, data: st.DataObject) -> None:
        """The bank returns something."""
        command = data.draw(bankish.returns(list(self.outs), EUR))
        reply = self.town.say(RAIL, "bank.returned", command)
        amount = command.amount_minor
        expected = self.known(command.entry_ref, "in", amount)
        if not expected:
            line = self.lines[command.entry_ref] = Line("in", amount)
            self.bank += amount
            out = self.outs.get(command.withdrawal)
            fits = out is not None and out.back + amount <= out.amount - out.given_up
            if out is not None and fits:
                out.back += amount
            if out is not None and fits and out.party:
                self.free[out.party] += amount
            else:
                line.open = amount
            expected = "open" if line.open else "matched"
        self.agree(reply, expected)

    @rule(data=st.data())
    def reject(self, data: st.DataObject) -> None:
        """The bank rejects a withdrawal, perhaps again, perhaps after returning it."""
        command = data.draw(bankish.rejections(list(self.outs)))
        reply = self.town.say(RAIL, "bank.rejected", command)
        out = self.outs.get(command.withdrawal)
        assert reply.code == ("ok" if out is not None else "withdrawal_not_found")
        if out is not None and out.transit:
            amount = out.transit
            out.given_up += amount
            if out.back or not out.party:
                self.parked += amount
            else:
                self.free[out.party] += amount

    @rule(data=st.data())
    def settle(self, data: st.DataObject) -> None:
        """An operator settles a booking, perhaps one that is not open."""
        command = data.draw(bankish.settlings(PEOPLE))
        verb = {bank.Assign: "assign", bank.SendBack: "send_back", bank.TakeOwn: "take_own"}[type(command)]
        line = self.lines.get(command.entry_ref)
        reply = self.town.say(OPERATOR, f"bank.{verb}", command)
        incoming = not isinstance(command, bank.TakeOwn)
        if line is None:
            assert reply.code == "bank_entry_not_found"
            return
        allowed = line.open and not (incoming and line.direction == "out")
        assert reply.code == ("ok" if allowed else "bank_entry_not_open")
        if not allowed:
            return
        if isinstance(command, bank.Assign):
            self.free[command.person] += line.open
        elif isinstance(command, bank.SendBack):
            name = self.town.happened("bank.withdrawal_asked")[-1].withdrawal
            self.outs[name] = Out(b"", line.open)
        line.open = 0

    @rule(command=bankish.days())
    def attest(self, command: bank.Attest) -> None:
        """The courier has a day counted, perhaps another day than it is; days go by."""
        today = backing.day_of(self.town.now_ns + SECOND_NS)
        reply = self.town.say(RAIL, "bank.attest", command)
        done = self.attested >= command.day
        assert reply.code == ("bank_day_differs" if command.day != today else "bank_day_attested" if done else "ok")
        if reply.code != "ok":
            return
        self.attested = command.day
        (told,) = msgspec.msgpack.decode(reply.body, type=bank.Attested).items
        assert told.nostro_minor == told.unlisted_minor == self.bank
        assert told.transit_minor == sum(out.transit for out in self.outs.values())
        self.town.wait(hours=13)

    def agree(self, reply: object, expected: str) -> None:
        """The bank's answer is the model's."""
        if expected == "bank_entry_differs":
            assert reply.code == expected  # type: ignore[attr-defined]
        else:
            assert msgspec.msgpack.decode(reply.body, type=bank.BookedAs).state == expected  # type: ignore[attr-defined]

    @invariant()
    def money_agrees(self) -> None:
        """Everybody's money, the institution's account, what is under way and what is open."""
        for person in PEOPLE:
            assert balance(self.town, person) == self.free[person]
        items = self.town.ask("bank.reconciliation", OPERATOR, queries.AskReconciliation()).items
        if not items:
            assert not self.lines
            return
        (found,) = items
        assert found.nostro_minor == self.bank
        assert found.under_way_minor == sum(out.transit for out in self.outs.values())
        opened = {way: sum(line.open for line in self.lines.values() if line.direction == way) for way in ("in", "out")}
        assert found.open_in_minor == opened["in"] + self.parked
        assert found.open_out_minor == opened["out"]
        assert found.difference_minor == 0

    def teardown(self) -> None:
        """The whole history again has the same digest."""
        self.town.replay()
        self.town.close()


TestBanking = Banking.TestCase
TestBanking.settings = settings(max_examples=20, stateful_step_count=25, deadline=None)
