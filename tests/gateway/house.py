"""A whole gateway on a loopback port, for tests of its machine-facing half: real server, ledger and files."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import uvicorn

import formicary
from formicary.client import Client
from formicary.gateway.app import Gateway
from formicary.gateway.config import Config
from formicary.gateway.door import NODE, Door
from formicary.gateway.keys import Keys, NewKey
from formicary.gateway.live import Live
from formicary.gateway.routes import Asked, Caller, CallerKind
from formicary.gateway.shared import shared
from formicary.gateway.store import Store
from formicary.kernel.records import ACCOUNT, TRANSFER
from formicary.stack import standard_products
from formicary.testing.trial import person
from formicary.vault import LocalKms, Vault

T = TypeVar("T")
EUR = 978
ALICE, BOB, OPERATOR = person("alice"), person("bob"), person("operator")
SECOND_NS = 10**9
HOUSE_ACCOUNT = 77
RATES = ("rate_per_s", "rate_burst", "rate_nobody_per_s", "rate_nobody_burst", "rate_sign_in_per_minute")


class House:
    """A gateway that runs, with Alice and Bob who have purses and an operator."""

    def __init__(self, folder: Path, **settings: Any) -> None:
        self.folder = folder
        self.offset_ns = 0
        self.ledger = formicary.open(folder / "ledger", products=standard_products())
        config = Config(data=folder, **(dict.fromkeys(RATES, 100_000) | settings))
        vault = Vault(folder / "vault", LocalKms(bytes(32)))
        store = Store(folder / "gateway.db")
        self.door = Door(self.ledger, config, vault=vault, store=store, now_ns=self.now_ns)
        self.app = Gateway(self.door)
        options = uvicorn.Config(self.app, port=0, log_config=None, lifespan="on", timeout_graceful_shutdown=2)
        self._server = uvicorn.Server(options)
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()
        until = time.monotonic() + 30
        while not self._server.started:
            assert self._thread.is_alive(), "the server failed at its start"
            assert time.monotonic() < until, "the server did not start"
            time.sleep(0.01)
        port = self._server.servers[0].sockets[0].getsockname()[1]
        self.origin = f"http://127.0.0.1:{port}"
        self._ids = iter(range(1, 10**9))

    def _serve(self) -> None:
        with asyncio.Runner() as runner:
            self._loop = runner.get_loop()
            runner.run(self._server.serve())

    def now_ns(self) -> int:
        """The clock, moved by as much as a test says."""
        return time.time_ns() + self.offset_ns

    def on_loop(self, work: Callable[[], Awaitable[T]]) -> T:
        """Run something on the server's event loop and wait for it."""

        async def run() -> T:
            return await work()

        return asyncio.run_coroutine_threadsafe(run(), self._loop).result(30)

    def run(self, signer: bytes, name: str, **fields: Any) -> Any:
        """Put a command on the log, as any signer; answer its reply."""
        message = self.door.message(name, **fields)
        key = f"test-{next(self._ids)}"
        return self.on_loop(lambda: self.door.run_as(signer, name, message, key))[0]

    def settle(self) -> None:
        """Open purses for Alice and Bob, appoint the operator, and give Alice money."""
        for who in (ALICE, BOB, OPERATOR):
            self.run(who, "wallet.open", assets=(EUR,), alias=None)
        for role in ("operator", "auditor"):
            self.run(NODE, "wallet.appoint", person=OPERATOR, role=role)
        house = np.zeros(1, ACCOUNT)
        house["id_lo"], house["asset"], house["code"] = HOUSE_ACCOUNT, EUR, 9
        assert self.ledger.open_accounts(house).tolist() == [0]
        self.give(ALICE, 50_000)

    def purse(self, who: bytes) -> int:
        """The account of a person."""
        answer = self.on_loop(lambda: self.door.ask("wallet.accounts", who, self.door.asked("wallet.accounts")))
        return int.from_bytes(answer.items[0].account, "big")

    def give(self, who: bytes, amount: int) -> None:
        """Put money into a purse out of nowhere."""
        transfer = np.zeros(1, TRANSFER)
        transfer["id_lo"], transfer["debit_lo"] = 10**12 + next(self._ids), HOUSE_ACCOUNT
        number = self.purse(who)
        transfer["credit_lo"], transfer["credit_hi"] = number & (2**64 - 1), number >> 64
        transfer["amount"], transfer["asset"], transfer["code"] = amount, EUR, 9
        assert self.ledger.post(transfer).tolist() == [0]

    def asked(self, who: bytes, body: Any = None, *, query: Any = None, roles: str = "", **path: str) -> Asked:
        """A request as a handler gets it, of a person who has just confirmed."""
        caller = Caller(CallerKind.SESSION, who, frozenset(roles.split()), None, 2**62, "test")
        return Asked(self.door, caller, None, path, query, body)  # type: ignore[arg-type]

    def key(self, who: bytes, *scopes: str, roles: str = "") -> Any:
        """Make a key; answer it with its private half."""
        keys = shared(self.door, Keys)
        return self.on_loop(lambda: keys.make(self.asked(who, NewKey(scopes), roles=roles)))

    def client(self, who: bytes, *scopes: str, roles: str = "") -> Client:
        """A client that signs with a new key."""
        made = self.key(who, *scopes, roles=roles)
        return Client(self.origin, key=made.key, private_key=made.private_key)

    def close(self) -> None:
        """Stop the server and close everything."""
        self.on_loop(shared(self.door, Live).close)
        self._server.should_exit = True
        self._thread.join(20)
        assert not self._thread.is_alive(), "the server did not stop"
        self.door.close()
        self.ledger.close()
