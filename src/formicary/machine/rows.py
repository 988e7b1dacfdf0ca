"""The rows: one SQLite database for the tables of all products and of the machine itself.

One savepoint for each entry that touches rows; some entries share a transaction, for the log is what makes them durable
and a commit costs more than an entry. Rows that handlers name by their key wait in the working set until the entry
ends, which then knows what changed; what was written otherwise is taken from SQLite's session extension. Either way it
is the net difference of the rows, so its digest depends on nothing but the state before and after. The same changes,
turned round, undo the entry (:meth:`Rows.rewind`).

Beside the rows, in the same commit, stands the entry's *effect*: its digest part, its replies and the kernel batches
that handlers posted. After a crash the kernel is back at its last checkpoint while the rows may be ahead of it; then
entries up to ``applied_index`` are repeated from their effects instead of being run again. Rows may even be ahead of
the log, when a crash hit between this commit and the log's: then they are rewound.

SQLite's write-ahead log has to be folded into the database now and then, which takes long. :meth:`Rows.fold` does that
on another thread; only when nobody else does is it done by the commit that finds the log far too long.

Invariants: ``applied_index`` is the newest entry whose effect is in the rows; effects are kept from the older of the
two kept checkpoints on; a database in memory keeps none, for there is nothing to recover.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, Final

import apsw
import msgspec
from blake3 import blake3

from formicary.base.errors import Corrupt, Fault, StorageFull, StorageReadOnly
from formicary.machine.commands import encode
from formicary.machine.durable import sync_file
from formicary.machine.events import Event, Outbox
from formicary.machine.fence import Fence
from formicary.machine.replies import ReplyStore
from formicary.machine.timers import Timers
from formicary.machine.working_set import Change, WorkingSet
from formicary.products.anatomy import Product

COMMIT_ENTRIES: Final = 64
"""Entries in one transaction of the database."""
COMMIT_BYTES: Final = 256 << 10
"""Changes after which a transaction is committed, so that no commit takes long."""
FOLD_PAGES: Final = 8_192
"""From 32 MiB on the write-ahead log should be folded into the database (:meth:`Rows.fold`)."""
WAL_PAGES_MAX: Final = 65_536
"""At 256 MiB the committing thread folds it itself, and everybody waits for that."""
CACHE_KIB: Final = 131_072
"""Pages of the database that are kept in memory, at most."""
UNWATCHED: Final = frozenset(
    {"machine_effects", "machine_cursors", "machine_schemas", "machine_counters", "machine_replies", "machine_events"}
)
"""Tables that need no session to know what changed: some are no part of the digest, of the others it is plain."""
LENGTH_BYTES: Final = 4
LAYOUT: Final = "2"
"""Another one, or other tables, and the rows are built again from the log."""
COUNTERS: Final = ("applied_index", "timers", "events", "replies")

_SCHEMA: Final = """
    CREATE TABLE machine_counters (
        name TEXT NOT NULL,
        value INTEGER NOT NULL,
        PRIMARY KEY (name)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE machine_effects (
        entry INTEGER NOT NULL PRIMARY KEY,
        effect BLOB NOT NULL,
        changes BLOB NOT NULL
    ) STRICT;
    CREATE TABLE machine_schemas (
        product TEXT NOT NULL,
        hash BLOB NOT NULL,
        PRIMARY KEY (product)
    ) STRICT, WITHOUT ROWID;
"""


class SchemaChanged(Fault):
    """The rows were made by other products or other tables; they have to be built again from the log."""

    code = "schema_changed"


class Effect(msgspec.Struct, frozen=True, array_like=True, tag="effect.1"):
    """All that an entry did outside the rows, as needed to repeat it without its handlers."""

    entry_hash: bytes
    rows_digest: bytes
    batches: list[tuple[int, bytes]]
    """(entry kind ACCOUNTS or TRANSFERS, records that the kernel accepted) in the order in which they were posted."""
    replies: list[tuple[bytes, bool, bool]]
    """(bytes, is_leaf, replayed) of each answer."""


_AS_IT_WAS: Final[Any] = apsw.no_change
_effect_decoder: Final = msgspec.msgpack.Decoder(Effect)


class Rows:
    """The database, its one writer, and the machine's own tables in it."""

    def __init__(
        self,
        path: Path | None,
        products: Sequence[Product],
        *,
        reverse_unordered: bool = False,
        commit_entries: int = COMMIT_ENTRIES,
    ) -> None:
        """Open or create the database; ``reverse_unordered``, for tests, turns the order of unordered rows round."""
        self.path = path
        self.wants_folding = False
        """Whether the write-ahead log has grown so long that :meth:`fold` is due."""
        self._commit_entries = commit_entries
        self._uncommitted = 0
        self._uncommitted_bytes = 0
        with storage_faults(path):
            self.connection = apsw.Connection(":memory:" if path is None else str(path), statementcachesize=512)
            self._configure(reverse_unordered=reverse_unordered)
            self._create(products)
            self._counters = self._stored_counters()
            self._counted = self._counters.copy()
            """The counters as they are stored."""
            self.applied_index = self._counters["applied_index"]
        fence = Fence(self.connection)
        self._working = WorkingSet(self.connection, self._attach)
        self.fenced = {product.name: fence.rows_of(product, self._working) for product in products}
        self.replies = ReplyStore(self)
        self.outbox = Outbox(self)
        self.timers = Timers(self)
        self._session: apsw.Session | None = None
        self._under_way = False
        self._prune_through: int | None = None

    def _configure(self, *, reverse_unordered: bool) -> None:
        run = self.connection.execute
        self.connection.set_busy_timeout(5000)
        run("PRAGMA journal_mode = WAL").fetchall()
        run("PRAGMA synchronous = NORMAL")
        run(f"PRAGMA cache_size = -{CACHE_KIB}")
        run("PRAGMA temp_store = MEMORY")  # what a savepoint may have to put back is no file either
        self.connection.set_wal_hook(self._grown)
        run("PRAGMA foreign_keys = ON")
        run("PRAGMA trusted_schema = OFF")
        run(f"PRAGMA reverse_unordered_selects = {'ON' if reverse_unordered else 'OFF'}")
        for option in (apsw.SQLITE_DBCONFIG_DQS_DML, apsw.SQLITE_DBCONFIG_DQS_DDL):
            self.connection.config(option, 0)  # "x" is a column, never by accident a text

    def _create(self, products: Sequence[Product]) -> None:
        own = (_SCHEMA, ReplyStore.SCHEMA, Outbox.SCHEMA, Timers.SCHEMA)
        schemas = {product.name: product.schema for product in products} | {"machine": LAYOUT + "".join(own)}
        hashes = {name: blake3(schema.encode()).digest() for name, schema in schemas.items()}
        if self.connection.table_exists("main", "machine_schemas"):
            stored = dict(self.connection.execute("SELECT product, hash FROM machine_schemas ORDER BY product"))
            if stored != hashes:
                raise SchemaChanged("the rows were made with other products or tables")
            return
        fence = Fence(self.connection)
        with self.connection:
            for schema in own:
                self.connection.execute(schema)
            for product in products:
                fence.create_tables(product)
            self.connection.executemany("INSERT INTO machine_schemas VALUES (?, ?)", sorted(hashes.items()))
            self.connection.executemany("INSERT INTO machine_counters VALUES (?, 0)", [(name,) for name in COUNTERS])

    def _stored_counters(self) -> dict[str, int]:
        return dict(self.connection.execute("SELECT name, value FROM machine_counters ORDER BY name"))

    def counter(self, name: str) -> int:
        """How far a counter of the machine has got."""
        return self._counters[name]

    def count(self, name: str) -> int:
        """The next number of a counter: 1, 2, 3 …; a command that is undone gives its numbers back.

        Kept in memory while an entry is under way, and stored with it.
        """
        self._counters[name] += 1
        return self._counters[name]

    # One entry

    def begin(self) -> None:
        """Open the savepoint of an entry, in a new transaction or in the one that the entries before it share."""
        assert not self._under_way, "an entry is under way"
        with storage_faults(self.path):
            self._refuse_when_fallen_back()
            if not self.connection.in_transaction:
                self.connection.execute("BEGIN IMMEDIATE")
            self.connection.execute("SAVEPOINT entry")
        self._under_way = True
        self._working.begin()

    def _attach(self) -> None:
        """Have SQLite watch what changes: from here on the working set no longer knows."""
        if self._session is None:
            self._session = apsw.Session(self.connection, "main")
            self._session.table_filter(lambda name: name not in UNWATCHED)
            self._session.attach()

    def write_through(self) -> None:
        """Before the machine itself changes rows that SQLite has to be watched for (its timers)."""
        self._working.write_through()

    def mark(self) -> dict[str, int]:
        """A command begins: :meth:`undo` takes the answer, :meth:`keep` needs nothing."""
        self._working.mark()
        return self._counters.copy()

    def undo(self, mark: dict[str, int]) -> None:
        """Take back all rows and numbers since the mark."""
        self._working.undo()
        self._counters = mark

    def keep(self) -> None:
        """Let stay what came since the mark."""
        self._working.keep()

    def changes(self, index: int, events: Sequence[Event]) -> bytes:
        """Close the books of entry ``index``: its net row changes, in one form whatever order they were made in.

        Replies and events are stored here, all at once: no handler can read them, so no command has to wait for it.
        """
        assert self._under_way, "no entry is under way"
        self._counters["applied_index"] = index
        changes = self._working.end()
        if self._session is not None:
            changes += _changes_of(self._session.changeset())
            self._close_session()
        changes += self.replies.store() + self.outbox.store(events) + self._store_counters()
        lines = sorted(map(encode, changes))
        return b"".join([part for line in lines for part in (len(line).to_bytes(LENGTH_BYTES, "little"), line)])

    def _store_counters(self) -> list[Change]:
        moved = [(name, value) for name, value in self._counters.items() if value != self._counted[name]]
        sql = "UPDATE machine_counters SET value = ? WHERE name = ?"
        self.connection.executemany(sql, [(value, name) for name, value in moved])
        changes: list[Change] = [
            ("machine_counters", "UPDATE", [name, self._counted[name]], [True, value]) for name, value in moved
        ]
        self._counted = self._counters.copy()
        return changes

    def end(self, index: int, effect: Effect, changes: bytes) -> None:
        """Make the entry's rows and its effect one whole, and commit if it is time for that."""
        with storage_faults(self.path):
            if self.path is not None:
                sql = "INSERT INTO machine_effects VALUES (?, ?, ?)"
                self.connection.execute(sql, (index, encode(effect), changes))
                if self._prune_through is not None:
                    self.connection.execute("DELETE FROM machine_effects WHERE entry <= ?", (self._prune_through,))
                    self._prune_through = None
            self.connection.execute("RELEASE entry")
        self._under_way = False
        self._settle()
        self.applied_index = index
        self._uncommitted += 1
        self._uncommitted_bytes += len(changes)
        if self._uncommitted >= self._commit_entries or self._uncommitted_bytes >= COMMIT_BYTES:
            self.commit()

    def commit(self) -> None:
        """Commit all entries so far, so that other connections see them; between two entries."""
        assert not self._under_way, "an entry is under way"
        with storage_faults(self.path):
            self._refuse_when_fallen_back()
            if self.connection.in_transaction:
                self.connection.execute("COMMIT")
        self._uncommitted = self._uncommitted_bytes = 0

    def _refuse_when_fallen_back(self) -> None:
        """After some errors of the disk SQLite rolls back entries that memory still counts on: nothing may follow."""
        if self._uncommitted and not self.connection.in_transaction:
            message = "the disk failed and the rows fell back; the ledger must be opened again"
            raise Fault(message)

    def rollback(self) -> None:
        """Give up the entry that is under way, if one is."""
        if not self._under_way:
            return
        self._under_way = False
        self._close_session()
        self.replies.forget_new()
        if self.connection.in_transaction:  # after some errors SQLite has rolled all of it back by itself
            self.connection.execute("ROLLBACK TO entry")
            self.connection.execute("RELEASE entry")
        self._read_again()

    def _read_again(self) -> None:
        """Forget what memory has of the rows: they were taken back."""
        self._working.give_up()
        for rows in self.fenced.values():
            rows.unsettle()
        self._settle()
        self._counters = self._stored_counters()
        self._counted = self._counters.copy()

    def _settle(self) -> None:
        for rows in self.fenced.values():
            rows.settle()

    def _close_session(self) -> None:
        if self._session is not None:
            self._session.close()
            self._session = None

    # Recovery

    def effect(self, index: int) -> Effect | None:
        """What entry ``index`` did, if it touched rows."""
        found = self.connection.execute("SELECT effect FROM machine_effects WHERE entry = ?", (index,)).fetchone()
        return None if found is None else _effect_decoder.decode(found[0])

    def rewind(self, index: int) -> None:
        """Undo all entries after ``index``, newest first."""
        self.commit()
        with storage_faults(self.path), self.connection:
            sql = "SELECT entry, changes FROM machine_effects WHERE entry > ? ORDER BY entry DESC"
            for entry, changes in self.connection.execute(sql, (index,)).fetchall():
                assert isinstance(changes, bytes)
                self._turn_back(changes)
                self.connection.execute("DELETE FROM machine_effects WHERE entry = ?", (entry,))
        self._read_again()
        self.applied_index = self._counters["applied_index"]

    def _turn_back(self, changes: bytes) -> None:
        """Undo the changes of one entry: what it inserted goes first, what it deleted comes back last."""
        order = ("INSERT", "UPDATE", "DELETE")
        for name, kind, before, after in sorted(_read_changes(changes), key=lambda change: order.index(change[1])):
            columns = "SELECT name, pk FROM pragma_table_xinfo(?) ORDER BY cid"
            shape: list[Any] = self.connection.execute(columns, (name,)).fetchall()
            row = before if before is not None else after
            assert row is not None
            keys = [(column, value) for (column, pk), value in zip(shape, row, strict=True) if pk]
            where, named = " AND ".join(f"{column} = ?" for column, _ in keys), [value for _, value in keys]
            if kind == "INSERT":
                self.connection.execute(f"DELETE FROM {name} WHERE {where}", named)  # noqa: S608 - from the schema
                # An event that was delivered and pruned need not be taken back.
                assert self.connection.changes() == 1 or name == "machine_events", f"{name} lacks a row"
            elif kind == "DELETE":
                places = ", ".join("?" * len(row))
                self.connection.execute(f"INSERT INTO {name} VALUES ({places})", row)  # noqa: S608 - from the schema
            else:
                sets = [(column, value) for (column, pk), value in zip(shape, row, strict=True) if not pk]
                changed = [(column, value) for column, value in sets if value is not True]
                text = ", ".join(f"{column} = ?" for column, _ in changed)
                sql = f"UPDATE {name} SET {text} WHERE {where}"  # noqa: S608 - from the schema
                self.connection.execute(sql, [*[value for _, value in changed], *named])
                assert self.connection.changes() == 1, f"{name} lacks a row"

    def make_durable(self, between_entries: AbstractContextManager[object]) -> None:
        """Bring all entries so far to the disk; called from another thread while entries go on being applied.

        While ``between_entries`` is entered, no entry is being applied.
        """
        assert self.path is not None, "a database in memory can't be made durable"
        with between_entries:
            self.commit()
        with storage_faults(self.path):
            # Commits stand in the write-ahead log, which SQLite leaves to the operating system until it folds it in.
            sync_file(self.path.with_name(f"{self.path.name}-wal"))
        self._fold()

    def fold(self, between_entries: AbstractContextManager[object]) -> None:
        """Bring the write-ahead log into the database, from another thread while entries go on being applied.

        SQLite begins its log anew only when a transaction begins with all of it folded in. So the bulk is folded first,
        then what came meanwhile, and the little that came during that between two entries.
        """
        self._fold()
        with between_entries:
            self.commit()
        self._fold()
        with between_entries:
            self.commit()
            self._fold()
        self.wants_folding = False

    def _fold(self) -> None:
        with storage_faults(self.path):
            folder = apsw.Connection(str(self.path))
            try:
                # The pragma, not the method: a connection that has read nothing yet does not know of the log.
                folder.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()
            finally:
                folder.close()

    def _grown(self, connection: apsw.Connection, _database: str, pages: int) -> int:
        """Called by SQLite after each commit with the length of its write-ahead log."""
        self.wants_folding = pages >= FOLD_PAGES
        if pages >= WAL_PAGES_MAX:
            connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_PASSIVE)
        return apsw.SQLITE_OK

    def prune_effects(self, *, through: int) -> None:
        """Let the next commit delete effects up to an entry that no kept checkpoint needs."""
        self._prune_through = through

    def close(self) -> None:
        """Close the database; an entry that is under way is given up."""
        self.rollback()
        try:
            if self.connection.in_transaction:
                self.commit()
        finally:
            self.connection.close()


def _changes_of(changeset: bytes) -> list[Change]:
    """What SQLite's session saw, in the working set's form."""
    changes: list[Change] = []
    for change in apsw.Changeset.iter(changeset):
        before: Any = change.old
        after: Any = change.new
        assert before is None or float not in map(type, before), "a float got into the rows"  # det-ok: looks for floats
        assert after is None or float not in map(type, after), "a float got into the rows"  # det-ok: looks for floats
        if before is not None and after is not None:
            before = [True if value is _AS_IT_WAS else value for value in before]
            after = [True if value is _AS_IT_WAS else value for value in after]
        changes.append((change.name, change.op, before, after))
    return changes


def _read_changes(changes: bytes) -> list[Any]:
    """Take apart what :meth:`Rows.changes` made."""
    found, place = [], 0
    while place < len(changes):
        end = place + LENGTH_BYTES + int.from_bytes(changes[place : place + LENGTH_BYTES], "little")
        found.append(msgspec.msgpack.decode(changes[place + LENGTH_BYTES : end]))
        place = end
    return found


def changes_digest(changes: bytes) -> bytes:
    """BLAKE3 over the changed rows in byte order, so that the order in which they were changed does not count."""
    return blake3(changes).digest()


@contextmanager
def storage_faults(path: Path | None) -> Iterator[None]:
    """Raise SQLite's errors of the environment as ours."""
    try:
        yield
    except apsw.FullError as error:
        raise StorageFull(f"no room for the rows: {error}") from error
    except (apsw.ReadOnlyError, apsw.PermissionsError, apsw.CantOpenError) as error:
        raise StorageReadOnly(f"the rows can't be written: {error}") from error
    except (apsw.CorruptError, apsw.NotADBError) as error:
        raise Corrupt(str(error), file=str(path), record=0, offset=0) from error
    except (apsw.IOError, apsw.BusyError) as error:
        raise Fault(f"the rows can't be read or written: {error}") from error
