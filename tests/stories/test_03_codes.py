"""Story 3: a shop's printed code, an order's code and a payer's rotating one work; bad ones are refused and say why.

A code is drawn by the API, printed and photographed (as a picture, by the same library that the pages use), and what
the camera read is what the story goes on with.
"""

from __future__ import annotations

import time

import numpy as np
import pytest
import zxingcpp

from formicary.rails import emvco
from formicary.testing.town_process import Browser, TownProcess

from tests.rails import published_codes
from tests.stories.telling import first_till, order_of, shop_money, somebody, soon, until

FUNDS_MINOR = 12_000
PRICE_MINOR = 480


def scanned(text: str) -> str:
    """What a camera reads of a printed code."""
    code = zxingcpp.create_barcode(text, zxingcpp.BarcodeFormat.QRCode, ec_level="M")
    found = zxingcpp.read_barcodes(np.array(code.to_image(scale=3, add_quiet_zones=True)))
    assert len(found) == 1
    read: str = found[0].text
    return read


def resealed(text: str) -> str:
    """A code that somebody changed, with a right checksum again."""
    body = text[:-4]
    return body + emvco.checksum(body)


class Counter:
    """The bakery's counter, and whoever stands there."""

    def __init__(self, town: TownProcess) -> None:
        self.shop = town.told["shops"]["crumb"]
        self.fatou = town.enter("fatou")
        self.dana = town.enter("dana")
        self.till = first_till(self.fatou, self.shop)
        self.printed = self.fatou.get(f"/v1/shop/{self.shop}/tills/{self.till}/code")["text"]

    def money(self) -> int:
        """What the bakery has."""
        return shop_money(self.fatou, self.shop)

    def order(self, **more: object) -> str:
        """A new order at the till."""
        made: str = self.dana.done("/v1/shop/new_order", **order_of(self.shop, PRICE_MINOR, till=self.till, **more))[
            "order"
        ]
        return made

    def code_of(self, order: str) -> str:
        """The text of an order's code."""
        text: str = self.dana.get(f"/v1/orders/{order}/code")["text"]
        return text

    def charge(self, digits: str, amount_minor: int = PRICE_MINOR) -> dict[str, object]:
        """What a till sends that scanned a payer's code."""
        return {
            "shop": self.shop,
            "till": self.till,
            "digits": digits,
            "asset": "EUR",
            "amount_minor": amount_minor,
            "number": "R-7",
        }


@pytest.fixture
def counter(town: TownProcess) -> Counter:
    """The bakery's counter."""
    return Counter(town)


@pytest.fixture
def payer(town: TownProcess) -> Browser:
    """A customer."""
    return somebody(town, "Paul", FUNDS_MINOR)


# ── what works ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_printed_code_is_scanned_and_paid(counter: Counter, payer: Browser) -> None:
    """The code on the counter says whose till it is; the payer chooses the amount, and the shop has it."""
    before = counter.money()
    told = payer.done("/v1/codes:read", text=scanned(counter.printed))
    assert (told["kind"], told["payable"], told["shop"]["name"]) == ("shop_till", True, "Crumb & Crust")
    paid = payer.done(
        "/v1/shop/pay_till",
        shop=told["shop"]["id"],
        till=told["till"],
        asset=told["asset"],
        amount_minor=PRICE_MINOR,
        tip_minor=0,
    )
    assert paid["state"] == "paid"
    assert payer.money()["balance_minor"] == FUNDS_MINOR - PRICE_MINOR
    assert counter.money() > before, "less the public fee, at once"


def test_an_orders_code_is_scanned_and_paid(counter: Counter, payer: Browser) -> None:
    """The code on the screen knows the amount; the payer only says yes."""
    order = counter.order()
    told = payer.done("/v1/codes:read", text=scanned(counter.code_of(order)))
    assert (told["kind"], told["payable"], told["amount_minor"]) == ("shop_order", True, PRICE_MINOR)
    assert payer.done("/v1/shop/pay_order", order=told["order"], tip_minor=0)["state"] == "paid"
    assert counter.dana.get("/v1/shop/order", order=order)["state"] == "paid"


def test_a_payers_code_is_scanned_and_charged(counter: Counter, payer: Browser) -> None:
    """The till scans the code on the payer's phone, as a QR code or typed in with spaces; a minute is its time."""
    mine = payer.get("/v1/my-code")
    assert len(mine["digits"]) == 18
    assert counter.dana.done("/v1/shop/charge-code", **counter.charge(scanned(mine["text"])))["state"] == "paid"
    until(lambda: payer.get("/v1/my-code")["digits"] != mine["digits"], seconds=2, what="another code")
    typed = payer.get("/v1/my-code")["digits"]
    spaced = " ".join(typed[at : at + 3] for at in range(0, 18, 3))
    assert counter.dana.done("/v1/shop/charge-code", **counter.charge(spaced))["state"] == "paid"
    assert payer.money()["balance_minor"] == FUNDS_MINOR - 2 * PRICE_MINOR


# ── replayed ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_replayed_order_pays_once(town: TownProcess, counter: Counter, payer: Browser) -> None:
    """A photograph of a paid order's code pays nothing more, for its payer or for anybody."""
    order = counter.order()
    text = counter.code_of(order)
    payer.done("/v1/shop/pay_order", order=order, tip_minor=0)
    for who in (payer, town.enter("ben")):
        told = who.done("/v1/codes:read", text=text)
        assert (told["payable"], told["code"]) == (False, "code_used")
        assert told["why"]
        assert who.refused("/v1/shop/pay_order", order=order, tip_minor=0).status == 409
    assert payer.money()["balance_minor"] == FUNDS_MINOR - PRICE_MINOR


def test_a_replayed_payers_code_charges_once(counter: Counter, payer: Browser) -> None:
    """What a till saw once is worth nothing any more, for that till or another amount."""
    digits = payer.get("/v1/my-code")["digits"]
    counter.dana.done("/v1/shop/charge-code", **counter.charge(digits))
    for amount_minor in (PRICE_MINOR, 1):
        refusal = counter.dana.refused("/v1/shop/charge-code", **counter.charge(digits, amount_minor))
        assert refusal.code == "code_used"
        assert refusal.problem["detail"]
    assert payer.money()["balance_minor"] == FUNDS_MINOR - PRICE_MINOR


# ── altered ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_an_altered_code_is_refused(counter: Counter, payer: Browser) -> None:
    """A sticker with another name or amount over it: with the old checksum, and with a right one."""
    dynamic = counter.code_of(counter.order())
    assert "5404" in dynamic, "the amount 4.80 stands in it"
    altered = {
        "the name": counter.printed.replace("Crumb", "Crook"),
        "the amount": dynamic.replace("54044.80", "54040.80"),
        "an id": dynamic[:40] + ("A" if dynamic[40] != "A" else "B") + dynamic[41:],
    }
    for what, text in altered.items():
        assert text not in {counter.printed, dynamic}, what
        refusal = payer.refused("/v1/codes:read", text=text)
        assert refusal.status in {400, 422}, what
        assert refusal.problem["detail"], what
    for text in (altered["the name"], altered["the amount"]):
        refusal = payer.refused("/v1/codes:read", text=resealed(text))
        assert refusal.code == "code_altered"
        assert "changed" in refusal.problem["detail"]


def test_an_altered_payers_code_charges_nobody(counter: Counter, payer: Browser) -> None:
    """Each digit matters: whoever changes one has the code of nobody."""
    digits = payer.get("/v1/my-code")["digits"]
    for at in range(0, 18, 5):
        wrong = digits[:at] + str((int(digits[at]) + 1) % 10) + digits[at + 1 :]
        refusal = counter.dana.refused("/v1/shop/charge-code", **counter.charge(wrong))
        assert refusal.code == "code_not_understood"
        assert refusal.problem["detail"]
    assert payer.money()["balance_minor"] == FUNDS_MINOR


# ── expired ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_an_expired_order_is_refused(counter: Counter, payer: Browser) -> None:
    """After the order's time its code says so, and can't be paid."""
    order = counter.order(until=soon(1.5))
    text = counter.code_of(order)
    assert payer.done("/v1/codes:read", text=text)["payable"]

    def told() -> bool:
        return str(payer.done("/v1/codes:read", text=text).get("code", "")) == "code_expired"

    until(told, what="the end of the order's time")
    refusal = payer.refused("/v1/shop/pay_order", order=order, tip_minor=0)
    assert refusal.status == 409
    assert refusal.problem["detail"]
    assert payer.money()["balance_minor"] == FUNDS_MINOR


@pytest.mark.slow
def test_an_expired_payers_code_is_refused(town: TownProcess, counter: Counter, payer: Browser) -> None:
    """A code lives a minute; two operators make it ten seconds here, and the till is told that it is over."""
    set_parameter(town, "payer_code_s", 10)
    try:
        digits = payer.get("/v1/my-code")["digits"]
        time.sleep(11)
        refusal = counter.dana.refused("/v1/shop/charge-code", **counter.charge(digits))
        assert refusal.code == "code_expired"
        assert refusal.problem["detail"]
        assert payer.money()["balance_minor"] == FUNDS_MINOR
    finally:
        set_parameter(town, "payer_code_s", 60)


def set_parameter(town: TownProcess, name: str, value: int) -> None:
    """What takes two people: one operator proposes, another one approves."""
    olivia, otto = town.enter("olivia"), town.enter("otto")
    change = {"type": "set_parameter", "name": name, "value": value}
    proposal = olivia.done("/v1/wallet/propose", change=change)["proposal"]
    otto.confirm()
    otto.done("/v1/wallet/approve", proposal=proposal)


# ── of others ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_codes_of_other_schemes_are_named(payer: Browser) -> None:
    """A code that we can't route is refused with whose it is, not with a shrug."""
    told = payer.done("/v1/codes:read", text=published_codes.PIX)
    assert (told["kind"], told["payable"], told["code"]) == ("other_scheme", False, "code_not_routable")
    assert any("Pix" in scheme for scheme in told["schemes"])


def test_a_payers_code_is_not_paid(town: TownProcess, payer: Browser) -> None:
    """Two phones that scan each other's payer codes are told that a till scans those."""
    digits = town.enter("ben").get("/v1/my-code")["digits"]
    told = payer.done("/v1/codes:read", text=digits)
    assert (told["payable"], told["code"]) == (False, "code_is_a_payers")
