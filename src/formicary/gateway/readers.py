"""For whom a text in a command is sealed: whom it names; in a dispute who judges it, of an offer to all, anybody."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from formicary.base.errors import Refusal
from formicary.vault import ANYBODY, INSTITUTION

if TYPE_CHECKING:
    from formicary.gateway.door import Door
    from formicary.gateway.routes import Caller
    from formicary.products.anatomy import Message

JUDGED: Final = frozenset(
    {"guard.appeal", "guard.report", "guard.decide", "escrow.dispute", "escrow.answer", "escrow.ship"}
)
"""Commands whose texts the institution's people may read, for they decide by them."""
OFFERED: Final = frozenset({"escrow.open_pool"})
"""Commands whose texts whoever has signed in may read: they say what is offered to all."""
RELATED: Final = {
    "order": ("escrow.order", "shop.order"),
    "stay": ("shop.stay",),
    "case": ("guard.case",),
    "payment": ("pay.payment",),
    "request": ("pay.request",),
}
"""Field of a command that names a thing, and the queries of it: all parties of their answer read along."""


async def readers_of(door: Door, caller: Caller, name: str, message: Message) -> list[bytes]:
    """The parties, besides the caller, that may read the texts of a command."""
    parties, _ = door.edge.writer(type(message)).collect(message)
    readers = list(parties)
    if name in JUDGED:
        readers.append(INSTITUTION)
    if name in OFFERED:
        readers.append(ANYBODY)
    product = name.partition(".")[0]
    for field, queries in RELATED.items():
        thing: Any = getattr(message, field, None)
        for query in queries:
            if isinstance(thing, bytes) and query in door.registry.queries and query.startswith(f"{product}."):
                readers += await _parties_of(door, caller, query, field, thing)
    shop: Any = getattr(message, "shop", None)
    if isinstance(shop, bytes):
        readers.append(shop)
    return list(dict.fromkeys(readers))


async def _parties_of(door: Door, caller: Caller, query: str, field: str, thing: bytes) -> list[bytes]:
    """The parties in a query's answer; none when the caller may not ask it, for then the command is refused too."""
    try:
        answer = await door.ask(query, caller.party, door.asked(query, **{field: thing}))
    except (Refusal, TypeError):
        return []
    parties, _ = door.edge.writer(type(answer)).collect(answer)
    return parties
