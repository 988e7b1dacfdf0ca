"""How files with secrets are opened: SQLite that syncs fully, overwrites what it deletes, and only we may read."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import apsw

BUSY_MS: Final = 5000


def open_database(path: Path | None) -> apsw.Connection:
    """Open a SQLite file (write-ahead log, full sync, overwritten when deleted, mode 0600), or one in memory."""
    if path is not None:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        path.touch(mode=0o600)
    connection = apsw.Connection(":memory:" if path is None else str(path))
    connection.set_busy_timeout(BUSY_MS)
    for pragma in ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON", "secure_delete = ON"):
        connection.execute(f"PRAGMA {pragma}").fetchall()
    return connection


def forget_deleted(connection: apsw.Connection) -> None:
    """Make sure that nothing deleted is left in the files: fold the write-ahead log in and cut it to nothing."""
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
