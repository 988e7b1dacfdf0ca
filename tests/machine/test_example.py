"""The example product against an obvious model: people, pledges and time in plain dictionaries."""

from __future__ import annotations

import msgspec
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from formicary.base.entry import EntryKind
from formicary.machine.machine import Machine
from formicary.machine.verify import replay
from formicary.products.anatomy import Message
from formicary.products.example import PRODUCT, FixedAllowance, product, queries
from formicary.products.example.commands import Fund, Join, Keep, Pledge, Pledged, Waive
from formicary.products.example.strategies import SECOND, endings, funds, people, pledges

from tests.machine.scripts import ALICE, BOB, LogScript

LIMIT = 550


class Model:
    """What the example means, without a ledger: free money by person, and open pledges."""

    def __init__(self) -> None:
        self.free: dict[bytes, int] = {}
        self.open: dict[bytes, tuple[bytes, Pledge]] = {}
        self.ended: set[bytes] = set()

    def lapse(self, now_ns: int) -> None:
        """Give back what has run out of time."""
        for name, (giver, pledge) in list(self.open.items()):
            if pledge.until_ns <= now_ns:
                self.end(name, giver, pledge.amount_minor)

    def end(self, name: bytes, person: bytes, amount_minor: int) -> None:
        """A pledge's money becomes free for somebody."""
        del self.open[name]
        self.ended.add(name)
        self.free[person] += amount_minor

    def join(self, person: bytes, _command: Join) -> str:
        """Open a pocket."""
        if person in self.free:
            return "already_member"
        self.free[person] = 0
        return "ok"

    def fund(self, person: bytes, command: Fund) -> str:
        """Add money."""
        if person not in self.free:
            return "not_a_member"
        self.free[person] += command.amount_minor
        return "ok"

    def refuses(self, person: bytes, command: Pledge, now_ns: int) -> str:
        """Why a pledge may not be made; empty when it may."""
        ladder = {
            "not_a_member": person not in self.free,
            "taker_not_a_member": command.taker not in self.free,
            "pledge_to_oneself": person == command.taker,
            "pledge_not_in_future": command.until_ns <= now_ns,
            "pledge_above_allowance": command.amount_minor > LIMIT,
            "exceeds_credits": command.amount_minor > self.free.get(person, 0),
        }
        return next((code for code, broken in ladder.items() if broken), "")

    def ending(self, person: bytes, command: Keep | Waive) -> str:
        """Keep or waive."""
        if command.pledge in self.ended:
            return "pledge_ended"
        if command.pledge not in self.open:
            return "pledge_not_found"
        giver, pledge = self.open[command.pledge]
        keeps = isinstance(command, Keep)
        if person != (giver if keeps else pledge.taker):
            return "pledge_not_yours"
        self.end(command.pledge, pledge.taker if keeps else giver, pledge.amount_minor)
        return "ok"


class Pledging(RuleBasedStateMachine):
    """People join, fund, pledge, keep and waive while time goes on; the machine and the model agree on each answer."""

    @initialize()
    def begin(self) -> None:
        """An empty ledger with two people, so that something happens."""
        self.script = LogScript()
        self.machine = Machine(None, [product(FixedAllowance(LIMIT))], reverse_unordered=True)
        self.machine.step(self.script.entries[0])
        self.model = Model()
        self.names: list[bytes] = []

    def send(self, person: bytes, name: str, body: Message) -> tuple[str, bytes]:
        """Put one command on the log: (code, reply body)."""
        applied = self.machine.step(self.script.say(person, name, body))
        self.model.lapse(applied.time_ns)
        reply = applied.answers[0].reply
        return reply.code, reply.body

    @rule(person=people().filter(lambda person: not person.endswith(b"nobody")))
    def join(self, person: bytes) -> None:
        """Open a pocket, perhaps for the second time."""
        code, _ = self.send(person, "example.join", Join())
        assert code == self.model.join(person, Join())

    @rule(person=people(), command=funds())
    def fund(self, person: bytes, command: Fund) -> None:
        """Bring money."""
        code, _ = self.send(person, "example.fund", command)
        assert code == self.model.fund(person, command)

    @rule(person=people(), data=st.data())
    def pledge(self, person: bytes, data: st.DataObject) -> None:
        """Set money aside."""
        command = data.draw(pledges(self.script.now_ns))
        code, body = self.send(person, "example.pledge", command)
        refused = self.model.refuses(person, command, self.script.now_ns)
        assert code == (refused or "ok")
        if not refused:
            name = msgspec.msgpack.decode(body, type=Pledged).pledge
            self.names.append(name)
            self.model.free[person] -= command.amount_minor
            self.model.open[name] = (person, command)

    @rule(person=people(), data=st.data())
    def end(self, person: bytes, data: st.DataObject) -> None:
        """Keep or waive."""
        command = data.draw(endings(self.names))
        name = "example.keep" if isinstance(command, Keep) else "example.waive"
        code, _ = self.send(person, name, command)
        assert code == self.model.ending(person, command)

    @rule(seconds=st.integers(1, 40))
    def wait(self, seconds: int) -> None:
        """Time passes."""
        entry = self.script.add(EntryKind.TICK, time_ns=self.script.now_ns + seconds * SECOND)
        self.machine.step(entry)
        self.model.lapse(entry.time_ns)

    @invariant()
    def agrees(self) -> None:
        """Free money and open pledges are the same on both sides, and the product's own invariants hold."""
        self.machine.check()
        view = self.machine.view("example")
        assert {pledge.pledge for pledge in queries.open_pledges(view)} == set(self.model.open)
        for person, pocket in queries.members(view):
            account = view.account(pocket)
            assert account is not None
            free = account.credits_posted - account.debits_posted - account.debits_held
            assert free == self.model.free[person]

    def teardown(self) -> None:
        """The whole history again, in SQLite's other order, has the same digest."""
        again = replay(Machine(None, [product(FixedAllowance(LIMIT))]), self.script.entries)
        assert again.digest == self.machine.digest


TestPledging = Pledging.TestCase
TestPledging.settings = settings(max_examples=25, stateful_step_count=25, deadline=None)


def test_a_signer_that_is_no_person_gets_no_pocket() -> None:
    """A person's id has sixteen bytes; a door that sends others has a bug, and is told."""
    script, machine = LogScript(), Machine(None, [PRODUCT])
    applied = replay(machine, script.entries).step(script.say(b"short", "example.join", Join()))
    assert applied.answers[0].reply.code == "signer_not_a_person"


def test_events_name_whom_they_concern() -> None:
    """A pledge concerns its taker, its end concerns its giver."""
    script, machine = LogScript(), Machine(None, [PRODUCT])
    for person in (ALICE, BOB):
        script.say(person, "example.join", Join())
    script.say(ALICE, "example.fund", Fund(100))
    replay(machine, script.entries)
    made = machine.step(script.say(ALICE, "example.pledge", Pledge(BOB, 60, script.now_ns + 90 * SECOND)))
    name = msgspec.msgpack.decode(made.answers[0].reply.body, type=Pledged).pledge
    ended = machine.step(script.say(ALICE, "example.keep", Keep(name)))
    assert [(event.kind, event.subject) for event in (*made.events, *ended.events)] == [
        ("pledge_made", BOB),
        ("pledge_ended", ALICE),
    ]
    assert machine.next_due() is None
