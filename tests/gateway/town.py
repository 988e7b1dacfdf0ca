"""A small town to test doors with: the whole gateway on a ledger in memory, people who are signed in, a clock to move.

::

    ann = town.person("Ann", alias="ann")
    town.fund(ann, 100_00)
    answer = ann.post("/v1/pay/send", payee=bo.id, asset="EUR", amount_minor=500, purpose="friend", note=None)
    assert answer.status_code == 200

Everything happens on one event loop, which runs only while a request does; :meth:`Town.settle` lets it run on.
"""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Coroutine, Sequence
from pathlib import Path
from typing import Any, TypeVar

import argon2
import httpx

from formicary.gateway.app import Gateway
from formicary.gateway.config import Config
from formicary.gateway.door import NODE
from formicary.gateway.pins import Pins
from formicary.gateway.server import open_door
from formicary.node.ledger import Ledger, open_ledger
from formicary.products.anatomy import Message, Product
from formicary.stack import standard_products

from tests.gateway.authenticator import Authenticator

T = TypeVar("T")
SECOND = 1_000_000_000
QUICK = argon2.PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)
"""Hashes as quickly as Argon2 can: tests are about the door, not about the hash."""


class Town:
    """A gateway in this process, and its people. ``folder`` keeps vault and store in files; the ledger is in memory."""

    def __init__(
        self,
        products: Sequence[Product] | None = None,
        *,
        folder: Path | None = None,
        modules: Sequence[Any] | None = None,
        ledger: Ledger | None = None,
        **settings: Any,
    ) -> None:
        plenty = {"rate_per_s": 10_000, "rate_burst": 10_000, "rate_nobody_per_s": 10_000, "rate_nobody_burst": 10_000}
        told = {"rate_sign_in_per_minute": 10_000, **plenty, **settings}
        self.config = Config(**(told if folder is None else {"data": folder, **told}))
        self.ahead_ns = 0
        self.own_ledger = ledger is None
        stack = standard_products() if products is None else products
        self.ledger = ledger or open_ledger(None, products=stack, clock_ns=self.now_ns)
        self.door = open_door(self.config, self.ledger, in_memory=folder is None, now_ns=self.now_ns)
        self.door.pins = Pins(self.door.store, self.config, self.now_ns, hasher=QUICK)
        self.app = Gateway(self.door, modules)
        self.loop = asyncio.new_event_loop()
        self.run(self.door.start())
        self._keys = itertools.count(1)
        self.nobody = Person(self, "")

    def now_ns(self) -> int:
        """The town's time."""
        return time.time_ns() + self.ahead_ns

    def wait(self, *, seconds: int = 0, hours: int = 0, days: int = 0) -> None:
        """Let time pass, for the doors and for the ledger."""
        self.ahead_ns += (seconds + 3600 * hours + 86_400 * days) * SECOND

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run something on the town's event loop."""
        return self.loop.run_until_complete(work)

    def settle(self, seconds: float = 0.05) -> None:
        """Let the event loop run: events of the ledger arrive, background work goes on."""
        self.run(asyncio.sleep(seconds))

    def key(self) -> str:
        """A fresh idempotency key."""
        return f"test-key-{next(self._keys):09d}"

    def person(self, name: str, *, alias: str | None = None, currency: str = "EUR", pin: str | None = None) -> Person:
        """Somebody who has signed up, by passkey or by PIN, and is signed in."""
        person = Person(self, name)
        person.sign_up(alias=alias, currency=currency, pin=pin)
        return person

    def node(self, name: str, **fields: Any) -> Message | None:
        """A command of the operator's own command line; refusals are raised."""
        reply, _ = self.run(self.door.run_as(NODE, name, self.door.message(name, **fields), self.key()))
        return reply

    def appoint(self, person: Person, *roles: str) -> Person:
        """Give a person roles."""
        for role in roles:
            self.node("wallet.appoint", person=person.party, role=role)
        self.settle()
        return person

    def raise_tier(self, person: Person, tier: int = 2) -> None:
        """Give a person higher limits."""
        self.node("wallet.set_tier", person=person.party, tier=tier)

    def fund(self, person: Person, amount_minor: int, asset: str = "EUR") -> None:
        """Money comes from the bank: a booking with the person's own reference."""
        taken = person.post("/v1/bank/take_reference")
        assert taken.status_code == 200, taken.text
        body = self.door.message(
            "bank.booked",
            asset=978 if asset == "EUR" else {"USD": 840, "CNY": 156}[asset],
            entry_ref=next(self._keys).to_bytes(32, "big"),
            direction="in",
            amount_minor=amount_minor,
            reference=taken.json()["reference"],
            booked_ns=self.now_ns(),
        )
        reply, _ = self.run(self.door.run_as(b"rail/bank", "bank.booked", body, self.key()))
        assert getattr(reply, "state", "") == "matched"

    def close(self) -> None:
        """Stop the doors, and the ledger when it is the town's own."""
        self.run(self.door.stop())
        if self.own_ledger:
            self.ledger.close()
        self.door.close()
        self.run(self.loop.shutdown_default_executor())
        self.loop.close()


class Person:
    """A browser and whoever sits before it."""

    def __init__(self, town: Town, name: str) -> None:
        self.town = town
        self.name = name
        self.origin = town.config.public_origin
        self.passkey = Authenticator(self.origin, rp_id=town.config.rp_id)
        self.alias: str | None = None
        self.pin: str | None = None
        self.id = ""
        transport = httpx.ASGITransport(app=town.app, raise_app_exceptions=False)
        self.client = httpx.AsyncClient(transport=transport, base_url=self.origin, headers={"Origin": self.origin})

    @property
    def party(self) -> bytes:
        """The person's id in bytes."""
        return bytes.fromhex(self.id)

    def sign_up(self, *, alias: str | None = None, currency: str = "EUR", pin: str | None = None) -> None:
        """Sign up; the browser gets a session."""
        self.alias, self.pin = alias, pin
        begun = self.post("/v1/sign-up/begin", name=self.name, alias=alias, currency=currency, language="en")
        assert begun.status_code == 200, begun.text
        proof = {"pin": pin} if pin else {"credential": self.passkey.create(begun.json()["options"])}
        done = self.post("/v1/sign-up/finish", ticket=begun.json()["ticket"], **proof)
        assert done.status_code == 200, done.text
        self.id = done.json()["person"]["id"]

    def sign_in(self) -> httpx.Response:
        """Sign in with the passkey."""
        begun = self.post("/v1/sign-in/begin").json()
        return self.post("/v1/sign-in/finish", ticket=begun["ticket"], credential=self.passkey.get(begun["options"]))

    def confirm(self) -> httpx.Response:
        """Show passkey or PIN once more."""
        begun = self.post("/v1/confirm/begin").json()
        proof = {"pin": self.pin} if self.pin else {"credential": self.passkey.get(begun["options"])}
        return self.post("/v1/confirm/finish", ticket=begun["ticket"], **proof)

    def get(self, path: str, **query: Any) -> httpx.Response:
        """Ask."""
        return self.ask("GET", path, params=query)

    def post(self, path: str, **fields: Any) -> httpx.Response:
        """Tell, with a fresh idempotency key."""
        return self.ask("POST", path, json=fields, headers={"Idempotency-Key": self.town.key()})

    def ask(self, method: str, path: str, **more: Any) -> httpx.Response:
        """Any request of this browser."""
        return self.town.run(self.client.request(method, path, **more))
