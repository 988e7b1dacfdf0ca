"""A person's own profile in the vault: read, change, see who read it, and be erased.

The ledger has only keyed digests of alias, phone and mail; it is asked first, for it says whether they are free.
Erasing closes the wallet (its money goes out), then forgets the person everywhere outside the log; what is to be done
is written down first, so that a crash does not leave it half done.
"""

from __future__ import annotations

import logging
import secrets
from typing import TYPE_CHECKING, Annotated, Any, Final

import msgspec

from formicary.base.errors import FormicaryError, Refusal
from formicary.gateway.edge_values import HEX_PATTERN, PartyTold, write_time
from formicary.gateway.naming import NAME_CHARS_MAX, read_alias, read_contact, read_language, read_name
from formicary.gateway.problems import Problem
from formicary.gateway.routes import Asked, CallerKind, Route, Told

if TYPE_CHECKING:
    from formicary.gateway.door import Door

CONTACTS: Final = ("phone", "mail")
READ: Final = "profile:read"
log = logging.getLogger("formicary.gateway")
SCHEMA: Final = "CREATE TABLE IF NOT EXISTS erasures (person BLOB NOT NULL PRIMARY KEY) STRICT"


class Profile(msgspec.Struct, frozen=True):
    """What the vault has of a person."""

    id: str
    name: str
    alias: str
    language: str
    phone: str
    mail: str
    findable: bool
    """Whether those who know phone or mail may find the person."""


class Change(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Fields to change; an empty alias, phone or mail is given up, and what is left out stays."""

    name: Annotated[str, msgspec.Meta(min_length=1, max_length=2 * NAME_CHARS_MAX)] | None = None
    alias: Annotated[str, msgspec.Meta(max_length=31)] | None = None
    language: Annotated[str, msgspec.Meta(max_length=35)] | None = None
    phone: Annotated[str, msgspec.Meta(max_length=30)] | None = None
    mail: Annotated[str, msgspec.Meta(max_length=254)] | None = None
    findable: bool | None = None


class UseTold(msgspec.Struct, frozen=True):
    """Somebody read something of the person: one line a day, reader and thing."""

    reader: PartyTold
    what: str
    purpose: str
    times: int
    newest: str


class Uses(msgspec.Struct, frozen=True):
    """Who read what, newest first."""

    items: tuple[UseTold, ...]


class UsesAsked(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How many lines."""

    limit: Annotated[int, msgspec.Meta(ge=1, le=100)] = 20


class EraseAsked(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where the money goes, if there is any: one of the person's linked bank accounts."""

    account_ref: Annotated[str, msgspec.Meta(pattern=HEX_PATTERN, min_length=32, max_length=32)] | None = None


def routes(door: Door) -> list[Route]:
    """The profile's routes."""
    door.store.ensure(SCHEMA)

    async def recover() -> None:
        await carry_on(door)

    door.on_start(recover)
    changed = ("alias_malformed", "alias_taken", "contact_malformed", "contact_taken", "language_unknown")
    path = "/v1/profile"
    return [
        Route(method="GET", path=path, handle=read, summary="One's own profile", scope=READ, answer=Profile),
        Route(
            method="PATCH",
            path=path,
            handle=change,
            summary="Change one's own profile",
            body=Change,
            answer=Profile,
            codes=changed,
        ),
        Route(
            method="DELETE",
            path=path,
            handle=erase,
            summary="Close the wallet and be erased for good",
            confirm=True,
            query=EraseAsked,
            codes=("balance_not_zero", "money_held"),
        ),
        Route(
            method="GET",
            path=f"{path}/uses",
            handle=uses,
            summary="Who read what of one's own",
            query=UsesAsked,
            answer=Uses,
        ),
    ]


async def read(asked: Asked) -> Profile:
    """The caller's own profile."""
    fields = await asked.door.aside(asked.door.vault.get, asked.caller.party)
    return _profile(asked.caller.party, fields)


async def change(asked: Asked) -> Profile:
    """Change what is given: on the ledger first, for it may refuse, then in the vault."""
    door, wish, person = asked.door, asked.body, asked.caller.party
    fields = await door.aside(door.vault.get, person)
    new: dict[str, str | None] = {}
    if wish.name is not None:
        new["name"] = read_name(wish.name)
    if wish.language is not None:
        new["language"] = read_language(wish.language)
    if wish.alias is not None:
        new["alias"] = await _change_alias(door, person, fields.get("alias", ""), wish.alias)
    findable = wish.findable if wish.findable is not None else fields.get("findable") == "yes"
    for kind in CONTACTS:
        text = getattr(wish, kind)
        if text is not None or (wish.findable is not None and fields.get(kind)):
            wanted = fields.get(kind, "") if text is None else text
            new[kind] = await _change_contact(door, person, kind, fields.get(kind, ""), wanted, findable=findable)
    if wish.findable is not None:
        new["findable"] = "yes" if findable else None
    await door.aside(door.vault.put, person, new)
    door.people.forget(person)
    return _profile(person, await door.aside(door.vault.get, person))


async def _change_alias(door: Door, person: bytes, old: str, text: str) -> str | None:
    alias = read_alias(text) if text.strip() else ""
    if alias == old:
        return old or None
    if alias:
        await _tell(door, person, "wallet.claim_alias", alias=door.digest("alias", alias))
    if old:
        await _tell(door, person, "wallet.release_alias", alias=door.digest("alias", old))
    return alias or None


async def _change_contact(door: Door, person: bytes, kind: str, old: str, text: str, *, findable: bool) -> str | None:
    contact = ""
    if text.strip():
        found, contact = read_contact(text, where=kind)
        if found != kind:
            raise Problem("contact_malformed", where=kind)
    if contact:
        fields = {"contact": door.digest(kind, contact), "kind": kind, "findable": findable}
        await _tell(door, person, "wallet.add_contact", **fields)
    if old and old != contact:
        await _tell(door, person, "wallet.remove_contact", contact=door.digest(kind, old))
    return contact or None


async def _tell(door: Door, person: bytes, name: str, **fields: Any) -> None:  # noqa: ANN401 - the command's fields
    """A command of the door for the person; what was given up already is not missed."""
    try:
        await door.run_as(person, name, door.message(name, **fields), secrets.token_bytes(16))
    except Refusal as refusal:
        if refusal.code not in {"alias_not_found", "contact_not_found"}:
            raise


async def uses(asked: Asked) -> Uses:
    """Who read what of the caller's."""
    door, person = asked.door, asked.caller.party
    await door.aside(door.people.note_seen)
    lines = await door.aside(lambda: door.vault.uses(person, limit=asked.query.limit))
    told = await door.people.told(person, [line.reader for line in lines])
    return Uses(
        tuple(
            UseTold(told[line.reader], line.what, line.purpose, line.times, write_time(line.newest_ns))
            for line in lines
        )
    )


# ── erasing ─────────────────────────────────────────────────────────────────────────────────────────────────────────


async def erase(asked: Asked) -> Told:
    """Close the wallet as the person, then forget them; refused while there is money that has nowhere to go."""
    door, person = asked.door, asked.caller.party
    if asked.caller.kind is not CallerKind.SESSION:
        raise Problem("scope_missing", "This is for the person's own session.")
    reference = bytes.fromhex(asked.query.account_ref) if asked.query.account_ref else None
    if not await _is_closed(door, person):
        body = door.message("wallet.close", account_ref=reference)
        await door.store.do(lambda store: store.run("INSERT OR IGNORE INTO erasures VALUES (?)", person))
        try:
            await door.run_as(person, "wallet.close", body, secrets.token_bytes(16))
        except Refusal:
            await door.store.do(lambda store: store.run("DELETE FROM erasures WHERE person = ?", person))
            raise
    await _forget(door, person)
    return Told(None, (("Set-Cookie", door.sessions.set_cookie("")),))


async def carry_on(door: Door) -> None:
    """At start: forget whoever had closed their wallet to be erased."""
    for (person,) in door.store.all("SELECT person FROM erasures ORDER BY person"):
        assert isinstance(person, bytes)
        try:
            if await _is_closed(door, person):
                await _forget(door, person)
            else:
                door.store.run("DELETE FROM erasures WHERE person = ?", person)
        except FormicaryError as error:
            log.warning("an erasure that was under way has to wait: %s", error.code)


async def _is_closed(door: Door, person: bytes) -> bool:
    me = await door.ask("wallet.me", person, door.asked("wallet.me"))
    return bool(me.state == "closed")


async def _forget(door: Door, person: bytes) -> None:
    await door.forget(person)
    await door.store.do(lambda store: store.run("DELETE FROM erasures WHERE person = ?", person))


def _profile(person: bytes, fields: dict[str, str]) -> Profile:
    return Profile(
        id=person.hex(),
        name=fields.get("name", ""),
        alias=fields.get("alias", ""),
        language=fields.get("language", ""),
        phone=fields.get("phone", ""),
        mail=fields.get("mail", ""),
        findable=fields.get("findable") == "yes",
    )
