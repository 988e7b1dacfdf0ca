"""Story 1: a student orders, fears a scam and cancels before shipment; every cent is back at once."""

from __future__ import annotations

from formicary.testing.town_process import TownProcess

from tests.stories.telling import purchase_of, shop_money, somebody

PRICE_MINOR = 4_990
FUNDS_MINOR = 12_000


def test_every_cent_is_back_at_once(town: TownProcess) -> None:
    """The money leaves when the student orders, and is all there again when the call-off is answered."""
    shop, emil = town.told["shops"]["booknook"], town.enter("emil")
    student = somebody(town, "Stella", FUNDS_MINOR)
    before = shop_money(emil, shop)

    order = student.done("/v1/escrow/buy", **purchase_of(shop, PRICE_MINOR, note="Second-hand textbook"))["order"]
    assert student.money() == money(FUNDS_MINOR - PRICE_MINOR), "what is ordered can't be spent twice"
    assert shop_money(emil, shop) == before, "the shop is not paid by an order"
    assert "cancel" in student.get("/v1/escrow/order", order=order)["may"]

    student.done("/v1/escrow/cancel", order=order)
    assert student.money() == money(FUNDS_MINOR), "every cent, at once"
    assert shop_money(emil, shop) == before
    seen = student.get("/v1/escrow/order", order=order)
    assert (seen["state"], seen["buyer_minor"], seen["held_minor"]) == ("refunded", PRICE_MINOR, 0)
    assert [step["step"] for step in seen["timeline"]] == ["funded", "cancelled"]
    newest = student.get("/v1/pay/activity")["items"][0]
    assert (newest["kind"], newest["state"]) == ("escrow", "returned"), "the list says how it ended"


def test_a_cancelled_order_stays_cancelled(town: TownProcess) -> None:
    """It can neither be shipped nor cancelled again, so that no cent comes back twice."""
    shop, emil = town.told["shops"]["booknook"], town.enter("emil")
    student = somebody(town, "Stella", FUNDS_MINOR)
    order = student.done("/v1/escrow/buy", **purchase_of(shop, PRICE_MINOR))["order"]
    student.done("/v1/escrow/cancel", order=order)
    assert student.refused("/v1/escrow/cancel", order=order).status == 409
    assert emil.refused("/v1/escrow/ship", order=order, tracking=None).status == 409
    assert student.money() == money(FUNDS_MINOR)


def test_the_same_request_twice_cancels_once(town: TownProcess) -> None:
    """A phone that heard no answer asks again under the same key, and gets the same answer."""
    shop = town.told["shops"]["booknook"]
    student = somebody(town, "Stella", FUNDS_MINOR)
    first = student.done(
        "/v1/escrow/buy", idempotency_key="story-one-buys-once", **(wish := purchase_of(shop, PRICE_MINOR))
    )
    assert student.done("/v1/escrow/buy", idempotency_key="story-one-buys-once", **wish) == first
    assert student.money() == money(FUNDS_MINOR - PRICE_MINOR), "ordered once"
    for _ in range(2):
        student.done("/v1/escrow/cancel", idempotency_key="story-one-cancels-once", order=first["order"])
    assert student.money() == money(FUNDS_MINOR)


def test_after_shipment_the_seller_alone_cancels(town: TownProcess) -> None:
    """Once the parcel is on its way the buyer disputes instead; the seller may still give everything back."""
    shop, emil = town.told["shops"]["booknook"], town.enter("emil")
    student = somebody(town, "Stella", FUNDS_MINOR)
    order = student.done("/v1/escrow/buy", **purchase_of(shop, PRICE_MINOR))["order"]
    emil.done("/v1/escrow/ship", order=order, tracking="3SABCD1234567")
    refusal = student.refused("/v1/escrow/cancel", order=order)
    assert refusal.status == 409
    assert refusal.problem["detail"], "it says why"
    assert "dispute" in student.get("/v1/escrow/order", order=order)["may"]
    emil.done("/v1/escrow/cancel", order=order)
    assert student.money() == money(FUNDS_MINOR)


def money(minor: int) -> dict[str, int]:
    """A purse of which nothing is held."""
    return {"balance_minor": minor, "available_minor": minor, "held_minor": 0}
