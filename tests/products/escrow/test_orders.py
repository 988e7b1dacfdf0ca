"""Orders: every way that one can go, who may do what, and that no cent is lost on any of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from nacl.signing import SigningKey

from formicary.products.escrow.answers import AskOrder, AskOrders, AskOwed
from formicary.products.escrow.commands import (
    AcceptMilestone,
    Cancel,
    Collect,
    Confirm,
    Deliver,
    Extend,
    Milestone,
    Ship,
)
from formicary.products.escrow.parcels import code_digest
from formicary.testing.trial import Trial

from tests.products.escrow.support import CARRIER, CODE, DAY_NS, START_MINOR, Told, bought, new_town, signed, terms
from tests.products.escrow.town import ALICE, BOB, CAROL, JUDGE, STRANGER, USD, SetState, balance, lines, spent

Step = tuple[str, Any]


@pytest.fixture
def town() -> Iterator[Trial]:
    """A town whose whole history replays to the same digest after each test."""
    made = new_town()
    yield made
    made.replay()
    made.close()


def state(town: Trial, order: bytes) -> str:
    """How an order stands."""
    seen: str = town.ask("escrow.order", ALICE, AskOrder(order=order)).state
    return seen


def test_a_cancelled_order_gives_every_cent_back_at_once(town: Trial) -> None:
    """Before shipment the buyer needs nobody's leave, and the limits count as if nothing had been bought."""
    order = bought(town)
    assert (balance(town, ALICE), spent(town, ALICE)) == (START_MINOR - 10_000, 10_000)
    town.ok(ALICE, "escrow.cancel", Cancel(order))
    assert (balance(town, ALICE), balance(town, BOB), spent(town, ALICE)) == (START_MINOR, START_MINOR, 0)
    assert state(town, order) == "refunded"
    assert lines(town) == [("escrow", ALICE, BOB, 10_000, "returned")]
    assert town.machine.next_due() is None, "an ended order waits for nothing"


def test_after_shipment_only_the_seller_calls_it_off(town: Trial) -> None:
    """The buyer's way is then a dispute; the seller may always give the money back."""
    order = bought(town)
    town.ok(BOB, "escrow.ship", Ship(order, None))
    assert town.refused(ALICE, "escrow.cancel", Cancel(order)) == "order_shipped"
    town.ok(BOB, "escrow.cancel", Cancel(order))
    assert balance(town, ALICE) == START_MINOR


def test_a_signed_delivery_with_the_code_pays_the_seller(town: Trial) -> None:
    """Nobody has to do anything: the carrier's key and the recipient's code are enough."""
    order = bought(town)
    town.ok(BOB, "escrow.ship", Ship(order, None))
    town.ok(STRANGER, "escrow.deliver", signed(order))
    assert (balance(town, ALICE), balance(town, BOB)) == (START_MINOR - 10_000, START_MINOR + 10_000)
    assert state(town, order) == "settled"
    assert lines(town) == [("escrow", ALICE, BOB, 10_000, "paid"), ("escrow_out", ALICE, BOB, 10_000, "paid")]
    assert town.refused(STRANGER, "escrow.deliver", signed(order)) == "order_settled"


def test_a_delivery_can_leave_time_to_look(town: Trial) -> None:
    """With an inspection the money waits for it, and follows by itself."""
    order = bought(town, inspect_s=86_400)
    town.ok(BOB, "escrow.ship", Ship(order, None))
    town.ok(BOB, "escrow.deliver", signed(order))
    assert (state(town, order), balance(town, BOB)) == ("delivered", START_MINOR)
    assert town.refused(BOB, "escrow.deliver", signed(order, "LOST")) == "order_delivered"
    town.wait(hours=25)
    assert (state(town, order), balance(town, BOB)) == ("settled", START_MINOR + 10_000)


def test_a_lost_parcel_gives_the_money_back_and_tells_the_cover() -> None:
    """The carrier's own word for it is enough; the cover is told which order."""
    cover = Told()
    town = new_town(cover)
    order = bought(town)
    town.ok(BOB, "escrow.ship", Ship(order, None))
    town.ok(CAROL, "escrow.deliver", signed(order, "LOST"))
    assert (balance(town, ALICE), cover.calls) == (START_MINOR, [("lost", order)])
    town.replay()


@pytest.mark.parametrize(("silence", "paid_minor"), [("release", 10_000), ("refund", 0)])
def test_silence_means_what_the_order_said(silence: str, paid_minor: int) -> None:
    """No news in time: the seller is paid or the buyer is, and the cover hears that it is late."""
    cover = Told()
    town = new_town(cover)
    order = bought(town, silence=silence)
    town.ok(BOB, "escrow.ship", Ship(order, None))
    town.wait(days=13)
    assert balance(town, BOB) == START_MINOR
    town.wait(days=2)
    assert (balance(town, ALICE), balance(town, BOB)) == (
        START_MINOR - paid_minor,
        START_MINOR + paid_minor,
    )
    assert cover.calls == [("late", order)]
    town.replay()


def test_what_is_not_shipped_in_time_comes_back(town: Trial) -> None:
    """A seller who does nothing gets nothing."""
    bought(town)
    town.wait(days=8)
    assert balance(town, ALICE) == START_MINOR


def test_the_buyer_may_pay_at_any_time(town: Trial) -> None:
    """Handed over in person, there is neither shipment nor carrier."""
    order = bought(town, carrier=None, carrier_key=None, code=None)
    assert town.refused(BOB, "escrow.deliver", signed(order)) == "order_without_carrier"
    town.ok(ALICE, "escrow.confirm", Confirm(order))
    assert balance(town, BOB) == START_MINOR + 10_000


def test_an_order_tells_whose_signature_counts(town: Trial) -> None:
    """Both sides see the carrier's key and the code's digest, and may bring its word until it has been brought."""
    order = bought(town, inspect_s=86_400)
    for who in (ALICE, BOB):
        told = town.ask("escrow.order", who, AskOrder(order=order))
        assert (told.carrier_key, told.code) == (bytes(CARRIER.verify_key), code_digest(CODE))
        assert "deliver" in told.may
    town.ok(STRANGER, "escrow.deliver", signed(order))  # whoever brings it, the carrier's key counts
    assert "deliver" not in town.ask("escrow.order", ALICE, AskOrder(order=order)).may
    bare = town.ask("escrow.order", ALICE, AskOrder(order=bought(town, carrier=None, carrier_key=None, code=None)))
    assert (bare.carrier_key, bare.code) == (None, None)
    assert "deliver" not in bare.may


def test_whom_a_deadline_serves_may_move_it(town: Trial) -> None:
    """Nobody can put off what works against them: that is what a dispute is for."""
    order = bought(town, silence="release", inspect_s=86_400)
    later = Extend(order, town.now_ns + 9 * DAY_NS)
    assert town.refused(BOB, "escrow.extend", later) == "order_not_yours"
    assert town.refused(ALICE, "escrow.extend", Extend(order, town.now_ns)) == "extension_not_later"
    town.ok(ALICE, "escrow.extend", later)
    town.wait(days=8)
    town.ok(BOB, "escrow.ship", Ship(order, None))
    later = Extend(order, town.now_ns + 20 * DAY_NS)
    assert town.refused(ALICE, "escrow.extend", later) == "order_not_yours"
    town.ok(BOB, "escrow.extend", later)
    town.wait(days=19)
    assert balance(town, BOB) == START_MINOR
    town.wait(days=2)
    assert balance(town, BOB) == START_MINOR + 10_000


def test_milestones_are_paid_one_by_one(town: Trial) -> None:
    """What was accepted stays paid when the rest is called off."""
    parts = (Milestone(3_000, None), Milestone(2_000, None), Milestone(5_000, None))
    order = bought(town, milestones=parts)
    town.ok(ALICE, "escrow.accept_milestone", AcceptMilestone(order, 2))
    assert balance(town, BOB) == START_MINOR + 2_000
    assert town.refused(ALICE, "escrow.accept_milestone", AcceptMilestone(order, 2)) == "milestone_accepted"
    assert town.refused(ALICE, "escrow.accept_milestone", AcceptMilestone(order, 4)) == "milestone_not_found"
    assert town.refused(BOB, "escrow.accept_milestone", AcceptMilestone(order, 1)) == "order_not_yours"
    town.ok(BOB, "escrow.cancel", Cancel(order))
    assert (balance(town, ALICE), balance(town, BOB)) == (START_MINOR - 2_000, START_MINOR + 2_000)
    assert state(town, order) == "settled"
    assert lines(town) == [
        ("escrow", ALICE, BOB, 10_000, "paid"),
        ("escrow_back", BOB, ALICE, 8_000, "paid"),
        ("escrow_out", ALICE, BOB, 2_000, "paid"),
    ]


def test_the_last_milestone_settles(town: Trial) -> None:
    """Nothing is left to wait for."""
    order = bought(town, milestones=(Milestone(9_999, None), Milestone(1, None)))
    for number in (1, 2):
        town.ok(ALICE, "escrow.accept_milestone", AcceptMilestone(order, number))
    assert (state(town, order), balance(town, BOB)) == ("settled", START_MINOR + 10_000)
    assert town.machine.next_due() is None


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"seller": ALICE, "ship_by_ns": 1}, "order_with_oneself"),
        ({"ship_by_ns": 1, "silence_s": 0}, "order_deadline_past"),
        ({"ship_by_ns": 2**62, "silence_s": 0}, "order_deadline_far"),
        ({"silence_s": 3599, "code": None}, "order_silence_out_of_range"),
        ({"silence_s": 91 * 86_400}, "order_silence_out_of_range"),
        ({"inspect_s": 31 * 86_400}, "order_silence_out_of_range"),
        ({"code": None, "milestones": (Milestone(1, None),)}, "order_carrier_incomplete"),
        ({"milestones": (Milestone(1, None),), "seller": STRANGER}, "milestones_do_not_add_up"),
        ({"seller": STRANGER, "amount_minor": 2_000_001}, "person_unknown"),
        ({"asset": USD, "amount_minor": 2_000_001}, "currency_not_open"),
        ({"amount_minor": 2_000_001}, "balance_limit"),
        ({"amount_minor": 1_000_001}, "limit_payment"),
        ({"amount_minor": START_MINOR + 1}, "exceeds_credits"),
    ],
)
def test_the_ladder_of_buying(town: Trial, changes: dict[str, Any], code: str) -> None:
    """Each rung refuses before the ones below it, and nothing happened."""
    assert town.refused(ALICE, "escrow.buy", terms(town, **changes)) == code
    assert (balance(town, ALICE), spent(town, ALICE)) == (START_MINOR, 0)


def test_the_ladder_of_delivering(town: Trial) -> None:
    """A wrong code, another key, another order's signature: none of them moves money."""
    order, other = bought(town), bought(town)
    assert town.refused(BOB, "escrow.deliver", signed(bytes(16))) == "order_not_found"
    assert town.refused(BOB, "escrow.deliver", signed(order, code=b"guess")) == "delivery_code_wrong"
    assert town.refused(BOB, "escrow.deliver", signed(order, "LOST", CODE)) == "delivery_code_wrong"
    forged = signed(order, key=SigningKey(b"\1" * 32))
    assert town.refused(BOB, "escrow.deliver", forged) == "delivery_signature_wrong"
    moved = Deliver(order, "DELIVERED", CODE, signed(other).signature)
    assert town.refused(BOB, "escrow.deliver", moved) == "delivery_signature_wrong"
    flipped = Deliver(order, "LOST", b"", signed(order).signature)
    assert town.refused(BOB, "escrow.deliver", flipped) == "delivery_signature_wrong"
    assert balance(town, BOB) == START_MINOR


def test_others_have_no_part_in_it(town: Trial) -> None:
    """Neither buyer nor seller: every command of an order is refused, and so is looking at it."""
    order = bought(town)
    for name, body in (
        ("cancel", Cancel(order)),
        ("ship", Ship(order, None)),
        ("confirm", Confirm(order)),
        ("extend", Extend(order, town.now_ns + 9 * DAY_NS)),
        ("accept_milestone", AcceptMilestone(order, 1)),
    ):
        assert town.refused(CAROL, f"escrow.{name}", body) == "order_not_yours"
        missing = type(body)(bytes(16), *[getattr(body, field) for field in body.__struct_fields__[1:]])
        assert town.refused(CAROL, f"escrow.{name}", missing) == "order_not_found"
    assert town.refused(ALICE, "escrow.ship", Ship(order, None)) == "order_not_yours"
    assert town.refused(BOB, "escrow.confirm", Confirm(order)) == "order_not_yours"
    with pytest.raises(Exception, match="order") as caught:
        town.ask("escrow.order", CAROL, AskOrder(order=order))
    assert caught.value.code == "order_not_yours"  # type: ignore[attr-defined]


def test_an_order_ends_once(town: Trial) -> None:
    """Whatever comes after its end is refused with one code."""
    order = bought(town)
    town.ok(ALICE, "escrow.confirm", Confirm(order))
    for who, name, body in (
        (ALICE, "cancel", Cancel(order)),
        (BOB, "ship", Ship(order, None)),
        (ALICE, "confirm", Confirm(order)),
        (BOB, "deliver", signed(order)),
        (ALICE, "extend", Extend(order, town.now_ns + DAY_NS)),
        (ALICE, "accept_milestone", AcceptMilestone(order, 1)),
    ):
        assert town.refused(who, f"escrow.{name}", body) == "order_settled"
    assert balance(town, BOB) == START_MINOR + 10_000


def test_what_a_frozen_seller_earned_waits_for_them(town: Trial) -> None:
    """The order ends all the same; the money is owed, tried again each day, and can be collected."""
    order = bought(town)
    town.ok(JUDGE, "town.set_state", SetState(BOB, "frozen"))
    town.ok(ALICE, "escrow.confirm", Confirm(order))
    (owed,) = town.ask("escrow.owed", BOB, AskOwed()).items
    assert (owed.amount_minor, owed.why, owed.reference) == (10_000, "person_frozen", order)
    assert town.refused(BOB, "escrow.collect", Collect(owed.owed)) == "person_frozen"
    assert town.refused(ALICE, "escrow.collect", Collect(owed.owed)) == "owed_not_yours"
    assert town.refused(BOB, "escrow.collect", Collect(bytes(16))) == "owed_not_found"
    town.wait(days=3)
    town.ok(JUDGE, "town.set_state", SetState(BOB, "open"))
    assert balance(town, BOB) == START_MINOR
    town.wait(days=1)
    assert (balance(town, BOB), town.ask("escrow.owed", BOB, AskOwed()).items) == (START_MINOR + 10_000, ())
    assert ("escrow_out", ALICE, BOB, 10_000, "paid") in lines(town), "written down once it was paid"


def test_what_comes_back_to_a_closed_purse_can_be_collected(town: Trial) -> None:
    """After a month of trying, escrow waits until the owner comes."""
    bought(town)
    town.ok(JUDGE, "town.set_state", SetState(ALICE, "closed"))
    town.wait(days=60)
    assert town.machine.next_due() is None, "it stops trying after a month"
    (owed,) = town.ask("escrow.owed", ALICE, AskOwed()).items
    assert owed.why == "purse_gone"
    town.ok(JUDGE, "town.set_state", SetState(ALICE, "open"))
    town.ok(ALICE, "escrow.collect", Collect(owed.owed))
    assert balance(town, ALICE) == START_MINOR


def test_staff_act_for_a_shop() -> None:
    """Whom the shop has appointed ships and cancels; nobody else does, and no arbiter is of the staff."""

    class Clerk:
        def acts_for(self, _context: Any, who: bytes, party: bytes) -> bool:
            return (who, party) == (CAROL, BOB)

    town = new_town(staff=Clerk())
    order = bought(town)
    assert town.refused(JUDGE, "escrow.ship", Ship(order, None)) == "order_not_yours"
    town.ok(CAROL, "escrow.ship", Ship(order, None))
    assert town.ask("escrow.order", CAROL, AskOrder(order=order)).may == ("cancel", "extend", "dispute", "deliver")
    assert len(town.ask("escrow.orders", CAROL, AskOrders(role="seller", party=BOB)).items) == 1
    town.ok(CAROL, "escrow.cancel", Cancel(order))
    assert balance(town, ALICE) == START_MINOR
    town.replay()


def test_lists_and_timelines(town: Trial) -> None:
    """Newest first, in pages that join without a gap; a timeline tells who did what and what was paid."""
    made = [bought(town, amount_minor=number) for number in range(1, 6)]
    first = town.ask("escrow.orders", ALICE, AskOrders(limit=2))
    second = town.ask("escrow.orders", ALICE, AskOrders(limit=2, after=first.next))
    third = town.ask("escrow.orders", ALICE, AskOrders(limit=2, after=second.next))
    assert [line.order for page in (first, second, third) for line in page.items] == made[::-1]
    assert third.next == ""
    assert town.ask("escrow.orders", BOB, AskOrders(role="seller", limit=100)).items[0].order == made[-1]
    assert town.ask("escrow.orders", BOB, AskOrders()).items == ()
    town.ok(BOB, "escrow.ship", Ship(made[4], b"t" * 16))
    town.wait(days=15)
    seen = town.ask("escrow.order", BOB, AskOrder(order=made[4]))
    assert [(line.step, line.party, line.detail, line.seller_minor) for line in seen.timeline] == [
        ("funded", ALICE, "", 0),
        ("shipped", BOB, "", 0),
        ("released", None, "silence", 5),
    ]
    assert seen.timeline[1].text == b"t" * 16
    assert seen.may == ()


def test_both_sides_are_told(town: Trial) -> None:
    """Each step is an event for the buyer and one for the seller."""
    order = bought(town)
    town.ok(ALICE, "escrow.confirm", Confirm(order))
    told = [(event.subject, event.kind) for event in town.events if event.product == "escrow"]
    assert told == [(ALICE, "order_moved"), (BOB, "order_moved")] * 2
    assert town.happened("escrow.order_moved")[-1].seller_minor == 10_000
