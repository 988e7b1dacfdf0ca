"""What the doors remember besides the ledger: sessions, passkeys, PINs, keys, webhooks; one SQLite file.

Nothing here is the truth about money, and no personal data stands in it in the clear. Each door module declares its own
tables and has them made with :meth:`Store.ensure`. Every statement is short: it may run on the event loop when it reads
a row by its key; whatever writes goes through :meth:`Store.do`, off the loop.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

import apsw

from formicary.vault.database import open_database

T = TypeVar("T")
Value = str | bytes | int | float | None


class Store:
    """One connection, one lock, one thread for what may wait on the disk."""

    def __init__(self, path: Path | None = None) -> None:
        self.path = path
        self._lock = threading.RLock()
        self._connection = open_database(path)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="formicary-store")

    def ensure(self, schema: str) -> None:
        """Make a module's tables, where they are not there: ``CREATE TABLE IF NOT EXISTS … STRICT``."""
        with self._lock, self._connection:
            self._connection.execute(schema).fetchall()

    def one(self, sql: str, *values: Value) -> tuple[Value, ...] | None:
        """Return the first row of a query, or None."""
        with self._lock:
            row: tuple[Value, ...] | None = self._connection.execute(sql, values).fetchone()
            return row

    def all(self, sql: str, *values: Value) -> list[tuple[Value, ...]]:
        """Return every row of a query."""
        with self._lock:
            return list(self._connection.execute(sql, values))

    def run(self, sql: str, *values: Value) -> int:
        """Run one statement and commit; return how many rows it changed."""
        with self._lock:
            self._connection.execute(sql, values).fetchall()
            return self._connection.changes()

    def transaction(self, work: Callable[[apsw.Connection], T]) -> T:
        """Run ``work`` in one transaction: all of it is kept, or nothing."""
        with self._lock, self._connection:
            done = work(self._connection)
        return done  # noqa: RET504 - mypy does not know that a transaction swallows nothing

    async def do(self, work: Callable[[Store], T]) -> T:
        """Run ``work(store)`` in the store's thread, off the event loop, and wait for it."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, work, self)

    def close(self) -> None:
        """Finish what is under way and close the file."""
        self._thread.shutdown()
        with self._lock:
            self._connection.close()
