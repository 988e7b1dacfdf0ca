"""Escrow among the real products: the wallet's limits, the activity list, and a first order that is called off."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from formicary.kernel.objects import Account, Transfer
from formicary.products.anatomy import CommandType, Message, Product
from formicary.products.escrow.answers import AskOrder
from formicary.products.escrow.commands import AcceptMilestone, Cancel, Confirm, Decide, Dispute, Milestone, Ship
from formicary.products.pay.answers import AskActivity, AskSpending
from formicary.products.pay.commands import PaymentMade
from formicary.products.pay.offers import Ledgerbook
from formicary.products.wallet.commands import Appoint, Open
from formicary.products.wallet.offers import Purses
from formicary.stack import standard_products
from formicary.testing.trial import Trial

from tests.products.escrow.support import signed, terms
from tests.products.escrow.town import ALICE, BOB, EUR, JUDGE

START_MINOR = 9_000


class Grant(Message, frozen=True):
    """Give the signer money from nowhere."""


def _grant(context: Any, _command: Grant) -> None:
    purse = Purses().purse(context, context.signer, EUR)
    mint = context.new_id("mint")
    context.open_account(Account(id=mint, asset=EUR, code=4999))
    moved = Transfer(id=context.new_id("grant"), debit=mint, credit=purse, amount=START_MINOR, asset=EUR, code=4999)
    context.transfer(moved)


@pytest.fixture
def town() -> Iterator[Trial]:
    """The standard products, three people, one of them an arbiter."""
    mint = Product(name="mint", commands=(CommandType(name="grant", body=Grant, handler=_grant),))
    made = Trial([*standard_products(), mint])
    for who in (ALICE, BOB, JUDGE):
        made.ok(who, "wallet.open", Open((EUR,), None))
    made.ok(ALICE, "mint.grant", Grant())
    made.ok(b"node", "wallet.appoint", Appoint(JUDGE, "arbiter"))
    yield made
    made.replay()
    made.close()


def balance(town: Trial, who: bytes) -> int:
    """What somebody can spend."""
    view = town.view("wallet")
    purse = Purses().purse(view, who, EUR)
    account = None if purse is None else view.account(purse)
    assert account is not None
    return account.credits_posted - account.debits_posted - account.debits_held


def shown(town: Trial, payment: bytes) -> str:
    """How the activity list shows a payment."""
    row = Ledgerbook().find(town.view("pay"), payment)
    assert row is not None
    return row.state


def test_an_order_that_is_called_off(town: Trial) -> None:
    """Every cent is back at once, and so is the day's limit: it can be bought again and again."""
    for _ in range(30):
        order = town.ok(ALICE, "escrow.buy", terms(town, amount_minor=9_000)).order
        assert balance(town, ALICE) == 0
        town.ok(ALICE, "escrow.cancel", Cancel(order))
        assert (balance(town, ALICE), shown(town, order)) == (9_000, "returned")


def test_an_order_that_arrives(town: Trial) -> None:
    """Signed by the carrier, with the code: the seller has the money."""
    order = town.ok(ALICE, "escrow.buy", terms(town, amount_minor=2_500)).order
    assert shown(town, order) == "held"
    town.ok(BOB, "escrow.ship", Ship(order, None))
    town.ok(BOB, "escrow.deliver", signed(order))
    assert (balance(town, BOB), shown(town, order)) == (2_500, "paid")


def test_an_arbiter_by_appointment(town: Trial) -> None:
    """The wallet says who may decide."""
    order = town.ok(ALICE, "escrow.buy", terms(town, amount_minor=2_500)).order
    town.ok(ALICE, "escrow.dispute", Dispute(order, "other", (bytes(16),)))
    assert town.refused(BOB, "escrow.decide", Decide(order, 1_000, None)) == "not_an_arbiter"
    assert town.ask("escrow.order", JUDGE, AskOrder(order=order)).may == ("decide",)
    town.ok(JUDGE, "escrow.decide", Decide(order, 1_000, None))
    assert (balance(town, ALICE), balance(town, BOB), shown(town, order)) == (8_000, 1_000, "paid")
    assert town.refused(ALICE, "escrow.confirm", Confirm(order)) == "order_settled"


def activity(town: Trial, who: bytes) -> list[tuple[str, str, int, str, bytes | None]]:
    """What somebody's activity list shows, oldest first."""
    items = town.ask("pay.activity", who, AskActivity()).items
    return [(item.kind, item.direction, item.amount_minor, item.state, item.other) for item in reversed(items)]


def test_a_seller_sees_what_was_paid_out(town: Trial) -> None:
    """Part by part as it came, from whom, and told at once; what went back never was theirs."""
    parts = (Milestone(500, None), Milestone(2_000, None))
    order = town.ok(ALICE, "escrow.buy", terms(town, amount_minor=2_500, milestones=parts, note=bytes(16))).order
    assert activity(town, BOB) == [("escrow", "in", 2_500, "held", ALICE)]
    town.ok(ALICE, "escrow.accept_milestone", AcceptMilestone(order, 1))
    assert activity(town, BOB)[1:] == [("escrow_out", "in", 500, "paid", ALICE)]
    told = [event for event in town.events if event.kind == "payment_made" and event.subject == BOB]
    assert msgspec.msgpack.decode(told[-1].payload, type=PaymentMade).kind == "escrow_out"
    town.ok(ALICE, "escrow.dispute", Dispute(order, "other", (bytes(16),)))
    town.ok(JUDGE, "escrow.decide", Decide(order, 700, None))
    assert activity(town, BOB) == [("escrow_out", "in", 500, "paid", ALICE), ("escrow_out", "in", 700, "paid", ALICE)]
    assert sum(line[2] for line in activity(town, BOB)) == balance(town, BOB) == 1_200
    assert activity(town, ALICE) == [("escrow", "out", 2_500, "paid", BOB), ("escrow_back", "in", 1_300, "paid", BOB)]
    (newest, *_) = town.ask("pay.activity", BOB, AskActivity()).items
    assert (newest.reference, newest.note, newest.purpose) == (order, bytes(16), "goods")
    assert town.ask("pay.spending", BOB, AskSpending(asset=EUR)).items == ()


def test_an_order_that_went_back_is_seen_as_such(town: Trial) -> None:
    """Nothing came, and both sides' lists say so."""
    order = town.ok(ALICE, "escrow.buy", terms(town, amount_minor=2_500)).order
    town.ok(BOB, "escrow.cancel", Cancel(order))
    assert activity(town, BOB) == [("escrow", "in", 2_500, "returned", ALICE)]
    assert activity(town, ALICE) == [("escrow", "out", 2_500, "returned", BOB)]
