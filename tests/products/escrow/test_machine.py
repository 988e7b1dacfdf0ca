"""Escrow against an obvious model: orders and pools in plain dictionaries, money in a few integers."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import msgspec
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from formicary.base.money import split
from formicary.products.anatomy import Message
from formicary.products.escrow.commands import (
    AcceptMilestone,
    AcceptPoolMilestone,
    Bought,
    Buy,
    Cancel,
    CancelPool,
    Confirm,
    Decide,
    Dispute,
    JoinPool,
    LeavePool,
    OpenPool,
    PoolOpened,
    Ship,
)
from formicary.products.escrow.parcels import code_digest
from formicary.products.escrow.strategies import orders, pools
from formicary.testing.trial import SECOND_NS

from tests.products.escrow.support import CARRIER, CODE, START_MINOR, new_town, signed
from tests.products.escrow.town import ALICE, BOB, CAROL, JUDGE, balance

PEOPLE = (ALICE, BOB, CAROL)
ANYBODY = (*PEOPLE, JUDGE)


@dataclass
class Order:
    """One order as the model sees it."""

    buyer: bytes
    terms: Buy
    held: int
    due: int
    state: str = "funded"
    accepted: list[int] = field(default_factory=list)

    @property
    def is_open(self) -> bool:
        """Whether it holds money."""
        return self.state != "ended"


@dataclass
class Pool:
    """One pool as the model sees it."""

    maker: bytes
    terms: OpenPool
    due: int
    state: str = "open"
    held: int = 0
    places: dict[bytes, int] = field(default_factory=dict)
    shares: list[int] = field(default_factory=list)
    votes: set[bytes] = field(default_factory=set)
    done: int = 0


class Escrow(RuleBasedStateMachine):
    """People buy, ship, deliver, argue and join pools while hours go by; the machine and the model agree."""

    @initialize()
    def begin(self) -> None:
        """A town where everybody has the same."""
        self.town = new_town()
        self.free = dict.fromkeys(ANYBODY, START_MINOR)
        self.orders: dict[bytes, Order] = {}
        self.pools: dict[bytes, Pool] = {}

    def send(self, who: bytes, name: str, body: Message) -> tuple[str, Any]:
        """Send a command after what has come due by then; (code, raw reply)."""
        reply = self.town.say(who, f"escrow.{name}", body)
        return reply.code, reply.body

    def pay(self, order: Order, seller_minor: int) -> None:
        """End an order in the model."""
        self.free[order.terms.seller] += seller_minor
        self.free[order.buyer] += order.held - seller_minor
        order.held, order.state = 0, "ended"

    def lapse(self, now_ns: int) -> None:
        """What happens by itself until now, in the order of time."""
        while True:
            waiting = [order for order in self.orders.values() if order.is_open and 0 < order.due <= now_ns]
            filling = [pool for pool in self.pools.values() if pool.state == "open" and pool.due <= now_ns]
            if not waiting and not filling:
                return
            for order in waiting:
                refund = order.state == "funded" or (order.state == "shipped" and order.terms.silence == "refund")
                self.pay(order, 0 if refund else order.held)
            for pool in filling:
                if sum(pool.places.values()) >= pool.terms.places_min:
                    self.start(pool)
                else:
                    self.finish(pool)

    def start(self, pool: Pool) -> None:
        """A pool goes ahead."""
        pool.state = "making"
        pool.shares = split(pool.held, [stage.weight for stage in pool.terms.stages])

    def finish(self, pool: Pool) -> None:
        """What a pool still holds goes back by places."""
        if pool.places:
            buyers = sorted(pool.places)
            for buyer, share in zip(buyers, split(pool.held, [pool.places[who] for who in buyers]), strict=True):
                self.free[buyer] += share
        pool.held, pool.state = 0, "ended"

    def pick(self, data: st.DataObject, names: list[bytes]) -> bytes:
        """One that was made, or at times one that never was."""
        return data.draw(st.sampled_from([*names, bytes(16)] if names else [bytes(16)]))

    # ── orders ──

    @rule(who=st.sampled_from(PEOPLE), data=st.data())
    def buy(self, who: bytes, data: st.DataObject) -> None:
        """Order something."""
        key, digest = bytes(CARRIER.verify_key), code_digest(CODE)
        command = data.draw(orders(self.town.now_ns, PEOPLE, key, digest))
        code, body = self.send(who, "buy", command)
        self.lapse(self.town.now_ns)
        ladder = {
            "order_with_oneself": command.seller == who,
            "order_deadline_past": command.ship_by_ns <= self.town.now_ns,
            "exceeds_credits": command.amount_minor > self.free[who],
        }
        assert code == next((code for code, broken in ladder.items() if broken), "ok")
        if code == "ok":
            name = msgspec.msgpack.decode(body, type=Bought).order
            self.free[who] -= command.amount_minor
            self.orders[name] = Order(who, command, command.amount_minor, command.ship_by_ns)

    @rule(who=st.sampled_from(ANYBODY), verb=st.sampled_from(["cancel", "ship", "confirm", "dispute"]), data=st.data())
    def act(self, who: bytes, verb: str, data: st.DataObject) -> None:
        """Do something with an order."""
        name = self.pick(data, list(self.orders))
        body: dict[str, Message] = {
            "cancel": Cancel(name),
            "ship": Ship(name, None),
            "confirm": Confirm(name),
            "dispute": Dispute(name, "other", (bytes(16),)),
        }
        code, _ = self.send(who, verb, body[verb])
        self.lapse(self.town.now_ns)
        assert code == self.acted(who, verb, self.orders.get(name))

    def acted(self, who: bytes, verb: str, order: Order | None) -> str:
        """What the model makes of it."""
        if order is None:
            return "order_not_found"
        if not order.is_open:
            return "order_settled"
        sides = {
            "cancel": (order.buyer, order.terms.seller),
            "ship": (order.terms.seller,),
            "confirm": (order.buyer,),
            "dispute": (order.buyer, order.terms.seller),
        }
        if who not in sides[verb]:
            return "order_not_yours"
        bound = verb == "ship" or (verb == "cancel" and who == order.buyer)
        if order.state == "disputed" and (bound or verb == "dispute"):
            return "order_disputed"
        if order.state != "funded" and bound:
            return "order_shipped"
        if verb == "cancel":
            self.pay(order, 0)
        elif verb == "confirm":
            self.pay(order, order.held)
        elif verb == "ship":
            order.state, order.due = "shipped", self.town.now_ns + order.terms.silence_s * SECOND_NS
        else:
            order.state, order.due = "disputed", 0
        return "ok"

    @rule(lost=st.booleans(), data=st.data())
    def deliver(self, lost: bool, data: st.DataObject) -> None:
        """The carrier's word."""
        name = self.pick(data, [name for name, order in self.orders.items() if order.state in {"funded", "shipped"}])
        code, _ = self.send(JUDGE, "deliver", signed(name, "LOST" if lost else "DELIVERED"))
        self.lapse(self.town.now_ns)
        order = self.orders.get(name)
        if order is None:
            assert code == "order_not_found"
        elif not order.is_open:
            assert code == "order_settled"
        elif order.terms.carrier_key is None:
            assert code == "order_without_carrier"
        else:
            assert code == "ok"
            if lost or not order.terms.inspect_s:
                self.pay(order, 0 if lost else order.held)
            else:
                order.state, order.due = "delivered", self.town.now_ns + order.terms.inspect_s * SECOND_NS

    @rule(data=st.data(), per_mille=st.integers(0, 1000))
    def decide(self, data: st.DataObject, per_mille: int) -> None:
        """The arbiter splits."""
        name = self.pick(data, [name for name, order in self.orders.items() if order.state == "disputed"])
        order = self.orders.get(name)
        seller_minor = order.held * per_mille // 1000 if order else 0
        code, _ = self.send(JUDGE, "decide", Decide(name, seller_minor, None))
        self.lapse(self.town.now_ns)
        assert code == ("ok" if order else "order_not_found")
        if order:
            self.pay(order, seller_minor)

    @rule(data=st.data(), number=st.integers(1, 4))
    def accept(self, data: st.DataObject, number: int) -> None:
        """The buyer accepts a milestone."""
        names = [name for name, order in self.orders.items() if order.terms.milestones]
        name = self.pick(data, names)
        order = self.orders.get(name)
        code, _ = self.send(order.buyer if order else ALICE, "accept_milestone", AcceptMilestone(name, number))
        self.lapse(self.town.now_ns)
        assert code == self.accepted(order, number)

    def accepted(self, order: Order | None, number: int) -> str:
        """What the model makes of it."""
        if order is None:
            return "order_not_found"
        if not order.is_open:
            return "order_settled"
        if order.state == "disputed":
            return "order_disputed"
        if number > len(order.terms.milestones):
            return "milestone_not_found"
        if number in order.accepted:
            return "milestone_accepted"
        order.accepted.append(number)
        share_minor = order.terms.milestones[number - 1].share_minor
        self.free[order.terms.seller] += share_minor
        order.held -= share_minor
        if not order.held:
            order.state = "ended"
        return "ok"

    # ── pools ──

    @rule(who=st.sampled_from(PEOPLE), data=st.data())
    def open_pool(self, who: bytes, data: st.DataObject) -> None:
        """Offer to make something."""
        command = data.draw(pools(self.town.now_ns))
        code, body = self.send(who, "open_pool", command)
        self.lapse(self.town.now_ns)
        ladder = {
            "pool_deadline_past": command.until_ns <= self.town.now_ns,
            "pool_places_out_of_order": command.places_min > command.places_max,
        }
        assert code == next((code for code, broken in ladder.items() if broken), "ok")
        if code == "ok":
            self.pools[msgspec.msgpack.decode(body, type=PoolOpened).pool] = Pool(who, command, command.until_ns)

    @rule(who=st.sampled_from(PEOPLE), places=st.integers(1, 3), data=st.data())
    def join(self, who: bytes, places: int, data: st.DataObject) -> None:
        """Take places."""
        name = self.pick(data, list(self.pools))
        code, _ = self.send(who, "join_pool", JoinPool(name, places))
        self.lapse(self.town.now_ns)
        pool = self.pools.get(name)
        if pool is None:
            assert code == "pool_not_found"
            return
        paid_minor = pool.terms.price_minor * places
        ladder = {
            "pool_closed": pool.state != "open",
            "order_with_oneself": pool.maker == who,
            "pool_joined": who in pool.places,
            "pool_full": sum(pool.places.values()) + places > pool.terms.places_max,
            "exceeds_credits": paid_minor > self.free[who],
        }
        assert code == next((code for code, broken in ladder.items() if broken), "ok")
        if code == "ok":
            self.free[who] -= paid_minor
            pool.held += paid_minor
            pool.places[who] = places
            if sum(pool.places.values()) == pool.terms.places_max:
                self.start(pool)

    @rule(who=st.sampled_from(PEOPLE), verb=st.sampled_from(["leave_pool", "cancel_pool"]), data=st.data())
    def give_up(self, who: bytes, verb: str, data: st.DataObject) -> None:
        """Leave, or stop making."""
        name = self.pick(data, list(self.pools))
        body: Message = LeavePool(name) if verb == "leave_pool" else CancelPool(name)
        code, _ = self.send(who, verb, body)
        self.lapse(self.town.now_ns)
        pool = self.pools.get(name)
        if pool is None:
            assert code == "pool_not_found"
        elif verb == "cancel_pool":
            expected = "pool_not_making" if pool.state == "ended" else "ok" if who == pool.maker else "pool_not_yours"
            assert code == expected
            if code == "ok":
                self.finish(pool)
        else:
            expected = "pool_closed" if pool.state != "open" else "ok" if who in pool.places else "pool_not_joined"
            assert code == expected
            if code == "ok":
                paid_minor = pool.terms.price_minor * pool.places.pop(who)
                self.free[who] += paid_minor
                pool.held -= paid_minor

    @rule(who=st.sampled_from(PEOPLE), data=st.data())
    def vote(self, who: bytes, data: st.DataObject) -> None:
        """Accept the next part of a pool's work."""
        name = self.pick(data, [name for name, pool in self.pools.items() if pool.state == "making"])
        pool = self.pools.get(name)
        number = pool.done + 1 if pool else 1
        code, _ = self.send(who, "accept_pool_milestone", AcceptPoolMilestone(name, number))
        self.lapse(self.town.now_ns)
        if pool is None:
            assert code == "pool_not_found"
            return
        expected = "pool_not_joined" if who not in pool.places else "pool_vote_cast" if who in pool.votes else "ok"
        assert code == expected
        if code != "ok":
            return
        pool.votes.add(who)
        if 2 * sum(pool.places[voter] for voter in pool.votes) > sum(pool.places.values()):
            share_minor = pool.shares[pool.done]
            self.free[pool.maker] += share_minor
            pool.held -= share_minor
            pool.done, pool.votes = pool.done + 1, set()
            if pool.done == len(pool.shares):
                pool.state = "ended"

    # ── time ──

    @rule(hours=st.integers(1, 12))
    def wait(self, hours: int) -> None:
        """Hours go by."""
        self.town.wait(hours=hours)
        self.lapse(self.town.now_ns)

    @invariant()
    def agrees(self) -> None:
        """Everybody has what the model says (the product's own invariants were checked after each entry)."""
        assert {who: balance(self.town, who) for who in ANYBODY} == self.free
        held = sum(order.held for order in self.orders.values()) + sum(pool.held for pool in self.pools.values())
        assert sum(self.free.values()) + held == START_MINOR * len(ANYBODY)

    def teardown(self) -> None:
        """The whole history again, in SQLite's other order, has the same digest."""
        self.town.replay()
        self.town.close()


TestEscrow = Escrow.TestCase
TestEscrow.settings = settings(max_examples=30, stateful_step_count=25, deadline=None)
