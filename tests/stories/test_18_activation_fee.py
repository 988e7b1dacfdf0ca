"""Story 18: somebody is told to send 9,900 as an "activation fee" for a grant of 2,600; the money waits and is safe.

And seven accounts that pass money round in a ring are flagged for the operator, who decides; nobody is blocked by it.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from formicary.testing.town_process import Browser, TownProcess

from tests.stories.telling import nanoseconds, somebody, until

FEE_MINOR = 990_000
FUNDS_MINOR = 1_000_000
DAY_NS = 86_400 * 10**9
MULES = 7
ROUND_MINOR = 10_000


class Listener:
    """Somebody's phone, which hears what happens."""

    def __init__(self, browser: Browser) -> None:
        self.heard: list[tuple[str, dict[str, Any]]] = []
        self.listens = threading.Event()
        self._stop = threading.Event()
        self._browser = browser
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()
        assert self.listens.wait(10)

    def _listen(self) -> None:
        cookies = dict(self._browser.http.cookies)
        with (
            httpx.Client(base_url=self._browser.origin, cookies=cookies, timeout=5, trust_env=False) as http,
            http.stream("GET", "/v1/events") as answer,
        ):
            self.listens.set()
            name = ""
            try:
                for line in answer.iter_lines():
                    if line.startswith("event:"):
                        name = line.removeprefix("event:").strip()
                    elif line.startswith("data:") and name:
                        self.heard.append((name, json.loads(line.removeprefix("data:"))))
                    if self._stop.is_set():
                        return
            except httpx.ReadTimeout:
                return

    def about(self, name: str) -> list[dict[str, Any]]:
        """What it heard of one kind."""
        return [data for event, data in self.heard if event == name]

    def close(self) -> None:
        """Listen no more; the stream ends when nothing comes for five seconds, or the town ends."""
        self._stop.set()


@pytest.fixture
def victim(town: TownProcess) -> Browser:
    """Somebody with savings, who got a letter."""
    return somebody(town, "Vera", FUNDS_MINOR, tier=2)


@pytest.fixture
def swindler(town: TownProcess) -> Browser:
    """Whoever wrote it."""
    return somebody(town, "Sly", tier=2)


@pytest.fixture
def friend(town: TownProcess, victim: Browser) -> Iterator[tuple[Browser, Listener]]:
    """Somebody whom the victim trusts, with a phone in the hand."""
    friend = somebody(town, "Freya")
    victim.confirm()
    victim.done("/v1/wallet/trust", person=friend.id)
    listener = Listener(friend)
    yield friend, listener
    listener.close()


def fee(victim: Browser, swindler: Browser) -> dict[str, Any]:
    """Pay as the letter says."""
    note = "Activation fee for my grant of 2,600"
    answer: dict[str, Any] = victim.done(
        "/v1/pay/send",
        payee=swindler.id,
        asset="EUR",
        amount_minor=FEE_MINOR,
        purpose="fee_for_money",
        note=note,
    )
    return answer


def test_the_fee_is_held_and_explained(victim: Browser, swindler: Browser, friend: tuple[Browser, Listener]) -> None:
    """Held for 24 hours with its reasons in plain words; the trusted contact hears of it; the payee has nothing."""
    paid = fee(victim, swindler)
    assert paid["state"] == "held"
    assert {"new_payee", "advance_fee"} <= set(paid["reasons"])
    hold = victim.get("/v1/guard/hold", payment=paid["payment"])
    assert hold["recallable"]
    assert nanoseconds(hold["until"]) - nanoseconds(hold["held"]) == DAY_NS
    words = {reason["name"]: reason["words"] for reason in hold["reasons"]}
    assert words["advance_fee"].startswith("You are asked to pay first")
    assert all(text.endswith(".") and len(text.split()) > 5 for text in words.values()), "sentences, not codes"
    assert victim.money() == {
        "balance_minor": FUNDS_MINOR,
        "available_minor": FUNDS_MINOR - FEE_MINOR,
        "held_minor": FEE_MINOR,
    }
    assert swindler.money()["available_minor"] == 0

    _, phone = friend
    told = until(lambda: phone.about("guard.trusted_told"), what="what the trusted contact hears")[0]
    assert told["person"]["id"] == victim.id
    assert told["case"] == hold["case"]
    assert "advance_fee" in told["reasons"]


def test_recall_is_certain_while_it_is_held(town: TownProcess, victim: Browser, swindler: Browser) -> None:
    """Neither the payee nor anything but the payer's own word decides: every cent comes back, at once, and once."""
    payment = fee(victim, swindler)["payment"]
    assert swindler.refused("/v1/guard/recall", payment=payment).code == "held_payment_not_yours"
    olivia = town.enter("olivia")
    olivia.confirm()
    case = victim.get("/v1/guard/hold", payment=payment)["case"]
    olivia.done("/v1/guard/decide", case=case, decision="freeze_payee", reason="The letter is known.")
    victim.done("/v1/guard/recall", payment=payment)
    assert victim.money() == {"balance_minor": FUNDS_MINOR, "available_minor": FUNDS_MINOR, "held_minor": 0}
    assert swindler.money()["balance_minor"] == 0
    assert victim.refused("/v1/guard/recall", payment=payment).code == "held_payment_ended"
    assert victim.get("/v1/pay/payment", payment=payment)["state"] == "returned"


def test_the_payee_may_appeal_and_an_operator_decides(town: TownProcess, victim: Browser, swindler: Browser) -> None:
    """No silent block: the payee sees why, says what it was for, and an operator lets the payment go."""
    payment = fee(victim, swindler)["payment"]
    seen = swindler.get("/v1/guard/holds", direction="in")["items"][0]
    assert seen["payment"] == payment
    assert seen["reasons"]
    swindler.done("/v1/guard/appeal", case=seen["case"], text="She bought my boat; here is the contract.")
    olivia = town.enter("olivia")
    case = olivia.get("/v1/guard/case", case=seen["case"])
    assert [appeal["text"] for appeal in case["appeals"]] == ["She bought my boat; here is the contract."]
    olivia.confirm()
    olivia.done("/v1/guard/decide", case=seen["case"], decision="release", reason="A contract was shown.")
    assert swindler.money()["balance_minor"] == FEE_MINOR
    assert victim.refused("/v1/guard/recall", payment=payment).code == "held_payment_ended"


def test_a_ring_of_seven_mules_is_flagged(town: TownProcess) -> None:
    """What goes round seven accounts, a little less each time, makes a case for the operator with all of them."""
    olivia = town.enter("olivia")
    before = {case["case"] for case in rings(olivia)}
    mules = [somebody(town, "Max", ROUND_MINOR if number == 0 else 0) for number in range(MULES)]
    amount_minor = ROUND_MINOR
    for payer, payee in zip(mules, [*mules[1:], mules[0]], strict=True):
        answer = payer.done(
            "/v1/pay/send", payee=payee.id, asset="EUR", amount_minor=amount_minor, purpose="friend", note=None
        )
        assert answer["state"] == "paid", "a ring is flagged, it blocks nobody"
        amount_minor = amount_minor * 97 // 100
    flagged = [case for case in rings(olivia) if case["case"] not in before]
    assert len(flagged) == 1
    assert {member["id"] for member in flagged[0]["members"]} == {mule.id for mule in mules}
    assert [reason["name"] for reason in flagged[0]["reasons"]] == ["mule_ring"]
    assert mules[0].refused("/v1/guard/decide", case=flagged[0]["case"], decision="close", reason=None).status == 403


def rings(olivia: Browser) -> list[dict[str, Any]]:
    """Every ring that waits for an operator."""
    found: list[dict[str, Any]] = []
    after = ""
    while True:
        page = olivia.get("/v1/guard/cases", state="open", limit=100, after=after)
        found += [case for case in page["items"] if case["kind"] == "ring"]
        after = page["next"]
        if not after:
            return found
