"""Story 2: a parcel signed as delivered, with the recipient's code, releases the money; lost or late, it comes back.

No news in time releases or refunds as the order said. Silence lasts an hour at least, so that those two stories are
told on the whole gateway in this process, whose clock a test may move; the others on the town that runs.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

import pytest
from nacl.signing import SigningKey

from formicary.products.escrow.parcels import parcel_bytes
from formicary.testing.town_process import Browser, TownProcess

from tests.gateway.town import Town
from tests.stories.telling import purchase_of, shop_money, somebody, soon, until

PRICE_MINOR = 6_300
FUNDS_MINOR = 12_000
CARRIER = SigningKey(b"the carrier's key, 32 bytes long")
CODE = b"4711"


def carried(seller: str, **more: object) -> dict[str, object]:
    """An order that a carrier brings."""
    key, code = bytes(CARRIER.verify_key).hex(), hashlib.sha256(CODE).hexdigest()
    return purchase_of(seller, PRICE_MINOR, **({"carrier_key": key, "code": code} | more))


def news(order: str, status: str, code: bytes = b"", key: SigningKey = CARRIER) -> dict[str, str]:
    """What a carrier says of an order, signed."""
    signature = key.sign(parcel_bytes(bytes.fromhex(order), status, code)).signature
    return {"order": order, "status": status, "code": code.hex(), "signature": signature.hex()}


def bought(town: TownProcess, **more: object) -> tuple[Browser, str, int]:
    """A buyer, an order that is on its way, and what the shop had before."""
    shop, emil = town.told["shops"]["booknook"], town.enter("emil")
    before = shop_money(emil, shop)
    buyer = somebody(town, "Bea", FUNDS_MINOR)
    order = buyer.done("/v1/escrow/buy", **carried(shop, **more))["order"]
    emil.done("/v1/escrow/ship", order=order, tracking="JJD000390007")
    return buyer, order, before


def test_the_carriers_word_with_the_recipients_code_releases(town: TownProcess) -> None:
    """The shop is paid in full the moment the signed delivery arrives, whoever brings it."""
    shop, emil = town.told["shops"]["booknook"], town.enter("emil")
    buyer, order, before = bought(town)
    assert shop_money(emil, shop) == before
    town.enter("ben").done("/v1/escrow/deliver", **news(order, "DELIVERED", CODE))
    assert shop_money(emil, shop) == before + PRICE_MINOR
    assert buyer.money()["balance_minor"] == FUNDS_MINOR - PRICE_MINOR
    assert buyer.get("/v1/escrow/order", order=order)["state"] == "settled"
    again = emil.refused("/v1/escrow/deliver", **news(order, "DELIVERED", CODE))
    assert again.status == 409, "delivered once, paid once"
    assert shop_money(emil, shop) == before + PRICE_MINOR


def test_a_delivery_that_is_not_one_pays_nobody(town: TownProcess) -> None:
    """A guessed code, a foreign key, another order's signature and a changed status are refused, and say why."""
    shop, emil = town.told["shops"]["booknook"], town.enter("emil")
    buyer, order, before = bought(town)
    _, other, _ = bought(town)
    foreign = SigningKey(b"somebody else's key, 32 bytes ..")
    tries = {
        "delivery_code_wrong": news(order, "DELIVERED", b"0000"),
        "delivery_signature_wrong": news(order, "DELIVERED", CODE, foreign),
    }
    for code, told in tries.items():
        refusal = emil.refused("/v1/escrow/deliver", **told)
        assert refusal.code == code
        assert refusal.problem["detail"]
    moved = {**news(other, "DELIVERED", CODE), "order": order}
    assert emil.refused("/v1/escrow/deliver", **moved).code == "delivery_signature_wrong"
    turned = {**news(order, "LOST"), "status": "DELIVERED", "code": CODE.hex()}
    assert emil.refused("/v1/escrow/deliver", **turned).code == "delivery_signature_wrong"
    assert shop_money(emil, shop) == before
    assert buyer.get("/v1/escrow/order", order=order)["state"] == "shipped"


def test_a_lost_parcel_gives_everything_back(town: TownProcess) -> None:
    """The carrier signs LOST: the buyer has all of it at once, without a form."""
    shop, emil = town.told["shops"]["booknook"], town.enter("emil")
    buyer, order, before = bought(town)
    emil.done("/v1/escrow/deliver", **news(order, "LOST"))
    assert buyer.money()["available_minor"] == FUNDS_MINOR
    assert shop_money(emil, shop) == before
    assert buyer.get("/v1/escrow/order", order=order)["state"] == "refunded"


def test_what_is_late_comes_back_by_itself(town: TownProcess) -> None:
    """Not shipped by the order's time, the money returns though nobody does anything; too late is refused."""
    shop, emil = town.told["shops"]["booknook"], town.enter("emil")
    buyer = somebody(town, "Bea", FUNDS_MINOR)
    order = buyer.done("/v1/escrow/buy", **purchase_of(shop, PRICE_MINOR, ship_by=soon(2)))["order"]
    assert buyer.money()["available_minor"] == FUNDS_MINOR - PRICE_MINOR
    until(lambda: buyer.money()["available_minor"] == FUNDS_MINOR, what="the refund of what was not shipped")
    assert buyer.get("/v1/escrow/order", order=order)["state"] == "refunded"
    assert emil.refused("/v1/escrow/ship", order=order, tracking=None).status == 409


def test_time_to_look_at_it(town: TownProcess) -> None:
    """Where the order gives the buyer time to look, the shop is paid after it, unless the buyer disputes."""
    shop, emil = town.told["shops"]["booknook"], town.enter("emil")
    buyer, order, before = bought(town, inspect_s=2)
    emil.done("/v1/escrow/deliver", **news(order, "DELIVERED", CODE))
    assert buyer.get("/v1/escrow/order", order=order)["state"] == "delivered"
    until(lambda: shop_money(emil, shop) == before + PRICE_MINOR, what="the end of the time to look")

    before = shop_money(emil, shop)
    buyer, order, _ = bought(town, inspect_s=2)
    emil.done("/v1/escrow/deliver", **news(order, "DELIVERED", CODE))
    buyer.done("/v1/escrow/dispute", order=order, reason="damaged", evidence=["The corner is crushed."])
    olivia = town.enter("olivia")
    olivia.confirm()
    olivia.done("/v1/escrow/decide", order=order, seller_minor=PRICE_MINOR - 1_000, reason="A fifth for the corner.")
    assert buyer.money()["available_minor"] == FUNDS_MINOR - PRICE_MINOR + 1_000
    assert shop_money(emil, shop) == before + PRICE_MINOR - 1_000


# ── silence, on a clock that can be moved ───────────────────────────────────────────────────────────────────────────


@pytest.fixture
def still_town() -> Iterator[Town]:
    """The whole gateway with its standard products; time passes when a test says so."""
    made = Town(session_idle_s=86_400, session_absolute_s=864_000)
    yield made
    made.close()


@pytest.mark.parametrize(("silence", "buyer_minor", "seller_minor"), [("release", 0, 6_300), ("refund", 6_300, 0)])
def test_no_news_in_time_does_what_the_order_said(
    still_town: Town, silence: str, buyer_minor: int, seller_minor: int
) -> None:
    """Shipped, and nobody says anything for the order's two hours: it ends as it was agreed, and not before."""
    buyer, seller = still_town.person("Bea", alias="bea"), still_town.person("Sol", alias="sol")
    still_town.fund(buyer, PRICE_MINOR)
    wish = purchase_of(seller.id, PRICE_MINOR, silence=silence, silence_s=7_200)
    answer = buyer.post("/v1/escrow/buy", **wish)
    assert answer.status_code == 200, answer.text
    order = answer.json()["order"]
    assert seller.post("/v1/escrow/ship", order=order, tracking=None).status_code == 200
    still_town.wait(seconds=7_100)
    still_town.settle(0.2)
    assert buyer.get("/v1/escrow/order", order=order).json()["state"] == "shipped"
    still_town.wait(seconds=200)

    def ended() -> bool:
        still_town.settle()
        return str(buyer.get("/v1/escrow/order", order=order).json()["state"]) in {"settled", "refunded"}

    until(ended, what="the end of silence")
    for person, expected in ((buyer, buyer_minor), (seller, seller_minor)):
        items = person.get("/v1/wallet/accounts").json()["items"]
        assert [item["balance_minor"] for item in items] == [expected]
