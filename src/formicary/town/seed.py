"""Makes the town: every step is a command under a name of its own, so that doing it again does nothing.

Money comes in by the sandbox bank's files; what people do to one another goes through the very commands that their
pages send. A step that is refused stops the seeding with that refusal: a town is whole, or says what is missing.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import msgspec
from nacl.signing import SigningKey

from formicary.base.money import parse_asset
from formicary.gateway.courier import Courier
from formicary.gateway.devices import Device
from formicary.gateway.door import NODE
from formicary.products.bank import SANDBOX_HOUSE
from formicary.products.escrow.commands import Milestone, PoolStage
from formicary.products.escrow.parcels import code_digest
from formicary.products.pay.commands import Share
from formicary.rails.sandbox_bank.bank import Bank
from formicary.town.people import PEOPLE, PIN, SHOPS, Shop, Townsperson, town_id
from formicary.vault import ANYBODY

if TYPE_CHECKING:
    from formicary.gateway.door import Door
    from formicary.products.anatomy import Message

EUR: Final = parse_asset("EUR")
COFFEE_MINOR: Final = 380
HOUR_NS: Final = 3600 * 1_000_000_000
DAY_NS: Final = 24 * HOUR_NS
CARRIER_SEED: Final = town_id("carrier") + town_id("carrier's key")
"""Of the town's carrier, so that anybody can play it: the seed of an Ed25519 key."""
BY_ALIAS: Final = {person.alias: person for person in PEOPLE}
Progress = Callable[[str], None]


class Seeder:
    """Seeds one ledger, once or again."""

    def __init__(self, door: Door, bank: Path, progress: Progress = lambda _what: None) -> None:
        self._door = door
        self._bank = bank
        self._progress = progress
        self.shops: dict[str, bytes] = {}
        """Id of each shop by its alias."""
        self.coffee = b""
        """An order that anybody may pay, again and again: a payment link."""
        self._begun_ns = 0
        self.tills: dict[str, bytes] = {}
        """Id of each shop's first till."""

    async def run(self) -> None:
        """Make everything, in the order in which it needs one another; a town that is whole stays as it is."""
        self._begun_ns = self._begin()
        self._progress("people")
        pin_hash = await self._door.aside(self._door.pins.hash, PIN)
        for person in PEOPLE:
            await self._settle_in(person, pin_hash)
        for role_of in PEOPLE:
            for role in role_of.roles:
                await self._say(NODE, "wallet.appoint", f"appoint {role_of.alias} {role}", person=role_of.id, role=role)
        for person in PEOPLE:
            await self._say("olivia", "wallet.set_tier", f"tier {person.alias}", person=person.id, tier=2)
        self._progress("the bank's transfers")
        await self._bring_money()
        self._progress("shops")
        for shop in SHOPS:
            await self._open_shop(shop)
        self.coffee = await self._offer_coffee()
        self._progress("a day of payments")
        await self._live_a_day()
        self._progress("orders under way")
        await self._order_things()

    def _begin(self) -> int:
        """When the town was begun: its commands carry times, and the same command has the same."""
        store = self._door.store
        store.ensure(
            "CREATE TABLE IF NOT EXISTS towns (one INTEGER NOT NULL PRIMARY KEY, begun_ns INTEGER NOT NULL) STRICT"
        )
        store.run("INSERT INTO towns VALUES (1, ?) ON CONFLICT (one) DO NOTHING", self._door.now_ns())
        row: Any = store.one("SELECT begun_ns FROM towns WHERE one = 1")
        return int(row[0])

    # ── people ──────────────────────────────────────────────────────────────────────────────────────────────────

    async def _settle_in(self, person: Townsperson, pin_hash: str) -> None:
        door = self._door
        profile = {"name": person.name, "alias": person.alias, "language": person.language, "kind": "person"}
        await door.aside(door.vault.put, person.id, profile)
        door.people.forget(person.id)
        device = town_id(f"device {person.alias}")
        alias = door.digest("alias", person.alias)
        await self._say(person.alias, "wallet.open", "open", assets=(EUR,), alias=alias)
        key = door.digest("pin-device", device.hex())
        await self._say(person.alias, "wallet.add_device", "device", device=device, key=key, kind="pin", label=None)
        door.devices.add(
            Device(
                device=device,
                person=person.id,
                kind="pin",
                credential=None,
                public_key=None,
                sign_count=0,
                pin_hash=pin_hash,
                made_ns=door.now_ns(),
            )
        )

    async def _bring_money(self) -> None:
        """Everybody tells the bank to send money to the institution, and the bank's reports say whose it is."""
        references = {}
        for person in PEOPLE:
            taken: Any = await self._say(person.alias, "bank.take_reference", "reference")
            references[person.alias] = taken.reference
        await self._door.aside(self._carry, references)

    def _carry(self, references: dict[str, str]) -> None:
        bank = Bank(self._bank, iban=SANDBOX_HOUSE.iban, pace_ns=0)
        courier = Courier(self._door.ledger, self._bank, iban_of=lambda _ref: None)
        try:
            for person in PEOPLE:
                transfer = {
                    "name": person.name,
                    "iban": person.iban,
                    "currency": "EUR",
                    "amount": person.top_up,
                    "reference": references[person.alias],
                }
                path = self._bank / "customers" / f"town-{person.alias}.json"
                path.write_bytes(msgspec.json.encode(transfer))
            while bank.step(time.time_ns()):
                pass
            bank.close_day(time.time_ns())
            bank.step(time.time_ns())
        finally:
            bank.close()
        while courier.step():
            pass

    # ── shops ───────────────────────────────────────────────────────────────────────────────────────────────────

    async def _open_shop(self, shop: Shop) -> None:
        door = self._door
        alias = door.digest("alias", shop.alias)
        made: Any = await self._say(
            shop.owner,
            "shop.register",
            f"register {shop.alias}",
            asset=EUR,
            country="BE",
            category=shop.category,
            alias=alias,
        )
        self.shops[shop.alias] = made.shop
        profile = {"name": shop.name, "city": shop.city, "alias": shop.alias, "kind": "shop"}
        await door.aside(door.vault.put, made.shop, profile)
        door.people.forget(made.shop)
        till: Any = await self._say(
            shop.owner,
            "shop.add_till",
            f"till {shop.alias}",
            shop=made.shop,
            label=await self._label(shop),
            tip=shop.tip,
        )
        self.tills[shop.alias] = till.till
        for cashier in shop.cashiers:
            member = BY_ALIAS[cashier].id
            await self._say(
                shop.owner,
                "shop.add_staff",
                f"staff {shop.alias} {cashier}",
                shop=made.shop,
                person=member,
                role="cashier",
            )

    async def _label(self, shop: Shop) -> bytes:
        staff = (self.shops[shop.alias], *(BY_ALIAS[alias].id for alias in shop.cashiers))
        ref = self._ref(f"till of {shop.alias}")
        return await self._door.seal(BY_ALIAS[shop.owner].id, staff, "Counter", ref=ref)

    async def _sell(self, shop: Shop, buyer: str, number: str, price: int) -> None:
        order: Any = await self._say(
            shop.owner,
            "shop.new_order",
            f"order {number}",
            shop=self.shops[shop.alias],
            till=self.tills[shop.alias],
            asset=EUR,
            amount_minor=price,
            tip="none",
            tip_value=0,
            number=number,
            until_ns=self._begun_ns + DAY_NS,
            many=False,
            exit=False,
        )
        await self._say(buyer, "shop.pay_order", f"pay {number}", order=order.order, tip_minor=0)

    async def _offer_coffee(self) -> bytes:
        shop = SHOPS[0]
        made: Any = await self._say(
            shop.owner,
            "shop.new_order",
            "coffee",
            shop=self.shops[shop.alias],
            till=self.tills[shop.alias],
            asset=EUR,
            amount_minor=COFFEE_MINOR,
            tip="ask",
            tip_value=0,
            number="COFFEE",
            until_ns=self._begun_ns + 300 * DAY_NS,
            many=True,
            exit=False,
        )
        order: bytes = made.order
        return order

    # ── a day ───────────────────────────────────────────────────────────────────────────────────────────────────

    async def _live_a_day(self) -> None:
        buyers = ("alice", "ben", "hugo", "ines", "grete", "alice", "kofi")
        sales = [(shop, number, price) for shop in SHOPS for number, price in shop.goods]
        for buyer, (shop, number, price) in zip(buyers, sales, strict=False):
            await self._sell(shop, buyer, number, price)
        for payer, payee, amount, purpose, note in (
            ("alice", "ben", 1850, "friend", "Cinema and popcorn"),
            ("ben", "dana", 600, "friend", "Bus ticket"),
            ("grete", "hugo", 4000, "family", "Bon anniversaire !"),
            ("emil", "chen", 8800, "goods", "书"),
            ("ines", "alice", 2200, "friend", "Lunch"),
        ):
            await self._send(payer, payee, amount, purpose, note)
        await self._say(
            "dana",
            "pay.ask",
            "ask",
            payer=BY_ALIAS["alice"].id,
            asset=EUR,
            amount_minor=1250,
            purpose="friend",
            note=await self._note("dana", ("alice",), "Pizza on Friday"),
            until_ns=self._begun_ns + 7 * DAY_NS,
        )
        await self._split()
        await self._say(
            "fatou",
            "pay.give",
            "packet",
            asset=EUR,
            total_minor=2000,
            count=4,
            how="drawn",
            until_ns=self._begun_ns + DAY_NS,
            note=await self._note("fatou", ("alice", "ben", "dana", "kofi"), "Good luck!"),
            recipients=tuple(BY_ALIAS[alias].id for alias in ("alice", "ben", "dana", "kofi")),
        )
        await self._say(
            "hugo",
            "pay.schedule",
            "rent",
            payee=BY_ALIAS["grete"].id,
            asset=EUR,
            amount_minor=15_000,
            purpose="rent",
            note=await self._note("hugo", ("grete",), "Chambre"),
            first_ns=self._begun_ns + 3 * DAY_NS,
            every="month",
            times=0,
        )

    async def _split(self) -> None:
        shares = tuple(Share(BY_ALIAS[alias].id, 1) for alias in ("alice", "ben", "ines"))
        note = await self._note("emil", ("alice", "ben", "ines"), "Dinner for four")
        await self._say("emil", "pay.split", "split", asset=EUR, total_minor=9600, shares=shares, note=note)

    # ── orders ──────────────────────────────────────────────────────────────────────────────────────────────────

    async def _order_things(self) -> None:
        """Orders in escrow (waiting, on its way, in dispute, in parts), a payment that is held, something to share."""
        waiting = await self._buy("ines", "booknook", 3490, "First edition")
        sent = await self._buy("ben", "booknook", 1899, "A used atlas")
        broken = await self._buy("alice", "greens", 2750, "Box of plums")
        del waiting
        await self._say("emil", "escrow.ship", "ship sent", order=sent, tracking=None)
        await self._say("chen", "escrow.ship", "ship broken", order=broken, tracking=None)
        evidence = await self._note("alice", ("chen", "olivia"), "The box came crushed and half of it is missing.")
        await self._say("alice", "escrow.dispute", "dispute", order=broken, reason="damaged", evidence=(evidence,))
        note = "Activation fee for my grant"
        await self._send("grete", "kofi", 99_000, "fee_for_money", note)
        await self._order_a_bookcase()
        await self._print_a_map()

    async def _order_a_bookcase(self) -> None:
        """Work in three parts, the first of them accepted; a carrier signs when it is brought."""
        parts = (("Oak bought", 8000), ("Built and oiled", 12_000), ("Brought and put up", 4000))
        labels = [await self._note("ines", ("emil",), label) for label, _ in parts]
        bought: Any = await self._say(
            "ines",
            "escrow.buy",
            "buy bookcase",
            seller=BY_ALIAS["emil"].id,
            asset=EUR,
            amount_minor=sum(price for _, price in parts),
            ship_by_ns=self._begun_ns + 21 * DAY_NS,
            silence="refund",
            silence_s=14 * 86_400,
            inspect_s=3 * 86_400,
            carrier=None,
            carrier_key=bytes(SigningKey(CARRIER_SEED).verify_key),
            code=code_digest(town_id("bookcase code")),
            milestones=tuple(Milestone(price, label) for (_, price), label in zip(parts, labels, strict=True)),
            note=await self._note("ines", ("emil",), "A bookcase, made to measure"),
        )
        await self._say("ines", "escrow.accept_milestone", "accept oak", order=bought.order, number=1)

    async def _print_a_map(self) -> None:
        """Something that is made if enough people want it; half of the places that it needs are taken."""
        stages = []
        for label, weight in (("Drawn", 1), ("Printed and sent", 2)):
            ref = await self._door.seal(BY_ALIAS["emil"].id, (ANYBODY,), label, ref=self._ref(f"map {label}"))
            stages.append(PoolStage(weight, ref))
        what = "The town's old map, printed anew"
        opened: Any = await self._say(
            "emil",
            "escrow.open_pool",
            "map",
            asset=EUR,
            price_minor=1800,
            places_min=6,
            places_max=12,
            until_ns=self._begun_ns + 10 * DAY_NS,
            stages=tuple(stages),
            note=await self._door.seal(BY_ALIAS["emil"].id, (ANYBODY,), what, ref=self._ref(what)),
        )
        for buyer, places in (("chen", 2), ("ines", 1)):
            await self._say(buyer, "escrow.join_pool", f"map {buyer}", pool=opened.pool, places=places)

    async def _buy(self, buyer: str, shop: str, price: int, note: str) -> bytes:
        seller = self.shops[shop]
        bought: Any = await self._say(
            buyer,
            "escrow.buy",
            f"buy {note}",
            seller=seller,
            asset=EUR,
            amount_minor=price,
            ship_by_ns=self._begun_ns + 5 * DAY_NS,
            silence="release",
            silence_s=14 * 86_400,
            inspect_s=2 * 86_400,
            carrier=None,
            carrier_key=None,
            code=None,
            milestones=(),
            note=await self._door.seal(BY_ALIAS[buyer].id, (seller,), note, ref=self._ref(note)),
        )
        order: bytes = bought.order
        return order

    # ── words ───────────────────────────────────────────────────────────────────────────────────────────────────

    async def _send(self, payer: str, payee: str, amount: int, purpose: str, note: str) -> None:
        await self._say(
            payer,
            "pay.send",
            f"send {note}",
            payee=BY_ALIAS[payee].id,
            asset=EUR,
            amount_minor=amount,
            purpose=purpose,
            note=await self._note(payer, (payee,), note),
        )

    async def _note(self, owner: str, readers: tuple[str, ...], text: str) -> bytes:
        return await self._door.seal(
            BY_ALIAS[owner].id, tuple(BY_ALIAS[reader].id for reader in readers), text, ref=self._ref(text)
        )

    def _ref(self, text: str) -> bytes:
        return self._door.vault.number(town_id("notes"), text)

    async def _say(self, signer: str | bytes, name: str, step: str, /, **fields: Any) -> Message | None:  # noqa: ANN401
        """Run a command under a key of its own, signed by somebody."""
        who = BY_ALIAS[signer].id if isinstance(signer, str) else signer
        reply, _ = await self._door.run_as(who, name, self._door.message(name, **fields), f"town {step}")
        return reply
