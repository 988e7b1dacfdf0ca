"""One institution as a process: its own ledger, vault and gateway, and people who pay the other one's people.

Run by ``test_two_nodes.py``, which kills it without warning. It knows the other institution by a file that the other
writes, makes payments until a file ``stop`` appears, and writes a file ``idle`` when nothing is left to say or to hear.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import random
import secrets
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from formicary.base.errors import Refusal
from formicary.gateway import clearing as door_module
from formicary.gateway.app import Gateway
from formicary.gateway.config import Config
from formicary.gateway.door import Door
from formicary.gateway.server import make_server, open_door
from formicary.kernel.objects import Account, Transfer
from formicary.node.ledger import open_ledger
from formicary.products import clearing, guard, pay, wallet
from formicary.products.anatomy import Product
from formicary.products.clearing import queries
from formicary.products.clearing.commands import AddInstitution, CancelOut, SendOut
from formicary.products.clearing.offers import ClearingPayments
from formicary.products.guard.offers import Watch
from formicary.products.pay.offers import Ledgerbook, Settlement
from formicary.products.wallet.commands import Open
from formicary.products.wallet.offers import Purses
from formicary.testing.trial import person

EUR: Final = 978
WORLD: Final = 7_000_001
START_MINOR: Final = 5_000
PEOPLE: Final = 6


class NoShops:
    """Nobody but people is paid here."""

    def account_of(self, _context: Any, _party: bytes, _asset: int, _amount_minor: int) -> int | None:
        """Nowhere."""
        return None


class NoPayouts:
    """There is no bank here."""

    def pay_out(self, *_given: Any, **_named: Any) -> bytes:
        """Never."""
        raise AssertionError


def products() -> Sequence[Product]:
    """People, the guard, payments, and clearing between institutions."""
    purses, book = Purses(), Ledgerbook()
    watch = Watch(purses)
    needs: Any = {"purses": purses, "receivers": NoShops(), "watch": watch, "book": book}
    held = (Settlement(purses), ClearingPayments(**needs))
    return (
        wallet.product(payouts=NoPayouts()),
        guard.product(purses=purses, payments=held, book=book),
        pay.product(purses=purses, watch=watch, receivers=NoShops()),
        clearing.product(**needs),
    )


def party(name: str, number: int) -> bytes:
    """A person of an institution."""
    return person(f"{name}{number}")


async def settle(door: Door, name: str) -> None:
    """Open everybody's purse and put money into it; done again after a crash, it changes nothing."""
    door.ledger.accounts([Account(id=WORLD, asset=EUR, code=1)])
    for number in range(PEOPLE):
        who = party(name, number)
        alias = door.digest("alias", f"{name}{number}")
        opened, _ = await door.run_as(who, "wallet.open", Open((EUR,), alias), f"open {name} {number}")
        purse = int.from_bytes(opened.accounts[0], "big")  # type: ignore[union-attr]
        moved = Transfer(id=1_000 + number, debit=WORLD, credit=purse, amount=START_MINOR, asset=EUR, code=1)
        door.ledger.transfers([moved])


async def meet(door: Door, folder: Path, peer: Path) -> bytes:
    """Tell the other who we are, and learn who they are; the other's id."""
    relay = door_module.relay_of(door)
    told = {"id": relay.own.hex(), "key": relay.public_key.hex(), "address": door.config.public_origin}
    unfinished = folder / "me.new"
    unfinished.write_text(json.dumps(told))
    unfinished.rename(folder / "me.json")
    while not (peer / "me.json").exists():  # noqa: ASYNC110 - the other is another process
        await asyncio.sleep(0.05)
    other = json.loads((peer / "me.json").read_text())
    known = AddInstitution(bytes.fromhex(other["id"]), False, bytes.fromhex(other["key"]), other["address"], 0)
    await door.run_as(b"node", "clearing.add_institution", known, "meet")
    return known.institution


async def live(door: Door, folder: Path, peer: Path, names: tuple[str, str], chance: random.Random) -> None:
    """Pay, call off, pay nobody; then wait until nothing is left."""
    name, other_name = names
    await settle(door, name)
    other = await meet(door, folder, peer)
    while not (folder / "stop").exists():
        await asyncio.sleep(chance.random() / 3)
        who, number = party(name, chance.randrange(PEOPLE)), chance.randrange(PEOPLE + 1)
        payee = await door.seal(who, (), f"@{other_name}{number}")  # the last one is nobody
        body = SendOut(other, payee, who[::-1], EUR, chance.randint(1, 40), "friend", None)
        with contextlib.suppress(Refusal):  # a purse may be empty
            sent, _ = await door.run_as(who, "clearing.send_out", body, secrets.token_bytes(16))
            if chance.random() < 0.15:
                await asyncio.sleep(chance.random() / 50)
                await door.run_as(who, "clearing.cancel_out", CancelOut(sent.payment), secrets.token_bytes(16))  # type: ignore[union-attr]
    while True:
        await asyncio.sleep(0.1)
        open_out = await door.look("clearing", queries.to_do)
        open_in = await door.look("clearing", queries.undecided)
        if not open_out and not open_in:
            (folder / "idle").touch()


async def run(options: argparse.Namespace) -> None:
    """Open the ledger, serve, and live."""
    folder: Path = options.folder
    config = Config(data=folder, port=options.port, origin=f"http://127.0.0.1:{options.port}")
    ledger = open_ledger(folder / "ledger", products=products(), checkpoint_every=300)
    door = open_door(config, ledger)
    server = make_server(door, Gateway(door, [door_module]))
    serving = asyncio.create_task(server.serve())
    chance = random.Random(secrets.randbits(32))
    living = asyncio.create_task(live(door, folder, options.peer, (options.name, options.other), chance))
    done, _ = await asyncio.wait({serving, living}, return_when=asyncio.FIRST_COMPLETED)
    for each in done:
        each.result()
    living.cancel()
    door.close()
    ledger.close()


def main() -> None:
    """Be one institution."""
    read = argparse.ArgumentParser(description=__doc__)
    read.add_argument("folder", type=Path)
    read.add_argument("peer", type=Path)
    read.add_argument("--port", type=int, required=True)
    read.add_argument("--name", required=True)
    read.add_argument("--other", required=True)
    asyncio.run(run(read.parse_args()))


if __name__ == "__main__":
    main()
