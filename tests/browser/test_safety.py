"""What keeps people safe, by their own hands: freezing, taking back a held payment, disputing an order."""

from __future__ import annotations

import pytest

from formicary.testing.town_process import TownProcess
from formicary.town.people import PIN

from tests.browser.conftest import CONFIRM_S, Visitors, settled
from tests.browser.visitor import DESK, Visitor

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def test_freezing_and_unfreezing(visitors: Visitors) -> None:
    """One press freezes the wallet; to open it again takes the passkey."""
    visitor = visitors()
    visitor.sign_up("Frieda Ost", "frieda.ost")
    page = visitor.open("wallet", "/safety")
    visitor.press("safety.freeze")
    visitor.press("safety.freeze_now")
    visitor.sees(visitor.say("safety.frozen_text"))
    visitor.open("wallet", "/")
    visitor.sees(visitor.say("safety.frozen"))

    page.wait_for_timeout(1000 * int(CONFIRM_S))
    visitor.awaited.add((403, "/v1/wallet/unfreeze"))
    visitor.open("wallet", "/safety")
    visitor.press("safety.unfreeze")
    visitor.press("confirm.passkey")
    visitor.sees(visitor.say("safety.unfrozen"))
    visitor.sees(visitor.say("safety.well"))


def pay_a_fee(visitor: Visitor, alias: str, amount: str) -> None:
    """Pay somebody "a fee, to receive money", as in the oldest trick there is."""
    visitor.open("wallet", f"/send/@{alias}")
    visitor.field("send.amount").fill(amount)
    visitor.choose("purposes.fee_for_money")
    visitor.press("common.next")
    visitor.press("send.pay")
    visitor.sees(visitor.say("held.title"))


def test_a_held_payment_says_why_and_comes_back(visitors: Visitors, town: TownProcess) -> None:
    """A doubtful payment is held with its reasons in words, and taking it back works at once."""
    person = settled(town, "Greta Moll", 300_00)
    visitor = visitors()
    visitor.enter(person)
    pay_a_fee(visitor, "kofi", "250")
    reasons = person.get("/v1/guard/holds")["items"][0]["reasons"]
    assert "advance_fee" in {reason["name"] for reason in reasons}
    for reason in reasons:
        visitor.sees(visitor.say(f"reasons.{reason['name']}.title"))
        visitor.sees(visitor.say(f"reasons.{reason['name']}.text"))
    assert person.money()["available_minor"] == 50_00

    visitor.open("wallet", "/safety")
    visitor.page.get_by_role("link", name="Kofi Mensah").click()
    visitor.press("held.recall")
    visitor.sees(visitor.say("held.recalled"))
    visitor.sees(visitor.say("states.returned"))
    assert person.money()["available_minor"] == 300_00


def test_disputing_an_order(visitors: Visitors, town: TownProcess) -> None:
    """Money waits in between; the buyer disputes what came, and the arbiter splits it."""
    person = settled(town, "Ida Stern", 90_00)
    buyer = visitors()
    buyer.enter(person)
    buyer.open("wallet", "/buy/@booknook")
    buyer.field("buy.what").fill("An atlas of 1911")
    buyer.field("buy.price").fill("40")
    buyer.press("buy.fund")
    buyer.sees(buyer.say("orders.held_safe"))
    order = person.get("/v1/escrow/orders", role="buyer")["items"][0]["order"]
    town.enter("emil").done("/v1/escrow/ship", order=order, tracking=None)
    buyer.sees(buyer.say("order_states.shipped"))

    buyer.press("orders.dispute")
    dialog = buyer.page.get_by_role("dialog")
    buyer.choose("dispute_reasons.not_as_described")
    buyer.field("orders.evidence").fill("It is the edition of 1951.")
    dialog.get_by_role("button", name=buyer.say("orders.dispute"), exact=True).click()
    buyer.sees(buyer.say("order_states.disputed"))

    arbiter = visitors(size=DESK)
    arbiter.enter("olivia")
    arbiter.open("operator", f"/dispute/{order}")
    arbiter.sees("It is the edition of 1951.")
    arbiter.page.get_by_label(arbiter.say("disputes.seller_gets")).last.fill("10")
    arbiter.page.wait_for_timeout(1000 * int(CONFIRM_S))
    arbiter.awaited.add((403, "/v1/escrow/decide"))
    arbiter.press("disputes.decide_now")
    dialog = arbiter.page.get_by_role("dialog")
    dialog.get_by_label(arbiter.say("confirm.pin")).fill(PIN)
    dialog.get_by_role("button", name=arbiter.say("confirm.with_pin")).click()
    arbiter.sees(arbiter.say("disputes.done"))
    buyer.sees(buyer.say("order_steps.decided"))
    assert person.money()["available_minor"] == 80_00
