"""Live events over a real connection: as they happen, resumed without a gap, and never held up by a slow reader."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest

from formicary.client import ApiRefusal, Client
from formicary.gateway import live
from formicary.gateway.live import Client as Stream
from formicary.gateway.live import Live
from formicary.gateway.shared import shared
from formicary.machine.events import Event

from tests.gateway.house import ALICE, BOB, EUR, House


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A gateway for all tests of this file."""
    made = House(tmp_path_factory.mktemp("live"))
    made.settle()
    yield made
    made.close()


def pay(house: House, amount: int) -> None:
    """Alice pays Bob, who is told of it."""
    house.run(ALICE, "pay.send", payee=BOB, asset=EUR, amount_minor=amount, purpose="friend", note=None)


def listen(client: Client, into: list[dict[str, Any]], count: int, **options: Any) -> threading.Thread:
    """Listen in a thread until ``count`` events have come."""

    def run() -> None:
        for event in client.events(**options):
            into.append(event)
            if len(into) >= count:
                return

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    return thread


def streams(house: House) -> int:
    """How many streams are open."""
    return shared(house.door, Live).count


def wait_for(what: Any, seconds: float = 10) -> None:
    """Wait until something is so."""
    import time

    until = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < until
        time.sleep(0.01)


def test_what_happens_is_told_and_resumed(house: House) -> None:
    """Events come as they happen; whoever comes back with the last id gets what was missed, in order, once."""
    seen: list[dict[str, Any]] = []
    with house.client(BOB, "events:read") as client:
        thread = listen(client, seen, 2)
        wait_for(lambda: streams(house) == 1)
        pay(house, 11)
        pay(house, 12)
        thread.join(10)
        assert [(each["event"], each["data"]["amount_minor"]) for each in seen] == [
            ("pay.payment_made", 11),
            ("pay.payment_made", 12),
        ]
        wait_for(lambda: streams(house) == 0)
        pay(house, 13)
        again: list[dict[str, Any]] = []
        thread = listen(client, again, 3, last_event_id=seen[0]["id"])
        wait_for(lambda: len(again) == 2)
        pay(house, 14)
        thread.join(10)
    assert [each["data"]["amount_minor"] for each in again] == [12, 13, 14]
    numbers = [int(each["id"]) for each in again]
    assert numbers == sorted(set(numbers))


def test_events_of_others_are_not_told(house: House) -> None:
    """Alice hears nothing of what only Bob is told, and no shop of somebody else."""
    seen: list[dict[str, Any]] = []
    with house.client(ALICE, "events:read") as client:
        thread = listen(client, seen, 1)
        wait_for(lambda: streams(house) == 1)
        pay(house, 15)
        house.run(ALICE, "wallet.freeze")
        thread.join(10)
        house.run(ALICE, "wallet.unfreeze")
        assert [each["event"] for each in seen] == ["wallet.frozen"]
        with pytest.raises(ApiRefusal) as refused:
            next(client.events(shop=BOB.hex()))
        assert refused.value.code == "shop_not_yours"
    with house.client(ALICE, "wallet:read") as other, pytest.raises(ApiRefusal) as missing:
        next(other.events())
    assert missing.value.code == "scope_missing"


def test_one_party_opens_so_many_streams(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond that the door says so, with a time to come back."""
    monkeypatch.setattr(live, "CLIENTS_OF_ONE_MAX", 0)
    with house.client(BOB, "events:read") as client, pytest.raises(ApiRefusal) as refused:
        next(client.events())
    assert (refused.value.code, refused.value.status, refused.value.retry_after_s) == ("too_many_streams", 429, 5)


def test_a_slow_client_is_dropped_and_holds_nobody_up() -> None:
    """Its queue has an end; what does not fit ends the stream, and memory stays bounded."""
    stream = Stream(BOB)
    event = Event(number=1, entry=1, product="pay", kind="payment_made", payload=b"", subject=BOB)
    for _ in range(10 * live.QUEUE_MAX):
        stream.offer(event)
    assert stream.dropped
    assert stream.queue.qsize() == live.QUEUE_MAX


def test_a_dropped_stream_says_so(house: House) -> None:
    """The client reads a clear event before the end."""
    told: list[dict[str, Any]] = []
    with house.client(BOB, "events:read") as client:
        thread = threading.Thread(target=lambda: told.extend(client.events()), daemon=True)
        thread.start()
        wait_for(lambda: streams(house) == 1)

        async def drop() -> None:
            event = Event(number=2**60, entry=1, product="none", kind="none", payload=b"", subject=BOB)
            for _ in range(live.QUEUE_MAX + 1):
                shared(house.door, Live)._heard((event,))

        house.on_loop(drop)
        thread.join(10)
    assert told[-1]["event"] == "door.dropped"


def test_heartbeats_keep_a_quiet_stream_open(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """A comment comes now and then, which clients don't take for an event."""
    monkeypatch.setattr(live, "HEARTBEAT_S", 0.05)
    with house.client(BOB, "events:read") as client, client._http.stream("GET", "/v1/events") as response:
        lines = response.iter_lines()
        assert next(lines) == "retry: 2000"
        assert ": still here" in [next(lines) for _ in range(6)]
