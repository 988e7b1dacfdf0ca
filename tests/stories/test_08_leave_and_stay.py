"""Story 8: scan goods, pay, leave with a one-use exit token; and a hotel where one consent does all of checking in."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from formicary.testing.town_process import Browser, TownProcess

from tests.gateway.town import Town
from tests.stories.telling import first_till, nanoseconds, order_of, shop_money, somebody, soon

FUNDS_MINOR = 15_000
BASKET_MINOR = 1_385
DEPOSIT_MINOR = 12_000
MINUTE_NS = 60 * 10**9


class Greens:
    """A shop without a queue: its gate opens for whoever has paid."""

    def __init__(self, town: TownProcess) -> None:
        self.shop = town.told["shops"]["greens"]
        self.gate = town.enter("hugo")
        self.till = first_till(self.gate, self.shop)

    def basket(self) -> str:
        """Goods that were scanned: an order with a way out."""
        wish = order_of(self.shop, BASKET_MINOR, till=self.till, exit=True)
        return str(self.gate.done("/v1/shop/new_order", **wish)["order"])

    def opens(self, token: str) -> dict[str, Any]:
        """What the gate asks, when somebody shows a token."""
        return {"shop": self.shop, "token": token}


@pytest.fixture
def greens(town: TownProcess) -> Greens:
    """The shop."""
    return Greens(town)


@pytest.fixture
def customer(town: TownProcess) -> Browser:
    """Somebody with a wallet and little time."""
    return somebody(town, "Cleo", FUNDS_MINOR)


def test_scan_pay_and_leave(greens: Greens, customer: Browser) -> None:
    """The basket is paid by its code, and the token from it opens the gate: once."""
    order = greens.basket()
    told = customer.done("/v1/codes:read", text=greens.gate.get(f"/v1/orders/{order}/code")["text"])
    assert (told["kind"], told["amount_minor"]) == ("shop_order", BASKET_MINOR)
    paid = customer.done("/v1/shop/pay_order", order=order, tip_minor=0)
    token = customer.done("/v1/shop/exit-token", order=order)
    lives_ns = nanoseconds(token["until"]) - nanoseconds(soon(0))
    assert 4 * MINUTE_NS < lives_ns <= 5 * MINUTE_NS

    opened = greens.gate.done("/v1/shop/open-gate", **greens.opens(token["token"]))
    assert (opened["order"], opened["payment"]) == (order, paid["payment"])
    again = greens.gate.refused("/v1/shop/open-gate", **greens.opens(token["token"]))
    assert again.code == "exit_used"
    assert again.problem["detail"]
    assert customer.refused("/v1/shop/exit-token", order=order).code == "exit_used"
    assert customer.money()["balance_minor"] == FUNDS_MINOR - BASKET_MINOR


def test_nobody_leaves_unpaid(town: TownProcess, greens: Greens, customer: Browser) -> None:
    """No token before the payment, none for others, and a made-up or a replaced one opens nothing."""
    order = greens.basket()
    assert customer.refused("/v1/shop/exit-token", order=order).status in {403, 409}
    customer.done("/v1/shop/pay_order", order=order, tip_minor=0)
    assert town.enter("ben").refused("/v1/shop/exit-token", order=order).code == "exit_not_yours"
    first = customer.done("/v1/shop/exit-token", order=order)["token"]
    second = customer.done("/v1/shop/exit-token", order=order)["token"]
    assert greens.gate.refused("/v1/shop/open-gate", **greens.opens(first)).code == "exit_replaced"
    wrong = second[:-1] + ("0" if second[-1] != "0" else "1")
    assert greens.gate.refused("/v1/shop/open-gate", **greens.opens(wrong)).code == "exit_not_found"
    elsewhere = {"shop": town.told["shops"]["crumb"], "token": second}
    assert town.enter("fatou").refused("/v1/shop/open-gate", **elsewhere).status >= 400
    greens.gate.done("/v1/shop/open-gate", **greens.opens(second))


# ── a hotel ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_one_consent_checks_in(town: TownProcess, customer: Browser) -> None:
    """One tap holds the deposit, gives the key and opens the folio; leaving pays the folio and frees the rest."""
    linden, ines = town.told["shops"]["linden"], town.enter("ines")
    before = shop_money(ines, linden)
    offer = {"shop": linden, "asset": "EUR", "deposit_minor": DEPOSIT_MINOR, "until": soon(2 * 86_400)}
    stay = ines.done("/v1/shop/offer_stay", **offer)["stay"]
    assert customer.get("/v1/shop/stay", stay=stay)["deposit_minor"] == DEPOSIT_MINOR, "seen before the tap"

    key = customer.done("/v1/shop/check-in", stay=stay)
    assert customer.money() == {
        "balance_minor": FUNDS_MINOR,
        "available_minor": FUNDS_MINOR - DEPOSIT_MINOR,
        "held_minor": DEPOSIT_MINOR,
    }
    ines.done("/v1/shop/open-door", stay=stay, key=key["key"])
    wrong = key["key"][::-1]
    assert ines.refused("/v1/shop/open-door", stay=stay, key=wrong).code == "stay_key_wrong"

    ines.done("/v1/shop/charge_folio", stay=stay, amount_minor=9_500, label="One night")
    ines.done("/v1/shop/charge_folio", stay=stay, amount_minor=480, label="Breakfast")
    beyond = ines.refused("/v1/shop/charge_folio", stay=stay, amount_minor=DEPOSIT_MINOR, label="Minibar")
    assert beyond.status == 409, "never more than the guest agreed to"
    folio = customer.get("/v1/shop/stay", stay=stay)
    assert folio["folio_minor"] == 9_980
    assert [line["label"] for line in folio["folio"]] == ["One night", "Breakfast"]

    left = customer.done("/v1/shop/check_out", stay=stay)
    assert (left["paid_minor"], left["released_minor"]) == (9_980, DEPOSIT_MINOR - 9_980)
    assert customer.money()["available_minor"] == FUNDS_MINOR - 9_980
    assert before < shop_money(ines, linden) <= before + 9_980
    assert ines.refused("/v1/shop/open-door", stay=stay, key=key["key"]).code == "stay_not_in_house"


def test_a_deposit_beyond_the_purse_checks_nobody_in(town: TownProcess) -> None:
    """Without the money nothing happens at all: no hold, no key, no folio."""
    linden, ines = town.told["shops"]["linden"], town.enter("ines")
    guest = somebody(town, "Gus", 1_000)
    offer = {"shop": linden, "asset": "EUR", "deposit_minor": DEPOSIT_MINOR, "until": soon(86_400)}
    stay = ines.done("/v1/shop/offer_stay", **offer)["stay"]
    assert guest.refused("/v1/shop/check-in", stay=stay).status == 409
    assert guest.money() == {"balance_minor": 1_000, "available_minor": 1_000, "held_minor": 0}
    assert guest.get("/v1/shop/stay", stay=stay)["state"] == "offered"


# ── five minutes later, on a clock that can be moved ────────────────────────────────────────────────────────────────


@pytest.fixture
def still_town() -> Iterator[Town]:
    """The whole gateway with its standard products; time passes when a test says so."""
    made = Town(session_idle_s=86_400)
    yield made
    made.close()


def test_a_token_ends_after_five_minutes(still_town: Town) -> None:
    """Whoever has lunch in between pays nothing twice, but asks the staff at the gate."""
    owner, guest = still_town.person("Olga", alias="olga"), still_town.person("Cleo", alias="cleo")
    still_town.fund(guest, BASKET_MINOR)
    shop = owner.post("/v1/shop/register", asset="EUR", country="BE", category=5411, alias=None).json()["shop"]["id"]
    made = owner.post("/v1/shop/new_order", **order_of(shop, BASKET_MINOR, exit=True))
    assert made.status_code == 200, made.text
    order = made.json()["order"]
    assert guest.post("/v1/shop/pay_order", order=order, tip_minor=0).status_code == 200
    token = guest.post("/v1/shop/exit-token", order=order).json()["token"]
    still_town.wait(seconds=301)
    answer = owner.post("/v1/shop/open-gate", shop=shop, token=token)
    assert answer.json()["code"] == "exit_expired"
