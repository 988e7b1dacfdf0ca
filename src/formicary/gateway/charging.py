"""Charging by the payer's own code, and the one-use tokens that doors draw: to leave a shop, to open a hotel's door.

A token is 16 bytes that follow from the caller's secret and the idempotency key, so that a retry gives the same one;
the ledger keeps SHA-256 of its text.
"""

from __future__ import annotations

import hashlib
import hmac
from typing import TYPE_CHECKING, Annotated, Any, Final

import msgspec

from formicary.base.errors import BadInput
from formicary.base.money import parse_asset
from formicary.gateway.door import EMPTY, Empty
from formicary.gateway.payer_codes import SERIALS_MAX, Codes
from formicary.gateway.problems import Problem
from formicary.gateway.routes import Asked, CallerKind, Route, Told
from formicary.gateway.shared import shared, time_text
from formicary.products.anatomy import MINOR_MAX
from formicary.products.shop.commands import ExitUsed, Paid
from formicary.products.wallet.offers import Purses
from formicary.rails.qr_image import code_128_svg, qr_svg
from formicary.vault import INSTITUTION

if TYPE_CHECKING:
    from formicary.gateway.door import Door

CHARGE: Final = "shop:charge"
SECOND_NS: Final = 1_000_000_000
CODES: Final = {
    "code_not_understood": "This is no code that can be paid or charged here.",
    "code_only_for_people": "Only a person who has signed in has a code to pay with.",
}
SCHEMA: Final = """
    CREATE TABLE IF NOT EXISTS payer_serials (
        serial INTEGER PRIMARY KEY,
        party BLOB NOT NULL UNIQUE
    ) STRICT;
    CREATE TABLE IF NOT EXISTS payer_moments (
        serial INTEGER PRIMARY KEY,
        taken_ns INTEGER NOT NULL
    ) STRICT;
"""
Hex = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{32}$", examples=["0123456789abcdef0123456789abcdef"])]
Currency = Annotated[str, msgspec.Meta(pattern="^[A-Za-z]{3}$", examples=["EUR"])]
Positive = Annotated[int, msgspec.Meta(ge=1, le=MINOR_MAX)]


class MyCode(msgspec.Struct, frozen=True):
    """A code that pays once, for a minute."""

    text: str
    """What the QR code holds."""
    digits: str
    """The same for a till's scanner: 18 digits."""
    until: str
    qr: str
    """A picture, as SVG."""
    barcode: str
    """The same as Code 128, as SVG."""


class ChargeCode(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a till scanned, and what it charges."""

    shop: Hex
    asset: Currency
    amount_minor: Positive
    text: Annotated[str, msgspec.Meta(max_length=64)] = ""
    digits: Annotated[str, msgspec.Meta(max_length=64)] = ""
    """One of both: what was scanned, or typed in; spaces don't count."""
    till: Hex | None = None
    number: Annotated[str, msgspec.Meta(max_length=25, pattern="^[ -~]*$")] = ""
    """The shop's own number of the receipt."""


class AskExitToken(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which order."""

    order: Hex


class ExitToken(msgspec.Struct, frozen=True):
    """A token that opens the gate once."""

    token: str
    until: str
    qr: str


class AskOpenGate(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A token that was shown at the gate of a shop."""

    shop: Hex
    token: Annotated[str, msgspec.Meta(min_length=1, max_length=64)]


class AskCheckIn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which stay."""

    stay: Hex


class RoomKey(msgspec.Struct, frozen=True):
    """The key of a stay, and the hold of its deposit."""

    stay: str
    hold: str
    key: str
    until: str
    qr: str


class AskOpenDoor(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A key that was shown at a room's door."""

    stay: Hex
    key: Annotated[str, msgspec.Meta(min_length=1, max_length=64)]


class Payers:
    """Makes and reads payers' codes for one door."""

    def __init__(self, door: Door) -> None:
        self._door = door
        door.store.ensure(SCHEMA)

    async def codes(self) -> Codes:
        """With the institution's key and the window of now."""
        window_s = await self._door.look("wallet", lambda view: Purses().parameter(view, "payer_code_s"))
        key = await self._door.aside(self._door.vault.secret, INSTITUTION, "payer-codes")
        return Codes(key, window_s * SECOND_NS)

    async def take(self, party: bytes, codes: Codes) -> tuple[int, int]:
        """(serial, time) that a person's next code is made of; no two codes share them, not even after a restart.

        The serial number is given with the first code; it says nothing and never leaves this house.
        """
        return await self._door.store.do(lambda store: _take(store, party, codes, self._door.now_ns()))

    def person(self, serial: int) -> tuple[bytes, bytes] | None:
        """(party, secret) of a serial number."""
        row: Any = self._door.store.one("SELECT party FROM payer_serials WHERE serial = ?", serial)
        if row is None or self._door.vault.keys.is_erased(row[0]):
            return None
        return row[0], self._door.vault.secret(row[0], "payer-code")


def _take(store: Any, party: bytes, codes: Codes, now_ns: int) -> tuple[int, int]:  # noqa: ANN401 - the store itself
    store.run("INSERT OR IGNORE INTO payer_serials (party) VALUES (?)", party)
    row = store.one("SELECT serial FROM payer_serials WHERE party = ?", party)
    assert row is not None, "it was just made"
    serial = int(row[0])
    assert serial < SERIALS_MAX, "a hundred million people have codes"
    taken = store.one("SELECT taken_ns FROM payer_moments WHERE serial = ?", serial)
    moment_ns = codes.next_free(now_ns, int(taken[0]) if taken else 0)
    if moment_ns is None:
        raise Problem("rate_limited", headers={"Retry-After": "1"})
    store.run("INSERT OR REPLACE INTO payer_moments (serial, taken_ns) VALUES (?, ?)", serial, moment_ns)
    return serial, moment_ns


def routes(door: Door) -> list[Route]:
    """The payer's code and what tills, gates and doors do with codes."""
    paid, opened = (door.edge.writer(kind).twin for kind in (Paid, ExitUsed))
    return [
        Route(
            method="GET", path="/v1/my-code", handle=my_code, summary="Make a code that pays once, for a minute",
            answer=MyCode, codes=("code_only_for_people",),
        ),
        Route(
            method="POST", path="/v1/shop/charge-code", handle=charge_code, summary="Charge whoever showed a code",
            scope=CHARGE, body=ChargeCode, answer=paid, idempotent=True,
            codes=("code_not_understood", "code_expired", "code_used", "shop_not_yours"),
        ),
        Route(
            method="POST", path="/v1/shop/exit-token", handle=exit_token, summary="Take a token to leave a shop with",
            scope="pay:write", body=AskExitToken, answer=ExitToken, idempotent=True,
            codes=("exit_not_offered", "exit_not_yours", "exit_late", "exit_used"),
        ),
        Route(
            method="POST", path="/v1/shop/open-gate", handle=open_gate, summary="Let somebody out who shows a token",
            scope=CHARGE, body=AskOpenGate, answer=opened, idempotent=True,
            codes=("exit_not_found", "exit_used", "exit_expired", "exit_replaced"),
        ),
        Route(
            method="POST", path="/v1/shop/check-in", handle=check_in,
            summary="Check in: deposit, key and folio at once",
            scope="pay:write", body=AskCheckIn, answer=RoomKey, idempotent=True,
            codes=("stay_not_found", "stay_not_offered", "stay_expired"),
        ),
        Route(
            method="POST", path="/v1/shop/open-door", handle=open_door, summary="Ask whether a key opens a room now",
            scope=CHARGE, body=AskOpenDoor, answer=Empty, idempotent=True,
            codes=("stay_not_in_house", "stay_expired", "stay_key_wrong"),
        ),
    ]  # fmt: skip


async def my_code(asked: Asked) -> MyCode:
    """Make a code of now, or of a moment later: never one that was shown before."""
    door, caller = asked.door, asked.caller
    if caller.kind is not CallerKind.SESSION:
        raise Problem("code_only_for_people", CODES["code_only_for_people"], status=403)
    payers = shared(door, Payers)
    codes = await payers.codes()
    serial, moment_ns = await payers.take(caller.party, codes)
    secret = await door.aside(door.vault.secret, caller.party, "payer-code")
    digits, until_ns = codes.write(serial, secret, moment_ns)
    qr, barcode = await door.aside(_pictures, digits)
    return MyCode(digits, digits, time_text(until_ns), qr, barcode)


async def charge_code(asked: Asked) -> Told:
    """Read the code and put the charge on the ledger, which takes each code once."""
    door, body = asked.door, asked.body
    digits = "".join((body.text or body.digits).split())
    payers = shared(door, Payers)
    codes = await payers.codes()
    found = await door.aside(codes.read, digits, door.now_ns(), payers.person)
    if found is None:
        raise BadInput(CODES["code_not_understood"], where="text", code="code_not_understood")
    message = door.message(
        "shop.charge",
        shop=bytes.fromhex(body.shop),
        till=None if body.till is None else bytes.fromhex(body.till),
        payer=found.party,
        code=found.digest,
        code_until_ns=found.until_ns,
        asset=parse_asset(body.asset),
        amount_minor=body.amount_minor,
        number=body.number,
    )
    return await _run(asked, "shop.charge", message)


async def exit_token(asked: Asked) -> ExitToken:
    """Draw a token and have the ledger keep its digest."""
    door = asked.door
    order = bytes.fromhex(asked.body.order)
    token = await _token(asked, "exit", order)
    message = door.message("shop.take_exit", order=order, token=_digest(token))
    reply, _ = await door.run(asked.caller, "shop.take_exit", message, asked.key)
    assert reply is not None, "taking a token answers until when"
    return ExitToken(token, time_text(reply.until_ns), await door.aside(qr_svg, token))  # type: ignore[attr-defined]


async def open_gate(asked: Asked) -> Told:
    """Use a token up."""
    shop = bytes.fromhex(asked.body.shop)
    message = asked.door.message("shop.use_exit", shop=shop, token=_digest(asked.body.token.strip()))
    return await _run(asked, "shop.use_exit", message)


async def check_in(asked: Asked) -> RoomKey:
    """Draw a key; the ledger holds the deposit and keeps the key's digest."""
    door = asked.door
    stay = bytes.fromhex(asked.body.stay)
    key = await _token(asked, "stay", stay)
    message = door.message("shop.check_in", stay=stay, key=_digest(key))
    reply: Any
    reply, _ = await door.run(asked.caller, "shop.check_in", message, asked.key)
    qr = await door.aside(qr_svg, key)
    return RoomKey(stay.hex(), reply.hold.hex(), key, time_text(reply.key_until_ns), qr)


async def open_door(asked: Asked) -> Told:
    """Ask the ledger; a refusal says why the door stays shut."""
    body = asked.body
    message = asked.door.message("shop.use_key", stay=bytes.fromhex(body.stay), key=_digest(body.key.strip()))
    return await _run(asked, "shop.use_key", message)


async def _run(asked: Asked, name: str, message: Any) -> Told:  # noqa: ANN401 - a message of the ledger
    reply, entry = await asked.door.run(asked.caller, name, message, asked.key)
    told = EMPTY if reply is None else await asked.door.tell(asked.caller, reply)
    return Told(told, (("Formicary-Entry", str(entry)),))


async def _token(asked: Asked, what: str, thing: bytes) -> str:
    """A token of the caller for a thing: the same again for the same idempotency key, and nobody else's guess."""
    secret = await asked.door.aside(asked.door.vault.secret, asked.caller.party, "tokens")
    return hmac.digest(secret, f"{what}\n{asked.key}\n".encode() + thing, "sha256")[:16].hex()


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


def _pictures(digits: str) -> tuple[str, str]:
    return qr_svg(digits), code_128_svg(digits)
