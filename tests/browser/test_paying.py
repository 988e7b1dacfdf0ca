"""The main job: somebody opens a wallet, pays a person, and pays a shop whose till shows it at once."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Locator

from formicary.testing.town_process import TownProcess

from tests.browser import camera
from tests.browser.conftest import Visitors, settled
from tests.browser.visitor import DESK, Visitor

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def at_the_till(visitor: Visitor, alias: str = "emil") -> None:
    """Stand at the first till of the shop that one owns."""
    visitor.enter(alias)
    visitor.open("till")
    visitor.page.locator(".rows button.row").first.click()
    visitor.page.locator(".sell-amount").wait_for()


def show_code(visitor: Visitor, amount: str) -> Locator:
    """Type an amount on the keys of the till, and show its code."""
    for key in amount:
        visitor.page.locator(".pad").get_by_role("button", name=key, exact=True).click()
    visitor.press("sell.show")
    code = visitor.page.get_by_alt_text(visitor.say("show.alt"))
    code.wait_for()
    return code


def test_signing_up_and_paying_a_person(visitors: Visitors, town: TownProcess) -> None:
    """From nothing to the first payment: a passkey, play money, a friend; and in again by the passkey."""
    visitor = visitors()
    visitor.sign_up("Nora Quist", "nora.quist")
    page = visitor.page
    assert "Nora" in page.get_by_role("heading", level=1).inner_text()
    assert visitor.balance() == "€0.00"

    visitor.awaited.add((404, "/v1/bank/reference"))
    visitor.open("wallet", "/top-up")
    visitor.press("bank.take")
    visitor.field("send.amount").fill("50")
    visitor.press("bank.sandbox_pay")
    visitor.open("wallet", "/")
    page.wait_for_function("() => !document.querySelector('.hero-amount .amount')?.ariaLabel?.includes('€0.00')")

    visitor.open("wallet", "/send/@dana")
    visitor.field("send.amount").fill("7.50")
    visitor.choose("purposes.friend")
    visitor.press("common.next")
    visitor.press("send.pay")
    visitor.sees(visitor.say("send.paid_text", name="Dana Novak"))
    newest = town.enter("dana").get("/v1/pay/activity", limit=1)["items"][0]
    assert (newest["amount_minor"], newest["direction"], newest["other"]["name"]) == (750, "in", "Nora Quist")

    page.get_by_role("button", name=visitor.say("common.done")).click()
    visitor.open("wallet", "/you")
    visitor.press("common.sign_out")
    visitor.press("welcome.have")
    visitor.press("welcome.in_passkey")
    page.locator(".hero-amount .amount").wait_for()


@pytest.mark.parametrize("language", ["en", "fr", "zh"])
def test_paying_a_shop_by_camera(visitors: Visitors, town: TownProcess, film: Path, language: str) -> None:
    """A till shows a code, a phone's camera sees it, and the till says paid; both in the same language."""
    till = visitors(language=language, size=DESK)
    at_the_till(till)
    code = show_code(till, "1280")
    picture = code.screenshot()
    assert camera.text_of(picture), "another reader reads the till's code too"
    camera.film_picture(film, picture)

    buyer = visitors(language=language)
    person = settled(town, "Mira Lund", 60_00)
    buyer.enter(person)
    page = buyer.open("wallet", "/scan")
    assert page.evaluate("document.documentElement.lang")[:2] == language
    page.wait_for_url(re.compile(r"/pay/[0-9a-f]{32}$"))
    buyer.sees("The Book Nook")
    buyer.press("send.pay")
    buyer.sees(buyer.say("send.paid"))
    till.page.locator(".done[data-state=paid]").wait_for()
    assert till.page.get_by_role("heading", level=1).inner_text() == till.say("done.paid")
    assert {"en": "€12.80", "fr": "12,80 €", "zh": "€12.80"}[language] in spoken(till.page.locator(".done-amount"))
    assert person.money()["available_minor"] == 60_00 - 12_80

    till.press("done.open")
    till.press("refund.give")
    till.field("refund.amount").fill({"en": "2.80", "fr": "2,80", "zh": "2.80"}[language])
    till.page.get_by_role("dialog").get_by_role("button", name=till.pattern("refund.now")).click()
    till.sees(till.pattern("refund.done"))
    assert person.money()["available_minor"] == 60_00 - 10_00
    buyer.open("wallet", "/activity")
    buyer.sees(buyer.say("kinds.refund"))


def spoken(locator: Locator) -> str:
    """What a screen reader says of an amount, with plain spaces."""
    return (
        (locator.locator("[aria-label]").first.get_attribute("aria-label") or "")
        .replace("\u00a0", " ")
        .replace("\u202f", " ")
    )


def test_paying_by_keyboard_alone(visitors: Visitors, town: TownProcess) -> None:
    """Everything from the wallet's first page to the payment works by keys, and one always sees where one is."""
    visitor = visitors(size=DESK)
    visitor.enter(settled(town, "Kay Board", 40_00))
    page = visitor.open()
    page.locator(".actions a").first.wait_for()
    tab_to(visitor, visitor.say("actions.send"))
    page.keyboard.press("Enter")
    page.get_by_label(visitor.say("send.who")).wait_for()
    tab_to(visitor, visitor.say("send.who"))
    page.keyboard.type("@ines")
    page.keyboard.press("Enter")
    page.get_by_label(visitor.say("send.amount")).wait_for()
    tab_to(visitor, visitor.say("send.amount"))
    page.keyboard.type("3.20")
    tab_to(visitor, visitor.say("purposes.friend"))
    page.keyboard.press("Space")
    tab_to(visitor, visitor.say("common.next"))
    page.keyboard.press("Enter")
    page.get_by_role("dialog").wait_for()
    tab_to(visitor, visitor.say("send.pay", amount="€3.20", name="Ines Carvalho"))
    page.keyboard.press("Enter")
    visitor.sees(visitor.say("send.paid"))
    tab_to(visitor, visitor.say("common.done"))
    page.keyboard.press("Enter")
    page.locator(".hero-amount").wait_for()


FOCUSED = """() => {
    const it = document.activeElement;
    const name = it.labels?.[0]?.innerText ?? it.ariaLabel ?? it.innerText ?? '';
    const marked = (one) => { const look = getComputedStyle(one);
        return (look.outlineStyle !== 'none' && parseFloat(look.outlineWidth) > 0) || look.boxShadow !== 'none'; };
    const seen = [it, it.parentElement, it.nextElementSibling, it.closest('.money-field, .field-box, label')];
    return [name.trim(), seen.some((one) => one && marked(one))];
}"""
STEPS = 60


def tab_to(visitor: Visitor, name: str) -> None:
    """Press the tabulator until something of that name has the focus, visibly."""
    passed = []
    for _ in range(STEPS):
        found, marked = visitor.page.evaluate(FOCUSED)
        if found == name or found.startswith(name):
            assert marked, f"nobody sees that {name!r} has the focus"
            return
        passed.append(found)
        visitor.page.keyboard.press("Tab")
    pytest.fail(f"the tabulator never comes to {name!r}: {passed}")
