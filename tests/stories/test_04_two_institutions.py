"""Story 4: people and shops of a "rival" institution are paid by the same wallet; nobody is refused for where they are.

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

from tests.stories.telling import alive, first_till, shop_money, somebody, until

KILLS = 3
KILLS_MIN = 2
BUDGET_S = 25.0
SEED = 404
FUNDS_MINOR = 20_000
PAYERS = 3
PAYMENTS_EACH = 100
"""Payments of one payer: the guard holds what goes beyond 120 an hour."""
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
        assert refusal.code == "exceeds_credits", "only the payer's own money stops a payment"  # noqa: PT017 - one way of two
        return
    if payment(grete, name)["state"] == "held":  # by the guard, which holds payments at home just the same
        grete.done("/v1/guard/recall", payment=name)
        return
    told = ended(grete, name)
    assert told["state"] == "captured" or told["code"] in PAYEE_CODES
    assert (told["code"] == "person_unknown") == (who == "no.such.name")


def test_no_command_refuses_an_institution(town: TownProcess) -> None:
    """What anybody, operators too, can tell the system has no word for removing, pausing or capping an institution.

    Settling pays through a bank what is owed already; whether it is done or rejected, people's payments go on.
    """
    paths = town.nobody().get("/openapi.json")["paths"]
    told = {path for path, methods in paths.items() if path.startswith("/v1/clearing/") and set(methods) - {"get"}}
    settles = {
        "/v1/clearing/bank-account",
        "/v1/clearing/propose_settlement",
        "/v1/clearing/approve_settlement",
        "/v1/clearing/reject_settlement",
    }
    assert told - settles == {
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

    def __init__(self, pair: Pair, town: TownProcess, payers: list[Browser], payees: list[str]) -> None:
        super().__init__(daemon=True)
        self._pair, self._town, self._payers, self._payees = pair, town, payers, payees
        self._chance = random.Random(SEED + len(payees))
        self.stop = threading.Event()
        self.told: dict[str, str] = {}
        """Note of each payment that was acknowledged: its id."""

    def run(self) -> None:
        """Until told to stop; what got no answer is asked again under its key, as a phone does."""
        for number in range(PAYMENTS_EACH * len(self._payers)):
            payer, payee = self._payers[number % len(self._payers)], self._chance.choice(self._payees)
            wish = {"amount_minor": self._chance.randint(1, 50), "note": f"{self._town.port} {number}"}
            key = fresh_key()
            while not self.stop.is_set():
                try:
                    paid = self._pair.pay(payer, self._town, payee, idempotency_key=key, **wish)
                except (httpx.TransportError, Refused) as error:
                    if isinstance(error, Refused) and error.status < 500:
                        raise
                    time.sleep(0.1)
                else:
                    self.told[str(wish["note"])] = paid
                    break
            time.sleep(self._chance.random() / 5)


@pytest.mark.crash
@pytest.mark.timeout(240)
@pytest.mark.slow
def test_killed_at_any_instant_both_legs_or_none(pair: Pair) -> None:
    """Payments go both ways while either process is killed; at the end each is whole on both sides, or on neither."""
    towns = (pair.here, pair.there)
    payers = {town.port: [somebody(town, "Pia", FUNDS_MINOR) for _ in range(PAYERS)] for town in towns}
    payees = {town.port: [somebody(town, "Rose"), somebody(town, "Rolf")] for town in towns}
    threads = []
    for town, other in (towns, towns[::-1]):
        names = [f"@{each.alias}" for each in payees[other.port]]
        threads.append(Payers(pair, town, payers[town.port], [*names, "@nobody.of.that.name"]))
    for thread in threads:
        thread.start()
    try:
        kills = kill_at_random(towns)
    finally:
        for thread in threads:
            thread.stop.set()
        for thread in threads:
            thread.join(30)
    assert kills >= KILLS_MIN
    for town, other, thread in zip(towns, towns[::-1], threads, strict=True):
        assert not thread.is_alive()
        assert len(thread.told) > kills, "it paid between the kills"
        assert_both_legs_or_none(payers[town.port], payees[other.port], thread.told)
    assert_mirrored(pair)


def kill_at_random(towns: tuple[TownProcess, TownProcess]) -> int:
    """Kill either and start it again, a few times; how often."""
    chance, ends = random.Random(SEED), time.monotonic() + BUDGET_S
    for kills in range(KILLS):
        if time.monotonic() > ends:
            return kills
        time.sleep(0.3 + chance.random())
        town = chance.choice(towns)
        town.kill()
        time.sleep(chance.random() / 2)
        town.start()
    return KILLS


def assert_both_legs_or_none(payers: list[Browser], payees: list[Browser], told: dict[str, str]) -> None:
    """What left the payers is what their payees have, payment by payment; what was acknowledged is there, once."""
    sent = [each for payer in payers for each in all_settled(payer)]
    by_note = {each["note"]: each for each in sent}
    assert len(by_note) == len(sent), "no payment is there twice"
    assert {note: by_note[note]["payment"] for note in told} == told, "nothing that was acknowledged is lost"
    captured = {each["note"]: each["amount_minor"] for each in sent if each["state"] == "captured"}
    got = [each for payee in payees for each in across(payee, "in") if each["state"] == "captured"]
    assert {each["note"]: each["amount_minor"] for each in got} == captured
    assert len(got) == len(captured), "no leg without the other, and none twice"
    assert sum(payee.money()["balance_minor"] for payee in payees) == sum(captured.values())
    left = [payer.money() for payer in payers]
    assert sum(each["balance_minor"] for each in left) == PAYERS * FUNDS_MINOR - sum(captured.values())
    assert not any(each["held_minor"] for each in left)


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
