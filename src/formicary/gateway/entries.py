"""Reading the log and the outbox from a door: entries by index, the time of an entry, events after a number."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from formicary.base.entry import Entry
    from formicary.machine.events import Event, Outbox
    from formicary.node.ledger import Ledger

_READER: Final = "door/reader"
"""A subscriber that lives for one reading of the outbox, so that it keeps no event from being pruned."""


def read_entries(ledger: Ledger, first: int, limit: int) -> list[Entry]:
    """Read up to ``limit`` durable entries of the log from index ``first`` on, each checked; blocks on the disk."""
    return list(islice(ledger._log.read(first), limit))  # noqa: SLF001 - a ledger gives its log to nobody else


def entry_time_ns(ledger: Ledger, entry: int) -> int:
    """Return when a durable entry was made, in ns since 1970; 0 when it is not there."""
    found = read_entries(ledger, entry, 1)
    return found[0].time_ns if found else 0


def events_after(ledger: Ledger, number: int, limit: int) -> list[Event]:
    """Return up to ``limit`` (at most 1000) durable events with numbers above ``number`` that are still kept."""

    def read(outbox: Outbox, durable: int) -> list[Event]:
        outbox.unsubscribe(_READER)
        outbox.subscribe(_READER, after=number)
        found = outbox.pending(_READER, through_entry=durable, limit=limit)
        outbox.unsubscribe(_READER)
        return found

    events: list[Event] = ledger.outbox(read)
    return events
