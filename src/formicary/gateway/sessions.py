"""Sessions: how a browser stays signed in.

The cookie holds 32 random bytes that only the browser knows; the store has their hash, so that whoever reads our files
can sign in as nobody. A session ends when nobody uses it for a while, and in any case after a longer time; a person
sees all of theirs and ends any. Sessions are in memory too: a request costs no read of the store. When a session was
used is noted there at once, and written down every few seconds beside the event loop, for whoever writes waits for the
disk.
"""

from __future__ import annotations

import asyncio
import hashlib
import secrets
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    import apsw

    from formicary.gateway.config import Config
    from formicary.gateway.store import Store

COOKIE_SECURE: Final = "__Host-formicary"
"""Name of the cookie behind TLS: the prefix keeps other hosts and paths from setting it."""
COOKIE_PLAIN: Final = "formicary"
"""Its name on plain HTTP, for development on one's own machine."""
SESSIONS_CACHED_MAX: Final = 20_000
"""Sessions in memory; the others are read from the store when used."""
SESSIONS_EACH_MAX: Final = 50
"""Sessions of one person; a further one ends the oldest."""
USE_NOTED_NS: Final = 60_000_000_000
"""How far the noted time of use may lag behind: a request within a minute of the last noted one writes nothing."""
USES_WRITTEN_S: Final = 5
"""How long a noted use may wait to be written; what a crash forgets of it only ends a session that much sooner."""
AGENT_CHARS_MAX: Final = 120
_SECOND: Final = 1_000_000_000
SCHEMA: Final = """
    CREATE TABLE IF NOT EXISTS sessions (
        hash BLOB NOT NULL PRIMARY KEY,
        name TEXT NOT NULL UNIQUE,
        person BLOB NOT NULL,
        device BLOB NOT NULL,
        agent TEXT NOT NULL,
        made_ns INTEGER NOT NULL,
        used_ns INTEGER NOT NULL,
        confirmed_ns INTEGER NOT NULL
    ) STRICT;
    CREATE INDEX IF NOT EXISTS sessions_by_person ON sessions (person);
    CREATE INDEX IF NOT EXISTS sessions_by_used ON sessions (used_ns);
"""
_COLUMNS: Final = "hash, name, person, device, agent, made_ns, used_ns, confirmed_ns"


@dataclass(slots=True)
class Session:
    """One browser of one person."""

    hash: bytes
    name: str
    """What the session is called in lists and logs; no secret."""
    person: bytes
    device: bytes
    """The passkey or PIN that it was begun with."""
    agent: str
    """What kind of browser it says it is."""
    made_ns: int
    used_ns: int
    confirmed_ns: int
    """When the person last showed passkey or PIN."""


class Sessions:
    """Begins, finds, lists and ends sessions."""

    def __init__(self, store: Store, config: Config, now_ns: Callable[[], int]) -> None:
        self._store = store
        self._now_ns = now_ns
        self._idle_ns = config.session_idle_s * _SECOND
        self._absolute_ns = config.session_absolute_s * _SECOND
        self._noted_ns = min(USE_NOTED_NS, self._idle_ns // 4)
        self.confirm_ns = config.confirm_s * _SECOND
        """For how long a person counts as having just shown passkey or PIN."""
        self.is_secure = config.is_secure
        self.cookie = COOKIE_SECURE if config.is_secure else COOKIE_PLAIN
        """Name of the cookie."""
        self._cache: OrderedDict[bytes, Session] = OrderedDict()
        self._uses: dict[bytes, int] = {}
        """When sessions were used, by their hash, which is not written yet."""
        store.ensure(SCHEMA)

    def begin(self, person: bytes, device: bytes, agent: str) -> tuple[str, Session]:
        """Begin a session that counts as just confirmed; return the cookie's value and the session."""
        now = self._now_ns()
        secret = secrets.token_urlsafe(32)
        hashed = _hash(secret)
        kind = _agent_kind(agent)
        session = Session(hashed, secrets.token_hex(8), person, device, kind, now, now, now)

        def write(connection: Any) -> list[bytes]:  # noqa: ANN401 - apsw's connection
            sql = f"INSERT INTO sessions ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"  # noqa: S608 - our own names
            row = (hashed, session.name, person, device, session.agent, now, now, now)
            connection.execute(sql, row).fetchall()
            _write_uses(connection, self._uses.copy())
            limits = (now - self._idle_ns, now - self._absolute_ns)
            connection.execute("DELETE FROM sessions WHERE used_ns < ? OR made_ns < ?", limits).fetchall()
            oldest = """DELETE FROM sessions WHERE hash IN (SELECT hash FROM sessions WHERE person = ?
                        ORDER BY used_ns DESC, made_ns DESC LIMIT -1 OFFSET ?) RETURNING hash"""
            return [each[0] for each in connection.execute(oldest, (person, SESSIONS_EACH_MAX))]

        for ended in self._store.transaction(write):
            self._cache.pop(ended, None)
        self._remember(session)
        return secret, session

    def find(self, secret: str) -> Session | None:
        """The living session of a cookie's value, and note that it was used; None when it ended or never was."""
        hashed = _hash(secret)
        session = self._cache.get(hashed)
        if session is None:
            sql = f"SELECT {_COLUMNS} FROM sessions WHERE hash = ?"  # noqa: S608 - our own names
            row: Any = self._store.one(sql, hashed)
            if row is None:
                return None
            session = Session(*row)
            self._remember(session)
        now = self._now_ns()
        if now - session.used_ns > self._idle_ns or now - session.made_ns > self._absolute_ns:
            self._end(hashed)
            return None
        if now - session.used_ns > self._noted_ns:
            session.used_ns = now
            self._uses[hashed] = now
        return session

    async def note_uses(self) -> None:
        """Write down which sessions were used since the last time, in one transaction beside the event loop."""
        uses, self._uses = self._uses, {}
        if uses:
            await self._store.do(lambda store: store.transaction(lambda connection: _write_uses(connection, uses)))

    async def keep_noting_uses(self) -> None:
        """Write them down every few seconds, for as long as the server runs."""
        while True:
            await asyncio.sleep(USES_WRITTEN_S)
            await self.note_uses()

    def confirm(self, session_name: str) -> int:
        """Note that the person of a session just showed passkey or PIN; return until when that counts, in ns."""
        now = self._now_ns()
        sql = "UPDATE sessions SET confirmed_ns = ? WHERE name = ? RETURNING hash"
        row = self._store.one(sql, now, session_name)
        if row is not None:
            session = self._cache.get(bytes(row[0]))  # type: ignore[arg-type]
            if session is not None:
                session.confirmed_ns = now
        return now + self.confirm_ns

    def of_person(self, person: bytes) -> list[Session]:
        """The living sessions of a person, newest use first."""
        now = self._now_ns()
        sql = f"SELECT {_COLUMNS} FROM sessions WHERE person = ? AND made_ns >= ?"  # noqa: S608 - our own names
        rows: Any = self._store.all(sql, person, now - self._absolute_ns)
        found = (self._cache.get(row[0]) or Session(*row) for row in rows)
        living = (each for each in found if now - each.used_ns <= self._idle_ns)
        return sorted(living, key=lambda each: (-each.used_ns, each.name))

    def end(self, person: bytes, name: str) -> bool:
        """End one session of a person by its name; False when there is none."""
        sql = "DELETE FROM sessions WHERE person = ? AND name = ? RETURNING hash"
        return self._ended(self._store.all(sql, person, name)) > 0

    def end_device(self, person: bytes, device: bytes) -> int:
        """End every session that began with a device; return how many."""
        sql = "DELETE FROM sessions WHERE person = ? AND device = ? RETURNING hash"
        return self._ended(self._store.all(sql, person, device))

    def end_all(self, person: bytes) -> int:
        """End every session of a person; return how many."""
        return self._ended(self._store.all("DELETE FROM sessions WHERE person = ? RETURNING hash", person))

    def set_cookie(self, secret: str) -> str:
        """The ``Set-Cookie`` header that begins a session; an empty secret ends it."""
        age = self._absolute_ns // _SECOND if secret else 0
        secure = "; Secure" if self.is_secure else ""
        return f"{self.cookie}={secret}; Path=/; Max-Age={age}; HttpOnly; SameSite=Lax{secure}"

    def _ended(self, rows: list[Any]) -> int:
        for row in rows:
            self._cache.pop(row[0], None)
        return len(rows)

    def _end(self, hashed: bytes) -> None:
        self._cache.pop(hashed, None)
        self._store.run("DELETE FROM sessions WHERE hash = ?", hashed)

    def _remember(self, session: Session) -> None:
        self._cache[session.hash] = session
        while len(self._cache) > SESSIONS_CACHED_MAX:
            self._cache.popitem(last=False)


def _write_uses(connection: apsw.Connection, uses: dict[bytes, int]) -> None:
    rows = [(used_ns, hashed) for hashed, used_ns in uses.items()]
    connection.executemany("UPDATE sessions SET used_ns = ? WHERE hash = ?", rows).fetchall()


def _agent_kind(agent: str) -> str:
    """A browser and its system in two words, so that a person knows their sessions apart; the rest is not kept."""
    browsers = ("Edg", "OPR", "Firefox", "Chrome", "Safari")
    systems = ("Android", "iPhone", "iPad", "Windows", "Mac OS", "Linux")
    browser = next((each for each in browsers if each in agent), "")
    system = next((each for each in systems if each in agent), "")
    kind = " ".join(each for each in (browser.replace("Edg", "Edge").replace("OPR", "Opera"), system) if each)
    return (kind or "other")[:AGENT_CHARS_MAX]


def _hash(secret: str) -> bytes:
    return hashlib.sha256(secret.encode(errors="replace")).digest()
