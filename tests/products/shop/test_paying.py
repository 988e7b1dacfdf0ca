"""Paying a shop: orders, links, static tills, one-use codes, tips, fees, and what the guard holds."""

from __future__ import annotations

import pytest

from formicary.products.shop import answers, commands
from formicary.products.shop.codes import fee_back_of, fee_of, tip_of

from tests.products.shop.conftest import ALICE, BOB, CASHIER, MANAGER, OWNER, Place
from tests.products.shop.fakes import EUR, OPERATOR, Resolve, Switch, balance, booked, spent

CODE = bytes(range(32))


@pytest.mark.parametrize(
    ("amount", "fixed", "rate", "fee"),
    [
        (1000, 10, 1000, 20),
        (999, 10, 1000, 19),
        (1, 0, 1000, 0),
        (5, 10, 0, 5),
        (100, 0, 10_000, 10),
        (99, 0, 10_000, 9),
    ],
)
def test_a_fee_is_rounded_down_and_never_above_the_amount(amount: int, fixed: int, rate: int, fee: int) -> None:
    """Fixed and rate; the shop has the fraction."""
    assert fee_of(amount, fixed_minor=fixed, rate_per_100000=rate) == fee


def test_a_fee_comes_back_in_proportion_and_whole_at_last() -> None:
    """Three refunds of a third: the roundings add up to the fee."""
    backs = [fee_back_of(20, refunded_minor=refunded, paid_minor=999) for refunded in (333, 666, 999)]
    assert backs == [6, 13, 20]


def test_tips_of_an_order() -> None:
    """Fixed is as it says, per cent is rounded down, the others add nothing by themselves."""
    assert [tip_of(*each, 999) for each in (("fixed", 50), ("percent", 1000), ("ask", 0), ("none", 0))] == [
        50,
        99,
        0,
        0,
    ]


def test_an_order_is_paid_once_with_its_fee(place: Place) -> None:
    """10.00 at 0.10 + 1 %: 9.80 for the shop; the second payer is refused, and so is the first again."""
    order = place.order()
    paid = place.trial.ok(ALICE, "shop.pay_order", commands.PayOrder(order, 0))
    assert (paid.state, paid.reasons, paid.exit_until_ns) == ("paid", (), None)
    assert (balance(place.trial, ALICE), place.free_minor, spent(place.trial, ALICE)) == (99_000, 980, 1000)
    assert booked(place.trial, paid.payment) == ("shop", "paid")
    for who in (ALICE, BOB):
        assert place.trial.refused(who, "shop.pay_order", commands.PayOrder(order, 0)) == "shop_order_paid"
    shown = place.trial.ask("shop.order", b"", answers.AskOrder(order=order))
    assert (shown.state, shown.payment) == ("paid", None)
    assert place.trial.ask("shop.order", ALICE, answers.AskOrder(order=order)).payment == paid.payment
    made = place.trial.happened("shop.sale_made")[-1]
    assert (made.payment, made.fee_minor, made.number) == (paid.payment, 20, "A-1")


def test_a_link_is_paid_by_many(place: Place) -> None:
    """A payment link stays open until its time is over or the shop takes it back."""
    order = place.order(many=True)
    for who in (ALICE, BOB, ALICE):
        place.trial.ok(who, "shop.pay_order", commands.PayOrder(order, 0))
    assert place.free_minor == 3 * 980
    place.trial.ok(CASHIER, "shop.withdraw_order", commands.WithdrawOrder(order))
    assert place.trial.refused(BOB, "shop.pay_order", commands.PayOrder(order, 0)) == "shop_order_withdrawn"


def test_an_order_ends(place: Place) -> None:
    """An hour later it is expired, in lists too."""
    order = place.order()
    place.trial.wait(hours=1)
    assert place.trial.refused(ALICE, "shop.pay_order", commands.PayOrder(order, 0)) == "shop_order_expired"
    newer = place.order()
    for state, expected in (("expired", [order]), ("open", [newer]), ("", [newer, order]), ("paid", [])):
        listed = place.trial.ask("shop.orders", CASHIER, answers.AskOrders(shop=place.shop, state=state))
        assert [item.order for item in listed.items] == expected


def test_lists_go_on_where_they_stopped(place: Place) -> None:
    """A page of two, then the rest."""
    orders = [place.order() for _ in range(5)]
    found: list[bytes] = []
    after = ""
    for _ in range(3):
        page = place.trial.ask("shop.orders", CASHIER, answers.AskOrders(shop=place.shop, after=after, limit=2))
        found += [item.order for item in page.items]
        after = page.next
    assert (found, after) == (orders[::-1], "")


@pytest.mark.parametrize(
    ("tip", "value", "given", "code"),
    [
        ("none", 0, 1, "tip_differs"),
        ("ask", 0, 1001, "tip_too_large"),
        ("fixed", 50, 49, "tip_differs"),
        ("percent", 1000, 99, "tip_differs"),
        ("none", 0, 0, ""),
        ("ask", 0, 1000, ""),
        ("fixed", 50, 50, ""),
        ("percent", 1000, 100, ""),
    ],
)
def test_tips_are_what_the_order_says(place: Place, tip: str, value: int, given: int, code: str) -> None:
    """A tip goes to the shop whole: the fee is of the amount."""
    body = commands.PayOrder(place.order(tip=tip, tip_value=value), given)
    if code:
        assert place.trial.refused(ALICE, "shop.pay_order", body) == code
    else:
        place.trial.ok(ALICE, "shop.pay_order", body)
        assert place.free_minor == 980 + given


def test_orders_that_make_no_sense_are_refused(place: Place) -> None:
    """Each with its own code."""
    now = place.trial.now_ns
    base = (place.shop, None, EUR, 1000)
    for body, code in (
        (commands.NewOrder(*base, "percent", 0, "", now + 10**12, False, False), "tip_not_valid"),
        (commands.NewOrder(*base, "ask", 5, "", now + 10**12, False, False), "tip_not_valid"),
        (commands.NewOrder(*base, "none", 0, "", now, False, False), "shop_order_past"),
        (commands.NewOrder(*base, "none", 0, "", now + 400 * 86_400 * 10**9, False, False), "shop_order_past"),
        (commands.NewOrder(*base, "none", 0, "", now + 10**12, True, True), "shop_order_many_with_exit"),
        (commands.NewOrder(place.shop, bytes(16), EUR, 1, "none", 0, "", now + 10**12, False, False), "till_not_found"),
        (
            commands.NewOrder(place.shop, None, 840, 1, "none", 0, "", now + 10**12, False, False),
            "shop_currency_not_open",
        ),
        (commands.NewOrder(bytes(16), None, EUR, 1, "none", 0, "", now + 10**12, False, False), "shop_not_found"),
    ):
        assert place.trial.refused(CASHIER, "shop.new_order", body) == code
    body = commands.NewOrder(*base, "none", 0, "", now + 10**12, False, False)
    assert place.trial.refused(ALICE, "shop.new_order", body) == "shop_not_yours"


def test_a_static_till_takes_any_amount(place: Place) -> None:
    """With a tip up to the amount; a till that is out of use takes nothing."""
    place.pay(ALICE, 500, 50)
    assert place.free_minor == 500 + 50 - 15
    till = commands.PayTill(place.shop, place.till, EUR, 100, 101)
    assert place.trial.refused(ALICE, "shop.pay_till", till) == "tip_too_large"
    elsewhere = commands.PayTill(bytes(16), place.till, EUR, 100, 0)
    assert place.trial.refused(ALICE, "shop.pay_till", elsewhere) == "shop_not_found"
    dollars = commands.PayTill(place.shop, place.till, 840, 100, 0)
    assert place.trial.refused(ALICE, "shop.pay_till", dollars) == "shop_currency_not_open"
    too_much = commands.PayTill(place.shop, place.till, EUR, 100_000, 0)
    assert place.trial.refused(ALICE, "shop.pay_till", too_much) == "exceeds_credits"
    place.trial.ok(MANAGER, "shop.remove_till", commands.RemoveTill(place.shop, place.till))
    again = commands.PayTill(place.shop, place.till, EUR, 100, 0)
    assert place.trial.refused(ALICE, "shop.pay_till", again) == "till_removed"


def test_a_payers_code_is_taken_once_and_in_time(place: Place) -> None:
    """Replayed: refused. Late: refused. A refused charge does not use the code up."""
    until = place.trial.now_ns + 60 * 10**9
    body = commands.Charge(place.shop, place.till, ALICE, CODE, until, EUR, 700, "R-7")
    too_much = commands.Charge(place.shop, place.till, ALICE, CODE, until, EUR, 700_000, "R-7")
    assert place.trial.refused(CASHIER, "shop.charge", too_much) == "exceeds_credits"
    assert place.trial.refused(BOB, "shop.charge", body) == "shop_not_yours"
    assert place.trial.ok(CASHIER, "shop.charge", body).state == "paid"
    assert place.trial.refused(CASHIER, "shop.charge", body) == "code_used"
    place.trial.wait(minutes=2)
    assert place.trial.refused(CASHIER, "shop.charge", body) == "code_expired"
    newer = place.trial.now_ns + 60 * 10**9
    by_key = commands.Charge(place.shop, None, ALICE, CODE[::-1], newer, EUR, 700, "R-8")
    assert place.trial.ok(place.shop, "shop.charge", by_key).state == "paid"
    kept = place.trial.view("shop").rows.one("SELECT count(*) FROM shop_codes ORDER BY 1")
    assert kept == (1,), "codes whose time is over are forgotten"


def test_what_the_guard_holds_is_the_shops_only_when_let_go(place: Place) -> None:
    """Held: no money, no fee, no exit, no refund. Let go: all of it, and the sale counts from then on."""
    order = place.order(exit=True)
    place.trial.ok(OPERATOR, "town.switch", Switch(True, False))
    paid = place.trial.ok(ALICE, "shop.pay_order", commands.PayOrder(order, 0))
    assert (paid.state, paid.reasons, paid.exit_until_ns) == ("held", ("new_payee",), None)
    assert (balance(place.trial, ALICE), place.free_minor) == (99_000, 0)
    assert place.trial.refused(BOB, "shop.pay_order", commands.PayOrder(order, 0)) == "shop_order_held"
    refund = commands.Refund(paid.payment, 1, "mistake")
    assert place.trial.refused(MANAGER, "shop.refund", refund) == "sale_not_paid"
    assert place.trial.refused(ALICE, "shop.take_exit", commands.TakeExit(order, CODE)) == "exit_not_offered"
    place.trial.wait(hours=24)
    place.trial.ok(OPERATOR, "town.resolve", Resolve(paid.payment, True))
    assert (place.free_minor, booked(place.trial, paid.payment)) == (980, ("shop", "paid"))
    sale = place.trial.ask("shop.sale", ALICE, answers.AskSale(payment=paid.payment)).sale
    assert (sale.state, sale.at_ns) == ("paid", place.trial.now_ns)
    place.trial.ok(ALICE, "shop.take_exit", commands.TakeExit(order, CODE))


def test_a_recalled_payment_opens_its_order_again(place: Place) -> None:
    """The money is the payer's, nothing counts as spent, and somebody else can pay."""
    order = place.order()
    place.trial.ok(OPERATOR, "town.switch", Switch(True, False))
    paid = place.trial.ok(ALICE, "shop.pay_order", commands.PayOrder(order, 0))
    place.trial.ok(OPERATOR, "town.resolve", Resolve(paid.payment, False))
    assert (balance(place.trial, ALICE), spent(place.trial, ALICE), place.free_minor) == (100_000, 0, 0)
    assert booked(place.trial, paid.payment) == ("shop", "returned")
    place.trial.ok(OPERATOR, "town.switch", Switch(False, False))
    place.trial.ok(BOB, "shop.pay_order", commands.PayOrder(order, 0))
    assert [event.how for event in place.trial.happened("shop.sale_resolved")] == ["recalled"]


def test_a_closed_shop_takes_nothing(place: Place) -> None:
    """Its owner closes it; only an operator opens it again."""
    order = place.order()
    close = commands.SetShopState(place.shop, "closed")
    assert place.trial.refused(MANAGER, "shop.set_shop_state", close) == "shop_not_yours"
    place.trial.ok(OWNER, "shop.set_shop_state", close)
    assert place.trial.refused(ALICE, "shop.pay_order", commands.PayOrder(order, 0)) == "shop_not_open"
    reopen = commands.SetShopState(place.shop, "open")
    assert place.trial.refused(OWNER, "shop.set_shop_state", reopen) == "shop_closed_for_good"
    place.trial.ok(OPERATOR, "shop.set_shop_state", reopen)
    place.trial.ok(ALICE, "shop.pay_order", commands.PayOrder(order, 0))
