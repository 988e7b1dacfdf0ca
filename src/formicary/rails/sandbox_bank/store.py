"""The sandbox bank's own books, in SQLite: accounts, bookings, what is still to be done, and files still to be sent.

Everything that one file or one due task causes is one transaction; a file to send is a row before it is a file. So a
bank that is killed at any instant goes on where it was.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, NamedTuple

import apsw
import msgspec

_SCHEMA: Final = """
    CREATE TABLE IF NOT EXISTS accounts (
        asset INTEGER NOT NULL PRIMARY KEY, balance_minor INTEGER NOT NULL, statements INTEGER NOT NULL,
        closed_minor INTEGER NOT NULL
    ) STRICT;
    CREATE TABLE IF NOT EXISTS inbox (name TEXT NOT NULL PRIMARY KEY, digest BLOB NOT NULL) STRICT;
    CREATE TABLE IF NOT EXISTS payments (name TEXT NOT NULL PRIMARY KEY) STRICT;
    CREATE TABLE IF NOT EXISTS bookings (
        number INTEGER PRIMARY KEY, asset INTEGER NOT NULL, told INTEGER NOT NULL, statement INTEGER NOT NULL,
        body BLOB NOT NULL
    ) STRICT;
    CREATE INDEX IF NOT EXISTS bookings_by_statement ON bookings (asset, statement, number);
    CREATE TABLE IF NOT EXISTS tasks (
        number INTEGER PRIMARY KEY, due_ns INTEGER NOT NULL, kind TEXT NOT NULL, body BLOB NOT NULL
    ) STRICT;
    CREATE INDEX IF NOT EXISTS tasks_by_due ON tasks (due_ns, number);
    CREATE TABLE IF NOT EXISTS files (number INTEGER PRIMARY KEY, name TEXT NOT NULL, data BLOB NOT NULL) STRICT;
    CREATE TABLE IF NOT EXISTS counters (name TEXT NOT NULL PRIMARY KEY, value INTEGER NOT NULL) STRICT;
"""
UNLISTED: Final = -1


class Task(NamedTuple):
    """Something that the bank does at a time."""

    number: int
    due_ns: int
    kind: str
    body: bytes


class Store:
    """The rows of one bank."""

    def __init__(self, path: Path) -> None:
        self._connection = apsw.Connection(str(path))
        self._connection.set_busy_timeout(5000)
        self._connection.execute("PRAGMA journal_mode = WAL").fetchall()
        self._connection.execute("PRAGMA synchronous = FULL")
        self._connection.execute(_SCHEMA)

    @contextmanager
    def whole(self) -> Iterator[None]:
        """All of the block's changes, durable, or none."""
        with self._connection:
            yield

    def close(self) -> None:
        """Let go of the database."""
        self._connection.close()

    def _one(self, sql: str, *values: Any) -> Any:  # noqa: ANN401 - a row of whatever was asked
        return self._connection.execute(sql, values).fetchone()

    # ── accounts ────────────────────────────────────────────────────────────────────────────────────────────────

    def assets(self) -> list[int]:
        """The currencies of which there is an account."""
        return [asset for (asset,) in self._connection.execute("SELECT asset FROM accounts ORDER BY asset")]

    def account(self, asset: int) -> tuple[int, int, int]:
        """An account: (balance, number of statements so far, balance at the last)."""
        found = self._one("SELECT balance_minor, statements, closed_minor FROM accounts WHERE asset = ?", asset)
        return (0, 0, 0) if found is None else (int(found[0]), int(found[1]), int(found[2]))

    def change(self, asset: int, by_minor: int) -> None:
        """Book on an account."""
        balance, statements, closed = self.account(asset)
        values = (asset, balance + by_minor, statements, closed)
        self._connection.execute("INSERT OR REPLACE INTO accounts VALUES (?, ?, ?, ?)", values)

    def close_statement(self, asset: int, number: int) -> None:
        """Note that a statement lists everything so far."""
        sql = "UPDATE accounts SET statements = ?, closed_minor = balance_minor WHERE asset = ?"
        self._connection.execute(sql, (number, asset))
        sql = "UPDATE bookings SET statement = ? WHERE asset = ? AND statement = ?"
        self._connection.execute(sql, (number, asset, UNLISTED))

    # ── what came in ────────────────────────────────────────────────────────────────────────────────────────────

    def seen(self, name: str) -> bytes | None:
        """The digest of a file or order that was taken before, by its name."""
        found = self._one("SELECT digest FROM inbox WHERE name = ?", name)
        return None if found is None else bytes(found[0])

    def see(self, name: str, digest: bytes) -> None:
        """Remember a file or order."""
        self._connection.execute("INSERT INTO inbox VALUES (?, ?)", (name, digest))

    def pay_once(self, name: str) -> bool:
        """Whether a payment of this name is new; it is not new twice."""
        self._connection.execute("INSERT OR IGNORE INTO payments VALUES (?)", (name,))
        return self._connection.changes() == 1

    # ── bookings, tasks, files ──────────────────────────────────────────────────────────────────────────────────

    def count(self, name: str) -> int:
        """The next number of a counter: 1, 2, 3 …."""
        found = self._one("SELECT value FROM counters WHERE name = ?", name)
        value = 1 + (int(found[0]) if found is not None else 0)
        self._connection.execute("INSERT OR REPLACE INTO counters VALUES (?, ?)", (name, value))
        return value

    def book(self, asset: int, body: msgspec.Struct) -> None:
        """Keep a booking for the next statement."""
        values = (asset, UNLISTED, msgspec.json.encode(body))
        self._connection.execute("INSERT INTO bookings (asset, told, statement, body) VALUES (?, 0, ?, ?)", values)

    def unlisted(self, asset: int) -> list[bytes]:
        """The bookings that no statement lists."""
        sql = "SELECT body FROM bookings WHERE asset = ? AND statement = ? ORDER BY number"
        return [body for (body,) in self._connection.execute(sql, (asset, UNLISTED))]

    def plan(self, due_ns: int, kind: str, body: msgspec.Struct) -> None:
        """Do something later."""
        values = (due_ns, kind, msgspec.json.encode(body))
        self._connection.execute("INSERT INTO tasks (due_ns, kind, body) VALUES (?, ?, ?)", values)

    def due(self, now_ns: int) -> Task | None:
        """The first task that is due."""
        sql = "SELECT number, due_ns, kind, body FROM tasks WHERE due_ns <= ? ORDER BY due_ns, number LIMIT 1"
        found = self._one(sql, now_ns)
        return None if found is None else Task(*found)

    def done(self, task: Task) -> None:
        """Forget a task."""
        self._connection.execute("DELETE FROM tasks WHERE number = ?", (task.number,))

    def tasks(self) -> int:
        """How many tasks wait."""
        return int(self._one("SELECT count(*) FROM tasks")[0])

    def send(self, name: str, data: bytes) -> None:
        """Send a file, once all this is durable."""
        self._connection.execute("INSERT INTO files (name, data) VALUES (?, ?)", (name, data))

    def to_send(self) -> list[tuple[int, str, bytes]]:
        """The files that wait, oldest first: (number, name, data)."""
        sql = "SELECT number, name, data FROM files ORDER BY number LIMIT 1000"
        return [(int(number), str(name), bytes(data)) for number, name, data in self._connection.execute(sql)]

    def sent(self, number: int) -> None:
        """Forget a file that was sent."""
        with self._connection:
            self._connection.execute("DELETE FROM files WHERE number = ?", (number,))
