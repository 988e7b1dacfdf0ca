"""Webhooks against a real receiver that fails at times: signed, in order, retried, replayable, kept out of our net."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from standardwebhooks import Webhook as Oracle

from formicary.client import ApiRefusal, Client, NotFound
from formicary.gateway import delivery
from formicary.gateway.delivery import RETRY_S, sign
from formicary.gateway.outgoing import GuardedNetwork, Outgoing, check_url, is_public
from formicary.gateway.problems import Problem

from tests.gateway.house import ALICE, BOB, EUR, SECOND_NS, House
from tests.gateway.receiver import Receiver


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A gateway for all tests of this file."""
    made = House(tmp_path_factory.mktemp("hooks"))
    made.settle()
    yield made
    made.close()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """A receiver of one test's webhooks."""
    made = Receiver()
    yield made
    made.close()


@pytest.fixture
def client(house: House) -> Iterator[Client]:
    """Bob's client, which leaves no webhook behind."""
    with house.client(BOB, "webhook:read", "webhook:write", "wallet:read") as made:
        yield made
        for each in made.get("/v1/webhooks")["items"]:
            made.delete(f"/v1/webhooks/{each['webhook']}")


def pay(house: House, amount: int) -> None:
    """Alice pays Bob, who is told of it."""
    house.run(ALICE, "pay.send", payee=BOB, asset=EUR, amount_minor=amount, purpose="friend", note=None)


def kinds(receiver: Receiver) -> list[str]:
    """Types of what was accepted, in order."""
    return [each.told["type"] for each in receiver.accepted()]


def numbers(receiver: Receiver) -> list[int]:
    """Numbers of the events accepted, in order."""
    return [each.told["number"] for each in receiver.accepted()]


def test_another_implementation_checks_our_signature(house: House, client: Client, receiver: Receiver) -> None:
    """Standardwebhooks reads what we send: a payment of the webhook's owner."""
    made = client.post("/v1/webhooks", {"url": receiver.url, "events": ["pay.payment_made"]})
    pay(house, 10)
    receiver.wait(lambda: bool(receiver.accepted()))
    got = receiver.accepted()[0]
    told = Oracle(made["secret"]).verify(got.body, got.headers)
    assert told["type"] == "pay.payment_made"
    assert told["data"]["amount_minor"] == 10
    assert got.headers["webhook-id"].endswith(f"_{told['number']}")
    assert told["entry"] > 1


def test_order_is_kept_whatever_fails(
    house: House, client: Client, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Refused, cut off, in error: the same event comes again under the same id, and later ones wait behind it."""
    monkeypatch.setattr(delivery, "RETRY_S", (1, 1, 1, 1, 1, 1, 1, 1, 1))
    receiver.plan = [500, 0, 204, 503]
    client.post("/v1/webhooks", {"url": receiver.url, "events": ["pay.*"]})
    for amount in (1, 2, 3):
        pay(house, amount)
    receiver.wait(lambda: len(receiver.accepted()) >= 3)
    assert numbers(receiver) == sorted(set(numbers(receiver)))
    amounts = [each.told["data"].get("amount_minor") for each in receiver.accepted()]
    assert [each for each in amounts if each in {1, 2, 3}][:3] == [1, 2, 3]
    first = receiver.got[0].headers["webhook-id"]
    assert [each.headers["webhook-id"] for each in receiver.got[:3]] == [first] * 3
    webhook = client.get("/v1/webhooks")["items"][0]["webhook"]
    attempts = client.get(f"/v1/webhooks/{webhook}/deliveries", limit=100)["items"]
    assert [each["status"] for each in attempts[::-1][:3]] == [500, 0, 204]
    assert [each["attempt"] for each in attempts[::-1][:3]] == [1, 2, 3]
    assert attempts[::-1][1]["error"] == "connection"


def test_one_that_fails_for_days_is_switched_off_and_resumes(house: House, client: Client, receiver: Receiver) -> None:
    """Gone means off at once; a replay from the event that failed switches it on and misses nothing."""
    receiver.plan = [410]
    made = client.post("/v1/webhooks", {"url": receiver.url, "events": ["pay.payment_made"]})
    hook = f"/v1/webhooks/{made['webhook']}"
    pay(house, 21)
    receiver.wait(lambda: client.get("/v1/webhooks")["items"][0]["state"] == "off")
    pay(house, 22)
    missed = receiver.got[0].told["number"]
    assert client.post(f"{hook}/replay", {"from": missed})["from"] == missed
    receiver.wait(lambda: len(receiver.accepted()) >= 2)
    assert [each.told["data"]["amount_minor"] for each in receiver.accepted()] == [21, 22]


def test_the_last_attempt_is_after_three_days(house: House, client: Client, receiver: Receiver) -> None:
    """With the clock moved on after each attempt, the tenth failure ends it."""
    receiver.plan = [500] * 10
    client.post("/v1/webhooks", {"url": receiver.url, "events": ["pay.payment_made"]})
    before = house.offset_ns
    pay(house, 31)

    def moved() -> bool:
        house.offset_ns += 3600 * SECOND_NS
        return len(receiver.got) >= 10

    try:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(delivery, "LOOK_EVERY_S", 0.02)
            receiver.wait(moved)
            state = "SELECT state FROM gateway_webhooks"
            receiver.wait(lambda: house.door.store.one(state) == ("off",))
    finally:
        house.offset_ns = before
    assert len(receiver.got) == len(RETRY_S) + 1


def test_the_test_button_tells_what_became_of_it(client: Client, receiver: Receiver) -> None:
    """At once, beside the order, delivered or not."""
    made = client.post("/v1/webhooks", {"url": receiver.url})
    hook = f"/v1/webhooks/{made['webhook']}"
    assert client.post(f"{hook}/test")["delivered"] is True
    receiver.plan = [418]
    told = client.post(f"{hook}/test")
    assert (told["delivered"], told["status"]) == (False, 418)
    assert Oracle(made["secret"]).verify(receiver.got[0].body, receiver.got[0].headers)["type"] == "webhook.test"
    renewed = client.post(f"{hook}/secret")["secret"]
    assert renewed != made["secret"]
    client.post(f"{hook}/test")
    assert Oracle(renewed).verify(receiver.got[-1].body, receiver.got[-1].headers)


def test_webhooks_are_their_owners_alone(house: House, client: Client, receiver: Receiver) -> None:
    """Alice neither sees nor touches Bob's; her events never reach him."""
    made = client.post("/v1/webhooks", {"url": receiver.url})
    with house.client(ALICE, "webhook:read", "webhook:write") as alice:
        assert alice.get("/v1/webhooks")["items"] == []
        for method, path in (("DELETE", ""), ("POST", "/test"), ("GET", "/deliveries")):
            with pytest.raises(NotFound):
                getattr(alice, method.lower())(f"/v1/webhooks/{made['webhook']}{path}")
    house.run(ALICE, "wallet.freeze")
    house.run(ALICE, "wallet.unfreeze")
    pay(house, 41)
    receiver.wait(lambda: bool(receiver.accepted()))
    assert "wallet.frozen" not in kinds(receiver)


def test_wishes_that_make_no_sense_are_refused(client: Client) -> None:
    """Unknown kinds, foreign shops, too old events, addresses of other sorts."""
    for body in (
        {"url": "ftp://example.com/"},
        {"url": "https://user:secret@example.com/"},
        {"url": "https://example.com/", "events": ["pay.nonsense"]},
        {"url": "https://example.com/", "shop": "0" * 32},
        {"url": "https://example.com/#x"},
        {"url": "x" * 600},
    ):
        with pytest.raises(ApiRefusal) as refused:
            client.post("/v1/webhooks", body)
        assert refused.value.status in {403, 422}


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("93.184.216.34", True),
        ("2606:4700::1111", True),
        ("127.0.0.1", False),
        ("10.0.0.1", False),
        ("192.168.1.1", False),
        ("172.16.0.1", False),
        ("169.254.169.254", False),
        ("100.64.0.1", False),
        ("0.0.0.0", False),  # noqa: S104 - an address to refuse
        ("224.0.0.1", False),
        ("255.255.255.255", False),
        ("::1", False),
        ("::", False),
        ("fe80::1%eth0", False),
        ("fd00::1", False),
        ("::ffff:127.0.0.1", False),
        ("::ffff:93.184.216.34", True),
        ("64:ff9b::7f00:1", False),
        ("2002:7f00:1::", False),
        ("ff02::1", False),
    ],
)
def test_addresses_that_are_not_public_are_known(address: str, public: bool) -> None:
    """Private, local, shared, reserved, multicast, and IPv4 hidden in IPv6."""
    assert is_public(address) is public


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com/",
        "https://127.0.0.1/",
        "https://localhost/",
        "https://[::1]/",
        "https://10.0.0.1:443/",
        "https://metadata.internal/",
        "https://example.com:22/",
        "https://example.com:99999/",
        "https:///path",
        "https://exa mple.com/",
    ],
)
def test_outside_a_sandbox_only_public_https_is_taken(url: str) -> None:
    """By its form already; names are looked at when they are used."""
    with pytest.raises(Problem):
        check_url(url, sandbox=False)
    assert check_url("https://example.com/hook?x=1", sandbox=False)


async def resolved_to_us() -> tuple[int, str, str]:
    """Post to a name that leads to this machine, as if we were not a sandbox."""
    outgoing = Outgoing(sandbox=False)
    try:
        return await outgoing.post("http://localhost:1/", {"Host": "localhost"}, b"{}")
    finally:
        await outgoing.close()


def test_a_name_that_leads_to_us_is_not_followed() -> None:
    """However public the name looks, the address that it has decides."""
    import asyncio

    assert asyncio.run(resolved_to_us()) == (0, "", "address_refused")
    assert GuardedNetwork(sandbox=True)


def test_the_signature_is_the_schemes_own() -> None:
    """The example of the specification (standard-webhooks, spec §Signature scheme), by the other implementation."""
    import datetime as dt

    secret = b"0123456789abcdef01234567"
    when = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    body: Any = '{"a":1}'
    ours = sign(secret, message_id="msg_1", timestamp=int(when.timestamp()), body=body.encode())
    assert ours == Oracle(secret).sign("msg_1", when, body)
