"""Whose statement somebody asks for: their own, or that of a shop that they manage."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from formicary.base.errors import Refusal
from formicary.gateway.problems import Problem
from formicary.gateway.statement.telling import Subject
from formicary.products.shop.offers import Shops

if TYPE_CHECKING:
    from formicary.gateway.door import Door
    from formicary.gateway.routes import Caller

MANAGERS: Final = frozenset({"owner", "manager"})
"""Who sees all that moves on a shop's account; a cashier sees sales."""
CODES: Final = {
    "statement_not_found": "There is no account of yours in this currency.",
    "statement_too_long": "Too much moved in this time for one statement of this form; ask for a shorter time.",
}
_SHOPS: Final = Shops()


async def subjects_of(door: Door, caller: Caller, shop: str | None) -> list[Subject]:
    """Every account that the caller may have statements of: their own, or a shop's.

    Refuses ``shop_not_found``, and ``shop_not_yours`` to whoever is no owner or manager of it; the shop's own key is.
    """
    party = bytes.fromhex(shop) if shop else caller.party
    is_shop = await door.look("shop", lambda view: _SHOPS.is_shop(view, party))
    if shop or is_shop:
        card = await door.ask("shop.shop", caller.party, door.asked("shop.shop", shop=party))
        if card.role not in MANAGERS:
            raise Problem("shop_not_yours", "Statements of a shop are for its owners and managers.")
        reader = msgspec.structs.replace(caller, party=party, roles=frozenset())
        return [Subject(party, True, int.from_bytes(each.account, "big"), each.asset, reader) for each in card.accounts]  # noqa: FBT003
    try:
        accounts = await door.ask("wallet.accounts", party, door.asked("wallet.accounts"))
    except Refusal:
        return []
    return [
        Subject(party, False, int.from_bytes(each.account, "big"), each.asset, caller)  # noqa: FBT003
        for each in accounts.items
    ]


async def subject_of(door: Door, caller: Caller, shop: str | None, asset: int) -> Subject:
    """The one account in a currency; refuses ``statement_not_found`` when there is none."""
    for subject in await subjects_of(door, caller, shop):
        if subject.asset == asset:
            return subject
    raise Problem("statement_not_found", CODES["statement_not_found"])
