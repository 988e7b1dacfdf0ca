"""Refunds: partial, repeated, never more than was paid, and the fee comes back in proportion."""

from __future__ import annotations

from formicary.products.shop import answers, commands
from formicary.products.shop.codes import fees_account

from tests.products.shop.conftest import ALICE, CASHIER, MANAGER, OWNER, Place
from tests.products.shop.fakes import EUR, balance, booked, free, spent


def test_a_payment_is_given_back_in_parts(place: Place) -> None:
    """Three parts of 10.00: after the last all is as before, fee and limits too; a cent more is refused."""
    paid = place.pay(ALICE, 900, 100)
    fees = fees_account(EUR)
    assert (place.free_minor, free(place.trial, fees)) == (1000 - 19, 19)
    left = [
        place.trial.ok(MANAGER, "shop.refund", commands.Refund(paid.payment, amount, "returned")).left_minor
        for amount in (333, 333, 334)
    ]
    assert left == [667, 334, 0]
    assert place.trial.refused(MANAGER, "shop.refund", commands.Refund(paid.payment, 1, "other")) == "refund_too_large"
    assert (balance(place.trial, ALICE), spent(place.trial, ALICE)) == (100_000, 0)
    assert (place.free_minor, free(place.trial, fees)) == (0, 0)
    assert booked(place.trial, paid.payment) == ("shop", "refunded")
    card = place.trial.ask("shop.sale", ALICE, answers.AskSale(payment=paid.payment))
    assert [line.fee_back_minor for line in card.refunds] == [6, 6, 7]
    assert (card.left_minor, len(place.trial.happened("shop.refund_received"))) == (0, 3)


def test_who_may_refund_and_what(place: Place) -> None:
    """A manager, or the shop's key; a cashier may not; nobody refunds what is not there."""
    paid = place.pay(ALICE, 500)
    one = commands.Refund(paid.payment, 100, "damaged")
    assert place.trial.refused(CASHIER, "shop.refund", one) == "shop_not_yours"
    assert place.trial.refused(ALICE, "shop.refund", one) == "shop_not_yours"
    assert place.trial.refused(MANAGER, "shop.refund", commands.Refund(bytes(16), 1, "other")) == "sale_not_found"
    place.trial.ok(place.shop, "shop.refund", one)
    place.trial.ok(OWNER, "shop.refund", commands.Refund(paid.payment, 400, "mistake"))


def test_a_shop_whose_money_is_gone_can_not_refund(place: Place) -> None:
    """What is at the bank already is not here."""
    paid = place.pay(ALICE, 500)
    place.trial.ok(OWNER, "shop.set_settlement", commands.SetSettlement(place.shop, 0, bytes(16), 0))
    place.trial.wait(hours=24)
    assert place.free_minor == 0
    body = commands.Refund(paid.payment, 500, "returned")
    assert place.trial.refused(MANAGER, "shop.refund", body) == "refund_funds_short"
