"""What is held and why, and the ways out: recall, time, an operator. No silent block, no hold without a case."""

from __future__ import annotations

import pytest

from formicary.base.errors import Refusal
from formicary.products.guard.answers import AskCase, AskCases, AskHold, AskHolds
from formicary.products.guard.codes import REASONS
from formicary.products.guard.commands import Appeal, Decide, Decision, Recall, Report
from formicary.products.pay.commands import Purpose, Send, Sent
from formicary.testing.trial import Trial, person

from tests.products.pay.plain import ALICE, BOB, CAROL, DAVE, EUR, Appoint, Freeze, Trust, free, spent, town

TEXT = b"t" * 16


def send(trial: Trial, payer: bytes, payee: bytes, amount_minor: int, purpose: Purpose = "friend") -> Sent:
    """Pay, held or not."""
    sent: Sent = trial.ok(payer, "pay.send", Send(payee, EUR, amount_minor, purpose, None))
    return sent


def operated(*people: bytes) -> Trial:
    """A town in which Dave is an operator."""
    trial = town(*people)
    trial.ok(DAVE, "wallet.appoint", Appoint("operator"))
    return trial


def case_of(trial: Trial, sent: Sent) -> bytes:
    """The case of a held payment."""
    case: bytes = trial.ask("guard.hold", ALICE, AskHold(payment=sent.payment)).case
    return case


def test_an_advance_fee_is_held_explained_told_and_recalled() -> None:
    """Told to send 9,900 as an activation fee for a grant of 2,600: held, in plain words; the trusted one is told."""
    trial = town(ALICE, BOB, CAROL)
    trial.ok(ALICE, "wallet.trust", Trust(CAROL))
    sent = send(trial, ALICE, BOB, 9_900_00, "fee_for_money")
    assert sent.state == "held"
    assert sent.reasons == ("new_payee", "advance_fee", "drain")
    assert (free(trial, ALICE), free(trial, BOB)) == (100_00, 10_000_00)
    (told,) = trial.happened("guard.trusted_told")
    assert (told.person, told.reasons) == (ALICE, sent.reasons)
    assert [event.subject for event in trial.events if event.kind == "trusted_told"] == [CAROL]
    (shown,) = trial.ask("guard.holds", ALICE, AskHolds()).items
    assert shown.recallable
    assert [reason.words for reason in shown.reasons] == [REASONS[name] for name in sent.reasons]
    trial.wait(hours=23, minutes=59)
    trial.ok(ALICE, "guard.recall", Recall(sent.payment))
    assert (free(trial, ALICE), spent(trial, ALICE)) == (10_000_00, 0)
    trial.wait(days=3)
    assert free(trial, BOB) == 10_000_00
    assert send(trial, ALICE, BOB, 9_900_00, "fee_for_money").state == "held"
    trial.replay()


def test_a_lure_is_seen_whatever_the_purpose() -> None:
    """Who sends 26.00 first, or lets a friend do so, and then wants 99.00 is no friend."""
    trial = town(ALICE, BOB, CAROL)
    send(trial, BOB, ALICE, 26_00)
    assert send(trial, ALICE, BOB, 99_00).reasons == ("advance_fee",)
    send(trial, CAROL, BOB, 5_00)
    assert send(trial, ALICE, CAROL, 99_00).reasons == ("advance_fee",)
    assert send(trial, ALICE, BOB, 20_00).state == "paid"


def test_friends_who_pay_each_other_are_left_alone() -> None:
    """Once one has known somebody for a day, more than one got is no lure."""
    trial = town(ALICE, BOB)
    send(trial, ALICE, BOB, 5_00)
    trial.wait(days=2)
    send(trial, BOB, ALICE, 26_00)
    assert send(trial, ALICE, BOB, 2_000_00).state == "paid"


def test_a_small_payment_first_opens_no_door() -> None:
    """Somebody paid this very day is still new, and what went to them counts."""
    trial = town(ALICE, BOB)
    send(trial, ALICE, BOB, 900_00)
    assert send(trial, ALICE, BOB, 100_00).reasons == ("new_payee",)
    trial.wait(days=2)
    assert send(trial, ALICE, BOB, 2_000_00).state == "paid"


def test_a_hold_ends_by_itself() -> None:
    """After 24 hours it is paid; then the payee is known."""
    trial = town(ALICE, BOB)
    sent = send(trial, ALICE, BOB, 2_000_00)
    trial.wait(hours=25)
    assert free(trial, BOB) == 12_000_00
    assert trial.refused(ALICE, "guard.recall", Recall(sent.payment)) == "held_payment_ended"
    assert [event.outcome for event in trial.happened("guard.hold_ended")] == ["released"] * 2
    trial.wait(days=1)
    assert send(trial, ALICE, BOB, 2_000_00).state == "paid"
    trial.replay()


def test_a_frozen_payee_does_not_get_it() -> None:
    """When the time comes it goes back, and the case says so."""
    trial = town(ALICE, BOB)
    send(trial, ALICE, BOB, 2_000_00)
    trial.ok(BOB, "wallet.freeze", Freeze(frozen=True))
    trial.wait(days=2)
    assert (free(trial, ALICE), free(trial, BOB), spent(trial, ALICE)) == (10_000_00, 10_000_00, 0)
    assert [event.outcome for event in trial.happened("guard.hold_ended")] == ["returned"] * 2
    trial.replay()


@pytest.mark.parametrize(
    ("decision", "alice", "bob"), [("release", 8_000_00, 12_000_00), ("return", 10_000_00, 10_000_00)]
)
def test_an_operator_decides(decision: Decision, alice: int, bob: int) -> None:
    """At once, once, with a reason; both sides are told."""
    trial = operated(ALICE, BOB)
    case = case_of(trial, send(trial, ALICE, BOB, 2_000_00))
    trial.ok(DAVE, "guard.decide", Decide(case, decision, TEXT))
    assert (free(trial, ALICE), free(trial, BOB)) == (alice, bob)
    assert [event.subject for event in trial.events if event.kind == "case_decided"] == [ALICE, BOB]
    assert trial.refused(DAVE, "guard.decide", Decide(case, decision, None)) == "case_holds_no_money"
    shown = trial.ask("guard.case", ALICE, AskCase(case=case))
    assert (shown.decision, shown.reason, shown.decided_by) == (decision, TEXT, None)
    trial.wait(days=2)
    trial.replay()


def test_a_stopped_payee() -> None:
    """What is held stays held past its time, the next payment too; the payer may still recall; closing lifts it."""
    trial = operated(ALICE, BOB, CAROL)
    sent = send(trial, ALICE, BOB, 2_000_00)
    case = case_of(trial, sent)
    trial.ok(DAVE, "guard.decide", Decide(case, "freeze_payee", None))
    trial.wait(days=9)
    assert free(trial, BOB) == 10_000_00
    assert send(trial, CAROL, BOB, 1).reasons == ("payee_marked",)
    assert trial.refused(DAVE, "guard.decide", Decide(case, "close", None)) == "case_holds_money"
    assert trial.ask("guard.hold", ALICE, AskHold(payment=sent.payment)).until_ns is None
    trial.ok(ALICE, "guard.recall", Recall(sent.payment))
    assert free(trial, ALICE) == 10_000_00
    assert send(trial, ALICE, BOB, 1).state == "held"
    trial.ok(DAVE, "guard.decide", Decide(case, "close", None))
    assert trial.refused(DAVE, "guard.decide", Decide(case, "close", None)) == "case_ended"
    assert send(trial, ALICE, BOB, 1).state == "paid"
    trial.replay()


def test_everybody_concerned_is_heard_once() -> None:
    """Payer and payee may appeal, nobody else, and not when it is over."""
    trial = operated(ALICE, BOB, CAROL)
    sent = send(trial, ALICE, BOB, 2_000_00)
    case = case_of(trial, sent)
    assert trial.refused(ALICE, "guard.appeal", Appeal(bytes(16), TEXT)) == "case_not_found"
    assert trial.refused(CAROL, "guard.appeal", Appeal(case, TEXT)) == "case_not_yours"
    for who in (ALICE, BOB):
        trial.ok(who, "guard.appeal", Appeal(case, TEXT))
        assert trial.refused(who, "guard.appeal", Appeal(case, TEXT)) == "appeal_made_before"
    assert [each.party for each in trial.ask("guard.case", DAVE, AskCase(case=case)).appeals] == [ALICE, BOB]
    assert [each.party for each in trial.ask("guard.case", BOB, AskCase(case=case)).appeals] == [BOB]
    assert trial.refused(CAROL, "guard.recall", Recall(sent.payment)) == "held_payment_not_yours"
    assert trial.refused(BOB, "guard.recall", Recall(sent.payment)) == "held_payment_not_yours"
    assert trial.refused(ALICE, "guard.recall", Recall(bytes(16))) == "held_payment_not_found"
    trial.ok(ALICE, "guard.recall", Recall(sent.payment))
    assert trial.refused(ALICE, "guard.appeal", Appeal(case, TEXT)) == "case_ended"
    trial.replay()


def test_a_paid_payment_is_reported() -> None:
    """A case is opened; an operator may stop the payee; the payee does not learn who reported."""
    trial = operated(ALICE, BOB, CAROL)
    sent = send(trial, ALICE, BOB, 9_00)
    held = send(trial, ALICE, CAROL, 2_000_00)
    assert trial.refused(CAROL, "guard.report", Report(sent.payment, None)) == "report_payment_not_found"
    assert trial.refused(ALICE, "guard.report", Report(bytes(16), None)) == "report_payment_not_found"
    assert trial.refused(ALICE, "guard.report", Report(held.payment, None)) == "report_payment_held"
    case = trial.ok(ALICE, "guard.report", Report(sent.payment, TEXT)).case
    assert trial.refused(ALICE, "guard.report", Report(sent.payment, None)) == "reported_before"
    assert trial.ask("guard.case", ALICE, AskCase(case=case)).text == TEXT
    with pytest.raises(Refusal):
        trial.ask("guard.case", BOB, AskCase(case=case))
    assert trial.refused(DAVE, "guard.decide", Decide(case, "return", None)) == "case_holds_no_money"
    trial.ok(DAVE, "guard.decide", Decide(case, "freeze_payee", None))
    assert send(trial, ALICE, BOB, 1).reasons == ("payee_marked",)
    trial.replay()


def test_only_operators_decide_and_list() -> None:
    """A role that one has not is missing, in commands and in questions."""
    trial = operated(ALICE, BOB)
    case = case_of(trial, send(trial, ALICE, BOB, 2_000_00))
    assert trial.refused(ALICE, "guard.decide", Decide(case, "release", None)) == "role_missing"
    assert trial.refused(DAVE, "guard.decide", Decide(bytes(16), "release", None)) == "case_not_found"
    with pytest.raises(Refusal):
        trial.ask("guard.cases", ALICE, AskCases())
    with pytest.raises(Refusal):
        trial.ask("guard.case", person("nobody"), AskCase(case=case))
    assert [shown.case for shown in trial.ask("guard.cases", DAVE, AskCases()).items] == [case]
