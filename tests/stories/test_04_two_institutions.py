"""Story 4: people and shops of a "rival" institution are paid by the same wallet; nobody can be refused for where they are.

Two ``formicary up`` on one machine, each with a ledger of its own. Two operators make them known to each other; then
people pay across by alias and by code, while either process is killed without warning: both legs are there, or none.
"""

from __future__ import annotations

import random
import threading
import time
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from formicary.testing.town_process import Browser, Refused, TownProcess, fresh_key

from tests.stories.conftest import alive, first_till, shop_money, somebody, until

KILLS = 4
SEED = 404
FINAL = {"captured", "refused", "cancelled"}
PAYEE_CODES = {
    "person_unknown",
    "person_frozen",
    "person_closed",
    "currency_not_open",
    "balance_limit",
    "limit_payment",
}
"""All that a payee's side may say: each is about the payee's own purse."""


class Pair:
    """Two institutions that know each other."""

    def __init__(self, here: TownProcess, there: TownProcess) -> None:
        self.here, self.there = here, there
        self.id_here, self.id_there = _own(here)["institution"]["id"], _own(there)["institution"]["id"]
        _introduce(here, there)
        _introduce(there, here)

    def other(self, town: TownProcess) -> str:
        """The id of the institution across."""
        return str(self.id_there if town is self.here else self.id_here)

    def pay(self, payer: Browser, town: TownProcess, payee: str, amount_minor: int, **more: Any) -> str:
        """Pay somebody across; the payment's id."""
        wish = {"institution": self.other(town), "payee": payee, "asset": "EUR", "amount_minor": amount_minor}
        return str(payer.done("/v1/clearing/payments", **{"purpose": "friend", **wish, **more})["payment"])


def _own(town: TownProcess) -> dict[str, Any]:
    """How an institution tells others of itself; anybody may ask."""
    items = town.nobody().get("/v1/clearing/institutions")["items"]
    return next(each for each in items if each["own"])


def _introduce(town: TownProcess, other: TownProcess) -> None:
    told = _own(other)
    olivia = town.enter("olivia")
    olivia.confirm()
    olivia.done(
        "/v1/clearing/add-institution",
        institution=told["institution"]["id"],
        key=told["key"],
        address=told["address"],
    )


@pytest.fixture(scope="module")
def pair(running_town: TownProcess, running_rival: TownProcess) -> Pair:
    """The town and its rival, introduced to each other by their operators."""
    return Pair(alive(running_town), alive(running_rival))


def payment(payer: Browser, name: str) -> dict[str, Any]:
    """One payment across, as its payer sees it."""
    items = payer.get("/v1/clearing/transfers", direction="out", limit=100)["items"]
    found: dict[str, Any] = next(each for each in items if each["payment"] == name)
    return found


def ended(payer: Browser, name: str) -> dict[str, Any]:
    """The same, once it is decided."""
    until(lambda: payment(payer, name)["state"] in FINAL, what="the end of a payment")
    return payment(payer, name)


# ── paying across ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_payment_each_way_by_alias(pair: Pair, town: TownProcess, rival: TownProcess) -> None:
    """One knows nothing but the other's alias; the money is there in seconds, with the note."""
    for here, there in ((town, rival), (rival, town)):
        payer, payee = here.enter("alice"), somebody(there, "Nora")
        before = payer.money()["balance_minor"]
        name = pair.pay(payer, here, f"@{payee.alias}", 1_234, note="For the tram")
        until(lambda payee=payee: payee.money()["balance_minor"] == 1_234, what="the money across")  # type: ignore[misc]
        assert ended(payer, name)["state"] == "captured"
        assert payer.money()["balance_minor"] == before - 1_234
        got = payee.get("/v1/pay/activity")["items"][0]
        assert (got["kind"], got["amount_minor"], got["note"]) == ("clearing_in", 1_234, "For the tram")
    assert_mirrored(pair)


def test_a_rivals_shop_is_paid_by_its_printed_code(pair: Pair, town: TownProcess, rival: TownProcess) -> None:
    """The wallet scans a code of a shop that is elsewhere, and pays it like any other."""
    fatou, shop = rival.enter("fatou"), rival.told["shops"]["crumb"]
    printed = fatou.get(f"/v1/shop/{shop}/tills/{first_till(fatou, shop)}/code")["text"]
    alice = town.enter("alice")
    told = alice.done("/v1/codes:read", text=printed)
    assert (told["payable"], told["institution"], told["name"]) == (True, pair.id_there, "Crumb & Crust")
    before = shop_money(fatou, shop)
    name = pair.pay(alice, town, told["shop"]["id"], 420, purpose="goods")
    until(lambda: shop_money(fatou, shop) == before + 420, what="the shop's money")
    assert ended(alice, name)["state"] == "captured"


def test_nobody_of_that_name(pair: Pair, town: TownProcess) -> None:
    """An alias that nobody has there is refused with that reason, and the money is back."""
    alice = town.enter("alice")
    before = alice.money()
    told = ended(alice, pair.pay(alice, town, "@nobody.of.that.name", 500))
    assert (told["state"], told["code"]) == ("refused", "person_unknown")
    assert alice.money() == before


# ── nobody is refused for where they are ────────────────────────────────────────────────────────────────────────────


@settings(max_examples=12)
@given(
    amount_minor=st.integers(1, 60_000),
    purpose=st.sampled_from(["goods", "friend", "family", "rent", "other"]),
    who=st.sampled_from(["ben", "dana", "hugo", "kofi", "crumb", "greens", "no.such.name"]),
)
def test_who_is_paid_at_home_is_paid_across(pair: Pair, amount_minor: int, purpose: str, who: str) -> None:
    """Whatever is paid, for whatever and to whomever: across it is captured, or refused for the payee's own purse."""
    grete = pair.here.enter("grete")
    payee = pair.there.told["shops"].get(who) or f"@{who}"
    try:
        name = pair.pay(grete, pair.here, payee, amount_minor, purpose=purpose)
    except Refused as refusal:
        assert refusal.code == "exceeds_credits", "only the payer's own money keeps a payment from being offered"
        return
    if payment(grete, name)["state"] == "held":  # by the guard, which holds payments at home just the same
        grete.done("/v1/guard/recall", payment=name)
        return
    told = ended(grete, name)
    assert told["state"] == "captured" or told["code"] in PAYEE_CODES
    assert (told["code"] == "person_unknown") == (who == "no.such.name")


def test_no_command_refuses_an_institution(town: TownProcess) -> None:
    """What anybody, operators too, can tell the system has no word for removing, pausing or capping an institution."""
    paths = town.nobody().get("/openapi.json")["paths"]
    told = {path for path, methods in paths.items() if path.startswith("/v1/clearing/") and set(methods) - {"get"}}
    assert told == {
        "/v1/clearing/offer",
        "/v1/clearing/capture",
        "/v1/clearing/cancel",
        "/v1/clearing/cancel_out",
        "/v1/clearing/payments",
        "/v1/clearing/add-institution",
    }
    assert not [path for path in paths if "institution" in path and path not in told | {"/v1/clearing/institutions"}]


# ── killed at random ────────────────────────────────────────────────────────────────────────────────────────────────


class Payers(threading.Thread):
    """Pays across from one institution, again and again, whatever happens to either; remembers what it was told."""

    def __init__(self, pair: Pair, town: TownProcess, payer: Browser, payees: list[str], chance: random.Random) -> None:
        super().__init__(daemon=True)
        self._pair, self._town, self._payer, self._payees = pair, town, payer, payees
        self._chance = chance
        self.stop = threading.Event()
        self.told: dict[str, str] = {}
        """Note of each payment that was acknowledged: its id."""

    def run(self) -> None:
        """Until told to stop; what got no answer is asked again under its key, as a phone does."""
        number = 0
        while not self.stop.is_set():
            number += 1
            note, key = f"{self._town.port} {number}", fresh_key()
            payee, amount_minor = self._chance.choice(self._payees), self._chance.randint(1, 50)
            while True:
                try:
                    self.told[note] = self._pay(payee, amount_minor, note, key)
                    break
                except (httpx.TransportError, Refused) as error:
                    assert isinstance(error, httpx.TransportError) or error.status >= 500, error
                    if self.stop.is_set():
                        return
                    time.sleep(0.1)
            time.sleep(self._chance.random() / 20)

    def _pay(self, payee: str, amount_minor: int, note: str, key: str) -> str:
        return self._pair.pay(self._payer, self._town, payee, amount_minor, note=note, idempotency_key=key)


@pytest.mark.crash
@pytest.mark.slow
def test_killed_at_any_instant_both_legs_or_none(pair: Pair) -> None:
    """Payments go both ways while either process is killed; at the end each is whole on both sides, or on neither."""
    chance = random.Random(SEED)
    towns = (pair.here, pair.there)
    payers = {town.port: somebody(town, "Pia", 50_000, tier=2) for town in towns}
    payees = {town.port: [somebody(town, "Rose"), somebody(town, "Rolf")] for town in towns}
    threads = []
    for town, other in (towns, towns[::-1]):
        names = [f"@{each.alias}" for each in payees[other.port]] + ["@nobody.of.that.name"]
        threads.append(Payers(pair, town, payers[town.port], names, random.Random(SEED + town.port)))
    for thread in threads:
        thread.start()
    try:
        for _ in range(KILLS):
            time.sleep(0.3 + chance.random())
            town = chance.choice(towns)
            town.kill()
            time.sleep(chance.random() / 2)
            town.start()
    finally:
        for thread in threads:
            thread.stop.set()
        for thread in threads:
            thread.join(60)
            assert not thread.is_alive()
    for town, other, thread in zip(towns, towns[::-1], threads, strict=True):
        assert len(thread.told) >= KILLS, "it paid between the kills"
        sent = {each["note"]: each for each in all_settled(payers[town.port])}
        assert thread.told.keys() <= sent.keys(), "nothing that was acknowledged is lost"
        assert all(sent[note]["payment"] == name for note, name in thread.told.items()), "and none is there twice"
        captured = {note: each["amount_minor"] for note, each in sent.items() if each["state"] == "captured"}
        got = [each for payee in payees[other.port] for each in across(payee, "in")]
        assert {each["note"]: each["amount_minor"] for each in got if each["state"] == "captured"} == captured
        assert len(got) == len(captured), "no leg without the other, and none twice"
        assert sum(payee.money()["balance_minor"] for payee in payees[other.port]) == sum(captured.values())
        assert payers[town.port].money() == {
            "balance_minor": 50_000 - sum(captured.values()),
            "available_minor": 50_000 - sum(captured.values()),
            "held_minor": 0,
        }
    assert_mirrored(pair)


def all_settled(payer: Browser) -> list[dict[str, Any]]:
    """Every payment across of somebody, once all are decided."""

    def settled() -> bool:
        return all(each["state"] in FINAL for each in across(payer, "out"))

    until(settled, seconds=45, what="the end of every payment")
    return across(payer, "out")


def across(person: Browser, direction: str) -> list[dict[str, Any]]:
    """Every payment across of somebody, one way."""
    found: list[dict[str, Any]] = []
    after = ""
    while True:
        page = person.get("/v1/clearing/transfers", direction=direction, limit=100, after=after)
        found += page["items"]
        after = page["next"]
        if not after:
            return found


def assert_mirrored(pair: Pair) -> None:
    """What one institution owes is what the other is owed, and nothing is under way."""

    def position(town: TownProcess) -> dict[str, int]:
        items = town.enter("olivia").get("/v1/clearing/positions")["items"]
        one = next(each for each in items if each["institution"]["id"] == pair.other(town) and each["asset"] == "EUR")
        return {name: value for name, value in one.items() if name.endswith("_minor")}

    def mirrored() -> bool:
        here, there = position(pair.here), position(pair.there)
        way = {here[name] for name in ("under_way_in_minor", "under_way_out_minor")}
        way |= {there[name] for name in ("under_way_in_minor", "under_way_out_minor")}
        owed = (here["we_owe_minor"], here["they_owe_minor"]) == (there["they_owe_minor"], there["we_owe_minor"])
        return owed and way == {0}

    until(mirrored, seconds=45, what="positions that mirror each other")
