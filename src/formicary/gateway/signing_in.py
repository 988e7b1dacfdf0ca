"""Signing in, confirming, sessions, further devices, and the entry to recovery.

Signing in by passkey names nobody first: the passkey itself says whose it is, so that the door tells no one which
aliases exist. Removing a device on the ledger ends here every session that began with it.
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Annotated, Any

import msgspec

from formicary.base.errors import Refusal
from formicary.gateway.devices import is_listed
from formicary.gateway.edge_values import PartyTold, write_time
from formicary.gateway.naming import read_alias
from formicary.gateway.problems import Problem
from formicary.gateway.proving import Pin, Proof, new_device, prove_passkey, prove_pin
from formicary.gateway.routes import Asked, CallerKind, Route, Told
from formicary.gateway.signing_up import Begun, SignedIn, find, ledger_key, signed_in
from formicary.products.anatomy import Access

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from formicary.gateway.door import Door
    from formicary.machine.events import Event

Alias = Annotated[str, msgspec.Meta(max_length=31, examples=["ada"])]


class Nothing(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """No fields."""


class ByPin(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An alias and its PIN."""

    alias: Alias
    pin: Pin


class RecoveryBegin(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whose wallet is to be recovered."""

    alias: Alias


class Confirmed(msgspec.Struct, frozen=True):
    """Until when the person counts as having just shown passkey or PIN."""

    until: str


class DeviceAdded(msgspec.Struct, frozen=True):
    """The device that may sign in from now on."""

    device: str


class Recovery(msgspec.Struct, frozen=True):
    """The name of the recovery that was asked for; trusted contacts decide."""

    recovery: str


class SessionTold(msgspec.Struct, frozen=True):
    """One session of a person."""

    name: str
    browser: str
    made: str
    used: str
    current: bool


class Me(msgspec.Struct, frozen=True):
    """Who is signed in."""

    person: PartyTold
    roles: tuple[str, ...]
    confirmed_until: str
    session: SessionTold


class Sessions(msgspec.Struct, frozen=True):
    """The sessions of a person, newest use first."""

    items: tuple[SessionTold, ...]


class _Challenge(msgspec.Struct, frozen=True):
    """What a ticket remembers."""

    challenge: bytes
    person: bytes = b""
    device: bytes = b""


def routes(door: Door) -> list[Route]:
    """Every route by which people show who they are."""
    follow_devices(door)
    anyone, refused = Access.ANYONE, ("ticket_unknown", "passkey_refused", "pin_refused", "pin_locked")
    open_to_all: Any = {"codes": refused, "access": anyone}
    own: Any = {"codes": refused}
    return [
        _post("sign-in/begin", sign_in_begin, "Begin to sign in with a passkey", Nothing, Begun, access=anyone),
        _post("sign-in/finish", sign_in_finish, "Finish to sign in with a passkey", Proof, SignedIn, **open_to_all),
        _post("sign-in/pin", sign_in_pin, "Sign in with alias and PIN", ByPin, SignedIn, **open_to_all),
        _post("confirm/begin", confirm_begin, "Begin to show passkey or PIN once more", Nothing, Begun),
        _post("confirm/finish", confirm_finish, "Show passkey or PIN once more", Proof, Confirmed, **own),
        _post("devices/begin", device_begin, "Begin to add a passkey or PIN", Nothing, Begun, confirm=True),
        _post("devices/finish", device_finish, "Add a passkey or PIN", Proof, DeviceAdded, confirm=True, **own),
        _post("recovery/begin", recovery_begin, "Begin to recover a wallet", RecoveryBegin, Begun, access=anyone),
        _post("recovery/finish", recovery_finish, "Ask the trusted contacts", Proof, Recovery, **open_to_all),
        Route(method="GET", path="/v1/session", handle=session_read, summary="Who is signed in", answer=Me),
        Route(method="DELETE", path="/v1/session", handle=session_end, summary="Sign out"),
        Route(method="GET", path="/v1/sessions", handle=session_list, summary="One's own sessions", answer=Sessions),
        Route(method="DELETE", path="/v1/sessions/{session}", handle=session_end_other, summary="End one session"),
    ]


def _post(
    path: str,
    handle: Callable[[Asked], Awaitable[msgspec.Struct | Told]],
    summary: str,
    body: type[msgspec.Struct],
    answer: type[msgspec.Struct],
    *,
    codes: tuple[str, ...] = (),
    access: Access = Access.PARTY,
    confirm: bool = False,
) -> Route:
    return Route(
        method="POST",
        path=f"/v1/{path}",
        handle=handle,
        summary=summary,
        access=access,
        body=body,
        answer=answer,
        codes=codes,
        confirm=confirm,
    )


# ── signing in ──────────────────────────────────────────────────────────────────────────────────────────────────────


async def sign_in_begin(asked: Asked) -> Begun:
    """Options for any passkey of ours."""
    door = asked.door
    options, challenge = door.passkeys.authentication([])
    return Begun(options, await door.tickets.make("sign-in", _Challenge(challenge), now_ns=door.now_ns()))


async def sign_in_finish(asked: Asked) -> Told:
    """Check the passkey, and begin a session."""
    door, proof = asked.door, asked.body
    kept = await door.tickets.take(proof.ticket, "sign-in", _Challenge, now_ns=door.now_ns())
    device = await prove_passkey(door, proof.credential, kept.challenge)
    return await signed_in(asked, device.person, device.device)


async def sign_in_pin(asked: Asked) -> Told:
    """Check the PIN, and begin a session; an unknown alias is refused the same way and after the same time."""
    door = asked.door
    try:
        alias = read_alias(asked.body.alias)
    except Problem as problem:
        raise Problem("pin_refused") from problem
    person = await find(door, "alias", alias)
    device = await prove_pin(door, person or door.digest("nobody", alias)[:16], asked.body.pin)
    return await signed_in(asked, person, device)


# ── confirming ──────────────────────────────────────────────────────────────────────────────────────────────────────


async def confirm_begin(asked: Asked) -> Begun:
    """Options for the person's own passkeys."""
    door, person = asked.door, _person(asked)
    options, challenge = door.passkeys.authentication(door.devices.of_person(person, "passkey"))
    return Begun(options, await door.tickets.make("confirm", _Challenge(challenge, person), now_ns=door.now_ns()))


async def confirm_finish(asked: Asked) -> Confirmed:
    """Check passkey or PIN of the person who is signed in."""
    door, proof, person = asked.door, asked.body, _person(asked)
    kept = await door.tickets.take(proof.ticket, "confirm", _Challenge, now_ns=door.now_ns())
    if kept.person != person:
        raise Problem("ticket_unknown")
    if proof.pin is not None:
        await prove_pin(door, person, proof.pin)
    else:
        await prove_passkey(door, proof.credential, kept.challenge, person)
    until_ns = await door.store.do(lambda _store: door.sessions.confirm(asked.caller.session))
    return Confirmed(write_time(until_ns))


# ── further devices, and recovery ───────────────────────────────────────────────────────────────────────────────────


async def device_begin(asked: Asked) -> Begun:
    """Options for a further passkey."""
    door, person = asked.door, _person(asked)
    device = secrets.token_bytes(16)
    name = await door.name_of(person, person)
    options, challenge = door.passkeys.registration(person, name, door.devices.of_person(person, "passkey"))
    kept = _Challenge(challenge, person, device)
    return Begun(options, await door.tickets.make("device", kept, now_ns=door.now_ns()))


async def device_finish(asked: Asked) -> DeviceAdded:
    """Let one more passkey or PIN sign in. Ours keeps it first: the ledger's list alone makes it count."""
    door, proof, person = asked.door, asked.body, _person(asked)
    kept = await door.tickets.take(proof.ticket, "device", _Challenge, now_ns=door.now_ns())
    if kept.person != person:
        raise Problem("ticket_unknown")
    device = await new_device(door, proof, person=person, device=kept.device, challenge=kept.challenge)
    label = await door.seal(person, (), proof.label) if proof.label else None
    await door.store.do(lambda _store: door.devices.add(device))
    body = door.message(
        "wallet.add_device", device=device.device, key=ledger_key(door, device), kind=device.kind, label=label
    )
    try:
        await door.run_as(person, "wallet.add_device", body, device.device)
    except Refusal:
        await door.store.do(lambda _store: door.devices.remove(person, device.device))
        raise
    return DeviceAdded(device.device.hex())


async def recovery_begin(asked: Asked) -> Begun:
    """Options for the new passkey of a person who lost theirs; an unknown alias gets options as well."""
    door, alias = asked.door, read_alias(asked.body.alias)
    person = await find(door, "alias", alias) or door.digest("nobody", alias)[:16]
    options, challenge = door.passkeys.registration(person, f"@{alias}", [])
    kept = _Challenge(challenge, person, secrets.token_bytes(16))
    return Begun(options, await door.tickets.make("recovery", kept, now_ns=door.now_ns()))


async def recovery_finish(asked: Asked) -> Recovery:
    """Keep the new device, and ask the trusted contacts; it signs nobody in before the ledger lists it."""
    door, proof = asked.door, asked.body
    kept = await door.tickets.take(proof.ticket, "recovery", _Challenge, now_ns=door.now_ns())
    device = await new_device(door, proof, person=kept.person, device=kept.device, challenge=kept.challenge)
    await door.store.do(lambda _store: door.devices.add(device))
    body = door.message(
        "wallet.start_recovery",
        person=kept.person,
        device=device.device,
        key=ledger_key(door, device),
        kind=device.kind,
        label=None,
    )
    try:
        reply, _ = await door.run_as(b"door", "wallet.start_recovery", body, device.device)
    except Refusal:
        await door.store.do(lambda _store: door.devices.remove(kept.person, device.device))
        raise
    recovery: bytes = getattr(reply, "recovery", b"")
    return Recovery(recovery.hex())


# ── sessions ────────────────────────────────────────────────────────────────────────────────────────────────────────


async def session_read(asked: Asked) -> Me:
    """Who is signed in, and until when they count as just confirmed."""
    door, person = asked.door, _person(asked)
    told = (await door.people.told(person, (person,)))[person]
    current = next(each for each in _told(asked) if each.current)
    roles = tuple(sorted(asked.caller.roles))
    return Me(told, roles, write_time(asked.caller.confirmed_until_ns), current)


async def session_list(asked: Asked) -> Sessions:
    """Every living session of the person."""
    return Sessions(tuple(_told(asked)))


async def session_end(asked: Asked) -> Told:
    """Sign out."""
    return await _end(asked, asked.caller.session)


async def session_end_other(asked: Asked) -> Told:
    """End any session of one's own; the cookie goes only with the current one."""
    return await _end(asked, asked.path["session"])


async def _end(asked: Asked, name: str) -> Told:
    door, person = asked.door, _person(asked)
    if not await door.store.do(lambda _store: door.sessions.end(person, name)):
        raise Problem("session_not_found", "You have no such session.")
    gone = (("Set-Cookie", door.sessions.set_cookie("")),) if name == asked.caller.session else ()
    return Told(None, gone)


def _told(asked: Asked) -> list[SessionTold]:
    return [
        SessionTold(
            name=each.name,
            browser=each.agent,
            made=write_time(each.made_ns),
            used=write_time(each.used_ns),
            current=each.name == asked.caller.session,
        )
        for each in asked.door.sessions.of_person(_person(asked))
    ]


def _person(asked: Asked) -> bytes:
    """The person of a session; keys and tokens have no devices to show."""
    if asked.caller.kind is not CallerKind.SESSION:
        raise Problem("scope_missing", "This is for the person's own session.")
    return asked.caller.party


# ── following the ledger ────────────────────────────────────────────────────────────────────────────────────────────


def follow_devices(door: Door) -> None:
    """End sessions of devices that the ledger removed: at once by its events, and at start for what was missed."""

    async def remove(person: bytes, device: bytes) -> None:
        def work(_store: object) -> None:
            door.sessions.end_device(person, device)
            door.devices.remove(person, device)

        await door.store.do(work)

    def hear(events: tuple[Event, ...]) -> None:
        for event in events:
            if (event.product, event.kind) == ("wallet", "device_removed"):
                gone: bytes = getattr(door.payload_of(event), "device", b"")
                door.spawn(remove(event.subject, gone))

    async def catch_up() -> None:
        for person, device in door.store.all("SELECT DISTINCT person, device FROM sessions ORDER BY person, device"):
            assert isinstance(person, bytes)
            assert isinstance(device, bytes)
            if not await is_listed(door, person, device):
                await remove(person, device)

    door.listen(hear)
    door.on_start(catch_up)
