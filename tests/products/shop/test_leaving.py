"""Story 8: scan goods, pay, leave with a one-use token; and a hotel by one consent."""

from __future__ import annotations

import pytest

from formicary.products.shop import answers, commands

from tests.products.shop.conftest import ALICE, BOB, CASHIER, MANAGER, OWNER, Place
from tests.products.shop.fakes import EUR, OPERATOR, Resolve, Switch, balance, spent

TOKEN, OTHER = bytes(32), bytes(31) + b"x"
HOUR = 3600 * 10**9


def test_a_token_opens_the_gate_once(place: Place) -> None:
    """Taken by who paid, used at this shop, and gone."""
    order = place.order(exit=True)
    paid = place.trial.ok(ALICE, "shop.pay_order", commands.PayOrder(order, 0))
    assert paid.exit_until_ns == place.trial.now_ns + 300 * 10**9
    assert place.trial.refused(BOB, "shop.take_exit", commands.TakeExit(order, TOKEN)) == "exit_not_yours"
    taken = place.trial.ok(ALICE, "shop.take_exit", commands.TakeExit(order, TOKEN))
    assert taken.until_ns == paid.exit_until_ns
    assert place.trial.ask("shop.order", ALICE, answers.AskOrder(order=order)).exit_until_ns == taken.until_ns
    assert place.trial.refused(BOB, "shop.use_exit", commands.UseExit(place.shop, TOKEN)) == "shop_not_yours"
    used = place.trial.ok(place.shop, "shop.use_exit", commands.UseExit(place.shop, TOKEN))
    assert used.order == order
    assert place.trial.refused(CASHIER, "shop.use_exit", commands.UseExit(place.shop, TOKEN)) == "exit_used"
    assert place.trial.refused(ALICE, "shop.take_exit", commands.TakeExit(order, OTHER)) == "exit_used"


def test_a_newer_token_replaces_the_older(place: Place) -> None:
    """A phone that lost its token takes another; one of both opens."""
    order = place.order(exit=True)
    place.trial.ok(ALICE, "shop.pay_order", commands.PayOrder(order, 0))
    place.trial.ok(ALICE, "shop.take_exit", commands.TakeExit(order, TOKEN))
    place.trial.ok(ALICE, "shop.take_exit", commands.TakeExit(order, OTHER))
    assert place.trial.refused(ALICE, "shop.take_exit", commands.TakeExit(order, TOKEN)) == "exit_replaced"
    assert place.trial.refused(CASHIER, "shop.use_exit", commands.UseExit(place.shop, TOKEN)) == "exit_replaced"
    place.trial.ok(CASHIER, "shop.use_exit", commands.UseExit(place.shop, OTHER))


def test_five_minutes_and_no_longer(place: Place) -> None:
    """Too late to take, too late to use; unknown elsewhere; not offered without asking."""
    order = place.order(exit=True)
    place.trial.ok(ALICE, "shop.pay_order", commands.PayOrder(order, 0))
    place.trial.ok(ALICE, "shop.take_exit", commands.TakeExit(order, TOKEN))
    assert place.trial.refused(CASHIER, "shop.use_exit", commands.UseExit(place.shop, OTHER)) == "exit_not_found"
    place.trial.wait(minutes=5)
    assert place.trial.refused(CASHIER, "shop.use_exit", commands.UseExit(place.shop, TOKEN)) == "exit_expired"
    assert place.trial.refused(ALICE, "shop.take_exit", commands.TakeExit(order, OTHER)) == "exit_late"
    plain = place.order()
    place.trial.ok(ALICE, "shop.pay_order", commands.PayOrder(plain, 0))
    assert place.trial.refused(ALICE, "shop.take_exit", commands.TakeExit(plain, OTHER)) == "exit_not_offered"


def test_nobody_leaves_with_what_was_given_back(place: Place) -> None:
    """A whole refund closes the gate."""
    order = place.order(exit=True)
    paid = place.trial.ok(ALICE, "shop.pay_order", commands.PayOrder(order, 0))
    place.trial.ok(ALICE, "shop.take_exit", commands.TakeExit(order, TOKEN))
    place.trial.ok(MANAGER, "shop.refund", commands.Refund(paid.payment, 1000, "returned"))
    assert place.trial.refused(CASHIER, "shop.use_exit", commands.UseExit(place.shop, TOKEN)) == "exit_refunded"


# ── the hotel ───────────────────────────────────────────────────────────────────────────────────────────────────────


def offer(place: Place, deposit: int = 20_000, hours: int = 24) -> bytes:
    """Offer a stay."""
    body = commands.OfferStay(place.shop, EUR, deposit, place.trial.now_ns + hours * HOUR)
    return bytes(place.trial.ok(CASHIER, "shop.offer_stay", body).stay)


def test_one_consent_gives_check_in_deposit_key_and_folio(place: Place) -> None:
    """The deposit is held, the key opens, the folio is paid from it, and the rest is free at once."""
    stay = offer(place)
    checked = place.trial.ok(ALICE, "shop.check_in", commands.CheckIn(stay, TOKEN))
    assert (balance(place.trial, ALICE), place.free_minor, spent(place.trial, ALICE)) == (80_000, 0, 20_000)
    place.trial.ok(CASHIER, "shop.use_key", commands.UseKey(stay, TOKEN))
    assert place.trial.refused(CASHIER, "shop.use_key", commands.UseKey(stay, OTHER)) == "stay_key_wrong"
    assert place.trial.refused(BOB, "shop.check_in", commands.CheckIn(stay, OTHER)) == "stay_not_offered"
    for amount in (4_000, 6_000):
        place.trial.ok(CASHIER, "shop.charge_folio", commands.ChargeFolio(stay, amount, bytes(16)))
    above = commands.ChargeFolio(stay, 10_001, bytes(16))
    assert place.trial.refused(CASHIER, "shop.charge_folio", above) == "stay_deposit_short"
    shown = place.trial.ask("shop.stay", ALICE, answers.AskStay(stay=stay))
    assert ([line.amount_minor for line in shown.folio], shown.folio_minor) == ([4_000, 6_000], 10_000)
    assert place.trial.ask("shop.stay", BOB, answers.AskStay(stay=stay)).folio == ()
    assert place.trial.refused(BOB, "shop.check_out", commands.CheckOut(stay)) == "stay_not_yours"
    out = place.trial.ok(ALICE, "shop.check_out", commands.CheckOut(stay))
    assert (out.paid_minor, out.released_minor) == (10_000, 10_000)
    assert (balance(place.trial, ALICE), place.free_minor, spent(place.trial, ALICE)) == (90_000, 9_890, 10_000)
    assert place.trial.refused(CASHIER, "shop.use_key", commands.UseKey(stay, TOKEN)) == "stay_not_in_house"
    assert checked.hold != out.payment
    place.trial.ok(MANAGER, "shop.refund", commands.Refund(out.payment, 10_000, "goodwill"))


def test_a_stay_ends_by_itself(place: Place) -> None:
    """Nobody checks out: at its end the folio is paid; an empty one frees the deposit."""
    first, second = offer(place), offer(place, 5_000)
    place.trial.ok(ALICE, "shop.check_in", commands.CheckIn(first, TOKEN))
    place.trial.ok(BOB, "shop.check_in", commands.CheckIn(second, OTHER))
    place.trial.ok(CASHIER, "shop.charge_folio", commands.ChargeFolio(first, 300, bytes(16)))
    place.trial.wait(hours=25)
    assert (balance(place.trial, ALICE), balance(place.trial, BOB)) == (99_700, 100_000)
    assert [event.payment is None for event in place.trial.happened("shop.guest_checked_out")] == [False, True]
    listed = place.trial.ask("shop.stays", CASHIER, answers.AskStays(shop=place.shop)).items
    assert [item.state for item in listed] == ["ended", "ended"]
    assert [item.stay for item in place.trial.ask("shop.stays", BOB, answers.AskStays()).items] == [second]


def test_a_stay_that_nobody_wants(place: Place) -> None:
    """Taken back, or over; and a folio needs a guest."""
    stay, other = offer(place), offer(place, hours=1)
    charge = commands.ChargeFolio(stay, 1, bytes(16))
    assert place.trial.refused(CASHIER, "shop.charge_folio", charge) == "stay_not_in_house"
    place.trial.ok(CASHIER, "shop.withdraw_stay", commands.WithdrawStay(stay))
    assert place.trial.refused(ALICE, "shop.check_in", commands.CheckIn(stay, TOKEN)) == "stay_not_offered"
    place.trial.wait(hours=1)
    assert place.trial.refused(ALICE, "shop.check_in", commands.CheckIn(other, TOKEN)) == "stay_expired"
    assert place.trial.ask("shop.stay", b"", answers.AskStay(stay=other)).state == "expired"


@pytest.mark.parametrize("captured", [True, False])
def test_the_guard_looks_at_a_folio_when_it_is_paid(place: Place, captured: bool) -> None:
    """What it holds is the folio alone; the rest of the deposit is free; recalled, the folio is the guest's again."""
    stay = offer(place)
    place.trial.ok(ALICE, "shop.check_in", commands.CheckIn(stay, TOKEN))
    place.trial.ok(CASHIER, "shop.charge_folio", commands.ChargeFolio(stay, 7_000, bytes(16)))
    place.trial.ok(OPERATOR, "town.switch", Switch(True, False))
    out = place.trial.ok(OWNER, "shop.check_out", commands.CheckOut(stay))
    assert (balance(place.trial, ALICE), place.free_minor) == (93_000, 0)
    place.trial.ok(OPERATOR, "town.resolve", Resolve(out.payment, captured))
    expected = (93_000, 7_000 - 80, 7_000) if captured else (100_000, 0, 0)
    assert (balance(place.trial, ALICE), place.free_minor, spent(place.trial, ALICE)) == expected
