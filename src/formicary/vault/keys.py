"""One data key per person, wrapped; in a file of its own, apart from what the keys seal.

That file is the only place where an erased person could still be found, so it is small, is overwritten on erasure, and
is never archived: see ``docs/explanation/personal-data``. An erased party leaves its pseudonymous id behind, so that
nothing makes it a new key by mistake.
"""

from __future__ import annotations

import secrets
import threading
from collections import OrderedDict
from pathlib import Path
from typing import Final

from formicary.vault.database import forget_deleted, open_database
from formicary.vault.kms import KEY_BYTES, Kms

KEYS_CACHED_MAX: Final = 20_000
"""Unwrapped keys in memory."""
SCHEMA: Final = """
    CREATE TABLE IF NOT EXISTS keys (
        party BLOB NOT NULL PRIMARY KEY,
        wrapped BLOB,
        made_ns INTEGER NOT NULL,
        erased_ns INTEGER
    ) STRICT, WITHOUT ROWID;
"""


class KeyRing:
    """Finds, makes and destroys the data keys; threads may share it."""

    def __init__(self, path: Path | None, kms: Kms) -> None:
        self._kms = kms
        self._lock = threading.RLock()
        self._connection = open_database(path)
        self._connection.execute(SCHEMA).fetchall()
        self._cache: OrderedDict[bytes, bytes] = OrderedDict()

    def find(self, party: bytes) -> bytes | None:
        """The key of a party; None when it never had one or was erased."""
        with self._lock:
            cached = self._cache.get(party)
            if cached is not None:
                self._cache.move_to_end(party)
                return cached
            row = self._connection.execute("SELECT wrapped FROM keys WHERE party = ?", (party,)).fetchone()
            if row is None or row[0] is None:
                return None
            return self._keep(party, self._kms.unwrap(row[0], party))

    def ensure(self, party: bytes, *, now_ns: int) -> bytes | None:
        """The key of a party, made when there is none; None when the party was erased."""
        with self._lock:
            found = self.find(party)
            if found is not None:
                return found
            key = secrets.token_bytes(KEY_BYTES)
            sql = "INSERT INTO keys (party, wrapped, made_ns) VALUES (?, ?, ?) ON CONFLICT (party) DO NOTHING"
            self._connection.execute(sql, (party, self._kms.wrap(key, party), now_ns)).fetchall()
            return self._keep(party, key) if self._connection.changes() else None

    def destroy(self, party: bytes, *, now_ns: int) -> bool:
        """Overwrite the key of a party for good; False when there was none. On the disk when this returns."""
        with self._lock:
            self._cache.pop(party, None)
            sql = "UPDATE keys SET wrapped = NULL, erased_ns = ? WHERE party = ? AND wrapped IS NOT NULL"
            self._connection.execute(sql, (now_ns, party)).fetchall()
            destroyed = bool(self._connection.changes())
            forget_deleted(self._connection)
            return destroyed

    def is_erased(self, party: bytes) -> bool:
        """Whether a party had a key once, and it was destroyed."""
        with self._lock:
            row = self._connection.execute("SELECT erased_ns FROM keys WHERE party = ?", (party,)).fetchone()
            return row is not None and row[0] is not None

    def rewrap(self, kms: Kms) -> int:
        """Wrap every key with another key-management key, in one transaction; return how many."""
        with self._lock, self._connection:
            sql = "SELECT party, wrapped FROM keys WHERE wrapped IS NOT NULL ORDER BY party"
            rows = list(self._connection.execute(sql))
            for party, wrapped in rows:
                again = kms.wrap(self._kms.unwrap(wrapped, party), party)
                self._connection.execute("UPDATE keys SET wrapped = ? WHERE party = ?", (again, party)).fetchall()
            self._kms = kms
        forget_deleted(self._connection)
        return len(rows)

    def close(self) -> None:
        """Forget what is unwrapped, and close the file."""
        with self._lock:
            self._cache.clear()
            self._connection.close()

    def _keep(self, party: bytes, key: bytes) -> bytes:
        self._cache[party] = key
        while len(self._cache) > KEYS_CACHED_MAX:
            self._cache.popitem(last=False)
        return key
