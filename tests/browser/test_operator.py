"""The operator's console: whether customers' money is all there, and what to do about a payment that is held."""

from __future__ import annotations

import pytest
from playwright.sync_api import Locator

from formicary.testing.town_process import TownProcess

from tests.browser.conftest import Visitors, settled
from tests.browser.test_safety import pay_a_fee
from tests.browser.visitor import DESK

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def test_customers_money_is_all_there(visitors: Visitors) -> None:
    """The console says fully backed, with the exact sums of the ledger, and checks the signed head by itself."""
    operator = visitors(size=DESK)
    operator.enter("olivia")
    page = operator.open("operator", "/backing")
    operator.sees(operator.say("backing.checked"))
    card = page.locator(".op-backing").filter(has=page.get_by_role("heading", name="EUR"))
    card.get_by_text(operator.say("backing.whole"), exact=True).wait_for()
    customers, banks = (said.removeprefix("€").replace(",", "") for said in amounts(card))
    assert float(customers) > 0
    assert float(banks) >= float(customers), "at least 100 %"


def amounts(card: Locator) -> list[str]:
    """The large sums on a card, as a screen reader says them."""
    return [each.get_attribute("aria-label") or "" for each in card.locator(".op-big").all()]


def test_the_operator_decides_a_case(visitors: Visitors, town: TownProcess) -> None:
    """The payer says why a held payment is right; the operator reads it and lets it go."""
    person = settled(town, "Hanna Brook", 200_00)
    payer = visitors()
    payer.enter(person)
    pay_a_fee(payer, "kofi", "180")
    hold = person.get("/v1/guard/holds")["items"][0]
    payer.open("wallet", f"/payment/{hold['payment']}")
    payer.press("held.appeal")
    payer.field("held.appeal_label").fill("He is my landlord, and this is the key's deposit.")
    payer.press("held.appeal_send")
    payer.sees(payer.say("held.appealed"))

    operator = visitors(size=DESK)
    operator.enter("olivia")
    page = operator.open("operator", "/cases")
    page.get_by_role("row").filter(has_text="Hanna Brook").click()
    operator.sees("He is my landlord, and this is the key's deposit.")
    page.get_by_role("button", name=operator.pattern("decisions.release.name")).first.click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("textbox").fill("A deposit it is.")
    dialog.get_by_role("button", name=operator.say("decisions.release.name"), exact=True).click()
    operator.sees(operator.say("states.released"))
    payer.sees(payer.say("states.paid"))
