"""What people read about one another: names of parties and texts sealed for them, from the vault.

Names are kept in memory while they are in use; who saw whose is gathered and written down every few seconds, one line a
day for each pair, so that looking at a list costs no write.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Final, TypeVar

from formicary.gateway.edge_values import NOBODY_TOLD, PartyTold
from formicary.gateway.routes import Caller
from formicary.vault import ANYBODY, INSTITUTION

if TYPE_CHECKING:
    from formicary.vault import Vault

T = TypeVar("T")
NAMES_CACHED_MAX: Final = 50_000
"""Parties whose names are in memory."""
PUBLIC_KINDS: Final = ("shop", "institution")
"""Kinds of parties whose names anybody may read."""
STAFF: Final = ("operator", "approver", "auditor", "arbiter")
"""Roles that may read what is sealed for the institution."""


class People:
    """Looks names and texts up for a reader."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault
        self._names: OrderedDict[bytes, PartyTold] = OrderedDict()
        self._seen: dict[tuple[bytes, bytes], int] = {}

    async def told(self, viewer: bytes, parties: Iterable[bytes]) -> dict[bytes, PartyTold]:
        """Every party with the name that the viewer may see; whoever has not signed in sees shops and institutions."""
        wanted = dict.fromkeys(parties)
        missing = [party for party in wanted if party and party not in self._names]
        if missing:
            await _aside(self._load, missing)
        found: dict[bytes, PartyTold] = {}
        for party in wanted:
            told = self._names.get(party, NOBODY_TOLD if not party else PartyTold(party.hex(), "", ""))
            if told.kind == "person" and party != viewer:
                if viewer:
                    self._seen[party, viewer] = self._seen.get((party, viewer), 0) + 1
                else:
                    told = PartyTold(told.id, "", told.kind)
            found[party] = told
        return found

    def _load(self, parties: Sequence[bytes]) -> None:
        for party in parties:
            fields = self._vault.get(party)
            self._names[party] = PartyTold(party.hex(), fields.get("name", ""), fields.get("kind", ""))
        while len(self._names) > NAMES_CACHED_MAX:
            self._names.popitem(last=False)

    async def texts(self, caller: Caller, refs: Sequence[bytes]) -> dict[bytes, str]:
        """The texts that a caller may read: theirs, what is for all, and what the institution's people read, noted."""
        return await _aside(self._texts, caller, refs)

    def _texts(self, caller: Caller, refs: Sequence[bytes]) -> dict[bytes, str]:
        if not caller.party:
            return {}
        found = self._vault.unseal_many(caller.party, refs)
        if missing := [ref for ref in refs if ref not in found]:
            found |= self._vault.unseal_many(ANYBODY, missing)
        missing = [ref for ref in missing if ref not in found]
        if missing and not caller.roles.isdisjoint(STAFF):
            found |= self._vault.unseal_many(INSTITUTION, missing, purpose=f"case work by {caller.party.hex()}")
        return found

    def forget(self, party: bytes) -> None:
        """A profile was changed or erased."""
        self._names.pop(party, None)

    def note_seen(self) -> None:
        """Write down who saw whose name since the last time."""
        seen, self._seen = self._seen, {}
        for (owner, viewer), times in seen.items():
            self._vault.used(owner, viewer, "name", "shown beside a payment or a search", times=times)


async def _aside(work: Callable[..., T], *arguments: object) -> T:
    return await asyncio.get_running_loop().run_in_executor(None, work, *arguments)
