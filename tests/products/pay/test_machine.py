"""Payments against an obvious model: what each has, what is held, requests and packets, in plain dictionaries."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import msgspec
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from formicary.base.money import split
from formicary.products.anatomy import Message
from formicary.products.guard.commands import Recall, Rule, SetRules
from formicary.products.pay import strategies as some
from formicary.products.pay.commands import AcceptRequest, Ask, DeclineRequest, Give, OpenPacket, Send
from formicary.testing.trial import SECOND_NS

from tests.products.pay.plain import DAVE, EUR, NODE, Appoint, free, spent, town

HELD_FROM = 400
START = 1_000
DAY_NS = 86_400 * SECOND_NS


@dataclass
class Held:
    """Money on its way."""

    payer: bytes
    payee: bytes
    amount: int
    until_ns: int


@dataclass
class Packet:
    """Money in a packet."""

    giver: bytes
    give: Give
    rest: int
    openers: list[bytes] = field(default_factory=list)


class Model:
    """What payments mean, without a ledger."""

    def __init__(self) -> None:
        self.free = dict.fromkeys(some.PEOPLE, START)
        self.spent = dict.fromkeys(some.PEOPLE, 0)
        self.known: dict[tuple[bytes, bytes], int] = {}
        self.held: dict[bytes, Held] = {}
        self.requests: dict[bytes, tuple[bytes, Ask]] = {}
        self.packets: dict[bytes, Packet] = {}

    def tick(self, now_ns: int) -> None:
        """What time does by itself."""
        for name, held in list(self.held.items()):
            if held.until_ns <= now_ns:
                del self.held[name]
                self.arrive(held.payer, held.payee, held.amount)
        for name, (_, ask) in list(self.requests.items()):
            if ask.until_ns <= now_ns:
                del self.requests[name]
        for packet in self.packets.values():
            if packet.give.until_ns <= now_ns and packet.rest:
                self.free[packet.giver] += packet.rest
                self.spent[packet.giver] -= packet.rest
                packet.rest = 0

    def arrive(self, payer: bytes, payee: bytes, amount: int) -> None:
        """Money is the payee's, and the guard remembers."""
        self.free[payee] += amount
        self.known[payer, payee] = self.known.get((payer, payee), 0) + amount

    def judged(self, payer: bytes, payee: bytes, amount: int) -> bool:
        """Whether the guard's one rule holds it."""
        return self.known.get((payer, payee), 0) + amount >= HELD_FROM

    def refuses(self, payer: bytes, payee: bytes, amount: int) -> str:
        """Why a payment is refused; nothing when it is not."""
        ladder = {
            "payment_to_oneself": payer == payee,
            "payee_not_payable": payee not in self.free,
            "exceeds_credits": amount > self.free.get(payer, 0),
        }
        return next((code for code, broken in ladder.items() if broken), "ok")

    def pay(self, name: bytes, payer: bytes, payee: bytes, amount: int, now_ns: int) -> str:
        """Take it from the payer; answer its state."""
        self.free[payer] -= amount
        self.spent[payer] += amount
        if self.judged(payer, payee, amount):
            self.held[name] = Held(payer, payee, amount, now_ns + DAY_NS)
            return "held"
        self.arrive(payer, payee, amount)
        return "paid"


class Paying(RuleBasedStateMachine):
    """People pay, ask, give and recall while time goes on; the machine and the model agree on each answer."""

    @initialize()
    def begin(self) -> None:
        """Four people with a little money each, and a guard with one plain rule."""
        self.trial = town(*some.PEOPLE, euros=START)
        self.trial.ok(DAVE, "wallet.appoint", Appoint("operator"))
        only = Rule("new_payee", "person", 0, HELD_FROM, 0, 366 * 86_400, 0)
        self.trial.ok(NODE, "guard.set_rules", SetRules((only,)))
        self.model = Model()
        self.payments: list[bytes] = []
        self.request_names: list[bytes] = []

    def said(self, payer: bytes, name: str, command: Message) -> tuple[str, Any]:
        """Say it; the code, and the reply when it was accepted. Time has gone on by then."""
        before = len(self.trial.entries)
        reply = self.trial.say(payer, name, command)
        assert len(self.trial.entries) == before + 1
        self.model.tick(self.trial.now_ns)
        found = self.trial.machine.registry.command(name, 1)
        assert found is not None
        if reply.code != "ok" or found.type.reply is None:
            return reply.code, None
        return reply.code, msgspec.msgpack.decode(reply.body, type=found.type.reply)

    @rule(payer=some.people(), command=some.sends())
    def send(self, payer: bytes, command: Send) -> None:
        """Pay."""
        code, sent = self.said(payer, "pay.send", command)
        assert code == self.model.refuses(payer, command.payee, command.amount_minor)
        if sent is not None:
            state = self.model.pay(sent.payment, payer, command.payee, command.amount_minor, self.trial.now_ns)
            assert sent.state == state
            self.payments.append(sent.payment)

    @rule(payer=some.people(), data=st.data())
    def recall(self, payer: bytes, data: st.DataObject) -> None:
        """Take back what is held, or what is not."""
        name = data.draw(some.names(self.payments))
        code, _ = self.said(payer, "guard.recall", Recall(name))
        held = self.model.held.get(name)
        assert (code == "ok") == (held is not None and held.payer == payer)
        if code == "ok" and held is not None:
            del self.model.held[name]
            self.model.free[payer] += held.amount
            self.model.spent[payer] -= held.amount

    @rule(payee=some.people(), data=st.data())
    def ask(self, payee: bytes, data: st.DataObject) -> None:
        """Ask for money."""
        command = data.draw(some.asks(self.trial.now_ns))
        code, made = self.said(payee, "pay.ask", command)
        possible = command.payer not in {payee, some.STRANGER} and command.until_ns > self.trial.now_ns
        assert (code == "ok") == possible
        if made is not None:
            self.model.requests[made.request] = (payee, command)
            self.request_names.append(made.request)

    @rule(payer=some.people(), accepts=st.booleans(), data=st.data())
    def answer(self, payer: bytes, accepts: bool, data: st.DataObject) -> None:
        """Accept or decline a request."""
        name = data.draw(some.names(self.request_names))
        command = AcceptRequest(name) if accepts else DeclineRequest(name)
        code, sent = self.said(payer, "pay.accept_request" if accepts else "pay.decline_request", command)
        payee, asked = self.model.requests.get(name, (b"", None))
        possible = asked is not None and asked.payer == payer
        if possible and accepts and asked is not None:
            possible = self.model.refuses(payer, payee, asked.amount_minor) == "ok"
        assert (code == "ok") == possible
        if not possible:
            return
        del self.model.requests[name]
        if sent is not None and asked is not None:
            state = self.model.pay(sent.payment, payer, payee, asked.amount_minor, self.trial.now_ns)
            assert sent.state == state
            self.payments.append(sent.payment)

    @rule(giver=some.people(), data=st.data())
    def give(self, giver: bytes, data: st.DataObject) -> None:
        """Put money in a packet."""
        command = data.draw(some.gives(self.trial.now_ns))
        code, given = self.said(giver, "pay.give", command)
        people = command.recipients
        possible = (
            command.total_minor >= command.count
            and giver not in people
            and (not people or len(people) >= command.count)
            and self.model.free[giver] >= command.total_minor
        )
        assert (code == "ok") == possible
        if given is not None:
            self.model.free[giver] -= command.total_minor
            self.model.spent[giver] += command.total_minor
            self.model.packets[given.packet] = Packet(giver, command, command.total_minor)

    @rule(opener=some.people(), data=st.data())
    def open_packet(self, opener: bytes, data: st.DataObject) -> None:
        """Take a share."""
        name = data.draw(some.names(list(self.model.packets)))
        code, opened = self.said(opener, "pay.open_packet", OpenPacket(name))
        packet = self.model.packets.get(name)
        if packet is None:
            assert code == "packet_not_found"
            return
        give, left = packet.give, packet.give.count - len(packet.openers)
        invited = not give.recipients or opener in give.recipients
        possible = opener != packet.giver and invited and opener not in packet.openers and left > 0 and packet.rest > 0
        assert (code == "ok") == possible
        if opened is None:
            return
        amount = opened.amount_minor
        if give.how == "equal":
            assert amount == split(give.total_minor, [1] * give.count)[len(packet.openers)]
        assert 1 <= amount <= packet.rest - (left - 1)
        assert left > 1 or amount == packet.rest
        packet.rest -= amount
        packet.openers.append(opener)
        if self.model.judged(packet.giver, opener, amount):
            assert opened.state == "held"
            until_ns = self.trial.now_ns + DAY_NS
            self.model.held[opened.payment] = Held(packet.giver, opener, amount, until_ns)
        else:
            assert opened.state == "paid"
            self.model.arrive(packet.giver, opener, amount)
        self.payments.append(opened.payment)

    @rule(minutes=st.integers(1, 360))
    def wait(self, minutes: int) -> None:
        """Time passes."""
        self.trial.wait(minutes=minutes)
        self.model.tick(self.trial.now_ns)

    @invariant()
    def agrees(self) -> None:
        """Everybody has what the model says, and all money together is what it was."""
        for who in some.PEOPLE:
            assert free(self.trial, who) == self.model.free[who]
            assert spent(self.trial, who) == self.model.spent[who]
        rest = sum(packet.rest for packet in self.model.packets.values())
        held = sum(held.amount for held in self.model.held.values())
        assert sum(self.model.free.values()) + rest + held == START * len(some.PEOPLE)

    def teardown(self) -> None:
        """The whole history again has the same digest."""
        self.trial.replay()
        self.trial.close()


TestPaying = Paying.TestCase
TestPaying.settings = settings(max_examples=25, stateful_step_count=25, deadline=None)


def test_the_asset_is_one() -> None:
    """Strategies and the plain town speak of the same currency."""
    assert some.EUR == EUR
