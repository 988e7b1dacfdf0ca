"""What operators do about money and its rules: the backing day by day, rules that two people change, positions."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from formicary.testing.town_process import TownProcess
from formicary.town.people import PIN

from tests.browser import axe
from tests.browser.conftest import Visitors, settled
from tests.browser.test_accessible import TOO_WIDE, settle
from tests.browser.visitor import DESK, PHONE, Visitor

pytestmark = [pytest.mark.browser, pytest.mark.slow]

LANGUAGES = ("en", "fr", "zh")
IBAN = "DE89370400440532013000"
REFERENCE = "RF18 5390 0754 7034"
ACROSS_MINOR = 12_34


@pytest.fixture(scope="module")
def rival(town: TownProcess, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The name of another institution, a process of its own, to whose people Alice has paid 12.34 euros."""
    running = TownProcess(tmp_path_factory.mktemp("rival"))
    running.start()
    try:
        for one, other in ((town, running), (running, town)):
            told = next(each for each in other.nobody().get("/v1/clearing/institutions")["items"] if each["own"])
            olivia = one.enter("olivia")
            olivia.confirm()
            known = {"institution": told["institution"]["id"], "key": told["key"], "address": told["address"]}
            olivia.done("/v1/clearing/add-institution", **known, name="The Rival")
        alice, other = town.enter("alice"), running.nobody().get("/v1/clearing/institutions")["items"]
        across = next(each["institution"]["id"] for each in other if each["own"])
        wish = {"institution": across, "payee": "@ben", "asset": "EUR", "amount_minor": ACROSS_MINOR}
        payment = alice.done("/v1/clearing/payments", **wish, purpose="friend")["payment"]
        for _ in range(300):
            found = alice.get("/v1/clearing/transfers", payment=payment)["items"][0]
            if found["state"] == "captured":
                break
            time.sleep(0.1)
        else:
            pytest.fail("the payment across was not decided")
        yield "The Rival"
    finally:
        running.stop()


def confirm(visitor: Visitor) -> None:
    """Give the PIN that a decision about rules or money asks for."""
    dialog = visitor.page.get_by_role("dialog").filter(has_text=visitor.say("confirm.text"))
    dialog.get_by_label(visitor.say("confirm.pin")).fill(PIN)
    dialog.get_by_role("button", name=visitor.say("confirm.with_pin"), exact=True).click()
    dialog.wait_for(state="hidden")


def clean(visitor: Visitor) -> None:
    """Nothing for axe to say, and nothing wider than the screen."""
    settle(visitor)
    assert visitor.page.evaluate(TOO_WIDE) <= 0
    assert not axe.stumbles(visitor.page)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_backing_is_told_day_by_day_and_proved(visitors: Visitors, town: TownProcess, language: str) -> None:
    """Today is on record; the browser itself checks that the ledger signed for what is shown."""
    (today,) = town.nobody().get("/v1/bank/backing_days", asset="EUR")["items"]
    assert today["verdict"] == "backed"
    operator = visitors(size=DESK, language=language)
    operator.enter("olivia")
    page = operator.open("operator", "/backing")
    row = page.get_by_role("row").filter(has=page.get_by_role("link", name=operator.say("backing_days.file")))
    row.get_by_text(operator.say("backing_days.backed"), exact=True).wait_for()
    clean(operator)
    row.get_by_role("button", name=operator.pattern("backing_days.check_day")).click()
    row.get_by_text(operator.pattern("backing_days.proved")).wait_for()
    receipt = operator.saves(row.get_by_role("link"))
    assert receipt.suggested_filename == f"backing-{today['day']}.json"


@pytest.mark.parametrize("language", LANGUAGES)
def test_anybody_sees_the_same_days(visitors: Visitors, language: str) -> None:
    """On a phone, in the explorer, without an account."""
    anybody = visitors(size=PHONE, language=language)
    page = anybody.open("explorer", "/backing")
    anybody.sees(anybody.say("backing_days.backed"))
    clean(anybody)
    page.get_by_role("button", name=anybody.pattern("backing_days.check_day")).click()
    anybody.sees(anybody.pattern("backing_days.proved"))


@pytest.mark.parametrize("figure", ["nostro_minor", "verdict"])
def test_other_figures_than_those_that_were_signed_are_not_proved(visitors: Visitors, figure: str) -> None:
    """A page that shows one cent more than the ledger signed for, or a better verdict, says so."""
    anybody = visitors(size=DESK)

    def lie(route: object) -> None:
        answer = route.fetch()  # type: ignore[attr-defined]
        told = answer.json()
        shown = told["items"][0]
        shown[figure] = "short" if figure == "verdict" else shown[figure] + 1
        route.fulfill(response=answer, json=told)  # type: ignore[attr-defined]

    anybody.page.route("**/v1/bank/backing_days?*", lie)
    page = anybody.open("explorer", "/backing")
    page.get_by_role("button", name=anybody.pattern("backing_days.check_day")).click()
    anybody.sees(anybody.say("backing_days.not_proved"))


def test_a_rule_changes_by_form_and_by_two_people(visitors: Visitors, town: TownProcess) -> None:
    """Olivia changes a sum and sees what that means; Otto sees before and after, and lets it speak."""
    before = town.nobody().get("/v1/guard/rules")
    maker = visitors(size=DESK)
    maker.enter("olivia")
    maker.awaited.add((403, "/v1/guard/propose_rules"))  # until the PIN is given
    page = maker.open("operator", "/rules")
    name = (
        f"{maker.say('reasons.new_payee.title')}, {maker.say('sources.person')} · {maker.say('rules.every_currency')}"
    )
    page.get_by_role("button", name=f"{maker.say('rules.edit')}: {name}", exact=True).click()
    form = page.get_by_role("dialog")
    amount = form.get_by_label(maker.say("rule_fields.new_payee.minor"))
    amount.fill("0")
    form.get_by_text(maker.say("codes.rule_incomplete")).wait_for()
    assert form.get_by_role("button", name=maker.say("rules.take"), exact=True).is_disabled()
    amount.fill("1010.50")
    form.get_by_text("1,010.50", exact=False).wait_for()
    clean(maker)
    form.get_by_role("button", name=maker.say("rules.take"), exact=True).click()
    changes = page.get_by_role("list", name=maker.say("rules.changes"))
    changes.get_by_text("1,000.00", exact=False).wait_for()
    changes.get_by_text("1,010.50", exact=False).wait_for()
    clean(maker)
    maker.press("proposals.propose")
    confirm(maker)
    maker.sees(maker.say("proposals.made"))
    maker.open("operator", "/proposals")
    maker.sees(maker.say("proposals.mine"))
    assert town.nobody().get("/v1/guard/rules")["version"] == before["version"]

    checker = visitors(size=DESK)
    checker.enter("otto")
    checker.awaited.add((403, "/v1/guard/approve_rules"))
    page = checker.open("operator", "/proposals")
    proposal = page.get_by_role("region", name="Olivia Brandt")
    proposal.get_by_text("1,000.00", exact=False).wait_for()
    clean(checker)
    proposal.get_by_role("button", name=checker.say("proposals.approve"), exact=True).click()
    confirm(checker)
    checker.sees(checker.say("proposals.approved"))
    after = town.nobody().get("/v1/guard/rules")
    assert after["version"] == before["version"] + 1
    changed = [rule for rule in after["items"] if rule not in before["items"]]
    assert [(rule["kind"], rule["asset"], rule["minor"]) for rule in changed] == [("new_payee", None, 1_010_50)]
    person = settled(town, "Rule Tester", 5_000_00)
    sent = person.done(
        "/v1/pay/send", payee=town.enter("ben").id, asset="EUR", amount_minor=1_005_00, purpose="friend", note=None
    )
    assert sent["state"] == "paid", "yesterday's rule would have held it"


@pytest.mark.parametrize("language", LANGUAGES)
def test_rules_are_edited_by_form_and_by_experts(visitors: Visitors, language: str) -> None:
    """What one removes in the form is gone in the expert's JSON, and what can't be read is told."""
    operator = visitors(size=PHONE, language=language)
    operator.enter("olivia")
    page = operator.open("operator", "/rules")
    name = f"{operator.say('reasons.velocity.title')}, {operator.say('sources.any')}"
    page.get_by_role("button", name=f"{operator.say('rules.remove')}: {name}").click()
    operator.sees(operator.say("rules.removed"))
    operator.sees(operator.say("rules.off"))
    clean(operator)
    page.locator(".op-tabs").get_by_text(operator.say("rules.expert"), exact=True).click()
    editor = page.get_by_role("textbox", name=operator.say("rules.expert"))
    assert "velocity" not in editor.input_value()
    clean(operator)
    editor.fill(editor.input_value()[:-1])
    operator.sees(operator.pattern("rules.unreadable"))
    editor.fill(editor.input_value() + "]")
    operator.press("rules.undo")
    page.get_by_role("list", name=operator.say("rules.changes")).wait_for(state="detached")


def test_a_position_is_settled_by_two_people_and_the_bank(visitors: Visitors, rival: str) -> None:
    """Olivia names the other's bank account and proposes, Otto approves, and the sandbox bank books it."""
    maker = visitors(size=DESK)
    maker.enter("olivia")
    maker.awaited |= {(403, f"/v1/clearing/{name}") for name in ("bank-account", "propose_settlement")}
    page = maker.open("operator", "/positions")
    page.get_by_text(maker.say("positions.no_bank")).wait_for()
    settle_button = page.get_by_role("button", name=maker.say("positions.settle_with", name=rival, asset="EUR"))
    assert settle_button.is_disabled()
    page.get_by_role("button", name=f"{maker.say('positions.account')}: {rival}", exact=True).click()
    form = page.get_by_role("dialog")
    form.get_by_label(maker.say("positions.iban")).fill(IBAN)
    form.get_by_label(maker.say("positions.their_reference")).fill(REFERENCE)
    clean(maker)
    form.get_by_role("button", name=maker.say("common.save"), exact=True).click()
    confirm(maker)
    page.get_by_text(IBAN, exact=True).wait_for()
    clean(maker)
    settle_button.click()
    form = page.get_by_role("dialog")
    amount = form.get_by_label(maker.say("positions.amount"))
    assert amount.input_value() == "12.34"
    amount.fill("12.35")
    form.get_by_text(maker.say("codes.settlement_beyond_position")).wait_for()
    amount.fill("12.34")
    clean(maker)
    form.get_by_role("button", name=maker.say("proposals.propose"), exact=True).click()
    page.wait_for_timeout(2_100)  # what was confirmed for the account holds no more
    if page.get_by_text(maker.say("confirm.text")).is_visible():
        confirm(maker)
    maker.sees(maker.say("proposals.mine"))

    checker = visitors(size=DESK)
    checker.enter("otto")
    checker.awaited.add((403, "/v1/clearing/approve_settlement"))
    page = checker.open("operator", "/proposals")
    page.get_by_role("link", name=checker.pattern("positions.waiting_one")).click()
    row = page.get_by_role("row").filter(has_text=rival)
    clean(checker)
    row.get_by_role("button", name=checker.say("proposals.approve"), exact=True).click()
    confirm(checker)
    row.get_by_text(checker.say("settlement_states.sent"), exact=True).wait_for()
    checker.sees(checker.say("positions.even"))
    row.get_by_text(checker.say("bank_states.booked")).wait_for(timeout=60_000)
    maker.sees(maker.say("settlement_states.sent"))


@pytest.mark.parametrize("language", LANGUAGES)
def test_positions_fit_a_phone(visitors: Visitors, rival: str, language: str) -> None:
    """In three languages, with names of their own."""
    operator = visitors(size=PHONE, language=language)
    operator.enter("olivia")
    operator.open("operator", "/positions")
    operator.sees(rival)
    clean(operator)
