"""Three institutions whose messages are lost, doubled and late, against a model in integers: both legs or none."""

from __future__ import annotations

from typing import Any

import msgspec
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from formicary.products.clearing import queries
from formicary.products.clearing.commands import CancelOut, SentOut
from formicary.products.clearing.strategies import payments

from tests.products.clearing.pair import Institution, answer, offer, pair, tell, told
from tests.products.escrow.town import ALICE, BOB, CAROL, EUR, STRANGER, balance

PEOPLE = (ALICE, BOB, CAROL)


class Clearing(RuleBasedStateMachine):
    """People pay across institutions; any message may be carried at any time, any number of times, or never."""

    @initialize()
    def begin(self) -> None:
        """Three institutions, and nothing under way."""
        self.all = pair("a", "b", "c")
        self.by_id = {each.id: each for each in self.all}
        self.paid: dict[bytes, tuple[Institution, Institution, bytes, bytes, int]] = {}
        self.answers: list[tuple[bytes, str]] = []

    def sides(self, name: bytes) -> tuple[Institution, Institution]:
        """Where a payment comes from and where it goes to."""
        return self.paid[name][0], self.paid[name][1]

    @rule(data=st.data(), payer=st.sampled_from(PEOPLE))
    def pay(self, data: st.DataObject, payer: bytes) -> None:
        """Send money to another institution."""
        sender = data.draw(st.sampled_from(self.all))
        others = [each.id for each in self.all if each is not sender]
        command = data.draw(payments(others, (BOB, CAROL, STRANGER)))
        free = balance(sender.town, payer)
        reply = sender.town.say(payer, "clearing.send_out", command)
        assert reply.code == ("ok" if command.amount_minor <= free else "exceeds_credits")
        if reply.code == "ok":
            name = msgspec.msgpack.decode(reply.body, type=SentOut).payment
            receiver = self.by_id[command.institution]
            self.paid[name] = (sender, receiver, payer, command.payee_ref, command.amount_minor)

    @rule(data=st.data(), verb=st.sampled_from(["offer", "answer", "tell", "told", "cancel"]))
    def carry(self, data: st.DataObject, verb: str) -> None:
        """Carry one message, perhaps again."""
        if not self.paid:
            return
        name = data.draw(st.sampled_from(list(self.paid)))
        sender, receiver = self.sides(name)
        state = sender.row(name).state
        if verb == "offer" and state == "offered":
            self.answers.append((name, offer(sender, receiver, name, self.paid[name][3])))
        elif verb == "answer" and self.answers:
            late, code = data.draw(st.sampled_from(self.answers))
            before = self.sides(late)[0].row(late).state
            got = answer(*self.sides(late), late, code)
            ended = {"captured": "ok" if code == "ok" else "clearing_captured", "offered": "ok"}
            assert got == ended.get(before, "clearing_cancelled" if code == "ok" else "ok")
        elif verb == "tell":
            assert tell(sender, receiver, name) in {"", "ok"}
        elif verb == "told" and state in {"captured", "cancelled"} and tell(sender, receiver, name) == "ok":
            told(sender, name)
        elif verb == "cancel":
            code = sender.town.say(self.paid[name][2], "clearing.cancel_out", CancelOut(name)).code
            assert code == {"offered": "ok", "captured": "clearing_captured"}.get(state, "clearing_cancelled")

    @rule(minutes=st.integers(1, 8), data=st.data())
    def wait(self, minutes: int, data: st.DataObject) -> None:
        """Time goes by at one of them; their clocks need not agree."""
        data.draw(st.sampled_from(self.all)).town.wait(minutes=minutes)

    @invariant()
    def nothing_is_captured_without_a_decision(self) -> None:
        """What B has captured, A had; what A has given back, B has not paid."""
        for name, (sender, receiver, *_) in self.paid.items():
            row = queries.incoming(receiver.town.view("clearing"), sender.id, name)
            if row is not None and row.state == "captured":
                assert sender.row(name).state == "captured"

    def teardown(self) -> None:
        """Let every message through: both legs or none, and the positions mirror each other."""
        for name, (sender, receiver, _, payee, _) in self.paid.items():
            if sender.row(name).state == "offered":
                answer(sender, receiver, name, offer(sender, receiver, name, payee))
            assert tell(sender, receiver, name) == "ok"
        moved: dict[Any, int] = {}
        for name, (sender, receiver, payer, payee, amount_minor) in self.paid.items():
            row = queries.incoming(receiver.town.view("clearing"), sender.id, name)
            assert row is not None
            assert (sender.row(name).state == "captured") == (row.state == "captured")
            if row.state == "captured":
                moved[sender.id, payer] = moved.get((sender.id, payer), 0) - amount_minor
                moved[receiver.id, payee] = moved.get((receiver.id, payee), 0) + amount_minor
        for each in getattr(self, "all", ()):
            for party in PEOPLE:
                assert balance(each.town, party, EUR) == 50_000 + moved.get((each.id, party), 0)
            for other in self.all:
                if other is not each:
                    assert each.position(other) == (-other.position(each)[0], 0, 0)
        for each in getattr(self, "all", ()):
            each.town.replay()
            each.town.close()


TestClearing = Clearing.TestCase
TestClearing.settings = settings(max_examples=20, stateful_step_count=25, deadline=None)
