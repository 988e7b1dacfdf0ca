"""What a key or a third party's token can be given: the products' scopes, and those of the doors' own routes.

A scope only narrows: whoever acts with a key or token may never do more than the person or shop behind it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

from formicary.base.errors import Refusal
from formicary.gateway.problems import Problem
from formicary.products.anatomy import Access

if TYPE_CHECKING:
    from formicary.gateway.door import Door

SCOPES_MAX: Final = 32
"""Scopes of one key, client or token."""
SHOPS_MAX: Final = 1_000
"""Shops of one person that are looked at."""
DOOR_SCOPES: Final = {
    "events:read": "See what happens to you as it happens.",
    "webhook:read": "See which webhooks there are, and what was delivered.",
    "webhook:write": "Add, test, replay and remove webhooks.",
    "parties:read": "Find people and shops by alias, number, address or id.",
    "profile:read": "See your name, alias and language.",
    "receipt:read": "Fetch receipts and statements of your payments.",
    "ledger:read": "Read every account and transfer of the ledger; for the institution's own systems.",
    "ledger:write": "Open accounts and post transfers directly; for the institution's own systems.",
}
"""Scopes of routes that are neither a command nor a query, in words for the page that asks for consent."""
INSTITUTION_SCOPES: Final = frozenset({"ledger:read", "ledger:write"})
"""Only for keys of people whom the institution appointed, never for third parties."""
_WORDS: Final = {"read": "See", "write": "Use and change", "charge": "Take payments with"}
CODES: Final = {
    "scope_unknown": "There is no such scope, or it is not for this kind of key.",
    "shop_not_yours": "Only the owner of a shop makes keys, webhooks and clients for it.",
}


def known_scopes(door: Door) -> dict[str, str]:
    """Return every scope that can be given, and what it allows, in plain words."""
    products = {
        each.type.scope: each.product.name
        for each in door.registry.commands.values()
        if each.type.scope and each.type.access is not Access.DOOR
    }
    products |= {
        query.scope: name.partition(".")[0]
        for name, query in door.registry.queries.items()
        if query.scope and query.access is not Access.DOOR
    }
    words = {scope: f"{_WORDS.get(scope.partition(':')[2], 'Use')} your {name}." for scope, name in products.items()}
    return dict(sorted({**words, **DOOR_SCOPES}.items()))


def check_scopes(door: Door, scopes: Iterable[str], *, roles: frozenset[str], third_party: bool = False) -> str:
    """Return scopes as one sorted text; refuse unknown ones, and the institution's own for anybody else."""
    wanted = sorted(set(scopes))
    known = known_scopes(door)
    for scope in wanted:
        if scope not in known or (scope in INSTITUTION_SCOPES and (third_party or "operator" not in roles)):
            raise Problem("scope_unknown", f"{CODES['scope_unknown']} ({scope[:40]})", status=422, where="scopes")
    return " ".join(wanted)


async def owns(door: Door, person: bytes, party: bytes) -> bool:
    """Whether a person is that party, or owns that shop."""
    if person == party:
        return True
    return any(shop == party and role == "owner" for shop, role in await shops_of(door, person))


async def shops_of(door: Door, person: bytes) -> list[tuple[bytes, str]]:
    """Return every shop that a person works for, and as what."""
    found: list[tuple[bytes, str]] = []
    after: str | None = "" if "shop.shops" in door.registry.queries else None
    while after is not None and len(found) < SHOPS_MAX:
        try:
            page = await door.ask("shop.shops", person, door.asked("shop.shops", after=after, limit=100))
        except Refusal:
            break
        found += [(item.shop, item.role) for item in page.items]
        after = page.next or None
    return found


async def party_of(door: Door, person: bytes, shop: str) -> bytes:
    """Return the shop that a person names by its 32 digits, or the person when none is named; refuse others' shops."""
    if not shop:
        return person
    try:
        party = bytes.fromhex(shop)
    except ValueError:
        party = b""
    if len(party) != 16 or not await owns(door, person, party):
        raise Problem("shop_not_yours", CODES["shop_not_yours"], status=403, where="shop")
    return party
