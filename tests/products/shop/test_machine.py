"""Shops against an obvious model: what was paid, refunded, kept in fees and paid out, in plain dictionaries."""

from __future__ import annotations

from dataclasses import dataclass

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from formicary.products.shop import answers, commands
from formicary.products.shop.codes import fees_account
from formicary.products.shop.strategies import orders, payments, refunds
from formicary.testing.trial import Trial

from tests.products.shop.conftest import ALICE, BOB, CASHIER, MANAGER, OWNER, open_place
from tests.products.shop.fakes import BANK, EUR, OPERATOR, Resolve, Switch, balance, free, products, spent

REF = bytes(16)


@dataclass
class Sold:
    """One payment."""

    payer: bytes
    amount: int
    tip: int
    state: str
    order: bytes | None = None
    refunded: int = 0

    @property
    def total(self) -> int:
        """What was paid."""
        return self.amount + self.tip

    @property
    def fee(self) -> int:
        """0.10 and 1 %, rounded down, at most the amount."""
        return min(self.amount, 10 + self.amount // 100)

    @property
    def fee_back(self) -> int:
        """In proportion, rounded down."""
        return self.fee * self.refunded // self.total


class Selling(RuleBasedStateMachine):
    """Customers pay, the guard holds, the shop refunds, days end; ledger and model agree on every minor unit."""

    @initialize()
    def begin(self) -> None:
        """A shop that settles on the day after."""
        self.trial = Trial(products())
        self.place = open_place(self.trial)
        body = commands.SetSettlement(self.place.shop, 1, REF, 0)
        self.trial.ok(OWNER, "shop.set_settlement", body)
        self.sold: dict[bytes, Sold] = {}
        self.orders: dict[bytes, commands.NewOrder] = {}
        self.suspicious = False

    def paid(self, who: bytes, reply: commands.Paid, amount: int, tip: int, order: bytes | None = None) -> None:
        """Write a payment down."""
        assert reply.state == ("held" if self.suspicious else "paid")
        self.sold[reply.payment] = Sold(who, amount, tip, reply.state, order)

    @rule(who=st.sampled_from([ALICE, BOB]), data=st.data())
    def pay_at_a_till(self, who: bytes, data: st.DataObject) -> None:
        """Any amount, and a tip that may be too large."""
        body = data.draw(payments(self.place.shop, self.place.till, EUR))
        if body.tip_minor > body.amount_minor:
            assert self.trial.refused(who, "shop.pay_till", body) == "tip_too_large"
        else:
            self.paid(who, self.trial.ok(who, "shop.pay_till", body), body.amount_minor, body.tip_minor)

    @rule(data=st.data())
    def order(self, data: st.DataObject) -> None:
        """Ask for a payment."""
        body = data.draw(orders(self.place.shop, EUR, self.trial.now_ns))
        wrong = body.tip == "fixed" and body.tip_value > body.amount_minor
        if not wrong:
            self.orders[self.trial.ok(CASHIER, "shop.new_order", body).order] = body

    @precondition(lambda self: self.orders)
    @rule(who=st.sampled_from([ALICE, BOB]), data=st.data())
    def pay_an_order(self, who: bytes, data: st.DataObject) -> None:
        """With its own tip; once, unless it is for many."""
        name = data.draw(st.sampled_from(sorted(self.orders)))
        order = self.orders[name]
        tips = {"fixed": order.tip_value, "percent": order.amount_minor * order.tip_value // 10_000}
        tip = tips.get(order.tip, 0)
        states = [sold.state for sold in self.sold.values() if sold.order == name]
        body = commands.PayOrder(name, tip)
        if not order.many and "paid" in states:
            assert self.trial.refused(who, "shop.pay_order", body) == "shop_order_paid"
        elif not order.many and "held" in states:
            assert self.trial.refused(who, "shop.pay_order", body) == "shop_order_held"
        elif order.until_ns <= self.trial.now_ns + 10**9:
            assert self.trial.refused(who, "shop.pay_order", body) == "shop_order_expired"
        else:
            self.paid(who, self.trial.ok(who, "shop.pay_order", body), order.amount_minor, tip, name)

    @rule(data=st.data())
    def refund(self, data: st.DataObject) -> None:
        """Some of something; never more than was paid, and only what the shop still has."""
        body = data.draw(refunds(sorted(self.sold)))
        sold = self.sold.get(body.payment)
        if sold is None:
            expected = "sale_not_found"
        elif sold.state != "paid":
            expected = "sale_not_paid"
        elif sold.refunded + body.amount_minor > sold.total:
            expected = "refund_too_large"
        else:
            back = sold.fee * (sold.refunded + body.amount_minor) // sold.total - sold.fee_back
            expected = "" if self.place.free_minor + back >= body.amount_minor else "refund_funds_short"
        if expected:
            assert self.trial.refused(MANAGER, "shop.refund", body) == expected
        else:
            assert sold is not None
            left = self.trial.ok(MANAGER, "shop.refund", body).left_minor
            sold.refunded += body.amount_minor
            assert left == sold.total - sold.refunded

    @rule(suspicious=st.booleans())
    def switch(self, suspicious: bool) -> None:
        """The guard begins or ends to hold everything."""
        self.trial.ok(OPERATOR, "town.switch", Switch(suspicious, False))
        self.suspicious = suspicious

    @precondition(lambda self: any(sold.state == "held" for sold in self.sold.values()))
    @rule(captured=st.booleans(), data=st.data())
    def resolve(self, captured: bool, data: st.DataObject) -> None:
        """The guard lets something go, or gives it back."""
        held = sorted(name for name, sold in self.sold.items() if sold.state == "held")
        name = data.draw(st.sampled_from(held))
        self.trial.ok(OPERATOR, "town.resolve", Resolve(name, captured))
        self.sold[name].state = "paid" if captured else "returned"

    @rule(hours=st.sampled_from([1, 10, 25, 49]))
    def wait(self, hours: int) -> None:
        """Days end, and settlements come due."""
        self.trial.wait(hours=hours)

    @invariant()
    def every_minor_unit_is_somewhere(self) -> None:
        """Gross = net + fees; refunds are within; shop and bank together have the net; payers have the rest."""
        paid = [sold for sold in self.sold.values() if sold.state == "paid"]
        fees = sum(sold.fee - sold.fee_back for sold in paid)
        net = sum(sold.total - sold.fee - sold.refunded + sold.fee_back for sold in paid)
        assert free(self.trial, fees_account(EUR)) == fees
        assert self.place.free_minor + free(self.trial, BANK) == net
        for who in (ALICE, BOB):
            mine = [sold for sold in self.sold.values() if sold.payer == who and sold.state != "returned"]
            out = sum(sold.total - sold.refunded for sold in mine)
            assert (balance(self.trial, who), spent(self.trial, who)) == (100_000 - out, out)

    def teardown(self) -> None:
        """The export adds up, and a second machine agrees."""
        asked = answers.AskExport(shop=self.place.shop, limit=1000)
        lines = self.trial.ask("shop.export", OWNER, asked).items
        assert sum(line.net_minor for line in lines) == self.place.free_minor + free(self.trial, BANK)
        self.trial.replay()
        self.trial.close()


TestSelling = Selling.TestCase
TestSelling.settings = settings(max_examples=20, stateful_step_count=25, deadline=None)
