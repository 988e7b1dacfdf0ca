"""Sending money: who may, who may not and why, what is written down, and whom it is told."""

from __future__ import annotations

import pytest

from formicary.products.pay.answers import AskActivity, AskPayment, AskSpending
from formicary.products.pay.codes import NOBODY
from formicary.products.pay.commands import PaymentMade, Send
from formicary.testing.trial import Trial, person

from tests.products.pay.plain import (
    ALICE,
    BOB,
    CAROL,
    CZK,
    EUR,
    SHOP,
    Freeze,
    Fund,
    Open,
    free,
    spent,
    town,
)

NOTE = b"n" * 16


def send(payee: bytes, amount_minor: int, *, asset: int = EUR, note: bytes | None = None) -> Send:
    """An everyday payment."""
    return Send(payee, asset, amount_minor, "friend", note)


def test_money_goes_from_one_to_the_other() -> None:
    """What the payer lacks the payee has, to the cent; it counts as spent; the payee is told, the payer knows."""
    trial = town(ALICE, BOB)
    sent = trial.ok(ALICE, "pay.send", send(BOB, 12_34, note=NOTE))
    assert (sent.state, sent.reasons) == ("paid", ())
    assert (free(trial, ALICE), free(trial, BOB)) == (9_987_66, 10_012_34)
    assert spent(trial, ALICE) == 12_34
    told = PaymentMade(sent.payment, "sent", ALICE, BOB, EUR, 12_34, "paid")
    assert trial.happened("pay.payment_made") == [told]
    assert [event.subject for event in trial.events if event.product == "pay"] == [BOB]
    trial.replay()


def test_refusals_come_in_their_order() -> None:
    """Oneself, then the payer, then the payee, then the money; nothing of a refused payment is left."""
    trial = town(ALICE, BOB)
    trial.ok(CAROL, "wallet.open", Open(EUR))
    trial.ok(CAROL, "wallet.freeze", Freeze(frozen=True))
    nobody = person("nobody")
    ladder = [
        (nobody, nobody, EUR, 1, "payment_to_oneself"),
        (nobody, CAROL, EUR, 1, "person_unknown"),
        (CAROL, nobody, EUR, 1, "person_frozen"),
        (ALICE, nobody, CZK, 1, "currency_not_open"),
        (ALICE, nobody, EUR, 20_000_00, "payee_not_payable"),
        (ALICE, CAROL, EUR, 20_000_00, "person_frozen"),
        (ALICE, BOB, EUR, 20_000_00, "exceeds_credits"),
    ]
    for payer, payee, asset, amount_minor, code in ladder:
        assert trial.refused(payer, "pay.send", send(payee, amount_minor, asset=asset)) == code
    assert spent(trial, ALICE) == 0
    assert free(trial, ALICE) == 10_000_00
    trial.replay()


def test_a_shop_is_paid_like_a_person() -> None:
    """Whoever else can be paid is asked after people; in a currency that the shop has not, it is not payable."""
    trial = town(ALICE)
    assert trial.ok(ALICE, "pay.send", send(SHOP, 5_00)).state == "paid"
    assert free(trial, SHOP) == 5_00
    trial.ok(ALICE, "wallet.open", Open(CZK))
    trial.ok(ALICE, "wallet.fund", Fund(CZK, 100))
    assert trial.refused(ALICE, "pay.send", send(SHOP, 1, asset=CZK)) == "payee_not_payable"


def pages(trial: Trial, who: bytes, limit: int) -> list[bytes]:
    """All of somebody's activity, page by page."""
    found, after = [], ""
    while True:
        page = trial.ask("pay.activity", who, AskActivity(after=after, limit=limit))
        found += [item.payment for item in page.items]
        after = page.next
        if not after:
            return found


@pytest.mark.parametrize("limit", [1, 2, 3, 100])
def test_activity_is_newest_first_and_whole(limit: int) -> None:
    """However long the pages are, each payment is on one of them, once, for both of its sides."""
    trial = town(ALICE, BOB)
    names = []
    for number in range(7):
        payer, payee = (ALICE, BOB) if number % 3 else (BOB, ALICE)
        names.append(trial.ok(payer, "pay.send", send(payee, 100 + number)).payment)
    assert pages(trial, ALICE, limit) == names[::-1]
    assert pages(trial, BOB, limit) == names[::-1]
    assert pages(trial, CAROL, limit) == []


def test_activity_shows_each_side_its_own() -> None:
    """Direction, the other party, purpose and note; of one currency if wanted."""
    trial = town(ALICE, BOB)
    for each in (ALICE, BOB):
        trial.ok(each, "wallet.open", Open(CZK))
    trial.ok(ALICE, "wallet.fund", Fund(CZK, 100_00))
    trial.ok(ALICE, "pay.send", send(BOB, 7, asset=CZK))
    trial.ok(ALICE, "pay.send", Send(BOB, EUR, 9, "rent", NOTE))
    (item,) = trial.ask("pay.activity", BOB, AskActivity(asset=EUR)).items
    assert (item.direction, item.other, item.amount_minor, item.purpose, item.note) == ("in", ALICE, 9, "rent", NOTE)
    (mine,) = trial.ask("pay.activity", ALICE, AskActivity(asset=CZK)).items
    assert (mine.direction, mine.other, mine.kind, mine.state) == ("out", BOB, "sent", "paid")


def test_a_payment_is_its_parties_own() -> None:
    """Somebody else learns no more than that there is none."""
    trial = town(ALICE, BOB)
    sent = trial.ok(ALICE, "pay.send", send(BOB, 5))
    assert trial.ask("pay.payment", BOB, AskPayment(payment=sent.payment)).other == ALICE
    with pytest.raises(Exception, match="not yours to see"):
        trial.ask("pay.payment", CAROL, AskPayment(payment=sent.payment))
    assert bytes(16) == NOBODY


def test_spending_adds_up_by_month_and_purpose() -> None:
    """What came in is not spending, nor what was given back; months are of UTC."""
    trial = town(ALICE, BOB)
    trial.ok(ALICE, "pay.send", Send(BOB, EUR, 100, "rent", None))
    trial.ok(ALICE, "pay.send", Send(BOB, EUR, 11, "friend", None))
    trial.ok(BOB, "pay.send", Send(ALICE, EUR, 50, "friend", None))
    trial.wait(days=31)
    trial.ok(ALICE, "pay.send", Send(BOB, EUR, 3, "friend", None))
    trial.ok(ALICE, "pay.send", Send(BOB, EUR, 4, "friend", None))
    shown = trial.ask("pay.spending", ALICE, AskSpending(asset=EUR, months=2)).items
    assert [(item.month, item.purpose, item.payments, item.amount_minor) for item in shown] == [
        (2026_01, "friend", 1, 11),
        (2026_01, "rent", 1, 100),
        (2026_02, "friend", 2, 7),
    ]
    (this,) = trial.ask("pay.spending", ALICE, AskSpending(asset=EUR, months=1)).items
    assert this.month == 2026_02
