"""A shop with an owner, a manager, a cashier, a till, a tariff of 0.10 and 1 %, and two customers with money."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from formicary.products.shop import commands
from formicary.testing.trial import Trial, person

from tests.products.shop.fakes import EUR, OPERATOR, Fund, free, products

OWNER, MANAGER, CASHIER = person("owner"), person("manager"), person("cashier")
ALICE, BOB = person("alice"), person("bob")


@dataclass
class Place:
    """One shop."""

    trial: Trial
    shop: bytes
    account: int
    till: bytes

    def order(self, amount_minor: int = 1000, *, minutes: int = 60, **changed: object) -> bytes:
        """Make an order as the cashier."""
        fields = {
            "shop": self.shop, "till": None, "asset": EUR, "amount_minor": amount_minor, "tip": "none", "tip_value": 0,
            "number": "A-1", "until_ns": self.trial.now_ns + minutes * 60 * 10**9, "many": False, "exit": False,
        }  # fmt: skip
        made = self.trial.ok(CASHIER, "shop.new_order", commands.NewOrder(**{**fields, **changed}))
        return bytes(made.order)

    def pay(self, who: bytes, amount_minor: int, tip_minor: int = 0) -> commands.Paid:
        """Pay at the till."""
        body = commands.PayTill(self.shop, self.till, EUR, amount_minor, tip_minor)
        paid = self.trial.ok(who, "shop.pay_till", body)
        assert isinstance(paid, commands.Paid)
        return paid

    @property
    def free_minor(self) -> int:
        """The shop's own free money."""
        return free(self.trial, self.account)


def open_place(trial: Trial) -> Place:
    """Found the shop."""
    for who in (OWNER, MANAGER, CASHIER, ALICE, BOB):
        trial.ok(who, "town.fund", Fund(EUR, 100_000))
    trial.ok(OPERATOR, "shop.set_tariff", commands.SetTariff("standard", EUR, 10, 1000, 0))
    made = trial.ok(OWNER, "shop.register", commands.Register(EUR, "FR", 5812, None))
    trial.ok(OWNER, "shop.add_staff", commands.AddStaff(made.shop, MANAGER, "manager"))
    trial.ok(MANAGER, "shop.add_staff", commands.AddStaff(made.shop, CASHIER, "cashier"))
    till = trial.ok(MANAGER, "shop.add_till", commands.AddTill(made.shop, None, "ask")).till
    return Place(trial, made.shop, int.from_bytes(made.account, "big"), till)


@pytest.fixture
def place() -> Iterator[Place]:
    """A shop that is open; at the end a second machine agrees on all that happened."""
    trial = Trial(products())
    yield open_place(trial)
    trial.replay()
    trial.close()
