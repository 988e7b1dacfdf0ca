"""The log of one organisation that has PostgreSQL: a table of entries, a row with the writer's epoch, group commit.

``append`` collects, ``sync`` sends the group in one transaction that first claims the log's row for this epoch and this
position: a stale epoch changes 0 rows, and nothing is written. A commit whose answer got lost is *unknown*, not failed:
the entries are read back by index and hash before they are sent again. How to run it: ``docs/how-to/postgres-log.md``.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import psycopg
from psycopg import errors

from formicary.base.entry import NO_PARENT, Draft, Entry, EntryKind, entry_hash
from formicary.base.errors import Closed, Corrupt, Fault, Fenced, Locked, Refusal, StorageFull, StorageReadOnly
from formicary.log.port import EMPTY, Head, chained, check_draft, head_of

PATIENCE_S: Final = 10.0
"""How long one sync may take, with reconnecting and reading back, before it counts as failed."""
LOG_PARAMETER: Final = "formicary_log"
LOG_NAME_DEFAULT: Final = "main"
_READ_ROWS: Final = 16
_RETRY_S: Final = 0.1

_SCHEMA: Final = """
    CREATE TABLE IF NOT EXISTS formicary_logs (
        name text PRIMARY KEY, epoch bigint NOT NULL, newest bigint NOT NULL
    );
    CREATE TABLE IF NOT EXISTS formicary_entries (
        log text NOT NULL REFERENCES formicary_logs, index bigint NOT NULL, epoch bigint NOT NULL,
        time_ns bigint NOT NULL, kind smallint NOT NULL, parent bytea NOT NULL, hash bytea NOT NULL,
        body bytea NOT NULL, PRIMARY KEY (log, index)
    );
    ALTER TABLE formicary_entries ALTER COLUMN body SET STORAGE EXTERNAL;
"""
_CLAIM: Final = "UPDATE formicary_logs SET newest = %s WHERE name = %s AND epoch = %s AND newest = %s"
_INSERT: Final = """
    INSERT INTO formicary_entries SELECT name, %s, epoch, %s, %s, %b, %b, %b FROM formicary_logs
    WHERE name = %s AND epoch = %s AND newest = %s
"""
_SELECT: Final = """
    SELECT index, epoch, time_ns, kind, body, parent, hash FROM formicary_entries
    WHERE log = %s AND index BETWEEN %s AND %s ORDER BY index LIMIT %s
"""

_KINDS: Final = frozenset(EntryKind)

Connection = psycopg.Connection[tuple[Any, ...]]


def split_address(address: str) -> tuple[str, str]:
    """The server's address and the log's name: libpq would refuse our parameter."""
    parts = urlsplit(address)
    pairs = parse_qsl(parts.query)
    name = dict(pairs).get(LOG_PARAMETER, LOG_NAME_DEFAULT)
    query = urlencode([pair for pair in pairs if pair[0] != LOG_PARAMETER], safe="/")
    return urlunsplit(parts._replace(query=query)), name


@contextmanager
def _faults(doing: str) -> Iterator[None]:
    """Say what the server's errors mean to us."""
    try:
        yield
    except errors.DiskFull as error:
        raise StorageFull(f"{doing}: {error}") from error
    except errors.ReadOnlySqlTransaction as error:
        raise StorageReadOnly(f"{doing}: {error}") from error
    except psycopg.Error as error:
        raise Fault(f"{doing}: {error}") from error


def _connect(dsn: str, patience_s: float) -> Connection:
    """A connection that waits for the disk at every commit, and gives up on a dead network in time."""
    milliseconds = int(patience_s * 1000)
    connection: Connection = psycopg.connect(
        dsn,
        autocommit=True,
        application_name="formicary",
        connect_timeout=max(int(patience_s), 2),
        tcp_user_timeout=milliseconds,
        options=f"-c statement_timeout={milliseconds}",
    )
    if _one(connection, "SHOW fsync") == "off":
        connection.close()
        raise Refusal("the server runs with fsync=off: what it acknowledges may be lost", code="not_durable")
    if _one(connection, "SHOW synchronous_commit") != "remote_apply":
        connection.execute("SET synchronous_commit = on")
    return connection


def _one(connection: Connection, query: str, parameters: Sequence[object] = ()) -> object:
    row = connection.execute(query.encode(), parameters).fetchone()
    return row[0] if row else None


def _all(connection: Connection, query: str, parameters: Sequence[object]) -> list[tuple[Any, ...]]:
    with connection.cursor(binary=True) as cursor:
        return cursor.execute(query.encode(), parameters).fetchall()


class _Table:
    """Reads one log through one connection, which is made when it is first needed and again after it was lost."""

    def __init__(self, dsn: str, name: str, patience_s: float) -> None:
        self.name = name
        self._dsn = dsn
        self._patience_s = patience_s
        self._connection: Connection | None = None

    def newest(self) -> int | None:
        """The index of the newest entry, ``None`` when there is no such log."""
        found = self._fetch("SELECT newest FROM formicary_logs WHERE name = %s", [self.name])
        return int(found[0][0]) if found else None

    def entries(self, first: int, last: int) -> Iterator[Entry]:
        """Yield entries ``first`` to ``last``, each checked against the one before it."""
        before = self._rows(first - 1, first - 1)
        parent = self._check(before[0], None, first - 1) if before else None
        while first <= last:
            rows = self._rows(first, last)
            if not rows:
                raise self._corrupt("it is missing", first)
            for entry in rows:
                parent = self._check(entry, parent, first)
                yield parent
                first += 1

    def close(self) -> None:
        """Give back the connection."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _rows(self, first: int, last: int) -> list[Entry]:
        return [Entry(*row) for row in self._fetch(_SELECT, [self.name, first, last, _READ_ROWS])]

    def _fetch(self, query: str, parameters: Sequence[object]) -> list[tuple[Any, ...]]:
        """Ask, and ask once more through a new connection when the old one turns out to be lost."""
        with _faults(f"reading log {self.name}"):
            if self._connection is not None:
                try:
                    return _all(self._connection, query, parameters)
                except (psycopg.OperationalError, psycopg.InterfaceError):
                    self.close()
            self._connection = _connect(self._dsn, self._patience_s)
            return _all(self._connection, query, parameters)

    def _check(self, entry: Entry, parent: Entry | None, index: int) -> Entry:
        """The entry as it is, or ``Corrupt``."""
        expected = NO_PARENT if index == 1 else parent.hash if parent else entry.parent
        if entry.index != index:
            raise self._corrupt("it is missing", index)
        if entry.hash != _hash_of(entry) or entry.kind not in _KINDS:
            raise self._corrupt("its hash does not match its row", index)
        if entry.parent != expected:
            raise self._corrupt("it names another parent than the entry before it", index)
        if parent is not None and (entry.epoch < parent.epoch or entry.time_ns <= parent.time_ns):
            raise self._corrupt("its epoch or time falls behind its parent's", index)
        return replace(entry, kind=EntryKind(entry.kind))

    def _corrupt(self, reason: str, index: int) -> Corrupt:
        return Corrupt(reason, file=f"postgres log {self.name}", record=index, offset=0)


def _hash_of(entry: Entry) -> bytes:
    return entry_hash(
        index=entry.index,
        epoch=entry.epoch,
        time_ns=entry.time_ns,
        kind=entry.kind,
        body=entry.body,
        parent=entry.parent,
    )


def _head(table: _Table, newest: int) -> Head:
    for entry in table.entries(newest, newest) if newest else ():
        return head_of(entry)
    return EMPTY


class PostgresLogReader:
    """Reads a log that a ``PostgresLog`` may be writing, from any process or machine."""

    def __init__(self, address: str, *, patience_s: float = PATIENCE_S) -> None:
        dsn, name = split_address(address)
        self._table = _Table(dsn, name, patience_s)
        try:
            self._newest()
        except BaseException:
            self.close()
            raise

    @property
    def head(self) -> Head:
        """The newest entry."""
        return _head(self._table, self._newest())

    def read(self, first: int) -> Iterator[Entry]:
        """Yield the entries from ``first`` on, as of now, each checked."""
        return self._table.entries(max(first, 1), self._newest())

    def close(self) -> None:
        """Give back the connection."""
        self._table.close()

    def _newest(self) -> int:
        newest = self._table.newest()
        if newest is None:
            raise Refusal(f"there is no log named {self._table.name}", code="log_missing")
        return newest


class PostgresLog:
    """The one writer of a log. It holds an advisory lock while connected; what fences it for good is its epoch."""

    def __init__(self, address: str, *, create: bool = True, patience_s: float = PATIENCE_S) -> None:
        self._dsn, self._name = split_address(address)
        self._patience_s = patience_s
        self._table = _Table(self._dsn, self._name, patience_s)
        self._group: list[Entry] = []
        self._unusable = ""
        self.recovered = ""
        with _faults(f"opening log {self._name}"):
            self._connection = _connect(self._dsn, patience_s)
            try:
                self._prepare(create=create)
                self.epoch = self._take_over()
                self._synced = self._table.newest() or 0
                self.head = _head(self._table, self._synced)
            except BaseException:
                self._connection.close()
                self._table.close()
                raise

    def append(self, draft: Draft | Entry) -> Entry:
        """Chain ``draft`` to the head; it is sent with its group by ``sync``."""
        self._check_usable()
        check_draft(draft, self.head)
        owned = replace(draft, body=bytes(draft.body))
        entry = chained(owned, epoch=self.epoch, parent=self.head.hash)
        self._group.append(entry)
        self.head = head_of(entry)
        return entry

    def sync(self) -> None:
        """Commit everything appended, as one transaction; a failure ends this writer."""
        self._check_usable()
        try:
            if self._group:
                with _faults(f"committing to log {self._name}"):
                    self._commit(self._group)
        except Fault as fault:
            self._unusable = f"a sync failed ({fault})"
            raise
        self._synced = self.head.index
        self._group.clear()

    def read(self, first: int) -> Iterator[Entry]:
        """Yield the durable entries from ``first`` on, as of now, each checked."""
        self._check_usable()
        return self._table.entries(max(first, 1), self._synced)

    def close(self) -> None:
        """Commit what is left, if this writer still may, and let the next one in."""
        try:
            if not self._unusable:
                with suppress(Fenced):
                    self.sync()
        finally:
            self._unusable = self._unusable or "it was closed"
            self._connection.close()
            self._table.close()

    def _check_usable(self) -> None:
        if self._unusable:
            raise Closed(f"log {self._name} takes no more work: {self._unusable}")

    def _prepare(self, *, create: bool) -> None:
        """Make tables and row where they are missing, and take the lock."""
        if create:
            if _one(self._connection, "SELECT to_regclass('formicary_entries')") is None:
                self._connection.execute(_SCHEMA)
            self._connection.execute(
                "INSERT INTO formicary_logs VALUES (%s, 0, 0) ON CONFLICT DO NOTHING", [self._name]
            )
        self._lock()

    def _lock(self) -> None:
        key = "hashtextextended('formicary ' || %s, 0)"
        if _one(self._connection, f"SELECT pg_try_advisory_lock({key})", [self._name]) is not True:
            holder = _one(
                self._connection,
                f"SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND objsubid = 1 AND granted"  # noqa: S608
                f" AND ((classid::bigint << 32) | objid::bigint) = {key}",
                [self._name],
            )
            raise Locked(f"log {self._name} is open for writing (PostgreSQL backend {holder or 'unknown'})")

    def _take_over(self) -> int:
        """Raise the epoch: from its commit on, no writer before this one can write."""
        query = "UPDATE formicary_logs SET epoch = epoch + 1 WHERE name = %s RETURNING epoch"
        epoch = _one(self._connection, query, [self._name])
        if epoch is None:
            raise Refusal(f"there is no log named {self._name}", code="log_missing")
        return int(str(epoch))

    def _commit(self, group: list[Entry]) -> None:
        """Send the group until it is known to be stored, known to be refused, or patience ends."""
        deadline = time.monotonic() + self._patience_s
        while True:
            try:
                self._send(group)
            except (Fenced, errors.UniqueViolation):
                if not self._is_stored(group):  # by ourselves: the first attempt may still have been on its way
                    raise
            except (errors.DiskFull, errors.ReadOnlySqlTransaction):
                raise
            except (psycopg.OperationalError, psycopg.InterfaceError) as error:
                self._reconnect(deadline, error)
                if not self._is_stored(group):
                    continue
            return

    def _send(self, group: list[Entry]) -> None:
        """One transaction: a round trip to claim the place, one for all the rows, one for the commit."""
        claim_of = (self._name, self.epoch, group[-1].index)
        rows = [
            (entry.index, entry.time_ns, int(entry.kind), entry.parent, entry.hash, entry.body, *claim_of)
            for entry in group
        ]
        with self._connection.transaction(), self._connection.cursor() as cursor:
            # Not inside the pipeline: psycopg lost this count there when some four hundred rows followed.
            cursor.execute(_CLAIM, [group[-1].index, self._name, self.epoch, group[0].index - 1])
            if cursor.rowcount != 1:
                raise Fenced(f"log {self._name}: a newer writer has taken over from epoch {self.epoch}")
            with self._connection.pipeline():
                cursor.executemany(_INSERT, rows)

    def _is_newest_writer(self) -> bool:
        epoch = _one(self._connection, "SELECT epoch FROM formicary_logs WHERE name = %s", [self._name])
        return bool(epoch == self.epoch)

    def _is_stored(self, group: list[Entry]) -> bool:
        """Whether the transaction whose answer was lost did commit."""
        query = "SELECT hash FROM formicary_entries WHERE log = %s AND index = %s"
        return bool(_one(self._connection, query, [self._name, group[-1].index]) == group[-1].hash)

    def _reconnect(self, deadline: float, error: psycopg.Error) -> None:
        """A fresh connection with the lock on it; the server may need a while to notice that the old one is gone.

        When a newer writer has the lock there is nothing to wait for: the claim will find this one's epoch stale.
        """
        self._connection.close()
        while time.monotonic() < deadline:
            try:
                self._connection = _connect(self._dsn, self._patience_s)
                if not self._is_newest_writer():
                    return
                self._lock()
            except (psycopg.Error, Locked):
                self._connection.close()
                time.sleep(_RETRY_S)
            else:
                return
        raise Fault(f"log {self._name}: whether the last group was stored is unknown ({error})") from error
