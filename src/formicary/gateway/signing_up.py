"""Signing up, in four fields and a passkey or PIN.

Four stores take part: the vault (name), the ledger (wallet, device), ours (what checks the device) and the browser. The
order makes a crash at any instant harmless:

1. what is to be done is written down in our store, without anything personal (``sign_ups``);
2. the name goes into the vault;
3. ``wallet.open`` and ``wallet.add_device`` go on the ledger, under command ids that follow from the person's id;
4. in one transaction our store gets the device and forgets 1.

Every step done again does nothing, so whoever holds the ticket may try again, and the next start carries on where 2 had
been done and drops what had not come so far. When the ledger refuses (the alias was taken meanwhile), the vault forgets
the name again, and the id is never used.
"""

from __future__ import annotations

import logging
import secrets
from typing import TYPE_CHECKING, Annotated, Any, Final

import msgspec

from formicary.base.errors import FormicaryError, Refusal
from formicary.gateway.devices import Device, insert_device
from formicary.gateway.edge_values import ASSET_PATTERN, PartyTold, read_asset
from formicary.gateway.naming import NAME_CHARS_MAX, read_alias, read_language, read_name
from formicary.gateway.problems import Problem
from formicary.gateway.proving import Proof, new_device
from formicary.gateway.routes import Asked, Route, Told
from formicary.gateway.tickets import hash_of
from formicary.products.anatomy import Access

if TYPE_CHECKING:
    from formicary.gateway.door import Door

PURPOSE: Final = "sign-up"
log = logging.getLogger("formicary.gateway")
SCHEMA: Final = """
    CREATE TABLE IF NOT EXISTS sign_ups (
        person BLOB NOT NULL PRIMARY KEY,
        body BLOB NOT NULL
    ) STRICT;
"""


class Begin(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Begin to sign up: who somebody wants to be here."""

    name: Annotated[str, msgspec.Meta(min_length=1, max_length=2 * NAME_CHARS_MAX, examples=["Ada Lovelace"])]
    currency: Annotated[str, msgspec.Meta(pattern=ASSET_PATTERN, max_length=11, examples=["EUR"])]
    alias: Annotated[str, msgspec.Meta(max_length=31, examples=["ada"])] | None = None
    """By which others find the person; needed to sign in by PIN."""
    language: Annotated[str, msgspec.Meta(max_length=35, examples=["en"])] | None = None


class Begun(msgspec.Struct, frozen=True):
    """What the browser needs to make a passkey, and the ticket for the second half."""

    options: msgspec.Raw
    """For ``navigator.credentials.create``, as JSON."""
    ticket: str


class SignedIn(msgspec.Struct, frozen=True):
    """Who is signed in now."""

    person: PartyTold


class _Wish(msgspec.Struct, frozen=True):
    """What a ticket remembers."""

    person: bytes
    device: bytes
    challenge: bytes
    name: str
    alias: str | None
    asset: int
    language: str


class _Plan(msgspec.Struct, frozen=True):
    """What the store remembers of a sign-up that is being finished: nothing personal."""

    person: bytes
    asset: int
    alias: bytes | None
    device: bytes
    kind: str
    key: bytes
    credential: bytes | None
    sign_count: int
    pin_hash: str | None
    made_ns: int
    ticket: bytes


def routes(door: Door) -> list[Route]:
    """The two halves of signing up."""
    door.store.ensure(SCHEMA)

    async def recover() -> None:
        await carry_on(door)

    door.on_start(recover)
    return [
        Route(
            method="POST",
            path="/v1/sign-up/begin",
            handle=begin,
            summary="Begin to sign up: a name, a currency, perhaps an alias",
            access=Access.ANYONE,
            body=Begin,
            answer=Begun,
            codes=("alias_malformed", "alias_taken", "currency_not_offered", "language_unknown"),
        ),
        Route(
            method="POST",
            path="/v1/sign-up/finish",
            handle=finish,
            summary="Finish to sign up, with the new passkey or a PIN; signs in",
            access=Access.ANYONE,
            body=Proof,
            answer=SignedIn,
            codes=("ticket_unknown", "passkey_refused", "pin_weak", "alias_taken", "sign_up_refused"),
        ),
    ]


async def begin(asked: Asked) -> Begun:
    """Check the fields, and make the options for a passkey."""
    door, wish = asked.door, asked.body
    name, alias = read_name(wish.name), read_alias(wish.alias) if wish.alias else None
    if wish.currency not in door.config.assets:
        raise Problem("currency_not_offered", where="currency")
    language = read_language(wish.language or door.config.language)
    if alias is not None and await find(door, "alias", alias):
        raise Refusal(door.codes["alias_taken"], code="alias_taken")
    person, device = secrets.token_bytes(16), secrets.token_bytes(16)
    options, challenge = door.passkeys.registration(person, f"@{alias}" if alias else name, [])
    kept = _Wish(person, device, challenge, name, alias, read_asset(wish.currency), language)
    return Begun(options, await door.tickets.make(PURPOSE, kept, now_ns=door.now_ns()))


async def finish(asked: Asked) -> Told:
    """Prove the passkey or take the PIN, make the person, and sign them in."""
    door, proof = asked.door, asked.body
    wish = door.tickets.find(proof.ticket, PURPOSE, _Wish, now_ns=door.now_ns())
    found = await new_device(door, proof, person=wish.person, device=wish.device, challenge=wish.challenge)
    if found.kind == "pin" and wish.alias is None:
        raise Problem("alias_malformed", "Whoever signs in by PIN needs an alias.", where="alias")
    plan = _Plan(
        person=wish.person,
        asset=wish.asset,
        alias=door.digest("alias", wish.alias) if wish.alias else None,
        device=found.device,
        kind=found.kind,
        key=ledger_key(door, found),
        credential=found.credential,
        sign_count=found.sign_count,
        pin_hash=found.pin_hash,
        made_ns=found.made_ns,
        ticket=hash_of(proof.ticket),
    )
    plan = await door.store.do(lambda _store: _write_down(door, plan))
    profile = {"name": wish.name, "alias": wish.alias, "language": wish.language, "kind": "person"}
    await door.aside(door.vault.put, wish.person, profile)
    door.people.forget(wish.person)
    await make_person(door, plan)
    return await signed_in(asked, wish.person, plan.device)


async def signed_in(asked: Asked, person: bytes, device: bytes) -> Told:
    """Begin a session, and say who it is."""
    door = asked.door
    agent = asked.request.headers.get("user-agent", "")
    secret, _ = await door.store.do(lambda _store: door.sessions.begin(person, device, agent))
    told = (await door.people.told(person, (person,)))[person]
    return Told(SignedIn(told), (("Set-Cookie", door.sessions.set_cookie(secret)),))


def ledger_key(door: Door, device: Device) -> bytes:
    """What the ledger keeps of a device: a passkey's public key; of a PIN only a digest that tells nothing of it."""
    return device.public_key or door.digest("pin-device", device.device.hex())


async def find(door: Door, kind: str, text: str) -> bytes:
    """The person whom an alias or a findable contact belongs to; empty when nobody."""
    if "wallet.find" not in door.registry.queries:
        return b""
    try:
        found = await door.ask("wallet.find", b"", door.asked("wallet.find", digest=door.digest(kind, text).hex()))
    except Refusal:
        return b""
    return bytes(found.person) if found.kind == kind else b""


# ── steps that may be done again ────────────────────────────────────────────────────────────────────────────────────


def _write_down(door: Door, plan: _Plan) -> _Plan:
    """Step 1: keep the plan; when the same sign-up was begun to be finished before, that plan holds."""
    body = msgspec.msgpack.encode(plan)
    door.store.run("INSERT INTO sign_ups VALUES (?, ?) ON CONFLICT (person) DO NOTHING", plan.person, body)
    row: Any = door.store.one("SELECT body FROM sign_ups WHERE person = ?", plan.person)
    return msgspec.msgpack.decode(row[0], type=_Plan)


async def make_person(door: Door, plan: _Plan) -> None:
    """Steps 3 and 4; a refusal by the ledger undoes 1 and 2."""
    opening = door.message("wallet.open", assets=(plan.asset,), alias=plan.alias)
    adding = door.message("wallet.add_device", device=plan.device, key=plan.key, kind=plan.kind, label=None)
    try:
        await door.run_as(plan.person, "wallet.open", opening, "sign-up")
        await door.run_as(plan.person, "wallet.add_device", adding, "sign-up-device")
    except Refusal:
        await door.aside(door.vault.erase, plan.person)
        await door.store.do(lambda _store: door.store.transaction(lambda connection: _end(connection, plan)))
        raise
    device = Device(
        device=plan.device,
        person=plan.person,
        kind="pin" if plan.kind == "pin" else "passkey",
        credential=plan.credential,
        public_key=plan.key if plan.kind == "passkey" else None,
        sign_count=plan.sign_count,
        pin_hash=plan.pin_hash,
        made_ns=plan.made_ns,
    )

    def keep(connection: Any) -> None:  # noqa: ANN401 - apsw's connection
        insert_device(connection, device)
        _end(connection, plan)

    await door.store.do(lambda store: store.transaction(keep))


def _end(connection: Any, plan: _Plan) -> None:  # noqa: ANN401 - apsw's connection
    connection.execute("DELETE FROM sign_ups WHERE person = ?", (plan.person,)).fetchall()
    connection.execute("DELETE FROM tickets WHERE hash = ?", (plan.ticket,)).fetchall()


async def carry_on(door: Door) -> None:
    """At start: finish every sign-up whose name had reached the vault, and drop the others."""
    for (body,) in door.store.all("SELECT body FROM sign_ups ORDER BY person"):
        assert isinstance(body, bytes)
        plan = msgspec.msgpack.decode(body, type=_Plan)
        try:
            if door.vault.get(plan.person):
                await make_person(door, plan)
            else:
                door.store.run("DELETE FROM sign_ups WHERE person = ?", plan.person)
        except FormicaryError as error:
            log.warning("a sign-up that was under way ended: %s", error.code)
