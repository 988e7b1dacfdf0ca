"""A gateway to measure: many people with money and sessions, an operator among them; one line of JSON says who.

    python -m formicary.testing.benchmarks.http_server --folder F --people 2000

The same server as ``formicary up --empty`` runs; only the rate limits are out of the way, for the load comes from one
address.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import socket
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from formicary.base.money import parse_asset
from formicary.gateway.config import Config
from formicary.gateway.door import NODE
from formicary.gateway.server import open_door, serve
from formicary.kernel.records import ACCOUNT
from formicary.node.ledger import open_ledger
from formicary.products.bank.codes import RAIL
from formicary.stack import standard_products

if TYPE_CHECKING:
    from formicary.gateway.door import Door

EUR: Final = parse_asset("EUR")
EACH_MINOR: Final = 5_000_00
TIER: Final = 2
AT_ONCE: Final = 256
ACCOUNTS: Final = 10_000
"""Accounts for bulk transfers, with the ids 1 … ACCOUNTS."""


async def populate(door: Door, people: int) -> list[dict[str, str]]:
    """Open wallets, bring them money through the bank's bookings, begin a session each; the first is an operator."""
    made = []
    for first in range(0, people, AT_ONCE):
        numbers = range(first + 1, min(first + AT_ONCE, people) + 1)
        made += await asyncio.gather(*(_person(door, number) for number in numbers))
    await _say(door, NODE, "wallet.appoint", person=(1).to_bytes(16, "big"), role="operator")
    return made


async def _person(door: Door, number: int) -> dict[str, str]:
    person = number.to_bytes(16, "big")
    say = partial(_say, door)
    await say(person, "wallet.open", assets=(EUR,), alias=None)
    device = number.to_bytes(16, "little")
    await say(person, "wallet.add_device", device=device, key=person, kind="pin", label=None)
    await say(NODE, "wallet.set_tier", person=person, tier=TIER)
    taken = await say(person, "bank.take_reference")
    await say(
        RAIL,
        "bank.booked",
        asset=EUR,
        entry_ref=number.to_bytes(32, "big"),
        direction="in",
        amount_minor=EACH_MINOR,
        reference=taken.reference,
        booked_ns=door.now_ns(),
    )
    secret, _ = door.sessions.begin(person, device, "bench")
    return {"person": person.hex(), "cookie": f"{door.sessions.cookie}={secret}"}


async def _say(door: Door, signer: bytes, name: str, **fields: Any) -> Any:  # noqa: ANN401 - the command's own reply
    key = f"{name} {fields.get('person', signer)!r} {fields.get('entry_ref', b'')!r}"
    reply, _ = await door.run_as(signer, name, door.message(name, **fields), key)
    return reply


def main() -> None:
    """Read the command line, populate, serve until told to stop."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--folder", type=Path, required=True)
    options.add_argument("--people", type=int, default=2000)
    chosen = options.parse_args()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    config = Config(data=chosen.folder, port=port, rate_per_s=10**6, rate_burst=10**6)
    chosen.folder.mkdir(parents=True, exist_ok=True)
    with open_ledger(chosen.folder / "ledger", products=standard_products()) as ledger:
        door = open_door(config, ledger)
        people = asyncio.run(populate(door, chosen.people))
        batch = np.zeros(ACCOUNTS, ACCOUNT)
        batch["id_lo"], batch["asset"], batch["code"] = np.arange(1, ACCOUNTS + 1), EUR, 1
        for half in np.array_split(batch, 2):
            assert not ledger.open_accounts(half).any()
        told = {"port": port, "origin": config.public_origin, "people": people}
        serve(door, ready=lambda: _say_ready(told))
        door.close()


def _say_ready(told: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(told) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
