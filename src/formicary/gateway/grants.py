"""What people allowed third parties, and the codes and tokens that carry it.

A grant is one consent of one person to one client. Its code is exchanged once; its refresh token changes at each use,
and one that was used before ends the grant, for then two parties have it. All of them stand hashed in the store.

Invariants: a token's scopes are within its grant's; a grant that ends takes all its tokens with it (foreign keys).
"""

from __future__ import annotations

import hmac
import secrets
from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from formicary.gateway.clients import hashed
from formicary.gateway.shared import NANOSECONDS

if TYPE_CHECKING:
    from formicary.gateway.door import Door

REQUEST_S: Final = 600
"""How long a person may take to decide."""
REQUESTS_MAX: Final = 10_000
"""Undecided requests in memory; the oldest go first."""
CODE_S: Final = 60
TOKEN_S: Final = 600
"""Life of an access token."""
REFRESH_S: Final = 90 * 24 * 3600
"""Life of a refresh token that is not used."""
SCHEMA: Final = """
    CREATE TABLE IF NOT EXISTS oauth_grants (
        grant_id TEXT NOT NULL PRIMARY KEY,
        person BLOB NOT NULL,
        client TEXT NOT NULL,
        scopes TEXT NOT NULL,
        given_ns INTEGER NOT NULL,
        used_ns INTEGER NOT NULL
    ) STRICT;
    CREATE INDEX IF NOT EXISTS oauth_grants_by_person ON oauth_grants (person, given_ns);
    CREATE TABLE IF NOT EXISTS oauth_secrets (
        hash BLOB NOT NULL PRIMARY KEY,
        kind TEXT NOT NULL,
        grant_id TEXT NOT NULL REFERENCES oauth_grants (grant_id) ON DELETE CASCADE,
        scopes TEXT NOT NULL,
        redirect_uri TEXT NOT NULL,
        challenge TEXT NOT NULL,
        until_ns INTEGER NOT NULL,
        used INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX IF NOT EXISTS oauth_secrets_by_grant ON oauth_secrets (grant_id);
    CREATE INDEX IF NOT EXISTS oauth_secrets_by_end ON oauth_secrets (until_ns);
"""


class Refused(Exception):
    """An error of OAuth, by the name that its clients know."""

    def __init__(self, error: str) -> None:
        super().__init__(error)
        self.error = error


@dataclass(frozen=True, slots=True)
class Consent:
    """What a client asks for, until the person has decided."""

    client: str
    redirect_uri: str
    scopes: tuple[str, ...]
    state: str
    challenge: str


@dataclass(frozen=True, slots=True)
class Issued:
    """A new pair of tokens."""

    access: str
    refresh: str
    scopes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Access:
    """For whom an access token acts."""

    person: bytes
    grant: str
    scopes: frozenset[str]


@dataclass(frozen=True, slots=True)
class Grant:
    """One grant, for the person who gave it."""

    grant: str
    client: str
    scopes: tuple[str, ...]
    given_ns: int
    used_ns: int


class Grants:
    """The grants of one door."""

    def __init__(self, door: Door) -> None:
        self._door = door
        door.store.ensure(SCHEMA)
        self._requests: OrderedDict[str, tuple[int, Consent]] = OrderedDict()

    # ── before the person has decided ───────────────────────────────────────────────────────────────────────────

    async def begin(self, consent: Consent) -> str:
        """Remember what a client asks for; answer the name of the request."""
        name = secrets.token_urlsafe(24)
        self._requests[name] = (self._door.now_ns() + REQUEST_S * NANOSECONDS, consent)
        while len(self._requests) > REQUESTS_MAX:
            self._requests.popitem(last=False)
        return name

    def find_request(self, name: str) -> Consent | None:
        """Find a request that is not too old."""
        found = self._requests.get(name)
        return None if found is None or found[0] < self._door.now_ns() else found[1]

    async def end_request(self, name: str) -> None:
        """Forget a request."""
        self._requests.pop(name, None)

    async def give(self, request: str, person: bytes, consent: Consent, scopes: tuple[str, ...]) -> str:
        """Make a grant and its code, in place of the request."""
        self._requests.pop(request, None)
        grant, code = f"gr_{secrets.token_hex(8)}", f"fc_{secrets.token_urlsafe(32)}"
        now = self._door.now_ns()
        told = (grant, person, consent.client, " ".join(scopes), now, 0)
        until = now + CODE_S * NANOSECONDS
        row = (hashed(code), "code", grant, " ".join(scopes), consent.redirect_uri, consent.challenge, until, 0)

        def write(connection: Any) -> None:  # noqa: ANN401 - apsw's own type
            connection.execute("INSERT INTO oauth_grants VALUES (?, ?, ?, ?, ?, ?)", told)
            _add(connection, row)
            _tidy(connection, now)

        await self._door.store.do(lambda store: store.transaction(write))
        return code

    # ── codes and tokens ────────────────────────────────────────────────────────────────────────────────────────

    async def exchange(self, code: str, client: str, redirect_uri: str, challenge: str) -> Issued:
        """Exchange a code for tokens, once; a second time ends the grant."""

        def check(row: Any) -> None:  # noqa: ANN401 - a row of the table
            if row[4] != redirect_uri or not challenge or not hmac.compare_digest(row[5], challenge):
                raise Refused("invalid_grant")

        return await self._issue("code", code, client, (), check)

    async def refresh(self, token: str, client: str, scopes: tuple[str, ...]) -> Issued:
        """Exchange a refresh token for new tokens, once; a second time ends the grant. ``scopes`` may ask for less."""
        return await self._issue("refresh", token, client, scopes, lambda _: None)

    async def _issue(self, kind: str, secret: str, client: str, scopes: tuple[str, ...], check: Any) -> Issued:  # noqa: ANN401
        now = self._door.now_ns()
        access, refresh = f"fa_{secrets.token_urlsafe(32)}", f"fr_{secrets.token_urlsafe(32)}"

        def work(connection: Any) -> tuple[str, ...] | None:  # noqa: ANN401 - apsw's own type
            sql = """SELECT s.hash, s.grant_id, s.scopes, s.until_ns, s.redirect_uri, s.challenge, s.used, g.client
                     FROM oauth_secrets s JOIN oauth_grants g USING (grant_id) WHERE s.hash = ? AND s.kind = ?"""
            row = connection.execute(sql, (hashed(secret), kind)).fetchone()
            if row is None or row[7] != client:
                return None
            if row[6]:
                connection.execute("DELETE FROM oauth_grants WHERE grant_id = ?", (row[1],))
                return None
            if row[3] < now:
                return None
            check(row)
            given = tuple(row[2].split())
            wanted = scopes or given
            if not set(wanted) <= set(given):
                raise Refused("invalid_scope")
            connection.execute("UPDATE oauth_secrets SET used = 1 WHERE hash = ?", (row[0],))
            connection.execute("UPDATE oauth_grants SET used_ns = ? WHERE grant_id = ?", (now, row[1]))
            until, later = now + TOKEN_S * NANOSECONDS, now + REFRESH_S * NANOSECONDS
            _add(connection, (hashed(access), "access", row[1], " ".join(wanted), "", "", until, 0))
            _add(connection, (hashed(refresh), "refresh", row[1], " ".join(given), "", "", later, 0))
            return wanted

        given = await self._door.store.do(lambda store: store.transaction(work))
        if given is None:
            raise Refused("invalid_grant")
        return Issued(access, refresh, given)

    def find_access(self, token: str) -> Access | None:
        """Find for whom an access token acts now."""
        sql = """SELECT g.person, g.grant_id, s.scopes FROM oauth_secrets s JOIN oauth_grants g USING (grant_id)
                 WHERE s.hash = ? AND s.kind = 'access' AND s.until_ns >= ?"""
        row: Any = self._door.store.one(sql, hashed(token), self._door.now_ns())
        return None if row is None else Access(row[0], row[1], frozenset(row[2].split()))

    async def revoke_token(self, token: str, client: str) -> None:
        """End the grant of a token, if it is that client's."""
        sql = """DELETE FROM oauth_grants WHERE client = ? AND grant_id =
                 (SELECT grant_id FROM oauth_secrets WHERE hash = ?)"""
        await self._door.store.do(lambda store: store.run(sql, client, hashed(token)))

    # ── what the person has ─────────────────────────────────────────────────────────────────────────────────────

    def of_person(self, person: bytes) -> list[Grant]:
        """Every grant of a person, newest first."""
        sql = """SELECT grant_id, client, scopes, given_ns, used_ns FROM oauth_grants WHERE person = ?
                 ORDER BY given_ns DESC, grant_id LIMIT 100"""
        rows: Any = self._door.store.all(sql, person)
        return [Grant(row[0], row[1], tuple(row[2].split()), row[3], row[4]) for row in rows]

    async def end_grant(self, grant: str, person: bytes) -> bool:
        """End one grant of a person; False where there is none."""
        sql = "DELETE FROM oauth_grants WHERE grant_id = ? AND person = ?"
        return bool(await self._door.store.do(lambda store: store.run(sql, grant, person)))

    async def forget(self, person: bytes) -> None:
        """End every grant of a person."""
        await self._door.store.do(lambda store: store.run("DELETE FROM oauth_grants WHERE person = ?", person))


def _add(connection: Any, row: tuple[Any, ...]) -> None:  # noqa: ANN401 - apsw's own type
    connection.execute("INSERT INTO oauth_secrets VALUES (?, ?, ?, ?, ?, ?, ?, ?)", row)


def _tidy(connection: Any, now_ns: int) -> None:  # noqa: ANN401 - apsw's own type
    """Forget what has ended; a code or refresh token that was used stays until then, to notice its second use."""
    connection.execute("DELETE FROM oauth_secrets WHERE until_ns < ?", (now_ns - CODE_S * NANOSECONDS,))
    connection.execute("DELETE FROM oauth_grants WHERE grant_id NOT IN (SELECT grant_id FROM oauth_secrets)")
