"""The town with escrow, a carrier with a key, and an order whose terms a test can change."""

from __future__ import annotations

from typing import Any, Final

import msgspec
from nacl.signing import SigningKey

from formicary.products.escrow import product
from formicary.products.escrow.commands import Bought, Buy, Deliver
from formicary.products.escrow.parcels import code_digest, parcel_bytes
from formicary.testing.trial import SECOND_NS, Trial, person

from tests.products.escrow.town import ALICE, BOB, CAROL, EUR, JUDGE, TOWN, Book, NoShops, Purses, Settle

DAY_NS: Final = 86_400 * SECOND_NS
CARRIER: Final = SigningKey(bytes(32))
CARRIER_PARTY: Final = person("carrier")
CODE: Final = b"0123456789abcdef"
START_MINOR: Final = 50_000


class Told:
    """A cover that remembers what it was told; for tests of one machine only."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, bytes]] = []

    def lost(self, _context: Any, *, order: bytes, **_rest: Any) -> None:
        """Remember."""
        self.calls.append(("lost", order))

    def late(self, _context: Any, *, order: bytes, **_rest: Any) -> None:
        """Remember."""
        self.calls.append(("late", order))


def new_town(cover: Any = None, staff: Any = None) -> Trial:
    """Four people with 500.00 each."""
    escrow = product(purses=Purses(), receivers=NoShops(), book=Book(), cover=cover, staff=staff)
    town = Trial([TOWN, escrow])
    for party in (ALICE, BOB, CAROL, JUDGE):
        town.ok(party, "town.settle", Settle(EUR, START_MINOR))
    return town


def terms(town: Trial, **changes: Any) -> Buy:
    """Alice's order from Bob: 100.00, shipped within a week, paid after two weeks of silence, with a carrier."""
    plain = Buy(
        seller=BOB,
        asset=EUR,
        amount_minor=10_000,
        ship_by_ns=town.now_ns + 7 * DAY_NS,
        silence="release",
        silence_s=14 * 86_400,
        inspect_s=0,
        carrier=CARRIER_PARTY,
        carrier_key=bytes(CARRIER.verify_key),
        code=code_digest(CODE),
        milestones=(),
        note=None,
    )
    return msgspec.structs.replace(plain, **changes)


def bought(town: Trial, **changes: Any) -> bytes:
    """Alice has ordered; the order's id."""
    reply: Bought = town.ok(ALICE, "escrow.buy", terms(town, **changes))
    return reply.order


def signed(order: bytes, status: Any = "DELIVERED", code: bytes | None = None, key: SigningKey = CARRIER) -> Deliver:
    """What the carrier's program sends."""
    shown = (CODE if status == "DELIVERED" else b"") if code is None else code
    return Deliver(order, status, shown, key.sign(parcel_bytes(order, status, shown)).signature)
