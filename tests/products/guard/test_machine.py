"""The guard against an obvious model: which payment is held, whose it becomes, and who may still say something."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from formicary.products.anatomy import Message
from formicary.products.guard import strategies as some
from formicary.products.guard.answers import AskHolds
from formicary.products.guard.commands import Rule, SetRules
from formicary.products.guard.invariants import live_holds
from formicary.products.guard.rules import store, table_of, wrong
from formicary.products.pay.commands import Send
from formicary.products.pay.strategies import PEOPLE, people
from formicary.testing.trial import SECOND_NS

from tests.products.pay.plain import DAVE, EUR, NODE, Appoint, free, town

HELD_FROM = 300
START = 2_000
DAY_NS = 86_400 * SECOND_NS


@dataclass
class Case:
    """A held payment or a report."""

    kind: str
    payment: bytes
    payer: bytes
    payee: bytes
    amount: int
    until_ns: int
    state: str = "open"
    appealed: list[bytes] = field(default_factory=list)


class Guarding(RuleBasedStateMachine):
    """People pay, recall, appeal and report, an operator decides, time goes on; every answer is the model's."""

    @initialize()
    def begin(self) -> None:
        """Four people, an operator, and one plain rule."""
        self.trial = town(*PEOPLE, euros=START)
        self.trial.ok(DAVE, "wallet.appoint", Appoint("operator"))
        only = Rule("new_payee", "person", 0, HELD_FROM, 0, 366 * 86_400, 0)
        self.trial.ok(NODE, "guard.set_rules", SetRules((only,)))
        self.free = dict.fromkeys(PEOPLE, START)
        self.known: dict[tuple[bytes, bytes], int] = {}
        self.paid: dict[bytes, tuple[bytes, bytes]] = {}
        self.payments: list[bytes] = []
        self.cases: dict[bytes, Case] = {}
        self.marks: set[tuple[bytes, bytes]] = set()

    def said(self, signer: bytes, name: str, command: Message) -> tuple[str, Any]:
        """Say it: the code, and the reply when there is one; the model's time goes on too."""
        reply = self.trial.say(signer, name, command)
        self.tick()
        found = self.trial.machine.registry.command(name, 1)
        assert found is not None
        if reply.code != "ok" or found.type.reply is None:
            return reply.code, None
        return reply.code, msgspec.msgpack.decode(reply.body, type=found.type.reply)

    def tick(self) -> None:
        """Holds whose time is over are paid, unless an operator stopped them."""
        for case in self.cases.values():
            if case.kind == "hold" and case.state == "open" and case.until_ns <= self.trial.now_ns:
                self.pay(case)

    def pay(self, case: Case) -> None:
        """What was held arrives."""
        case.state = "released"
        self.arrive(case.payment, case.payer, case.payee, case.amount)

    def arrive(self, payment: bytes, payer: bytes, payee: bytes, amount: int) -> None:
        """Money is the payee's, and the guard remembers."""
        self.free[payee] += amount
        self.known[payer, payee] = self.known.get((payer, payee), 0) + amount
        self.paid[payment] = (payer, payee)

    @rule(payer=people(), payee=people(), amount=st.integers(1, 400))
    def send(self, payer: bytes, payee: bytes, amount: int) -> None:
        """Pay somebody."""
        code, sent = self.said(payer, "pay.send", Send(payee, EUR, amount, "friend", None))
        assert (code == "ok") == (payer != payee and self.free[payer] >= amount)
        if sent is None:
            return
        reasons = ["new_payee"] if self.known.get((payer, payee), 0) + amount >= HELD_FROM else []
        reasons += ["payee_marked"] if any(party == payee for party, _ in self.marks) else []
        assert list(sent.reasons) == reasons
        self.free[payer] -= amount
        self.payments.append(sent.payment)
        if reasons:
            name = self.trial.happened("guard.case_opened")[-1].case
            until_ns = self.trial.now_ns + DAY_NS
            self.cases[name] = Case("hold", sent.payment, payer, payee, amount, until_ns)
        else:
            self.arrive(sent.payment, payer, payee, amount)

    @rule(who=people(), data=st.data())
    def recall(self, who: bytes, data: st.DataObject) -> None:
        """Ask for one's money back: certain while it is held."""
        command = data.draw(some.recalls(self.payments))
        code, _ = self.said(who, "guard.recall", command)
        held = [case for case in self.cases.values() if (case.payment, case.kind) == (command.payment, "hold")]
        possible = bool(held) and held[0].payer == who and held[0].state in {"open", "frozen"}
        assert (code == "ok") == possible
        if possible:
            held[0].state = "recalled"
            self.free[who] += held[0].amount

    @rule(who=people(), data=st.data())
    def report(self, who: bytes, data: st.DataObject) -> None:
        """Say that a payment was a scam."""
        command = data.draw(some.reports(self.payments))
        code, reported = self.said(who, "guard.report", command)
        sides = next(
            ((case.payer, case.payee) for case in self.cases.values() if case.payment == command.payment),
            self.paid.get(command.payment, ()),
        )
        held = any(
            case.payment == command.payment and case.kind == "hold" and case.state in {"open", "frozen"}
            for case in self.cases.values()
        )
        again = any(
            case.payment == command.payment and case.kind == "report" and case.appealed[:1] == [who]
            for case in self.cases.values()
        )
        assert (code == "ok") == (who in sides and not held and not again)
        if reported is not None:
            payer, payee = sides
            self.cases[reported.case] = Case("report", command.payment, payer, payee, 0, 0, appealed=[who])

    @rule(who=people(), data=st.data())
    def appeal(self, who: bytes, data: st.DataObject) -> None:
        """Say that a case of a held payment is wrong."""
        command = data.draw(some.appeals([name for name, case in self.cases.items() if case.kind == "hold"]))
        code, _ = self.said(who, "guard.appeal", command)
        case = self.cases.get(command.case)
        live = case is not None and case.state in {"open", "frozen"}
        possible = live and case is not None and who in {case.payer, case.payee} and who not in case.appealed
        assert (code == "ok") == possible
        if possible and case is not None:
            case.appealed.append(who)

    @rule(data=st.data())
    def decide(self, data: st.DataObject) -> None:
        """Let the operator decide."""
        command = data.draw(some.decisions(list(self.cases)))
        code, _ = self.said(DAVE, "guard.decide", command)
        case = self.cases.get(command.case)
        if case is None:
            assert code == "case_not_found"
            return
        holds = case.kind == "hold" and case.state in {"open", "frozen"}
        wants_money = command.decision in {"release", "return"}
        possible = case.state != "closed" and (holds or not wants_money) and not (holds and command.decision == "close")
        assert (code == "ok") == possible
        if not possible:
            return
        if command.decision in {"release", "close"}:
            self.marks = {mark for mark in self.marks if mark[1] != command.case}
        if command.decision == "release":
            self.pay(case)
        elif command.decision == "return":
            case.state = "returned"
            self.free[case.payer] += case.amount
        elif command.decision == "close":
            case.state = "closed"
        else:
            self.marks.add((case.payee, command.case))
            case.state = "frozen" if holds else case.state

    @rule(hours=st.integers(1, 6))
    def wait(self, hours: int) -> None:
        """Time passes."""
        self.trial.wait(hours=hours)
        self.tick()

    @invariant()
    def agrees(self) -> None:
        """Everybody has what the model says; what is held has a case with reasons; all money is what it was."""
        for who in PEOPLE:
            assert free(self.trial, who) == self.free[who]
        live = {name for name, case in self.cases.items() if case.kind == "hold" and case.state in {"open", "frozen"}}
        assert {case.case for case in live_holds(self.trial.view("guard"))} == live
        assert sum(self.free.values()) + sum(self.cases[name].amount for name in live) == START * len(PEOPLE)
        for who in PEOPLE:
            for hold in self.trial.ask("guard.holds", who, AskHolds(limit=100)).items:
                assert hold.reasons
                assert hold.recallable == (hold.case in live)

    def teardown(self) -> None:
        """The whole history again has the same digest."""
        self.trial.replay()
        self.trial.close()


TestGuarding = Guarding.TestCase
TestGuarding.settings = settings(max_examples=20, stateful_step_count=25, deadline=None)


@given(st.lists(some.rules(), min_size=1, max_size=8))
def test_a_version_is_read_as_it_was_stored(rules: list[Rule]) -> None:
    """Rules that may be a version are all in its table, and one pair of rules alike is never accepted."""
    if not wrong(rules):
        assert list(table_of(store(tuple(rules))).values()) == rules
    assert len({(rule.kind, rule.source, rule.asset) for rule in rules}) == len(rules) or wrong(rules) == "rule_twice"
