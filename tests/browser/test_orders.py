"""Buying in parts, making together, and paying somebody at another institution: the whole way, in a real browser."""

from __future__ import annotations

import hashlib
import itertools
import re
from collections.abc import Iterator

import pytest
from nacl.signing import SigningKey
from playwright.sync_api import Browser as Chromium
from playwright.sync_api import Locator

from formicary.products.escrow.parcels import parcel_bytes
from formicary.testing.town_process import Browser, TownProcess

from tests.browser import axe
from tests.browser.conftest import Visitors, settled
from tests.browser.test_accessible import settle
from tests.browser.visitor import DESK, Visitor
from tests.stories.telling import soon, until

pytestmark = [pytest.mark.browser, pytest.mark.slow]
CODE = re.compile(r"(?:[0-9a-f]{4} ){7}[0-9a-f]{4}")
RIVAL = "The Other Bank"
_NUMBERS = itertools.count(1)


def clean(visitor: Visitor) -> None:
    """Nothing is found by axe on what the visitor sees, in light and in dark."""
    if not axe.engine_file().is_file():
        return
    visitor.page.locator(".spoken-one").first.wait_for(state="detached")
    for look in ("light", "dark"):
        visitor.page.emulate_media(color_scheme=look)
        settle(visitor)
        found = axe.stumbles(visitor.page, only_colours=look == "dark")
        assert not found, "\n".join(found)
    visitor.page.emulate_media(color_scheme="light")
    assert visitor.page.evaluate("() => document.documentElement.scrollWidth - innerWidth") <= 0


def stop(visitor: Visitor, track: str, title: str) -> Locator:
    """A stop of a track that says so."""
    return visitor.page.get_by_role("list", name=visitor.say(track)).get_by_role("listitem").filter(has_text=title)


def is_done(visitor: Visitor, track: str, title: str) -> None:
    """Wait until a stop of a track is done."""
    stop(visitor, track, title).and_(visitor.page.locator("[data-state=done]")).wait_for()


def known(person: Browser) -> str:
    """How others name somebody who just came to town."""
    return str(person.get("/v1/profile")["alias"])


# ── in parts ────────────────────────────────────────────────────────────────────────────────────────────────────────


def buy_in_parts(buyer: Visitor, seller: str, carrier: SigningKey) -> None:
    """Order a chest for 90 in two parts, a third and two, from a seller whose carrier signs."""
    buyer.open("wallet", f"/buy/@{seller}")
    buyer.field("buy.what").fill("A chest of drawers")
    buyer.field("buy.price").fill("90")
    buyer.press("parts.split")
    for number, name in enumerate(("The frame stands", "It is oiled"), start=1):
        buyer.page.get_by_label(buyer.say("parts.one", number=number), exact=True).fill(name)
    shares = buyer.page.get_by_role("group", name=buyer.say("parts.weight", number=2))
    shares.get_by_role("button", name=buyer.say("common.plus")).click()
    buyer.page.get_by_text(buyer.say("carrier.name")).click()
    buyer.page.get_by_label(buyer.say("carrier.key"), exact=True).fill(bytes(carrier.verify_key).hex())
    clean(buyer)
    buyer.press("buy.fund")
    buyer.sees(buyer.say("orders.held_safe"))


def test_buying_in_parts_with_a_carrier(visitors: Visitors, town: TownProcess) -> None:
    """A part is paid when it is accepted; the rest, when the carrier has signed at the door and nobody objects."""
    carrier = SigningKey(hashlib.sha256(b"a carrier").digest())
    person, maker = settled(town, "Iris Holm", 120_00), settled(town, "Sven Aas")
    buyer = visitors()
    buyer.enter(person)
    buy_in_parts(buyer, known(maker), carrier)
    order = buyer.page.url.rpartition("/")[2]
    assert (person.money()["available_minor"], maker.money()["balance_minor"]) == (30_00, 0)

    buyer.button("orders.accept_one", name="The frame stands").click()
    is_done(buyer, "orders.milestones", "The frame stands")
    until(lambda: maker.money()["balance_minor"] == 30_00, what="the first part")
    buyer.sees(buyer.say("orders.part_seller"))
    clean(buyer)

    seller = visitors(size=DESK, language="fr")
    seller.enter(maker)
    seller.open("wallet", f"/order/{order}")
    seller.press("orders.ship")
    dialog = seller.page.get_by_role("dialog")
    dialog.get_by_role("button", name=seller.say("orders.ship")).click()
    is_done(seller, "orders.way", seller.say("order_steps.shipped"))

    is_done(buyer, "orders.way", buyer.say("order_steps.shipped"))
    buyer.press("carrier.code_show")
    code = bytes.fromhex((buyer.page.get_by_text(CODE).text_content() or "").replace(" ", ""))
    buyer.page.get_by_alt_text(buyer.say("carrier.code_qr")).wait_for()
    clean(buyer)
    buyer.page.get_by_role("dialog").get_by_role("button", name=buyer.say("common.close")).click()

    bring(seller, order, carrier, code)
    is_done(buyer, "orders.way", buyer.say("order_steps.delivered"))
    buyer.sees(buyer.say("carrier.delivered_text"))
    clean(buyer)
    buyer.press("orders.confirm_rest")
    buyer.sees(buyer.say("order_states.settled"))
    until(lambda: maker.money()["balance_minor"] == 90_00, what="the rest")


def bring(seller: Visitor, order: str, carrier: SigningKey, code: bytes) -> None:
    """Hand in the carrier's slip: first one that somebody else signed, then the right one."""
    seller.awaited.add((409, "/v1/escrow/deliver"))
    told = parcel_bytes(bytes.fromhex(order), "DELIVERED", code)
    for key, answer in ((SigningKey.generate(), "codes.delivery_signature_wrong"), (carrier, "order_done.deliver")):
        if not seller.page.get_by_role("dialog").count():
            seller.press("carrier.bring")
        slip = f"DELIVERED\n{code.hex()}\n{key.sign(told).signature.hex()}"
        seller.page.get_by_label(seller.say("carrier.slip"), exact=True).fill(slip)
        seller.press("carrier.slip_send")
        seller.sees(seller.say(answer))


def test_an_offer_by_link_and_what_the_arbiter_splits(visitors: Visitors, town: TownProcess) -> None:
    """The seller's link brings the terms; in a dispute both show what they have, and the split is there to see."""
    person, maker = settled(town, "Nils Berg", 50_00), settled(town, "Ruth Adler")
    seller = visitors()
    seller.enter(maker)
    seller.open("wallet", "/sell")
    seller.field("sell.what").fill("A pair of boots, size 42")
    seller.field("buy.price").fill("40")
    seller.press("sell.make")
    seller.page.get_by_alt_text(seller.say("sell.qr")).wait_for()
    clean(seller)
    seller.press("common.share")
    link = seller.page.evaluate("() => navigator.clipboard.readText()")

    buyer = visitors()
    buyer.enter(person)
    buyer.open("wallet", link.partition("#")[2])
    buyer.sees("Ruth Adler")
    assert buyer.field("buy.what").input_value() == "A pair of boots, size 42"
    buyer.press("buy.fund")
    buyer.sees(buyer.say("orders.held_safe"))
    order = buyer.page.url.rpartition("/")[2]
    buyer.press("orders.dispute")
    buyer.choose("dispute_reasons.not_as_described")
    buyer.field("orders.evidence").fill("They are size 38.")
    buyer.press("orders.evidence_add")
    buyer.page.get_by_label(buyer.say("orders.evidence_more", number=2)).fill("A photograph of the sole is on its way.")
    clean(buyer)
    buyer.page.get_by_role("dialog").get_by_role("button", name=buyer.say("orders.dispute"), exact=True).click()
    buyer.sees(buyer.say("order_states.disputed"))

    seller.open("wallet", f"/order/{order}")
    seller.sees("They are size 38.")
    seller.press("orders.answer")
    seller.field("orders.evidence").fill("They were swapped in the post.")
    seller.press("orders.answer_send")
    buyer.sees("They were swapped in the post.")
    olivia = town.enter("olivia")
    olivia.confirm()
    olivia.done("/v1/escrow/decide", order=order, seller_minor=10_00, reason="Half of it can't be shown.")
    buyer.sees(buyer.say("orders.decided"))
    buyer.sees("Half of it can't be shown.")
    buyer.sees(buyer.say("orders.part_back"))
    clean(buyer)
    assert (person.money()["available_minor"], maker.money()["available_minor"]) == (40_00, 10_00)


# ── together ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_pool_that_fills_is_made(visitors: Visitors, town: TownProcess) -> None:
    """Offered in the wallet, joined to the last place; then each part is paid when most of the places accept it."""
    maker, person = settled(town, "Otis Lund"), settled(town, "Mona Fisk", 60_00)
    offering = visitors(size=DESK)
    offering.enter(maker)
    offering.open("wallet", "/pools/new")
    offering.field("pools.what").fill("A bench for the square")
    offering.field("pools.price").fill("20")
    offering.field("pools.least").fill("2")
    offering.page.get_by_label(offering.say("pools.most")).fill("3")
    offering.press("parts.split")
    clean(offering)
    offering.press("pools.open_it")
    offering.sees(offering.say("pools.if_misses"))
    pool = offering.page.url.rpartition("/")[2]

    joining = visitors()
    joining.enter(person)
    joining.open("wallet", "/pools")
    joining.page.get_by_role("link", name="A bench for the square").click()
    joining.press("common.plus")
    clean(joining)
    joining.press("pools.join", amount="€40.00")
    joining.sees(joining.say("pools.mine_are_other", shown=2, amount="€40.00"))
    assert person.money()["available_minor"] == 20_00
    clean(joining)
    joining.press("pools.leave")
    until(lambda: person.money()["available_minor"] == 60_00, what="the money back")
    joining.press("pools.join", amount="€40.00")
    settled(town, "Tove Krag", 20_00).done("/v1/escrow/join_pool", pool=pool, places=1)

    joining.sees(joining.say("pools.making_title"))
    joining.press("orders.accept")
    until(lambda: maker.money()["balance_minor"] == 30_00, what="the first part")
    joining.press("orders.accept")
    joining.sees(joining.say("pools.settled_title"))
    until(lambda: maker.money()["balance_minor"] == 60_00, what="the whole")
    clean(joining)
    offering.sees(offering.say("pools.settled_title"))


def test_a_pool_that_misses_gives_all_back(visitors: Visitors, town: TownProcess) -> None:
    """Too few by its hour: everybody has their money back at once, and the page says so by itself."""
    maker, person = settled(town, "Pia Lang"), settled(town, "Erik Dahl", 30_00)
    stages = [{"weight": 1, "label": None}]
    terms = {"asset": "EUR", "price_minor": 15_00, "places_min": 10, "places_max": 10, "stages": stages}
    pool = maker.done("/v1/escrow/open_pool", note="Ten loaves", until=soon(12), **terms)["pool"]
    visitor = visitors(language="fr")
    visitor.enter(person)
    visitor.open("wallet", f"/pool/{pool}")
    visitor.sees("Ten loaves")
    visitor.press("pools.join")
    visitor.sees(visitor.pattern("pools.if_misses_mine"))
    assert person.money()["available_minor"] == 15_00
    visitor.sees(visitor.say("pools.refunded_title"))
    visitor.sees(visitor.pattern("pools.refunded_mine"))
    assert person.money()["available_minor"] == 30_00
    clean(visitor)
    visitor.open("wallet", "/activity")
    visitor.page.get_by_role("link", name="Pia Lang").first.click()
    visitor.page.get_by_role("link", name=visitor.say("pools.show")).click()
    visitor.sees("Ten loaves")


# ── to another institution ──────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture(scope="module")
def rival(town: TownProcess, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TownProcess]:
    """A second institution, a node of its own; the two know each other."""
    with TownProcess(tmp_path_factory.mktemp("rival")) as running:
        for here, there, name in ((town, running, RIVAL), (running, town, None)):
            institutions = there.nobody().get("/v1/clearing/institutions")["items"]
            told = next(each for each in institutions if each["own"])
            olivia = here.enter("olivia")
            olivia.confirm()
            what = {"institution": told["institution"]["id"], "key": told["key"], "address": told["address"]}
            olivia.done("/v1/clearing/add-institution", **what, **({"name": name} if name else {}))
        yield running


def pay_across(payer: Visitor, whom: str, amount: str) -> None:
    """Name somebody elsewhere, and pay them."""
    payer.open("wallet", "/send")
    payer.field("send.who").fill(whom)
    payer.press("party.find")
    payer.field("send.amount").fill(amount)
    payer.choose("purposes.friend")
    payer.field("send.note").fill("For the boat")
    clean(payer)
    payer.press("common.next")
    payer.press("send.pay")


def test_paying_somebody_at_another_institution(
    visitors: Visitors, chromium: Chromium, town: TownProcess, rival: TownProcess
) -> None:
    """Named as @name@institution, the money is there in moments, and both see how far it is in plain words."""
    person = settled(town, "Gerda Voss", 100_00)
    payee = rival.newcomer("Nora Quist", f"nora{next(_NUMBERS)}")
    payer, other = visitors(), Visitor(chromium, rival)
    other.enter(payee)
    other.open("wallet", "/")
    pay_across(payer_in(payer, person), f"@{known(payee)}@{rival.origin.partition('//')[2]}", "12.34")
    payer.sees(payer.say("send.paid"))
    is_done(payer, "cross.way", payer.say("cross.accepted", name=RIVAL))
    is_done(payer, "cross.way", payer.say("cross.paid"))
    clean(payer)
    assert person.money()["available_minor"] == 87_66

    until(lambda: payee.money()["balance_minor"] == 12_34, what="the money across")
    here = town.origin.partition("//")[2]
    other.page.get_by_role("link", name=here).first.click()
    is_done(other, "cross.way", other.say("cross.yours"))
    other.sees("For the boat")
    clean(other)
    other.check()
    other.close()

    payer.open("wallet", "/activity")
    payer.page.get_by_role("link", name=RIVAL).first.click()
    payer.sees(payer.say("cross.to", name=f"@{known(payee)}", at=RIVAL))
    clean(payer)


def payer_in(visitor: Visitor, person: Browser) -> Visitor:
    """The visitor, with somebody's session."""
    visitor.enter(person)
    return visitor


def test_taking_it_back_while_they_are_away(visitors: Visitors, town: TownProcess, rival: TownProcess) -> None:
    """The other node is down: the payment waits, says so, and its payer takes the money back by themselves."""
    person = settled(town, "Lars Moen", 40_00)
    payer = payer_in(visitors(), person)
    rival.kill()
    try:
        pay_across(payer, f"@nora@{rival.origin.partition('//')[2]}", "15")
        payer.sees(payer.say("cross.under_way"))
        assert person.money()["available_minor"] == 25_00
        clean(payer)
        payer.press("held.recall")
        payer.sees(payer.say("cross.cancelled"))
        assert person.money()["available_minor"] == 40_00
    finally:
        rival.start()


def test_nobody_of_that_name_elsewhere(visitors: Visitors, town: TownProcess, rival: TownProcess) -> None:
    """Chosen from the list; nobody is known by that name there, so the money is back, and the page says why."""
    assert rival.process is not None
    person = settled(town, "Jan Maas", 40_00)
    payer = payer_in(visitors(size=DESK), person)
    payer.open("wallet", "/send")
    payer.page.get_by_label(payer.say("party.where")).select_option(label=RIVAL)
    payer.field("send.who").fill("@nobody.of.that.name")
    payer.press("party.find")
    payer.sees(payer.say("party.at", name=RIVAL))
    payer.field("send.amount").fill("5")
    payer.choose("purposes.goods")
    payer.press("common.next")
    payer.press("send.pay")
    payer.sees(payer.say("cross.back"))
    payer.sees(payer.say("codes.person_unknown"))
    assert person.money()["available_minor"] == 40_00
    clean(payer)
    payer.press("common.done")
    payer.open("wallet", "/send")
    payer.field("send.who").fill("@nora@nowhere.example")
    payer.press("party.find")
    payer.sees(payer.say("codes.institution_unknown"))


def test_a_payment_link_from_afar(visitors: Visitors, town: TownProcess) -> None:
    """Who opens a shop's payment link, and is not in the shop, lets the money wait instead."""
    fatou, shop = town.enter("fatou"), town.told["shops"]["crumb"]
    link = {"asset": "EUR", "amount_minor": 25_00, "tip": "none", "tip_value": 0, "number": "CAKE", "many": True}
    order = fatou.done("/v1/shop/new_order", shop=shop, till=None, until=soon(3600), exit=False, **link)["order"]
    person = settled(town, "Kai Storm", 30_00)
    visitor = visitors(language="zh")
    visitor.enter(person)
    visitor.open("wallet", f"/pay/{order}")
    visitor.page.get_by_role("link", name=visitor.say("shop.safely")).click()
    visitor.sees("Crumb & Crust")
    assert visitor.field("buy.what").input_value() == "CAKE"
    clean(visitor)
    visitor.press("buy.fund")
    visitor.sees(visitor.say("orders.held_safe"))
    assert person.money()["available_minor"] == 5_00
