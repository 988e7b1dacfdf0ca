"""Disputes: the clock stops, both sides bring evidence, and an arbiter who is neither of them may split."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from formicary.base.errors import Refusal
from formicary.products.escrow.answers import AskDisputes, AskOrder
from formicary.products.escrow.commands import (
    AcceptMilestone,
    AnswerDispute,
    Cancel,
    Confirm,
    Decide,
    Dispute,
    Extend,
    Milestone,
    Ship,
)
from formicary.testing.trial import Trial

from tests.products.escrow.support import START_MINOR, bought, new_town, signed, terms
from tests.products.escrow.town import ALICE, BOB, CAROL, JUDGE, balance, lines, spent

PIECE, OTHER = b"e" * 16, b"f" * 16


@pytest.fixture
def town() -> Iterator[Trial]:
    """A town whose whole history replays to the same digest after each test."""
    made = new_town()
    yield made
    made.replay()
    made.close()


def disputed(town: Trial) -> bytes:
    """An order that was shipped, and that the buyer is not content with."""
    order = bought(town)
    town.ok(BOB, "escrow.ship", Ship(order, None))
    town.ok(ALICE, "escrow.dispute", Dispute(order, "damaged", (PIECE,)))
    return order


def test_an_arbiter_may_split(town: Trial) -> None:
    """So much for the seller, the rest for the buyer, to the cent; the list shows both."""
    order = disputed(town)
    town.ok(BOB, "escrow.answer", AnswerDispute(order, (OTHER, PIECE)))
    assert [line.order for line in town.ask("escrow.disputes", JUDGE, AskDisputes()).items] == [order]
    town.ok(JUDGE, "escrow.decide", Decide(order, 3_333, OTHER))
    assert (balance(town, ALICE), balance(town, BOB)) == (START_MINOR - 3_333, START_MINOR + 3_333)
    assert spent(town, ALICE) == 3_333
    assert lines(town) == [
        ("escrow", ALICE, BOB, 10_000, "paid"),
        ("escrow_back", BOB, ALICE, 6_667, "paid"),
        ("escrow_out", ALICE, BOB, 3_333, "paid"),
    ]
    seen = town.ask("escrow.order", JUDGE, AskOrder(order=order))
    assert [(line.step, line.detail, line.text) for line in seen.timeline[2:]] == [
        ("disputed", "damaged", PIECE),
        ("answered", "", OTHER),
        ("answered", "", PIECE),
        ("decided", "", OTHER),
    ]
    assert town.ask("escrow.disputes", JUDGE, AskDisputes()).items == ()


def test_nothing_moves_by_itself_in_a_dispute(town: Trial) -> None:
    """Neither silence nor a delivery settles it; what the carrier says is kept as evidence, once."""
    order = disputed(town)
    town.wait(days=200)
    town.ok(BOB, "escrow.deliver", signed(order))
    assert town.refused(BOB, "escrow.deliver", signed(order)) == "order_delivered"
    assert (balance(town, ALICE), balance(town, BOB)) == (START_MINOR - 10_000, START_MINOR)
    assert town.ask("escrow.order", JUDGE, AskOrder(order=order)).timeline[-1].detail == "in dispute"


@pytest.mark.parametrize(("who", "name", "minor"), [(ALICE, "confirm", 10_000), (BOB, "cancel", 0)])
def test_the_two_may_still_agree(town: Trial, who: bytes, name: str, minor: int) -> None:
    """The buyer may pay and the seller may give back, whatever the arbiter thinks."""
    order = disputed(town)
    town.ok(who, f"escrow.{name}", Confirm(order) if name == "confirm" else Cancel(order))
    assert balance(town, BOB) == START_MINOR + minor
    assert town.refused(JUDGE, "escrow.decide", Decide(order, 1, None)) == "order_settled"


def test_only_what_is_left_is_decided(town: Trial) -> None:
    """Accepted milestones are the seller's already."""
    order = bought(town, milestones=(Milestone(6_000, None), Milestone(4_000, None)))
    town.ok(ALICE, "escrow.accept_milestone", AcceptMilestone(order, 1))
    town.ok(BOB, "escrow.dispute", Dispute(order, "unfinished", (PIECE,)))
    assert town.refused(ALICE, "escrow.accept_milestone", AcceptMilestone(order, 2)) == "order_disputed"
    assert town.refused(JUDGE, "escrow.decide", Decide(order, 4_001, None)) == "award_above_held"
    town.ok(JUDGE, "escrow.decide", Decide(order, 0, None))
    assert (balance(town, ALICE), balance(town, BOB)) == (START_MINOR - 6_000, START_MINOR + 6_000)


def test_the_ladder_of_disputes(town: Trial) -> None:
    """Who may, and when."""
    order = disputed(town)
    quiet = bought(town)
    own = town.ok(JUDGE, "escrow.buy", terms(town, amount_minor=5)).order
    town.ok(JUDGE, "escrow.dispute", Dispute(own, "other", (PIECE,)))
    assert town.refused(CAROL, "escrow.decide", Decide(order, 1, None)) == "not_an_arbiter"
    assert town.refused(JUDGE, "escrow.decide", Decide(bytes(16), 1, None)) == "order_not_found"
    assert town.refused(JUDGE, "escrow.decide", Decide(quiet, 1, None)) == "order_not_disputed"
    assert town.refused(JUDGE, "escrow.decide", Decide(own, 1, None)) == "arbiter_is_party"
    assert town.refused(CAROL, "escrow.dispute", Dispute(order, "other", (PIECE,))) == "order_not_yours"
    assert town.refused(BOB, "escrow.dispute", Dispute(order, "other", (PIECE,))) == "order_disputed"
    assert town.refused(BOB, "escrow.answer", AnswerDispute(quiet, (PIECE,))) == "order_not_disputed"
    assert town.refused(CAROL, "escrow.answer", AnswerDispute(order, (PIECE,))) == "order_not_yours"
    assert town.refused(ALICE, "escrow.cancel", Cancel(order)) == "order_disputed"
    assert town.refused(BOB, "escrow.ship", Ship(order, None)) == "order_disputed"
    assert town.refused(BOB, "escrow.extend", Extend(order, town.now_ns + 1)) == "order_disputed"
    town.ok(BOB, "escrow.answer", AnswerDispute(order, (PIECE,) * 8))
    assert town.refused(BOB, "escrow.answer", AnswerDispute(order, (PIECE,) * 8)) == "evidence_full"
    with pytest.raises(Refusal) as caught:
        town.ask("escrow.disputes", ALICE, AskDisputes())
    assert caught.value.code == "not_an_arbiter"
