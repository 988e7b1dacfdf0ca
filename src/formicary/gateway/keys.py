"""API keys: an Ed25519 key pair that signs each request of a machine, and what it may do.

A client keeps its private key to itself and tells us the public half, or has a pair made that is shown once and never
kept. Whoever copies our database can sign nothing. A key acts for its owner or for one of the owner's shops, within its
scopes; ``fk_test_…`` works where the node runs as a sandbox and ``fk_live_…`` where it does not, so that a till under
test never takes real money.
"""

from __future__ import annotations

import base64
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

import msgspec
from nacl.signing import SigningKey, VerifyKey

from formicary.gateway.problems import Problem
from formicary.gateway.routes import Asked, Caller, CallerKind, Route
from formicary.gateway.scopes import CODES as SCOPE_CODES
from formicary.gateway.scopes import SCOPES_MAX, check_scopes, owns, party_of
from formicary.gateway.shared import NANOSECONDS, route, shared, time_text
from formicary.gateway.signatures import CODES as SIGNATURE_CODES
from formicary.gateway.signatures import Nonces, check_signature, read_signature

if TYPE_CHECKING:
    from starlette.requests import Request

    from formicary.gateway.door import Door

KEYS_MAX: Final = 50
"""Keys of one person."""
USED_EVERY_NS: Final = 60_000_000_000
"""How exactly a key's last use is remembered."""
PREFIXES: Final = {"live": "fk_live_", "sandbox": "fk_test_"}
SCHEMA: Final = """
    CREATE TABLE IF NOT EXISTS gateway_keys (
        key TEXT NOT NULL PRIMARY KEY,
        owner BLOB NOT NULL,
        party BLOB NOT NULL,
        public_key BLOB NOT NULL,
        scopes TEXT NOT NULL,
        label BLOB,
        created_ns INTEGER NOT NULL,
        used_ns INTEGER NOT NULL
    ) STRICT;
    CREATE INDEX IF NOT EXISTS gateway_keys_by_owner ON gateway_keys (owner, created_ns);
"""
CODES: Final = {
    **SIGNATURE_CODES,
    **SCOPE_CODES,
    "key_unknown": "There is no such key, or it was revoked.",
    "key_wrong_mode": "A sandbox key works in a sandbox, a live key where money is real.",
    "key_limit": "You have as many keys as one may have; revoke one first.",
    "key_malformed": "An Ed25519 public key is 32 bytes, written as 64 hexadecimal digits.",
}


class NewKey(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Make a key; without ``public_key`` a pair is made, and its private half shown this once."""

    scopes: Annotated[tuple[str, ...], msgspec.Meta(min_length=1, max_length=SCOPES_MAX)]
    label: Annotated[str, msgspec.Meta(max_length=60)] = ""
    """What you call it; sealed in the vault."""
    public_key: Annotated[str, msgspec.Meta(pattern="^([0-9a-f]{64})?$")] = ""
    shop: Annotated[str, msgspec.Meta(pattern="^([0-9a-f]{32})?$")] = ""
    """The shop that it acts for; empty: you."""


class Key(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A key, without its private half."""

    key: str
    """Its name: the ``keyid`` of its signatures."""
    mode: Literal["live", "sandbox"]
    party: str
    scopes: tuple[str, ...]
    label: str = ""
    public_key: str
    created: str
    used: str = ""
    """About when it was last used; absent: never."""
    private_key: str = ""
    """Shown once, where the pair was made here."""


class KeyList(msgspec.Struct, frozen=True):
    """Your keys, oldest first."""

    items: tuple[Key, ...]


@dataclass(slots=True)
class _Known:
    """A key as memory has it."""

    key: str
    owner: bytes
    party: bytes
    public_key: VerifyKey
    scopes: frozenset[str]
    used_ns: int


class Keys:
    """The keys of one door, and the authenticator that knows them."""

    def __init__(self, door: Door) -> None:
        self._door = door
        door.store.ensure(SCHEMA)
        door.on_erase(self.forget)
        self._known: dict[str, _Known] = {}
        self._nonces = Nonces(door.now_ns() // NANOSECONDS)
        self.mode: Literal["live", "sandbox"] = "sandbox" if door.config.sandbox else "live"

    async def authenticate(self, request: Request, body: bytes) -> Caller | None:
        """Return whose key signed a request; None for a request that is not signed with one of ours.

        Refuses a request that claims a key of ours and is not signed by it, in time, for the first time.
        """
        signature = read_signature(request.headers, is_key)
        if signature is None:
            return None
        known = self._find(signature.key)
        if not signature.key.startswith(PREFIXES[self.mode]):
            raise Problem("key_wrong_mode", CODES["key_wrong_mode"], status=401)
        check_signature(signature, request, body, known.public_key)
        now_ns = self._door.now_ns()
        self._nonces.use(signature, now_ns // NANOSECONDS)
        if now_ns - known.used_ns > USED_EVERY_NS:
            known.used_ns = now_ns
            sql = "UPDATE gateway_keys SET used_ns = ? WHERE key = ?"
            await self._door.store.do(lambda store: store.run(sql, now_ns, known.key))
        if known.party != known.owner and not await owns(self._door, known.owner, known.party):
            raise Problem("key_unknown", CODES["key_unknown"], status=401)
        return Caller(
            kind=CallerKind.KEY,
            party=known.party,
            roles=await self._door.roles_of(known.party),
            scopes=known.scopes,
            session=known.key,
        )

    def _find(self, key: str) -> _Known:
        known = self._known.get(key)
        if known is None:
            sql = "SELECT key, owner, party, public_key, scopes, used_ns FROM gateway_keys WHERE key = ?"
            row: Any = self._door.store.one(sql, key)
            if row is None:
                raise refused_key()
            known = _Known(row[0], row[1], row[2], VerifyKey(row[3]), frozenset(row[4].split()), row[5])
            self._known[key] = known
        return known

    async def make(self, asked: Asked) -> Key:
        """Make a key for the caller or a shop of theirs."""
        body: NewKey = asked.body
        caller = asked.caller
        party = await party_of(self._door, caller.party, body.shop)
        scopes = check_scopes(self._door, body.scopes, roles=caller.roles if party == caller.party else frozenset())
        seed = b"" if body.public_key else secrets.token_bytes(32)
        public_key = bytes.fromhex(body.public_key) if body.public_key else bytes(SigningKey(seed).verify_key)
        label = await self._door.seal(caller.party, (), body.label) if body.label else None
        name = PREFIXES[self.mode] + base64.b32encode(secrets.token_bytes(15)).decode().lower()
        now = self._door.now_ns()
        row = (name, caller.party, party, public_key, scopes, label, now, 0)

        def write(store: Any) -> None:  # noqa: ANN401 - the store's own type
            if store.one("SELECT count(*) FROM gateway_keys WHERE owner = ?", caller.party)[0] >= KEYS_MAX:
                raise Problem("key_limit", CODES["key_limit"])
            store.run("INSERT INTO gateway_keys VALUES (?, ?, ?, ?, ?, ?, ?, ?)", *row)

        await self._door.store.do(write)
        return self._told(row, body.label, private_key=seed.hex())

    async def list(self, asked: Asked) -> KeyList:
        """List the caller's keys."""
        sql = "SELECT * FROM gateway_keys WHERE owner = ? ORDER BY created_ns, key"
        rows: Any = self._door.store.all(sql, asked.caller.party)
        told = []
        for row in rows:
            label = await self._door.unseal(asked.caller.party, row[5]) if row[5] else ""
            told.append(self._told(row, label or ""))
        return KeyList(tuple(told))

    async def revoke(self, asked: Asked) -> None:
        """Revoke a key at once and for good."""
        key, owner = asked.path["key"], asked.caller.party
        sql = "DELETE FROM gateway_keys WHERE key = ? AND owner = ?"
        if not await self._door.store.do(lambda store: store.run(sql, key, owner)):
            raise Problem("key_unknown", CODES["key_unknown"], status=404)
        self._known.pop(key, None)

    async def forget(self, person: bytes) -> None:
        """Revoke every key of a person who leaves."""
        sql = "DELETE FROM gateway_keys WHERE ? IN (owner, party)"
        await self._door.store.do(lambda store: store.run(sql, person))
        self._known.clear()

    def _told(self, row: Any, label: str, *, private_key: str = "") -> Key:  # noqa: ANN401 - a row of the table
        key, _, party, public_key, scopes, _, created_ns, used_ns = row
        return Key(
            key=key,
            mode="sandbox" if key.startswith(PREFIXES["sandbox"]) else "live",
            party=party.hex(),
            scopes=tuple(scopes.split()),
            label=label,
            public_key=public_key.hex(),
            created=time_text(created_ns),
            used=time_text(used_ns) if used_ns else "",
            private_key=private_key,
        )


def is_key(name: str) -> bool:
    """Whether a ``keyid`` is one of a key of ours, rather than of another institution."""
    return name.startswith(tuple(PREFIXES.values()))


def refused_key() -> Problem:
    """Make the problem of an unknown key."""
    return Problem("key_unknown", CODES["key_unknown"], status=401)


def authenticators(door: Door) -> list[Callable[[Request, bytes], Awaitable[Caller | None]]]:
    """Who can tell whose key signed a request."""
    return [shared(door, Keys).authenticate]


def routes(door: Door) -> list[Route]:
    """Routes that manage keys; a key can't make another one, only its owner can."""
    keys = shared(door, Keys)
    refused = ("scope_unknown", "shop_not_yours", "key_limit")
    new: dict[str, Any] = {"confirm": True, "body": NewKey, "answer": Key, "codes": refused}
    return [
        route("GET /v1/keys", keys.list, "List your keys.", answer=KeyList),
        route("POST /v1/keys", keys.make, "Make a key that signs requests of a machine.", **new),
        route("DELETE /v1/keys/{key}", keys.revoke, "Revoke a key at once.", codes=("key_unknown",)),
    ]
