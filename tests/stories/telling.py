"""A few words to tell stories in: people with money, orders, waiting for what happens by itself."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable
from typing import Any, TypeVar

import pytest

from formicary.gateway.edge_values import read_time
from formicary.testing.town_process import Browser, TownProcess

T = TypeVar("T")
WAIT_S = 30.0
"""Longest wait for what happens by itself."""
_NUMBERS = itertools.count(1)


def alive(town: TownProcess) -> TownProcess:
    """Start what does not run: for the first time, or because a story before failed while it was down."""
    if town.process is None or town.process.poll() is not None:
        town.start()
    return town


def until(question: Callable[[], T], *, seconds: float = WAIT_S, what: str = "it") -> T:
    """Ask again and again until the answer is true, and give it back; fails when it takes too long."""
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        answer = question()
        if answer:
            return answer
        time.sleep(0.05)
    pytest.fail(f"waited {seconds} s for {what}")


def somebody(town: TownProcess, name: str, money_minor: int = 0, *, tier: int = 0) -> Browser:
    """A newcomer with an alias of their own; the bank brings the money, an operator raises the limits."""
    return town.somebody(name, money_minor, tier=tier)


def shop_money(owner: Browser, shop: str) -> int:
    """What a shop has, in euro cents, as its owner sees it."""
    accounts = owner.get("/v1/shop/shop", shop=shop)["accounts"]
    return sum(account["balance_minor"] for account in accounts if account["asset"] == "EUR")


def first_till(staff: Browser, shop: str) -> str:
    """The id of a shop's first till."""
    till: str = staff.get("/v1/shop/tills", shop=shop)["items"][0]["till"]
    return till


def soon(seconds: float) -> str:
    """So many seconds from now, as the API writes times."""
    whole, part = divmod(time.time() + seconds, 1)
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(whole)) + f".{int(part * 1000):03d}Z"


def nanoseconds(text: str) -> int:
    """A time of the API in nanoseconds since 1970."""
    return read_time(text)


def order_of(shop: str, amount_minor: int, **more: Any) -> dict[str, Any]:
    """An order at a shop, for an hour, unless it says otherwise."""
    plain = {
        "shop": shop,
        "till": None,
        "asset": "EUR",
        "amount_minor": amount_minor,
        "tip": "none",
        "tip_value": 0,
        "number": f"S-{next(_NUMBERS)}",
        "until": soon(3600),
        "many": False,
        "exit": False,
    }
    return plain | more


def purchase_of(seller: str, amount_minor: int, **more: Any) -> dict[str, Any]:
    """An order in escrow that is to be shipped within a day, unless it says otherwise."""
    plain = {
        "seller": seller,
        "asset": "EUR",
        "amount_minor": amount_minor,
        "ship_by": soon(86_400),
        "silence": "release",
        "silence_s": 86_400,
        "inspect_s": 0,
        "carrier": None,
        "carrier_key": None,
        "code": None,
        "milestones": [],
        "note": None,
    }
    return plain | more
