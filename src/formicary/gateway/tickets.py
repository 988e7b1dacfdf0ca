"""Tickets: what a door remembers between the two halves of signing up, signing in and confirming.

A ticket is 32 random bytes that only its holder knows; the store has its hash. It is good for one purpose, for a few
minutes, and once: finishing takes it out. Only a sign-up keeps its ticket until it is finished, so that its holder may
try again after a crash half way (see ``signing_up``).
"""

from __future__ import annotations

import hashlib
import secrets
from typing import TYPE_CHECKING, Any, Final, TypeVar

import msgspec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from formicary.gateway.problems import Problem

if TYPE_CHECKING:
    from formicary.gateway.store import Store

T = TypeVar("T", bound=msgspec.Struct)
TICKETS_MAX: Final = 100_000
"""Open tickets at once; beyond, the oldest are forgotten."""
SCHEMA: Final = """
    CREATE TABLE IF NOT EXISTS tickets (
        hash BLOB NOT NULL PRIMARY KEY,
        purpose TEXT NOT NULL,
        until_ns INTEGER NOT NULL,
        body BLOB NOT NULL
    ) STRICT;
    CREATE INDEX IF NOT EXISTS tickets_by_until ON tickets (until_ns);
"""
_SECOND: Final = 1_000_000_000


class Tickets:
    """Makes, keeps and takes tickets. What a ticket holds is sealed under the ticket: the store alone can't read it."""

    def __init__(self, store: Store, *, ticket_s: int) -> None:
        self._store = store
        self._ticket_ns = ticket_s * _SECOND
        store.ensure(SCHEMA)

    async def make(self, purpose: str, body: msgspec.Struct, *, now_ns: int) -> str:
        """Keep what the second half needs; return the ticket."""
        ticket = secrets.token_urlsafe(32)
        nonce = secrets.token_bytes(12)
        sealed = nonce + AESGCM(_key(ticket)).encrypt(nonce, msgspec.msgpack.encode(body), purpose.encode())

        def write(connection: Any) -> None:  # noqa: ANN401 - apsw's connection
            connection.execute("DELETE FROM tickets WHERE until_ns <= ?", (now_ns,)).fetchall()
            row = (hash_of(ticket), purpose, now_ns + self._ticket_ns, sealed)
            connection.execute("INSERT INTO tickets VALUES (?, ?, ?, ?)", row).fetchall()
            sql = (
                "DELETE FROM tickets WHERE hash IN (SELECT hash FROM tickets ORDER BY until_ns DESC LIMIT -1 OFFSET ?)"
            )
            connection.execute(sql, (TICKETS_MAX,)).fetchall()

        await self._store.do(lambda store: store.transaction(write))
        return ticket

    def find(self, ticket: str, purpose: str, kind: type[T], *, now_ns: int) -> T:
        """Read a ticket without taking it; refuses with ``ticket_unknown``."""
        sql = "SELECT body FROM tickets WHERE hash = ? AND purpose = ? AND until_ns > ?"
        return _opened(self._store.one(sql, hash_of(ticket), purpose, now_ns), ticket, purpose, kind)

    async def take(self, ticket: str, purpose: str, kind: type[T], *, now_ns: int) -> T:
        """Read a ticket and take it out, so that it is good once; refuses with ``ticket_unknown``."""
        sql = "DELETE FROM tickets WHERE hash = ? AND purpose = ? AND until_ns > ? RETURNING body"
        rows = await self._store.do(lambda store: store.all(sql, hash_of(ticket), purpose, now_ns))
        return _opened(rows[0] if rows else None, ticket, purpose, kind)


def hash_of(ticket: str) -> bytes:
    """What the store knows a ticket by."""
    return hashlib.sha256(b"known\0" + ticket.encode(errors="replace")).digest()


def _key(ticket: str) -> bytes:
    return hashlib.sha256(b"sealed\0" + ticket.encode(errors="replace")).digest()


def _opened(row: Any, ticket: str, purpose: str, kind: type[T]) -> T:  # noqa: ANN401 - a row, or None
    if row is None:
        raise Problem("ticket_unknown")
    sealed: bytes = row[0]
    body = AESGCM(_key(ticket)).decrypt(sealed[:12], sealed[12:], purpose.encode())
    return msgspec.msgpack.decode(body, type=kind)
