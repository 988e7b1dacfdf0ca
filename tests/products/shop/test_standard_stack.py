"""Shops with the real purses, guard, activity list and bank: the offers fit, and few statements are run."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import pytest

from formicary.kernel.objects import Account, Transfer
from formicary.machine.context import Context
from formicary.machine.fence import FencedRows
from formicary.products.anatomy import Asset, CommandType, Message, Minor, Product
from formicary.products.bank.commands import LinkAccount
from formicary.products.guard.commands import Recall
from formicary.products.shop import commands
from formicary.products.wallet.commands import Open, SetTier
from formicary.products.wallet.offers import Purses
from formicary.stack import standard_products
from formicary.testing.trial import Trial, person

EUR: Final = 978
WORLD: Final = 99
OWNER, ALICE = person("owner"), person("alice")
DOOR, NODE = b"door", b"node"


class Mint(Message, frozen=True):
    """Money from nowhere for the signer."""

    asset: Asset
    amount_minor: Minor


def _mint(context: Context, command: Mint) -> None:
    purse = Purses().purse(context, context.signer, command.asset)
    assert purse is not None
    context.transfer(
        Transfer(
            id=context.new_id("mint"), debit=WORLD, credit=purse, amount=command.amount_minor, asset=EUR, code=9
        )
    )  # fmt: skip


def _begin(context: Context, _genesis: object) -> None:
    context.open_account(Account(id=WORLD, asset=EUR, code=9))


@pytest.fixture
def trial() -> Iterator[Trial]:
    """The standard products, and a mint."""
    mint = Product(name="mint", commands=(CommandType(name="mint", body=Mint, handler=_mint),), on_genesis=_begin)
    made = Trial([*standard_products(), mint])
    for who in (OWNER, ALICE):
        made.ok(who, "wallet.open", Open((EUR,), None))
        made.ok(NODE, "wallet.set_tier", SetTier(who, 2))
    made.ok(ALICE, "mint.mint", Mint(EUR, 5_000_000))
    yield made
    made.replay()
    made.close()


def shop_with_till(trial: Trial) -> tuple[bytes, bytes]:
    """A shop and its till."""
    shop = trial.ok(OWNER, "shop.register", commands.Register(EUR, "FR", 5812, None)).shop
    return shop, trial.ok(OWNER, "shop.add_till", commands.AddTill(shop, None, "ask")).till


def test_paying_a_shop_is_light(trial: Trial, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the shop's own: two reads and one insert for a till, and one change more for an order."""
    shop, till = shop_with_till(trial)
    trial.ok(NODE, "shop.set_tariff", commands.SetTariff("standard", EUR, 10, 1000, 0))
    seen: list[str] = []
    judged = FencedRows._judge

    def count(rows: FencedRows, sql: str, values: Any, verbs: Any) -> None:
        seen.append(" ".join(sql.split())[:40])
        judged(rows, sql, values, verbs)

    trial._check = False
    monkeypatch.setattr(FencedRows, "_judge", count)
    trial.ok(ALICE, "shop.pay_till", commands.PayTill(shop, till, EUR, 700, 0))
    own = [sql for sql in seen if "shop_" in sql or "t.shop" in sql or "fixed_minor" in sql]
    assert len(own) == 3, own
    whole = len(seen)
    seen.clear()
    until = trial.now_ns + 3600 * 10**9
    order = commands.NewOrder(shop, None, EUR, 700, "none", 0, "", until, False, False)
    name = trial.ok(OWNER, "shop.new_order", order).order
    seen.clear()
    trial.ok(ALICE, "shop.pay_order", commands.PayOrder(name, 0))
    assert len(seen) <= whole + 2, seen
    assert whole <= 14, "a payment stays light: twelve statements of all products together"


def test_what_the_real_guard_holds_is_recalled(trial: Trial) -> None:
    """More than its velocity rule lets through in an hour: held, recalled, and the money is whole."""
    shop, till = shop_with_till(trial)
    body = commands.PayTill(shop, till, EUR, 2_100_000, 0)
    paid = trial.ok(ALICE, "shop.pay_till", body)
    assert (paid.state, paid.reasons) == ("held", ("velocity",))
    trial.ok(ALICE, "guard.recall", Recall(paid.payment))
    assert [event.how for event in trial.happened("shop.sale_resolved")] == ["recalled"]
    again = trial.ok(ALICE, "shop.pay_till", body)
    trial.wait(hours=25)
    assert [event.how for event in trial.happened("shop.sale_resolved")] == ["recalled", "paid"]
    trial.ok(OWNER, "shop.refund", commands.Refund(again.payment, 2_100_000, "mistake"))
    purse = trial.view("wallet").account(Purses().purse(trial.view("wallet"), ALICE, EUR) or 0)
    assert purse is not None
    assert purse.credits_posted - purse.debits_posted == 5_000_000


def test_a_shops_day_goes_to_its_owners_bank(trial: Trial) -> None:
    """T+1 through the real rail: linked by the owner, on its way the day after, and nothing stays behind."""
    shop, till = shop_with_till(trial)
    ref = bytes(15) + b"r"
    where = commands.SetSettlement(shop, 1, ref, 0)
    assert trial.refused(OWNER, "shop.set_settlement", where) == "settlement_not_linked"
    trial.ok(OWNER, "bank.link_account", LinkAccount(ref, bytes(16), bytes(32)))
    trial.ok(OWNER, "shop.set_settlement", where)
    trial.ok(ALICE, "shop.pay_till", commands.PayTill(shop, till, EUR, 700, 50))
    trial.wait(days=2)
    assert [(event.paid_minor, event.short_minor) for event in trial.happened("shop.shop_settled")] == [(750, 0)]
    assert [event.amount_minor for event in trial.happened("bank.withdrawal_asked")] == [750]
