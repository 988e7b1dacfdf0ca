"""Events: what the outside sees of the machine, in an outbox of rows.

Each event has the next number, without gaps. A subscriber reads in that order from its cursor and acknowledges what it
has dealt with; whatever was not acknowledged is read again, so delivery is at least once and in order. Cursors and
pruning are a node's own affair: they are outside the digest, and no handler can read the outbox.

Use an outbox from the thread that applies entries, between two of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from formicary.machine.rows import Rows
    from formicary.machine.working_set import Change

EVENTS_READ_MAX: Final = 1000
"""Events in one read of the outbox."""


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened."""

    number: int
    """1, 2, 3 … over the life of the ledger."""
    entry: int
    product: str
    kind: str
    payload: bytes
    """The event's message, in msgpack."""
    subject: bytes
    """Pseudonymous id of whom it concerns; empty for nobody in particular."""


class Outbox:
    """Events in the rows' database, and how far each subscriber has got."""

    SCHEMA: Final = """
        CREATE TABLE machine_events (
            number INTEGER NOT NULL PRIMARY KEY,
            entry INTEGER NOT NULL,
            product TEXT NOT NULL,
            kind TEXT NOT NULL,
            payload BLOB NOT NULL,
            subject BLOB NOT NULL
        ) STRICT;
        CREATE INDEX machine_events_by_entry ON machine_events (entry, number);
        CREATE TABLE machine_cursors (
            subscriber TEXT NOT NULL,
            number INTEGER NOT NULL,
            PRIMARY KEY (subscriber)
        ) STRICT, WITHOUT ROWID;
    """

    def __init__(self, rows: Rows) -> None:
        self._rows = rows

    def store(self, events: Sequence[Event]) -> list[Change]:
        """Store the events of an entry, inside its transaction; answer what that changes."""
        rows = [
            (event.number, event.entry, event.product, event.kind, event.payload, event.subject) for event in events
        ]
        if rows:
            self._rows.connection.executemany("INSERT INTO machine_events VALUES (?, ?, ?, ?, ?, ?)", rows)
        return [("machine_events", "INSERT", None, row) for row in rows]

    def of_entry(self, entry: int) -> tuple[Event, ...]:
        """Events of one entry that are still kept, in order."""
        sql = (
            "SELECT number, entry, product, kind, payload, subject FROM machine_events WHERE entry = ? ORDER BY number"
        )
        return tuple(Event(*row) for row in self._rows.connection.execute(sql, (entry,)))

    def subscribe(self, subscriber: str, *, after: int = 0) -> None:
        """Start a subscriber behind event ``after``; one that is known already stays where it is."""
        sql = "INSERT INTO machine_cursors VALUES (?, ?) ON CONFLICT (subscriber) DO NOTHING"
        self._rows.connection.execute(sql, (subscriber, after))

    def unsubscribe(self, subscriber: str) -> None:
        """Forget a subscriber, so that it no longer keeps events from being pruned."""
        self._rows.connection.execute("DELETE FROM machine_cursors WHERE subscriber = ?", (subscriber,))

    def pending(self, subscriber: str, *, through_entry: int, limit: int = 100) -> list[Event]:
        """The next events of a subscriber, oldest first, of entries up to the one that is known to be durable."""
        assert 0 < limit <= EVENTS_READ_MAX, "limit is 1 to 1000"
        sql = """SELECT number, entry, product, kind, payload, subject FROM machine_events
                 WHERE number > ? AND entry <= ? ORDER BY number LIMIT ?"""
        bindings = (self.cursor(subscriber), through_entry, limit)
        return [Event(*row) for row in self._rows.connection.execute(sql, bindings)]

    def cursor(self, subscriber: str) -> int:
        """Number of the newest event that a subscriber has acknowledged."""
        sql = "SELECT number FROM machine_cursors WHERE subscriber = ?"
        found = self._rows.connection.execute(sql, (subscriber,)).fetchone()
        assert found is not None, f"{subscriber} has not subscribed"
        return int(found[0])

    def acknowledge(self, subscriber: str, number: int) -> None:
        """A subscriber is done with all events up to ``number``; going back is not possible."""
        sql = "UPDATE machine_cursors SET number = max(number, ?) WHERE subscriber = ?"
        self._rows.connection.execute(sql, (number, subscriber))

    def prune(self) -> int:
        """Delete the events that every subscriber has acknowledged; without subscribers nothing. Answer how many."""
        slowest = self._rows.connection.execute("SELECT min(number) FROM machine_cursors").fetchone()
        if slowest is None or slowest[0] is None:
            return 0
        self._rows.connection.execute("DELETE FROM machine_events WHERE number <= ?", slowest)
        return self._rows.connection.changes()
