"""Asking for money, and splitting a bill."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from formicary.base.money import split
from formicary.products.pay.answers import AskRequest, AskRequests
from formicary.products.pay.codes import DAY_NS, REQUESTS_OPEN_MAX
from formicary.products.pay.commands import AcceptRequest, Ask, DeclineRequest, Share, Split, WithdrawRequest
from formicary.testing.trial import SECOND_NS, Trial, person

from tests.products.pay.plain import ALICE, BOB, CAROL, CZK, EUR, free, town


def ask(trial: Trial, payer: bytes, amount_minor: int = 500, *, seconds: int = 3600, asset: int = EUR) -> Ask:
    """A request that holds for an hour."""
    return Ask(payer, asset, amount_minor, "goods", None, trial.now_ns + seconds * SECOND_NS)


def test_a_request_is_paid_once() -> None:
    """Accepting pays; then the request is over for both of them."""
    trial = town(ALICE, BOB)
    made = trial.ok(ALICE, "pay.ask", ask(trial, BOB))
    assert trial.ok(BOB, "pay.accept_request", AcceptRequest(made.request)).state == "paid"
    assert free(trial, ALICE) == 10_005_00
    assert trial.refused(BOB, "pay.accept_request", AcceptRequest(made.request)) == "request_ended"
    assert trial.refused(ALICE, "pay.withdraw_request", WithdrawRequest(made.request)) == "request_ended"
    shown = trial.ask("pay.request", ALICE, AskRequest(request=made.request))
    assert (shown.state, shown.payment is None) == ("accepted", False)
    trial.wait(hours=2)
    assert [event.how for event in trial.happened("pay.request_ended")] == ["accepted"]
    trial.replay()


@pytest.mark.parametrize(("who", "name", "command"), [
    (BOB, "pay.decline_request", DeclineRequest),
    (ALICE, "pay.withdraw_request", WithdrawRequest),
])  # fmt: skip
def test_a_request_is_declined_or_withdrawn(who: bytes, name: str, command: type) -> None:
    """By the one whose it is to do so; nobody else can, and no money moves."""
    trial = town(ALICE, BOB, CAROL)
    made = trial.ok(ALICE, "pay.ask", ask(trial, BOB))
    other = ALICE if who == BOB else BOB
    assert trial.refused(other, name, command(made.request)) == "request_not_yours"
    assert trial.refused(CAROL, name, command(made.request)) == "request_not_yours"
    trial.ok(who, name, command(made.request))
    assert trial.refused(who, name, command(made.request)) == "request_ended"
    assert free(trial, BOB) == 10_000_00
    assert trial.refused(who, name, command(bytes(16))) == "request_not_found"


def test_a_request_runs_out() -> None:
    """At its time, by itself; the one who asked is told."""
    trial = town(ALICE, BOB)
    made = trial.ok(ALICE, "pay.ask", ask(trial, BOB, seconds=60))
    trial.wait(minutes=2)
    assert trial.refused(BOB, "pay.accept_request", AcceptRequest(made.request)) == "request_ended"
    assert [event.how for event in trial.happened("pay.request_ended")] == ["expired"]
    trial.replay()


def test_asking_is_refused_in_its_order() -> None:
    """The asker, the payer, the time, and how many are open."""
    trial = town(ALICE, BOB, check=False)
    nobody = person("nobody")
    assert trial.refused(nobody, "pay.ask", ask(trial, nobody)) == "person_unknown"
    assert trial.refused(ALICE, "pay.ask", ask(trial, ALICE, asset=CZK)) == "currency_not_open"
    assert trial.refused(ALICE, "pay.ask", ask(trial, ALICE, seconds=-5)) == "request_to_oneself"
    assert trial.refused(ALICE, "pay.ask", ask(trial, nobody, seconds=-5)) == "person_unknown"
    assert trial.refused(ALICE, "pay.ask", ask(trial, BOB, seconds=-5)) == "until_not_in_future"
    assert trial.refused(ALICE, "pay.ask", ask(trial, BOB, seconds=367 * 86_400)) == "until_too_late"
    for _ in range(REQUESTS_OPEN_MAX):
        trial.ok(ALICE, "pay.ask", ask(trial, BOB))
    assert trial.refused(ALICE, "pay.ask", ask(trial, BOB)) == "too_many_requests"
    page = trial.ask("pay.requests", BOB, AskRequests(limit=100))
    rest = trial.ask("pay.requests", BOB, AskRequests(limit=100, after=page.next))
    assert len({item.request for item in (*page.items, *rest.items)}) == REQUESTS_OPEN_MAX
    assert rest.next == ""


def test_a_bill_is_split_to_the_cent() -> None:
    """Three share 100.00 by weight; the signer pays the own share by not asking for it."""
    trial = town(ALICE, BOB, CAROL)
    shares = (Share(ALICE, 1), Share(BOB, 1), Share(CAROL, 1))
    made = trial.ok(ALICE, "pay.split", Split(EUR, 100_00, shares, None))
    assert [event.amount_minor for event in trial.happened("pay.request_made")] == [33_33, 33_33]
    for who, name in zip((BOB, CAROL), made.requests, strict=True):
        trial.ok(who, "pay.accept_request", AcceptRequest(name))
        assert trial.ask("pay.request", who, AskRequest(request=name)).split == made.split
    assert free(trial, ALICE) == 10_066_66
    trial.replay()


def test_a_bill_that_can_not_be_split() -> None:
    """Somebody twice, nobody else, a share of nothing, a stranger."""
    trial = town(ALICE, BOB)
    for shares, total, code in (
        ((Share(BOB, 1), Share(BOB, 2)), 10, "share_named_twice"),
        ((Share(ALICE, 1),), 10, "nobody_else_to_ask"),
        ((Share(ALICE, 1000), Share(BOB, 1)), 10, "share_too_small"),
        ((Share(BOB, 1), Share(CAROL, 1)), 10, "person_unknown"),
    ):
        assert trial.refused(ALICE, "pay.split", Split(EUR, total, shares, None)) == code
    trial.wait(days=31)
    assert trial.happened("pay.request_made") == []
    assert DAY_NS == 86_400 * SECOND_NS


@given(st.integers(1, 10**9), st.lists(st.integers(1, 1000), min_size=1, max_size=50))
def test_shares_add_up(total: int, weights: list[int]) -> None:
    """Whatever the weights, the shares are the whole, and none is off by a unit or more."""
    shares = split(total, weights)
    assert sum(shares) == total
    assert all(
        abs(share * sum(weights) - total * weight) < sum(weights) for share, weight in zip(shares, weights, strict=True)
    )
