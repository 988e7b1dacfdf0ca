"""OAuth clients: the apps of third parties, registered by an operator, or by a shop's owner for the shop.

A client that can keep a secret (a server) is given one, shown once and hashed at rest; an app on a phone or in a page
has none, and PKCE alone protects its codes.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Final
from urllib.parse import urlsplit

import msgspec

from formicary.gateway.problems import Problem
from formicary.gateway.routes import Asked, Route
from formicary.gateway.scopes import SCOPES_MAX, check_scopes, party_of
from formicary.gateway.shared import route, shared, time_text

if TYPE_CHECKING:
    from formicary.gateway.door import Door

CLIENTS_MAX: Final = 20
"""Clients of one person."""
REDIRECTS_MAX: Final = 5
_LOCAL: Final = frozenset({"localhost", "127.0.0.1", "::1"})
SCHEMA: Final = """
    CREATE TABLE IF NOT EXISTS oauth_clients (
        client TEXT NOT NULL PRIMARY KEY,
        owner BLOB NOT NULL,
        party BLOB NOT NULL,
        name TEXT NOT NULL,
        redirects TEXT NOT NULL,
        scopes TEXT NOT NULL,
        secret_hash BLOB NOT NULL,
        created_ns INTEGER NOT NULL
    ) STRICT;
    CREATE INDEX IF NOT EXISTS oauth_clients_by_owner ON oauth_clients (owner, created_ns);
"""
_REDIRECT = "A redirect URI is https (or http on this machine itself), without fragment or wildcard."
_LIMIT = "You have as many clients as one may have; remove one first."

RedirectUri = Annotated[str, msgspec.Meta(min_length=8, max_length=300)]


class NewClient(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Register an app that asks people for consent."""

    name: Annotated[str, msgspec.Meta(min_length=1, max_length=60)]
    """The app's name, as people see it."""
    redirects: Annotated[tuple[RedirectUri, ...], msgspec.Meta(min_length=1, max_length=REDIRECTS_MAX)]
    scopes: Annotated[tuple[str, ...], msgspec.Meta(min_length=1, max_length=SCOPES_MAX)]
    """The most that it may ask for."""
    confidential: bool = False
    """Whether it runs where a secret stays secret."""
    shop: Annotated[str, msgspec.Meta(pattern="^([0-9a-f]{32})?$")] = ""
    """The shop that it belongs to; empty: the institution, for operators."""


class ClientTold(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A client."""

    client: str
    name: str
    redirects: tuple[str, ...]
    scopes: tuple[str, ...]
    confidential: bool
    created: str
    secret: str = ""
    """Shown once."""


class ClientList(msgspec.Struct, frozen=True):
    """Clients that you registered, oldest first."""

    items: tuple[ClientTold, ...]


@dataclass(frozen=True, slots=True)
class Client:
    """A client as its row says."""

    client: str
    name: str
    redirects: frozenset[str]
    scopes: frozenset[str]
    secret_hash: bytes

    def is_secret(self, secret: str) -> bool:
        """Whether this is the client's secret; a public client has none, and may show none."""
        if not self.secret_hash:
            return not secret
        return hmac.compare_digest(self.secret_hash, hashed(secret))


def hashed(secret: str) -> bytes:
    """Hash a random secret or token of ours: SHA-256, for there is nothing to guess in 32 random bytes."""
    return hashlib.sha256(secret.encode("utf-8", "replace")).digest()


def check_redirect(uri: str) -> str:
    """Return a redirect URI that we may send a browser to; refuse any other."""
    try:
        parts = urlsplit(uri)
        host = parts.hostname or ""
    except ValueError:
        raise Problem("redirect_refused", _REDIRECT, status=422, where="redirects") from None
    plain = uri.isascii() and uri.isprintable() and not set(uri) & set(' "<>\\^`{|}*')
    safe = parts.scheme == "https" or (parts.scheme == "http" and host in _LOCAL)
    if not (plain and safe and host) or parts.fragment or "#" in uri or parts.username or parts.password:
        raise Problem("redirect_refused", _REDIRECT, status=422, where="redirects")
    return uri


class Clients:
    """The clients of one door."""

    def __init__(self, door: Door) -> None:
        self._door = door
        door.store.ensure(SCHEMA)

    def find(self, client: str) -> Client | None:
        """Find a client by its name."""
        sql = "SELECT client, name, redirects, scopes, secret_hash FROM oauth_clients WHERE client = ?"
        row: Any = self._door.store.one(sql, client)
        if row is None:
            return None
        return Client(row[0], row[1], frozenset(row[2].split()), frozenset(row[3].split()), row[4])

    async def make(self, asked: Asked) -> ClientTold:
        """Register a client."""
        body: NewClient = asked.body
        caller = asked.caller
        if not body.shop and "operator" not in caller.roles:
            raise Problem("forbidden")
        party = await party_of(self._door, caller.party, body.shop)
        scopes = check_scopes(self._door, body.scopes, roles=caller.roles, third_party=True)
        redirects = " ".join(sorted({check_redirect(uri) for uri in body.redirects}))
        secret = secrets.token_urlsafe(32) if body.confidential else ""
        name = f"app_{base64.b32encode(secrets.token_bytes(10)).decode().lower()}"
        secret_hash = hashed(secret) if secret else b""
        row = (name, caller.party, party, body.name, redirects, scopes, secret_hash, self._door.now_ns())

        def write(store: Any) -> None:  # noqa: ANN401 - the store's own type
            if store.one("SELECT count(*) FROM oauth_clients WHERE owner = ?", caller.party)[0] >= CLIENTS_MAX:
                raise Problem("client_limit", _LIMIT)
            store.run("INSERT INTO oauth_clients VALUES (?, ?, ?, ?, ?, ?, ?, ?)", *row)

        await self._door.store.do(write)
        return _told(row, secret)

    async def list(self, asked: Asked) -> ClientList:
        """List the caller's clients."""
        sql = "SELECT * FROM oauth_clients WHERE owner = ? ORDER BY created_ns, client"
        return ClientList(tuple(_told(row) for row in self._door.store.all(sql, asked.caller.party)))

    async def remove(self, asked: Asked) -> None:
        """Remove a client; what people allowed it ends at once."""
        client, owner = asked.path["client"], asked.caller.party

        def write(connection: Any) -> int:  # noqa: ANN401 - apsw's own type
            connection.execute("DELETE FROM oauth_clients WHERE client = ? AND owner = ?", (client, owner))
            changes: int = connection.changes()
            if changes:
                connection.execute("DELETE FROM oauth_grants WHERE client = ?", (client,))
            return changes

        if not await self._door.store.do(lambda store: store.transaction(write)):
            raise Problem("client_unknown", "There is no such client of yours.")

    async def forget(self, person: bytes) -> None:
        """Remove every client of a person."""
        await self._door.store.do(lambda store: store.run("DELETE FROM oauth_clients WHERE owner = ?", person))


def _told(row: Any, secret: str = "") -> ClientTold:  # noqa: ANN401 - a row of the table
    client, _, _, name, redirects, scopes, secret_hash, created_ns = row
    return ClientTold(
        client=client,
        name=name,
        redirects=tuple(redirects.split()),
        scopes=tuple(scopes.split()),
        confidential=bool(secret_hash),
        created=time_text(created_ns),
        secret=secret,
    )


def routes(door: Door) -> list[Route]:
    """The routes that manage clients."""
    clients = shared(door, Clients)
    refused = ("redirect_refused", "scope_unknown", "shop_not_yours", "client_limit")
    new: dict[str, Any] = {"confirm": True, "body": NewClient, "answer": ClientTold, "codes": refused}
    ends, gone = "Remove a client; what people allowed it ends at once.", ("client_unknown",)
    return [
        route("GET /v1/clients", clients.list, "List your clients.", answer=ClientList),
        route("POST /v1/clients", clients.make, "Register an app that asks people for consent.", **new),
        route("DELETE /v1/clients/{client}", clients.remove, ends, codes=gone),
    ]
