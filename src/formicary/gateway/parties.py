"""Finding people, shops and institutions: by an exact alias, number, address or id, and only who wants to be found."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, Final

import msgspec

from formicary.base.errors import Refusal
from formicary.gateway.naming import NAME_CHARS_MAX, read_alias, read_contact, read_name
from formicary.gateway.problems import Problem
from formicary.gateway.routes import Asked, Route
from formicary.gateway.signing_up import find

if TYPE_CHECKING:
    from formicary.gateway.door import Door

READ: Final = "parties:read"
_ID: Final = re.compile(r"[0-9a-f]{32}")
_MANAGERS: Final = ("owner", "manager")


class FindAsked(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whom to find: ``@alias``, a phone number with its ``+``, a mail address, or an id of 32 digits."""

    find: Annotated[str, msgspec.Meta(min_length=1, max_length=254, examples=["@ada"])]


class Found(msgspec.Struct, frozen=True):
    """A party, as far as anybody who has signed in may know it."""

    id: str
    name: str
    kind: str
    """``person``, ``shop`` or ``institution``."""
    institution: str
    """Id of the institution whose ledger the party is on."""


class ShopProfile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How a shop is called, and where it is; what is left out stays."""

    name: Annotated[str, msgspec.Meta(min_length=1, max_length=2 * NAME_CHARS_MAX)] | None = None
    city: Annotated[str, msgspec.Meta(max_length=60)] | None = None


def routes(_door: Door) -> list[Route]:
    """Finding a party, and naming one's own shop."""
    return [
        Route(
            method="GET",
            path="/v1/parties",
            handle=look_up,
            summary="Find a person or shop by alias, number, address or id",
            scope=READ,
            query=FindAsked,
            answer=Found,
            codes=("person_not_found", "alias_malformed", "contact_malformed"),
        ),
        Route(
            method="PATCH",
            path="/v1/parties/{shop}",
            handle=name_shop,
            summary="Name one's own shop",
            body=ShopProfile,
            answer=Found,
            codes=("shop_not_yours",),
        ),
    ]


async def look_up(asked: Asked) -> Found:
    """Find one party; nobody is found who does not want to be."""
    door, text = asked.door, asked.query.find.strip()
    if _ID.fullmatch(text):
        party = bytes.fromhex(text)
    elif text.startswith("@") or not ("@" in text or text.startswith("+")):
        alias = read_alias(text)
        party = await find(door, "alias", alias) or await _find_shop(door, alias)
    else:
        party = await find(door, *read_contact(text))
    return await _told(asked, party)


async def _find_shop(door: Door, alias: str) -> bytes:
    """The shop that goes by an alias; empty when none does."""
    if "shop.find" not in door.registry.queries:
        return b""
    try:
        found = await door.ask("shop.find", b"", door.asked("shop.find", digest=door.digest("alias", alias).hex()))
    except Refusal:
        return b""
    return found.shop or b""


async def name_shop(asked: Asked) -> Found:
    """Set name and city of a shop, for its owner and managers."""
    door, text = asked.door, asked.path["shop"]
    if not _ID.fullmatch(text) or not await _is_manager(asked, bytes.fromhex(text)):
        raise Problem("shop_not_yours", "This is for the shop's owner and managers.")
    shop = bytes.fromhex(text)
    fields: dict[str, str | None] = {"kind": "shop"}
    if asked.body.name is not None:
        fields["name"] = read_name(asked.body.name)
    if asked.body.city is not None:
        fields["city"] = read_name(asked.body.city) if asked.body.city.strip() else None
    await door.aside(door.vault.put, shop, fields)
    door.people.forget(shop)
    return await _told(asked, shop)


async def _told(asked: Asked, party: bytes) -> Found:
    told = (await asked.door.people.told(asked.caller.party, (party,)))[party] if party else None
    if told is None or not told.kind:
        raise Problem("person_not_found")
    return Found(told.id, told.name, told.kind, asked.door.config.institution.hex())


async def _is_manager(asked: Asked, shop: bytes) -> bool:
    door = asked.door
    if "shop.shops" not in door.registry.queries:
        return False
    if asked.caller.party == shop:
        return True
    try:
        mine = await door.ask("shop.shops", asked.caller.party, door.asked("shop.shops", limit=100))
    except Refusal:
        return False
    return any(each.shop == shop and each.role in _MANAGERS for each in mine.items)
